"""Learning by climbing fibres."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def CerebellarLTD(
    *,
    climbing_fibre: str = "climbing fibre",
    A_plus: float = 0.001,
    A_minus: float = 0.01,
    tau_plus: float = 100e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """The cerebellar rule weakens parallel fibres that spiked before a climbing fibre did, and strengthens lone ones.

    ``dw = A_plus * x0 - A_minus * r * x1``: r is the climbing fibre of each postsynaptic (Purkinje) cell, 1 in a step
    in which it spikes, else 0, or the signed error that it carries, from the :class:`neuromorph.Modulator` that
    ``climbing_fibre`` names. Every presynaptic spike adds ``A_plus``, so that a weight rests where climbing fibres meet
    its trace as often as ``A_plus / A_minus`` says. ``tau_plus`` in s: how long before the climbing fibre counts. Ito
    and Kano, Neuroscience Letters 33, 1982; Coesmans et al., Neuron 44, 2004; Medina et al., J. Neurosci. 20(14), 2000.

    >>> print(CerebellarLTD(A_plus=0.25, A_minus=0.5).dw_sum)
    -0.5 * x1 * r * u0 + 0.25 * x0
    """
    require("CerebellarLTD", numbers={"A_plus": A_plus, "A_minus": A_minus}, times={"tau_plus": tau_plus})
    return rule_of(
        "CerebellarLTD",
        [(-A_minus, "r * x1 * u0"), (A_plus, "x0")],
        traces={"x1": Trace(tau_plus)},
        modulators={climbing_fibre: 1.0},
        w_min=w_min,
        w_max=w_max,
    )
