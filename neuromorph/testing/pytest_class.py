"""The conformance kit as a class for pytest."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from neuromorph.backend import FEATURES, Backend
from neuromorph.program import Program
from neuromorph.testing.agreement import check, supported_features
from neuromorph.testing.case import Case
from neuromorph.testing.cases import minimal_cases
from neuromorph.testing.fixed_cases import fixed_cases
from neuromorph.testing.random_cases import random_case
from neuromorph.testing.random_fixed import random_fixed_case
from neuromorph.testing.verdict import Verdict

CASES: dict[str, Case] = {case.name: case for case in (*minimal_cases(), *fixed_cases())}
MOST_CUT_SHORT = 0.05  # share of random checks that rounding at a threshold may end early


class BackendConformance:
    """Inherit from it, set ``backend``, and pytest holds the backend to the reference.

    What the backend declares as a gap is skipped with its sentence; what it declares to run and runs otherwise fails.
    """

    backend: ClassVar[Backend]
    random_seeds: ClassVar[int] = 10  # random networks, of each arithmetic that the backend has
    random_steps: ClassVar[int] = 300

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _is_there(cls) -> None:
        backend = getattr(cls, "backend", None)
        if not isinstance(backend, Backend):
            pytest.fail(f"{cls.__name__}.backend must be a backend, as in `backend = MyBackend()`, got {backend!r}")
        found = backend.availability()
        if not found.available:
            pytest.skip(f"{found.reason}. Remedy: {found.remedy}")

    @pytest.mark.parametrize("name", CASES)
    def test_it_does_what_the_reference_does(self, name: str) -> None:
        """Every hand-made case."""
        _hold(check(self.backend, CASES[name]), CASES[name].steps)

    def test_it_agrees_on_random_networks(self) -> None:
        """Random float networks of all that the backend supports."""
        self._random(random_case)

    def test_it_agrees_on_random_fixed_point_programs(self) -> None:
        """Random programs in a chip's integers."""
        if "fixed_point" in self.backend.capabilities.gaps:
            pytest.skip(f"fixed_point: {self.backend.capabilities.gaps['fixed_point'].reason}")
        self._random(random_fixed_case)

    def test_every_gap_is_a_known_feature_with_a_reason(self) -> None:
        """A gap names a feature, and says why."""
        for feature, gap in self.backend.capabilities.gaps.items():
            assert feature in FEATURES, feature
            assert gap.reason.strip(), f"the gap {feature!r} gives no reason"

    def _random(self, draw: Callable[..., Case]) -> None:
        features = supported_features(self.backend)
        cut = 0
        for seed in range(self.random_seeds):
            case = draw(seed, features_allowed=features, accepted=self._accepts, steps=self.random_steps)
            verdict = check(self.backend, case)
            assert verdict.status != "differs", str(verdict)
            cut += verdict.cut_short
        assert cut <= max(1, MOST_CUT_SHORT * self.random_seeds), f"{cut} checks ended early, at thresholds"

    def _accepts(self, program: Program) -> bool:
        return not self.backend.faults(program)


def _hold(verdict: Verdict, steps: int) -> None:
    if verdict.status == "skipped":
        pytest.skip(verdict.sentence)
    assert verdict.status == "agrees", str(verdict)
    assert verdict.cut_short or verdict.steps_followed == steps, str(verdict)
