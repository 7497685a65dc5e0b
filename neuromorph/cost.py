"""A cost as data: ranges, the terms that were summed, and the counted work of a conventional program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from neuromorph.errors import InputError, raise_faults


@dataclass(frozen=True)
class Range:
    """A number known to lie between two ends, ``0 <= low <= high``.

    >>> Range(1.0, 2.0) + Range(10.0, 20.0)
    Range(low=11.0, high=22.0)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check the order of the ends."""
        if not 0 <= self.low <= self.high < math.inf:
            raise InputError(f"Range must have 0 <= low <= high < infinity, got {self.low} to {self.high}")

    def __add__(self, other: Range) -> Range:
        """Sum of two numbers, end by end."""
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range) -> Range:
        """Product of two numbers, end by end."""
        return Range(self.low * other.low, self.high * other.high)

    def scaled(self, factor: float) -> Range:
        """Both ends times a factor >= 0."""
        return Range(self.low * factor, self.high * factor)


ZERO = Range(0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One line of an account: how often, what one costs, and where that number comes from."""

    name: str
    cost_set: str  # the set of the hardware file, or "measured"
    shared: bool  # part of every account, whichever set it is summed with
    count: Range  # times it happens, or seconds (of a core, of a chip) for a power
    coefficient: Range
    unit: str  # of the coefficient: J, s or W
    source: str
    status: str  # published, derived, assumed or measured

    @property
    def total(self) -> Range:
        """Count x coefficient: J in an account of energy, s in one of latency."""
        return self.count * self.coefficient

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {**asdict(self), "total": asdict(self.total)}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Energy and latency of a run on a chip, by term.

    Each set of coefficients that is not shared is an account of its own, summed with the shared terms;
    ``energy_joule`` and ``latency_second`` span the accounts.
    """

    chip: str
    chip_fingerprint: str
    energy_joule: Range  # J, the run unthrottled
    latency_second: Range  # s, the run unthrottled
    real_time_second: float | None  # s, steps x dt: a run held to real time takes this long
    real_time_energy_joule: Range | None  # J, static power and embedded processors drawn for that long
    energy_terms: tuple[Term, ...]
    latency_terms: tuple[Term, ...]
    cores: Range | None  # cores used; None for a conventional processor
    missing: tuple[str, ...]  # what no term covers

    @property
    def energy_by_set(self) -> Mapping[str, Range]:
        """Energy (J) of each account."""
        return totals_by_set(self.energy_terms)

    @property
    def latency_by_set(self) -> Mapping[str, Range]:
        """Latency (s) of each account."""
        return totals_by_set(self.latency_terms)

    def scaled(self, factor: float) -> Cost:
        """All counts and totals times a factor, such as 1 / samples for figures per inference."""
        if not 0 < factor < math.inf:
            raise InputError(f"Cost.scaled needs a factor > 0, got {factor}; 1 / n gives one of n")
        seconds, energy = self.real_time_second, self.real_time_energy_joule
        return replace(
            self,
            energy_joule=self.energy_joule.scaled(factor),
            latency_second=self.latency_second.scaled(factor),
            real_time_second=None if seconds is None else seconds * factor,
            real_time_energy_joule=None if energy is None else energy.scaled(factor),
            energy_terms=tuple(replace(t, count=t.count.scaled(factor)) for t in self.energy_terms),
            latency_terms=tuple(replace(t, count=t.count.scaled(factor)) for t in self.latency_terms),
        )

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary with every term."""
        return {
            **asdict(self),
            "energy_by_set": {name: asdict(total) for name, total in self.energy_by_set.items()},
            "latency_by_set": {name: asdict(total) for name, total in self.latency_by_set.items()},
            "energy_terms": [term.to_json() for term in self.energy_terms],
            "latency_terms": [term.to_json() for term in self.latency_terms],
            "missing": list(self.missing),
        }


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Work of a conventional program, such as backprop training, counted by whoever runs it."""

    multiply_accumulates: int
    memory_bytes: int = 0  # read and written

    def __post_init__(self) -> None:
        """Check that nothing is negative."""
        counts = {"multiply_accumulates": self.multiply_accumulates, "memory_bytes": self.memory_bytes}
        faults = [f"Operations.{name} must be >= 0, got {n}" for name, n in counts.items() if n < 0]
        raise_faults(InputError, faults)


def totals_by_set(terms: Iterable[Term]) -> dict[str, Range]:
    """Total of each account: the terms of one set and all shared ones."""
    listed = tuple(terms)
    return {
        name: sum((term.total for term in listed if term.shared or term.cost_set == name), ZERO)
        for name in dict.fromkeys(term.cost_set for term in listed if not term.shared)
    }
