"""Cases of the conformance kit: a program with everything that is fed to it, and one small case for each feature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from neuromorph.backend import FEATURES, requirements
from neuromorph.connectors import (
    AllToAll,
    Connector,
    Dense,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    Normal,
    OneToOne,
    Sparse,
    Uniform,
)
from neuromorph.discretise import discretise
from neuromorph.errors import InputError, raise_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import IF, LIF
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP, Trace
from neuromorph.plasticity import variables as v
from neuromorph.program import Integration, Program
from neuromorph.recording import BoolArray, FloatArray

MS = 1e-3  # s; the time step of every case


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A program, the spikes and third factors that are fed to it, and for how many steps.

    >>> case = minimal_cases()[0]
    >>> case.name, case.steps, sorted(case.features)
    ('plain', 200, [])
    """

    name: str
    program: Program
    inputs: Mapping[str, BoolArray] = field(default_factory=dict)  # by input, shape (steps, size); not given: silent
    modulators: Mapping[str, FloatArray] = field(default_factory=dict)  # by modulator, shape (steps, size)
    steps: int = 500

    def __post_init__(self) -> None:
        for name in ("inputs", "modulators"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        sizes = {item.name: item.size for item in self.program.inputs}
        sizes |= {item.name: item.size for item in self.program.modulators}
        raise_faults(
            InputError,
            [
                f"case {self.name!r}: {name!r} must have shape ({self.steps}, {sizes.get(name, 'unknown')}), got {fed.shape}"
                for name, fed in (*self.inputs.items(), *self.modulators.items())
                if fed.shape != (self.steps, sizes.get(name))
            ],
        )

    @cached_property
    def features(self) -> frozenset[str]:
        """Features of :data:`neuromorph.backend.FEATURES` that the program uses."""
        return frozenset(feature for feature, _ in requirements(self.program))

    @property
    def period(self) -> int:
        """Steps after which epochs, and the epochs in which products act, repeat."""
        periods = [1]
        for projection in self.program.projections:
            if projection.rule is not None:
                slowest = max(int(d[1:]) for d in ("u0", *projection.rule.dependencies) if d[0] == "u")
                periods.append(projection.rule.epoch * 2**slowest)
        return math.lcm(*periods)


def spike_rows(steps: int, size: int, rate: float, seed: int) -> BoolArray:
    """Independent spikes, each neuron in a share ``rate`` of the steps."""
    return np.random.default_rng(seed).random((steps, size)) < rate


def reward_rows(steps: int, size: int, seed: int) -> FloatArray:
    """Third factors of both signs: none in most steps, in the others a value within -1..1."""
    rng = np.random.default_rng(seed)
    values: FloatArray = rng.uniform(-1.0, 1.0, (steps, size))
    return np.where(rng.random((steps, size)) < 0.3, values, 0.0)


def feature_cases() -> dict[str, Case]:
    """By feature, the smallest sensible program that uses it; it uses others only where the feature implies them."""
    x1, y1 = Trace(10 * MS), Trace(15 * MS)
    mixed = LIF(
        tau_mem=np.array([8.0, 12.0, 20.0, math.inf]) * MS,
        tau_syn=np.array([0.0, 3.0, 5.0, 8.0]) * MS,
        v_threshold=np.array([1.0, 5.0, 9.0, 40.0]),
        bias=np.array([0.02, 0.0, -0.01, 0.01]),
    )
    scattered = FixedProbability(0.6, Uniform(0.3, 0.9), seed=4)
    delays = np.array([[1, 2, 3, 4, 5, 1], [2, 2, 7, 1, 1, 3], [4, 1, 1, 6, 2, 2], [1, 3, 5, 2, 4, 6]]) * MS
    cases = {
        "per_neuron_parameters": _case(mixed),
        "refractory": _case(LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=3.0, refractory=3 * MS)),
        "adaptive_threshold": _case(
            LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=3.0, threshold_increment=1.5, tau_threshold=40 * MS)
        ),
        "sparse": _case(weights=scattered),
        "delay": _case(delay=4 * MS),
        "delay_per_synapse": _case(delay=delays),
        "several_delays": _case(second_delay=5 * MS),
        "recurrent": _case(recurrent=Uniform(-0.3, 0.3)),
        "learning": _case(rule=_pair()),
        "learning_sparse": _case(weights=scattered, rule=_pair()),
        "learning_delay": _case(delay=3 * MS, rule=_pair()),
        "learned_delays": _case(
            delay=2 * MS,
            rule=LearningRule(
                dw="0.01 * x1 * y0 - 0.01 * y1 * x0",
                dd="0.9 * x1 * y0 - 0.05 * d * x1 * y0 - 0.6 * y1 * x0 + 0.2 * w * x0",
                d_max=7 * MS,
                x1=x1,
                y1=y1,
            ),
        ),
        "tag": _case(rule=LearningRule(dw="0.002 * t * u0 - 0.02 * x0", dt="x1 * y0 - 0.1 * t * u0", x1=x1)),
        "third_factor": _case(
            rule=_modulated(reward=1.0),
            modulators=[Modulator("reward")],
        ),
        "third_factor_per_neuron": _case(
            rule=_modulated(teacher=0.5),
            modulators=[Modulator("teacher", 4)],
        ),
        "several_modulators": _case(
            rule=_modulated(reward=1.0, surprise=-0.5),
            modulators=[Modulator("reward"), Modulator("surprise")],
        ),
        "epoch": _case(rule=_pair(epoch=4 * MS), rate=0.25),
        "sparse_dependency": _case(rule=LearningRule(dw="0.03 * x1 * y0 - 0.05 * w * u2", x1=x1)),
        "second_traces": _case(
            rule=LearningRule(
                dw="0.01 * x1 * y2 * y0 - 0.01 * y1 * x0 - 0.01 * x2 * y3 * u0",
                x1=x1,
                x2=Trace(4 * MS, 0.5),
                y1=y1,
                y2=Trace(30 * MS),
                y3=Trace(6 * MS, 2.0),
            )
        ),
        "non_decaying_trace": _case(rule=LearningRule(dw="0.001 * x1 * y0 - 0.005 * x0", x1=Trace(math.inf))),
        "nearest_traces": _case(
            rule=LearningRule(
                dw="0.02 * x1 * y0 - 0.015 * y1 * x0",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 1.0, "nearest"),
            )
        ),
        "membrane_traces": _case(
            rule=LearningRule(
                dw="0.002 * x1 * y1 * u0 - 0.01 * y1 * x0 - 0.01 * y1 * y0",
                x1=x1,
                y1=Trace(8 * MS, impulse=3.0, source="v"),
            )
        ),
        "rectified_factors": _case(
            rule=LearningRule(
                dw="0.05 * pos(x1 - 0.8) * y0 - 0.02 * pos(y1 - 0.5) * x0 - 0.01 * pos(w - 0.3) * u0", x1=x1, y1=y1
            )
        ),
        "factors": _case(
            rule=LearningRule(
                dw="0.02 * x1 * (0.8 - w) * y0 - 0.01 * sgn(w - 0.3) * x0 + 0.01 * (y1 - 0.5) * x0", x1=x1, y1=y1
            )
        ),
        "weight_bounds": _case(rule=_pair(w_min=0.1, w_max=0.6)),
    }
    return {name: _named(name, cases[name]) for name in FEATURES if name in cases}


