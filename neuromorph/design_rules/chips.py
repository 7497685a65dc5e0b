"""Rules of whole chips and of how many are joined."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuromorph.design_rules.cores import unshared, way_out
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, at_most
from neuromorph.design_rules.rule import design_rule


@design_rule(
    name="chip.cores",
    limits=("chip.cores",),
    also=("core.compartments",),
    remedy="use fewer neurons, or more chips",
)
def cores(design: Design) -> Iterator[Finding]:
    """Cores that the greedy cut takes; where another limit says why they are too few, that rule tells it."""
    if design.limits is None or design.one_core:
        return
    last, there = design.cuts[1], design.limits.all_cores
    explained = bool(design.cores_short) and (design.short_of not in ("", "compartments") or _too_many_neurons(design))
    overfilled = bool(last.excess(design.demand.limits.core))
    if explained or overfilled:
        return
    yield at_most(_where(design), last.cores, there, "cores", remedy=way_out(design) if design.cores_short else "")


@design_rule(
    name="chip.compartments",
    limits=("chip.compartments",),
    also=("chip.cores", "core.compartments"),
    remedy="use fewer neurons, or more chips",
)
def compartments(design: Design) -> Iterator[Finding]:
    """All neurons together."""
    total, most = _neurons(design), _room(design)
    if most is None or design.one_core:
        return
    chips = -(-total // (most // design.chips))
    remedy = f"use fewer neurons, or place it on {chips:,} chips (chips={chips})" if total > most else ""
    yield at_most(_where(design), total, most, "neurons", remedy=remedy)


@design_rule(
    name="chip.hidden-compartments",
    limits=("chip.hidden_compartments",),
    remedy="use fewer hidden neurons",
)
def hidden_compartments(design: Design) -> Iterator[Finding]:
    """Neurons of populations that project to others."""
    sending = {item.pre for item in design.program.projections if item.synapses}
    total = sum(item.size for item in design.program.populations if item.name in sending)
    yield at_most(
        _where(design), total, design.least("chip.hidden_compartments") * design.chips, "neurons that project on"
    )


@design_rule(
    name="chip.synapses",
    limits=("chip.synapses",),
    remedy="use fewer synapses, or more chips",
)
def synapses(design: Design) -> Iterator[Finding]:
    """All synapses together."""
    total = sum(item.synapses for item in design.program.projections)
    yield at_most(_where(design), total, design.least("chip.synapses") * design.chips, "synapses")


@design_rule(
    name="chip.binary-synapses",
    limits=("chip.binary_synapses",),
    remedy="use fewer synapses, or more chips",
)
def binary_synapses(design: Design) -> Iterator[Finding]:
    """All synapses together, were each of one bit."""
    total = sum(item.synapses for item in design.program.projections)
    most = int(design.limit("chip.binary_synapses").high)  # low is the same in other units: 10^6 for 2^20
    yield at_most(_where(design), total, most * design.chips, "synapses")


@design_rule(
    name="chip.synapse-memory",
    limits=("chip.synapse_memory",),
    remedy="use fewer or narrower weights, or more chips",
)
def synapse_memory(design: Design) -> Iterator[Finding]:
    """Bytes of the weights alone, without what addresses them."""
    bits = 0
    for item in design.program.projections:
        width = item.weight_bits if item.sign_mode != "none" and item.rule is None else 8
        bits += item.synapses * width
    most = int(design.limit("chip.synapse_memory").high) * design.chips  # the memories of all cores add up to it
    finding = at_most(_where(design), -(-bits // 8), most, "bytes of weights", remedy="use fewer weights")
    yield unshared(finding) if design.shares_kernels and finding.broken else finding


@design_rule(
    name="chip.inputs",
    limits=("chip.inputs",),
    remedy="join channels of the input",
)
def inputs(design: Design) -> Iterator[Finding]:
    """Channels that spikes enter by."""
    total = sum(item.size for item in design.program.inputs)
    yield at_most(_where(design), total, design.least("chip.inputs") * design.chips, "input channels")


@design_rule(
    name="chip.outputs",
    limits=("chip.outputs",),
    remedy="read fewer neurons, or let a smaller population sum them up",
)
def outputs(design: Design) -> Iterator[Finding]:
    """Neurons of populations that project to no other, from which results are read."""
    sending = {item.pre for item in design.program.projections if item.synapses}
    last = [item for item in design.program.populations if item.name not in sending]
    names = " and ".join(repr(item.name) for item in last)
    total = sum(item.size for item in last)
    where = f"population{'s' if len(last) > 1 else ''} {names}" if last else _where(design)
    yield at_most(where, total, design.least("chip.outputs") * design.chips, "neurons that project nowhere")


@design_rule(
    name="system.cores-addressed",
    limits=("system.cores_per_chip_addressed",),
    also=("chip.cores",),
    remedy="correct chip.cores in the hardware file",
)
def cores_addressed(design: Design) -> Iterator[Finding]:
    """Cores of a chip that its mesh can address."""
    if design.states("chip.cores"):
        most = design.least("system.cores_per_chip_addressed")
        yield at_most(f"the hardware file of {design.chip.name}", design.least("chip.cores"), most, "cores of a chip")


@design_rule(
    name="system.chips-addressed",
    limits=("system.chips_addressed",),
    remedy="divide the network",
)
def chips_addressed(design: Design) -> Iterator[Finding]:
    """Chips that can be addressed together."""
    most = design.least("system.chips_addressed")
    yield at_most(_where(design), design.chips, most, "chips", per=" together")


@design_rule(
    name="system.board",
    remedy="take a larger board, or fewer chips",
)
def board(design: Design) -> Iterator[Finding]:
    """Chips that the board carries."""
    if design.chip.board is not None:
        yield at_most(_where(design), design.chips, int(design.chip.board.chips.high), "chips", per=" on the board")


@design_rule(
    name="system.chips-built",
    limits=("system.chips_built",),
    severity="warning",
    remedy="divide the network, or take it as a plan",
)
def chips_built(design: Design) -> Iterator[Finding]:
    """Chips that were ever joined to one system."""
    yield at_most(_where(design), design.chips, design.least("system.chips_built"), "chips", per=" in a system")


@design_rule(
    name="network.destination-populations",
    limits=("network.destination_populations",),
    remedy="project to fewer populations, or by way of a copy of it",
)
def destination_populations(design: Design) -> Iterator[Finding]:
    """Populations that one population projects to."""
    most = design.least("network.destination_populations")
    for name in [*(item.name for item in design.program.inputs), *(item.name for item in design.program.populations)]:
        reached = {item.post for item in design.program.projections if item.pre == name and item.synapses}
        if reached:
            yield at_most(f"population {name!r}", len(reached), most, "populations that it projects to")


@design_rule(
    name="neuron.destination-cores",
    limits=("neuron.destination_cores",),
    also=("core.compartments",),
    remedy="let it reach neurons of one core, and others by way of a copy of it",
)
def destination_cores(design: Design) -> Iterator[Finding]:
    """Cores that a neuron reaches; at least as many as its targets take in one population."""
    most = design.least("neuron.destination_cores")
    if design.limits is None:
        return
    room, cut = design.limits.core["compartments"], design.cuts[1]
    reached = {item.name: np.zeros(item.size, dtype=np.int64) for item in design.program.populations}
    needed = {name: counts.copy() for name, counts in reached.items()}
    for item in design.demand.projections:
        if item.pre in reached:
            reached[item.pre] += design.demand.axons_of(item, cut.reach[item.name])
            needed[item.pre] = np.maximum(needed[item.pre], -(-item.fan_out // room))
    for name, counts in reached.items():
        worst = int(np.argmax(needed[name]))
        if int(needed[name][worst]) > most:
            yield at_most(
                f"population {name!r}, neuron {worst}", int(needed[name][worst]), most, "cores that it reaches"
            )
            continue
        worst = int(np.argmax(counts))
        where = f"population {name!r}, neuron {worst}"
        yield at_most(where, int(counts[worst]), most, "cores that it reaches where it was placed", severity="warning")


def _neurons(design: Design) -> int:
    return sum(item.size for item in design.program.populations)


def _room(design: Design) -> int | None:
    """Neurons that all chips hold by every number that is stated."""
    each = [design.least("chip.compartments")] if design.states("chip.compartments") else []
    if design.states("chip.cores", "core.compartments"):
        each.append(design.least("chip.cores") * design.least("core.compartments"))
    return min(each) * design.chips if each else None


def _too_many_neurons(design: Design) -> bool:
    most = _room(design)
    return most is not None and _neurons(design) > most


def _where(design: Design) -> str:
    return f"{design.chips:,} chip{'' if design.chips == 1 else 's'} of {design.chip.name}"
