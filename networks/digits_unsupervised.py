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
from neuromorph.plasticity import LearningRule, Trace
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
    margin. Thresholds rise with every spike and sink otherwise. Labels are never used for learning: afterwards each
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
    bias: float = -2.4  # added to every membrane in each step
    lateral_inhibition: float = 80.0  # of every output spike on every other neuron
    weight_low: float = 0.27  # initial weights are uniform
    weight_high: float = 0.5
    threshold: float = 27.0
    tau_plus: float = 16e-3  # s
    learning_rate: float = 0.125
    trace_scale: float = 0.0606
    threshold_rate: float = 0.08  # rise with each spike of a neuron
    target_spikes: float = 2.0  # of the whole layer in a sample
    full_rate_samples: int = 8622
    samples: int = 14380
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
        rule = LearningRule(
            name="STDP towards the trace",
            dw=f"{float(self.learning_rate * self.trace_scale)!r} * y0 * x1 - {float(self.learning_rate)!r} * y0 * w",
            x1=Trace(self.tau_plus),
            w_min=0.0,
            w_max=1.0,
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
        """Begin to teach; nothing is left to chance, so ``seed`` is not used."""
        del seed, samples
        return UnsupervisedLesson(self, session, data)

    @property
    def label_samples(self) -> int:
        """Labelled training samples that are shown after learning."""
        return self.labelled


@final
class UnsupervisedLesson(Lesson):
    """Presents a sample; moves thresholds. The label is not looked at."""

    def __init__(self, learner: DigitsUnsupervised, session: Session, data: Dataset) -> None:
        self.learner, self.session, self.classes = learner, session, data.classes
        self.thresholds = Thresholds(session, OUTPUT)

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        del label
        learner = self.learner
        shown = spikes[: learner.learning_steps]
        self.session.reset()
        recording = self.session.run(len(shown), inputs={IMAGE: shown})
        counts = recording.spikes[OUTPUT].counts().astype(np.float64)
        self.thresholds.move(learner.threshold_rate * (counts - learner.target_spikes / learner.neurons))
        return (recording,)

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """A spike votes for each class by the neuron's mean response to it, as a part of its responses to all."""
        assert responses is not None
        neuron_labels = assign_labels(responses.counts, labels, self.classes)
        mean = np.zeros((self.classes, responses.counts.shape[1]))
        for label in np.unique(labels):
            mean[label] = responses.counts[labels == label].mean(axis=0)
        return Readout(neuron_labels, (mean / np.maximum(mean.sum(axis=0), 1e-12)).T)
