"""Glial gain: astrocytes hold the activity of their territories through the release probability of its synapses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    HERTZ,
    NOT_NEGATIVE,
    SECONDS,
    SECONDS_OR_ZERO,
    SHARE,
    name_faults,
    number_faults,
)
from neuromorph.host_rules.rates import Rates
from neuromorph.host_rules.territories import ReleaseGain, Territories, territory_faults, territory_program_faults
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session


@final
@dataclass(frozen=True, kw_only=True)
class GlialGain(HostRule["GlialGainState"]):
    """Release probability of all synapses onto neuron j, ``p = p0 (1 + eSP - DSE)``, held within p_min..1; ``w ~ p / p0``.

    The astrocyte's calcium ``c`` integrates the mean rate of its territory for seconds (``tau_calcium``) and raises
    release at all synapses there; the neuron's own rate ``r`` lowers release at its own::

        eSP = potentiation c^2 / (c^2 + K^2),    DSE = depression r^2 / (r^2 + K^2),    K = rate_half

    With both strengths equal nothing changes while a neuron fires as its territory does. Where synapses of one neuron
    fail, its own brake goes while the territory's drive stays, and the synapses that are left release more: the rate is
    restored in part. p is a mean: release is not drawn at random. Wade, McDaid, Harkin, Crunelli and Kelso, Frontiers in
    Computational Neuroscience 6:76, 2012; De Pittà, Volman, Berry, Parpura, Volterra and Ben-Jacob, Frontiers in
    Computational Neuroscience 6:98, 2012.

    >>> GlialGain(projection="in->out", rate_half=10.0).release_probability
    0.3
    """

    projection: str
    rate_half: float  # Hz
    release_probability: float = 0.3  # p0, for which the weights stand when the rule begins
    release_minimum: float = 0.01
    potentiation: float = 4.0
    depression: float = 4.0
    tau_calcium: float = 10.0  # s
    tau_rate: float = 2.0  # s, of the neuron's own; 0: the rate in the last chunk
    territories: Sequence[int] | None = None  # the astrocyte of each postsynaptic neuron; None: one for all

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "projection"),
            *number_faults(self, HERTZ, "rate_half"),
            *number_faults(self, SHARE, "release_probability", "release_minimum"),
            *number_faults(self, NOT_NEGATIVE, "potentiation", "depression"),
            *number_faults(self, SECONDS, "tau_calcium"),
            *number_faults(self, SECONDS_OR_ZERO, "tau_rate"),
            *territory_faults(self.territories),
        ]
        if not found and self.release_minimum > self.release_probability:
            found.append(f"release_minimum must be <= release_probability, got {self.release_minimum!r}")
        return found

    def program_faults(self, program: Program) -> list[str]:
        """The projection, spikes of its postsynaptic population, and territories of its size."""
        return territory_program_faults(program, self.projection, self.territories)

    def _state(self, session: Session) -> GlialGainState:
        return GlialGainState(self, session)


@final
class GlialGainState(HostRuleState):
    """Calcium of every territory, rates and release of every neuron."""

    def __init__(self, rule: GlialGain, session: Session) -> None:
        self.rule = rule
        self.gain = ReleaseGain(session.program, rule.projection)
        post, neurons = session.program.projection(rule.projection).post, self.gain.weights.neurons
        self.territories = Territories(post, rule.territories, neurons, tau=rule.tau_calcium, start=None)
        self.rates = Rates(post, neurons, tau=rule.tau_rate, start=None)

    @property
    def release(self) -> FloatArray:
        """Release probability onto every neuron, shape (post,)."""
        return self.rule.release_probability * self.gain.values

    def update(self, session: Session, chunk: Chunk) -> None:
        """Integrate, and set the release."""
        rule = self.rule
        calcium = self.territories.update(chunk)[self.territories.of_neuron]
        rates = self.rates.update(chunk)
        change = rule.potentiation * _saturating(calcium, rule.rate_half)
        change = change - rule.depression * _saturating(rates, rule.rate_half)
        release = np.clip(rule.release_probability * (1.0 + change), rule.release_minimum, 1.0)
        self.gain.set(session, release / rule.release_probability)


def _saturating(values: FloatArray, half: float) -> FloatArray:
    found: FloatArray = values**2 / (values**2 + half**2)
    return found
