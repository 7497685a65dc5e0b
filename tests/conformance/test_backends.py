"""Every backend that runs programs, held to the reference."""

from functools import cache

import pytest

from neuromorph import registry
from neuromorph.backend import FEATURES, Backend
from neuromorph.errors import BackendUnavailable
from neuromorph.testing import Case, Verdict, check, minimal_cases, random_case, supported_features

SEEDS = range(10)
MORE_SEEDS = range(20)  # where rounding may cut a check short, how often is counted over so many
LARGEST_SHARE_CUT_SHORT = 0.05
RANDOM_STEPS = 300
CASES = {case.name: case for case in minimal_cases()}


@cache
def opened(name: str) -> Backend | str:
    """The backend, or why there is none."""
    try:
        return registry.get(name)
    except BackendUnavailable as error:
        return str(error)


@pytest.fixture(params=registry.backend_names())
def backend(request: pytest.FixtureRequest) -> Backend:
    found = opened(request.param)
    if isinstance(found, str):
        pytest.skip(found)
    if not found.capabilities.runs_programs:
        pytest.skip(f"{request.param} trains descriptions and opens no session")
    return found


def held(backend: Backend, case: Case) -> None:
    verdict = check(backend, case)
    if verdict.status == "skipped":
        pytest.skip(verdict.sentence)
    agrees(verdict, case.steps)


def agrees(verdict: Verdict, steps: int) -> None:
    assert verdict.status == "agrees", str(verdict)
    if verdict.cut_short:
        assert "within rounding of its threshold" in verdict.sentence
        assert verdict.steps_followed <= steps, str(verdict)
    else:
        assert verdict.steps_followed == steps, str(verdict)


@pytest.mark.parametrize("name", CASES)
def test_every_backend_does_what_the_reference_does(backend: Backend, name: str) -> None:
    held(backend, CASES[name])


@cache
def on_random_case(name: str, seed: int) -> Verdict:
    backend = registry.get(name)
    case = random_case(
        seed,
        features_allowed=supported_features(backend),
        accepted=lambda program: not backend.faults(program),
        steps=RANDOM_STEPS,
    )
    return check(backend, case)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_backend_agrees_on_random_networks_of_what_it_supports(backend: Backend, seed: int) -> None:
    agrees(on_random_case(backend.name, seed), RANDOM_STEPS)


def test_rounding_cuts_few_checks_short(backend: Backend) -> None:
    seeds = MORE_SEEDS if backend.capabilities.agreement == "tolerance" else SEEDS
    cut = [verdict for seed in seeds if (verdict := on_random_case(backend.name, seed)).cut_short]
    assert len(cut) <= LARGEST_SHARE_CUT_SHORT * len(seeds), "\n".join(map(str, cut))


def test_every_gap_is_a_known_feature_with_a_reason(backend: Backend) -> None:
    for feature, gap in backend.capabilities.gaps.items():
        assert feature in FEATURES
        assert gap.reason.strip(), feature
