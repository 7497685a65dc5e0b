"""What a spiking classifier that learns by local plasticity must say of itself, so that any backend can teach and test it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, STATE_LIMIT, WEIGHT_RANGES, weight_step
from neuromorph.connectors import Dense
from neuromorph.discretise import discretise
from neuromorph.network import Network, Projection
from neuromorph.program import Program
from neuromorph.quantisation.conversion import quantise
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset

if TYPE_CHECKING:
    from typing_extensions import Self

IMAGE, OUTPUT, PLASTIC = "image", "output", "image->output"
LARGEST_THRESHOLD = float(STATE_LIMIT - (1 << ALIGNMENT))  # of a chip: a mantissa of 17 bits, shifted


class Lesson(ABC):
    """One learner being taught in one session; holds what the host remembers between samples."""

    @abstractmethod
    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """Present one training sample, shape (steps, pixels), and let it be learned; every run that this took."""

    @abstractmethod
    def readout(self, responses: Responses | None, labels: IntArray) -> Readout:
        """What each output neuron stands for by now.

        ``responses`` to the first :attr:`Learner.label_samples` training samples, and their labels.
        """


@dataclass(frozen=True, kw_only=True)
class Learner(ABC):
    """A network from an input ``image`` to a population ``output``, what is plastic between them, and its protocol."""

    rule: ClassVar[str]  # one sentence: what learns, from which signal
    plastic: ClassVar[tuple[str, ...]] = (PLASTIC,)  # projections that learn, that from the image first
    rates: ClassVar[Mapping[str, float]] = {}  # fields that are smaller in longer lessons, and the power: see paced()
    quantisation: ClassVar[Mapping[str, float]] = {}  # fields of Quantisation that differ from its own, on a chip
    quick_samples: int
    samples: int  # training samples seen by default, repetitions counted
    full_rate_samples: int  # a longer lesson takes smaller steps: see paced()

    @property
    @abstractmethod
    def name(self) -> str:
        """What tables call it."""

    @abstractmethod
    def network(self, data: Dataset, *, seed: int) -> Network:
        """The description before learning."""

    @abstractmethod
    def encode(self, images: FloatArray) -> BoolArray:
        """Spikes of images (samples, pixels): shape (samples, steps, pixels)."""

    @abstractmethod
    def lesson(self, session: Session, data: Dataset, *, seed: int, samples: int) -> Lesson:
        """Begin to teach; ``samples`` is how many will follow."""

    @property
    @abstractmethod
    def label_samples(self) -> int:
        """Training samples whose responses :meth:`Lesson.readout` needs; 0 where classes are known without them."""

    def paced(self, samples: int) -> Self:
        """The same learner for a lesson of so many samples: beyond ``full_rate_samples`` its :attr:`rates` are smaller.

        Each sinks with its power of the share ``full_rate_samples / samples``.
        """
        share = min(1.0, self.full_rate_samples / max(samples, 1))
        slower: dict[str, Any] = {field: share**power * getattr(self, field) for field, power in self.rates.items()}
        return dataclasses.replace(self, **slower)

    def program(self, data: Dataset, *, seed: int, chip: str | None = None) -> Program:
        """What is taught: in float, or in the integers of a chip."""
        program = discretise(self.network(data, seed=seed), seed=seed)
        return program if chip is None else quantise(program, chip, **self.quantisation)

    def frozen(self, session: Session) -> Program:
        """The program as the session has learned it so far, static.

        In fixed point weights of both signs lose their last bit, as static ones have 8 bits with the sign.
        """
        program = session.program
        weights = {}
        for name in self.plastic:
            learned: FloatArray = session.read(f"{name}.weight")
            if program.arithmetic == "fixed":
                mode = program.projection(name).sign_mode
                step, (low, high) = weight_step(mode, 8), WEIGHT_RANGES[mode]
                learned = np.clip(np.rint(learned / step) * step, low, high // step * step)
            weights[name] = learned
        program = program.with_weights(weights, static=True)
        for population in program.populations:
            threshold = session.read(f"{population.name}.v_threshold")
            program = program.with_parameters(population.name, threshold=threshold)
        return program

    def order(self, data: Dataset, *, seed: int, samples: int, classes: Sequence[int] | None = None) -> IntArray:
        """Which training samples are shown: passes over the data, or over some classes of it, each in a new random order."""
        rng = np.random.default_rng([seed, 1])
        shown = np.arange(len(data.training_labels))
        if classes is not None:
            shown = shown[np.isin(data.training_labels, classes)]
        passes = [rng.permutation(shown) for _ in range(-(-samples // shown.size))]
        return np.concatenate(passes)[:samples].astype(np.int64)


@dataclass(frozen=True, eq=False)
class Readout:
    """What each output neuron stands for."""

    labels: IntArray  # (neurons,), -1: nothing
    votes: FloatArray  # (neurons, classes), what a spike of each neuron adds to each class

    def predict(self, responses: Responses) -> IntArray:
        """The class with most votes; a tie goes to the class whose neurons spiked first, then to the lower; -1: silence."""
        score = responses.counts @ self.votes
        classes = self.votes.shape[1]
        earliest = np.full(score.shape, np.inf)
        for label in range(classes):
            members = self.labels == label
            if np.any(members):
                earliest[:, label] = responses.first[:, members].min(axis=1)
        best = np.isclose(score, score.max(axis=1, keepdims=True), rtol=1e-12, atol=0.0)
        chosen = np.where(best, earliest, np.inf).argmin(axis=1)
        nowhere = ~np.isfinite(np.where(best, earliest, np.inf)).any(axis=1)
        chosen = np.where(nowhere, score.argmax(axis=1), chosen)
        return np.where(score.max(axis=1) > 0, chosen, -1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Responses:
    """Output spikes to a set of samples."""

    counts: FloatArray  # (samples, neurons)
    first: FloatArray  # (samples, neurons), step of the first spike, counted from 0; inf: none
    recordings: tuple[Recording, ...]

    @property
    def wall_second(self) -> float:
        """Time that the simulator took."""
        return sum(recording.wall_second for recording in self.recordings)


def respond(session: Session, spikes: BoolArray, done: Callable[[int], None] | None = None) -> Responses:
    """Present samples (samples, steps, pixels) one after the other, each from rest."""
    recordings: list[Recording] = []
    for index, sample in enumerate(spikes):
        session.reset()
        recordings.append(session.run(len(sample), inputs={IMAGE: sample}))
        if done is not None:
            done(index + 1)
    return Responses(*summary(recordings, session.program.sizes[OUTPUT]), recordings=tuple(recordings))


def summary(recordings: Sequence[Recording], neurons: int) -> tuple[FloatArray, FloatArray]:
    """Spike counts and first spikes of the output, one row for each recording."""
    counts = np.zeros((len(recordings), neurons))
    first = np.full((len(recordings), neurons), np.inf)
    for row, recording in enumerate(recordings):
        train = recording.spikes[OUTPUT]
        counts[row] = train.counts()
        # events are in order of time: written backwards, the earliest stays
        first[row, train.ids[::-1]] = train.steps[::-1]
    return counts, first


class Thresholds:
    """Thresholds of a population that a host rule moves, in the description's units whatever the program's arithmetic.

    In fixed point the session is given the nearest threshold that the chip holds, and the host keeps the exact one.
    """

    LEAST: ClassVar[float] = 1e-3

    def __init__(self, session: Session, population: str) -> None:
        self._session, self._address = session, f"{population}.v_threshold"
        self._scale = session.program.population(population).scale
        self._unit = float(1 << ALIGNMENT) if session.program.arithmetic == "fixed" else 0.0
        self.values: FloatArray = session.read(self._address) / self._scale

    def move(self, change: FloatArray) -> None:
        """Add ``change``, one entry a neuron; thresholds stay above 0."""
        self.values = np.maximum(self.values + change, self.LEAST)
        self._hold(self.values)

    def shift(self, offset: FloatArray) -> None:
        """Lie ``offset`` beside :attr:`values`, one entry a neuron, until the next move."""
        self._hold(np.maximum(self.values + offset, self.LEAST))

    def _hold(self, values: FloatArray) -> None:
        held = values * self._scale
        if self._unit:
            held = np.clip(np.rint(held / self._unit) * self._unit, self._unit, LARGEST_THRESHOLD)
        self._session.write(self._address, held)


def rounded_at_random(factor: FloatArray, step: float, rng: np.random.Generator) -> FloatArray:
    """Multiples of ``step``, right on average, each by a chance of its own.

    A chip rounds all synapses of a projection by one random number: what a small third factor changes would come or not
    come in all of them together. One that is rounded beforehand comes seldom, and changes each weight by whole units.
    """
    return np.floor(factor / step + rng.random(factor.shape)) * step


def lateral_inhibition(neurons: int, strength: float) -> Projection:
    """What makes output neurons compete: each output spike inhibits all others."""
    return Projection(OUTPUT, OUTPUT, Dense(-strength * (1.0 - np.eye(neurons))), name="lateral inhibition")
