"""The rule of Bienenstock, Cooper and Munro."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def BCM(
    *,
    learning_rate: float = 0.001,
    target: float = 1.0,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    tau_theta: float = 1.0,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """The BCM rule strengthens above a threshold of activity that slides with activity, and weakens below it.

    ``dw = learning_rate * x1 * y1 * (y1 - y2^2 / target)`` in every step; x1 and y1 are running rates (spikes in a time
    constant), y2 the mean of y1 over ``tau_theta``. The square of this slow trace stands for the running mean of y1^2,
    which no sum of products holds: it is the paper's own threshold ``(mean / target) * mean``, lower than the mean of
    squares where responses vary, and slides as steeply. ``tau_theta`` must be long against the time between patterns
    and short against learning. Time constants in s, ``target`` as y1. Bienenstock, Cooper and Munro, J. Neurosci. 2(1),
    1982; Intrator and Cooper, Neural Networks 5, 1992, for the mean of squares.

    >>> print(BCM(learning_rate=0.5, target=2.0).dw_sum)
    0.5 * x1 * y1 * y1 * u0 - 0.25 * x1 * y1 * y2 * y2 * u0
    """
    require(
        "BCM",
        numbers={"learning_rate": learning_rate},
        positive={"target": target, "tau_minus": tau_minus, "tau_theta": tau_theta},
        times={"tau_plus": tau_plus},
    )
    return rule_of(
        "BCM",
        [(learning_rate, "x1 * y1 * y1 * u0"), (-learning_rate / target, "x1 * y1 * y2 * y2 * u0")],
        traces={
            "x1": Trace(tau_plus),
            "y1": Trace(tau_minus),
            "y2": Trace(tau_theta, impulse=tau_minus / tau_theta),  # of the same mean as y1
        },
        w_min=w_min,
        w_max=w_max,
    )
