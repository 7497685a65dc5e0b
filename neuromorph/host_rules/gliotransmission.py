"""Slow gliotransmission: an astrocyte that was driven long enough releases, and synapses are changed for many seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    FRACTION,
    HERTZ,
    SECONDS,
    SHARE,
    name_faults,
    number_faults,
)
from neuromorph.host_rules.territories import ReleaseGain, Territories, territory_faults, territory_program_faults
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session


@final
@dataclass(frozen=True, kw_only=True)
class Gliotransmission(HostRule["GliotransmissionState"]):
    """Release probability ``p = p0 + G (alpha - p0)`` of all synapses of a territory, ``w ~ p / p0``.

    Calcium ``c`` of the territory integrates its neurons' mean rate over ``tau_calcium``. Where it reaches
    ``calcium_threshold`` the astrocyte releases, ``G += released (1 - G)``, and calcium falls back to 0; between releases
    ``dG/dt = -G / tau_glio``. Gliotransmitter raises release where ``alpha > p0`` and lowers it where ``alpha < p0``. De
    Pittà, Volman, Berry and Ben-Jacob, PLoS Computational Biology 7(12), 2011.

    >>> Gliotransmission(projection="in->out", calcium_threshold=5.0).tau_glio
    30.0
    """

    projection: str
    calcium_threshold: float  # Hz
    alpha: float = 0.8  # release probability under full gliotransmission
    release_probability: float = 0.3  # p0, for which the weights stand when the rule begins
    released: float = 0.6  # share of what is free, at each release
    tau_calcium: float = 5.0  # s
    tau_glio: float = 30.0  # s
    territories: Sequence[int] | None = None  # the astrocyte of each postsynaptic neuron; None: one for all

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "projection"),
            *number_faults(self, HERTZ, "calcium_threshold"),
            *number_faults(self, FRACTION, "alpha"),
            *number_faults(self, SHARE, "release_probability", "released"),
            *number_faults(self, SECONDS, "tau_calcium", "tau_glio"),
            *territory_faults(self.territories),
        ]
        if not found and self.alpha == 0 and self.released == 1:
            found.append("released must be < 1 with alpha 0: no release would be left to come back from")
        return found

    def program_faults(self, program: Program) -> list[str]:
        """The projection, spikes of its postsynaptic population, and territories of its size."""
        return territory_program_faults(program, self.projection, self.territories)

    def _state(self, session: Session) -> GliotransmissionState:
        return GliotransmissionState(self, session)


@final
class GliotransmissionState(HostRuleState):
    """Calcium and gliotransmitter of every territory."""

    def __init__(self, rule: Gliotransmission, session: Session) -> None:
        self.rule = rule
        self.gain = ReleaseGain(session.program, rule.projection)
        post = session.program.projection(rule.projection).post
        self.territories = Territories(
            post, rule.territories, self.gain.weights.neurons, tau=rule.tau_calcium, start=0.0
        )
        self.transmitter: FloatArray = np.zeros(self.territories.sizes.size)  # G of every territory
        self.releases = np.zeros(self.territories.sizes.size, dtype=np.int64)  # of every territory, in all

    def update(self, session: Session, chunk: Chunk) -> None:
        """Integrate, release, and set the synapses."""
        rule, territories = self.rule, self.territories
        self.transmitter = self.transmitter * math.exp(-chunk.seconds / rule.tau_glio)
        releasing = territories.update(chunk) >= rule.calcium_threshold
        self.transmitter = np.where(
            releasing, self.transmitter + rule.released * (1.0 - self.transmitter), self.transmitter
        )
        territories.calcium = np.where(releasing, 0.0, territories.calcium)
        self.releases += releasing
        p0 = rule.release_probability
        gain = (p0 + self.transmitter * (rule.alpha - p0)) / p0
        self.gain.set(session, gain[territories.of_neuron])
