"""Synaptic scaling: every neuron multiplies all its incoming weights so that its rate returns to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    HERTZ,
    SECONDS,
    SECONDS_OR_ZERO,
    SHARE,
    name_faults,
    number_faults,
    projection_faults,
    spike_faults,
)
from neuromorph.host_rules.rates import Rates
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.session import Session


@final
@dataclass(frozen=True, kw_only=True)
class SynapticScaling(HostRule["HostRuleState"]):
    """``w *= 1 + (T / tau) (rate_target - rate) / rate_target`` after every chunk of T seconds.

    ``rate`` is the postsynaptic neuron's own, low-passed with ``tau_rate``, and starts at the target. All weights onto
    a neuron are multiplied by one factor, so that their ratios and signs stay. Homeostasis must be faster than the
    learning that it holds: Zenke, Hennequin and Gerstner, PLoS Computational Biology 9(11), 2013. Turrigiano et al.,
    Nature 391, 1998; van Rossum, Bi and Turrigiano, J. Neurosci. 20(23), 2000.

    >>> SynapticScaling(projection="in->out", rate_target=-5.0)
    Traceback (most recent call last):
    ...
    neuromorph.errors.RuleError: SynapticScaling.rate_target must be > 0 Hz, got -5.0
    """

    projection: str
    rate_target: float  # Hz
    tau: float = 20.0  # s, in which a neuron that is silent would grow its weights e-fold
    tau_rate: float = 1.0  # s, of the low-pass; 0: the rate in the last chunk
    max_change: float = 0.5  # the factor of one chunk stays within 1 - max_change .. 1 + max_change

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        return [
            *name_faults(self, "projection"),
            *number_faults(self, HERTZ, "rate_target"),
            *number_faults(self, SECONDS, "tau"),
            *number_faults(self, SECONDS_OR_ZERO, "tau_rate"),
            *number_faults(self, SHARE, "max_change"),
        ]

    def program_faults(self, program: Program) -> list[str]:
        """The projection, and spikes of its postsynaptic population."""
        return projection_faults(program, self.projection) or spike_faults(
            program, program.projection(self.projection).post
        )

    def _state(self, session: Session) -> HostRuleState:
        return SynapticScalingState(self, session)


@final
class SynapticScalingState(HostRuleState):
    """Rates of the postsynaptic neurons."""

    def __init__(self, rule: SynapticScaling, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        post = session.program.projection(rule.projection).post
        self.rates = Rates(post, self.weights.neurons, tau=rule.tau_rate, start=rule.rate_target)

    def update(self, session: Session, chunk: Chunk) -> None:
        """Scale once."""
        rule = self.rule
        error = (rule.rate_target - self.rates.update(chunk)) / rule.rate_target
        change = np.clip(chunk.seconds / rule.tau * error, -rule.max_change, rule.max_change)
        values = self.weights.read(session)
        self.weights.write(session, values * (1.0 + change)[self.weights.post])
