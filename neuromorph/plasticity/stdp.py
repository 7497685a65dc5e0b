"""Pair-based spike-timing-dependent plasticity."""

from __future__ import annotations

import math

from neuromorph.errors import RuleError, is_number, raise_faults
from neuromorph.plasticity.rule import LearningRule, Trace


def STDP(
    *,
    A_plus: float = 0.01,
    A_minus: float = 0.012,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
) -> LearningRule:
    """Additive pair STDP, all-to-all: ``dw = A_plus * x1 * y0 - A_minus * y1 * x0``.

    A presynaptic spike k steps before a postsynaptic one changes w by ``A_plus exp(-k dt / tau_plus)``, the other
    order by ``-A_minus exp(-k dt / tau_minus)``; equal steps count for both. Time constants in s, weights
    dimensionless, hard bounds. Gerstner et al., Nature 383, 1996; Bi and Poo, J. Neurosci. 18(24), 1998; Song,
    Miller and Abbott, Nature Neuroscience 3(9), 2000.

    An amplitude of 0 leaves out its half of the window.

    >>> print(STDP(A_plus=0.5, A_minus=0.25).dw_sum)
    0.5 * x1 * y0 - 0.25 * y1 * x0
    """
    return LearningRule(
        name="STDP",
        dw=_pairs(A_plus, A_minus),
        x1=Trace(tau_plus) if A_plus else None,
        y1=Trace(tau_minus) if A_minus else None,
        w_min=w_min,
        w_max=w_max,
    )


def RewardModulatedSTDP(
    *,
    modulator: str,
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
    """Reward-modulated STDP: pair STDP feeds an eligibility tag, a third factor turns the tag into weight change.

    ``dt = A_plus * x1 * y0 - A_minus * y1 * x0`` with decay ``exp(-dt / tau_e)``, and in every step
    ``dw = learning_rate * r * t`` with the tag of the step before. ``modulator`` names a
    :class:`neuromorph.Modulator`: one value per step (reward), or one per step and postsynaptic neuron (teacher).
    Time constants in s. With ``epoch`` (s) both happen once an epoch, and r is its value in the epoch's last step. Izhikevich, Cerebral Cortex 17(10), 2007; Fremaux and Gerstner, Frontiers in Neural Circuits
    9:85, 2016.

    >>> print(RewardModulatedSTDP(modulator="dopamine", learning_rate=0.1).dw_sum)
    0.1 * t * r * u0
    """
    return LearningRule(
        name="RewardModulatedSTDP",
        dw=f"{_finite(learning_rate)!r} * r * t * u0",
        dt=_pairs(A_plus, A_minus),
        x1=Trace(tau_plus) if A_plus else None,
        y1=Trace(tau_minus) if A_minus else None,
        tau_tag=tau_e,
        modulators={modulator: 1.0},
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )


def _pairs(potentiation: float, depression: float) -> str:
    """Both halves of the window; a half of amplitude 0 is left out, with its trace."""
    numbers = {"A_plus": potentiation, "A_minus": depression}
    raise_faults(
        RuleError, [f"STDP.{k} must be a finite number, got {v!r}" for k, v in numbers.items() if not is_number(v)]
    )
    halves = [(float(potentiation), "x1 * y0"), (-float(depression), "y1 * x0")]
    present = [(amplitude, pair) for amplitude, pair in halves if amplitude]
    text = " ".join(f"{'-' if amplitude < 0 else '+'} {abs(amplitude)!r} * {pair}" for amplitude, pair in present)
    return text.removeprefix("+ ") or "0.0 * x0"


def _finite(learning_rate: float) -> float:
    if not is_number(learning_rate):
        raise RuleError(f"RewardModulatedSTDP.learning_rate must be a finite number, got {learning_rate!r}")
    return float(learning_rate)
