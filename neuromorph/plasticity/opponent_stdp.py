"""STDP between two neuromodulators of opposite sign."""

from __future__ import annotations

import dataclasses
import math

from neuromorph.plasticity.named_rule import require
from neuromorph.plasticity.reward_modulated_stdp import RewardModulatedSTDP
from neuromorph.plasticity.rule import LearningRule


def OpponentSTDP(
    *,
    appetitive: str = "dopamine",
    aversive: str = "serotonin",
    balance: float = 1.0,
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
    """Opponent STDP learns from two neuromodulators that pull apart: dopamine for reward, serotonin for loss.

    ``dw = learning_rate * (appetitive - balance * aversive) * t``, r being mixed from two modulators, and
    ``dt = A_plus * x1 * y0 - A_minus * y1 * x0``, a tag as in :func:`RewardModulatedSTDP`. Both signals are at least 0,
    as concentrations are; together they hold a signed outcome. Time constants in s. Daw, Kakade and Dayan, Neural
    Networks 15, 2002; Doya, Neural Networks 15, 2002.

    >>> rule = OpponentSTDP(learning_rate=0.5)
    >>> print(rule.dw_sum, dict(rule.modulators))
    0.5 * t * r * u0 {'dopamine': 1.0, 'serotonin': -1.0}
    """
    same = [f"OpponentSTDP.appetitive and aversive must be two modulators, got {appetitive!r} twice"]
    require("OpponentSTDP", numbers={"balance": balance}, faults=same if appetitive == aversive else [])
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
    return dataclasses.replace(rule, name="OpponentSTDP", modulators={appetitive: 1.0, aversive: -float(balance)})
