"""Every design rule: a program exactly at the limit keeps it, one more breaks that rule and says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import neuromorph as nm
from neuromorph.chip import LIMITS, Chip, Quantity, load_chip
from neuromorph.design_rules import RULES, UNCHECKED, CheckReport
from neuromorph.program import PopulationProgram, TraceProgram

LOIHI1, LOIHI2 = load_chip("loihi1"), load_chip("loihi2")
Checked = nm.Network | nm.Program


def altered(chip: Chip, limits: Mapping[str, float | tuple[float, ...] | None]) -> Chip:
    """The chip with other limits; a limit of None is not stated, one of several numbers is a list of those allowed."""
    stated = dict(chip.limits)
    for name, value in limits.items():
        stated.pop(name, None)
        if value is not None:
            values = value if isinstance(value, tuple) else (value,)
            stated[name] = Quantity(
                low=min(values), high=max(values), unit="1", source="a test", status="assumed",
                values=values if isinstance(value, tuple) else (),
            )  # fmt: skip
    return dataclasses.replace(chip, limits=stated)


ONE_CORE = altered(LOIHI1, {"chip.cores": 1, "chip.compartments": 1024})


def net(populations: list[Any], *projections: nm.Projection, modulators: tuple[str, ...] = ()) -> nm.Network:
    return nm.Network(
        populations=populations, projections=projections, modulators=[nm.Modulator(name) for name in modulators]
    )


def cells(size: int, name: str = "cells", **parameters: Any) -> nm.Population:
    return nm.Population(name, size, nm.LIF(**parameters))


def neurons(size: int) -> nm.Network:
    return net([cells(size)])


def fed(inputs: int, size: int = 1, weight: float = 0.5, **more: Any) -> nm.Network:
    return net([nm.Input("in", inputs), cells(size)], nm.Projection("in", "cells", nm.AllToAll(weight), **more))


def fixed(network: nm.Network, chip: Chip = LOIHI1, **of_first_projection: Any) -> nm.Program:
    """In the chip's integers, the first projection changed."""
    program = nm.compile(network, chip=chip)
    first, *others = program.projections
    changed = first.with_changes(**of_first_projection)
    return dataclasses.replace(program, projections=(changed, *others))


def with_population(network: nm.Network, chip: Chip | None = None, **changes: Any) -> nm.Program:
    program = nm.compile(network, chip=chip)
    (population,) = program.populations
    filled = {name: np.full(population.size, value) for name, value in changes.items()}
    new: PopulationProgram = dataclasses.replace(population, **filled)
    return dataclasses.replace(program, populations=(new,))


def reaching(extra: int) -> nm.Network:
    """A full core whose neurons reach four other cores each, 4,096 axons; ``extra`` of them also reach their own."""
    others = [cells(1024, f"to{index}") for index in range(4)]
    back = csr_array((np.full(extra, 0.1), (np.arange(extra), np.arange(extra))), shape=(1024, 1024))
    return net(
        [cells(1024, "from"), *others],
        *(nm.Projection("from", item.name, nm.OneToOne(0.1)) for item in others),
        nm.Projection("from", "from", back, name="back"),
    )


def dense_words(delay: int) -> nm.Network:
    """4,096 lists of 30 weights, four words each: all 16,384 words. A delay makes one of them a word longer."""
    return net(
        [nm.Input("many", 4095), nm.Input("one", 1), cells(30)],
        nm.Projection("many", "cells", nm.AllToAll(0.5)),
        nm.Projection("one", "cells", nm.AllToAll(0.5), delay=delay * 1e-3),
    )


def sparse_words(extra: int) -> nm.Network:
    """4,096 lists of 13 synapses of 1,024 possible ones, four words each, and ``extra`` synapses more in the first."""
    pre, nth = np.divmod(np.arange(4096 * 13), 13)
    post = np.concatenate([(13 * pre + nth) % 1024, 500 + np.arange(extra)])
    pre = np.concatenate([pre, np.zeros(extra, int)])
    weights = csr_array((np.full(pre.size, 0.5), (post, pre)), shape=(1024, 4096))
    return net([nm.Input("in", 4096), cells(1024)], nm.Projection("in", "cells", weights))