def minimal_cases() -> list[Case]:
    """Hand-made cases: a plain one, one for each feature, and corners that need no feature of their own."""
    reward = RewardModulatedSTDP(modulator="reward", learning_rate=0.01, tau_plus=10 * MS, tau_e=50 * MS)
    corners = {
        "no synaptic filter": _case(LIF(tau_mem=10 * MS, tau_syn=0.0, v_threshold=1.0)),
        "no leak": _case(IF(v_threshold=6.0)),
        "threshold reached": _case(IF(v_threshold=4.0), weights=AllToAll(1.0), rate=0.06),
        "no decay at all": _case(IF(v_threshold=300.0, tau_syn=math.inf)),
        "bias alone": _case(LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.06), rate=0.0),
        "inhibition": _case(
            LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.15), weights=AllToAll(Uniform(-0.4, 0.3), seed=5)
        ),
        "euler": _case(integration="euler"),
        "empty projection": _case(weights=FixedProbability(0.0, 0.5), second_delay=MS),
        "one to one": _case(LIF(tau_mem=20 * MS, tau_syn=3 * MS, v_threshold=5.0), weights=OneToOne(1.6), inputs=4),
        "self connections": _case(recurrent=OneToOne(-0.5)),
        "two projections of one pair": _case(
            second_delay=MS, rule=STDP(A_plus=0.02, A_minus=0.02, w_min=0.0, w_max=1.0)
        ),
        "recurrent learning": _case(recurrent=Uniform(0.0, 0.2), recurrent_rule=STDP(A_plus=0.01, A_minus=0.008)),
        "reward": _case(rule=reward, modulators=[Modulator("reward")]),
        "chain": _chain(),
        **_corners_of_neurons(),
        **_corners_of_synapses(),
        **_corners_of_rules(),
    }
    return [
        _named("plain", _case()),
        *feature_cases().values(),
        *(_named(name, case) for name, case in corners.items()),
    ]


