"""Every learner of digits: one description for float and a chip's integers, the same lesson on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.digits_lesson import teach
from neuromorph.digits_scorecard import DEFAULT_LEARNERS, LEARNERS, score_digits
from neuromorph.errors import InputError
from neuromorph.networks.digits_reward_hidden import LEAST_DOUBT, DigitsRewardHidden
from neuromorph.networks.digits_unsupervised import DigitsUnsupervised
from neuromorph.networks.learner import OUTPUT, Learner, Thresholds, rounded_at_random
from neuromorph.program import Program
from neuromorph.recording import FloatArray, Recording
from neuromorph.tasks.dataset import Dataset, digits

SMALL = {name: LEARNERS[name] for name in LEARNERS if name != "unsupervised-400"}
SEED = 3


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits(seed=SEED)


def lesson_on(
    backend: str, learner: Learner, program: Program, data: Dataset, samples: int
) -> tuple[list[Recording], list[FloatArray]]:
    """Every run of the first samples of a lesson, and the weights and thresholds that it left."""
    spikes = learner.encode(data.training_images[:samples])
    with registry.get(backend).open(program, seed=SEED) as session:
        lesson = learner.lesson(session, data, seed=SEED, samples=samples)
        runs = [
            run
            for one, label in zip(spikes, data.training_labels[:samples], strict=True)
            for run in lesson.teach(one, int(label))
        ]
        learned = [session.read(f"{name}.weight") for name in learner.plastic]
        return runs, [*learned, session.read(f"{OUTPUT}.v_threshold")]


def same(ours: tuple[list[Recording], list[FloatArray]], theirs: tuple[list[Recording], list[FloatArray]]) -> bool:
    trains = zip(ours[0], theirs[0], strict=True)
    return all(
        np.array_equal(np.asarray(a.spikes[name]), np.asarray(b.spikes[name])) for a, b in trains for name in a.spikes
    ) and all(np.array_equal(a, b) for a, b in zip(ours[1], theirs[1], strict=True))


@pytest.mark.parametrize("chip", [None, "loihi1"])
@pytest.mark.parametrize("name", SMALL)
def test_the_emulator_learns_what_the_reference_learns(name: str, chip: str | None, data: Dataset) -> None:
    learner = SMALL[name]
    program = learner.program(data, seed=SEED, chip=chip)
    ours = lesson_on("emulator", learner, program, data, 10)
    assert same(ours, lesson_on("reference", learner, program, data, 10))
    start = [program.projection(projection) for projection in learner.plastic]
    for projection, learned in zip(start, ours[1], strict=False):
        assert not np.array_equal(projection.matrix(projection.weight), learned)


@pytest.mark.skipif(not registry.availability("lava").available, reason="Lava is not installed")
@pytest.mark.parametrize("name", SMALL)
def test_lava_learns_the_same_integers(name: str, data: Dataset) -> None:
    learner = SMALL[name]
    program = learner.program(data, seed=SEED, chip="loihi1")
    assert same(lesson_on("emulator", learner, program, data, 3), lesson_on("lava", learner, program, data, 3))


@pytest.mark.parametrize("name", SMALL)
def test_a_lesson_on_a_chip_teaches(name: str, data: Dataset) -> None:
    """The short lesson makes any of them right three times as often as chance would be."""
    learner = SMALL[name]
    (known,) = teach(learner, data, seed=SEED, samples=learner.quick_samples, chip="loihi1")
    assert known.program.arithmetic == "fixed"
    assert all(projection.rule is None for projection in known.program.projections)
    (accuracy,) = known.accuracy([range(10)])
    assert accuracy > 0.3


@pytest.mark.parametrize("name", SMALL)
def test_same_seed_same_lesson(name: str, data: Dataset) -> None:
    learner = SMALL[name]
    first, second = (teach(learner, data, seed=SEED, samples=20)[0].program.fingerprint for _ in range(2))
    assert first == second


def test_prototypes_keep_the_first_classes_while_they_learn_others(data: Dataset) -> None:
    halves = [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    before, after = teach(LEARNERS["prototypes"], data, seed=SEED, samples=600, chip="loihi1", phases=halves)
    (kept,), (lost,) = before.accuracy(halves[:1]), before.accuracy(halves[1:])
    assert lost == 0.0
    for accuracy in after.accuracy(halves):
        assert accuracy > kept - 0.1


def test_a_novel_sample_is_stored_at_once(data: Dataset) -> None:
    learner = LEARNERS["prototypes"]
    program = learner.program(data, seed=SEED)
    _, (weight, _) = lesson_on("emulator", learner, program, data, 1)
    assert np.count_nonzero(weight.any(axis=1)) == 1
    stored, image = weight[0], data.training_images[0]
    assert stored @ image / np.linalg.norm(stored) / np.linalg.norm(image) > 0.95


def test_thresholds_are_held_in_the_units_of_the_description(data: Dataset) -> None:
    learner = LEARNERS["unsupervised"]
    for chip in (None, "loihi1"):
        program = learner.program(data, seed=SEED, chip=chip)
        with registry.get("emulator").open(program) as session:
            thresholds = Thresholds(session, OUTPUT)
            before = thresholds.values.copy()
            thresholds.move(np.full(before.size, 3.0))
            population = program.population(OUTPUT)
            held = session.read(f"{OUTPUT}.v_threshold") / population.scale
            unit = 64 / population.scale if chip else 1e-12
            assert np.all(np.abs(held - before - 3.0) <= unit)


def test_every_learner_is_a_row_of_the_comparison() -> None:
    card = score_digits(learners=tuple(LEARNERS), backends=("reference",), seeds=(SEED,), samples=20, quick=True)
    assert [row.learner for row in card.rows] == [learner.name for learner in LEARNERS.values()]
    assert all(row.available for row in card.rows)


def test_an_unknown_learner_is_named_beside_the_known() -> None:
    with pytest.raises(InputError, match=r"no learner 'hopfield'; known: reward, unsupervised, .*prototypes"):
        score_digits(learners=("hopfield",), backends=("reference",))


def test_default_learners_are_known() -> None:
    assert set(DEFAULT_LEARNERS) < set(LEARNERS)
    assert len({learner.name for learner in LEARNERS.values()}) == len(LEARNERS)


def test_a_longer_lesson_takes_smaller_steps() -> None:
    learner = LEARNERS["reward"]
    assert learner.paced(learner.full_rate_samples) == learner
    slower = learner.paced(4 * learner.full_rate_samples)
    for field in learner.rates:
        assert getattr(slower, field) == pytest.approx(getattr(learner, field) / 4, rel=1e-12)


def distinct_after(noise: float, data: Dataset) -> int:
    """How many different rows of weights 30 neurons have that began with one and the same, after 40 samples."""
    learner = DigitsUnsupervised(neurons=30, weight_low=0.4, weight_high=0.4, threshold_noise=noise)
    program = learner.program(data, seed=SEED, chip="loihi1")
    _, (weight, _) = lesson_on("emulator", learner, program, data, 40)
    return len(np.unique(weight, axis=0))


def test_neurons_that_began_equal_part_by_chance(data: Dataset) -> None:
    assert distinct_after(0.0, data) == 1
    assert distinct_after(DigitsUnsupervised().threshold_noise, data) > 20


def test_factors_are_rounded_right_on_average() -> None:
    factor, step, draws = np.array([-0.3, 0.01, 0.5]), 1 / 8, 4000
    rounded = rounded_at_random(np.tile(factor, (draws, 1)), step, np.random.default_rng(0))
    assert np.array_equal(rounded, np.rint(rounded / step) * step)
    assert np.array_equal(rounded[:, 2], np.full(draws, 0.5))
    # the mean of so many values, each off by at most a step, lies within four standard errors of at most step / 2
    assert np.all(np.abs(rounded.mean(axis=0) - factor) < 4 * (step / 2) / np.sqrt(draws))


def told(picked: int, label: int, probability: FloatArray, data: Dataset) -> FloatArray:
    """What output neurons hear where the network picked a class and another was the label."""
    learner = DigitsRewardHidden(hidden=4)
    with registry.get("emulator").open(learner.program(data, seed=SEED)) as session:
        lesson = learner.lesson(session, data, seed=SEED, samples=1)
        return lesson.judged(picked, label, probability)


def test_a_wrong_answer_tells_nothing_of_the_right_one(data: Dataset) -> None:
    probability = np.linspace(1.0, 2.0, 10) / np.linspace(1.0, 2.0, 10).sum()
    assert np.array_equal(told(4, 2, probability, data), told(4, 7, probability, data))
    assert told(4, 2, probability, data)[4] < 0 < told(4, 4, probability, data)[4]


def test_who_expects_what_comes_learns_nothing_on_average(data: Dataset) -> None:
    probability = np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0, 0])
    for picked in range(3):
        mean = sum(probability[label] * told(picked, label, probability, data) for label in range(3))
        assert np.all(np.abs(mean) < 10 * LEAST_DOUBT)  # which is added to each of ten


def test_whoever_was_sure_and_wrong_hears_it(data: Dataset) -> None:
    sure = np.eye(10)[4]
    assert told(4, 2, sure, data)[4] == -1.0
    assert abs(told(4, 2, sure, data).sum()) < 1e-12
