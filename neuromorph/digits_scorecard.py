"""The main job: learners and backends side by side on real handwritten digits."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from neuromorph import registry
from neuromorph.chip import Chip, load_chip
from neuromorph.comparison import first_divergence
from neuromorph.costs import Cost, estimate_counts
from neuromorph.digits_backprop import BACKPROP, train_backprop
from neuromorph.digits_evidence import CURVE_TEST_SAMPLES, Taught, gather_evidence
from neuromorph.doctor import installed_versions
from neuromorph.errors import (
    BackendUnavailable,
    ChipError,
    InputError,
    SimulatorError,
    UnsupportedError,
    is_count,
    raise_faults,
)
from neuromorph.networks.digits_eprop import DigitsEprop
from neuromorph.networks.digits_prototypes import DigitsPrototypes
from neuromorph.networks.digits_reward import DigitsReward
from neuromorph.networks.digits_reward_hidden import DigitsRewardHidden
from neuromorph.networks.digits_unsupervised import DigitsUnsupervised
from neuromorph.networks.learner import OUTPUT, Learner, Lesson, Readout, Responses, respond
from neuromorph.program import Program
from neuromorph.recording import Counts, IntArray, Recording
from neuromorph.scorecard import Evidence, Row, Scorecard, as_range, is_timed_here
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset, digits

LEARNERS: dict[str, Learner] = {  # by the names of the command line
    "reward": DigitsReward(),
    "unsupervised": DigitsUnsupervised(),
    "unsupervised-400": DigitsUnsupervised(neurons=400, learning_rate=0.25, samples=2876),
    "reward-hidden": DigitsRewardHidden(),
    "eprop": DigitsEprop(),
    "prototypes": DigitsPrototypes(),
}
DEFAULT_LEARNERS = ("reward", "unsupervised")
LONG_LESSONS = {"reward": 21_570, "unsupervised": 14_380}  # training samples of the comparison: 15 and 10 passes
TEACHER = "emulator"  # the backend that whole lessons run on; its spikes are those of the reference
DEFAULT_CHIPS = ("loihi1", "cpu")
DEFAULT_SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
QUICK_TEST_SAMPLES = 120
CURVE_SAMPLES = (60, 125, 250, 500, 1000, 2000, 4000)
QUICK_CURVE_SAMPLES = (60, 250)
COUNT_EVERY = 10  # the work of every so many-th training sample is counted
LEARNING_CHECK_SAMPLES = 12  # training samples learned on every backend, spikes and weights compared
VALUE_BYTE = 4  # of one value that learning holds, as backprop holds it too

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class _Work:
    """Counted work of some samples, and the time that a simulator took."""

    counts: Counts
    samples: int
    wall_second: float | None  # None: not timed as a whole

    def cost(self, chip: Chip, dt: float) -> Cost | None:
        """Of one sample; None where the chip's file has no cost of spiking work."""
        wall = self.wall_second if is_timed_here(chip) else None
        try:
            return estimate_counts(self.counts, dt=dt, chip=chip, wall_second=wall).scaled(1 / self.samples)
        except ChipError:
            return None


@dataclass(frozen=True, eq=False)
class Observed:
    """One backend, one seed: classifying, and the beginning of the lesson."""

    responses: Responses
    lesson: list[Recording]


def score_digits(
    *,
    backends: Sequence[str] | None = None,
    learners: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    samples: int | None = None,
    quick: bool = False,
    chips: Sequence[str] = DEFAULT_CHIPS,
    progress: Progress = lambda what, share: None,
) -> Scorecard:
    """Teach learners on the emulator, run what they learned on every backend, train backprop, and estimate costs.

    ``learners``: names of :data:`LEARNERS`; None: :data:`DEFAULT_LEARNERS`. ``samples``: training samples that each spiking learner sees; None: its own default.
    ``chips``: names or files of chips to estimate for; backprop is estimated on conventional ones. Raises
    :class:`InputError` for backends and learners that are not declared, :class:`ChipError` for chips. ``progress(what, share)`` is called with the share done, 0..1.
    """
    began = time.perf_counter()
    wanted = tuple(dict.fromkeys(registry.backend_names() if backends is None else backends))
    registry.require_declared(wanted)
    chosen = tuple(seeds) if seeds is not None else (QUICK_SEEDS if quick else DEFAULT_SEEDS)
    named = tuple(dict.fromkeys(DEFAULT_LEARNERS if learners is None else learners))
    raise_faults(InputError, _argument_faults(wanted, named, chosen, samples))
    taught = tuple(replace(LEARNERS[name], samples=LONG_LESSONS.get(name, LEARNERS[name].samples)) for name in named)
    hardware = tuple(load_chip(name) for name in dict.fromkeys(chips))
    job = _Job(wanted, taught, chosen, samples, quick, hardware, progress)
    rows, evidence = job.run()
    fingerprints = job.fingerprints | {f"chip {chip.name}": chip.fingerprint for chip in hardware}
    data = job.data[chosen[0]]
    return Scorecard(
        task="digits",
        rows=tuple(rows),
        evidence=tuple(evidence),
        seeds=chosen,
        training_samples=len(data.training_labels),
        test_samples=len(job.test(data)),
        encoding=_encoding_sentence(taught, data),
        versions=_versions(wanted),
        learning_samples_compared=LEARNING_CHECK_SAMPLES,
        fingerprints=fingerprints,
        seconds=time.perf_counter() - began,
        quick=quick,
    )


