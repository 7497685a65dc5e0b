"""Oja's rule."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def Oja(
    *,
    learning_rate: float = 0.001,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Oja's rule is Hebb's with forgetting, so that weights turn to the first principal component and keep their norm.

    ``dw = learning_rate * (x1 * y1 - y1^2 * w)`` in every step, x1 and y1 being the running rates of both neurons
    (spikes in a time constant, in s). Of a neuron that answers by ``y1 = gain * sum(w * x1)`` the weights come to rest
    at the largest eigenvector of the mean of ``x1 x1'``, with norm ``1 / sqrt(gain)``. Oja, Journal of Mathematical
    Biology 15, 1982.

    >>> print(Oja(learning_rate=0.5).dw_sum)
    0.5 * x1 * y1 * u0 - 0.5 * y1 * y1 * w * u0
    """
    require("Oja", numbers={"learning_rate": learning_rate}, times={"tau_plus": tau_plus, "tau_minus": tau_minus})
    return rule_of(
        "Oja",
        [(learning_rate, "x1 * y1 * u0"), (-learning_rate, "y1 * y1 * w * u0")],
        traces={"x1": Trace(tau_plus), "y1": Trace(tau_minus)},
        w_min=w_min,
        w_max=w_max,
    )