def formats(count: int) -> nm.Network:
    """Projections onto one neuron that differ in bits of delay, 0 to 6, and then in sign."""
    kinds = [(weight, steps) for weight in (0.5, -0.5) for steps in (1, 2, 3, 5, 9, 17, 33)][:count]
    return net(
        [nm.Input("in", 1), cells(1)],
        *(
            nm.Projection("in", "cells", nm.AllToAll(weight), delay=steps * 1e-3, name=f"p{index}")
            for index, (weight, steps) in enumerate(kinds)
        ),
    )


def rules_onto(*rules: nm.LearningRule, size: int = 1, modulators: tuple[str, ...] = (), **more: Any) -> nm.Network:
    """A projection for each rule onto one population."""
    return net(
        [nm.Input("in", 2), cells(size)],
        *(
            nm.Projection("in", "cells", nm.AllToAll(0.5), plasticity=rule, name=f"p{index}", **more)
            for index, rule in enumerate(rules)
        ),
        modulators=modulators,
    )


def stdp(**parameters: Any) -> nm.LearningRule:
    return nm.STDP(**{"w_min": 0.0, "w_max": 1.0, **parameters})


def rule(dw: str, **parameters: Any) -> nm.LearningRule:
    """With the bounds 0 and 1, and those of the traces x1, y1, ... that dw reads."""
    used = {name: value for name, value in parameters.items() if name[0] not in "xy" or name in dw}
    return nm.LearningRule(dw=dw, **{"w_min": 0.0, "w_max": 1.0, **used})


def beside_a_bound(chip: Chip = LOIHI1, **neuron: Any) -> nm.Network:
    """The bound 1 leaves one unit of v 127.5 chip units at least: weights of 255 with the exponent -7."""
    return net([nm.Input("in", 1), cells(1, **neuron)], nm.Projection("in", "cells", [[0.5]], plasticity=stdp()))


def kicked(impulse: int, chip: Chip) -> nm.Program:
    """A tag that changes by four times its trace's impulse."""
    tagged = nm.RewardModulatedSTDP(modulator="reward", tau_e=100e-3, w_min=0.0, w_max=1.0)
    program = nm.compile(rules_onto(tagged, modulators=("reward",)), chip=chip)
    (projection,) = program.projections
    assert projection.rule is not None
    traces = {name: TraceProgram(impulse=impulse, decay=trace.decay) for name, trace in projection.rule.traces.items()}
    changed = dataclasses.replace(
        projection.rule, dt=nm.LearningRule(dw="4*x1*y0", x1=nm.Trace(0.02)).dw_sum, traces=traces
    )
    return dataclasses.replace(program, projections=(projection.with_changes(rule=changed),))


