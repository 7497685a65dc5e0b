"""The prescribed error sensitivity."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def PES(
    *,
    error: str = "error",
    learning_rate: float = 1e-3,
    tau_plus: float = 5e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
    epoch: float | None = None,
) -> LearningRule:
    """PES lowers what a population decodes wrongly, by the error that its postsynaptic neurons are told.

    ``dw = -learning_rate * r * x1`` in every step. r is each postsynaptic neuron's share of ``output - target``, that
    is gain times encoder times error, from the :class:`neuromorph.Modulator` ``error``; its sign is the other one of
    :func:`DeltaRule`. Nengo's ``learning_rate`` is this one times the number of presynaptic neurons over
    ``1 - exp(-dt / tau_plus)``. ``tau_plus`` in s; with ``epoch`` (s) once an epoch, by the error of its last step.
    MacNeil and Eliasmith, PLoS ONE 6(9), 2011.

    >>> print(PES(learning_rate=0.5).dw_sum)
    -0.5 * x1 * r * u0
    """
    require("PES", numbers={"learning_rate": learning_rate}, times={"tau_plus": tau_plus})
    return rule_of(
        "PES",
        [(-learning_rate, "r * x1 * u0")],
        traces={"x1": Trace(tau_plus)},
        modulators={error: 1.0},
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )
