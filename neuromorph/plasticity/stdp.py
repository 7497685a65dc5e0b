"""Pair-based spike-timing-dependent plasticity."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of, soft_bounds
from neuromorph.plasticity.rule import LearningRule, Pairing, Trace


def STDP(
    *,
    A_plus: float = 0.01,
    A_minus: float = 0.012,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
    mu_plus: int = 0,
    mu_minus: int = 0,
    pairing: Pairing = "all-to-all",
) -> LearningRule:
    """Pair STDP strengthens a synapse whose spikes lead postsynaptic ones, and weakens it where they follow.

    ``dw = A_plus * (w_max - w)^mu_plus * x1 * y0 - A_minus * (w - w_min)^mu_minus * y1 * x0``. A presynaptic spike k
    steps before a postsynaptic one changes w by ``A_plus exp(-k dt / tau_plus)``, the other order by
    ``-A_minus exp(-k dt / tau_minus)``; equal steps count for both. With ``pairing`` "all-to-all" every pair counts,
    with "nearest" the last spike of the other neuron only. Time constants in s, weights dimensionless, hard bounds. An
    amplitude of 0 leaves out its half of the window.

    ``mu_plus`` and ``mu_minus`` of 0 are additive bounds, 1 multiplicative ones, larger whole numbers power laws; the
    weight then needs that bound. Gerstner et al., Nature 383, 1996; Bi and Poo, J. Neurosci. 18(24), 1998; Song, Miller
    and Abbott, Nature Neuroscience 3(9), 2000; van Rossum, Bi and Turrigiano, J. Neurosci. 20(23), 2000; Guetig et al.,
    J. Neurosci. 23(9), 2003.

    >>> print(STDP(A_plus=0.5, A_minus=0.25).dw_sum)
    0.5 * x1 * y0 - 0.25 * y1 * x0
    >>> print(STDP(A_plus=0.5, A_minus=0.25, w_min=0.0, w_max=1.0, mu_plus=1, mu_minus=1).dw_sum)
    -0.5 * x1 * (w - 1.0) * y0 - 0.25 * y1 * w * x0
    """
    numbers, times = {"A_plus": A_plus, "A_minus": A_minus}, {"tau_plus": tau_plus, "tau_minus": tau_minus}
    upper, lower, faults = soft_bounds("STDP", w_min, w_max, mu_plus, mu_minus)
    require("STDP", numbers=numbers, times=times, faults=faults)
    return rule_of(
        "STDP",
        [(A_plus, f"x1{upper} * y0"), (-A_minus, f"y1{lower} * x0")],
        traces={"x1": Trace(tau_plus, pairing=pairing), "y1": Trace(tau_minus, pairing=pairing)},
        w_min=w_min,
        w_max=w_max,
    )
