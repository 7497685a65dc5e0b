"""A published measurement of a network on a chip, and how its figures are predicted here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neuromorph.cost import Range
from neuromorph.errors import InputError, raise_faults
from neuromorph.validation.row import Row


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measured network; ``predict`` builds it, counts its work and estimates it, and returns every figure."""

    name: str
    title: str
    summary: str  # two sentences: what was measured, and how it is predicted
    source: str  # of the measurement
    unknown: str  # what was not published, and the range taken for it
    predict: Callable[[], tuple[Row, ...]]

    def __post_init__(self) -> None:
        """Check that nothing is left empty."""
        faults = [
            f"Case {self.name!r}: {name} must not be empty"
            for name in ("name", "title", "summary", "source", "unknown")
            if not getattr(self, name).strip()
        ]
        raise_faults(InputError, faults)

    def to_json(self, rows: tuple[Row, ...]) -> dict[str, Any]:
        """A plain dictionary of the case with its rows."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "source": self.source,
            "unknown": self.unknown,
            "rows": [row.to_json() for row in rows],
        }


def measured(value: float, high: float | None = None) -> Range:
    """A measured figure, or the range of several readings of it.

    >>> measured(2.0), measured(2.0, 3.0)
    (Range(low=2.0, high=2.0), Range(low=2.0, high=3.0))
    """
    return Range(value, value if high is None else high)
