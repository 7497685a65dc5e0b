"""Spike-timing-dependent plasticity that waits for a reward."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def RewardModulatedSTDP(
    *,
    modulator: str = "reward",
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
    """Reward-modulated STDP lets pair STDP feed an eligibility tag, which a third factor turns into weight change.

    ``dt = A_plus * x1 * y0 - A_minus * y1 * x0`` with decay ``exp(-dt / tau_e)``, and in every step
    ``dw = learning_rate * r * t`` with the tag of the step before. ``modulator`` names a :class:`neuromorph.Modulator`:
    one value per step (reward), or one per step and postsynaptic neuron (teacher). Time constants in s. With ``epoch``
    (s) both happen once an epoch, and r is its value in the epoch's last step. Izhikevich, Cerebral Cortex 17(10),
    2007; Fremaux and Gerstner, Frontiers in Neural Circuits 9:85, 2016.

    >>> print(RewardModulatedSTDP(modulator="dopamine", learning_rate=0.1).dw_sum)
    0.1 * t * r * u0
    """
    require(
        "RewardModulatedSTDP",
        numbers={"learning_rate": learning_rate, "A_plus": A_plus, "A_minus": A_minus},
        times={"tau_plus": tau_plus, "tau_minus": tau_minus, "tau_e": tau_e},
    )
    return rule_of(
        "RewardModulatedSTDP",
        [(learning_rate, "r * t * u0")],
        [(A_plus, "x1 * y0"), (-A_minus, "y1 * x0")],
        traces={"x1": Trace(tau_plus), "y1": Trace(tau_minus)},
        tau_tag=tau_e,
        modulators={modulator: 1.0},
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )
