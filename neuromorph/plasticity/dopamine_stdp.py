"""STDP by the error of a predicted reward."""

from __future__ import annotations

import dataclasses
import math

from neuromorph.errors import RuleError, is_number, raise_faults
from neuromorph.plasticity.reward_modulated_stdp import RewardModulatedSTDP
from neuromorph.plasticity.rule import LearningRule


def DopamineSTDP(
    *,
    reward: str = "reward",
    value: str = "value",
    next_value: str = "next value",
    discount: float = 0.95,
    learning_rate: float = 1.0,
    A_plus: float = 1.0,
    A_minus: float = 1.0,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    tau_e: float = 1.0,
    w_min: float = -math.inf,
    w_max: float = math.inf,
    epoch: float | None = None,
) -> LearningRule:
    """Dopamine STDP turns the eligibility of recent spike pairs into weight by the error of a predicted reward.

    ``dw = learning_rate * (reward + discount * next_value - value) * t``, r being mixed from three modulators, and
    ``dt = A_plus * x1 * y0 - A_minus * y1 * x0``, a tag as in :func:`RewardModulatedSTDP`. A predicted reward teaches
    nothing; its cue does, and its omission punishes. Where a critic computes the error itself
    (:class:`neuromorph.plasticity.TemporalDifference`), hand it to ``RewardModulatedSTDP(modulator="dopamine")``. Time
    constants in s. Schultz, Dayan and Montague, Science 275, 1997; Izhikevich, Cerebral Cortex 17(10), 2007.

    >>> rule = DopamineSTDP(learning_rate=0.5, discount=0.875)
    >>> print(rule.dw_sum, dict(rule.modulators))
    0.5 * t * r * u0 {'reward': 1.0, 'next value': 0.875, 'value': -1.0}
    """
    names, faults = (reward, next_value, value), []
    if not (is_number(discount) and 0 <= discount <= 1):
        faults.append(f"DopamineSTDP.discount must be 0 to 1, got {discount!r}")
    if len(set(names)) < 3:
        faults.append(f"DopamineSTDP.reward, next_value and value must be three modulators, got {names!r}")
    raise_faults(RuleError, faults)
    rule = RewardModulatedSTDP(
        learning_rate=learning_rate,
        A_plus=A_plus,
        A_minus=A_minus,
        tau_plus=tau_plus,
        tau_minus=tau_minus,
        tau_e=tau_e,
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )
    mixed = dict(zip(names, (1.0, float(discount), -1.0), strict=True))
    return dataclasses.replace(rule, name="DopamineSTDP", modulators=mixed)
