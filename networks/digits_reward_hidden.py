"""Digits by reward alone: the network answers, hears whether it was right, and a hidden layer learns from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.networks.hidden_layer import UPPER, HiddenLayerLearner, HiddenLayerLesson
from neuromorph.recording import FloatArray
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset


@final
@dataclass(frozen=True, kw_only=True)
class DigitsRewardHidden(HiddenLayerLearner):
    """The network picks a class by chance from its own probabilities; reward less what it expected changes the weights.

    The third factor of the neurons of the class that was picked is ``reward - probability of that class`` (reward 1 for
    the label, 0 otherwise: a reward prediction error), that of all others 0. It is broadcast to hidden neurons by
    ``feedback`` times their output weights to the class that was picked. No other class is told anything. Fremaux and
    Gerstner, Frontiers in Neural Circuits 9:85, 2016; attention-gated reinforcement learning: Roelfsema and van Ooyen,
    Neural Computation 17(10), 2005.
    """

    rule: ClassVar[str] = "presynaptic trace gated by the neuron's activity, times reward less its expectation"

    hidden_rate: float = 0.003
    output_rate: float = 0.04
    error_end: float = 0.1
    feedback: float = 0.6  # largest weight of the broadcast
    full_rate_samples: int = 14380
    samples: int = 14380
    quick_samples: int = 900

    @property
    def name(self) -> str:
        """What tables call it."""
        return "reward-modulated STDP, hidden layer"

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> RewardHiddenLesson:
        """Begin to teach; ``seed`` decides which classes are picked."""
        return RewardHiddenLesson(self, session, data, samples, seed)


@final
class RewardHiddenLesson(HiddenLayerLesson):
    """Picks classes at random, and is told no more than whether it was right."""

    def __init__(self, learner: DigitsRewardHidden, session: Session, data: Dataset, samples: int, seed: int) -> None:
        super().__init__(learner, session, data, samples, seed)
        self.feedback = learner.feedback

    def errors(self, probability: FloatArray, label: int) -> tuple[FloatArray, FloatArray]:
        """Reward less expectation, for the class that was picked."""
        picked = int(self.rng.choice(self.classes, p=probability))
        error = float(picked == label) - probability[picked]
        output = np.where(np.arange(self.classes) == picked, error, 0.0)
        weights: FloatArray = self.session.read(f"{UPPER}.weight")
        weights = self.feedback * weights / max(float(np.abs(weights).max()), 1e-12)
        return output, weights.T @ output[self.groups]
