"""Work by hand: from what is known of a run, as a paper states it, with bounds for what is not."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from neuromorph.chip import Chip, load_chip
from neuromorph.cost import ZERO, Range
from neuromorph.costs.layout import Layout, cores_for
from neuromorph.costs.work import Count, Work
from neuromorph.errors import ChipError, InputError, is_number, raise_faults

ChipLike = str | os.PathLike[str] | Chip
ENCODINGS = ("dense", "sparse", "convolution")
UPDATES = (  # no core does more of these in a step than it has compartments
    "neuron_update",
    "neuron_update_active",
    "neuron_update_idle",
    "neuron_access",
    "neuron_state_change",
    "neuron_noise",
    "spike_generated",
)
NOT_ON_A_CORE = (  # on the way between cores, or once for all of them
    "tile_hop_east_west",
    "tile_hop_north_south",
    "chip_to_chip_bit",
    "host_step",
    "host_spike_in",
    "host_spike_out",
    "layer_passed",
)


def loaded(chip: ChipLike) -> Chip:
    """The chip itself, by name or by path of a hardware file."""
    return chip if isinstance(chip, Chip) else load_chip(chip)


def stated_work(
    chip: ChipLike,
    *,
    steps: int,
    neurons: Count,
    dt: float | None = None,
    period_second: float | None = None,
    synapses: Count = 0,
    synaptic_operations: Count | Mapping[str, Count] = 0,
    neuron_updates: Count | None = None,
    active_updates: Count | None = None,
    noisy_updates: Count = 0,
    spikes: Count | None = None,
    input_spikes: Count = 0,
    messages: Count | None = None,
    axons_out: Count | None = None,
    hops_east_west: Count | None = None,
    hops_north_south: Count | None = None,
    messages_between_chips: Count | None = None,
    projections: int = 1,
    learning_updates: Count = 0,
    cores: Count | None = None,
    tiles: Count | None = None,
    chips: Count | None = None,
    busiest_share: Count | None = None,
    resets: Count = 0,
    embedded: Count = 1,
    host_steps: Count = 0,
    host_spikes_in: Count = 0,
    host_spikes_out: Count = 0,
    clock_hertz: Count | None = None,
    layers: Count = 0,
    memory_byte: Mapping[str, Count] | None = None,
    missing: tuple[str, ...] = (),
) -> Work:
    """Work of a run on a chip from statements, each a number or a :class:`Range`; what is not stated gets its bounds.

    Of the whole run: ``synaptic_operations`` (all, or by encoding ``{"dense": ..., "sparse": ..., "convolution": ...}``),
    ``neuron_updates`` (else neurons x steps), ``active_updates`` (else none to all), ``spikes`` of neurons on cores (else
    none to one of each in every step), ``input_spikes`` from outside, ``learning_updates``, ``resets`` of the state of
    all chips. ``neurons`` are compartments: count those that take two twice.

    - messages (one for each spike, projection and core that it reaches): at least what the synaptic operations need if
      each reached every neuron, at most one for each spike, core and projection, or each synaptic operation;
    - axons_out: messages that cores send, from 0; hops: from 0 to those between the corners of the tiles in use;
    - cores: by compartments and the memory of ``synapses``; chips and tiles: as those cores fill them;
    - ``busiest_share``, the part of all work that the slowest core does: an even spread to all of it, but no more neuron
      updates than a core has compartments;
    - ``embedded``: the share of the time that embedded processors are awake.

    ``dt`` (s) is the step of a run held to real time, ``period_second`` what the whole run takes when it is paced from
    outside. Raises :class:`InputError` with everything that makes no sense, :class:`ChipError` where the hardware file does
    not state cores.

    >>> work = stated_work("loihi1", steps=100, neurons=2000, synaptic_operations=5e4, active_updates=Range(0, 5e4))
    >>> work.cores.low, work.totals["neuron_update_idle"]
    (2.0, Range(low=150000.0, high=200000.0))
    """
    _check({name: value for name, value in locals().items() if name not in ("chip", "missing", "projections")})
    hardware = loaded(chip)
    if hardware.kind != "neuromorphic":
        raise ChipError(f"chip {hardware.name!r} is {hardware.kind}: it has no cores; count its work as Operations")
    layout = Layout.of(hardware)
    compartments, known = Range.of(neurons), Range.of(synapses)
    used = _cores(hardware, compartments, known) if cores is None else Range.of(cores)
    used_chips = layout.chips_for(used) if chips is None else Range.of(chips)
    used_tiles = layout.tiles_for(used, used_chips) if tiles is None else Range.of(tiles)
    by_encoding = dict(synaptic_operations) if isinstance(synaptic_operations, Mapping) else {}
    events = (
        sum((Range.of(count) for count in by_encoding.values()), ZERO)
        if isinstance(synaptic_operations, Mapping)
        else Range.of(synaptic_operations)
    )
    updates = compartments.scaled(steps) if neuron_updates is None else Range.of(neuron_updates)
    active = Range(0.0, updates.high) if active_updates is None else Range.of(active_updates)
    sent = Range(0.0, updates.high) if spikes is None else Range.of(spikes)
    fed = Range.of(input_spikes)
    most = Range(0.0, min((sent.high + fed.high) * used.high * projections, events.high))
    fewest = min(events.low / max(compartments.high, 1.0), sent.low + fed.low, most.high)
    received = Range(fewest, most.high) if messages is None else Range.of(messages)
    out = Range(0.0, min(sent.high * used.high * projections, received.high)) if axons_out is None else axons_out
    totals = {
        "synaptic_operation": events,
        **{f"synaptic_operation_{name}": Range.of(count) for name, count in by_encoding.items()},
        "neuron_update": updates,
        "neuron_update_active": active,
        "neuron_update_idle": Range(max(updates.low - active.high, 0.0), max(updates.high - active.low, 0.0)),
        "neuron_access": updates,
        # charged where the membrane is not at rest: surely with input or a spike, at most always
        "neuron_state_change": Range(min(active.low, updates.high), updates.high),
        "spike_generated": sent,
        "axon_out": Range.of(out),
        "axon_in": received,
        "spike_within_tile": received,
    }
    rare = {
        "learning_update": learning_updates,
        "neuron_noise": noisy_updates,
        "host_step": host_steps,
        "host_spike_in": host_spikes_in,
        "host_spike_out": host_spikes_out,
        "layer_passed": layers,
    }
    totals |= {name: Range.of(count) for name, count in rare.items() if Range.of(count).high > 0}
    corners = layout.farthest(used_tiles)
    routes: dict[str, Range] = {}
    if corners is not None:
        given = {"tile_hop_east_west": hops_east_west, "tile_hop_north_south": hops_north_south}
        for (name, hops), farthest in zip(given.items(), corners, strict=True):
            totals[name] = Range(0.0, received.high * farthest) if hops is None else Range.of(hops)
            # messages follow one another on the mesh: a step waits for the way of one of them at most
            routes[name] = Range(0.0, min(totals[name].high, steps * farthest))
    if used_chips.high > 1 and layout.message_bits.high > 0:
        between = Range(0.0, received.high) if messages_between_chips is None else Range.of(messages_between_chips)
        totals["chip_to_chip_bit"] = between * layout.message_bits
    share = Range(1.0 / used.high, 1.0) if busiest_share is None else Range.of(busiest_share)
    return Work(
        chip=hardware.name,
        steps=steps,
        dt=dt,
        period_second=period_second,
        cores=used,
        chips=used_chips,
        tiles=used_tiles,
        totals=totals,
        busiest={**_busiest(totals, share, steps * layout.compartments), **routes},
        resets=Range.of(resets),
        embedded=Range.of(embedded),
        clock_hertz=None if clock_hertz is None else Range.of(clock_hertz),
        memory_byte={
            **memory_of(hardware, compartments, known),
            **{name: Range.of(held) for name, held in (memory_byte or {}).items()},
        },
        missing=missing,
    )


def _cores(chip: Chip, compartments: Range, synapses: Range) -> Range:
    fewest = cores_for(chip, compartments.low, synapses.low)
    return Range(fewest.low, cores_for(chip, compartments.high, synapses.high).high)


def _busiest(totals: Mapping[str, Range], share: Range, most_updates: float) -> dict[str, Range]:
    """Each operation on the slowest core; active and idle updates together can be more than it does."""
    found = {
        name: Range(count.low * share.low, count.high * share.high)
        for name, count in totals.items()
        if name not in NOT_ON_A_CORE
    }
    for name in (name for name in UPDATES if name in found):
        found[name] = Range(min(found[name].low, most_updates), min(found[name].high, most_updates))
    return found


def memory_of(chip: Chip, neurons: Range, synapses: Range) -> dict[str, Range]:
    """Bytes that synapses and the state of neurons take on the cores, where the hardware file tells."""
    found = {}
    if "synapse.memory" in chip.limits and synapses.high > 0:
        bits = chip.limit("synapse.memory")
        found["synapses"] = (synapses * Range(bits.low, bits.high)).scaled(1 / 8)
    if "neuron.state_memory" in chip.limits:
        state = chip.limit("neuron.state_memory")
        found["neuron state"] = neurons * Range(state.low, state.high)
    return found


def _check(given: Mapping[str, Any]) -> None:
    faults = []
    if not (is_number(given["steps"]) and given["steps"] >= 1 and given["steps"] == math.floor(given["steps"])):
        faults.append(f"steps must be a whole number >= 1, got {given['steps']!r}")
    for name in ("dt", "period_second"):
        seconds = given[name]
        if seconds is not None and not (is_number(seconds) and seconds > 0):
            faults.append(f"{name} must be > 0 s, got {seconds!r}")
    for name, value in given.items():
        if name in ("steps", "dt", "period_second"):
            continue
        if isinstance(value, Mapping):
            known = ENCODINGS if name == "synaptic_operations" else tuple(value)
            faults += [f"{name} has no {key!r}; known: {', '.join(known)}" for key in value if key not in known]
            faults += [f for key, count in value.items() for f in _faults_of(f"{name}[{key!r}]", count)]
        elif value is not None:
            faults += _faults_of(name, value)
    for name in ("cores", "chips", "tiles"):
        if given[name] is not None and not _faults_of(name, given[name]) and Range.of(given[name]).low < 1:
            faults.append(f"{name} must be at least 1, got {Range.of(given[name]).low:g}")
    for name in ("embedded", "busiest_share"):
        share = given[name]
        if share is not None and not _faults_of(name, share) and Range.of(share).high > 1:
            faults.append(f"{name} is a share, 0 to 1, got {Range.of(share).high:g}")
    raise_faults(InputError, faults)


def _faults_of(name: str, value: Any) -> list[str]:
    if isinstance(value, Range) or (is_number(value) and value >= 0):
        return []
    return [f"{name} must be a number >= 0 or a Range, got {value!r}"]
