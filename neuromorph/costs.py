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
  limits of axons are left out, as the counts do not tell how many a core would need;
- n_busiest: low, the work spread evenly over all cores used; high, all of it on one core (of the neuron
  updates, as many as one core has compartments, the active ones first: every update takes the time of an
  idle one, an active one the difference on top);
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
from dataclasses import replace

from neuromorph.chip import OPERATIONS, Chip, load_chip
from neuromorph.cost import Cost, Operations, Range, Term, totals_by_set
from neuromorph.errors import ChipError, InputError, raise_faults
from neuromorph.recording import Counts, Recording

__all__ = [
    "ChipLike",
    "Cost",
    "Operations",
    "Range",
    "Term",
    "estimate",
    "estimate_counts",
    "estimate_operations",
]

ChipLike = str | os.PathLike[str] | Chip
MEASURED = "wall time measured in this run"


def estimate(recording: Recording, chip: ChipLike = "loihi1", *, learning: bool = True) -> Cost:
    """Cost of a recorded run on a chip, by name, by path of a hardware file, or loaded.

    The wall time of the recording counts for a conventional processor whose file states the power of a busy core: it is
    taken as measured there.
    """
    loaded = chip if isinstance(chip, Chip) else load_chip(chip)
    runs_here = any("busy_core.power" in cost_set.coefficients for cost_set in loaded.costs.values())
    wall = recording.wall_second if runs_here and recording.wall_second > 0 else None
    return estimate_counts(recording.counts, dt=recording.dt, chip=loaded, wall_second=wall, learning=learning)


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
    latency_terms = _on_top_of_idle(chip, _terms(chip, in_series, "time"), in_series["neuron_access"])
    latency = _span(chip, latency_terms)
    event_terms = _terms(chip, {**work, "step": Range(counts.steps, counts.steps * chips)}, "energy")

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
        "neuron_update": _exactly(updates),
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
    """Each operation on the busiest core; active and idle updates together can be more than it does."""
    busiest = {operation: Range(count.low / cores.high, count.high) for operation, count in work.items()}
    most = steps * chip.limit("core.compartments").high  # updates, and so spikes, of one core
    for operation in (
        "neuron_update",
        "neuron_update_active",
        "neuron_update_idle",
        "neuron_access",
        "neuron_state_change",
        "spike_generated",
    ):
        busiest[operation] = Range(min(busiest[operation].low, most), min(busiest[operation].high, most))
    return busiest


def _on_top_of_idle(chip: Chip, terms: Iterable[Term], updates: Range) -> tuple[Term, ...]:
    """Active and idle updates of one core as all its updates, idle, and what active ones take on top.

    A core cannot do its most active and its most idle updates at once. Written so, no update counts twice and
    each end is that of one mapping: the even spread, and the core filled with active updates first.
    """
    listed = list(terms)
    active, idle = OPERATIONS["neuron_update_active"], OPERATIONS["neuron_update_idle"]
    for name in dict.fromkeys(term.cost_set for term in listed):
        at = {term.name: i for i, term in enumerate(listed) if term.cost_set == name}
        if active not in at or idle not in at:
            continue
        one, rest = listed[at[active]], listed[at[idle]]
        less = sorted((one.coefficient.low - rest.coefficient.low, one.coefficient.high - rest.coefficient.high))
        if less[0] < 0:
            raise ChipError(
                f"chip {chip.name!r}, cost set {name!r}: an active neuron update takes less time than an idle one; "
                "exchange the two, or state neuron_access and neuron_state_change instead"
            )
        listed[at[idle]] = replace(rest, name="neuron updates, each as an idle one", count=updates)
        listed[at[active]] = replace(
            one,
            name="active neuron updates, on top of an idle one",
            coefficient=Range(*less),
            source=f"{one.source}; less the time of an idle update",
            status="assumed" if "assumed" in (one.status, rest.status) else "derived",
        )
    return tuple(listed)


def _per_step(steps: int, chips: int) -> dict[str, Range]:
    every = {"barrier": _exactly(steps), "step": _exactly(steps), "step_overhead": Range(0.0, steps)}
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


def _span(chip: Chip, terms: Iterable[Term]) -> Range:
    accounts = totals_by_set(terms).values()
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
    stated = {name: chip.limits.get(f"core.{name}") for name in ("input_axons", "output_axons")}
    axons = " and ".join(f"{most.high:,.0f} {name.replace('_', ' ')}" for name, most in stated.items() if most)
    uncounted = f"axons: the limits of a core ({axons}) are not in the core count; a placement may need more cores"
    return (
        "placement: hops between tiles, queues, the balance of cores; the busiest core is a range instead",
        "compartments: a neuron counts as one, also where its model needs several",
        *((uncounted,) if axons else ()),
        *((links,) if chips > 1 else ()),
        *(unlearned if counts.learning_updates else ()),
    )


def _check_seconds(**seconds: float | None) -> None:
    wrong = {name: value for name, value in seconds.items() if value is not None and not 0 < value < math.inf}
    raise_faults(InputError, [f"{name} must be > 0 s, got {value}" for name, value in wrong.items()])