def _argument_faults(
    backends: tuple[str, ...], learners: tuple[str, ...], seeds: tuple[int, ...], samples: int | None
) -> list[str]:
    found = [f"there is no learner {name!r}; known: {', '.join(LEARNERS)}" for name in learners if name not in LEARNERS]
    if not learners:
        found.append("learners must name at least one learner, got none")
    if not backends:
        found.append("backends must name at least one backend, got none")
    if not seeds or not all(is_count(seed) for seed in seeds) or len(set(seeds)) != len(seeds):
        found.append(f"seeds must be different whole numbers >= 0, at least one, got {seeds!r}")
    if samples is not None and not is_count(samples, least=1):
        found.append(f"samples must be None or a whole number >= 1, got {samples!r}")
    return found


def _versions(backends: tuple[str, ...]) -> dict[str, str]:
    """Of Python, of our packages, and of what the backends that were asked for run on."""
    found = {"python": platform.python_version(), **installed_versions()}
    for name in backends:
        found |= registry.availability(name).versions
    return found


def _encoding_sentence(learners: Sequence[Learner], data: Dataset) -> str:
    parts = []
    for learner in learners:
        spikes = learner.encode(data.test_images)
        parts.append(
            f"{learner.name}: {spikes.shape[1]} steps of 1 ms and {spikes.sum(axis=(1, 2)).mean():.0f} input spikes"
        )
    return (
        "Rate code by phase accumulators, of images scaled to unit length; for one classified image, "
        + "; ".join(parts)
        + "."
    )


