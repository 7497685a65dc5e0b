"""Inhibition that balances excitation."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import plus, require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def InhibitorySTDP(
    *,
    learning_rate: float = 0.001,
    target_rate: float = 5.0,
    tau: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = 0.0,
) -> LearningRule:
    """Inhibitory STDP strengthens inhibition until the postsynaptic neuron spikes at its target rate.

    ``dw = -learning_rate * (x1 * y0 + (y1 - 2 * target_rate * tau) * x0)``: the weight is negative here, the paper's
    its size. Near spikes of either order strengthen inhibition, a presynaptic spike alone weakens it, and both cancel
    where the postsynaptic rate is ``target_rate``. ``tau`` in s, ``target_rate`` in Hz. Vogels, Sprekeler, Zenke,
    Clopath and Gerstner, Science 334, 2011.

    >>> print(InhibitorySTDP(learning_rate=0.5).dw_sum)
    -0.5 * x1 * y0 - 0.5 * (y1 - 0.2) * x0
    """
    require(
        "InhibitorySTDP",
        numbers={"learning_rate": learning_rate, "target_rate": target_rate},
        positive={"tau": tau},
    )
    alpha = 2 * target_rate * tau
    return rule_of(
        "InhibitorySTDP",
        [(-learning_rate, "x1 * y0"), (-learning_rate, f"{plus('y1', -alpha)} * x0")],
        traces={"x1": Trace(tau), "y1": Trace(tau)},
        w_min=w_min,
        w_max=w_max,
    )
