"""Work of a recorded run on the cores that a placement gives it: every operation counted where it happens."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from neuromorph.chip import Chip
from neuromorph.cost import Range
from neuromorph.costs.core_steps import SPENT, CoreSteps
from neuromorph.costs.counted import work_of_counts
from neuromorph.costs.stated import ChipLike, loaded, stated_work
from neuromorph.costs.terms import coefficient_at
from neuromorph.costs.work import Count, Work
from neuromorph.errors import InputError, raise_faults
from neuromorph.placement import Placement
from neuromorph.placement.demand import Demand, Reach
from neuromorph.placement.messages import expected_spikes, flows, messages
from neuromorph.recording import Counts, Recording, SpikeTrain

__all__ = ["joined", "work_of_placement"]


def work_of_placement(
    recording: Recording | Sequence[Recording],
    placement: Placement,
    chip: ChipLike,
    *,
    learning: bool = True,
    resets: Count = 0,
) -> Work:
    """Operations of a run by core and step; several recordings are chunks of one run, in order.

    The slowest core of a step is the one whose operations, each at the high end of its time, take longest;
    ``busiest_by_account`` has what the slowest cores did, summed over steps; of an account that lets a core receive while
    it updates and sends, the longer side alone, and ``in_series_by_account`` both. Where spikes of a population that sends were
    not recorded only its cores, tiles and chips are taken from the placement, and ``missing`` says why.

    Raises :class:`InputError` where recording, placement and chip do not belong together.
    """
    hardware = loaded(chip)
    whole = joined(recording)
    _check(whole, placement, hardware)
    demand = Demand(placement.program, placement.limits)
    expected_spikes(demand, whole)  # raises where the recording is of another program
    tiles = {(core.chip, core.tile) for core in placement.cores}
    fullest = max((sum(1 for chip_number, _ in tiles if chip_number == n) for n in range(placement.chips)), default=1)
    cores, chips = len(placement.cores), placement.chips
    known_tiles = fullest if placement.limits.columns else None
    unheard = [
        name
        for name in dict.fromkeys(item.pre for item in demand.projections)
        if name not in whole.spikes and whole.counts.populations[name].spikes
    ]
    if unheard or not cores:
        names = ", ".join(map(repr, unheard))
        return work_of_counts(
            whole.counts,
            hardware,
            dt=whole.dt,
            learning=learning,
            resets=resets,
            cores=max(cores, 1),
            tiles=known_tiles,
            chips=max(chips, 1),
            without_placement=f"spikes of {names} were not recorded (run program.with_all_spikes())"
            if unheard
            else "it has no neurons on cores",
        )
    return _exact(whole, placement, hardware, demand, known_tiles, learning, resets)


def joined(recording: Recording | Sequence[Recording]) -> Recording:
    """Chunks of one run as one recording without states."""
    if isinstance(recording, Recording):
        return recording
    chunks = list(recording)
    if not chunks or not all(isinstance(chunk, Recording) for chunk in chunks):
        raise InputError("estimate takes a Recording, or a sequence of the recordings of one run, in order")
    faults = []
    for before, after in itertools.pairwise(chunks):
        if after.first_step != before.first_step + before.steps or after.dt != before.dt:
            faults.append(
                f"recordings must follow one another: one of {before.steps} steps from {before.first_step} is followed by"
                f" one from {after.first_step}"
            )
        if (
            after.spikes.keys() != before.spikes.keys()
            or after.counts.populations.keys() != before.counts.populations.keys()
        ):
            faults.append("recordings must be of one program with the same spikes recorded")
    raise_faults(InputError, faults)
    counts: Counts = chunks[0].counts
    for chunk in chunks[1:]:
        counts = counts + chunk.counts
    return replace(
        chunks[0],
        program_fingerprint=chunks[0].program_fingerprint,
        steps=sum(chunk.steps for chunk in chunks),
        spikes={name: SpikeTrain.joined([chunk.spikes[name] for chunk in chunks]) for name in chunks[0].spikes},
        states={},
        state_steps={},
        counts=counts,
        wall_second=sum(chunk.wall_second for chunk in chunks),
    )


def _check(recording: Recording, placement: Placement, chip: Chip) -> None:
    if not isinstance(placement, Placement):
        raise InputError(f"placement must be what place() gives, got {type(placement).__name__}")
    faults = []
    if placement.chip_fingerprint != chip.fingerprint:
        faults.append(
            f"the placement is on {placement.chip!r}, the estimate for {chip.name!r}: place the program there"
        )
    if recording.dt != placement.program.dt:
        faults.append(f"the recording has steps of {recording.dt} s, the placed program of {placement.program.dt} s")
    raise_faults(InputError, faults)


def _exact(
    recording: Recording,
    placement: Placement,
    chip: Chip,
    demand: Demand,
    tiles: int | None,
    learning: bool,
    resets: Count,
) -> Work:
    counts, program = recording.counts, placement.program
    cores = len(placement.cores)
    reach = demand.reach(placement.core_of, cores)
    own = [population for population in counts.populations.values() if not population.is_input]
    sent = sum(population.spikes for population in own)
    silent = {
        name: SpikeTrain.from_steps([np.zeros(0, np.int64)] * recording.steps, size)
        for name, size in program.sizes.items()
    }
    spikes = {**silent, **recording.spikes}
    by_neuron = {name: train.counts().astype(np.float64) for name, train in spikes.items()}
    flow = flows(demand, placement.core_of, reach, by_neuron)
    moved = messages(flow, placement.limits, cores)
    learned = counts.learning_updates if learning else 0
    by_step = CoreSteps(
        program,
        demand,
        placement.core_of,
        reach,
        spikes,
        first_step=recording.first_step,
        steps=recording.steps,
        learning=learning,
    )
    totals, slowest = by_step.totals_and_slowest(_times(chip))
    received = moved.within_cores + moved.crossing_cores + moved.from_inputs
    work = stated_work(
        chip,
        steps=recording.steps,
        dt=recording.dt,
        neurons=sum(population.neurons for population in own),
        synapses=counts.synapses,
        synaptic_operations={encoding: totals[f"synaptic_operation_{encoding}"] for encoding in ("dense", "sparse")},
        neuron_updates=sum(population.neuron_updates for population in own),
        active_updates=sum(population.active_updates for population in own),
        spikes=sent,
        input_spikes=counts.spikes - sent,
        messages=received,
        axons_out=moved.within_cores + moved.crossing_cores,
        hops_east_west=moved.hops_east_west,
        hops_north_south=moved.hops_north_south,
        messages_between_chips=moved.crossing_chips,
        learning_updates=learned,
        cores=cores,
        tiles=tiles,
        chips=placement.chips,
        resets=resets,
        host_spikes_in=counts.spikes - sent,
        memory_byte=_memory(placement, demand, reach, chip),
        missing=("placement: queues of messages are in no term",),
    )
    routes = {name: work.busiest[name] for name in work.busiest if name.startswith("tile_hop")}
    uncounted = {
        "neuron_update_active": work.totals["neuron_update_active"].high - totals["neuron_update_active"],
        "learning_update": learned - totals["learning_update"],
    }
    return replace(
        work,
        busiest_by_account={
            name: {
                **_with_earlier(of.overlapping if chip.costs[name].overlaps else of.in_series, uncounted),
                **routes,
            }
            for name, of in slowest.items()
        },
        in_series_by_account={
            name: _with_earlier(of.in_series, uncounted) for name, of in slowest.items() if chip.costs[name].overlaps
        },
    )


def _with_earlier(counts: Mapping[str, float], uncounted: Mapping[str, float]) -> dict[str, Range]:
    """Counts of the slowest cores; what spikes from before the recording brought may have been theirs."""
    found = {name: Range.of(count) for name, count in counts.items()}
    for name, more in uncounted.items():
        found[name] = Range(found[name].low, found[name].low + max(more, 0.0))
    updates, active = found["neuron_update"].high, found["neuron_update_active"]
    found["neuron_access"] = found["neuron_update"]
    found["neuron_update_active"] = active = Range(active.low, min(active.high, updates))
    found["neuron_update_idle"] = Range(updates - active.high, updates - active.low)
    found["neuron_state_change"] = Range(active.low, updates)
    found["spike_within_tile"] = found["axon_in"]
    found["synaptic_operation"] = found["synaptic_operation_dense"] + found["synaptic_operation_sparse"]
    return found


def _times(chip: Chip) -> dict[str, dict[str, float]]:
    """Seconds of what a core spends time on, at the high end, by set; what is shared goes with every account."""
    found = {}
    for account in (*chip.accounts, *(name for name, costs in chip.costs.items() if costs.role == "shared")):
        spent = dict.fromkeys(SPENT, 0.0)
        for name in {account, *(n for n, costs in chip.costs.items() if costs.role == "shared")}:
            stated = chip.costs[name].coefficients
            seconds = {
                key.removesuffix(".time"): coefficient_at(quantity, None).high
                for key, quantity in stated.items()
                if key.endswith(".time")
            }
            generic = seconds.get("synaptic_operation", 0.0)
            idle = sum(seconds.get(key, 0.0) for key in ("neuron_update", "neuron_update_idle", "neuron_access"))
            idle += seconds.get("neuron_state_change", 0.0)
            busy = seconds.get("neuron_update_active", 0.0) - seconds.get("neuron_update_idle", 0.0)
            spent["synaptic_operation_dense"] += seconds.get("synaptic_operation_dense", generic)
            spent["synaptic_operation_sparse"] += seconds.get("synaptic_operation_sparse", generic)
            spent["neuron_update"] += idle
            spent["neuron_update_active"] += busy
            spent["spike_generated"] += seconds.get("spike_generated", 0.0)
            spent["axon_out"] += seconds.get("axon_out", 0.0)
            spent["axon_in"] += seconds.get("axon_in", 0.0) + seconds.get("spike_within_tile", 0.0)
            spent["learning_update"] += seconds.get("learning_update", 0.0)
        found[account] = spent
    return found


def _memory(placement: Placement, demand: Demand, reach: Mapping[str, Reach], chip: Chip) -> dict[str, Count]:
    """Bytes of synapses as they are stored, and of what learning keeps: tags are part of the synapses."""
    found: dict[str, Count] = {}
    if "synapse_memory" in placement.limits.core:
        found["synapses"] = float(placement.use("synapse_memory").sum()) / 8
    plastic = [item for item in demand.projections if item.rule is not None]
    if plastic and "learning.trace_bits" in chip.limits:
        bits, traces = chip.limit("learning.trace_bits"), 0
        for item in plastic:
            assert item.rule is not None
            for name in item.rule.traces:
                traces += reach[item.name].pre.size if name.startswith("x") else item.post_size
        found["traces"] = Range(bits.low, bits.high).scaled(traces / 8)
    tagged = sum(item.synapses for item in plastic if item.rule is not None and item.rule.dt is not None)
    if tagged and "learning.tag_bits" in chip.limits:
        bits = chip.limit("learning.tag_bits")
        found["tags, in the synapses"] = Range(bits.low, bits.high).scaled(tagged / 8)
    return found
