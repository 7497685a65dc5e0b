"""A cost as data: ranges, the terms that were summed, and the counted work of a conventional program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from neuromorph.errors import InputError, is_number, raise_faults


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

    @classmethod
    def of(cls, value: float | Range) -> Range:
        """A number as a range of one value; a range as it is.

        >>> Range.of(3)
        Range(low=3.0, high=3.0)
        """
        return value if isinstance(value, Range) else cls(float(value), float(value))

    def __add__(self, other: Range) -> Range:
        """Sum of two numbers, end by end."""
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range) -> Range:
        """Product of two numbers, end by end."""
        return Range(self.low * other.low, self.high * other.high)

    def scaled(self, factor: float) -> Range:
        """Both ends times a factor >= 0."""
        return Range(self.low * factor, self.high * factor)

    @property
    def middle(self) -> float:
        """Between the ends by ratio, sqrt(low high): as many times above the one as below the other.

        >>> Range(1.0, 4.0).middle
        2.0
        """
        return math.sqrt(self.low * self.high)

    @property
    def is_exact(self) -> bool:
        """Whether both ends are the same."""
        return self.low == self.high


ZERO, ONE = Range(0.0, 0.0), Range(1.0, 1.0)
PARTS = ("events", "learning", "arithmetic", "memory", "overhead", "host", "reset", "embedded", "static", "measured")
RESTING = ("static", "embedded")  # parts of the energy that time costs, whatever happens


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
    part: str = "events"  # one of PARTS

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
    chips: Range | None = None  # chips used; None for a conventional processor
    memory_byte: Mapping[str, Range] = field(default_factory=dict)  # bytes held, by what they hold
    real_time_terms: tuple[Term, ...] = ()  # energy of the run held to real time
    share: float = 1.0  # of the run that these figures are of: 1 / samples for one sample

    @property
    def energy_by_set(self) -> Mapping[str, Range]:
        """Energy (J) of each account."""
        return totals_by_set(self.energy_terms)

    @property
    def latency_by_set(self) -> Mapping[str, Range]:
        """Latency (s) of each account."""
        return totals_by_set(self.latency_terms)

    def energy_of(self, *parts: str) -> Range:
        """Energy (J) of some parts of :data:`PARTS`, from the lowest account to the highest; 0 where none has a term."""
        return _energy_of(self.energy_terms, parts)

    def real_time_energy_of(self, *parts: str) -> Range:
        """The same of the run held to real time, or to the pace that was stated."""
        return _energy_of(self.real_time_terms, parts)

    @property
    def energy_parts(self) -> Mapping[str, Range]:
        """Energy (J) of every part that has a term, each from the lowest account to the highest."""
        listed = {term.part for term in self.energy_terms}
        return {part: self.energy_of(part) for part in PARTS if part in listed}

    @property
    def dynamic_energy_joule(self) -> Range:
        """Energy (J) of what happens: all but static power and embedded processors, and but what was measured whole."""
        return self.energy_of(*(part for part in PARTS if part not in (*RESTING, "measured")))

    @property
    def energy_delay_product(self) -> Range:
        """Energy x latency (J s) of the unthrottled run, end by end; of one sample where the cost is of one."""
        return self.energy_joule * self.latency_second

    @property
    def average_power_watt(self) -> Range | None:
        """Energy / time (W) of a run held to real time, ``None`` where the length of a step is not known."""
        if self.real_time_second is None or self.real_time_energy_joule is None:
            return None
        return self.real_time_energy_joule.scaled(1 / self.real_time_second)

    def scaled(self, factor: float) -> Cost:
        """All counts and totals times a factor, such as 1 / samples for figures per inference; memory and cores stay."""
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
            real_time_terms=tuple(replace(t, count=t.count.scaled(factor)) for t in self.real_time_terms),
            share=self.share * factor,
        )

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary with every term."""
        return {
            **asdict(self),
            "energy_by_set": {name: asdict(total) for name, total in self.energy_by_set.items()},
            "latency_by_set": {name: asdict(total) for name, total in self.latency_by_set.items()},
            "energy_by_part": {name: asdict(total) for name, total in self.energy_parts.items()},
            "dynamic_energy_joule": asdict(self.dynamic_energy_joule),
            "energy_delay_product_joule_second": asdict(self.energy_delay_product),
            "energy_terms": [term.to_json() for term in self.energy_terms],
            "latency_terms": [term.to_json() for term in self.latency_terms],
            "real_time_terms": [term.to_json() for term in self.real_time_terms],
            "missing": list(self.missing),
        }


