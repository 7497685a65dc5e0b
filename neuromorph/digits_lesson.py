"""A whole lesson in digits: teach a learner in float or in a chip's integers, and see what it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neuromorph import registry
from neuromorph.networks.learner import Learner, Lesson, Readout, Responses, respond
from neuromorph.program import Program
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset

BACKEND = "emulator"  # whole lessons run here; its spikes and weights are those of the reference


@dataclass(frozen=True, eq=False)
class Known:
    """What a learner knew at some moment of its lesson."""

    data: Dataset
    learner: Learner
    program: Program  # static
    readout: Readout
    samples: int  # training samples seen so far

    def answers(self) -> Responses:
        """Spikes to all held-out images, each from rest."""
        with registry.get(BACKEND).open(self.program) as session:
            return respond(session, self.learner.encode(self.data.test_images))

    def accuracy(self, classes: Sequence[Sequence[int]]) -> list[float]:
        """Share of right answers among the held-out samples of each of several sets of classes."""
        right = self.readout.predict(self.answers()) == self.data.test_labels
        return [float(np.mean(right[np.isin(self.data.test_labels, group)])) for group in classes]


def know(learner: Learner, lesson: Lesson, data: Dataset, session: Session, *, samples: int, labelled: int) -> Known:
    """What has been learned so far; where neurons are labelled afterwards, on so many training samples."""
    program, responses = learner.frozen(session), None
    shown = min(labelled, learner.label_samples, len(data.training_labels))
    if shown:
        with registry.get(BACKEND).open(program) as quiet:
            responses = respond(quiet, learner.encode(data.training_images[:shown]))
    return Known(data, learner, program, lesson.readout(responses, data.training_labels[:shown]), samples)


def teach(
    learner: Learner,
    data: Dataset,
    *,
    seed: int,
    samples: int,
    chip: str | None = None,
    phases: Sequence[Sequence[int]] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Known]:
    """Teach ``samples`` training samples; what is known at the end.

    ``phases`` are sets of classes that are learned one after the other, without replay, with samples in proportion to
    their share of the data; there is an entry for the end of each. None: all classes together. ``chip``: learn in the
    integers of that chip; None: in float.
    """
    learner = learner.paced(samples)
    spikes = learner.encode(data.training_images)
    known, seen = list[Known](), 0
    every = tuple(range(data.classes))
    with registry.get(BACKEND).open(learner.program(data, seed=seed, chip=chip), seed=seed) as session:
        lesson = learner.lesson(session, data, seed=seed, samples=samples)
        for classes in [every] if phases is None else phases:
            share = round(samples * float(np.mean(np.isin(data.training_labels, classes))))
            for index in learner.order(data, seed=seed, samples=share, classes=classes):
                lesson.teach(spikes[index], int(data.training_labels[index]))
                seen += 1
                if seen % 100 == 0:
                    progress(seen / samples)
            known.append(know(learner, lesson, data, session, samples=seen, labelled=learner.label_samples))
    return known
