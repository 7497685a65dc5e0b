"""Label assignment: after unsupervised learning, each neuron is given the class to which it responds most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.errors import InputError, is_count
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import name_faults, spike_faults
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray
from neuromorph.session import Session
from neuromorph.tasks.readout import assign_labels, vote


@final
@dataclass(frozen=True, kw_only=True)
class LabelAssignment(HostRule["LabelAssignmentState"]):
    """Chunk k shows a sample of class ``labels[k]``; each neuron stands for the class with its highest mean spike count.

    It changes nothing in the session. :meth:`LabelAssignmentState.predict` lets neurons vote. Diehl and Cook, Frontiers in
    Computational Neuroscience 9:99, 2015.

    >>> LabelAssignment(population="out", labels=(0, 1, 1)).classes
    2
    """

    population: str
    labels: Sequence[int]  # of the chunks to come, in their order

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = name_faults(self, "population")
        if len(self.labels) == 0 or not all(is_count(label) for label in self.labels):
            found.append(f"labels must be whole numbers >= 0, one for each chunk, got {self.labels!r}")
        return found

    @property
    def classes(self) -> int:
        """One more than the highest label."""
        return int(max(self.labels)) + 1

    def program_faults(self, program: Program) -> list[str]:
        """Spikes of the population."""
        return spike_faults(program, self.population)

    def _state(self, session: Session) -> LabelAssignmentState:
        return LabelAssignmentState(self)


@final
class LabelAssignmentState(HostRuleState):
    """Spike counts of the samples shown so far."""

    def __init__(self, rule: LabelAssignment) -> None:
        self.rule = rule
        self.counts: list[FloatArray] = []

    def update(self, session: Session, chunk: Chunk) -> None:
        """Note the responses to one sample."""
        del session
        if len(self.counts) == len(self.rule.labels):
            raise InputError(f"LabelAssignment has {len(self.rule.labels)} labels, and more chunks were run")
        self.counts.append(chunk.counts(self.rule.population))

    @property
    def neuron_labels(self) -> IntArray:
        """The class of each neuron, -1 where it never spiked, from the samples shown so far; shape (neurons,)."""
        if not self.counts:
            raise InputError("LabelAssignment has seen no sample yet")
        labels = np.array(self.rule.labels[: len(self.counts)], dtype=np.int64)
        return assign_labels(np.stack(self.counts), labels, self.rule.classes)

    def predict(self, counts: FloatArray) -> IntArray:
        """Classes by vote of spike counts, shape (samples, neurons); -1 where no neuron spiked."""
        return vote(counts, self.neuron_labels, self.rule.classes, mean=True)
