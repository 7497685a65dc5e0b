"""One figure of a published measurement, predicted and measured side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from neuromorph.cost import Range
from neuromorph.errors import InputError, raise_faults

UNITS = ("J", "s", "W")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a prediction must reach: its middle within a factor of the measured figure, or the figure inside the range.

    A range counts only where its high end is at most ``widest`` times its low one.

    >>> str(Target(factor=1.5)), str(Target(widest=5.0))
    ('within a factor of 1.5', 'inside a range of high / low <= 5')
    """

    factor: float | None = None
    widest: float | None = None

    def __post_init__(self) -> None:
        """Check that one of the two is there."""
        if (self.factor is None) == (self.widest is None):
            raise InputError(
                f"Target needs either factor or widest, got factor={self.factor!r} and widest={self.widest!r}"
            )
        raise_faults(
            InputError,
            [
                f"Target.{name} must be > 1, got {value!r}"
                for name, value in (("factor", self.factor), ("widest", self.widest))
                if value is not None and not 1 < value < math.inf
            ],
        )

    def __str__(self) -> str:
        """As a reader wants it."""
        if self.factor is not None:
            return f"within a factor of {self.factor:g}"
        return f"inside a range of high / low <= {self.widest:g}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A predicted range beside a measured figure; the middle of a range is the geometric mean of its ends.

    ``factor = max(middle / measured, measured / middle)``; the measured figure is a range too where several runs or
    readings were published, and counts at the end that is nearer to the middle.

    >>> row = Row(what="energy", unit="J", predicted=Range(1.0, 4.0), measured=Range(3.0, 3.0), target=Target(factor=2.0))
    >>> row.middle, row.factor, row.is_inside, row.verdict
    (2.0, 1.5, True, 'PASS')
    """

    what: str
    unit: str
    predicted: Range
    measured: Range
    target: Target | None = None  # None: shown for what it tells, not judged
    basis: str = ""  # of the prediction, in a few words
    is_independent: bool = True  # no coefficient comes from this very measurement

    def __post_init__(self) -> None:
        """Check that both are figures of a known unit above 0."""
        faults = [f"Row.unit must be one of {', '.join(UNITS)}, got {self.unit!r}"] if self.unit not in UNITS else []
        faults += [
            f"Row {self.what!r}: {name} must be > 0, got {ends.low:g}: there is no factor of nothing"
            for name, ends in (("predicted", self.predicted), ("measured", self.measured))
            if not ends.low > 0
        ]
        raise_faults(InputError, faults)

    @property
    def middle(self) -> float:
        """Geometric mean of the ends of the prediction."""
        return math.sqrt(self.predicted.low * self.predicted.high)

    @property
    def nearest(self) -> float:
        """The measured figure, or the one nearest to the middle of those that were measured."""
        return min(max(self.middle, self.measured.low), self.measured.high)

    @property
    def factor(self) -> float:
        """By which the middle of the prediction is off, >= 1."""
        return max(self.middle / self.nearest, self.nearest / self.middle)

    @property
    def is_inside(self) -> bool:
        """Whether something that was measured lies in the predicted range."""
        return self.predicted.low <= self.measured.high and self.measured.low <= self.predicted.high

    @property
    def width(self) -> float:
        """High end of the prediction over the low one."""
        return self.predicted.high / self.predicted.low

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is; None without one."""
        if self.target is None:
            return None
        if self.target.factor is not None:
            return self.factor <= self.target.factor
        assert self.target.widest is not None
        return self.is_inside and self.width <= self.target.widest

    @property
    def verdict(self) -> str:
        """PASS or MISS; empty without a target."""
        return {None: "", True: "PASS", False: "MISS"}[self.is_reached]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "what": self.what,
            "unit": self.unit,
            "predicted_low": self.predicted.low,
            "predicted_high": self.predicted.high,
            "predicted_middle": self.middle,
            "measured_low": self.measured.low,
            "measured_high": self.measured.high,
            "factor": self.factor,
            "inside": self.is_inside,
            "target": None if self.target is None else str(self.target),
            "verdict": self.verdict or None,
            "basis": self.basis,
            "independent": self.is_independent,
        }