def _energy_of(terms: Iterable[Term], parts: tuple[str, ...]) -> Range:
    """Of each account the terms of these parts; an account of a measurement counts only where it has some."""
    unknown = [part for part in parts if part not in PARTS]
    raise_faults(InputError, [f"there is no part {part!r}; known: {', '.join(PARTS)}" for part in unknown])
    listed = tuple(terms)
    chosen = [term for term in listed if term.part in parts]
    totals = [
        sum((term.total for term in chosen if term.shared or term.cost_set == name), ZERO)
        for name in dict.fromkeys(term.cost_set for term in listed if not term.shared)
        if any(term.cost_set == name for term in chosen) or not (name == "measured" or parts == ("measured",))
    ]
    if not totals:
        return ZERO
    return Range(min(total.low for total in totals), max(total.high for total in totals))


PRECISIONS = ("float64", "float32", "float16", "int8")  # of multiply-accumulates
ADDED = ("float64", "float32", "float16", "int32", "int16", "int8")  # of additions
TRAFFIC = (  # kinds of memory traffic and of memory held, and whether a batch shares one reading of it
    ("weights", True),
    ("biases", True),
    ("activations", False),
    ("activation cache", False),
    ("errors", False),
    ("gradients", True),
    ("optimiser state", True),
    ("feedback weights", True),
    ("neuron state", False),
)


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Work of a conventional program on one sample, such as a step of backprop training, counted by whoever runs it.

    Counts may be fractions: what a batch shares is divided among its samples by :meth:`batched`.

    >>> one = Operations(multiply_accumulates=1000, traffic_bytes={"weights": 4000, "activations": 80}, calls=1)
    >>> one.batched(4).traffic_bytes, one.batched(4).calls
    ({'weights': 1000.0, 'activations': 80}, 0.25)
    """

    multiply_accumulates: float = 0  # of no stated precision
    memory_bytes: float = 0  # read and written, of no stated kind
    by_precision: Mapping[str, float] = field(default_factory=dict)  # multiply-accumulates by number type
    additions: Mapping[str, float] = field(default_factory=dict)  # without a product, as spikes need; by number type
    traffic_bytes: Mapping[str, float] = field(default_factory=dict)  # read and written, by kind
    held_bytes: Mapping[str, float] = field(default_factory=dict)  # memory that is needed at once, by kind
    calls: float = 0  # of a framework
    layers: float = 0  # run by it, in all calls
    batch_size: int = 1

    def __post_init__(self) -> None:
        """Check that nothing is negative and every name is known."""
        kinds = tuple(kind for kind, _ in TRAFFIC)
        known = {"by_precision": PRECISIONS, "additions": ADDED, "traffic_bytes": kinds, "held_bytes": kinds}
        faults = [] if self.batch_size >= 1 else [f"Operations.batch_size must be >= 1, got {self.batch_size}"]
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in known:
                faults += _count_faults(f"Operations.{item.name}", value)
                continue
            for name, number in value.items():
                if name not in known[item.name]:
                    faults.append(f"Operations.{item.name} has no {name!r}; known: {', '.join(known[item.name])}")
                faults += _count_faults(f"Operations.{item.name}[{name!r}]", number)
            object.__setattr__(self, item.name, dict(value))
        raise_faults(InputError, faults)

    def batched(self, size: int) -> Operations:
        """The same per sample where ``size`` samples share calls, layers, and each reading of weights."""
        if size < 1:
            raise InputError(f"a batch must have at least one sample, got {size}")
        shared = {kind for kind, once in TRAFFIC if once}
        return replace(
            self,
            traffic_bytes={kind: n / size if kind in shared else n for kind, n in self.traffic_bytes.items()},
            held_bytes={kind: n if kind in shared else n * size for kind, n in self.held_bytes.items()},
            calls=self.calls / size,
            layers=self.layers / size,
            batch_size=self.batch_size * size,
        )


def _count_faults(name: str, value: float) -> list[str]:
    return [] if is_number(value) and value >= 0 else [f"{name} must be >= 0, got {value}"]


def totals_by_set(terms: Iterable[Term]) -> dict[str, Range]:
    """Total of each account: the terms of one set and all shared ones."""
    listed = tuple(terms)
    return {
        name: sum((term.total for term in listed if term.shared or term.cost_set == name), ZERO)
        for name in dict.fromkeys(term.cost_set for term in listed if not term.shared)
    }
