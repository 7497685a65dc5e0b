"""Hebb's rule."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def Hebbian(
    *,
    learning_rate: float = 0.01,
    form: str = "spikes",
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Hebb's rule strengthens a synapse whose two neurons are active together.

    With ``form="spikes"`` ``dw = learning_rate * x1 * y0``: at each postsynaptic spike, by the presynaptic trace. With
    ``form="rates"`` by ``learning_rate * x1 * y1`` in every step, the traces being running rates: a steady rate holds a
    trace near rate times ``tau_plus`` (``tau_minus``), both in s. Weights, dimensionless, grow without bound;
    ``w_max``, :func:`Oja` or homeostasis holds them. Hebb, The Organization of Behavior, 1949; Gerstner and Kistler,
    Biological Cybernetics 87, 2002.

    >>> print(Hebbian(learning_rate=0.5).dw_sum, "or", Hebbian(learning_rate=0.5, form="rates").dw_sum)
    0.5 * x1 * y0 or 0.5 * x1 * y1 * u0
    """
    forms = {"spikes": "x1 * y0", "rates": "x1 * y1 * u0"}
    require(
        "Hebbian",
        numbers={"learning_rate": learning_rate},
        times={"tau_plus": tau_plus, "tau_minus": tau_minus},
        faults=[] if form in forms else [f"Hebbian.form must be 'spikes' or 'rates', got {form!r}"],
    )
    return rule_of(
        "Hebbian",
        [(learning_rate, forms[form])],
        traces={"x1": Trace(tau_plus), "y1": Trace(tau_minus)},
        w_min=w_min,
        w_max=w_max,
    )
