"""What a check of the conformance kit says: classes of agreement, the first difference, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Agreement = Literal["exact", "tolerance", "statistical"]

EARLY_STEPS = 100  # states must agree within EARLY_TOLERANCE so far, and within LATE_TOLERANCE afterwards
EARLY_TOLERANCE, LATE_TOLERANCE = 1e-9, 1e-6  # relative to the value, or to the threshold where that is larger
WEIGHT_TOLERANCE = 1e-6  # relative to the value, or to the projection's mean weight where that is larger
ROUNDING = 1e-9  # of the threshold: a membrane so near to it may spike on one backend and not on the other
STATISTICAL_SEEDS = 24  # sessions of each side
STATISTICAL_LEVEL = 1e-3  # of all tests of one case together
WHOLE_RUN = "whole run"  # the first phase of a check

AGREEMENTS: Mapping[Agreement, str] = {
    "exact": "spikes, u, v, weights, tags and traces are equal to the bit",
    "tolerance": (
        f"spikes are equal; u and v within {EARLY_TOLERANCE:g} for {EARLY_STEPS} steps and {LATE_TOLERANCE:g} afterwards,"
        f" weights, tags and traces within {WEIGHT_TOLERANCE:g}: floating-point sums in another order differ in their last"
        " bits; where a membrane lies within rounding of its threshold a check ends, and says so"
    ),
    "statistical": (
        f"spike counts and mean weights of {STATISTICAL_SEEDS} sessions of different seeds come from one distribution with"
        f" those of the reference: two-sample Kolmogorov-Smirnov tests at the level {STATISTICAL_LEVEL:g} for a case"
    ),
}
"""The classes of agreement, and what each is held to."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place where a backend differs; steps count from 1 within the phase, as in time."""

    phase: str
    what: str  # "spikes", or an address such as "out.v"
    step: int | None = None
    population: str = ""
    neuron: int | None = None  # or the synapse, in the program's order
    found: float = float("nan")  # the backend's value; where spikes differ, its membrane before the reset
    expected: float = float("nan")  # the reference's
    threshold: float = float("nan")

    def __str__(self) -> str:
        place = [self.phase]
        place += [] if self.step is None else [f"step {self.step}"]
        if self.what == "spikes":
            place += [f"population {self.population!r}", f"neuron {self.neuron}"]
            values = f"membranes {self.found!r} and {self.expected!r} in the reference, threshold {self.threshold!r}"
            return f"{', '.join(place)}: one spikes and the other does not; {values}"
        place += [] if self.neuron is None else [f"entry {self.neuron}"]
        return f"{', '.join(place)}: {self.what} is {self.found!r}, expected {self.expected!r}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What :func:`check` found: it agrees, it was skipped because of declared gaps, or it differs.

    ``steps_followed`` counts the steps of the whole run, the first phase, that were held to the reference: all steps of
    the case, unless it was skipped, differs there or was cut short there.
    """

    backend: str
    case: str
    status: Literal["agrees", "skipped", "differs"]
    sentence: str = ""  # why it was skipped, where it differs, or how far it could be followed
    difference: Difference | None = None
    steps_followed: int = 0
    agreement: Agreement = "exact"  # the class that was asked for

    @property
    def cut_short(self) -> bool:
        """Whether it agrees only so far: rounding at a threshold ended the check, in the phase that the sentence names."""
        return self.status == "agrees" and bool(self.sentence)

    def __str__(self) -> str:
        return f"{self.backend} on {self.case!r} {self.status}" + (f": {self.sentence}" if self.sentence else "")


class Differs(Exception):
    """Carries the first difference out of the phases of a check."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference)
        self.difference = difference


class Rounded(Exception):
    """A spike differs and the membrane lay within rounding of the threshold: nothing can be held together from there."""

    def __init__(self, sentence: str, phase: str, step: int) -> None:
        super().__init__(sentence)
        self.phase, self.step = phase, step
