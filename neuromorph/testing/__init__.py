"""The conformance kit: cases as data, and a check that holds any backend to the reference.

A backend of your own is held to the reference by pytest like this::

    from neuromorph.testing import BackendConformance

    class TestMyBackend(BackendConformance):
        backend = MyBackend()

and in any other runner, or none, like this::

    from neuromorph.testing import check, every_case

    for case in every_case():
        verdict = check(MyBackend(), case)  # "agrees", "skipped" (a gap that the backend declares) or "differs"
        assert verdict.status != "differs", verdict

``neuromorph conformance --backend NAME`` does it for an installed one.
"""

from typing import TYPE_CHECKING, Any

from neuromorph.testing.agreement import check, supported_features
from neuromorph.testing.case import Case
from neuromorph.testing.cases import feature_cases, minimal_cases
from neuromorph.testing.fixed_cases import fixed_cases, fixed_feature_cases
from neuromorph.testing.integers import integer_neurons, integer_synapses
from neuromorph.testing.pair import agreement_of
from neuromorph.testing.random_cases import random_case
from neuromorph.testing.random_fixed import random_fixed_case
from neuromorph.testing.verdict import AGREEMENTS, Difference, Verdict

if TYPE_CHECKING:
    from neuromorph.testing.pytest_class import BackendConformance

__all__ = [
    "AGREEMENTS",
    "BackendConformance",
    "Case",
    "Difference",
    "Verdict",
    "agreement_of",
    "check",
    "every_case",
    "feature_cases",
    "fixed_cases",
    "fixed_feature_cases",
    "integer_neurons",
    "integer_synapses",
    "minimal_cases",
    "random_case",
    "random_fixed_case",
    "supported_features",
]


def every_case() -> list[Case]:
    """All hand-made cases, float and fixed point."""
    return [*minimal_cases(), *fixed_cases()]


def __getattr__(name: str) -> Any:
    if name != "BackendConformance":  # it alone needs pytest
        raise AttributeError(f"module 'neuromorph.testing' has no attribute {name!r}")
    from neuromorph.testing.pytest_class import BackendConformance

    return BackendConformance
