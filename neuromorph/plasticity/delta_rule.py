"""The delta rule."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def DeltaRule(
    *,
    error: str = "error",
    learning_rate: float = 0.01,
    tau_plus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
    epoch: float | None = None,
) -> LearningRule:
    """The delta rule changes a weight by the error of its neuron times the presynaptic trace.

    ``dw = learning_rate * r * x1`` in every step, where r is ``target - output``: the :class:`neuromorph.Modulator`
    ``error`` of as many values as there are postsynaptic neurons, 0 in steps that teach nothing. ``tau_plus`` in s;
    with ``epoch`` (s) once an epoch, by the error of its last step. Widrow and Hoff, IRE WESCON Convention Record 4,
    1960.

    >>> print(DeltaRule(learning_rate=0.5).dw_sum)
    0.5 * x1 * r * u0
    """
    require("DeltaRule", numbers={"learning_rate": learning_rate}, times={"tau_plus": tau_plus})
    return rule_of(
        "DeltaRule",
        [(learning_rate, "r * x1 * u0")],
        traces={"x1": Trace(tau_plus)},
        modulators={error: 1.0},
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )
