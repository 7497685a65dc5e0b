"""Hand-made cases of the conformance kit: a plain one, one small one for each feature, and corners."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from neuromorph.backend import FEATURES
from neuromorph.connectors import (
    AllToAll,
    FixedProbability,
    OneToOne,
    Uniform,
)
from neuromorph.discretise import discretise
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import IF, LIF
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP, Trace
from neuromorph.testing.case import MS, Case, case_of, modulated_rule, named, pair_rule, spike_rows
from neuromorph.testing.corner_cases import corners_of_neurons, corners_of_rules, corners_of_synapses


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
        "per_neuron_parameters": case_of(mixed),
        "refractory": case_of(LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=3.0, refractory=3 * MS)),
        "adaptive_threshold": case_of(
            LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=3.0, threshold_increment=1.5, tau_threshold=40 * MS)
        ),
        "sparse": case_of(weights=scattered),
        "delay": case_of(delay=4 * MS),
        "delay_per_synapse": case_of(delay=delays),
        "several_delays": case_of(second_delay=5 * MS),
        "recurrent": case_of(recurrent=Uniform(-0.3, 0.3)),
        "learning": case_of(rule=pair_rule()),
        "learning_sparse": case_of(weights=scattered, rule=pair_rule()),
        "learning_delay": case_of(delay=3 * MS, rule=pair_rule()),
        "learned_delays": case_of(
            delay=2 * MS,
            rule=LearningRule(
                dw="0.01 * x1 * y0 - 0.01 * y1 * x0",
                dd="0.9 * x1 * y0 - 0.05 * d * x1 * y0 - 0.6 * y1 * x0 + 0.2 * w * x0",
                d_max=7 * MS,
                x1=x1,
                y1=y1,
            ),
        ),
        "tag": case_of(rule=LearningRule(dw="0.002 * t * u0 - 0.02 * x0", dt="x1 * y0 - 0.1 * t * u0", x1=x1)),
        "third_factor": case_of(
            rule=modulated_rule(reward=1.0),
            modulators=[Modulator("reward")],
        ),
        "third_factor_per_neuron": case_of(
            rule=modulated_rule(teacher=0.5),
            modulators=[Modulator("teacher", 4)],
        ),
        "several_modulators": case_of(
            rule=modulated_rule(reward=1.0, surprise=-0.5),
            modulators=[Modulator("reward"), Modulator("surprise")],
        ),
        "epoch": case_of(rule=pair_rule(epoch=4 * MS), rate=0.25),
        "sparse_dependency": case_of(rule=LearningRule(dw="0.03 * x1 * y0 - 0.05 * w * u2", x1=x1)),
        "second_traces": case_of(
            rule=LearningRule(
                dw="0.01 * x1 * y2 * y0 - 0.01 * y1 * x0 - 0.01 * x2 * y3 * u0",
                x1=x1,
                x2=Trace(4 * MS, 0.5),
                y1=y1,
                y2=Trace(30 * MS),
                y3=Trace(6 * MS, 2.0),
            )
        ),
        "non_decaying_trace": case_of(rule=LearningRule(dw="0.001 * x1 * y0 - 0.005 * x0", x1=Trace(math.inf))),
        "nearest_traces": case_of(
            rule=LearningRule(
                dw="0.02 * x1 * y0 - 0.015 * y1 * x0",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 1.0, "nearest"),
            )
        ),
        "membrane_traces": case_of(
            rule=LearningRule(
                dw="0.002 * x1 * y1 * u0 - 0.01 * y1 * x0 - 0.01 * y1 * y0",
                x1=x1,
                y1=Trace(8 * MS, impulse=3.0, source="v"),
            )
        ),
        "rectified_factors": case_of(
            rule=LearningRule(
                dw="0.05 * pos(x1 - 0.8) * y0 - 0.02 * pos(y1 - 0.5) * x0 - 0.01 * pos(w - 0.3) * u0", x1=x1, y1=y1
            )
        ),
        "factors": case_of(
            rule=LearningRule(
                dw="0.02 * x1 * (0.8 - w) * y0 - 0.01 * sgn(w - 0.3) * x0 + 0.01 * (y1 - 0.5) * x0", x1=x1, y1=y1
            )
        ),
        "weight_bounds": case_of(rule=pair_rule(w_min=0.1, w_max=0.6)),
    }
    return {name: named(name, cases[name]) for name in FEATURES if name in cases}


def minimal_cases() -> list[Case]:
    """Hand-made cases: a plain one, one for each feature, and corners that need no feature of their own."""
    reward = RewardModulatedSTDP(modulator="reward", learning_rate=0.01, tau_plus=10 * MS, tau_e=50 * MS)
    corners = {
        "no synaptic filter": case_of(LIF(tau_mem=10 * MS, tau_syn=0.0, v_threshold=1.0)),
        "no leak": case_of(IF(v_threshold=6.0)),
        "threshold reached": case_of(IF(v_threshold=4.0), weights=AllToAll(1.0), rate=0.06),
        "no decay at all": case_of(IF(v_threshold=300.0, tau_syn=math.inf)),
        "bias alone": case_of(LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.06), rate=0.0),
        "inhibition": case_of(
            LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.15), weights=AllToAll(Uniform(-0.4, 0.3), seed=5)
        ),
        "euler": case_of(integration="euler"),
        "empty projection": case_of(weights=FixedProbability(0.0, 0.5), second_delay=MS),
        "one to one": case_of(LIF(tau_mem=20 * MS, tau_syn=3 * MS, v_threshold=5.0), weights=OneToOne(1.6), inputs=4),
        "self connections": case_of(recurrent=OneToOne(-0.5)),
        "two projections of one pair": case_of(
            second_delay=MS, rule=STDP(A_plus=0.02, A_minus=0.02, w_min=0.0, w_max=1.0)
        ),
        "recurrent learning": case_of(recurrent=Uniform(0.0, 0.2), recurrent_rule=STDP(A_plus=0.01, A_minus=0.008)),
        "reward": case_of(rule=reward, modulators=[Modulator("reward")]),
        "chain": _chain(),
        **corners_of_neurons(),
        **corners_of_synapses(),
        **corners_of_rules(),
    }
    return [
        named("plain", case_of()),
        *feature_cases().values(),
        *(named(name, case) for name, case in corners.items()),
    ]


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
