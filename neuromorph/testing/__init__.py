"""The conformance kit: cases as data, and a check that holds any backend to the reference.

A backend of your own is held to the reference like this, in any test runner or none::

    from neuromorph.testing import check, minimal_cases, random_case, supported_features

    backend = MyBackend()
    for case in minimal_cases():
        verdict = check(backend, case)  # "agrees", "skipped" (a gap that the backend declares) or "differs"
        assert verdict.status != "differs", verdict
    for seed in range(10):
        case = random_case(seed, features_allowed=supported_features(backend), accepted=lambda p: not backend.faults(p))
        verdict = check(backend, case)
        assert verdict.status == "agrees", verdict
"""

from neuromorph.testing.agreement import Difference, Verdict, check, supported_features
from neuromorph.testing.cases import Case, feature_cases, minimal_cases
from neuromorph.testing.random_cases import random_case

__all__ = [
    "Case",
    "Difference",
    "Verdict",
    "check",
    "feature_cases",
    "minimal_cases",
    "random_case",
    "supported_features",
]
