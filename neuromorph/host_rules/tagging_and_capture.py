"""Synaptic tagging and capture: what was learned fades, unless proteins come while the synapse is tagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.errors import InputError, is_number
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    POSITIVE,
    SECONDS,
    modulator_faults,
    name_faults,
    number_faults,
    optional_name_faults,
    projection_faults,
)
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session

STEPS_OF_A_TIME_CONSTANT = 50  # in which the slow equations are integrated


@final
@dataclass(frozen=True, kw_only=True)
class TaggingAndCapture(HostRule["TaggingAndCaptureState"]):
    """A weight is a late part, which stays, and an early part, which fades and which proteins make late where it is tagged.

    With early part ``e``, late part ``l``, tag ``h`` and the neuron's proteins ``p``::

        w = l + e,  de/dt = -e / tau_early - p h e / tau_capture,  dl/dt = p h e / tau_capture
        dh/dt = -h / tau_tag,         h = 1 where learning changed w by at least tag_threshold in a chunk
        dp/dt = -p / tau_protein,     p = 1 where it changed a neuron's weights by protein_threshold in all,
                                            or where the modulator reaches 1

    So a weak event is remembered where a strong one, before or after it, brought proteins to the same neuron. What
    weighs when the rule begins is late. One simulated second counts ``acceleration`` seconds here;
    :meth:`TaggingAndCaptureState.elapse` lets hours pass without simulating them. Frey and Morris, Nature 385, 1997;
    Clopath et al., PLoS Computational Biology 4(12), 2008; Luboeinski and Tetzlaff, Communications Biology 4:275, 2021.

    >>> TaggingAndCapture(projection="in->out", tag_threshold=0.05, protein_threshold=1.0).tau_early
    7200.0
    """

    projection: str
    tag_threshold: float  # |change of a weight| in a chunk
    protein_threshold: float  # sum of |change| over a neuron's synapses in a chunk
    tau_early: float = 7200.0  # s
    tau_tag: float = 5400.0  # s
    tau_protein: float = 5400.0  # s
    tau_capture: float = 900.0  # s, with all proteins and a full tag
    modulator: str = ""  # as dopamine: of one value or one for each postsynaptic neuron; empty: none
    acceleration: float = 1.0

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        return [
            *name_faults(self, "projection"),
            *optional_name_faults(self, "modulator"),
            *number_faults(self, POSITIVE, "tag_threshold", "protein_threshold", "acceleration"),
            *number_faults(self, SECONDS, "tau_early", "tau_tag", "tau_protein", "tau_capture"),
        ]

    def program_faults(self, program: Program) -> list[str]:
        """The projection and the modulator."""
        return projection_faults(program, self.projection) + modulator_faults(program, self.modulator)

    def _state(self, session: Session) -> TaggingAndCaptureState:
        return TaggingAndCaptureState(self, session)


@final
class TaggingAndCaptureState(HostRuleState):
    """Late weights and tags of every synapse, proteins of every neuron."""

    def __init__(self, rule: TaggingAndCapture, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        values = self.weights.read(session)
        self.weights.remember("late", values, new=0.0)
        self.weights.remember("tag", np.zeros(values.size), new=0.0)
        self.proteins: FloatArray = np.zeros(self.weights.neurons)
        self.begin(session)

    @property
    def tags(self) -> FloatArray:
        """0..1 of every synapse."""
        return self.weights["tag"]

    @property
    def late(self) -> FloatArray:
        """The part of every weight that stays."""
        return self.weights["late"]

    def update(self, session: Session, chunk: Chunk) -> None:
        """Set tags, make proteins, and let the chunk's time pass."""
        rule = self.rule
        change = np.abs(self.weights.read(session) - self.weights["before"])
        self.weights.remember("tag", np.where(change >= rule.tag_threshold, 1.0, self.weights["tag"]), new=0.0)
        strong = self.weights.sums(change) >= rule.protein_threshold
        if rule.modulator:
            strong = strong | (chunk.modulator(rule.modulator) >= 1.0)
        self.proteins = np.where(strong, 1.0, self.proteins)
        self._pass(session, chunk.seconds * rule.acceleration)

    def elapse(self, session: Session, seconds: float) -> None:
        """Let so much time pass without simulating the network."""
        if not (is_number(seconds) and seconds >= 0):
            raise InputError(f"seconds must be >= 0, got {seconds!r}")
        self._pass(session, float(seconds))

    def _pass(self, session: Session, seconds: float) -> None:
        rule = self.rule
        values = self.weights.read(session)
        late, tag = self.weights["late"], self.weights["tag"]
        early = values - late
        fastest = min(rule.tau_early, rule.tau_tag, rule.tau_protein, rule.tau_capture)
        steps = max(1, int(np.ceil(seconds / fastest * STEPS_OF_A_TIME_CONSTANT))) if np.any(self.proteins) else 1
        dt = seconds / steps
        for _ in range(steps):
            capture = self.proteins[self.weights.post] * tag / rule.tau_capture
            rate = capture + 1.0 / rule.tau_early
            gone = -np.expm1(-rate * dt) * early
            late = late + gone * capture / rate
            early = early - gone
            tag = tag * np.exp(-dt / rule.tau_tag)
            self.proteins = self.proteins * np.exp(-dt / rule.tau_protein)
        self.weights.remember("late", late, new=0.0)
        self.weights.remember("tag", tag, new=0.0)
        self.weights.write(session, late + early)
        self.begin(session)

    def begin(self, session: Session) -> None:
        """Note the weights."""
        self.weights.remember("before", self.weights.read(session), new=0.0)
