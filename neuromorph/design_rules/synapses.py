"""Rules of synapses: delays, the bits and exponents of weights, and the sum that arrives in one step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuromorph.arithmetic import weight_step
from neuromorph.compact import is_repeated, pieces
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, and_more, at_most
from neuromorph.design_rules.rule import design_rule
from neuromorph.program import ProjectionProgram

MOST_DISTINCT = 1 << 16  # distinct weights that are told apart


@design_rule(
    name="synapse.delay",
    limits=("synapse.delay",),
    also=("synapse.delay_bits",),
    remedy="shorten the delays, or take a larger dt",
)
def delay(design: Design) -> Iterator[Finding]:
    """Delays in steps; a file whose delays begin at 0 counts those beyond the step that every spike takes."""
    stated = design.limit("synapse.delay")
    most = int(stated.high)
    if design.states("synapse.delay_bits"):
        most = min(most, 2 ** int(design.limit("synapse.delay_bits").high) - 1)
    most += 1 if stated.low == 0 else 0
    for item in design.given.projections:
        if not item.synapses:
            continue
        seconds = f"shorten them, or take a larger dt of which all are whole multiples ({most * design.program.dt:.6g} s fit at this dt)"
        yield at_most(_where(item), item.max_delay, most, "steps of delay", remedy=seconds)


@design_rule(
    name="synapse.weight-bits",
    limits=("synapse.weight_bits",),
    also=("synapse.weight_widths",),
    remedy="quantise the float program to a width of the chip",
)
def weight_bits(design: Design) -> Iterator[Finding]:
    """Bits of a weight: one of the widths of the chip; what is not in its integers must be told apart by so many."""
    for item in design.program.projections:
        if not item.synapses:
            continue
        if design.fixed is not None:
            yield _width(design, item)
        elif design.foreign:
            yield from _levels(design, item)


@design_rule(
    name="synapse.weight-exponent",
    limits=("synapse.weight_exponent",),
    remedy="bring weights and thresholds closer to one another",
)
def weight_exponent(design: Design) -> Iterator[Finding]:
    """Exponents that a projection's weights share."""
    stated = design.limit("synapse.weight_exponent")
    low, high = int(stated.low), int(stated.high)
    for item in design.fixed.projections if design.fixed is not None else ():
        value = item.weight_exponent
        end = high if value >= 0 else low
        yield Finding(
            where=_where(item),
            found=f"weight exponent {value}",
            limit=f"{low} to {high}",
            broken=not low <= value <= high,
            share=value / end if end else None,
        )


@design_rule(
    name="synapse.mixed-sign",
    limits=("synapse.mixed_sign_lost_bits",),
    severity="note",
    remedy="divide it into an excitatory and an inhibitory projection, or nothing: the rounding report has the error",
)
def mixed_signs(design: Design) -> Iterator[Finding]:
    """Weights of both signs in one projection lose their last bit."""
    lost = int(design.limit("synapse.mixed_sign_lost_bits").high)
    for item in design.program.projections:
        if item.rule is not None or not item.synapses:
            continue
        stored = item.stored_weight[:1] if is_repeated(item.stored_weight) else item.stored_weight
        both = bool(stored.min() < 0 < stored.max())
        step = weight_step("mixed", item.weight_bits) if item.sign_mode != "none" else 2
        yield Finding(
            where=_where(item),
            found=f"weights of both signs, held in steps of {step}" if both else "weights of one sign",
            limit=f"weights of one sign, or {lost} bit less"
            if lost == 1
            else f"weights of one sign, or {lost} bits less",
            broken=both and lost > 0,
        )


@design_rule(
    name="synapse.weights-per-neuron",
    limits=("synapse.weights_per_neuron",),
    remedy="let weights take fewer values",
)
def weights_per_neuron(design: Design) -> Iterator[Finding]:
    """Distinct weights of a neuron: one for each type of axon."""
    most = design.least("synapse.weights_per_neuron")
    for population in design.program.populations:
        onto = design.onto(population.name)
        if not onto:
            continue
        posts = np.concatenate([np.repeat(np.arange(item.post_size), np.diff(item.by_post)) for item in onto])
        values = np.unique(
            np.concatenate([np.asarray(item.stored_weight, float) for item in onto]), return_inverse=True
        )[1]
        pairs = np.unique(posts.astype(np.int64) * (int(values.max()) + 1) + values) // (int(values.max()) + 1)
        distinct = np.bincount(pairs, minlength=population.size)
        worst = int(np.argmax(distinct))
        breaking = int(np.count_nonzero(distinct > most))
        note = and_more(breaking)
        where = f"population {population.name!r}, neuron {worst}"
        yield at_most(where, int(distinct[worst]), most, "distinct weights onto it", per=" a neuron", note=note)


