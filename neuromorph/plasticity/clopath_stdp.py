"""Plasticity by the postsynaptic membrane."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import plus, require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def ClopathSTDP(
    *,
    A_LTD: float = 2.8e-3,
    A_LTP: float = 2.2e-3,
    theta_minus: float = 0.0,
    theta_plus: float = 1.25,
    tau_x: float = 15e-3,
    tau_minus: float = 10e-3,
    tau_plus: float = 7e-3,
    v_spike: float = 5.1,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """The Clopath rule weakens by presynaptic spikes onto a depolarised membrane, and strengthens where it spikes too.

    ``dw = -A_LTD * pos(y1 - theta_minus) * x0 + A_LTP * x1 * pos(y3 - theta_plus) * pos(y2 - theta_minus)``, the latter
    in every step. y3 is the membrane, y1 and y2 are its low-passes with ``tau_minus`` and ``tau_plus``, x1 that of
    presynaptic spikes with ``tau_x``, in s. A membrane without an upswing counts as ``v_spike`` in the step of a spike.
    The defaults are the paper's fit to visual cortex in units of the distance of 20.2 mV from rest (0 here) to
    threshold (1), for steps of 1 ms: ``A_LTP`` holds the paper's times 1 ms / tau_x. Clopath, Buesing, Vasilaki and
    Gerstner, Nature Neuroscience 13, 2010.

    >>> print(ClopathSTDP(A_LTD=0.5, A_LTP=0.25, theta_minus=0.125).dw_sum)
    -0.5 * pos(y1 - 0.125) * x0 + 0.25 * x1 * pos(y2 - 0.125) * pos(y3 - 1.25) * u0
    """
    numbers = {"A_LTD": A_LTD, "A_LTP": A_LTP, "theta_minus": theta_minus, "theta_plus": theta_plus, "v_spike": v_spike}
    require("ClopathSTDP", numbers=numbers, times={"tau_x": tau_x, "tau_minus": tau_minus, "tau_plus": tau_plus})
    taus = {"y1": tau_minus, "y2": tau_plus, "y3": 0.0}
    thetas = (theta_minus, theta_minus, theta_plus)
    slow, fast, now = (f"pos{plus(y, -theta)}" for y, theta in zip(taus, thetas, strict=True))
    membrane = {name: Trace(tau, impulse=v_spike, source="v") for name, tau in taus.items()}
    return rule_of(
        "ClopathSTDP",
        [(-A_LTD, f"{slow} * x0"), (A_LTP, f"x1 * {fast} * {now} * u0")],
        traces={"x1": Trace(tau_x), **membrane},
        w_min=w_min,
        w_max=w_max,
    )
