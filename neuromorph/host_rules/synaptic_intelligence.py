"""Synaptic intelligence: synapses that mattered for what was learned before hold on to their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    NOT_NEGATIVE,
    POSITIVE,
    SECONDS_OR_FOREVER,
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


@final
@dataclass(frozen=True, kw_only=True)
class SynapticIntelligence(HostRule["SynapticIntelligenceState"]):
    """Importance by path integral, and a pull back to the weights of the last task in proportion to it.

    After every chunk of T seconds, in which learning changed a weight by ``dw``::

        path       += M dw^2                          M: mean of the modulator, or 1
        w          -= T strength importance (w - w_task)    (implicitly: it never overshoots)

    and at the end of a task, after ``task`` seconds or when :meth:`SynapticIntelligenceState.consolidate` is called::

        importance += path / ((w - w_before_task)^2 + damping);    w_task = w;    path = 0

    Zenke, Poole and Ganguli, ICML 2017, integrate ``-gradient dw`` along the path. A local rule knows no gradient; what it
    does itself is its estimate of one, ``dw = -rate gradient``, so that the path integral is of ``dw^2``, the rate being a
    part of ``strength``. ``modulator`` may carry a performance signal, so that a path counts where it paid.

    >>> SynapticIntelligence(projection="in->out", strength=1.0).damping
    0.001
    """

    projection: str
    strength: float  # 1/s
    damping: float = 1e-3  # of squared weight
    task: float = np.inf  # s; infinite: a task ends where consolidate() is called
    modulator: str = ""  # of one value; negative ones count as 0; empty: every path counts once

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        return [
            *name_faults(self, "projection"),
            *optional_name_faults(self, "modulator"),
            *number_faults(self, NOT_NEGATIVE, "strength"),
            *number_faults(self, POSITIVE, "damping"),
            *number_faults(self, SECONDS_OR_FOREVER, "task"),
        ]

    def program_faults(self, program: Program) -> list[str]:
        """The projection and the modulator."""
        return projection_faults(program, self.projection) + modulator_faults(program, self.modulator)

    def _state(self, session: Session) -> SynapticIntelligenceState:
        return SynapticIntelligenceState(self, session)


@final
class SynapticIntelligenceState(HostRuleState):
    """Paths, importances and the weights of the last task."""

    def __init__(self, rule: SynapticIntelligence, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        self.since = 0.0  # s of the running task
        values = self.weights.read(session)
        for name in ("path", "importance"):
            self.weights.remember(name, np.zeros(values.size), new=0.0)
        for name in ("before", "task"):
            self.weights.remember(name, values.copy(), new=0.0)

    @property
    def importance(self) -> FloatArray:
        """Of every synapse, shape (synapses,), without dimension."""
        return self.weights["importance"]

    def update(self, session: Session, chunk: Chunk) -> None:
        """Go on along the path, and pull."""
        rule = self.rule
        values = self.weights.read(session)
        signal = max(0.0, float(chunk.modulator(rule.modulator).mean())) if rule.modulator else 1.0
        path = self.weights["path"] + signal * (values - self.weights["before"]) ** 2
        self.weights.remember("path", path, new=0.0)
        pull = chunk.seconds * rule.strength * self.weights["importance"]
        self.weights.write(session, (values + pull * self.weights["task"]) / (1.0 + pull))
        self.begin(session)
        self.since += chunk.seconds
        if self.since >= rule.task * (1 - 1e-9):
            self.consolidate(session)

    def begin(self, session: Session) -> None:
        """Note the weights."""
        self.weights.remember("before", self.weights.read(session), new=0.0)

    def consolidate(self, session: Session) -> None:
        """End a task: what was on the path becomes important."""
        self.since = 0.0
        values = self.weights.read(session)
        moved = values - self.weights["task"]
        gained = self.weights["path"] / (moved**2 + self.rule.damping)
        self.weights.remember("importance", self.weights["importance"] + gained, new=0.0)
        self.weights.remember("path", np.zeros(values.size), new=0.0)
        self.weights.remember("task", values, new=0.0)
