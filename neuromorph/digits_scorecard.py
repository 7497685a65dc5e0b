"""The main job: learners and backends side by side on real handwritten digits."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np

from neuromorph import registry
from neuromorph.backends.backprop import Epoch, Trainer, dense_network
from neuromorph.chip import load_chip
from neuromorph.compare import Divergence, first_divergence
from neuromorph.costs import Operations, estimate_counts, estimate_operations
from neuromorph.discretise import discretise
from neuromorph.doctor import installed_versions
from neuromorph.errors import BackendUnavailable, InputError, SimulatorError, UnsupportedError
from neuromorph.networks.digits_reward import DigitsReward
from neuromorph.networks.digits_unsupervised import DigitsUnsupervised
from neuromorph.networks.learner import IMAGE, OUTPUT, PLASTIC, Learner, Readout, Responses, respond
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import Counts, IntArray, Recording, SpikeTrain
from neuromorph.scorecard import Evidence, Range, Row, Scorecard
from neuromorph.session import Session
from neuromorph.tasks.dataset import Dataset, digits
from neuromorph.tasks.readout import confusion_matrix

LEARNERS: tuple[Learner, ...] = (DigitsReward(), DigitsUnsupervised())
BACKPROP = "backprop"
CHIPS = ("loihi1", "cpu")
DEFAULT_SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
QUICK_TEST_SAMPLES = 120
CURVE_SAMPLES = (60, 125, 250, 500, 1000, 2000, 4000)
CURVE_TEST_SAMPLES = 120
LEARNING_CHECK_SAMPLES = 12  # training samples learned on every backend, spikes and weights compared
RASTER_SAMPLES = 6
MEMBRANES = 4
FLOAT_BYTE = 8

Progress = Callable[[str, float], None]


@dataclass(eq=False)
class Taught:
    """A learner after its lesson on the reference, for one seed."""

    learner: Learner
    seed: int
    data: Dataset
    start: Program  # plastic, before learning
    frozen: Program  # static, after learning
    readout: Readout
    samples: int
    counts: Counts  # of the whole lesson
    wall_second: float
    curve: list[tuple[int, float]] = field(default_factory=list)


def score_digits(
    *,
    backends: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    samples: int | None = None,
    quick: bool = False,
    progress: Progress = lambda what, share: None,
) -> Scorecard:
    """Teach every learner on the reference, run what it learned on every backend, train backprop, and estimate costs.

    ``samples``: training samples that each spiking learner sees; None: its own default. Raises :class:`InputError` for
    backends that are not declared. ``progress(what, share)`` is called with the share done, 0..1.
    """
    began = time.perf_counter()
    declared = registry.backend_names()
    wanted = tuple(backends) if backends is not None else tuple(declared)
    unknown = [name for name in wanted if name not in declared]
    if unknown:
        raise InputError(f"there is no backend {', '.join(unknown)}; known: {', '.join(declared)}")
    chosen = tuple(seeds) if seeds is not None else (QUICK_SEEDS if quick else DEFAULT_SEEDS)
    job = _Job(wanted, chosen, samples, quick, progress)
    rows, evidence = job.run()
    fingerprints = job.fingerprints | {f"chip {name}": load_chip(name).fingerprint for name in CHIPS}
    data = job.data[chosen[0]]
    return Scorecard(
        task="digits",
        rows=tuple(rows),
        evidence=tuple(evidence),
        seeds=chosen,
        training_samples=len(data.training_labels),
        test_samples=len(job.test(data)),
        encoding=_encoding_sentence(data),
        versions={"python": platform.python_version(), **installed_versions()},
        fingerprints=fingerprints,
        seconds=time.perf_counter() - began,
        quick=quick,
    )


def _encoding_sentence(data: Dataset) -> str:
    parts = []
    for learner in LEARNERS:
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
        self, backends: tuple[str, ...], seeds: tuple[int, ...], samples: int | None, quick: bool, progress: Progress
    ) -> None:
        self.backends, self.seeds, self.samples, self.quick, self.progress = backends, seeds, samples, quick, progress
        self.data = {seed: digits(seed=seed) for seed in seeds}
        self.fingerprints: dict[str, str] = {}
        others = [name for name in backends if name not in ("reference", BACKPROP)]
        self.total = len(seeds) * len(LEARNERS) * (6.0 + 2.0 * len(others)) + 1.0
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
        for learner in LEARNERS:
            taught = [self.teach(learner, seed) for seed in self.seeds]
            found, first = self.classify(learner, taught)
            rows += found
            evidence.append(first)
        if BACKPROP in self.backends:
            row, first = self.backprop()
            rows.append(row)
            evidence.append(first)
        self.progress("done", 1.0)
        return rows, evidence

    # --- spiking learners

    def teach(self, learner: Learner, seed: int) -> Taught:
        """The lesson, on the reference, with accuracy on some held-out samples on the way for the first seed."""
        data = self.data[seed]
        samples = self.samples or (learner.quick_samples if self.quick else learner.samples)
        start = discretise(learner.network(data, seed=seed), seed=seed)
        spikes = learner.encode(data.training_images)
        counts: Counts | None = None
        wall, curve = 0.0, []
        watch = set(CURVE_SAMPLES) if seed == self.seeds[0] and not self.quick else set()
        self.advance(f"{learner.name}, seed {seed}: learning", 0.0)
        with registry.get("reference").open(start, seed=seed) as session:
            lesson = learner.lesson(session, data, seed=seed, samples=samples)
            for number, index in enumerate(learner.order(data, seed=seed, samples=samples), start=1):
                before = time.perf_counter()
                recordings = lesson.teach(spikes[index], int(data.training_labels[index]))
                wall += time.perf_counter() - before
                seen = _total([recording.counts for recording in recordings])
                counts = seen if counts is None else counts + seen
                if number in watch and number < samples:
                    frozen, readout = self.freeze(learner, data, start, session, labelled=200)
                    curve.append((number, self.accuracy(learner, data, frozen, readout, CURVE_TEST_SAMPLES)))
                if number % 50 == 0:
                    self.advance(f"{learner.name}, seed {seed}: learned {number} of {samples}", 5.0 * 50 / samples)
            frozen, readout = self.freeze(learner, data, start, session, labelled=learner.label_samples)
        assert counts is not None
        self.fingerprints[f"{learner.name}, seed {seed}, before learning"] = start.fingerprint
        self.fingerprints[f"{learner.name}, seed {seed}, learned"] = frozen.fingerprint
        self.advance(f"{learner.name}, seed {seed}: classifying", 1.0)
        return Taught(learner, seed, data, start, frozen, readout, samples, counts, wall, curve)

    def freeze(
        self, learner: Learner, data: Dataset, start: Program, session: Session, *, labelled: int
    ) -> tuple[Program, Readout]:
        """The program as learned so far, static, and what its neurons stand for."""
        frozen = start.with_weights({PLASTIC: session.read(f"{PLASTIC}.weight")}, static=True)
        frozen = frozen.with_parameters(OUTPUT, threshold=session.read(f"{OUTPUT}.v_threshold"))
        shown = min(labelled, learner.label_samples, 250 if self.quick else labelled)
        responses = None
        if shown:
            with registry.get("reference").open(frozen) as quiet:
                responses = respond(quiet, learner.encode(data.training_images[:shown]))
        return frozen, learner.readout(responses, data.training_labels[:shown], data)

    def accuracy(self, learner: Learner, data: Dataset, frozen: Program, readout: Readout, samples: int) -> float:
        with registry.get("reference").open(frozen) as session:
            responses = respond(session, learner.encode(data.test_images[:samples]))
        return float(np.mean(readout.predict(responses) == data.test_labels[:samples]))

    def classify(self, learner: Learner, taught: list[Taught]) -> tuple[list[Row], Evidence]:
        """Held-out samples on every backend, for every seed; a row for each backend."""
        names = [name for name in self.backends if name != BACKPROP]
        reference = [self.respond_on("reference", one) for one in taught]
        lessons = [self.learning_check("reference", one) for one in taught]
        rows = []
        for name in names:
            if name == "reference":
                rows.append(self.row(learner, taught, name, reference, None, None))
                continue
            self.advance(f"{learner.name}: {name}", 0.0)
            try:
                responses, divergence = [], None
                for one, base, lesson in zip(taught, reference, lessons, strict=True):
                    answer = self.respond_on(name, one)
                    responses.append(answer)
                    divergence = divergence or _divergence("classifying", one.seed, base.recordings, answer.recordings)
                    learned = self.learning_check(name, one)
                    divergence = divergence or _divergence("learning", one.seed, lesson, learned)
                    self.advance(f"{learner.name}: {name}, seed {one.seed}", 2.0)
                rows.append(self.row(learner, taught, name, responses, divergence is None, divergence))
            except (BackendUnavailable, UnsupportedError, SimulatorError) as error:
                rows.append(Row(learner=learner.name, backend=name, available=False, reason=str(error)))
                self.advance(f"{learner.name}: {name} is not available", 2.0 * len(taught))
        return rows, self.evidence(taught[0], reference[0])

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
        responses: list[Responses],
        equal: bool | None,
        divergence: dict[str, Any] | None,
    ) -> Row:
        accuracies = [
            float(np.mean(one.readout.predict(answer) == one.data.test_labels[self.test(one.data)]))
            for one, answer in zip(taught, responses, strict=True)
        ]
        samples = sum(len(answer.recordings) for answer in responses)
        wall = sum(answer.wall_second for answer in responses)
        counts = _total([recording.counts for answer in responses for recording in answer.recordings])
        learned = _total([one.counts for one in taught])
        learned_samples = sum(one.samples for one in taught)
        learning_wall = sum(one.wall_second for one in taught)
        dt = taught[0].frozen.dt
        costs = {
            chip: estimate_counts(counts, dt=dt, chip=chip, wall_second=wall).scaled(1 / samples) for chip in CHIPS
        }
        learning = {
            chip: estimate_counts(learned, dt=dt, chip=chip, wall_second=learning_wall).scaled(1 / learned_samples)
            for chip in CHIPS
        }
        return Row(
            learner=learner.name,
            backend=backend,
            available=True,
            accuracy=fmean(accuracies),
            accuracy_by_seed=tuple(accuracies),
            samples=taught[0].samples,
            seconds_per_sample=wall / samples,
            learning_seconds_per_sample=learning_wall / learned_samples if backend == "reference" else None,
            steps_per_second=counts.steps / wall,
            synaptic_operations=counts.synaptic_events / samples,
            energy_joule={chip: _range(cost.energy_joule) for chip, cost in costs.items()},
            learning_energy_joule={chip: _range(cost.energy_joule) for chip, cost in learning.items()},
            latency_second={chip: _range(cost.latency_second) for chip, cost in costs.items()},
            learning_memory_byte=_learning_memory(taught[0].start),
            spikes_equal=equal,
            first_divergence=divergence,
        )

    def evidence(self, one: Taught, responses: Responses) -> Evidence:
        data, learner = one.data, one.learner
        test = self.test(data)
        predicted = one.readout.predict(responses)
        accuracy = float(np.mean(predicted == data.test_labels[test]))
        curve = [*one.curve, (one.samples, accuracy)]
        shown = learner.encode(data.test_images[:RASTER_SAMPLES])
        probed = one.frozen.with_probes(
            [*one.frozen.with_all_spikes().probes, ProbeProgram(target=OUTPUT, variable="v", every=1)]
        )
        with registry.get("reference").open(probed) as session:
            answers = respond(session, shown)
        raster = {name: _concatenated([r.spikes[name] for r in answers.recordings]) for name in (IMAGE, OUTPUT)}
        membrane = np.concatenate([recording.states[OUTPUT, "v"] for recording in answers.recordings])
        busiest = np.argsort(-raster[OUTPUT].counts(), kind="stable")[:MEMBRANES]
        plastic = one.start.projection(PLASTIC)
        return Evidence(
            learner=learner.name,
            seed=one.seed,
            curve_samples=np.array([samples for samples, _ in curve]),
            curve_accuracy=np.array([value for _, value in curve]),
            curve_test_samples=CURVE_TEST_SAMPLES,
            confusion=confusion_matrix(data.test_labels[test], predicted, data.classes),
            image_shape=data.image_shape,
            weights_before=plastic.matrix(plastic.weight),
            weights_after=plastic.matrix(one.frozen.projection(PLASTIC).weight),
            receptive_labels=one.readout.labels,
            raster=raster,
            membrane=membrane[:, busiest],
            membrane_ids=tuple(int(neuron) for neuron in busiest),
            threshold=one.frozen.population(OUTPUT).threshold[busiest],
            steps_per_sample=shown.shape[1],
            sample_labels=tuple(
                zip(data.test_labels[:RASTER_SAMPLES].tolist(), predicted[:RASTER_SAMPLES].tolist(), strict=True)
            ),
            dt=one.frozen.dt,
        )

    # --- backprop, on the same description

    def backprop(self) -> tuple[Row, Evidence]:
        """The first learner's description as a rate network, trained by backprop."""
        self.advance("backprop: learning", 0.0)
        accuracies, samples, learning, classifying = [], 0, 0.0, 0.0
        evidence: Evidence | None = None
        for seed in self.seeds:
            data = self.data[seed]
            network = dense_network(LEARNERS[0].network(data, seed=seed), outputs=data.classes)
            trainer = Trainer(network=network, epochs=30 if self.quick else 100)
            epochs: list[Epoch] = []
            training = trainer.train(
                data.training_images,
                data.training_labels,
                generator=np.random.default_rng(seed),
                progress=epochs.append,
            )
            test = self.test(data)
            before = time.perf_counter()
            outputs = training.predict(data.test_images[test])
            classifying += (time.perf_counter() - before) / len(test)
            predicted = np.asarray(outputs).argmax(axis=1).astype(np.int64)
            accuracies.append(float(np.mean(predicted == data.test_labels[test])))
            samples += epochs[-1].samples_seen
            learning += sum(epoch.train_seconds for epoch in epochs)
            if evidence is None:
                evidence = _backprop_evidence(data, seed, epochs, training, test, predicted)
        counted = trainer.count_operations()
        seconds, learning_seconds = classifying / len(self.seeds), learning / samples
        inference = Operations(
            multiply_accumulates=counted.inference_macs, memory_bytes=counted.memory_for_inference_bytes
        )
        learned = Operations(
            multiply_accumulates=round(counted.trained_sample_macs), memory_bytes=counted.memory_for_learning_bytes
        )
        cost = estimate_operations(inference, "cpu", wall_second=seconds)
        learning_cost = estimate_operations(learned, "cpu", wall_second=learning_seconds)
        assert evidence is not None
        row = Row(
            learner="backprop",
            backend=BACKPROP,
            available=True,
            accuracy=fmean(accuracies),
            accuracy_by_seed=tuple(accuracies),
            samples=samples // len(self.seeds),
            seconds_per_sample=seconds,
            learning_seconds_per_sample=learning_seconds,
            synaptic_operations=float(counted.inference_macs),
            energy_joule={"cpu": _range(cost.energy_joule)},
            learning_energy_joule={"cpu": _range(learning_cost.energy_joule)},
            latency_second={"cpu": _range(cost.latency_second)},
            learning_memory_byte=int(counted.memory_for_learning_bytes),
        )
        return row, evidence


