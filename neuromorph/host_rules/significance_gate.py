"""Gating by significance: a modulator multiplies all that was learned in a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import POSITIVE, modulator_faults, name_faults, number_faults, projection_faults
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.session import Session


@final
@dataclass(frozen=True, kw_only=True)
class SignificanceGate(HostRule["HostRuleState"]):
    """``w = w_before + g (w - w_before)`` after every chunk, with ``g = clip(mean of the modulator, 0, gain_max)``.

    What the learning rule did in the chunk counts g times: nothing is learned at 0, and what is rare but weighty is learned
    in few exposures with g above 1. A modulator of one value per postsynaptic neuron gates each neuron's synapses. Inside
    a chunk the ungated weights are at work: for a gate in every step write ``r`` into the rule's products instead.
    McGaugh, Annual Review of Neuroscience 27, 2004; Frémaux and Gerstner, Frontiers in Neural Circuits 9:85, 2016.

    >>> SignificanceGate(projection="in->out", modulator="significance").gain_max
    10.0
    """

    projection: str
    modulator: str
    gain_max: float = 10.0

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        return [*name_faults(self, "projection", "modulator"), *number_faults(self, POSITIVE, "gain_max")]

    def program_faults(self, program: Program) -> list[str]:
        """The projection, and a modulator of one value or one for each postsynaptic neuron."""
        found = projection_faults(program, self.projection) + modulator_faults(program, self.modulator)
        if not found:
            size = next(modulator.size for modulator in program.modulators if modulator.name == self.modulator)
            post = program.projection(self.projection).post_size
            if size not in (1, post):
                found.append(f"modulator {self.modulator!r} must have size 1 or {post}, got {size}")
        return found

    def _state(self, session: Session) -> HostRuleState:
        return SignificanceGateState(self, session)


@final
class SignificanceGateState(HostRuleState):
    """The weights before the chunk."""

    def __init__(self, rule: SignificanceGate, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        self.begin(session)

    def update(self, session: Session, chunk: Chunk) -> None:
        """Multiply what was learned."""
        gate = np.clip(chunk.modulator(self.rule.modulator), 0.0, self.rule.gain_max)
        values = self.weights.read(session)
        before = self.weights["before"]
        factor = gate[0] if gate.size == 1 else gate[self.weights.post]
        self.weights.write(session, before + factor * (values - before))
        self.begin(session)

    def begin(self, session: Session) -> None:
        """Note the weights."""
        self.weights.remember("before", self.weights.read(session), new=0.0)
