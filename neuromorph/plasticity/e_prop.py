"""Eligibility propagation."""

from __future__ import annotations

import math

from neuromorph.plasticity.named_rule import require, rule_of
from neuromorph.plasticity.rule import LearningRule, Trace


def EProp(
    *,
    learning_signal: str = "learning signal",
    learning_rate: float = 0.01,
    pseudo_derivative: str = "spikes",
    tau_mem: float = 20e-3,
    tau_psi: float = 5e-3,
    tau_e: float = 20e-3,
    v_threshold: float = 1.0,
    damping: float = 0.3,
    w_min: float = -math.inf,
    w_max: float = math.inf,
    epoch: float | None = None,
) -> LearningRule:
    """E-prop turns eligibility, presynaptic trace times pseudo-derivative, into weight by a learning signal per neuron.

    ``dt = psi * x1`` in every step with decay ``exp(-dt / tau_e)``, the readout's low-pass, and
    ``dw = -learning_rate * r * t``. x1 low-passes presynaptic spikes by the postsynaptic ``tau_mem``; r is the learning
    signal ``sum(B * (output - target))`` of each postsynaptic neuron, from the :class:`neuromorph.Modulator` that
    ``learning_signal`` names. With ``pseudo_derivative="membrane"`` psi is the paper's ``damping / v_threshold * max(0,
    1 - |v - v_threshold| / v_threshold)``; with "spikes", where no membrane can be read, it is the trace of the
    neuron's own spikes with ``tau_psi``. Time constants in s. Bellec et al., Nature Communications 11:3625, 2020.

    >>> print(EProp().dt_sum, "or", EProp(pseudo_derivative="membrane").dt_sum)
    1.0 * x1 * y1 * u0 or 0.3 * x1 * pos(y1) * u0
    """
    times = {"tau_mem": tau_mem, "tau_psi": tau_psi, "tau_e": tau_e}
    faults = []
    if pseudo_derivative not in ("spikes", "membrane"):
        faults.append(f"EProp.pseudo_derivative must be 'spikes' or 'membrane', got {pseudo_derivative!r}")
    numbers, positive = {"learning_rate": learning_rate}, {"v_threshold": v_threshold, "damping": damping}
    require("EProp", numbers=numbers, positive=positive, times=times, faults=faults)
    if pseudo_derivative == "spikes":
        psi, scale, y1 = "y1", 1.0, Trace(tau_psi)
    else:  # v is at most v_threshold, which a spiking neuron is taken to be at: 1 - |...| is v / v_threshold
        psi, scale, y1 = "pos(y1)", damping / v_threshold**2, Trace(0.0, impulse=v_threshold, source="v")
    return rule_of(
        "EProp",
        [(-learning_rate, "r * t * u0")],
        [(scale, f"x1 * {psi} * u0")],
        traces={"x1": Trace(tau_mem), "y1": y1},
        tau_tag=tau_e,
        modulators={learning_signal: 1.0},
        w_min=w_min,
        w_max=w_max,
        epoch=epoch,
    )
