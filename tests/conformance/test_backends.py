"""Every backend that runs programs, held to the reference."""

from functools import cache

import pytest

from neuromorph import registry
from neuromorph.backend import FEATURES, Backend
from neuromorph.errors import BackendUnavailable
from neuromorph.testing import Case, check, minimal_cases, random_case, supported_features

SEEDS = range(10)
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
    assert verdict.status == "agrees", str(verdict)


@pytest.mark.parametrize("name", CASES)
def test_every_backend_does_what_the_reference_does(backend: Backend, name: str) -> None:
    held(backend, CASES[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_backend_agrees_on_random_networks_of_what_it_supports(backend: Backend, seed: int) -> None:
    case = random_case(
        seed,
        features_allowed=supported_features(backend),
        accepted=lambda program: not backend.faults(program),
        steps=300,
    )
    verdict = check(backend, case)
    assert verdict.status == "agrees", str(verdict)


def test_every_gap_is_a_known_feature_with_a_reason(backend: Backend) -> None:
    for feature, gap in backend.capabilities.gaps.items():
        assert feature in FEATURES
        assert gap.reason.strip(), feature