@design_rule(
    name="synapse.index-bits",
    limits=("synapse.index_widths",),
    also=("core.compartments",),
    remedy="connect all to all, which needs no numbers",
)
def index_bits(design: Design) -> Iterator[Finding]:
    """Bits that number the compartments of a core in a sparse list."""
    if design.limits is None:
        return
    widest = int(max(design.limit("synapse.index_widths").values))
    for item in design.demand.projections:
        encoding = design.demand.encodings[item.name]
        if not encoding.dense:
            yield at_most(
                _where(item), encoding.index_bits, widest, "bits to number the compartments of a core", consumes=False
            )


@design_rule(
    name="synapse.accumulator-bits",
    limits=("synapse.accumulator_bits",),
    severity="warning",
    remedy="a larger busy_rate of nm.quantise makes room",
)
def accumulator_bits(design: Design) -> Iterator[Finding]:
    """What arrives at a neuron in one step, if every presynaptic neuron spikes."""
    bits = int(design.limit("synapse.accumulator_bits").high)
    for item in design.largest_inputs:
        yield Finding(
            where=f"population {item.population!r}, neuron {item.neuron}",
            found=f"an input of one step that could reach {int(item.size):,}, {item.size / 2**bits:.3g} of what it holds, if every presynaptic neuron spikes",
            limit=f"below 2^{bits}",
            broken=item.size >= 2**bits,
            share=item.size / 2**bits,
        )


@design_rule(
    name="synapse.accumulator-zero-bits",
    limits=("synapse.accumulator_zero_bits",),
    severity="note",
    remedy="nothing to do where weights are many; else larger bounds or a smaller threshold",
)
def accumulator_zero_bits(design: Design) -> Iterator[Finding]:
    """A sum under a negative exponent loses what lies below the accumulator's lowest bit."""
    for item in design.fixed.projections if design.fixed is not None else ():
        if item.synapses:
            lost = max(0, -item.weight_exponent)
            zero = int(design.limit("synapse.accumulator_zero_bits").high)
            yield Finding(
                where=_where(item),
                found=f"weight exponent {item.weight_exponent}: each sum of a step is rounded down to a multiple of 2^{lost} mantissas"
                if lost
                else f"weight exponent {item.weight_exponent}: no bit is lost",
                limit=f"the lowest {zero} bits of the sum are zero",
                broken=lost > 0,
            )


@design_rule(
    name="synapse.weight-resolution",
    limits=("synapse.weight_bits",),
    remedy="enlarge them or leave the projection out",
)
def weight_resolution(design: Design) -> Iterator[Finding]:
    """Weights that stay apart from zero; quantisation tells where all of a projection become 0."""
    if design.fixed is not None and design.given.arithmetic == "float":
        for item in design.program.projections:
            if item.synapses:
                yield Finding(where=_where(item), found="its weights are held", limit="", broken=False)


def _width(design: Design, item: ProjectionProgram) -> Finding:
    stated = design.limit("synapse.weight_bits")
    widths = (
        sorted(int(value) for value in design.limit("synapse.weight_widths").values)
        if design.states("synapse.weight_widths")
        else []
    )
    allowed = [width for width in widths if width < stated.high]  # the chip counts the sign
    most = max(allowed, default=int(stated.high) - 1)
    return Finding(
        where=_where(item),
        found=f"weights of {item.weight_bits} bits beside the sign",
        limit=f"one of {', '.join(map(str, allowed))}" if allowed else f"at most {most}",
        broken=item.weight_bits not in allowed if allowed else item.weight_bits > most,
    )


def _levels(design: Design, item: ProjectionProgram) -> Iterator[Finding]:
    """Of a program in float, on a chip whose integers the suite does not have."""
    bits = int(design.limit("synapse.weight_bits").high)
    most = 2**bits
    found: set[float] = set()
    stored = item.stored_weight[:1] if is_repeated(item.stored_weight) else item.stored_weight
    for part in pieces(stored.size):
        found.update(np.unique(stored[part]).tolist())
        if len(found) > MOST_DISTINCT:
            break
    more = " or more" if len(found) > MOST_DISTINCT else ""
    yield at_most(
        _where(item), len(found), most, f"distinct weights{more}", per=f" of {bits} bits", severity="warning",
        remedy=f"round them to {most:,} levels before, or expect the chip's tools to",
    )  # fmt: skip


def _where(item: ProjectionProgram) -> str:
    return f"projection {item.name!r}"
