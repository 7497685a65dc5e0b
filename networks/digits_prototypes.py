"""Digits by prototypes: what is novel is stored at once in a silent neuron, what is known refines its neuron ever less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.learner import IMAGE, OUTPUT, Learner, Lesson, Readout, Responses, lateral_inhibition
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.encoding import rate_code, unit_length

PLASTICITY = "plasticity"


@final
@dataclass(frozen=True, kw_only=True)
class DigitsPrototypes(Learner):
    """The neuron that spikes first, if its class is right, moves towards the image; otherwise a silent neuron takes it.

    ``dw = r * (trace_scale * x1 - w)`` in the step after a sample, with a third factor r for each neuron: ``2^-k`` for
    the winner, k one more at each of its wins up to ``slowest`` (metaplasticity), 1 for the neuron that stores a novel
    sample, 0 for all others. Novel is what makes no neuron spike, being less similar than the threshold asks
    (vigilance), and what a neuron of another class claims. Neurons without a prototype have weights of 0 and stay
    silent; when all have one, nothing novel is stored. Since neurons learn alone, classes that come later
    harm no earlier ones, and nothing is shown twice. After Hajizada et al., Interactive continual learning for robots:
    a neuromorphic approach, ICONS 2022 (continually learning prototypes on Loihi).
    """

    rule: ClassVar[str] = "the winner of the right class moves towards the trace, a silent neuron stores what is novel"
    quantisation: ClassVar[Mapping[str, float]] = {"trace_headroom": 15.0}  # spikes of the brightest pixel in tau_plus

    neurons: int = 500
    steps: int = 128  # time steps per sample when classifying
    learning_steps: ClassVar[int] = 63  # shown when learning; in the 64th step, u6 of the rule, weights change
    gain: float = 2.0  # input spikes per step for an intensity of 1 in an image of unit length
    tau_mem: float = 1.0  # s
    tau_syn: float = 0.2e-3  # s
    bias: float = -2.4  # added to every membrane in each step: similarities below 0.6 count for nothing
    lateral_inhibition: float = 20.0  # of every output spike on every other neuron
    threshold: float = 64.0
    tau_plus: float = 16e-3  # s
    trace_scale: float = 0.0625
    slowest: int = 3  # the least step is 2^-slowest: a chip rounds each step down, which shows in smaller ones
    full_rate_samples: int = 1438
    samples: int = 1438
    quick_samples: int = 300

    @property
    def name(self) -> str:
        """What tables call it."""
        return "prototypes"

    def network(self, data: Dataset, *, seed: int) -> Network:
        """Image to output, plastic and without weight; lateral inhibition."""
        del seed
        lif = LIF(tau_mem=self.tau_mem, tau_syn=self.tau_syn, v_threshold=self.threshold, bias=self.bias)
        rule = LearningRule(
            name="prototypes",
            dw=f"{self.trace_scale!r} * r * x1 * u6 - 1.0 * r * w * u6",
            x1=Trace(self.tau_plus),
            modulators={PLASTICITY: 1.0},
            w_min=0.0,
            w_max=1.0,
        )
        return Network(
            name="digits, prototypes",
            populations=[Input(IMAGE, data.pixels), Population(OUTPUT, self.neurons, lif)],
            projections=[
                Projection(IMAGE, OUTPUT, AllToAll(0.0), plasticity=rule),
                lateral_inhibition(self.neurons, self.lateral_inhibition),
            ],
            modulators=[Modulator(PLASTICITY, self.neurons)],
            probes=[Probe(OUTPUT, "spikes")],
        )

    def encode(self, images: FloatArray) -> BoolArray:
        """Rate code of images of unit length; learning stops after the first :attr:`learning_steps`."""
        return rate_code(unit_length(images), steps=self.steps, rate=self.gain)

    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> PrototypeLesson:
        """Begin to teach; nothing is left to chance, so ``seed`` is not used."""
        del seed, samples
        return PrototypeLesson(self, session, data)

    @property
    def label_samples(self) -> int:
        """Classes are known from the lesson."""
        return 0


@final
class PrototypeLesson(Lesson):
    """Presents a sample, then one silent step with the third factor of the neuron that is to learn."""

    def __init__(self, learner: DigitsPrototypes, session: Session, data: Dataset) -> None:
        self.learner, self.session, self.classes = learner, session, data.classes
        self.labels = np.full(learner.neurons, -1, dtype=np.int64)  # class of each prototype; -1: none yet
        self.wins = np.zeros(learner.neurons, dtype=np.int64)

    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """One sample."""
        shown = spikes[: self.learner.learning_steps]
        self.session.reset()
        recording = self.session.run(len(shown), inputs={IMAGE: shown})
        first = recording.spikes[OUTPUT].ids[:1]
        factor = np.zeros(self.learner.neurons)
        silent = np.flatnonzero(self.labels < 0)
        if first.size and self.labels[first[0]] == label:
            winner = int(first[0])
            self.wins[winner] += 1
            factor[winner] = 2.0 ** -min(int(self.wins[winner]), self.learner.slowest)
        elif silent.size:
            self.labels[silent[0]] = label
            factor[silent[0]] = 1.0
        teaching = self.session.run(1, modulators={PLASTICITY: factor[np.newaxis, :]})
        return recording, teaching

    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """A neuron stands for the class of its prototype."""
        del responses, labels
        return Readout(self.labels, np.where(self.labels[:, np.newaxis] == np.arange(self.classes), 1.0, 0.0))
