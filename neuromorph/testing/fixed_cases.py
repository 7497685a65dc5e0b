"""Cases of the conformance kit in fixed point: one for each feature, and the edges of a chip's integers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import WEIGHT_RANGES, SignMode, weight_step
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import PopulationProgram, ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.plasticity.language import parse
from neuromorph.program import Program
from neuromorph.testing.case import MS, Case, reward_rows, spike_rows
from neuromorph.testing.integers import integer_neurons, integer_synapses

PRE, POST, STEPS = 6, 4, 200
PAIR = "2^-3*x1*y0 - 2^-3*y1*x0"  # 7 + 7 bits: counted 2^-3 times, so 2^-6 of a trace unit
X1, Y1 = TraceProgram(impulse=40.0, decay=math.exp(-1 / 10)), TraceProgram(impulse=40.0, decay=math.exp(-1 / 15))


def fixed_feature_cases() -> dict[str, Case]:
    """By feature, a small fixed-point program that uses it."""
    scattered = np.random.default_rng(4).random((POST, PRE)) < 0.6
    delays = np.random.default_rng(5).integers(1, 8, (POST, PRE))
    pair = _rule(PAIR)
    reward = [Modulator("reward")]
    cases = {
        "fixed_point": _case(),
        "per_neuron_parameters": _case(
            du=[0, 600, 2000, 4095], dv=[0, 300, 4000, 4096], threshold=[40, 900, 60, 30], bias=[3, 0, -2, 1 << 7]
        ),
        "refractory": _case(refractory=3),
        "sparse": _case(exists=scattered),
        "delay": _case(delay=4),
        "delay_per_synapse": _case(delay=delays),
        "several_delays": _case(second=_second(delay=5)),
        "recurrent": _case(recurrent=True),
        "learning": _case(rule=pair),
        "learning_sparse": _case(exists=scattered, rule=pair),
        "learning_delay": _case(delay=3, rule=pair),
        "tag": _case(rule=_rule("2^-2*t*u0 - 2*x0", dt="2^-2*x1*y0 - 2^-2*t*u0", traces={"x1": X1})),
        "third_factor": _case(rule=_rule(f"2^-1*r*x1*y0 - {2**-4}*y1*x0", reward=1.0), modulators=reward),
        "third_factor_per_neuron": _case(
            rule=_rule("2^-1*r*x1*y0", traces={"x1": X1}, teacher=0.5), modulators=[Modulator("teacher", POST)]
        ),
        "several_modulators": _case(
            rule=_rule("2^-1*r*x1*y0", traces={"x1": X1}, reward=1.0, surprise=-0.5),
            modulators=[*reward, Modulator("surprise")],
        ),
        "epoch": _case(rule=_rule(PAIR, epoch=4), rate=0.25),
        "sparse_dependency": _case(rule=_rule("2^-2*x1*y0 - 2^-3*w*u2", traces={"x1": X1})),
        "second_traces": _case(
            rule=_rule(
                "2^3*x1*y2*y0 - 2^-3*y1*x0 - 2^-2*x2*y3*u0",
                traces={"x1": X1, "y1": Y1, "x2": _trace(4, 20), "y2": _trace(30, 60), "y3": _trace(6, 90)},
            )
        ),
        "factors": _case(rule=_rule("2^-2*x1*(w - 200)*y0 - 2^1*sgn(w - 100)*x0 + 2^-3*(y1 - 20)*x0")),
        "weight_bounds": _case(rule=_rule("2^2*x1*y0 - 2^2*y1*x0")),
    }
    return {name: dataclasses.replace(case, name=f"fixed: {name}") for name, case in cases.items()}


def fixed_cases() -> list[Case]:
    """One for each feature that fixed point has, and the edges of its ranges."""
    pair, reward = _rule(PAIR), [Modulator("reward")]
    edges = {
        "current forgets at once": _case(du=4095, threshold=150),
        "current decays by the offset alone": _case(du=0, threshold=4000, rate=0.03),
        "voltage without leak": _case(dv=0, threshold=400),
        "voltage forgets at once": _case(dv=4096, threshold=250),
        "threshold of one": _case(threshold=1),
        "largest threshold": _case(threshold=131071, exponent=5, dv=0),
        "threshold reached": _case(du=4095, dv=0, weight=64, threshold=128, rate=0.05),
        "bias alone": _case(bias=4095, threshold=500, rate=0.0),
        "largest bias": _case(bias=4095 << 7, threshold=70000, rate=0.0),
        "negative bias": _case(bias=-4095, threshold=40),
        "current wraps": _case(exponent=5, du=1, threshold=90000, rate=0.3, inputs=20),
        "current wraps downwards": _case("inhibitory", exponent=5, du=1, bias=4095 << 7, rate=0.3, inputs=20),
        "voltage saturates": _case(exponent=4, du=40, dv=0, threshold=131071, rate=0.5, inputs=12),
        "voltage saturates downwards": _case("inhibitory", exponent=4, du=40, dv=0, threshold=10, rate=0.5, inputs=12),
        "mixed signs": _case("mixed", threshold=300, bias=3000),
        "inhibition": _case("inhibitory", exponent=-3, threshold=400, bias=2047 << 2),
        **{f"weights of {bits} bits": _case(bits=bits) for bits in (1, 2, 3, 4, 5, 6)},
        "mixed weights of 3 bits": _case("mixed", bits=3, threshold=300, bias=3000),
        "sums shifted down": _case("mixed", exponent=-3, threshold=20, bias=100),
        "delayed sums shifted down": _case("mixed", exponent=-2, threshold=20, bias=100, delay=[1, 3, 2, 3, 1, 2]),
        "longest delay": _case(delay=63),
        "two projections of one pair": _case(second=_second(), rule=pair),
        "empty projection": _case(exists=np.zeros((POST, PRE), dtype=np.bool_), second=_second()),
        "recurrent learning": _case(recurrent=True, recurrent_rule=pair),
        "traces saturate": _case(rule=_rule(PAIR, traces={"x1": _trace(50, 127), "y1": _trace(50, 127)}), rate=0.3),
        "trace of one step": _case(rule=_rule(PAIR, traces={"x1": TraceProgram(impulse=90.0, decay=0.0), "y1": Y1})),
        "fractions of impulses": _case(rule=_rule(PAIR, traces={"x1": _trace(10, 4.25), "y1": _trace(15, 16.75)})),
        "fractions within epochs": _case(
            rule=_rule(PAIR, epoch=3, traces={"x1": _trace(10, 4.25), "y1": _trace(15, 16.75)}), rate=0.4, steps=201
        ),
        "weights saturate": _case(rule=_rule("2^3*x1*y0 - 2^4*y1*x0")),
        "mixed weights learn": _case("mixed", rule=_rule("2^0*x1*y0 - 2^0*y1*x0"), threshold=300, bias=3000),
        "inhibitory weights learn": _case(
            "inhibitory", exponent=-3, rule=_rule("2^0*x1*y0 - 2^0*y1*x0"), threshold=400, bias=2047 << 2
        ),
        "slow learning by rounding": _case(rule=_rule("2^-7*x1*y0 - 2^-7*y1*x0")),
        "tags saturate": _case(rule=_rule("2^-3*t*u0", dt="2^1*x1*y0 - 2^2*y1*x0"), rate=0.3),
        "tags stay low": _case(  # they come to -257, their very least, in step 398 and not before
            rule=_rule("-2^-6*t*u0", dt="-7*2^3*x1*y0", traces={"x1": X1}), threshold=2500, rate=0.25, steps=398
        ),
        "products saturate": _case(rule=_rule("7*2^8*x1*y1*y0 - 7*2^8*y1*w*x0")),
        "reward": _case(
            rule=_rule("2^-1*t*r*u0", dt="2^-1*x1*y0 - 2^-1*y1*x0 - 2^-3*t*u0", reward=1.0), modulators=reward
        ),
        "reward at epochs' ends": _case(
            rule=_rule("2^-1*r*x1*y0", traces={"x1": X1}, epoch=3, reward=1.0), modulators=reward, rate=0.25, steps=201
        ),
        "chain": _chain(),
        "current at the edge of its wrap": _case(du=4095, exponent=7, weight=128, threshold=90000, rate=0.9, inputs=8),
        "current at the lower edge of its wrap": _case(
            "inhibitory", du=4095, exponent=7, weight=-128, threshold=90000, rate=0.9, inputs=8
        ),
        "current wraps only once": _case(du=2000, exponent=7, weight=248, threshold=90000, rate=0.9, inputs=20),
        "sums of more than 32 bits": _case(du=4095, exponent=7, weight=255, threshold=10, rate=0.93, inputs=1100),
        "delays of a loop": _case(
            recurrent=True, recurrent_delay=np.random.default_rng(12).integers(1, 6, (POST, POST))
        ),
        "refractory periods of their own": _case(refractory=[0, 4, 11, 25], threshold=300),
        "sign of zero": _case(rule=_rule("2^2*sgn(w - 160)*y0 - 2^1*sgn(w - 100)*x0")),
        "tag that reads the weight": _case(
            rule=_rule("2^-2*t*u0 - 2*x0", dt="2^-3*w*y0 - 2^-2*t*u0", traces={"x1": X1})
        ),
        "factors saturate": _case(rule=_rule("2^-3*(x1 + 90)*y0 - 2^-6*(w + 400)*x0", traces={"x1": X1})),
    }
    named = [dataclasses.replace(case, name=f"fixed: {name}") for name, case in edges.items()]
    return [*fixed_feature_cases().values(), *named]


def _trace(tau: int, impulse: float) -> TraceProgram:
    return TraceProgram(impulse=float(impulse), decay=math.exp(-1 / tau))


def _rule(
    dw: str,
    *,
    dt: str | None = None,
    traces: Mapping[str, TraceProgram] | None = None,
    epoch: int = 1,
    **modulators: float,
) -> RuleProgram:
    return RuleProgram(
        name="case",
        dw=parse(dw),
        dt=None if dt is None else parse(dt),
        traces={"x1": X1, "y1": Y1} if traces is None else traces,
        epoch=epoch,
        w_min=0.0,
        w_max=255.0,
        modulators=modulators,
        third_factor_scale=64.0 if modulators else 1.0,
    )


def _second(delay: int = 1) -> ProjectionProgram:
    weights = _weights("excitatory", 8, np.ones((POST, PRE), np.bool_), 6)
    return integer_synapses("in", "out", weights, name="second", delay=delay, sign_mode="excitatory")


def _weights(sign_mode: SignMode, bits: int, exists: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[Any]:
    low, high = WEIGHT_RANGES[sign_mode]
    step = weight_step(sign_mode, bits)
    drawn = np.random.default_rng(seed).integers(low, high + 1, exists.shape)
    return np.where(exists, np.sign(drawn) * (np.abs(drawn) // step * step), 0)


def _program(
    inputs: Sequence[Input],
    populations: Sequence[PopulationProgram],
    projections: Sequence[ProjectionProgram],
    modulators: Sequence[Modulator] = (),
) -> Program:
    return Program(
        name="case",
        dt=MS,
        seed=0,
        inputs=inputs,
        populations=populations,
        projections=projections,
        modulators=modulators,
        arithmetic="fixed",
        chip="loihi1",
    )


def _case(
    sign_mode: SignMode = "excitatory",
    *,
    du: Any = 1000,
    dv: Any = 400,
    threshold: Any = 1200,
    bias: Any = 0,
    refractory: npt.ArrayLike = 0,
    weight: int | None = None,
    bits: int = 8,
    exponent: int = 0,
    exists: npt.NDArray[np.bool_] | None = None,
    delay: npt.ArrayLike = 1,
    rule: RuleProgram | None = None,
    second: ProjectionProgram | None = None,
    recurrent: bool = False,
    recurrent_delay: npt.ArrayLike = 1,
    recurrent_rule: RuleProgram | None = None,
    modulators: Sequence[Modulator] = (),
    inputs: int = PRE,
    rate: float = 0.12,
    steps: int = STEPS,
) -> Case:
    """An input onto four neurons, with what the arguments add to it."""
    full = np.ones((POST, inputs), np.bool_)
    weights = _weights(sign_mode, bits, full, 3) if weight is None else np.where(full, weight, 0)
    first = integer_synapses(
        "in", "out", weights, exists=exists, delay=delay, rule=rule, sign_mode=sign_mode, exponent=exponent, bits=bits
    )
    projections = [first]
    projections += [] if second is None else [second]
    if recurrent:
        loop = _weights("mixed", 8, np.ones((POST, POST), np.bool_), 7) // 4 * 2
        projections.append(integer_synapses("out", "out", loop, delay=recurrent_delay, rule=recurrent_rule))
    out = integer_neurons("out", POST, du=du, dv=dv, threshold=threshold, bias=bias, refractory=refractory)
    program = _program([Input("in", inputs)], [out], projections, modulators)
    return Case(
        name="case",
        program=program,
        inputs={"in": spike_rows(steps, inputs, rate, seed=1)},
        modulators={m.name: reward_rows(steps, m.size, seed=20 + index) for index, m in enumerate(modulators)},
        steps=steps,
    )


def _chain() -> Case:
    """An input that drives three populations, one after the other."""
    names = ["in", "first", "middle", "last"]
    populations = [
        integer_neurons(name, POST, du=1000, dv=400, threshold=900, refractory=index)
        for index, name in enumerate(names[1:])
    ]
    projections = []
    for index, (pre, post) in enumerate(pairwise(names)):
        size = PRE if pre == "in" else POST
        weights = _weights("mixed" if index == 1 else "excitatory", 8, np.ones((POST, size), np.bool_), 8 + index)
        mode: SignMode = "mixed" if index == 1 else "excitatory"
        projections.append(integer_synapses(pre, post, weights, sign_mode=mode, exponent=index))
    program = _program([Input("in", PRE)], populations, projections)
    return Case(name="case", program=program, inputs={"in": spike_rows(STEPS, PRE, 0.2, 2)}, steps=STEPS)
