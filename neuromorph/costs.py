"""What a run would cost on a chip: counts of work x published coefficients, as ranges with their sources.

Energy and latency are sums of terms, nothing fitted:

    energy  = sum over operations of n * e          (J)    e: energy of one operation
            + P_static * cores * T + P_embedded * T (J)    T: latency of the run, unthrottled
    latency = sum over operations of n_busiest * t  (s)    n_busiest: operations of the busiest core
            + steps * (t_barrier + t_overhead)      (s)

Coefficients, their sources and status are in the chip's hardware file. Where publications disagree the file
has several sets of them (for Loihi 1: Davies et al. 2018, IEEE Micro 38(1), Table 2, and the regression of
SANA-FE); each account is summed alone and the estimate reaches from the lowest to the highest.

Without a placement only bounds are known, so the two ends need not belong to one mapping:

- cores: packed as densely as compartments and synaptic memory allow, the memory of a synapse being a range;
- n_busiest: low, the work spread evenly over all cores used; high, all of it on one core (of the neuron
  updates, as many as one core has compartments);
- spike messages: low, what the synaptic events need if each reached every neuron; high, one for each spike and
  core, at most one a synaptic event; output axons from 0, as the counts do not tell which spikes have targets;
- static power: low, the cores used; high, whole chips. Embedded processors: low 0, high all the time;
- overhead of a step: low 0; high, a sustained step as measured on boards, on top of the terms above.

A conventional processor costs at least operations x energy in the best case; where the wall time was measured
it costs at most wall time x power of a core. ``Cost.missing`` says what is in no term.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from neuromorph.chip import OPERATIONS, Chip, load_chip
from neuromorph.errors import ChipError, InputError, raise_faults
from neuromorph.recording import Counts, Recording

ChipLike = str | os.PathLike[str] | Chip


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
MEASURED = "wall time measured in this run"


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
        return _by_set(self.energy_terms)

    @property
    def latency_by_set(self) -> Mapping[str, Range]:
        """Latency (s) of each account."""
        return _by_set(self.latency_terms)

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


def estimate(recording: Recording, chip: ChipLike = "loihi1", *, learning: bool = True) -> Cost:
    """Cost of a recorded run on a chip, by name, by path of a hardware file, or loaded.

    The wall time of the recording counts for a conventional processor only: it is taken as measured there.
    """
    wall = recording.wall_second if recording.wall_second > 0 else None
    return estimate_counts(recording.counts, dt=recording.dt, chip=chip, wall_second=wall, learning=learning)


def estimate_counts(
    counts: Counts,
    *,
    dt: float,
    chip: ChipLike = "loihi1",
    wall_second: float | None = None,
    learning: bool = True,
) -> Cost:
    """Cost of counted work in steps of ``dt`` (s); ``learning=False`` leaves learning updates out."""
    _check_seconds(dt=dt, wall_second=wall_second)
    loaded = chip if isinstance(chip, Chip) else load_chip(chip)
    if loaded.kind == "neuromorphic":
        return _on_cores(loaded, counts, dt, learning)
    work = {
        "synaptic_operation": counts.synaptic_events,
        "neuron_update": counts.neuron_updates,
        "learning_update": counts.learning_updates if learning else 0,
    }
    return _on_processor(loaded, work, wall_second, real_time=counts.steps * dt)


def estimate_operations(operations: Operations, chip: ChipLike = "cpu", *, wall_second: float | None = None) -> Cost:
    """Cost of counted operations on a conventional processor, and of the wall time (s) if it was measured."""
    _check_seconds(wall_second=wall_second)
    loaded = chip if isinstance(chip, Chip) else load_chip(chip)
    if loaded.kind != "conventional":
        raise ChipError(
            f"chip {loaded.name!r} is {loaded.kind}: it has no cost of multiply-accumulates; "
            "use estimate_counts for its work, or a conventional chip such as 'cpu'"
        )
    work = {"multiply_accumulate": operations.multiply_accumulates, "memory_byte": operations.memory_bytes}
    return _on_processor(loaded, work, wall_second, real_time=None)


def _on_cores(chip: Chip, counts: Counts, dt: float, learning: bool) -> Cost:
    cores = _cores_used(chip, counts)
    chip_cores = chip.limit("chip.cores").high
    chips = math.ceil(cores.high / chip_cores)  # at most
    work = _work(counts, cores, learning)
    in_series = {**_busiest_core(chip, work, cores, counts.steps), **_per_step(counts.steps, chips)}
    latency_terms = _terms(chip, in_series, "time")
    latency = _span(chip, latency_terms)
    event_terms = _terms(chip, work, "energy")

    def with_power(seconds: Range) -> tuple[Term, ...]:
        drawn = {
            "core_static": Range(cores.low * seconds.low, chips * chip_cores * seconds.high),
            "embedded_processors": Range(0.0, chips * seconds.high),
        }
        return (*event_terms, *_terms(chip, drawn, "power"))

    energy_terms = with_power(latency)
    real_time = counts.steps * dt
    held = Range(max(latency.low, real_time), max(latency.high, real_time))
    return Cost(
        chip=chip.name,
        chip_fingerprint=chip.fingerprint,
        energy_joule=_span(chip, energy_terms),
        latency_second=latency,
        real_time_second=real_time,
        real_time_energy_joule=_span(chip, with_power(held)),
        energy_terms=energy_terms,
        latency_terms=latency_terms,
        cores=cores,
        missing=(*_missing_without_placement(chip, counts, chips), *_missing(chip)),
    )


def _cores_used(chip: Chip, counts: Counts) -> Range:
    compartments = sum(p.neurons for p in counts.populations.values() if not p.is_input)
    by_compartments = compartments / chip.limit("core.compartments").high
    synapse, memory = chip.limit("synapse.memory"), chip.limit("core.synapse_memory").high
    ends = [counts.synapses * bits / memory for bits in (synapse.low, synapse.high)]
    return Range(*(float(max(1, math.ceil(by_compartments), math.ceil(end))) for end in ends))


def _work(counts: Counts, cores: Range, learning: bool) -> dict[str, Range]:
    """How often each operation happens on all cores together."""
    own = [population for population in counts.populations.values() if not population.is_input]
    updates = sum(population.neuron_updates for population in own)
    active = sum(population.active_updates for population in own)
    sent_by_cores = sum(population.spikes for population in own)
    neurons = sum(population.neurons for population in own)
    # one message brings a projection at most one event a neuron; one that reaches no synapse is not sent
    widest = max((projection.synaptic_events for projection in counts.projections.values()), default=0)
    most = counts.synaptic_events
    messages = Range(min(counts.spikes, widest / max(neurons, 1)), min(counts.spikes * cores.high, most))
    return {
        "synaptic_operation": _exactly(counts.synaptic_events),
        "neuron_update_active": _exactly(active),
        "neuron_update_idle": _exactly(updates - active),
        "neuron_access": _exactly(updates),
        # charged where the membrane is not at rest: surely with input or a spike, at most always
        "neuron_state_change": Range(active, updates),
        "spike_generated": _exactly(sent_by_cores),
        "axon_out": Range(0.0, min(sent_by_cores * cores.high, most)),
        "axon_in": messages,
        "spike_within_tile": messages,
        "learning_update": _exactly(counts.learning_updates if learning else 0),
    }


def _busiest_core(chip: Chip, work: Mapping[str, Range], cores: Range, steps: int) -> dict[str, Range]:
    busiest = {operation: Range(count.low / cores.high, count.high) for operation, count in work.items()}
    most = steps * chip.limit("core.compartments").high
    for operation in ("neuron_update_active", "neuron_update_idle", "neuron_access", "neuron_state_change"):
        busiest[operation] = Range(min(busiest[operation].low, most), min(busiest[operation].high, most))
    return busiest


def _per_step(steps: int, chips: int) -> dict[str, Range]:
    every = {"barrier": _exactly(steps), "step_overhead": Range(0.0, steps)}
    return {**every, "barrier_between_chips": Range(0.0, steps)} if chips > 1 else every


def _on_processor(chip: Chip, work: Mapping[str, int], wall_second: float | None, *, real_time: float | None) -> Cost:
    exact = {operation: _exactly(count) for operation, count in work.items()}
    energy_terms, latency_terms = _terms(chip, exact, "energy"), _terms(chip, exact, "time")
    energy, latency = _span(chip, energy_terms), _span(chip, latency_terms)
    if wall_second is not None:
        wall, once = _exactly(wall_second), _exactly(1)
        drawn = _measured(chip, wall)
        took = replace(drawn, name="wall time", count=once, coefficient=wall, unit="s", source=MEASURED)
        energy_terms, latency_terms = (*energy_terms, drawn), (*latency_terms, took)
        energy = Range(min(energy.low, drawn.total.low), drawn.total.high)
        latency = Range(min(latency.low, wall_second), wall_second)
    return Cost(
        chip=chip.name,
        chip_fingerprint=chip.fingerprint,
        energy_joule=energy,
        latency_second=latency,
        real_time_second=real_time,
        real_time_energy_joule=None,
        energy_terms=energy_terms,
        latency_terms=latency_terms,
        cores=None,
        missing=_missing(chip),
    )


def _measured(chip: Chip, wall: Range) -> Term:
    drawn = _terms(chip, {"busy_core": wall}, "power")
    if len(drawn) != 1:
        raise ChipError(
            f"chip {chip.name!r} must state busy_core.power in one cost set to charge a wall time, "
            f"it states {len(drawn)}; add it, or leave wall_second out"
        )
    source = f"{MEASURED}; power of a core ({drawn[0].status}): {drawn[0].source}"
    return replace(drawn[0], cost_set="measured", shared=False, status="measured", source=source)


def _terms(chip: Chip, counts: Mapping[str, Range], quantity: str) -> tuple[Term, ...]:
    """A term for each operation that was counted and that a set has a coefficient for."""
    return tuple(
        Term(
            name=OPERATIONS[operation],
            cost_set=name,
            shared=cost_set.role == "shared",
            count=count,
            coefficient=Range(coefficient.low, coefficient.high),
            unit=coefficient.unit,
            source=coefficient.source,
            status=coefficient.status,
        )
        for name, cost_set in chip.costs.items()
        for operation, count in counts.items()
        if (coefficient := cost_set.coefficients.get(f"{operation}.{quantity}")) is not None
    )


def _by_set(terms: Iterable[Term]) -> dict[str, Range]:
    """Total of each account: the terms of one set and all shared ones."""
    listed = tuple(terms)
    return {
        name: sum((term.total for term in listed if term.shared or term.cost_set == name), ZERO)
        for name in dict.fromkeys(term.cost_set for term in listed if not term.shared)
    }


def _span(chip: Chip, terms: Iterable[Term]) -> Range:
    accounts = _by_set(terms).values()
    if not accounts:
        raise ChipError(f"chip {chip.name!r} states no energy or no time for any of the counted work")
    return Range(min(account.low for account in accounts), max(account.high for account in accounts))


def _exactly(count: float) -> Range:
    return Range(float(count), float(count))


def _missing(chip: Chip) -> tuple[str, ...]:
    return tuple(f"{name}: {line}" for name, cost_set in chip.costs.items() for line in cost_set.missing)


def _missing_without_placement(chip: Chip, counts: Counts, chips: int) -> tuple[str, ...]:
    links = f"links between chips: spikes sent over them; up to {chips} chips are used"
    unlearned = [
        f"{name}: learning updates have no coefficient in this set"
        for name, cost_set in chip.costs.items()
        if cost_set.role == "alternative" and "learning_update.energy" not in cost_set.coefficients
    ]
    return (
        "placement: hops between tiles, queues, the balance of cores; the busiest core is a range instead",
        "compartments: a neuron counts as one, also where its model needs several",
        *((links,) if chips > 1 else ()),
        *(unlearned if counts.learning_updates else ()),
    )


def _check_seconds(**seconds: float | None) -> None:
    wrong = {name: value for name, value in seconds.items() if value is not None and not 0 < value < math.inf}
    raise_faults(InputError, [f"{name} must be > 0 s, got {value}" for name, value in wrong.items()])