def _corners_of_neurons() -> dict[str, Case]:
    """Parameters at the ends of their ranges, and others for each neuron."""
    filtered: dict[str, Any] = {"tau_mem": 20 * MS, "tau_syn": 3 * MS}
    return {
        "infinite thresholds": _case(LIF(**filtered, v_threshold=np.array([3.0, math.inf, 5.0, math.inf]))),
        "voltage forgets at once": _case(LIF(tau_mem=0.0, tau_syn=5 * MS, v_threshold=2.0)),
        "refractory periods of their own": _case(
            LIF(**filtered, v_threshold=1.0, refractory=np.array([0.0, 4.0, 11.0, 25.0]) * MS)
        ),
        "adaptations of their own": _case(
            LIF(
                **filtered,
                v_threshold=np.array([2.0, 1.0, 3.0, 0.5]),
                refractory=np.array([0.0, 3.0, 0.0, 1.0]) * MS,
                threshold_increment=np.array([0.0, 2.0, 0.3, 0.05]),
                tau_threshold=np.array([10.0, 5.0, 80.0, math.inf]) * MS,
            )
        ),
        "adaptation in Euler steps": _case(
            LIF(**filtered, bias=0.6, threshold_increment=0.7, tau_threshold=25 * MS), integration="euler"
        ),
    }


def _corners_of_synapses() -> dict[str, Case]:
    """Connectors that no other case has, and delays that are long or go round a loop."""
    drawn = np.random.default_rng(12)
    loop_delays: FloatArray = np.asarray(drawn.integers(1, 6, (4, 4)) * MS, dtype=np.float64)
    few = Sparse(
        np.array([0.9, 0.0, 1.3, 0.8, 1.1, 0.0]), np.array([1, 4, 0, 2, 3, 5]), np.array([0, 2, 3, 5, 6]), (4, 6)
    )
    dense = Dense(drawn.uniform(0.2, 0.9, (4, 6)) * (drawn.random((4, 6)) < 0.6))
    return {
        "longest delay": _case(delay=60 * MS),
        "delays of a loop": _case(recurrent=Uniform(-0.3, 0.3), recurrent_delay=loop_delays),
        "fixed degrees": _case(
            weights=FixedOutDegree(3, Uniform(0.3, 0.9), seed=15),
            recurrent=FixedInDegree(2, Uniform(-0.3, 0.3), allow_self=False, seed=16),
        ),
        "normal weights": _case(weights=AllToAll(Normal(0.35, 0.2), seed=13)),
        "weights of zero that grow": _case(weights=dense, rule=_pair()),
        "stored weights of zero that grow": _case(LIF(tau_syn=3 * MS), weights=few, rule=_pair()),
        "learning without self connections": _case(
            recurrent=FixedProbability(0.9, Normal(0.1, 0.05), allow_self=False, seed=14), recurrent_rule=_pair()
        ),
    }


def _corners_of_rules() -> dict[str, Case]:
    """Combinations of variables, dependencies and bounds that no other case has."""
    x1, y1, reward = Trace(10 * MS), Trace(15 * MS), [Modulator("reward")]
    return {
        "nearest traces in epochs": _case(
            rule=LearningRule(
                dw="0.02 * x1 * y0 - 0.02 * y1 * x0 - 0.0005 * x1 * u1",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 0.7, "nearest"),
                epoch=4 * MS,
            ),
            rate=0.25,
        ),
        "a rule of one line": _case(
            rule=LearningRule(
                dw=0.05 * v.x1 * v.y1 * v.r * (1.2 - v.w) * v.u0 - 0.01 * (v.x1 + v.y1) * v.w**2 * v.y0,
                x1=x1,
                y1=y1,
                modulators={"reward": 1.0},
            ),
            modulators=reward,
        ),
        "nearest traces with a reward": _case(
            rule=LearningRule(
                dw="0.1 * r * x1 * y0 - 0.002 * y1 * x0",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 1.0, "nearest"),
                modulators={"reward": 1.0},
            ),
            modulators=reward,
        ),
        "membrane itself": _case(
            LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=5.0, refractory=3 * MS),
            rule=LearningRule(
                dw="0.01 * x1 * pos(y1 - 2) * y2 * u0 - 0.02 * y3 * x0",
                x1=x1,
                y1=Trace(0.0, impulse=6.0, source="v"),
                y2=Trace(20 * MS, source="v"),
                y3=y1,
            ),
        ),
        "delays alone that learn": _case(
            weights=FixedProbability(0.7, Uniform(0.3, 0.9), seed=4),
            recurrent=Uniform(-0.3, 0.3),
            rule=LearningRule(
                dd="0.8 * t * u0 - 0.3 * sgn(d - 4) * x0",
                dt="r * x1 * y0 - 0.2 * t * u0",
                d_max=9 * MS,
                x1=x1,
                modulators={"reward": 1.0},
                epoch=2 * MS,
            ),
            modulators=reward,
        ),
        "sign of zero": _case(rule=LearningRule(dw="0.02 * sgn(x1) * y0 - 0.01 * sgn(y1) * x0", x1=x1, y1=y1)),
        "tag that reads the weight": _case(
            rule=LearningRule(dw="0.02 * t * u0 - 0.01 * x0", dt="0.1 * w * x1 * y0 - 0.2 * t * u0", x1=x1)
        ),
        "upper bound alone": _case(rule=_pair(w_max=0.65)),
        "inhibition that learns": _case(
            LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.35),
            weights=AllToAll(Uniform(-0.3, 0.0), seed=5),
            rule=_pair(w_min=-0.5, w_max=0.0),
        ),
        "reward at epochs' ends": _case(
            rule=LearningRule(dw="0.2 * r * x1 * y0", x1=x1, modulators={"reward": 1.0}, epoch=4 * MS),
            modulators=reward,
            rate=0.25,
        ),
        "sparse dependency of epochs": _case(
            rule=LearningRule(dw="0.01 * x1 * y0 - 0.1 * w * u3", x1=x1, epoch=2 * MS)
        ),
    }


