"""Cases at the ends of ranges: parameters, connectors, delays and rules that no feature's own case has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuromorph.connectors import (
    AllToAll,
    Dense,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    Normal,
    Sparse,
    Uniform,
)
from neuromorph.inputs import Modulator
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.plasticity import variables as v
from neuromorph.recording import FloatArray
from neuromorph.testing.case import MS, Case, case_of, pair_rule


def corners_of_neurons() -> dict[str, Case]:
    """Parameters at the ends of their ranges, and others for each neuron."""
    filtered: dict[str, Any] = {"tau_mem": 20 * MS, "tau_syn": 3 * MS}
    return {
        "infinite thresholds": case_of(LIF(**filtered, v_threshold=np.array([3.0, math.inf, 5.0, math.inf]))),
        "voltage forgets at once": case_of(LIF(tau_mem=0.0, tau_syn=5 * MS, v_threshold=2.0)),
        "refractory periods of their own": case_of(
            LIF(**filtered, v_threshold=1.0, refractory=np.array([0.0, 4.0, 11.0, 25.0]) * MS)
        ),
        "adaptations of their own": case_of(
            LIF(
                **filtered,
                v_threshold=np.array([2.0, 1.0, 3.0, 0.5]),
                refractory=np.array([0.0, 3.0, 0.0, 1.0]) * MS,
                threshold_increment=np.array([0.0, 2.0, 0.3, 0.05]),
                tau_threshold=np.array([10.0, 5.0, 80.0, math.inf]) * MS,
            )
        ),
        "adaptation in Euler steps": case_of(
            LIF(**filtered, bias=0.6, threshold_increment=0.7, tau_threshold=25 * MS), integration="euler"
        ),
    }


def corners_of_synapses() -> dict[str, Case]:
    """Connectors that no other case has, and delays that are long or go round a loop."""
    drawn = np.random.default_rng(12)
    loop_delays: FloatArray = np.asarray(drawn.integers(1, 6, (4, 4)) * MS, dtype=np.float64)
    few = Sparse(
        np.array([0.9, 0.0, 1.3, 0.8, 1.1, 0.0]), np.array([1, 4, 0, 2, 3, 5]), np.array([0, 2, 3, 5, 6]), (4, 6)
    )
    dense = Dense(drawn.uniform(0.2, 0.9, (4, 6)) * (drawn.random((4, 6)) < 0.6))
    return {
        "longest delay": case_of(delay=60 * MS),
        "delays of a loop": case_of(recurrent=Uniform(-0.3, 0.3), recurrent_delay=loop_delays),
        "fixed degrees": case_of(
            weights=FixedOutDegree(3, Uniform(0.3, 0.9), seed=15),
            recurrent=FixedInDegree(2, Uniform(-0.3, 0.3), allow_self=False, seed=16),
        ),
        "normal weights": case_of(weights=AllToAll(Normal(0.35, 0.2), seed=13)),
        "weights of zero that grow": case_of(weights=dense, rule=pair_rule()),
        "stored weights of zero that grow": case_of(LIF(tau_syn=3 * MS), weights=few, rule=pair_rule()),
        "learning without self connections": case_of(
            recurrent=FixedProbability(0.9, Normal(0.1, 0.05), allow_self=False, seed=14), recurrent_rule=pair_rule()
        ),
    }


def corners_of_rules() -> dict[str, Case]:
    """Combinations of variables, dependencies and bounds that no other case has."""
    x1, y1, reward = Trace(10 * MS), Trace(15 * MS), [Modulator("reward")]
    return {
        "nearest traces in epochs": case_of(
            rule=LearningRule(
                dw="0.02 * x1 * y0 - 0.02 * y1 * x0 - 0.0005 * x1 * u1",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 0.7, "nearest"),
                epoch=4 * MS,
            ),
            rate=0.25,
        ),
        "a rule of one line": case_of(
            rule=LearningRule(
                dw=0.05 * v.x1 * v.y1 * v.r * (1.2 - v.w) * v.u0 - 0.01 * (v.x1 + v.y1) * v.w**2 * v.y0,
                x1=x1,
                y1=y1,
                modulators={"reward": 1.0},
            ),
            modulators=reward,
        ),
        "nearest traces with a reward": case_of(
            rule=LearningRule(
                dw="0.1 * r * x1 * y0 - 0.002 * y1 * x0",
                x1=Trace(10 * MS, 1.0, "nearest"),
                y1=Trace(15 * MS, 1.0, "nearest"),
                modulators={"reward": 1.0},
            ),
            modulators=reward,
        ),
        "membrane itself": case_of(
            LIF(tau_mem=10 * MS, tau_syn=3 * MS, v_threshold=5.0, refractory=3 * MS),
            rule=LearningRule(
                dw="0.01 * x1 * pos(y1 - 2) * y2 * u0 - 0.02 * y3 * x0",
                x1=x1,
                y1=Trace(0.0, impulse=6.0, source="v"),
                y2=Trace(20 * MS, source="v"),
                y3=y1,
            ),
        ),
        "delays alone that learn": case_of(
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
        "sign of zero": case_of(rule=LearningRule(dw="0.02 * sgn(x1) * y0 - 0.01 * sgn(y1) * x0", x1=x1, y1=y1)),
        "tag that reads the weight": case_of(
            rule=LearningRule(dw="0.02 * t * u0 - 0.01 * x0", dt="0.1 * w * x1 * y0 - 0.2 * t * u0", x1=x1)
        ),
        "upper bound alone": case_of(rule=pair_rule(w_max=0.65)),
        "inhibition that learns": case_of(
            LIF(tau_mem=20 * MS, tau_syn=3 * MS, bias=0.35),
            weights=AllToAll(Uniform(-0.3, 0.0), seed=5),
            rule=pair_rule(w_min=-0.5, w_max=0.0),
        ),
        "reward at epochs' ends": case_of(
            rule=LearningRule(dw="0.2 * r * x1 * y0", x1=x1, modulators={"reward": 1.0}, epoch=4 * MS),
            modulators=reward,
            rate=0.25,
        ),
        "sparse dependency of epochs": case_of(
            rule=LearningRule(dw="0.01 * x1 * y0 - 0.1 * w * u3", x1=x1, epoch=2 * MS)
        ),
    }
