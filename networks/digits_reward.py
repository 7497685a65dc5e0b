"""Digits by reward-modulated STDP: a spiking winner-take-all layer whose synapses note what they did, and learn it if it was right."""

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
    lateral_inhibition,
    rounded_at_random,
)
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.encoding import rate_code, unit_length

REWARD = "reward"
FACTOR_STEP = 1 / 8  # rewards are multiples of it, see rounded_at_random()


@final
@dataclass(frozen=True, kw_only=True)
class DigitsReward(Learner):
    """Groups of neurons, one a class, compete; what a neuron's tag has noted becomes weight if its class was right.

    At each of its spikes a neuron notes in the tags of its synapses how far their weights lie from the presynaptic traces,
    ``dt = y0 * (trace_scale * x1 - w)``. One step after the sample comes the reward of every neuron, 1 if its class is the
    label and ``-punishment`` if it is another, and ``dw = learning_rate * r * t``: who spiked and was right moves towards
    the image, who was wrong moves away by less. Neurons that were silent have no tag and learn nothing. Rewards sink over
    the lesson. A negative bias takes from every membrane what all images have in common. Thresholds rise with every
    spike and sink otherwise, so that all neurons take part, and chance moves them a little while a sample is learned; those
    of the label's group are lower then, by less as the lesson goes on, so that what deserves reward is done early.
    Dynamics, traces and tags start from rest at each sample. Three-factor rule: Fremaux and Gerstner, Frontiers in Neural
    Circuits 9:85, 2016; prototypes with classes: Kohonen, Proceedings of the IEEE 78(9), 1990; threshold homeostasis:
    Diehl and Cook, Frontiers in Computational Neuroscience 9:99, 2015.
    """

    rates: ClassVar[Mapping[str, float]] = {"threshold_rate": 1.0}
    rule: ClassVar[str] = (
        "STDP towards the presynaptic trace into an eligibility tag, reward of each neuron as third factor"
    )
    quantisation: ClassVar[Mapping[str, float]] = {
        "trace_headroom": 11.0,  # spikes of the brightest pixel in tau_plus
        "tag_headroom": 1.0,  # a weight of w_max is the most that a spike takes away
    }

    neurons_per_class: int = 12
    steps: int = 40  # time steps per sample when classifying
    learning_steps: int = 34  # time steps of a sample that are shown when learning
    gain: float = 2.8  # input spikes per step for an intensity of 1 in an image of unit length
    tau_mem: float = 1.0  # s
    tau_syn: float = 0.2e-3  # s
    bias: float = -2.8  # added to every membrane in each step
    lateral_inhibition: float = 60.0  # of every output spike on every other neuron
    weight_low: float = 0.2  # initial weights are uniform
    weight_high: float = 0.4
    threshold: float = 45.0
    tau_plus: float = 12e-3  # s
    trace_scale: float = 0.0606
    learning_rate: float = 0.25
    punishment: float = 0.05
    reward_end: float = 0.15  # rewards sink from their full size to this share over the lesson
    threshold_rate: float = 0.04  # rise with each spike of a neuron
    threshold_noise: float = 1.5  # standard deviation of what chance adds to thresholds in a lesson's first sample
    guidance: float = 12.0  # by how much the label's group is nearer to its threshold in a lesson's first sample
    target_spikes: float = 2.0  # of the whole layer in a sample
    full_rate_samples: int = 8622
    samples: int = 8622
    quick_samples: int = 900

    @property
    def name(self) -> str:
        """What tables call it."""
        return "reward-modulated STDP"

    def network(self, data: Dataset, *, seed: int) -> Network:
        """Image to output, plastic; lateral inhibition."""
        size = data.classes * self.neurons_per_class
        lif = LIF(
            tau_mem=self.tau_mem,
            tau_syn=self.tau_syn,
            v_threshold=np.full(size, self.threshold),
            bias=self.bias,
        )
        rule = LearningRule(
            name="reward-modulated STDP towards the trace",
            dw=f"{self.learning_rate!r} * r * t * u0",
            dt=f"{self.trace_scale!r} * x1 * y0 - 1.0 * w * y0",
            x1=Trace(self.tau_plus),
            modulators={REWARD: 1.0},
            w_min=0.0,
            w_max=1.0,
        )
        return Network(
            name="digits, reward-modulated STDP",
            populations=[Input(IMAGE, data.pixels), Population(OUTPUT, size, lif)],
            projections=[
                Projection(IMAGE, OUTPUT, AllToAll(Uniform(self.weight_low, self.weight_high), seed), plasticity=rule),
                lateral_inhibition(size, self.lateral_inhibition),
            ],
            modulators=[Modulator(REWARD, size)],
            probes=[Probe(OUTPUT, "spikes")],
        )

    def encode(self, images: FloatArray) -> BoolArray:
        """Rate code of images of unit length; learning stops after the first :attr:`learning_steps`."""
        return rate_code(unit_length(images), steps=self.steps, rate=self.gain)

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> Lesson:
        """Begin to teach; ``seed`` decides the noise of thresholds and how rewards are rounded."""
        return RewardLesson(self, session, data, samples, seed)

    @property
    def label_samples(self) -> int:
        """Classes are fixed beforehand."""
        return 0


@final
class RewardLesson(Lesson):
    """Presents a sample, then one silent step with the reward of every neuron; moves thresholds."""

    def __init__(self, learner: DigitsReward, session: Session, data: Dataset, samples: int, seed: int) -> None:
        self.learner, self.session, self.samples = learner, session, samples
        self.classes = data.classes
        self.groups = np.repeat(np.arange(data.classes), learner.neurons_per_class)
        self.thresholds = Thresholds(session, OUTPUT)
        self.rng = np.random.default_rng([seed, 11])
        self.seen = 0

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        learner, size = self.learner, len(self.groups)
        left = 1.0 - min(1.0, self.seen / max(self.samples, 1))  # of the lesson
        self.session.reset()
        noise = learner.threshold_noise * self.rng.standard_normal(size)
        self.thresholds.shift(left * (noise - learner.guidance * (self.groups == label)))
        shown = spikes[: learner.learning_steps]
        recording = self.session.run(len(shown), inputs={IMAGE: shown})
        reward = np.where(self.groups == label, 1.0, -learner.punishment)
        reward = rounded_at_random(
            (learner.reward_end + (1.0 - learner.reward_end) * left) * reward, FACTOR_STEP, self.rng
        )
        teaching = self.session.run(1, modulators={REWARD: reward[np.newaxis, :]})
        counts = recording.spikes[OUTPUT].counts().astype(np.float64)
        self.thresholds.move(learner.threshold_rate * (counts - learner.target_spikes / size))
        self.seen += 1
        return recording, teaching

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """Neuron j stands for class ``j // neurons_per_class``."""
        del responses, labels
        return Readout(self.groups, np.eye(self.classes)[self.groups])
