"""STDP that does not ask which spike was first."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def SymmetricSTDP(
    *,
    A: float = 0.01,
    tau: float = 20e-3,
    depression: float = 0.0,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Symmetric STDP strengthens a synapse for spikes that are near in time, whichever comes first.

    ``dw = A * (x1 * y0 + y1 * x0) - depression * x0``: two spikes k steps apart change w by ``A exp(-k dt / tau)``, in
    one step by twice A, and every presynaptic spike takes ``depression`` away. ``tau`` in s, weights dimensionless. As
    between pyramidal cells of CA3: Mishra, Kim, Guzman and Jonas, Nature Communications 7:11552, 2016.

    >>> print(SymmetricSTDP(A=0.5, depression=0.25).dw_sum)
    0.5 * x1 * y0 + 0.5 * y1 * x0 - 0.25 * x0
    """
    require("SymmetricSTDP", numbers={"A": A, "depression": depression}, times={"tau": tau})
    return rule_of(
        "SymmetricSTDP",
        [(A, "x1 * y0"), (A, "y1 * x0"), (-depression, "x0")],
        traces={"x1": Trace(tau), "y1": Trace(tau)},
        w_min=w_min,
        w_max=w_max,
    )
