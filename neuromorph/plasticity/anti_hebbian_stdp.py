"""STDP turned round."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def AntiHebbianSTDP(
    *,
    A_plus: float = 0.01,
    A_minus: float = 0.0,
    recovery: float = 0.001,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Anti-Hebbian STDP weakens a synapse whose spikes lead postsynaptic ones: what is predicted is cancelled.

    ``dw = -A_plus * x1 * y0 + A_minus * y1 * x0 + recovery * x0``: pre k steps before post changes w by
    ``-A_plus exp(-k dt / tau_plus)``, the other order by ``A_minus exp(-k dt / tau_minus)``, and every presynaptic
    spike alone by ``recovery``. Time constants in s. As in the electrosensory lobe of mormyrid fish: Bell, Han,
    Sugawara and Grant, Nature 387, 1997; Roberts and Bell, J. Comput. Neurosci. 9, 2000.

    >>> print(AntiHebbianSTDP(A_plus=0.5, recovery=0.125).dw_sum)
    -0.5 * x1 * y0 + 0.125 * x0
    """
    require(
        "AntiHebbianSTDP",
        numbers={"A_plus": A_plus, "A_minus": A_minus, "recovery": recovery},
        times={"tau_plus": tau_plus, "tau_minus": tau_minus},
    )
    return rule_of(
        "AntiHebbianSTDP",
        [(-A_plus, "x1 * y0"), (A_minus, "y1 * x0"), (recovery, "x0")],
        traces={"x1": Trace(tau_plus), "y1": Trace(tau_minus)},
        w_min=w_min,
        w_max=w_max,
    )
