"""What a spiking classifier that learns by local plasticity must say of itself, so that any backend can teach and test it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neuromorph.connectors import AllToAll, Dense
from neuromorph.network import Network, Projection
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset

if TYPE_CHECKING:
    from typing_extensions import Self

IMAGE, OUTPUT, PLASTIC = "image", "output", "image->output"


class Lesson(ABC):
    """One learner being taught in one session; holds what the host remembers between samples."""

    @abstractmethod
    def teach(self, spikes: BoolArray, label: int) -> tuple[Recording, ...]:
        """Present one training sample, shape (steps, pixels), and let it be learned; every run that this took."""


@dataclass(frozen=True, kw_only=True)
class Learner(ABC):
    """A network of an input ``image``, a population ``output`` and a plastic projection between them, and its protocol."""

    name: ClassVar[str]
    rule: ClassVar[str]  # one sentence: what learns, from which signal
    learning_rate_power: ClassVar[float] = 1.0
    quick_samples: int
    samples: int  # training samples seen by default, repetitions counted
    full_rate_samples: int  # a longer lesson takes smaller steps: see paced()
    learning_rate: float
    threshold_rate: float

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
        """Training samples whose responses :meth:`readout` needs; 0 where classes are fixed beforehand."""

    @abstractmethod
    def readout(self, responses: Responses | None, labels: IntArray, data: Dataset) -> Readout:
        """What each output neuron stands for; ``responses`` to the first :attr:`label_samples` training samples."""

    def paced(self, samples: int) -> Self:
        """The same learner for a lesson of so many samples: beyond ``full_rate_samples`` its rates are smaller.

        The rate of thresholds sinks in proportion, that of weights with the power :attr:`learning_rate_power`.
        """
        share = min(1.0, self.full_rate_samples / max(samples, 1))
        learning_rate = share**self.learning_rate_power * self.learning_rate
        rates: dict[str, Any] = {"learning_rate": learning_rate, "threshold_rate": share * self.threshold_rate}
        return dataclasses.replace(self, **rates)

    def order(self, data: Dataset, *, seed: int, samples: int) -> IntArray:
        """Which training samples are shown: passes over the data, each in a new random order."""
        rng = np.random.default_rng([seed, 1])
        count = len(data.training_labels)
        passes = [rng.permutation(count) for _ in range(-(-samples // count))]
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


def competition(neurons: int, feed_forward: float, lateral: float) -> tuple[Projection, Projection]:
    """What makes output neurons compete: each input spike inhibits all of them, and each output spike all others."""
    others = -lateral * (1.0 - np.eye(neurons))
    return (
        Projection(IMAGE, OUTPUT, AllToAll(-feed_forward), name="feed-forward inhibition"),
        Projection(OUTPUT, OUTPUT, Dense(others), name="lateral inhibition"),
    )
