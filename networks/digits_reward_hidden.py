"""Digits by reward alone: the network answers, hears whether it was right, and a hidden layer learns from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.networks.hidden_layer import HiddenLayerLearner, HiddenLayerLesson
from neuromorph.recording import FloatArray
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset

LEAST_DOUBT = 1e-12  # of each class that was not picked


@final
@dataclass(frozen=True, kw_only=True)
class DigitsRewardHidden(HiddenLayerLearner):
    """The network picks a class by chance from its own probabilities; reward against its expectation changes the weights.

    With p the probability of the class that was picked, the reward prediction error is 1 where it was right and
    ``-p / (1 - p)`` where it was wrong: 0 on average while p is right. The third factor of an output neuron is this error
    times what it did less what was to be expected of it, ``[class was picked] - probability of its class``: the gradient
    of the log-probability of the reward that came (Williams, Machine Learning 8, 1992). However sure the network was, who
    was wrong hears -p. Nothing is told of the label but whether it was picked. The third factor of a hidden neuron is the
    sum of these weighted by ``feedback`` times its own output weights. Fremaux and Gerstner, Frontiers in Neural Circuits
    9:85, 2016; hidden neurons that learn from a broadcast reward prediction error: Roelfsema and van Ooyen, Neural
    Computation 17(10), 2005.
    """

    rule: ClassVar[str] = "presynaptic trace gated by the neuron's activity, times reward less its expectation"

    error_end: float = 0.05

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

    def errors(self, probability: FloatArray, label: int) -> FloatArray:
        """Of a class that is picked by chance."""
        return self.judged(int(self.rng.choice(self.classes, p=probability)), label, probability)

    def judged(self, picked: int, label: int, probability: FloatArray) -> FloatArray:
        """Reward prediction error times what was done less what was to be expected."""
        picks = np.arange(self.classes) == picked
        if picked == label:
            output: FloatArray = picks - probability
        else:
            doubt = np.where(picks, 0.0, probability) + LEAST_DOUBT * ~picks  # never 0, however sure the network was
            output = probability[picked] * (doubt / doubt.sum() - picks)
        return output
