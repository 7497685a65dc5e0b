"""Prototypes: weights that come to rest at the mean presynaptic trace."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def SpikeTracePrototype(
    *,
    learning_rate: float = 0.05,
    trace_scale: float = 0.1,
    tau_plus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """The prototype rule moves the weights of a neuron that spikes towards what its inputs just did.

    ``dw = learning_rate * y0 * (trace_scale * x1 - w)``: at every postsynaptic spike a weight goes the part
    ``learning_rate`` of the way to the scaled presynaptic trace, and so comes to rest at its mean over these spikes.
    With competition among neurons each becomes the prototype of a cluster of inputs. ``tau_plus`` in s. Querlioz,
    Bichler, Dollfus and Gamrat, IEEE Transactions on Nanotechnology 12(3), 2013; Diehl and Cook, Frontiers in
    Computational Neuroscience 9:99, 2015.

    >>> print(SpikeTracePrototype(learning_rate=0.5, trace_scale=0.5).dw_sum)
    0.25 * x1 * y0 - 0.5 * w * y0
    """
    numbers = {"learning_rate": learning_rate, "trace_scale": trace_scale}
    require("SpikeTracePrototype", numbers=numbers, times={"tau_plus": tau_plus})
    return rule_of(
        "SpikeTracePrototype",
        [(learning_rate * trace_scale, "x1 * y0"), (-learning_rate, "w * y0")],
        traces={"x1": Trace(tau_plus)},
        w_min=w_min,
        w_max=w_max,
    )