def _pair(**fields: Any) -> LearningRule:
    """Pair STDP without bounds."""
    return LearningRule(dw="0.02 * x1 * y0 - 0.015 * y1 * x0", x1=Trace(10 * MS), y1=Trace(15 * MS), **fields)


def _modulated(**modulators: float) -> LearningRule:
    """Potentiation that a third factor turns on, off and round."""
    return LearningRule(
        dw="0.1 * r * x1 * y0 - 0.002 * y1 * x0", x1=Trace(10 * MS), y1=Trace(15 * MS), modulators=modulators
    )


def _named(name: str, case: Case) -> Case:
    return Case(name=name, program=case.program, inputs=case.inputs, modulators=case.modulators, steps=case.steps)


def _case(
    neuron: LIF | None = None,
    *,
    weights: Connector | None = None,
    delay: float | FloatArray | None = None,
    rule: LearningRule | None = None,
    second_delay: float | None = None,
    recurrent: Uniform | Connector | None = None,
    recurrent_delay: FloatArray | None = None,
    recurrent_rule: LearningRule | None = None,
    modulators: Sequence[Modulator] = (),
    integration: Integration = "exponential",
    inputs: int = 6,
    rate: float = 0.12,
    steps: int = 200,
) -> Case:
    """An input onto four neurons, with what the arguments add to it."""
    projections = [
        Projection("in", "out", weights or AllToAll(Uniform(0.1, 0.6), seed=3), delay=delay, plasticity=rule)
    ]
    if second_delay is not None:
        second = AllToAll(Uniform(0.0, 0.5), seed=6)
        projections.append(Projection("in", "out", second, delay=second_delay, name="second"))
    if recurrent is not None:
        loop = AllToAll(recurrent, seed=7) if isinstance(recurrent, Uniform) else recurrent
        projections.append(Projection("out", "out", loop, delay=recurrent_delay, plasticity=recurrent_rule))
    network = Network(
        populations=[
            Input("in", inputs),
            Population("out", 4, neuron or LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=5.0)),
        ],
        projections=projections,
        modulators=modulators,
    )
    return Case(
        name="case",
        program=discretise(network, dt=MS, integration=integration),
        inputs={"in": spike_rows(steps, inputs, rate, seed=1)},
        modulators={m.name: reward_rows(steps, m.size, seed=20 + index) for index, m in enumerate(modulators)},
        steps=steps,
    )


def _chain(steps: int = 200) -> Case:
    """An input that drives a chain of populations, and a second input that stays silent."""
    links = ["first", "middle", "last"]
    chain = [
        Population(name, 4, LIF(tau_mem=20 * MS, tau_syn=4 * MS, v_threshold=threshold))
        for name, threshold in zip(links, (8.0, 6.0, 6.0), strict=True)
    ]
    network = Network(
        populations=[Input("in", 5), Input("silent", 3), *chain],
        projections=[
            Projection("in", links[0], AllToAll(Uniform(0.1, 0.7), seed=8)),
            Projection("silent", links[0], AllToAll(1.0), name="silent->chain"),
            *(
                Projection(pre, post, AllToAll(Uniform(0.1, 0.6), seed=9 + index))
                for index, (pre, post) in enumerate(pairwise(links))
            ),
        ],
    )
    return Case(
        name="chain", program=discretise(network, dt=MS), inputs={"in": spike_rows(steps, 5, 0.15, 2)}, steps=steps
    )