def third_factor(weight: float) -> nm.Network:
    """r is the sum of two modulators in -1..1."""
    factors = {"a": 1.0, "b": weight}
    return rules_onto(rule("0.5*r*x1*u0", x1=nm.Trace(0.02), modulators=factors), modulators=("a", "b"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """``make(keeps)`` is at the limit and ``make(breaks)`` one beyond it."""

    rule: str
    make: Callable[[Any], Checked]
    keeps: Any
    breaks: Any
    chip: Chip = LOIHI1
    found: str = ""  # in what is said of the one beyond
    limit: str = ""
    severity: str = "error"
    options: Callable[[Any], dict[str, Any]] = lambda value: {}
    besides: frozenset[str] = field(default=frozenset())  # rules that say the same in their own words

    def report(self, value: Any) -> CheckReport:
        return nm.check(self.make(value), self.chip, **self.options(value))


def both(rule: str, make: Callable[[Chip, Any], Checked], keeps: Any, breaks: Any, **more: Any) -> list[Case]:
    """The same on Loihi 1 and Loihi 2."""
    limits = more.pop("limits", {})
    chips = [altered(chip, limits) if limits else chip for chip in (LOIHI1, LOIHI2)]
    return [
        Case(rule=rule, chip=chip, make=lambda value, chip=chip: make(chip, value), keeps=keeps, breaks=breaks, **more)  # type: ignore[misc]
        for chip in chips
    ]


CASES: list[Case] = [
    # ------------------------------------------------------------------------------------------------ cores
    Case(rule="core.compartments", make=neurons, keeps=1024, breaks=1025, chip=ONE_CORE, found="1,025 compartments, 1 too many", limit="at most 1,024 a core"),
    Case(rule="core.compartments", make=neurons, keeps=8190, breaks=8191, chip=altered(LOIHI2, {"chip.cores": 1}), found="8,191", limit="8,190"),
    Case(rule="core.input-axons", make=fed, keeps=4096, breaks=4097, found="4,097 input axons, 1 too many, alone on a core", limit="at most 4,096 a core"),
    Case(rule="core.output-axons", make=reaching, keeps=0, breaks=1, chip=altered(LOIHI1, {"chip.cores": 5}), found="4,097 output axons, 1 too many", limit="at most 4,096 a core"),
    Case(rule="core.synapse-memory", make=dense_words, keeps=1, breaks=2, chip=ONE_CORE, found="1,048,640 bits of synapse memory, 64 too many", limit="at most 1,048,576 a core"),
    Case(rule="core.synapse-memory", make=sparse_words, keeps=0, breaks=1, chip=ONE_CORE, found="1,048,640 bits of synapse memory, 64 too many", limit="at most 1,048,576 a core"),
    Case(rule="core.synapse-memory", make=lambda n: fed(3000, n), keeps=30, breaks=31, chip=altered(LOIHI2, {"chip.cores": 1}), found="960,000 bits of synapse memory", limit="768,000"),
    Case(rule="core.delay-memory", make=lambda steps: fed(1, 1024, delay=steps * 1e-3), keeps=9, breaks=10, chip=ONE_CORE, found="9,216 compartment steps of delay", limit="8,192"),
    Case(rule="core.delay-memory", make=lambda size: fed(1, size, delay=63e-3), keeps=132, breaks=133, chip=ONE_CORE, found="8,246 compartment steps of delay", limit="8,192"),
    Case(rule="core.compartment-configurations", make=lambda n: net([cells(n, tau_mem=np.linspace(0.01, 0.04, n))]), keeps=32, breaks=33, chip=ONE_CORE, found="33 compartment configurations, 1 too many", limit="32"),
    Case(rule="core.threshold-configurations", make=lambda n: net([cells(n, v_threshold=np.arange(1.0, n + 1))]), keeps=8, breaks=9, chip=ONE_CORE, found="9 threshold configurations, 1 too many", limit="8"),
    Case(rule="core.synapse-configurations", make=formats, keeps=8, breaks=9, found="9 synapse configurations, 1 too many", limit="8"),
    Case(rule="core.presynaptic-trace-configurations", make=lambda n: rules_onto(*(stdp(tau_plus=0.01 * k) for k in range(1, n + 1))), keeps=3, breaks=4, found="4 presynaptic trace configurations, 1 too many", limit="3"),
    Case(rule="core.fan-in", make=fed, keeps=256, breaks=257, chip=load_chip("odin"), found="257 synapses onto it, 1 too many", limit="at most 256 a neuron"),
    Case(rule="core.fan-out", make=lambda n: net([cells(1, "a"), cells(n, "b")], nm.Projection("a", "b", nm.AllToAll(0.5))), keeps=64, breaks=65, chip=altered(load_chip("xylo_a2"), {"chip.outputs": None, "neuron.decay_shift": None}), found="65 synapses from it, 1 too many", limit="at most 64 a neuron"),
    *both("core.synapses", lambda chip, n: fed(n), 50, 51, limits={"core.binary_synapses": 50}, found="51 synapses, 1 too many", limit="50"),
    *both("core.memory", lambda chip, n: neurons(n), 50, 51, limits={"core.memory": 50 * 48}, found="2,448 bits of synapses and states, 48 too many", limit="2,400"),
    # ------------------------------------------------------------------------------------------------ chips
    Case(rule="chip.cores", make=lambda n: net([cells(600, f"p{k}") for k in range(n)]), keeps=3, breaks=4, chip=altered(LOIHI1, {"chip.cores": 3}), found="4 cores, 1 too many", limit="at most 3"),
    Case(rule="chip.compartments", make=neurons, keeps=131_072, breaks=131_073, found="131,073 neurons, 1 too many", limit="at most 131,072"),
    Case(rule="chip.compartments", make=neurons, keeps=2 * 8190, breaks=2 * 8190 + 1, chip=altered(LOIHI2, {"chip.cores": 2}), found="16,381 neurons, 1 too many", limit="at most 16,380"),
    Case(rule="chip.compartments", make=neurons, keeps=2 * 131_072, breaks=2 * 131_072 + 1, chip=load_chip("kapoho_bay"), found="262,145 neurons, 1 too many", limit="at most 262,144"),
    Case(rule="chip.hidden-compartments", make=lambda n: net([cells(n, "a", tau_syn=0.0), cells(1, "b", tau_syn=0.0)], nm.Projection("a", "b", nm.AllToAll(0.5))), keeps=1000, breaks=1001, chip=altered(load_chip("xylo_a2"), {"neuron.decay_shift": None}), found="1,001 neurons that project on", limit="1,000"),
    Case(rule="chip.synapses", make=lambda n: fed(n), keeps=50, breaks=51, chip=altered(LOIHI2, {"chip.synapses": 50}), found="51 synapses, 1 too many", limit="50"),
    *both("chip.binary-synapses", lambda chip, n: fed(n), 50, 51, limits={"chip.binary_synapses": 50}, found="51 synapses, 1 too many", limit="50"),
    *both("chip.synapse-memory", lambda chip, n: fed(n), 50, 51, limits={"chip.synapse_memory": 50}, found="51 bytes of weights, 1 too many", limit="50"),
    Case(rule="chip.synapse-memory", make=lambda n: fed(n), keeps=278_528, breaks=278_529, chip=altered(load_chip("speck2"), {"core.synapse_memory": None}), found="278,529 bytes of weights, 1 too many", limit="278,528", severity="warning"),
    Case(rule="chip.inputs", make=lambda n: fed(n, 1), keeps=16, breaks=17, chip=altered(load_chip("xylo_imu"), {"neuron.decay_shift": None}), found="17 input channels, 1 too many", limit="16"),
    Case(rule="chip.outputs", make=neurons, keeps=8, breaks=9, chip=altered(load_chip("xylo_a2"), {"neuron.decay_shift": None}), found="9 neurons that project nowhere", limit="8"),
    Case(rule="system.cores-addressed", make=lambda n: neurons(1), keeps=LOIHI1, breaks=altered(LOIHI1, {"system.cores_per_chip_addressed": 127}), found="128 cores of a chip, 1 too many", limit="at most 127"),
    Case(rule="system.board", make=lambda n: neurons(1), keeps=2, breaks=3, chip=load_chip("kapoho_bay"), options=lambda n: {"chips": n}, found="3 chips, 1 too many", limit="at most 2 on the board"),
    Case(rule="system.chips-addressed", make=lambda n: neurons(1), keeps=16_384, breaks=16_385, options=lambda n: {"chips": n}, found="16,385 chips, 1 too many", limit="at most 16,384", besides=frozenset({"system.chips-built"})),
    Case(rule="system.chips-built", make=lambda n: neurons(1), keeps=768, breaks=769, options=lambda n: {"chips": n}, found="769 chips, 1 too many", limit="at most 768", severity="warning"),
    Case(rule="system.chips-built", make=lambda n: neurons(1), keeps=1152, breaks=1153, chip=LOIHI2, options=lambda n: {"chips": n}, found="1,153 chips, 1 too many", limit="at most 1,152", severity="warning"),
    Case(rule="network.destination-populations", make=lambda n: net([cells(1, "a"), *(cells(1, f"b{k}") for k in range(n))], *(nm.Projection("a", f"b{k}", [[0.5]]) for k in range(n))), keeps=2, breaks=3, chip=load_chip("speck2"), found="3 populations that it projects to, 1 too many", limit="2"),
    Case(rule="network.graded-spikes", make=lambda n: neurons(1), keeps=0, breaks=1, options=lambda n: {"spike_bits": n}, found="1 bits in a spike", limit="at most 0"),
    Case(rule="network.graded-spikes", make=lambda n: neurons(1), keeps=32, breaks=33, chip=LOIHI2, options=lambda n: {"spike_bits": n}, found="33 bits in a spike", limit="at most 32"),
    # ------------------------------------------------------------------------------------------------ neurons
    *both("neuron.refractory", lambda chip, n: net([cells(3, refractory=n * 1e-3)]), 62, 63, found="63 steps of refractory period, 1 too many", limit="at most 62"),
    *both("neuron.decay", lambda chip, leak: with_population(neurons(3), decay_v=1 - leak / 4096), 0.51, 0.49, found="a decay of 0/4096 in a step", limit="at least 1/4096"),
    *both("neuron.decay", lambda chip, leak: with_population(neurons(3), decay_u=1 - leak / 4096), 0.51, 0.49, found="a decay of 0/4096 in a step", limit="at least 1/4096"),
    *both("neuron.decay", lambda chip, kept: with_population(neurons(3), decay_v=kept / 4096), 0.51, 0.49, found="of which nothing is kept", limit="v keeps at least 1/4096", severity="note"),
    Case(rule="neuron.decay-shift", make=lambda shift: with_population(neurons(3), decay_u=0.5, decay_v=1 - 2.0**-shift), keeps=15, breaks=16, chip=load_chip("xylo_a2"), found="16 bits of shift for tau_mem", limit="at most 15"),
    Case(rule="neuron.decay-shift", make=lambda leak: with_population(neurons(3), decay_u=0.5, decay_v=1 - leak), keeps=0.11, breaks=0.109, chip=load_chip("xylo_a2"), found="off", limit="leaks of 1/2, 1/4", severity="warning"),
    *both("neuron.threshold", lambda chip, v: beside_a_bound(v_threshold=v), 65_792.0, 65_793.0, found="v_threshold must be at most 65792.5 beside the bound 1", limit="17"),
    Case(rule="neuron.threshold", make=lambda n: with_population(neurons(1), LOIHI1, threshold=n * 64), keeps=127, breaks=128, chip=altered(LOIHI1, {"neuron.threshold_mantissa_bits": 7}), found="128 units of 2^6 for its largest threshold, 1 too many", limit="at most 127"),
    *both("neuron.bias", lambda chip, bias: beside_a_bound(bias=bias), 4111.0, 4112.0, found="bias must be at most 4111.05 beside the bound 1", limit="-4096 to 4095"),
    Case(rule="neuron.bias", make=lambda n: with_population(neurons(1), LOIHI1, bias=float(n)), keeps=4095 * 8, breaks=4095 * 16, chip=altered(LOIHI1, {"neuron.bias_exponent_bits": 2}), found="a bias of 4095 x 2^4", limit="exponents 0 to 3"),
    *both("neuron.adaptive-threshold", lambda chip, step: net([cells(1, threshold_increment=step)]), 0.0, 0.1, found="thresholds that adapt within the neuron", limit="thresholds that stay"),
    *both("neuron.current-bits", lambda chip, last: fixed(net([nm.Input("in", 5), cells(1)], nm.Projection("in", "cells", np.full((1, 5), 0.5))), chip, weight=[255.0, 255, 255, 255, last], weight_exponent=7), 3.0, 4.0, limits={"synapse.accumulator_bits": None}, found="8,388,608 chip units of u in one step, if every presynaptic neuron spikes", limit="at most 8,388,607", severity="warning"),
    *both("neuron.membrane-bits", lambda chip, bias: with_population(neurons(1), chip, decay_v=1.0, bias=bias), -2047.0, -2048.0, found="8,388,608 chip units of v below zero", limit="at most 8,388,607", severity="warning"),
    Case(rule="neuron.state-memory", make=lambda n: net([cells(1, refractory=n * 1e-3)]), keeps=0, breaks=1, chip=altered(LOIHI1, {"neuron.state_memory": 6}), found="7 bytes of state, 1 too many", limit="at most 6 a neuron"),
    Case(rule="neuron.state-memory", make=lambda n: rules_onto(*(stdp(tau_minus=0.01 * k) for k in range(1, n + 1))), keeps=2, breaks=3, chip=altered(LOIHI2, {"neuron.state_memory": 8}), found="9 bytes of state, 1 too many", limit="at most 8 a neuron"),
    Case(rule="neuron.destination-cores", make=lambda n: net([cells(1, "a"), cells(n, "b")], nm.Projection("a", "b", nm.AllToAll(0.5))), keeps=255, breaks=257, chip=altered(load_chip("truenorth"), {"core.synapse_memory": None}), found="2 cores that it reaches, 1 too many", limit="at most 1"),
    # ------------------------------------------------------------------------------------------------ synapses
    *both("synapse.delay", lambda chip, steps: fed(2, delay=steps * 1e-3), 63, 64, found="64 steps of delay, 1 too many", limit="at most 63"),
    Case(rule="synapse.delay", make=lambda steps: fed(2, delay=steps * 1e-3), keeps=15, breaks=16, chip=load_chip("truenorth"), found="16 steps of delay, 1 too many", limit="at most 15"),
    Case(rule="synapse.weight-bits", make=lambda bits: fixed(fed(1), weight=[240.0], weight_bits=bits), keeps=6, breaks=7, found="weights of 7 bits beside the sign", limit="one of 1, 2, 3, 4, 5, 6, 8"),
    Case(rule="synapse.weight-bits", make=lambda bits: fixed(fed(1), LOIHI2, weight=[240.0], weight_bits=bits), keeps=5, breaks=6, chip=altered(LOIHI2, {"synapse.weight_bits": 6, "synapse.weight_widths": (1.0, 2.0, 3.0, 4.0, 5.0)}), found="weights of 6 bits beside the sign", limit="one of 1, 2, 3, 4, 5"),
    Case(rule="synapse.weight-bits", make=lambda n: net([nm.Input("in", n), cells(1)], nm.Projection("in", "cells", np.arange(1.0, n + 1)[None])), keeps=64, breaks=65, chip=load_chip("brainscales2"), found="65 distinct weights, 1 too many", limit="at most 64 of 6 bits", severity="warning"),
    *both("synapse.weight-exponent", lambda chip, e: fixed(fed(1), chip, weight=[2.0], weight_exponent=e), 6, 7, limits={"synapse.weight_exponent": (-6.0, 6.0)}, found="weight exponent 7", limit="-6 to 6"),
    *both("synapse.weight-exponent", lambda chip, e: fixed(fed(1), chip, weight=[2.0], weight_exponent=e), -6, -7, limits={"synapse.weight_exponent": (-6.0, 6.0)}, found="weight exponent -7", limit="-6 to 6", besides=frozenset({"synapse.accumulator-zero-bits"})),
    *both("synapse.weight-resolution", lambda chip, w: net([nm.Input("in", 2), nm.Input("learned", 1), cells(1)], nm.Projection("in", "cells", nm.AllToAll(w)), nm.Projection("learned", "cells", [[0.5]], plasticity=stdp())), 0.51 * 2**-7 / 255, 0.49 * 2**-7 / 255, found="its weights all become zero", limit="1 to 9"),
    *both("synapse.mixed-sign", lambda chip, w: net([nm.Input("in", 2), cells(1)], nm.Projection("in", "cells", [[0.5, w]])), 0.0, -0.1, found="weights of both signs, held in steps of 2", limit="1 bit less", severity="note"),
    Case(rule="synapse.weights-per-neuron", make=lambda n: net([nm.Input("in", n), cells(1)], nm.Projection("in", "cells", np.arange(1.0, n + 1)[None])), keeps=4, breaks=5, chip=load_chip("truenorth"), found="5 distinct weights onto it, 1 too many", limit="at most 4 a neuron"),
    Case(rule="synapse.index-bits", make=lambda n: net([nm.Input("in", 8), cells(64)], nm.Projection("in", "cells", nm.FixedOutDegree(2, 0.5))), keeps=LOIHI1, breaks=altered(LOIHI1, {"core.compartments": 4097}), found="13 bits to number the compartments of a core, 1 too many", limit="at most 12"),
    Case(rule="synapse.accumulator-bits", make=lambda n: fed(n, 2), keeps=128, breaks=129, found="1 of what it holds, if every presynaptic neuron spikes", limit="below 2^21", severity="warning"),
    Case(rule="synapse.accumulator-zero-bits", make=lambda e: fixed(fed(1), weight=[2.0], weight_exponent=e), keeps=0, breaks=-1, found="rounded down to a multiple of 2^1 mantissas", limit="lowest 6 bits", severity="note"),
    # ------------------------------------------------------------------------------------------------ learning
    Case(rule="learning.support", make=lambda learns: fed(1, plasticity=stdp() if learns else None), keeps=False, breaks=True, chip=load_chip("truenorth"), found="a learning rule in its synapses", limit="no learning on the chip"),
    *both("learning.rules-per-core", lambda chip, n: rules_onto(*(stdp(A_plus=0.01 * k) for k in range(1, n + 1))), 1, 2, limits={"learning.rules_per_core": 1}, found="2 learning rules onto it, 1 too many", limit="at most 1 a core"),
    *both("learning.products", lambda chip, n: rules_onto(rule(" + ".join(["0.5*x1*y0", "0.25*x0"][:n]), x1=nm.Trace(0.02))), 1, 2, limits={"learning.products": 1}, found="2 products, 1 too many", limit="at most 1 a rule"),
    *both("learning.epoch", lambda chip, n: rules_onto(rule("0.5*x1*u0", x1=nm.Trace(0.02), epoch=n * 1e-3)), 63, 64, found="64 steps of epoch, 1 too many", limit="at most 63"),
    *both("learning.presynaptic-traces", lambda chip, names: rules_onto(rule(" + ".join(f"0.5*{x}*y0" for x in names), **{x: nm.Trace(0.02) for x in names})), ("x1",), ("x1", "x2"), limits={"learning.presynaptic_traces": 1}, found="2 presynaptic traces, 1 too many", limit="at most 1"),
    *both("learning.postsynaptic-traces", lambda chip, n: rules_onto(*(stdp(tau_minus=0.01 * k) for k in range(1, n + 1))), 3, 4, found="4 distinct postsynaptic traces, 1 too many", limit="at most 3 a neuron"),
    Case(rule="learning.trace-impulse", make=lambda impulse: with_impulse(impulse), keeps=100, breaks=101, chip=altered(LOIHI1, {"learning.trace_impulse": 100}), found="101 of impulse, 1 too many", limit="at most 100"),
    Case(rule="learning.trace-impulse", make=lambda impulse: rules_onto(rule("0.5*x1*y0", x1=nm.Trace(0.02, impulse=impulse))), keeps=1.0, breaks=-1.0, chip=LOIHI2, found="an impulse must be > 0", limit="0 to 127"),
    *both("learning.trace-decay", lambda chip, tau: rules_onto(rule("0.5*x1*y0", x1=nm.Trace(tau))), 1.0, np.inf, found="a trace that keeps 1 of itself in a step", limit="below 1"),
    *both("learning.trace-source", lambda chip, source: rules_onto(rule("0.5*y1*x0", y1=nm.Trace(0.02, source=source))), "spikes", "v", found="a trace that follows the membrane", limit="traces that follow spikes"),
    *both("learning.tag-bits", lambda chip, impulse: kicked(impulse, chip), 63, 64, found="256 units of the tag in one step, 1 too many", limit="at most 255", severity="warning"),
    *both("learning.tag-decay", lambda chip, tau: rules_onto(nm.RewardModulatedSTDP(modulator="r", tau_e=tau, w_min=0.0, w_max=1.0), modulators=("r",)), 0.145, 0.147, found="a tag loses at least 0.0078125 of itself in one", limit="-7 to 8"),
    *both("learning.reward-bits", lambda chip, weight: third_factor(weight), 127 / 64 - 1, 128 / 64 - 1, found="128 units of r, where a and b are 1, 1 too many", limit="at most 127", severity="warning"),
    *both("learning.weight-bits", lambda chip, n: fed(1, plasticity=stdp() if n else None), 0, 1, limits={"learning.weight_bits": 8}, found="8 bits of a learned weight beside its sign, 1 too many", limit="at most 7"),
    *both("learning.weight-bounds", lambda chip, w_min: rules_onto(stdp(w_min=w_min)), -1.0, -0.5, found="weights of both signs have bounds of one size", limit="9"),
    *both("learning.delay-bits", lambda chip, steps: fed(1, plasticity=stdp(), delay=steps * 1e-3), 8, 9, limits={"learning.delay_bits": 3}, found="8 steps of delay beyond the first, in synapses that learn, 1 too many", limit="at most 7"),
    *both("learning.accumulator-bits", lambda chip, dw: rules_onto(rule(dw, x1=nm.Trace(0.02), y1=nm.Trace(0.02))), "0.5*x1*y0", "0.5*x1*w*x0", found="16 bits of factors", limit="at most 11, with a coefficient and a sign in 16 bits", severity="note"),
    *both("learning.product-bits", lambda chip, last: rules_onto(rule(f"0.5*x1*x2*y1*{last}*u0", **dict.fromkeys(("x1", "x2", "y1", "y2"), nm.Trace(0.02)))), "y2", "w", found="factors of 30 bits in all overflow the chip's 32", limit="16", besides=frozenset({"learning.accumulator-bits"})),
    *both("learning.coefficients", lambda chip, size: rules_onto(rule(f"{size}*x0")), 0.76 * 2**-7 / 255, 0.74 * 2**-7 / 255, found="becomes zero", limit="-7 to 8"),
    *both("learning.constants", lambda chip, c: rules_onto(rule(f"0.5*y0*(w - {c})")), 0.51 / 255, 0.49 / 255, found="the constant of (w", limit="7"),
    *both("learning.factors", lambda chip, dw: rules_onto(rule(dw, x1=nm.Trace(0.02), y1=nm.Trace(0.02))), "0.5*x1*y0", "0.5*pos(x1 - 0.2)*y0", found="has no pos()", limit="7"),
    # ------------------------------------------------------------------------------------------------ the program
    *both("program.time-steps", lambda chip, delay: fed(1, delay=delay), 2e-3, 2.5e-3, found="delay must be a whole number of steps of dt = 0.001 s"),
    *both("program.chip", lambda chip, other: nm.compile(fed(1), chip=chip if other is None else altered_name(chip)), None, "other", found="integers of other", limit="integers of loihi"),
    Case(rule="program.quantisation", make=lambda n: neurons(1), keeps=LOIHI1, breaks=altered(LOIHI1, {"neuron.decay_bits": None}), found="rounding to the chip's integers was not looked at", severity="note"),
]  # fmt: skip


def altered_name(chip: Chip) -> Chip:
    return dataclasses.replace(chip, name="other")


def with_impulse(impulse: int) -> nm.Program:
    program = nm.compile(rules_onto(rule("0.5*x1*y0", x1=nm.Trace(0.02))), chip=LOIHI1)
    (projection,) = program.projections
    assert projection.rule is not None
    trace = TraceProgram(impulse=impulse, decay=projection.rule.traces["x1"].decay)
    changed = dataclasses.replace(projection.rule, traces={"x1": trace})
    return dataclasses.replace(program, projections=(projection.with_changes(rule=changed),))


def reported(case: Case, value: Any) -> CheckReport:
    """Where the values are chips, the program stays and the chip changes."""
    if isinstance(value, Chip):
        return nm.check(case.make(value), value)
    return case.report(value)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{index}-{case.rule}-{case.chip.name}" for index, case in enumerate(CASES)]
)
def test_at_the_limit_it_is_kept_and_one_more_breaks_it_by_name(case: Case) -> None:
    at_limit, beyond = reported(case, case.keeps), reported(case, case.breaks)
    milder = {"error": ("warning", "note"), "warning": ("note",), "note": ()}[case.severity]
    assert at_limit.of(case.rule).status in ("passed", "not checked", *milder), str(at_limit)
    assert at_limit.ok
    broken = [fault for fault in beyond.findings if fault.rule == case.rule and fault.severity not in milder]
    assert broken, str(beyond)
    assert {fault.severity for fault in broken} == {case.severity}
    assert beyond.ok == (case.severity != "error")
    if case.severity == "error":
        assert {fault.rule for fault in beyond.faults} == {case.rule}, str(beyond)
    quiet = {fault.rule for fault in at_limit.findings}
    assert {fault.rule for fault in beyond.findings} - quiet <= {case.rule} | case.besides, str(beyond)
    assert any(case.found in fault.found for fault in broken), [fault.found for fault in broken]
    assert any(case.limit in fault.limit for fault in broken), [fault.limit for fault in broken]
    for fault in broken:
        assert fault.remedy and fault.where and str(fault).startswith(f"{case.rule}: {fault.where}: {fault.found}")


def test_every_rule_is_broken_by_a_case() -> None:
    assert {rule.name for rule in RULES} == {case.rule for case in CASES}


@pytest.mark.parametrize("chip", [LOIHI1, LOIHI2], ids=lambda chip: chip.name)
def test_every_limit_that_loihi_states_is_tripped_on_it_or_has_a_reason(chip: Chip) -> None:
    tripped = {case.rule for case in CASES if case.chip.name == chip.name}
    read = {limit for rule in RULES if rule.name in tripped for limit in rule.reads}
    assert sorted(set(chip.limits) - read - set(UNCHECKED)) == []


def test_every_limit_of_the_schema_has_a_rule_or_a_reason_and_not_both() -> None:
    known = {
        f"{part}.{entry.name}" for part, entries in LIMITS.items() if part != "processor" for entry in entries.values()
    }
    read = {limit for rule in RULES for limit in rule.reads}
    assert read | set(UNCHECKED) == known
    assert not read & set(UNCHECKED)
