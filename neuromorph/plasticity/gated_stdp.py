"""STDP whose gain a neuromodulator sets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace

_ACETYLCHOLINE: Mapping[str, float] = MappingProxyType({"acetylcholine": 1.0})


def GatedSTDP(
    *,
    modulators: Mapping[str, float] = _ACETYLCHOLINE,
    baseline: float = 0.0,
    A_plus: float = 0.01,
    A_minus: float = 0.012,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Gated STDP multiplies the whole update by a neuromodulator: how much to learn now, by novelty or significance.

    ``dw = (baseline + r) * (A_plus * x1 * y0 - A_minus * y1 * x0)`` with r of the same step, the sum of ``modulators``
    by weight: acetylcholine for expected uncertainty, noradrenaline for surprise, as in
    ``modulators={"acetylcholine": 1.0, "noradrenaline": 0.5}``. With ``baseline`` 0 nothing is learned without them;
    with 1 they raise (or, negative, lower) a rate that is there. Time constants in s. Doya, Neural Networks 15, 2002;
    Yu and Dayan, Neuron 46, 2005.

    >>> print(GatedSTDP(A_plus=0.5, A_minus=0.25, baseline=0.5).dw_sum)
    0.5 * x1 * r * y0 - 0.25 * y1 * r * x0 + 0.25 * x1 * y0 - 0.125 * y1 * x0
    """
    require(
        "GatedSTDP",
        numbers={"baseline": baseline, "A_plus": A_plus, "A_minus": A_minus},
        times={"tau_plus": tau_plus, "tau_minus": tau_minus},
    )
    halves = [(A_plus, "x1 * y0"), (-A_minus, "y1 * x0")]
    return rule_of(
        "GatedSTDP",
        [(amplitude, f"r * {pair}") for amplitude, pair in halves]
        + [(baseline * amplitude, pair) for amplitude, pair in halves],
        traces={"x1": Trace(tau_plus), "y1": Trace(tau_minus)},
        modulators=modulators,
        w_min=w_min,
        w_max=w_max,
    )
