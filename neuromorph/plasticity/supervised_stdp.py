"""STDP with a teacher in the place of the postsynaptic neuron."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def SupervisedSTDP(
    *,
    teacher: str = "teacher",
    learning_rate: float = 0.01,
    a: float = 0.05,
    tau_plus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Supervised STDP (ReSuMe) makes a neuron spike when its teacher does: STDP with the teacher's spikes less its own.

    ``dw = learning_rate * (r - y0) * (a + x1)``: r is 1 in steps in which the teacher of a postsynaptic neuron spikes,
    else 0, from the :class:`neuromorph.Modulator` ``teacher``; the train may be a fixed one, or a Poisson train of the
    wanted rate. ``a`` raises or lowers all weights of a neuron that is too silent or too loud; learning rests when both
    trains are equal. ``tau_plus`` in s. Ponulak and Kasinski, Neural Computation 22(2), 2010.

    >>> print(SupervisedSTDP(learning_rate=0.5, a=0.25).dw_sum)
    0.5 * x1 * r * u0 + 0.125 * r * u0 - 0.5 * x1 * y0 - 0.125 * y0
    """
    numbers = {"learning_rate": learning_rate, "a": a}
    require("SupervisedSTDP", numbers=numbers, times={"tau_plus": tau_plus})
    whole = learning_rate * a
    return rule_of(
        "SupervisedSTDP",
        [(learning_rate, "r * x1 * u0"), (whole, "r * u0"), (-learning_rate, "x1 * y0"), (-whole, "y0")],
        traces={"x1": Trace(tau_plus)},
        modulators={teacher: 1.0},
        w_min=w_min,
        w_max=w_max,
    )
