"""Two plastic layers of spiking neurons taught by third factors: what learners with a hidden layer have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuromorph.connectors import Dense
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.learner import (
    IMAGE,
    OUTPUT,
    Learner,
    Lesson,
    Readout,
    Responses,
    rounded_at_random,
)
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.encoding import rate_code, unit_length

HIDDEN, LOWER, UPPER = "hidden", "image->hidden", "hidden->output"
HIDDEN_ERROR, OUTPUT_ERROR = "hidden error", "output error"
FACTOR_STEP = 1 / 8  # a chip rounds r * x1 down to multiples of 8 of their integers, of which r = 1 is 64
PERIOD_EXPONENT = 5  # a taught sample takes 2^5 steps: in the last of them, u5 of the rules, weights change


@dataclass(frozen=True, kw_only=True)
class HiddenLayerLearner(Learner):
    """Image to hidden to output, groups of output neurons being the classes; both projections learn by one rule.

    ``dw = learning_rate * r * x1`` once a sample: the presynaptic trace times a third factor of the postsynaptic neuron.
    """

    plastic: ClassVar[tuple[str, ...]] = (LOWER, UPPER)
    quantisation: ClassVar[Mapping[str, float]] = {"trace_headroom": 15.0}

    hidden: int = 400
    neurons_per_class: int = 2
    steps: int = 64  # time steps per sample when classifying
    learning_steps: ClassVar[int] = 2**PERIOD_EXPONENT - 1  # when learning; one follows, in which weights change
    silent_steps: int = 2  # the last ones of both, in which spikes travel
    gain: float = 1.7  # input spikes per step for an intensity of 1 in an image of unit length
    tau_mem: float = 1.0  # s
    tau_syn: float = 0.2e-3  # s
    hidden_threshold: float = 1.5
    output_threshold: float = 4.0
    hidden_spread: float = 0.25  # standard deviation of the initial weights
    output_spread: float = 0.02
    tau_plus: float = 32e-3  # s
    hidden_rate: float = 0.003  # learning rates
    output_rate: float = 0.04
    sharpness: float = 1.0  # of the softmax that makes probabilities of the mean spike counts of groups
    error_end: float = 0.1  # third factors sink from their full size to this share over the lesson
    feedback: float = 0.6  # largest weight of the broadcast
    full_rate_samples: int = 14380
    samples: int = 14380
    quick_samples: int = 900

    def network(self, data: Dataset, *, seed: int) -> Network:
        """Weights of both signs, drawn from normal distributions."""
        rng = np.random.default_rng([seed, 9])
        size = data.classes * self.neurons_per_class
        lower = np.clip(rng.normal(0.0, self.hidden_spread, (self.hidden, data.pixels)), -1.0, 1.0)
        upper = np.clip(rng.normal(0.0, self.output_spread, (size, self.hidden)), -1.0, 1.0)
        hidden = LIF(tau_mem=self.tau_mem, tau_syn=self.tau_syn, v_threshold=self.hidden_threshold)
        output = LIF(tau_mem=self.tau_mem, tau_syn=self.tau_syn, v_threshold=self.output_threshold)
        return Network(
            name=f"digits, {self.name}",
            populations=[
                Input(IMAGE, data.pixels),
                Population(HIDDEN, self.hidden, hidden),
                Population(OUTPUT, size, output),
            ],
            projections=[
                Projection(IMAGE, HIDDEN, Dense(lower), plasticity=self._three_factors(self.hidden_rate, HIDDEN_ERROR)),
                Projection(
                    HIDDEN, OUTPUT, Dense(upper), plasticity=self._three_factors(self.output_rate, OUTPUT_ERROR)
                ),
            ],
            modulators=[Modulator(HIDDEN_ERROR, self.hidden), Modulator(OUTPUT_ERROR, size)],
            probes=[Probe(HIDDEN, "spikes"), Probe(OUTPUT, "spikes")],
        )

    def _three_factors(self, rate: float, modulator: str) -> LearningRule:
        return LearningRule(
            name=f"three factors, {modulator}",
            dw=f"{rate!r} * r * x1 * u{PERIOD_EXPONENT}",
            x1=Trace(self.tau_plus),
            modulators={modulator: 1.0},
            w_min=-1.0,
            w_max=1.0,
        )

    def encode(self, images: FloatArray) -> BoolArray:
        """Rate code of images of unit length, then silence."""
        spikes = rate_code(unit_length(images), steps=self.steps - self.silent_steps, rate=self.gain)
        return np.pad(spikes, ((0, 0), (0, self.silent_steps), (0, 0)))

    @property
    def label_samples(self) -> int:
        """Classes are fixed beforehand."""
        return 0


class HiddenLayerLesson(Lesson):
    """Presents a sample, then one silent step with the third factors of both layers."""

    def __init__(self, learner: HiddenLayerLearner, session: Session, data: Dataset, samples: int, seed: int) -> None:
        self.learner, self.session, self.classes, self.samples = learner, session, data.classes, samples
        self.rng = np.random.default_rng([seed, 7])
        self.groups = np.repeat(np.arange(data.classes), learner.neurons_per_class)
        self.seen = 0

    @abstractmethod
    def errors(self, probability: FloatArray, label: int) -> FloatArray:
        """Learning signals of the classes, within -1..1, shape (classes,), from the probability of each."""

    def broadcast(self, output: FloatArray) -> FloatArray:
        """Learning signals of the hidden neurons, held to -1..1: those of the classes by the output weights of the time."""
        weights: FloatArray = self.session.read(f"{UPPER}.weight")
        weights = self.learner.feedback * weights / max(float(np.abs(weights).max()), 1e-12)
        return np.clip(weights.T @ output[self.groups], -1.0, 1.0)

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        learner = self.learner
        shown = spikes[: learner.learning_steps].copy()
        shown[len(shown) - learner.silent_steps :] = False
        self.session.reset()
        recording = self.session.run(len(shown), inputs={IMAGE: shown})
        counts = np.bincount(self.groups, recording.spikes[OUTPUT].counts(), minlength=self.classes)
        evidence = learner.sharpness * counts / learner.neurons_per_class
        probability = np.exp(evidence - evidence.max())
        output = self.errors(probability / probability.sum(), label)
        took_part = recording.spikes[HIDDEN].counts() > 0
        scale = 1.0 + (learner.error_end - 1.0) * min(1.0, self.seen / max(self.samples, 1))
        hidden = self.broadcast(output) * took_part
        factors = {
            HIDDEN_ERROR: rounded_at_random(scale * hidden, FACTOR_STEP, self.rng),
            OUTPUT_ERROR: rounded_at_random(scale * output[self.groups], FACTOR_STEP, self.rng),
        }
        teaching = self.session.run(1, modulators={name: row[np.newaxis, :] for name, row in factors.items()})
        self.seen += 1
        return recording, teaching

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """Neuron j stands for class ``j // neurons_per_class``."""
        del responses, labels
        return Readout(self.groups, np.eye(self.classes)[self.groups])
