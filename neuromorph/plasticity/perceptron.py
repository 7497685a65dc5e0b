"""The perceptron, on spikes."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def Perceptron(
    *,
    teacher: str = "teacher",
    learning_rate: float = 0.01,
    tau_plus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """The perceptron rule adds the input where a spike was missing, and takes it away where one was wrong.

    ``dw = learning_rate * (r - y0) * x1``: r is 1 in steps in which the neuron should spike, else 0, from the
    :class:`neuromorph.Modulator` ``teacher`` of as many values as there are postsynaptic neurons. A right spike changes
    nothing. Where patterns are single volleys of spikes that lie far apart against ``tau_plus`` (s) and the answer
    falls in the next step, this is the perceptron, and mistakes end if the patterns can be separated. Rosenblatt,
    Psychological Review 65, 1958; Novikoff, Symposium on the Mathematical Theory of Automata 12, 1962.

    >>> print(Perceptron(learning_rate=0.5).dw_sum)
    0.5 * x1 * r * u0 - 0.5 * x1 * y0
    """
    require("Perceptron", numbers={"learning_rate": learning_rate}, times={"tau_plus": tau_plus})
    return rule_of(
        "Perceptron",
        [(learning_rate, "r * x1 * u0"), (-learning_rate, "x1 * y0")],
        traces={"x1": Trace(tau_plus)},
        modulators={teacher: 1.0},
        w_min=w_min,
        w_max=w_max,
    )
