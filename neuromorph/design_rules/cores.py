"""Rules of one core: what its neurons take of each of its resources, by the placement's account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from neuromorph.chip import chip_names, load_chip
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, and_more, at_most
from neuromorph.design_rules.neurons import state_bits
from neuromorph.design_rules.rule import design_rule
from neuromorph.placement.greedy import Cut
from neuromorph.placement.limits import DELAY, WORDS


@design_rule(
    name="core.compartments",
    limits=("core.compartments",),
    remedy="use fewer neurons",
)
def compartments(design: Design) -> Iterator[Finding]:
    """Neurons of a core."""
    yield from _resource(design, "compartments")


@design_rule(
    name="core.input-axons",
    limits=("core.input_axons",),
    remedy="give each neuron fewer presynaptic neurons, by a smaller fan-in or a population between that sums them up",
)
def input_axons(design: Design) -> Iterator[Finding]:
    """Lists of synapses of a core: one for each presynaptic neuron and projection that reaches it."""
    yield from _resource(design, "input_axons")


@design_rule(
    name="core.output-axons",
    limits=("core.output_axons",),
    remedy="let neurons reach fewer cores, or merge projections between the same populations",
)
def output_axons(design: Design) -> Iterator[Finding]:
    """Cores that the neurons of a core reach: one axon for each neuron, projection and core."""
    if design.limits is not None and "output_axons" in design.limits.core:
        most = design.limits.core["output_axons"]
        for item in design.all_to_all:  # what is left of it is counted without this limit
            yield at_most(
                f"projection {item.name!r}",
                item.pre_size,
                most,
                f"output axons, however it is cut, of {item.pre!r} connected all-to-all with itself",
                per=" a core",
                remedy=f"connect at most {most:,} neurons with one another, or by way of a population between",
            )
    if not design.all_to_all:
        yield from _resource(design, "output_axons")


@design_rule(
    name="core.synapse-memory",
    limits=("core.synapse_memory",),
    also=("core.synapse_memory_word", "synapse.index_widths", "synapse.weight_widths"),
    remedy="take fewer synapses, narrower weights (weight_bits), or all-to-all blocks, which need no index",
)
def synapse_memory(design: Design) -> Iterator[Finding]:
    """Bits of the lists of synapses of a core, dense or sparse, whichever is smaller."""
    for finding in _resource(design, "synapse_memory"):
        yield unshared(finding) if design.shares_kernels and finding.broken else finding


@design_rule(
    name="core.delay-memory",
    limits=("synapse.delay_guaranteed",),
    also=("core.compartments",),
    remedy="shorten the delays, or take a larger dt",
)
def delay_memory(design: Design) -> Iterator[Finding]:
    """Compartments times the longest delay onto their core, where that is longer than the one that is guaranteed."""
    if any(item.max_delay - 1 > design.least("synapse.delay_guaranteed") for item in design.program.projections):
        yield from _resource(design, DELAY)


@design_rule(
    name="core.compartment-configurations",
    limits=("core.compartment_configurations",),
    remedy="let neurons share time constants and refractory periods",
)
def compartment_configurations(design: Design) -> Iterator[Finding]:
    """Distinct decays and refractory periods of a core."""
    yield from _resource(design, "compartment_configurations")


@design_rule(
    name="core.threshold-configurations",
    limits=("core.threshold_configurations",),
    remedy="let neurons share thresholds",
)
def threshold_configurations(design: Design) -> Iterator[Finding]:
    """Distinct thresholds of a core."""
    yield from _resource(design, "threshold_configurations")


@design_rule(
    name="core.synapse-configurations",
    limits=("core.synapse_configurations",),
    remedy="projections of equal weight exponent, sign, width, delay bits and rule share one",
)
def synapse_configurations(design: Design) -> Iterator[Finding]:
    """Distinct formats of synapses of a core: encoding, weight exponent, sign, delay bits and rule."""
    yield from _resource(design, "synapse_configurations")


@design_rule(
    name="core.presynaptic-trace-configurations",
    limits=("core.presynaptic_trace_configurations",),
    remedy="rules with equal presynaptic traces share one",
)
def presynaptic_trace_configurations(design: Design) -> Iterator[Finding]:
    """Distinct presynaptic traces of a core."""
    yield from _resource(design, "presynaptic_trace_configurations")


@design_rule(
    name="core.fan-in",
    limits=("core.fan_in",),
    remedy="give it fewer presynaptic neurons, or divide it into several that a further one sums up",
)
def fan_in(design: Design) -> Iterator[Finding]:
    """Synapses onto a neuron, of all projections."""
    most = design.least("core.fan_in")
    for population in design.program.populations:
        degree = sum((np.diff(item.by_post) for item in design.onto(population.name)), np.zeros(population.size, int))
        worst = int(np.argmax(degree))
        yield at_most(
            f"population {population.name!r}, neuron {worst}",
            int(degree[worst]),
            most,
            "synapses onto it",
            per=" a neuron",
            note=and_more(int(np.count_nonzero(degree > most))),
        )


@design_rule(
    name="core.fan-out",
    limits=("core.fan_out",),
    remedy="let it reach fewer neurons, or let copies of it share its targets",
)
def fan_out(design: Design) -> Iterator[Finding]:
    """Synapses from a neuron, of all projections."""
    most = design.least("core.fan_out")
    for population in design.program.populations:
        sent = [item for item in design.program.projections if item.pre == population.name and item.synapses]
        degree = sum((item.fan_out for item in sent), np.zeros(population.size, int))
        worst = int(np.argmax(degree))
        yield at_most(
            f"population {population.name!r}, neuron {worst}",
            int(degree[worst]),
            most,
            "synapses from it",
            per=" a neuron",
            note=and_more(int(np.count_nonzero(degree > most))),
        )


@design_rule(
    name="core.synapses",
    limits=("core.binary_synapses",),
    remedy="use fewer synapses on that core",
)
def synapses(design: Design) -> Iterator[Finding]:
    """Synapses of a core, were each of one bit."""
    if design.limits is None:
        return
    most, (_, cut) = design.least("core.binary_synapses"), design.cuts
    count = np.zeros(cut.cores)
    for item in design.demand.projections:
        count += np.bincount(cut.assignment[item.post], np.diff(item.by_post), minlength=cut.cores)
    if count.size:
        worst = int(np.argmax(count))
        yield at_most(core_words(cut, worst), int(count[worst]), most, "synapses", per=" a core")


@design_rule(
    name="core.memory",
    limits=("core.memory", "neuron.membrane_bits"),
    also=("learning.trace_bits",),
    remedy="use fewer synapses or neurons on that core",
)
def memory(design: Design) -> Iterator[Finding]:
    """Bits of the synapses of a core and of the states of its neurons together."""
    if design.limits is None:
        return
    _, cut = design.cuts
    total = cut.use["synapse_memory"].astype(np.int64) if "synapse_memory" in cut.use else np.zeros(cut.cores, int)
    for population in design.program.populations:
        bits = 8 * -(-state_bits(design, population.name) // 8)
        total = total + bits * np.bincount(cut.assignment[population.name], minlength=cut.cores)
    if total.size:
        worst = int(np.argmax(total))
        most = design.least("core.memory")
        yield at_most(core_words(cut, worst), int(total[worst]), most, "bits of synapses and states", per=" a core")


def unshared(finding: Finding) -> Finding:
    """Of a chip whose layers share kernels, which the account of synapses does not know."""
    return replace(
        finding,
        severity="warning",
        remedy=f"synapses that share a kernel take less than is counted here; else {finding.remedy}",
    )


def core_words(cut: Cut, core: int) -> str:
    """A core by number, and which neurons lie on it."""
    lying = [
        f"neurons {int(on[0])} to {int(on[-1])} of {name!r}" if on.size > 1 else f"neuron {int(on[0])} of {name!r}"
        for name, numbers in cut.assignment.items()
        if (on := np.flatnonzero(numbers == core)).size
    ]
    more = [f"{len(lying) - 2} more populations"] if len(lying) > 2 else []
    return f"core {core} ({' and '.join([*lying[:2], *more])})"


def way_out(design: Design) -> str:
    """How many chips would do, and the smallest board that has as many."""
    limits, needed = design.limits, design.cuts[1].cores
    assert limits is not None
    chips = -(-needed // limits.cores)
    carried = design.chip.name if design.chip.board is None else design.chip.board.chip
    boards = [
        (int(board.chips.low), name)
        for name in chip_names()
        if (board := load_chip(name).board) is not None and board.chip == carried and board.chips.low >= chips
    ]
    found = f", as on {min(boards)[1]}" if boards else ""
    return f"place it on {chips:,} chips (chips={chips}{found})"


def _resource(design: Design, resource: str) -> Iterator[Finding]:
    """A neuron alone on a core; cores that the first cut overfills; and all cores, where they are too few."""
    if design.limits is None or resource not in design.limits.core:
        return
    limit, words = design.limits.core[resource], WORDS[resource]
    lone = [entry for entry in design.alone.get(resource, []) if entry.breaking]
    for entry in lone:
        where = f"population {entry.population!r}, neuron {entry.neuron}"
        note = f", alone on a core{and_more(entry.breaking)}"
        yield at_most(where, entry.needed, limit, words, per=" a core", note=note)
    if lone:
        return
    first, last = design.cuts
    if resource in first.use and first.use[resource].size:
        yield from _cut_findings(design, resource)
    overfilled = bool(np.any(first.use[resource] > limit)) if resource in first.use else False
    if design.cores_short and design.short_of == resource != "compartments" and not overfilled:
        there, full = design.limits.all_cores, last.filled_by[resource]
        yield Finding(
            where=_chips(design),
            found=f"{last.cores:,} cores, {full:,} of them full of {words}, {design.cores_short:,} cores too many",
            limit=f"{there:,} cores of at most {limit:,} {words}",
            broken=True,
            remedy=f"{remedy_of(resource)}, or {way_out(design)}",
            share=last.cores / there,
        )


def _cut_findings(design: Design, resource: str) -> Iterator[Finding]:
    """Of the first cut where that breaks the limit, else of the last."""
    assert design.limits is not None
    limit, words, (first, last) = design.limits.core[resource], WORDS[resource], design.cuts
    over = int(np.count_nonzero(first.use[resource] > limit))
    if not over:
        worst = int(np.argmax(last.use[resource]))
        yield at_most(core_words(last, worst), int(last.use[resource][worst]), limit, words, per=" a core")
        return
    worst = int(np.argmax(first.use[resource]))
    used, remedy = int(first.use[resource][worst]), remedy_of(resource)
    more = f", and {over - 1:,} more of {first.cores:,} cores" if over > 1 else ""
    kept = not last.excess(design.demand.limits.core)
    if kept and not design.cores_short and not design.one_core:
        yield at_most(
            core_words(first, worst),
            used,
            limit,
            words,
            per=" a core",
            note=f"{more} if it is cut by the other limits; smaller parts keep it: {last.cores:,} cores in place of {first.cores:,}",
            remedy=f"it fits; to take fewer cores, {remedy}",
            severity="note",
        )
        return
    if kept and design.cores_short:
        more += f"; smaller parts keep it, on {last.cores:,} cores, {design.cores_short:,} more than there are"
        remedy += f", or {way_out(design)}"
    if resource == "synapse_memory":
        more += _lists(design, first, worst)
    yield at_most(core_words(first, worst), used, limit, words, per=" a core", note=more, remedy=remedy)


def _lists(design: Design, cut: Cut, core: int) -> str:
    """How the synapses onto a core are held, the projections of most bits first."""
    bits = {}
    for item in design.demand.projections:
        reach, encoding = cut.reach[item.name], design.demand.encodings[item.name]
        lengths = reach.lengths[int(reach.pointer[core]) : int(reach.pointer[core + 1])]
        if lengths.size:
            size = int(np.count_nonzero(cut.assignment[item.post] == core))
            total = encoding.bits(np.full(lengths.size, size) if encoding.dense else lengths).sum()
            bits[f"{'dense' if encoding.dense else 'sparse'} lists of {item.name!r} take {int(total):,}"] = int(total)
    largest = sorted(bits, key=lambda name: -bits[name])
    more = [f"{len(largest) - 2} more projections"] if len(largest) > 2 else []
    return f", of which {' and '.join([*largest[:2], *more])}" if largest else ""


def remedy_of(resource: str) -> str:
    """How a core comes to need less of a resource."""
    return {
        "compartments": "use fewer neurons",
        "input_axons": "let neurons of a core share presynaptic neurons: connect neighbours instead of random ones, or give each fewer",
        "output_axons": "connect neighbours, which lie on few cores, instead of random neurons, or by way of a small population between",
        "synapse_memory": "take narrower weights (weight_bits), fewer synapses, or all-to-all blocks, which need no index",
        DELAY: "shorten the delays, or take a larger dt",
        "compartment_configurations": "let neurons share time constants and refractory periods",
        "threshold_configurations": "let neurons share thresholds",
        "synapse_configurations": "let projections share weight exponent, sign, width, delay bits and rule",
        "presynaptic_trace_configurations": "let rules share presynaptic traces",
    }[resource]


def _chips(design: Design) -> str:
    return f"{design.chips:,} chip{'' if design.chips == 1 else 's'} of {design.chip.name}"
