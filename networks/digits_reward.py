"""Digits by reward-modulated STDP: a spiking winner-take-all layer whose synapses learn from a teacher's third factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.learner import (
    IMAGE,
    OUTPUT,
    Learner,
    Lesson,
    Readout,
    Responses,
    Thresholds,
    feed_forward_inhibition,
    lateral_inhibition,
)
from neuromorph.neurons import LIF
from neuromorph.plasticity import RewardModulatedSTDP
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.encoding import rate_code, unit_length

TEACHER = "teacher"


@final
@dataclass(frozen=True, kw_only=True)
class DigitsReward(Learner):
    """Groups of neurons, one a class, compete; a tag counts pairs of spikes, and the teacher's error turns it into weight.

    While a sample lasts, the tag of a synapse grows by the presynaptic trace at each postsynaptic spike. One step after it
    the third factor of neuron j is ``1 - share`` for the group of the label and ``-punishment * share`` for the others,
    where ``share`` is the group's part of all output spikes: the difference between what was wanted and what was done.
    ``dw = learning_rate * r * t``. Thresholds rise with every spike and sink otherwise, so that all neurons take part.
    Dynamics, traces and tags start from rest at each sample. Three-factor rule: Fremaux and Gerstner, Frontiers in Neural
    Circuits 9:85, 2016; threshold homeostasis: Diehl and Cook, Frontiers in Computational Neuroscience 9:99, 2015.
    """

    rates: ClassVar[Mapping[str, float]] = {"reward_start": 1.0, "reward_end": 1.0, "threshold_rate": 1.0}
    rule: ClassVar[str] = "STDP into an eligibility tag, a teacher's error per neuron as third factor"

    neurons_per_class: int = 12
    steps: int = 13  # time steps per sample
    gain: float = 2.2  # input spikes per step for an intensity of 1 in an image of unit length
    tau_mem: float = 20e-3  # s
    tau_syn: float = 0.2e-3  # s
    feed_forward_inhibition: float = 0.19  # of every input spike on every neuron
    lateral_inhibition: float = 0.7  # of every output spike on every other neuron
    weight_low: float = 0.22  # initial weights are uniform
    weight_high: float = 0.38
    threshold: float = 1.2
    tau_plus: float = 20e-3  # s
    learning_rate: float = 0.0035
    punishment: float = 1.2
    reward_start: float = 1.2  # the third factor is scaled from here ...
    reward_end: float = 0.2  # ... to here over the lesson
    threshold_rate: float = 0.024  # rise with each spike of a neuron
    target_spikes: float = 3.0  # of the whole layer in a sample
    full_rate_samples: int = 4314
    samples: int = 21570
    quick_samples: int = 900

    @property
    def name(self) -> str:
        """What tables call it."""
        return "reward-modulated STDP"

    def network(self, data: Dataset, *, seed: int) -> Network:
        """Image to output, plastic; uniform feed-forward inhibition; lateral inhibition."""
        size = data.classes * self.neurons_per_class
        lif = LIF(tau_mem=self.tau_mem, tau_syn=self.tau_syn, v_threshold=np.full(size, self.threshold))
        rule = RewardModulatedSTDP(
            modulator=TEACHER,
            learning_rate=self.learning_rate,
            A_plus=1.0,
            A_minus=0.0,
            tau_plus=self.tau_plus,
            tau_e=np.inf,
            w_min=0.0,
            w_max=1.0,
        )
        return Network(
            name="digits, reward-modulated STDP",
            populations=[Input(IMAGE, data.pixels), Population(OUTPUT, size, lif)],
            projections=[
                Projection(IMAGE, OUTPUT, AllToAll(Uniform(self.weight_low, self.weight_high), seed), plasticity=rule),
                feed_forward_inhibition(self.feed_forward_inhibition),
                lateral_inhibition(size, self.lateral_inhibition),
            ],
            modulators=[Modulator(TEACHER, size)],
            probes=[Probe(OUTPUT, "spikes")],
        )

    def encode(self, images: FloatArray) -> BoolArray:
        """Rate code of images of unit length."""
        return rate_code(unit_length(images), steps=self.steps, rate=self.gain)

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> Lesson:
        """Begin to teach; nothing is left to chance, so ``seed`` is not used."""
        del seed
        return RewardLesson(self, session, data, samples)

    @property
    def label_samples(self) -> int:
        """Classes are fixed beforehand."""
        return 0


@final
class RewardLesson(Lesson):
    """Presents a sample, then one silent step with the teacher's third factor; moves thresholds."""

    def __init__(self, learner: DigitsReward, session: Session, data: Dataset, samples: int) -> None:
        self.learner, self.session, self.samples = learner, session, samples
        self.groups = np.repeat(np.arange(data.classes), learner.neurons_per_class)
        self.classes = data.classes
        self.thresholds = Thresholds(session, OUTPUT)
        self.seen = 0

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        learner, size = self.learner, len(self.groups)
        self.session.reset()
        recording = self.session.run(len(spikes), inputs={IMAGE: spikes})
        counts = recording.spikes[OUTPUT].counts().astype(np.float64)
        share = np.bincount(self.groups, counts, minlength=self.classes)[self.groups] / max(int(counts.sum()), 1)
        error = np.where(self.groups == label, 1.0 - share, -learner.punishment * share)
        progress = self.seen / max(self.samples, 1)
        scale = learner.reward_start + (learner.reward_end - learner.reward_start) * progress
        teaching = self.session.run(1, modulators={TEACHER: (scale * error)[np.newaxis, :]})
        self.thresholds.move(learner.threshold_rate * (counts - learner.target_spikes / size))
        self.seen += 1
        return recording, teaching

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """Neuron j stands for class ``j // neurons_per_class``."""
        del responses, labels
        return Readout(self.groups, np.eye(self.classes)[self.groups])
