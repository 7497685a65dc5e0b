"""Rules of neurons: decays, thresholds, bias, refractory periods, and the bits and bytes of their states."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuromorph.arithmetic import bias_parts
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, at_most
from neuromorph.design_rules.rule import design_rule
from neuromorph.program import PopulationProgram
from neuromorph.quantisation.neurons import COARSE, time_constant
from neuromorph.recording import FloatArray


@design_rule(
    name="neuron.refractory",
    limits=("neuron.refractory",),
    remedy="shorten it, or take a larger dt",
)
def refractory(design: Design) -> Iterator[Finding]:
    """Steps after a spike in which v stays 0; the chip counts one more, so that its 1 is none."""
    stated = design.limit("neuron.refractory")
    most = int(stated.high - stated.low)
    for population in design.given.populations:
        longest = int(population.refractory.max(initial=0))
        fits = f"shorten it, or take a larger dt ({most * design.program.dt:.6g} s fit at this dt)"
        yield at_most(_where(population), longest, most, "steps of refractory period", remedy=fits)


@design_rule(
    name="neuron.decay",
    limits=("neuron.decay_bits",),
    remedy="shorten the time constant, or take a larger dt",
)
def decay(design: Design) -> Iterator[Finding]:
    """A leak is at least one part of the decay's unit in a step, that of u always and that of v where it has one."""
    unity = 2 ** int(design.limit("neuron.decay_bits").high)
    for population in design.given.populations:
        for name, decays in _decays(population):
            if not decays.size:
                continue
            slowest = float(decays.max())
            leak = unity - int(np.rint(slowest * unity))
            tau = time_constant(slowest, design.given)
            longest = time_constant(1 - 1 / unity, design.given)
            remedy = f"shorten it to {longest:.6g} s, or take a larger dt"
            yield Finding(
                where=_where(population),
                found=f"{name} = {tau:.6g} s, a decay of {leak}/{unity} in a step",
                limit=f"at least 1/{unity}",
                broken=leak < 1,
                remedy=remedy + (", or inf for no leak" if name == "tau_mem" else ""),
                share=1 / leak if leak else None,
            )
            if name == "tau_mem" and np.any(np.rint(decays * unity) < 1):
                yield Finding(
                    where=_where(population),
                    found=f"tau_mem = {time_constant(float(decays.min()), design.given):.6g} s, of which nothing is kept from step to step",
                    limit=f"v keeps at least 1/{unity}, rounded toward zero",
                    broken=design.given.arithmetic == "float",
                    remedy=f"nothing to do: v below {unity} units is not kept; or a longer tau_mem",
                    severity="note",
                )


@design_rule(
    name="neuron.decay-shift",
    limits=("neuron.decay_shift",),
    remedy="take time constants that are powers of two of dt",
)
def decay_shift(design: Design) -> Iterator[Finding]:
    """A leak is a shift: 2^-k of the state in a step, k a whole number."""
    most = int(design.limit("neuron.decay_shift").high)
    for population in design.given.populations:
        for name, decays in _decays(population, leaky=False):
            with np.errstate(divide="ignore"):
                exact = -np.log2(1 - decays)
            slowest = float(exact.max())
            tau = time_constant(float(decays.max()), design.given)
            longest = time_constant(1 - 2.0**-most, design.given)
            shift = most + 1 if slowest > most + 0.5 else round(slowest)
            yield at_most(
                _where(population), shift, most, f"bits of shift for {name} = {tau:.6g} s", per=" bits of shift",
                remedy=f"shorten it to {longest:.6g} s, or take a larger dt",
            )  # fmt: skip
            held = 2.0 ** np.clip(np.rint(exact), 0, most)
            error = float(np.max(np.abs(held * (1 - decays) - 1)))
            if slowest <= most + 0.5 and error > COARSE:
                worst = int(np.argmax(np.abs(held * (1 - decays) - 1)))
                asked, near = (
                    time_constant(float(decays[worst]), design.given),
                    time_constant(1 - 1 / float(held[worst]), design.given),
                )
                yield Finding(
                    where=_where(population),
                    found=f"{name} = {asked:.6g} s becomes {near:.6g} s, {error:.0%} off",
                    limit="leaks of 1/2, 1/4, 1/8 and so on in a step",
                    broken=True,
                    remedy=f"take {near:.6g} s, or another dt",
                    severity="warning",
                )


@design_rule(
    name="neuron.threshold",
    limits=("neuron.threshold_mantissa_bits", "neuron.threshold_shift"),
    remedy="bring thresholds and weights closer to one another",
)
def threshold(design: Design) -> Iterator[Finding]:
    """Mantissas of thresholds."""
    shift = int(design.limit("neuron.threshold_shift").high)
    most = 2 ** int(design.limit("neuron.threshold_mantissa_bits").high) - 1
    for population in design.fixed.populations if design.fixed is not None else ():
        largest = int(population.threshold.max(initial=0)) >> shift
        yield at_most(_where(population), largest, most, f"units of 2^{shift} for its largest threshold")


