"""A workload as a program, in float and in a chip's integers: the same numbers in both."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuromorph.bench import workloads
from neuromorph.bench.workloads import DT, KEEP_U, KEEP_V, TAG_TAU, TRACE_TAU, Layer, Wires, Workload
from neuromorph.compact import repeated
from neuromorph.connectivity import Connectivity
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import PopulationProgram, ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP
from neuromorph.plasticity.language import Factor, Product, SumOfProducts, parse
from neuromorph.program import Program

Arithmetic = Literal["float", "fixed"]
REWARD = "reward"  # the modulator's name
FIXED_BOUNDS = {True: ("excitatory", 0.0, 255.0), False: ("mixed", -256.0, 255.0)}
FIXED_TAG_LOSS = "0.0078125"  # 1/128, the least that an engine can take from a tag in a step: 128 steps, not 200


def program(workload: Workload, arithmetic: Arithmetic) -> Program:
    """The workload as a program; in fixed point for Loihi 1.

    >>> from neuromorph.bench.workloads import draw
    >>> small = draw("W3", "S")
    >>> program(small, "fixed").projections[0].rule.dw == program(small, "float").projections[0].rule.dw
    False
    """
    modulators = [Modulator(REWARD)] if workload.reward is not None else []
    return Program(
        name=f"{workload.name} {workload.size}",
        dt=DT,
        seed=workload.seed,
        inputs=[Input(name, train.shape[1]) for name, train in workload.inputs.items()],
        populations=[_population(layer) for layer in workload.layers],
        projections=[_projection(wires, arithmetic) for wires in workload.wires],
        modulators=modulators,
        arithmetic=arithmetic,
        chip="loihi1" if arithmetic == "fixed" else "",
    )


def _population(layer: Layer) -> PopulationProgram:
    return PopulationProgram(
        name=layer.name,
        size=layer.size,
        decay_u=np.full(layer.size, KEEP_U),
        decay_v=np.full(layer.size, KEEP_V),
        threshold=layer.threshold.astype(np.float64),
        bias=layer.bias.astype(np.float64),
        refractory=np.zeros(layer.size, dtype=np.int64),
    )


def _projection(wires: Wires, arithmetic: Arithmetic) -> ProjectionProgram:
    connectivity, mantissas = by_post(wires)
    weight: npt.NDArray[Any] = mantissas
    fixed: dict[str, Any] = {}
    if arithmetic == "fixed":
        fixed = {"weight_exponent": wires.exponent, "sign_mode": FIXED_BOUNDS[wires.is_excitatory][0]}
    else:
        weight = mantissas * np.float32(wires.gain)  # exact: at most 8 bits, times a power of two
    return ProjectionProgram(
        name=wires.name,
        pre=wires.pre,
        post=wires.post,
        pre_size=wires.pre_size,
        post_size=wires.post_size,
        post_index=connectivity,
        pre_index=connectivity,
        weight=weight,
        delay=repeated(1, weight.size, np.uint8),
        rule=None if wires.rule is None else _RULES[wires.rule, arithmetic](wires),
        **fixed,
    )


def by_post(wires: Wires) -> tuple[Connectivity, npt.NDArray[np.int16]]:
    """The synapses in rows of postsynaptic neurons, and the mantissa of each."""
    if wires.targets is None:
        return Connectivity.full(wires.post_size, wires.pre_size), np.ascontiguousarray(wires.weight.T).ravel()
    from scipy.sparse import csr_matrix

    pointer = np.arange(0, wires.weight.size + 1, wires.fan_out)
    rows = csr_matrix((wires.weight.ravel(), wires.targets.ravel(), pointer), shape=(wires.pre_size, wires.post_size))
    columns = rows.tocsc()
    connectivity = Connectivity.of_rows(columns.indptr, columns.indices, wires.pre_size)
    assert connectivity is not None
    return connectivity, columns.data


def _float_rule(rule: LearningRule, wires: Wires) -> RuleProgram:
    """A rule that is described in mantissas, for weights in units of ``u``."""
    assert rule.dw_sum is not None
    tag = rule.dt_sum
    if tag is not None:
        lost = 1.0 - math.exp(-1 / TAG_TAU)
        tag = SumOfProducts((*tag.products, Product(-lost, "u0", (Factor("t"),))))
    low, high = wires.bounds
    return RuleProgram(
        name=rule.name,
        dw=rule.dw_sum,
        dt=tag,
        traces={name: TraceProgram(impulse=1.0, decay=math.exp(-1 / TRACE_TAU)) for name in rule.traces},
        epoch=1,
        w_min=low * wires.gain,
        w_max=high * wires.gain,
        modulators=rule.modulators,
    )


def _float_pairs(wires: Wires) -> RuleProgram:
    rule = STDP(A_plus=workloads.POTENTIATION * wires.gain, A_minus=workloads.DEPRESSION * wires.gain)
    return _float_rule(rule, wires)


def _float_reward(wires: Wires) -> RuleProgram:
    rule = RewardModulatedSTDP(
        modulator=REWARD,
        learning_rate=workloads.REWARD_RATE * wires.gain,
        A_plus=workloads.TAG_POTENTIATION,
        A_minus=workloads.TAG_DEPRESSION,
    )
    return _float_rule(rule, wires)


def _fixed_traces() -> dict[str, TraceProgram]:
    decay = math.exp(-1 / TRACE_TAU)
    impulses = {"x1": workloads.IMPULSE_PRE, "y1": workloads.IMPULSE_POST}
    return {name: TraceProgram(impulse=float(impulse), decay=decay) for name, impulse in impulses.items()}


def _fixed_pairs(wires: Wires) -> RuleProgram:
    _, low, high = FIXED_BOUNDS[wires.is_excitatory]
    return RuleProgram(
        name="STDP",
        dw=parse("2^-6 * x1 * y0 - 2^-6 * y1 * x0"),
        dt=None,
        traces=_fixed_traces(),
        epoch=1,
        w_min=low,
        w_max=high,
        modulators={},
    )


def _fixed_reward(wires: Wires) -> RuleProgram:
    """``r t`` has 16 bits beside the mantissa's 4: the engine counts it 2^-5 times."""
    return dataclasses.replace(
        _fixed_pairs(wires),
        name="RewardModulatedSTDP",
        dw=parse("2^-7 * r * t * u0"),
        dt=parse(f"2^-2 * x1 * y0 - 2^-2 * y1 * x0 - {FIXED_TAG_LOSS} * t * u0"),
        modulators={REWARD: 1.0},
        third_factor_scale=float(workloads.REWARD_SCALE),
    )


_RULES = {
    ("stdp", "float"): _float_pairs,
    ("stdp", "fixed"): _fixed_pairs,
    ("reward", "float"): _float_reward,
    ("reward", "fixed"): _fixed_reward,
}
