"""Digits by an e-prop-like rule: a hidden layer learns from eligibility and a learning signal broadcast to each neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.networks.hidden_layer import HiddenLayerLearner, HiddenLayerLesson
from neuromorph.recording import FloatArray
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset


@final
@dataclass(frozen=True, kw_only=True)
class DigitsEprop(HiddenLayerLearner):
    """Weights change by eligibility times learning signal: what a synapse knows, and what its neuron is told.

    Eligibility is the presynaptic trace, gated by whether the postsynaptic neuron took part (its pseudo-derivative).
    The learning signal of an output neuron is ``[class is the label] - probability of its class``, that of a hidden
    neuron the sum of these weighted by ``feedback`` times its own output weights (symmetric broadcast). Bellec et al.,
    Nature Communications 11:3625, 2020.
    """

    rule: ClassVar[str] = "presynaptic trace gated by the neuron's activity, times a learning signal for each neuron"

    @property
    def name(self) -> str:
        """What tables call it."""
        return "e-prop"

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> EpropLesson:
        """Begin to teach; ``seed`` decides how third factors are rounded."""
        return EpropLesson(self, session, data, samples, seed)


@final
class EpropLesson(HiddenLayerLesson):
    """Is told the right class."""

    def errors(self, probability: FloatArray, label: int) -> FloatArray:
        """Wanted less found."""
        return np.where(np.arange(self.classes) == label, 1.0, 0.0) - probability