class _Job:
    """One comparison: what was asked for, and what was found on the way."""

    def __init__(
        self,
        backends: tuple[str, ...],
        learners: tuple[Learner, ...],
        seeds: tuple[int, ...],
        samples: int | None,
        quick: bool,
        chips: tuple[Chip, ...],
        progress: Progress,
    ) -> None:
        self.backends, self.learners, self.seeds = backends, learners, seeds
        self.samples, self.quick, self.chips, self.progress = samples, quick, chips, progress
        self.data = {seed: digits(seed=seed) for seed in seeds}
        self.fingerprints: dict[str, str] = {}
        others = [name for name in backends if name not in ("reference", BACKPROP)]
        self.total = len(seeds) * len(learners) * (6.0 + 2.0 * len(others)) + 1.0
        self.done = 0.0

    def test(self, data: Dataset) -> IntArray:
        """Indices of the held-out samples that are classified."""
        count = len(data.test_labels)
        return np.arange(min(count, QUICK_TEST_SAMPLES) if self.quick else count)

    def advance(self, what: str, share: float) -> None:
        """Report that ``share`` units of work are done, and what follows."""
        self.done += share
        self.progress(what, min(self.done / self.total, 1.0))

    def run(self) -> tuple[list[Row], list[Evidence]]:
        rows: list[Row] = []
        evidence: list[Evidence] = []
        for learner in self.learners:
            taught = [self.teach(learner, seed) for seed in self.seeds]
            found, first = self.classify(learner, taught)
            rows += found
            evidence.append(first)
        if BACKPROP in self.backends:
            self.advance("backprop: learning", 0.0)
            row, first = train_backprop(
                [(seed, self.data[seed], self.test(self.data[seed])) for seed in self.seeds], self.quick, self.chips
            )
            rows.append(row)
            evidence.append(first)
        self.progress("done", 1.0)
        return rows, evidence

    # --- spiking learners

    def teach(self, learner: Learner, seed: int) -> Taught:
        """The lesson, on the emulator, with accuracy on some held-out samples on the way for the first seed."""
        data = self.data[seed]
        samples = self.samples or (learner.quick_samples if self.quick else learner.samples)
        learner = learner.paced(samples)
        start = learner.program(data, seed=seed)
        spikes = learner.encode(data.training_images)
        counts: Counts | None = None
        curve: list[tuple[int, float]] = []
        points = QUICK_CURVE_SAMPLES if self.quick else CURVE_SAMPLES
        watch = set(points) if seed == self.seeds[0] else set()
        self.advance(f"{learner.name}, seed {seed}: learning", 0.0)
        with registry.get(TEACHER).open(start, seed=seed) as session:
            lesson = learner.lesson(session, data, seed=seed, samples=samples)
            for number, index in enumerate(learner.order(data, seed=seed, samples=samples), start=1):
                recordings = lesson.teach(spikes[index], int(data.training_labels[index]))
                if number % COUNT_EVERY == 1:
                    seen = _total([recording.counts for recording in recordings])
                    counts = seen if counts is None else counts + seen
                if number in watch and number < samples:
                    frozen, readout = self.freeze(learner, lesson, data, session, labelled=200)
                    curve.append((number, self.accuracy(learner, data, frozen, readout, CURVE_TEST_SAMPLES)))
                if number % 50 == 0:
                    self.advance(f"{learner.name}, seed {seed}: learned {number} of {samples}", 5.0 * 50 / samples)
            frozen, readout = self.freeze(learner, lesson, data, session, labelled=learner.label_samples)
        assert counts is not None
        self.fingerprints[f"{learner.name}, seed {seed}, before learning"] = start.fingerprint
        self.fingerprints[f"{learner.name}, seed {seed}, learned"] = frozen.fingerprint
        self.advance(f"{learner.name}, seed {seed}: classifying", 1.0)
        return Taught(learner, seed, data, start, frozen, readout, samples, counts, -(-samples // COUNT_EVERY), curve)

    def freeze(
        self, learner: Learner, lesson: Lesson, data: Dataset, session: Session, *, labelled: int
    ) -> tuple[Program, Readout]:
        """The program as learned so far, static, and what its neurons stand for."""
        frozen = learner.frozen(session)
        shown = min(labelled, learner.label_samples, 250 if self.quick else labelled)
        responses = None
        if shown:
            with registry.get(TEACHER).open(frozen) as quiet:
                responses = respond(quiet, learner.encode(data.training_images[:shown]))
        return frozen, lesson.readout(responses, data.training_labels[:shown])

    def accuracy(self, learner: Learner, data: Dataset, frozen: Program, readout: Readout, samples: int) -> float:
        with registry.get(TEACHER).open(frozen) as session:
            responses = respond(session, learner.encode(data.test_images[:samples]))
        return float(np.mean(readout.predict(responses) == data.test_labels[:samples]))

    def classify(self, learner: Learner, taught: list[Taught]) -> tuple[list[Row], Evidence]:
        """Held-out samples on every backend, for every seed; a row for each backend."""
        reference = [self.observe("reference", one) for one in taught]
        rows = []
        for name in (name for name in self.backends if name != BACKPROP):
            self.advance(f"{learner.name}: {name}", 0.0)
            try:
                observed = reference if name == "reference" else [self.observe(name, one) for one in taught]
            except (BackendUnavailable, UnsupportedError, SimulatorError) as error:
                rows.append(Row(learner=learner.name, backend=name, available=False, reason=str(error)))
                continue
            divergence = next(filter(None, map(_divergence, taught, reference, observed)), None)
            compared = sum(_spikes(seen.responses.recordings) + _spikes(seen.lesson) for seen in reference)
            rows.append(self.row(learner, taught, name, observed, divergence, compared))
        return rows, gather_evidence(taught[0], reference[0].responses, self.test(taught[0].data))

    def observe(self, backend: str, one: Taught) -> Observed:
        """What a backend makes of the held-out samples, and of the first samples of the lesson."""
        lesson = self.learning_check(backend, one)
        responses = self.respond_on(backend, one)
        if backend != "reference":
            self.advance(f"{one.learner.name}: {backend}, seed {one.seed}", 2.0)
        return Observed(responses, lesson)

    def respond_on(self, backend: str, one: Taught) -> Responses:
        images = one.data.test_images[self.test(one.data)]
        with registry.get(backend).open(one.frozen, seed=one.seed) as session:
            return respond(session, one.learner.encode(images))

    def learning_check(self, backend: str, one: Taught) -> list[Recording]:
        """The first samples of the lesson, learned on a backend: spikes depend on the weights that it learned."""
        learner, data = one.learner, one.data
        spikes = learner.encode(data.training_images)
        with registry.get(backend).open(one.start, seed=one.seed) as session:
            lesson = learner.lesson(session, data, seed=one.seed, samples=one.samples)
            order = learner.order(data, seed=one.seed, samples=LEARNING_CHECK_SAMPLES)
            return [run for index in order for run in lesson.teach(spikes[index], int(data.training_labels[index]))]

    def row(
        self,
        learner: Learner,
        taught: list[Taught],
        backend: str,
        observed: list[Observed],
        divergence: dict[str, Any] | None,
        compared: int,
    ) -> Row:
        accuracies = [
            float(np.mean(one.readout.predict(seen.responses) == one.data.test_labels[self.test(one.data)]))
            for one, seen in zip(taught, observed, strict=True)
        ]
        samples = sum(len(seen.responses.recordings) for seen in observed)
        wall = sum(seen.responses.wall_second for seen in observed)
        learning_wall = sum(recording.wall_second for seen in observed for recording in seen.lesson)
        counts = _total([recording.counts for seen in observed for recording in seen.responses.recordings])
        lesson = _Work(_total([one.counts for one in taught]), sum(one.counted for one in taught), None)
        beginning = _Work(  # what every backend learned, and was timed at
            _total([recording.counts for seen in observed for recording in seen.lesson]),
            LEARNING_CHECK_SAMPLES * len(observed),
            learning_wall,
        )
        tested, dt = _Work(counts, samples, wall), taught[0].frozen.dt
        costs = _known({chip.name: tested.cost(chip, dt) for chip in self.chips})
        learning = _known(
            {chip.name: (beginning if is_timed_here(chip) else lesson).cost(chip, dt) for chip in self.chips}
        )
        return Row(
            learner=learner.name,
            backend=backend,
            available=True,
            accuracy=fmean(accuracies),
            accuracy_by_seed=tuple(accuracies),
            samples=taught[0].samples,
            seconds_per_sample=wall / samples,
            learning_seconds_per_sample=learning_wall / beginning.samples,
            steps_per_second=counts.steps / wall,
            synaptic_operations=counts.synaptic_events / samples,
            energy_joule={chip: as_range(cost.energy_joule) for chip, cost in costs.items()},
            learning_energy_joule={chip: as_range(cost.energy_joule) for chip, cost in learning.items()},
            latency_second={chip: as_range(cost.latency_second) for chip, cost in costs.items()},
            energy_delay_product={chip: as_range(cost.energy_delay_product) for chip, cost in costs.items()},
            learning_memory_byte=_learning_memory(taught[0].start),
            spikes_equal=divergence is None,
            spikes_compared=compared,
            first_divergence=divergence,
        )


def _known(costs: dict[str, Cost | None]) -> dict[str, Cost]:
    return {chip: cost for chip, cost in costs.items() if cost is not None}


def _total(counts: Sequence[Counts]) -> Counts:
    total = counts[0]
    for more in counts[1:]:
        total = total + more
    return total


def _learning_memory(program: Program) -> int:
    """Bytes that learning holds beside the weights: traces, tags, and the thresholds that homeostasis moves."""
    values = program.population(OUTPUT).size
    for projection in program.projections:
        if projection.rule is not None:
            values += projection.synapses if projection.rule.dt is not None else 0
            for trace in projection.rule.traces:
                values += projection.pre_size if trace.startswith("x") else projection.post_size
    return values * VALUE_BYTE


def _spikes(recordings: Sequence[Recording]) -> int:
    return sum(len(train) for recording in recordings for train in recording.spikes.values())


def _divergence(one: Taught, reference: Observed, other: Observed) -> dict[str, Any] | None:
    """Where the spikes of a backend leave those of the reference: phase, seed, run, and in it step and neuron."""
    phases = (("learning", reference.lesson, other.lesson),
              ("classifying", reference.responses.recordings, other.responses.recordings))  # fmt: skip
    for phase, mine, theirs in phases:
        for run, (expected, found) in enumerate(zip(mine, theirs, strict=True)):
            if (first := first_divergence(expected.spikes, found.spikes)) is not None:
                return {"phase": phase, "seed": one.seed, "run": run, **first.to_json()}
    return None