def _backprop_evidence(
    data: Dataset, seed: int, epochs: list[Epoch], training: Any, test: IntArray, predicted: IntArray
) -> Evidence:
    known = [epoch for epoch in epochs if epoch.validation_accuracy is not None]
    network = training.network
    start = network.draw_parameters(np.random.default_rng(seed), np.float32)
    return Evidence(
        learner="backprop",
        seed=seed,
        curve_samples=np.array([epoch.samples_seen for epoch in known]),
        curve_accuracy=np.array([epoch.validation_accuracy for epoch in known], dtype=np.float64),
        curve_test_samples=len(training.validation_samples),
        confusion=confusion_matrix(data.test_labels[test], predicted, data.classes),
        image_shape=data.image_shape,
        weights_before=np.asarray(start.weights[0], dtype=np.float64),
        weights_after=np.asarray(training.parameters.weights[0], dtype=np.float64),
        receptive_labels=np.full(training.parameters.weights[0].shape[0], -1, dtype=np.int64),
    )


def _range(value: Any) -> Range:
    return (float(value.low), float(value.high))


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
    return values * FLOAT_BYTE


def _concatenated(trains: Sequence[SpikeTrain]) -> SpikeTrain:
    return SpikeTrain.from_dense(np.concatenate([np.asarray(train) for train in trains]))


def _divergence(
    phase: str, seed: int, reference: Sequence[Recording], other: Sequence[Recording]
) -> dict[str, Any] | None:
    """Where the spikes of a series of samples differ first."""
    for sample, (mine, theirs) in enumerate(zip(reference, other, strict=True)):
        found: Divergence | None = first_divergence(mine.spikes, theirs.spikes)
        if found is not None:
            return {"phase": phase, "seed": seed, "sample": sample, **found.to_json()}
    return None
