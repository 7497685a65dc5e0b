"""Digits by unsupervised STDP: neurons compete for images, thresholds keep all of them at work, labels come after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.inputs import Input
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
)
from neuromorph.neurons import LIF
from neuromorph.plasticity import SpikeTracePrototype
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.encoding import rate_code, unit_length
from neuromorph.tasks.readout import assign_labels


@final
@dataclass(frozen=True, kw_only=True)
class DigitsUnsupervised(Learner):
    """At each of its spikes a neuron moves its weights towards the presynaptic traces; strong inhibition leaves one winner.

    ``dw = learning_rate * y0 * (trace_scale * x1 - w)``: potentiation by recent presynaptic spikes and depression in
    proportion to the weight, so that weights come to rest at the mean trace (a prototype). A negative bias takes from
    every membrane what all prototypes have in common with an image, so that the nearest one spikes first by a clear
    margin. Thresholds rise with every spike and sink otherwise. While a sample is learned chance moves each threshold a
    little, by less as the lesson goes on: neurons that spike in the same step learn the same, and two that came to hold
    equal weights would spike together ever after. Labels are never used for learning: afterwards each
    neuron's mean responses to labelled training samples say how its spikes vote. Dynamics and traces start from rest at
    each sample. Diehl and Cook, Frontiers in Computational Neuroscience 9:99, 2015; Querlioz et al., IEEE Transactions
    on Nanotechnology 12(3), 2013.
    """

    rule: ClassVar[str] = "STDP towards the presynaptic trace, threshold homeostasis, labels assigned after"
    rates: ClassVar[Mapping[str, float]] = {"threshold_rate": 1.0}
    quantisation: ClassVar[Mapping[str, float]] = {"trace_headroom": 11.0}  # spikes of the brightest pixel in tau_plus

    neurons: int = 100
    steps: int = 96  # time steps per sample when classifying
    learning_steps: int = 48  # time steps of a sample that are shown when learning
    gain: float = 2.0  # input spikes per step for an intensity of 1 in an image of unit length
    tau_mem: float = 1.0  # s
    tau_syn: float = 0.2e-3  # s
    bias: float = -2.0  # added to every membrane in each step
    lateral_inhibition: float = 50.0  # of every output spike on every other neuron
    weight_low: float = 0.27  # initial weights are uniform
    weight_high: float = 0.5
    weight_max: float = 0.625  # a chip divides it by 255: no larger than weights grow
    threshold: float = 45.0
    tau_plus: float = 16e-3  # s
    learning_rate: float = 0.09375
    trace_scale: float = 0.0606
    threshold_rate: float = 0.04  # rise with each spike of a neuron
    threshold_noise: float = 1.5  # standard deviation of what chance adds to thresholds in a lesson's first sample
    target_spikes: float = 2.0  # of the whole layer in a sample
    full_rate_samples: int = 8622
    samples: int = 8622
    quick_samples: int = 700
    labelled: int = 1500

    @property
    def name(self) -> str:
        """What tables call it; the size is told where it is not the usual one."""
        return "unsupervised STDP" + ("" if self.neurons == 100 else f", {self.neurons} neurons")

    def network(self, data: Dataset, *, seed: int) -> Network:
        """Image to output, plastic; lateral inhibition."""
        lif = LIF(
            tau_mem=self.tau_mem,
            tau_syn=self.tau_syn,
            v_threshold=np.full(self.neurons, self.threshold),
            bias=self.bias,
        )
        rule = SpikeTracePrototype(
            learning_rate=self.learning_rate,
            trace_scale=self.trace_scale,
            tau_plus=self.tau_plus,
            w_min=0.0,
            w_max=self.weight_max,
        )
        return Network(
            name="digits, unsupervised STDP",
            populations=[Input(IMAGE, data.pixels), Population(OUTPUT, self.neurons, lif)],
            projections=[
                Projection(IMAGE, OUTPUT, AllToAll(Uniform(self.weight_low, self.weight_high), seed), plasticity=rule),
                lateral_inhibition(self.neurons, self.lateral_inhibition),
            ],
            probes=[Probe(OUTPUT, "spikes")],
        )

    def encode(self, images: FloatArray) -> BoolArray:
        """Rate code of images of unit length; learning stops after the first :attr:`learning_steps`."""
        return rate_code(unit_length(images), steps=self.steps, rate=self.gain)

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> Lesson:
        """Begin to teach; ``seed`` decides the noise of thresholds."""
        return UnsupervisedLesson(self, session, data, samples, seed)

    @property
    def label_samples(self) -> int:
        """Labelled training samples that are shown after learning."""
        return self.labelled


@final
class UnsupervisedLesson(Lesson):
    """Presents a sample; moves thresholds. The label is not looked at."""

    def __init__(self, learner: DigitsUnsupervised, session: Session, data: Dataset, samples: int, seed: int) -> None:
        self.learner, self.session, self.classes, self.samples = learner, session, data.classes, samples
        self.thresholds = Thresholds(session, OUTPUT)
        self.rng = np.random.default_rng([seed, 5])
        self.seen = 0

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        del label
        learner = self.learner
        shown = spikes[: learner.learning_steps]
        self.session.reset()
        noise = learner.threshold_noise * (1.0 - min(1.0, self.seen / max(self.samples, 1)))
        if noise:
            self.thresholds.shift(noise * self.rng.standard_normal(learner.neurons))
        recording = self.session.run(len(shown), inputs={IMAGE: shown})
        counts = recording.spikes[OUTPUT].counts().astype(np.float64)
        self.thresholds.move(learner.threshold_rate * (counts - learner.target_spikes / learner.neurons))
        self.seen += 1
        return (recording,)

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """A spike votes for each class by the neuron's mean response to it, as a part of its responses to all."""
        assert responses is not None
        neuron_labels = assign_labels(responses.counts, labels, self.classes)
        mean = np.zeros((self.classes, responses.counts.shape[1]))
        for label in np.unique(labels):
            mean[label] = responses.counts[labels == label].mean(axis=0)
        return Readout(neuron_labels, (mean / np.maximum(mean.sum(axis=0), 1e-12)).T)