@design_rule(
    name="neuron.bias",
    limits=("neuron.bias_mantissa", "neuron.bias_exponent_bits"),
    remedy="bring bias and weights closer to one another",
)
def bias(design: Design) -> Iterator[Finding]:
    """Mantissas and exponents of bias."""
    stated = design.limit("neuron.bias_mantissa")
    largest_exponent = 2 ** int(design.limit("neuron.bias_exponent_bits").high) - 1
    for population in design.fixed.populations if design.fixed is not None else ():
        mantissa, exponent = bias_parts(population.bias)
        outside = (mantissa < stated.low) | (mantissa > stated.high) | (exponent > largest_exponent)
        worst = int(np.argmax(outside if np.any(outside) else np.abs(population.bias)))
        yield Finding(
            where=f"{_where(population)}, neuron {worst}",
            found=f"a bias of {int(mantissa[worst])} x 2^{int(exponent[worst])}",
            limit=f"mantissas {stated.low:.0f} to {stated.high:.0f}, exponents 0 to {largest_exponent}",
            broken=bool(np.any(outside)),
            share=float(np.abs(population.bias[worst])) / (stated.high * 2.0**largest_exponent),
        )


@design_rule(
    name="neuron.adaptive-threshold",
    limits=("neuron.threshold_mantissa_bits",),
    remedy="leave threshold_increment out and let the host rule IntrinsicExcitability move v_threshold, or run it in float",
)
def adaptive_threshold(design: Design) -> Iterator[Finding]:
    """Thresholds that rise with the neuron's own spikes have no form in the suite's integers."""
    for population in design.given.populations:
        yield Finding(
            where=_where(population),
            found="thresholds that adapt within the neuron" if population.adapts else "thresholds that stay",
            limit="thresholds that stay",
            broken=population.adapts,
        )


@design_rule(
    name="neuron.current-bits",
    limits=("neuron.membrane_bits",),
    severity="warning",
    remedy="use fewer or smaller weights onto it; a larger busy_rate of nm.quantise makes room",
)
def current_bits(design: Design) -> Iterator[Finding]:
    """u after one step in which every presynaptic neuron spikes."""
    most = 2 ** (int(design.limit("neuron.membrane_bits").high) - 1) - 1
    for item in design.largest_inputs:
        where = f"population {item.population!r}, neuron {item.neuron}"
        yield at_most(where, item.size, most, "chip units of u in one step, if every presynaptic neuron spikes")


@design_rule(
    name="neuron.membrane-bits",
    limits=("neuron.membrane_bits",),
    severity="warning",
    remedy="v is held at the least that it can be: weaken bias or inhibition",
)
def membrane_bits(design: Design) -> Iterator[Finding]:
    """v where bias alone drives it down."""
    most = 2 ** (int(design.limit("neuron.membrane_bits").high) - 1) - 1
    for population in design.fixed.populations if design.fixed is not None else ():
        with np.errstate(divide="ignore"):
            steps = np.minimum(1 / (1 - population.decay_v), 4096.0)  # a membrane without leak is watched for so long
        lowest = np.maximum(-population.bias, 0) * steps
        worst = int(np.argmax(lowest))
        where = f"{_where(population)}, neuron {worst}"
        yield at_most(where, round(float(lowest[worst])), most, "chip units of v below zero by its bias alone")


@design_rule(
    name="neuron.state-memory",
    limits=("neuron.state_memory", "neuron.membrane_bits"),
    also=("learning.trace_bits",),
    remedy="use fewer traces",
)
def state_memory(design: Design) -> Iterator[Finding]:
    """Bytes of a neuron's state: u, v, refractory counter and postsynaptic traces."""
    most = int(design.limit("neuron.state_memory").high)
    for population in design.program.populations:
        used = -(-state_bits(design, population.name) // 8)
        yield at_most(_where(population), used, most, "bytes of state", per=" a neuron")


def state_bits(design: Design, name: str) -> int:
    """Of one neuron of a population."""
    population = design.program.population(name)
    counter = int(population.refractory.max(initial=0)).bit_length()
    width = int(design.limit("neuron.membrane_bits").high)
    trace = int(design.limit("learning.trace_bits").high) if design.states("learning.trace_bits") else 7
    return len(population.states) * width + counter + trace * len(postsynaptic_traces(design, name))


def postsynaptic_traces(design: Design, name: str) -> set[tuple[object, ...]]:
    """Distinct traces that rules onto a population keep of its neurons; impulses can be had by coefficients."""
    return {
        (round(trace.decay, 12), trace.nearest, trace.source)
        for item in design.given.projections
        if item.post == name and item.rule is not None
        for variable, trace in item.rule.traces.items()
        if variable.startswith("y")
    }


def _decays(population: PopulationProgram, *, leaky: bool = True) -> list[tuple[str, FloatArray]]:
    """By the time constant that readers know; of v those with a leak, where ``leaky``."""
    v = population.decay_v[population.decay_v < 1] if leaky else population.decay_v
    return [("tau_syn", population.decay_u), ("tau_mem", v)]


def _where(population: PopulationProgram) -> str:
    return f"population {population.name!r}"
