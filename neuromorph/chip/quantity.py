"""A number about hardware: a range with its unit, its source and how sure it is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from neuromorph.chip.schema import POINTS_PER, STATUSES
from neuromorph.errors import ChipError, raise_faults


def origin_faults(source: str, status: str) -> list[str]:
    """What is wrong with the source and status of a number."""
    faults = []
    if not source.strip():
        faults.append("source is empty; name the paper with page or table, or the file")
    if status not in STATUSES:
        faults.append(f"status must be one of {', '.join(STATUSES)}; got {status!r}")
    return faults


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number as a range ``low <= high`` with its unit and where it comes from.

    ``points`` are pairs of a count (``per`` tiles or chips) and the number at it; the range spans them.
    """

    low: float
    high: float
    unit: str
    source: str  # publication with page or table, or file of a public repository
    status: str  # published, derived (arithmetic shown in the source), assumed, or measured on a named machine
    values: tuple[float, ...] = ()  # the only allowed values, where a limit is a list
    points: tuple[tuple[float, float], ...] = ()
    per: str = ""  # what the first number of a point counts

    def __post_init__(self) -> None:
        """Check order, source and status."""
        faults = []
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            faults.append(f"must be finite, got {self.low:g} to {self.high:g}")
        elif self.low > self.high:
            faults.append(f"low must be <= high, got {self.low:g} > {self.high:g}")
        counts = [count for count, _ in self.points]
        if any(not later > earlier for earlier, later in itertools.pairwise(counts)):
            faults.append(f"points must stand in rising order of {self.per or 'their first number'}, got {counts}")
        if self.points and self.per not in POINTS_PER:
            faults.append(f"per must be one of {', '.join(POINTS_PER)}; got {self.per!r}")
        raise_faults(ChipError, [*faults, *origin_faults(self.source, self.status)])

    def at(self, count: float) -> tuple[float, float]:
        """Low and high at a count of ``per``: straight lines between the points, and their ends beyond them.

        >>> barrier = Quantity(
        ...     low=1.0, high=3.0, unit="s", source="p. 1", status="published", points=((1, 1.0), (5, 3.0)), per="tiles"
        ... )
        >>> barrier.at(3), barrier.at(9)
        ((2.0, 2.0), (3.0, 3.0))
        """
        if not self.points:
            return self.low, self.high
        before = [point for point in self.points if point[0] <= count]
        after = [point for point in self.points if point[0] >= count]
        (left, low), (right, high) = (before or after)[-1 if before else 0], (after or before)[0 if after else -1]
        value = low if left == right else low + (high - low) * (count - left) / (right - left)
        return value, value

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        allowed = {"values": list(self.values)} if self.values else {}
        course = {"points": [list(point) for point in self.points], "per": self.per} if self.points else {}
        origin = {"unit": self.unit, "source": self.source, "status": self.status}
        return {"low": self.low, "high": self.high, **allowed, **course, **origin}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Something about hardware in words, with where it comes from."""

    text: str
    source: str
    status: str

    def __post_init__(self) -> None:
        """Check that nothing is empty."""
        empty = [] if self.text.strip() else ["text is empty"]
        raise_faults(ChipError, [*empty, *origin_faults(self.source, self.status)])

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {"text": self.text, "source": self.source, "status": self.status}
