"""Rules of learning: support, epochs, traces, tags, third factors, and what the engine's products can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from neuromorph.arithmetic import LARGEST_WEIGHT
from neuromorph.design_rules.cores import core_words
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, at_most
from neuromorph.design_rules.neurons import postsynaptic_traces
from neuromorph.design_rules.rule import design_rule
from neuromorph.parts import RuleProgram
from neuromorph.plasticity.language import Factor, Product
from neuromorph.program import ProjectionProgram
from neuromorph.quantisation.rules import dropped_bits


@design_rule(
    name="learning.support",
    also=("learning.rules_per_core",),
    remedy="leave the rule out, move weights by a host rule, or take another chip",
)
def support(design: Design) -> Iterator[Finding]:
    """Whether synapses of the chip learn at all."""
    stated = [name for name in design.chip.limits if name.startswith("learning.")]
    none = design.states("learning.rules_per_core") and design.limit("learning.rules_per_core").high == 0
    for item, rule in learned(design):
        yield Finding(
            where=where_learned(item, rule),
            found="a learning rule in its synapses",
            limit="no learning on the chip" if none else "learning on the chip" if stated else "not stated",
            broken=none or not stated,
            severity="error" if none else "note",
            remedy="" if none else "the hardware file says nothing of learning: look whether the chip has it",
        )


@design_rule(
    name="learning.rules-per-core",
    limits=("learning.rules_per_core",),
    remedy="let projections share a rule",
)
def rules_per_core(design: Design) -> Iterator[Finding]:
    """Distinct rules of a core."""
    most, rules = design.least("learning.rules_per_core"), learned(design)
    if not rules or most == 0:  # none at all is what learning.support says
        return
    number = dict(zip([item.name for item, _ in rules], _numbered([rule for _, rule in rules]), strict=True))
    crowded = False
    for population in design.program.populations:
        onto = {number[item.name] for item, _ in rules if item.post == population.name}
        crowded |= len(onto) > most
        if onto:
            yield at_most(f"population {population.name!r}", len(onto), most, "learning rules onto it", per=" a core")
    if crowded or design.limits is None:
        return
    cut = design.cuts[1]
    there = np.zeros((cut.cores, len(set(number.values()))), dtype=bool)
    for item, _ in rules:
        there[np.flatnonzero(np.diff(cut.reach[item.name].pointer)), number[item.name]] = True
    counts = there.sum(axis=1)
    worst = int(np.argmax(counts))
    yield at_most(
        core_words(cut, worst), int(counts[worst]), most, "learning rules where they were placed", per=" a core",
        severity="error" if design.one_core else "warning",
    )  # fmt: skip


@design_rule(
    name="learning.products",
    limits=("learning.products",),
    remedy="write it with fewer products",
)
def products(design: Design) -> Iterator[Finding]:
    """Products of a rule, of its weight and its tag."""
    most = design.least("learning.products")
    for item, rule in learned(design):
        count = sum(len(total.products) for total in rule.targets.values())
        yield at_most(where_learned(item, rule), count, most, "products", per=" a rule")


@design_rule(
    name="learning.epoch",
    limits=("learning.epoch",),
    remedy="shorten the epoch, or take a larger dt",
)
def epoch(design: Design) -> Iterator[Finding]:
    """Steps from one computation of the rule to the next."""
    most = int(design.limit("learning.epoch").high)
    for item, rule in [
        (item, item.rule) for item in design.given.projections if item.rule is not None and item.synapses
    ]:
        remedy = f"shorten it to {most * design.program.dt:.6g} s, or take a larger dt"
        yield at_most(where_learned(item, rule), rule.epoch, most, "steps of epoch", remedy=remedy)


@design_rule(
    name="learning.presynaptic-traces",
    limits=("learning.presynaptic_traces",),
    remedy="read fewer traces",
)
def presynaptic_traces(design: Design) -> Iterator[Finding]:
    """Traces of the presynaptic neuron that a rule reads."""
    most = design.least("learning.presynaptic_traces")
    for item, rule in learned(design):
        names = [name for name in rule.traces if name.startswith("x")]
        yield at_most(where_learned(item, rule), len(names), most, "presynaptic traces")


@design_rule(
    name="learning.postsynaptic-traces",
    limits=("learning.postsynaptic_traces",),
    remedy="let rules onto a population share time constants",
)
def all_postsynaptic_traces(design: Design) -> Iterator[Finding]:
    """Distinct traces that all rules onto a population keep of its neurons."""
    most = design.least("learning.postsynaptic_traces")
    for name in dict.fromkeys(item.post for item, _ in learned(design)):
        yield at_most(
            f"population {name!r}", len(postsynaptic_traces(design, name)), most, "distinct postsynaptic traces",
            per=" a neuron",
        )  # fmt: skip


@design_rule(
    name="learning.trace-impulse",
    limits=("learning.trace_impulse",),
    also=("learning.trace_bits",),
    remedy="change the rule's constants, leave it to a host rule, or run it in float",
)
def trace_impulse(design: Design) -> Iterator[Finding]:
    """Impulses of traces."""
    most = int(design.limit("learning.trace_impulse").high)
    for item, rule in learned(design) if design.fixed is not None else ():
        for name, trace in rule.traces.items():
            yield at_most(f"{where_learned(item, rule)}, {name}", trace.impulse, most, "of impulse")


@design_rule(
    name="learning.trace-decay",
    limits=("learning.trace_bits",),
    remedy="take a finite time constant of several steps",
)
def trace_decay(design: Design) -> Iterator[Finding]:
    """Traces lose a part of themselves in every step."""
    for item, rule in learned(design):
        for name, trace in rule.traces.items():
            yield Finding(
                where=f"{where_learned(item, rule)}, {name}",
                found=f"a trace that keeps {trace.decay:.6g} of itself in a step",
                limit="below 1",
                broken=trace.decay >= 1 and design.states("learning.trace_bits"),
            )


@design_rule(
    name="learning.trace-source",
    limits=("learning.trace_bits",),
    remedy="leave the rule in float",
)
def trace_source(design: Design) -> Iterator[Finding]:
    """Traces follow spikes."""
    for item, rule in learned(design):
        for name, trace in rule.traces.items():
            yield Finding(
                where=f"{where_learned(item, rule)}, {name}",
                found=f"a trace that follows {'the membrane' if trace.follows_membrane else 'spikes'}",
                limit="traces that follow spikes",
                broken=trace.follows_membrane,
            )


@design_rule(
    name="learning.tag-bits",
    limits=("learning.tag_bits",),
    severity="warning",
    remedy="a larger tag_headroom of nm.quantise makes room",
)
def tag_bits(design: Design) -> Iterator[Finding]:
    """The largest change of a tag in one step, with traces at one impulse."""
    most = 2 ** (int(design.limit("learning.tag_bits").high) - 1) - 1
    for item, rule in learned(design) if design.fixed is not None else ():
        if rule.dt is not None:
            kicks = [_kick(product, rule, design) for product in rule.dt.products]
            yield at_most(where_learned(item, rule), max(kicks, default=0.0), most, "units of the tag in one step")


@design_rule(
    name="learning.reward-bits",
    limits=("learning.reward_bits",),
    severity="warning",
    remedy="a larger third_factor_limit of nm.quantise makes room",
)
def reward_bits(design: Design) -> Iterator[Finding]:
    """The third factor, where every modulator is as large as is to be told apart."""
    most = 2 ** (int(design.limit("learning.reward_bits").high) - 1) - 1
    each = design.quantisation.third_factor_limit
    for item, rule in learned(design) if design.fixed is not None else ():
        if "r" in rule.variables:
            largest = sum(map(abs, rule.modulators.values())) * each * rule.third_factor_scale
            names = " and ".join(rule.modulators)
            yield at_most(
                where_learned(item, rule), largest, most, f"units of r, where {names} {'is' if len(rule.modulators) == 1 else 'are'} {each:g}",
                remedy=f"third_factor_limit={each * largest / most:.4g} of nm.quantise makes room, in coarser steps",
            )  # fmt: skip


@design_rule(
    name="learning.weight-bits",
    limits=("learning.weight_bits",),
    also=("synapse.weight_widths",),
    remedy="leave the rule out, or take another chip",
)
def weight_bits(design: Design) -> Iterator[Finding]:
    """Learned weights have eight bits and a sign."""
    most = int(design.limit("learning.weight_bits").high) - 1
    for item, rule in learned(design):
        yield at_most(
            where_learned(item, rule),
            LARGEST_WEIGHT.bit_length(),
            most,
            "bits of a learned weight beside its sign",
            consumes=False,
        )


@design_rule(
    name="learning.delay-bits",
    limits=("learning.delay_bits",),
    remedy="shorten the delays",
)
def delay_bits(design: Design) -> Iterator[Finding]:
    """Delays of synapses that learn, and the longest that they may come to."""
    most = 2 ** int(design.limit("learning.delay_bits").high) - 1
    for item in design.given.projections:
        if item.rule is not None and item.synapses:
            longest = max(item.max_delay, item.rule.d_max or 0) - 1
            what = "steps of delay beyond the first, in synapses that learn"
            yield at_most(where_learned(item, item.rule), longest, most, what)


def learned(design: Design) -> list[tuple[ProjectionProgram, RuleProgram]]:
    """Projections with synapses that learn, and their rules."""
    return [(item, item.rule) for item in design.program.projections if item.rule is not None and item.synapses]


def _numbered(rules: Sequence[RuleProgram]) -> list[int]:
    """Equal rules by one number."""
    seen: list[RuleProgram] = []
    numbers = []
    for rule in rules:
        if rule not in seen:
            seen.append(rule)
        numbers.append(seen.index(rule))
    return numbers


def _kick(product: Product, rule: RuleProgram, design: Design) -> float:
    """In chip units; 0 of a product that reads the tag itself."""
    if any(factor.variable == "t" for factor in product.factors):
        return 0.0
    size = abs(product.coefficient) * 2.0 ** -dropped_bits(product)
    for factor in product.factors:
        size *= _largest(factor, rule, design)
    return size


def _largest(factor: Factor, rule: RuleProgram, design: Design) -> float:
    if factor.sign:
        return 1.0
    if factor.variable in rule.traces:
        return rule.traces[factor.variable].impulse + abs(factor.constant)
    if factor.variable == "r":
        return design.quantisation.third_factor_limit * rule.third_factor_scale
    return LARGEST_WEIGHT + abs(factor.constant)


def where_learned(item: ProjectionProgram, rule: RuleProgram) -> str:
    """A projection and its rule, as findings name them."""
    return f"projection {item.name!r}, rule {rule.name!r}"
