"""STDP by triplets of spikes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace

_ORDER = ("A2_plus", "A3_plus", "A2_minus", "A3_minus", "tau_x", "tau_y")
_PUBLISHED = {  # tables 3 and 4 of the paper, all-to-all; tau_x counts only where A3_minus is not 0
    "visual cortex": (5e-10, 6.2e-3, 7e-3, 2.3e-4, 101e-3, 125e-3),
    "visual cortex, minimal": (0.0, 6.5e-3, 7.1e-3, 0.0, 101e-3, 114e-3),
    "hippocampus": (6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946e-3, 27e-3),
    "hippocampus, minimal": (5.3e-3, 8e-3, 3.5e-3, 0.0, 946e-3, 40e-3),
}
# ``TripletSTDP(**TRIPLET_PARAMETERS["hippocampus"])``
TRIPLET_PARAMETERS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {name: MappingProxyType(dict(zip(_ORDER, values, strict=True))) for name, values in _PUBLISHED.items()}
)


def TripletSTDP(
    *,
    A2_plus: float = 0.0,
    A3_plus: float = 6.5e-3,
    A2_minus: float = 7.1e-3,
    A3_minus: float = 0.0,
    tau_plus: float = 16.8e-3,
    tau_minus: float = 33.7e-3,
    tau_x: float = 101e-3,
    tau_y: float = 114e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Triplet STDP adds to pairs of spikes a third one, so that potentiation grows with the rate as in cortex.

    ``dw = x1 * (A2_plus + A3_plus * (y2 - 1)) * y0 - y1 * (A2_minus + A3_minus * (x2 - 1)) * x0``. The paper reads the
    slow traces y2 and x2 before the very spike: hence less 1, since here a trace is read with the impulse of its step.
    All spikes count. Time constants in s. :data:`TRIPLET_PARAMETERS` holds the paper's parameters; the default is
    "visual cortex, minimal". Those of nearest spikes are not among them: a trace that a spike sets to 1 no longer knows
    what it was before. Pfister and Gerstner, J. Neurosci. 26(38), 2006.

    >>> print(TripletSTDP().dw_sum)
    0.0065 * x1 * (y2 - 1.0) * y0 - 0.0071 * y1 * x0
    """
    numbers = {"A2_plus": A2_plus, "A3_plus": A3_plus, "A2_minus": A2_minus, "A3_minus": A3_minus}
    times = {"tau_plus": tau_plus, "tau_minus": tau_minus, "tau_x": tau_x, "tau_y": tau_y}
    require("TripletSTDP", numbers=numbers, times=times)
    potentiation = [(A2_plus, "x1 * y0"), (A3_plus, "x1 * (y2 - 1) * y0")]
    depression = [(-A2_minus, "y1 * x0"), (-A3_minus, "y1 * (x2 - 1) * x0")]
    traces = {"x1": tau_plus, "x2": tau_x, "y1": tau_minus, "y2": tau_y}
    traced = {name: Trace(tau) for name, tau in traces.items()}
    return rule_of("TripletSTDP", potentiation + depression, traces=traced, w_min=w_min, w_max=w_max)
