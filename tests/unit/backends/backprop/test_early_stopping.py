"""Early stopping keeps the weights of the best epoch, and holds back a fair part of the samples."""

import numpy as np
import pytest

from neuromorph.backends.backprop import (
    SGD,
    DenseNetwork,
    EarlyStopping,
    Epoch,
    MeanSquaredError,
    Parameters,
    Trainer,
    split_samples,
)
from neuromorph.backends.backprop.early_stopping import BestWeights
from neuromorph.errors import InputError


def epoch(number, *, loss, accuracy=None):
    return Epoch(
        number=number,
        samples_seen=10 * number,
        loss=0.0,
        accuracy=None,
        validation_loss=loss,
        validation_accuracy=accuracy,
        train_seconds=0.0,
    )


def observe(options, losses):
    """Let the weight be the number of the epoch; give it after restoring, and where patience was spent."""
    parameters = Parameters.zeros((1, 1), np.float32)
    best = BestWeights(options, parameters)
    stopped_at = None
    for number, loss in enumerate(losses, start=1):
        parameters.flat[:] = number
        best.observe(epoch(number, loss=loss, accuracy=1 - loss))
        if best.patience_is_spent and stopped_at is None:
            stopped_at = number
    best.restore()
    return parameters.flat[0], best.epoch, stopped_at


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_best_weights_are_restored(monitor):
    options = EarlyStopping(patience=3, monitor=monitor)
    assert observe(options, [0.9, 0.4, 0.5, 0.3, 0.6, 0.7, 0.8]) == (4, 4, 7)


def test_improvement_below_the_minimum_does_not_count():
    assert observe(EarlyStopping(patience=2, min_improvement=0.2), [0.9, 0.8, 0.75]) == (1, 1, 3)


def test_equal_figures_are_no_improvement():
    assert observe(EarlyStopping(patience=2), [0.5, 0.5, 0.5]) == (1, 1, 3)


def overfitting_problem():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((60, 10))
    return inputs, generator.integers(0, 3, 60)


def test_training_returns_the_weights_of_the_best_epoch():
    inputs, labels = overfitting_problem()
    trainer = Trainer(
        network=DenseNetwork.of_sizes((10, 20, 3)),
        optimiser=SGD(learning_rate=0.2),
        epochs=60,
        early_stopping=EarlyStopping(validation_fraction=0.3, patience=5),
    )
    training = trainer.train(inputs, labels, generator=np.random.default_rng(1))
    losses = [record.validation_loss for record in training.curve]
    assert training.stopped_early and len(losses) == training.best_epoch + 5
    assert training.best_epoch == 1 + int(np.argmin(losses))
    held_out = training.validation_samples
    outputs = training.predict(inputs[held_out])
    restored = trainer.loss.value(outputs, np.eye(3, dtype=np.float32)[labels[held_out]])
    assert restored == pytest.approx(min(losses), rel=1e-6)


def test_passed_validation_set_is_used_and_no_sample_is_held_back():
    inputs, labels = overfitting_problem()
    trainer = Trainer(network=DenseNetwork.of_sizes((10, 3)), epochs=3)
    training = trainer.train(
        inputs[:40],
        labels[:40],
        generator=np.random.default_rng(1),
        validation=(inputs[40:], labels[40:]),
    )
    assert training.validation_samples.size == 0
    assert training.training_samples.tolist() == list(range(40))
    assert all(record.validation_accuracy is not None for record in training.curve)


def test_split_keeps_the_share_of_every_label():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    trained, held_out = split_samples(160, labels, fraction=0.1, generator=np.random.default_rng(0))
    assert np.bincount(labels[held_out]).tolist() == [10, 5, 1]
    assert sorted(np.concatenate([trained, held_out])) == list(range(160))


def test_split_without_labels_has_the_exact_count():
    trained, held_out = split_samples(101, None, fraction=0.25, generator=np.random.default_rng(0))
    assert (len(trained), len(held_out)) == (76, 25)
    assert not np.array_equal(np.sort(held_out), held_out)


def test_validation_part_too_small_is_an_error():
    trainer = Trainer(network=DenseNetwork.of_sizes((1, 2)))
    with pytest.raises(InputError, match="leaves 3 to train on and 0 to validate on"):
        trainer.train(np.zeros((3, 1)), [0, 1, 0], generator=np.random.default_rng(0))


def test_watching_accuracy_without_labels_is_an_error():
    trainer = Trainer(
        network=DenseNetwork.of_sizes((1, 1)),
        loss=MeanSquaredError(),
        early_stopping=EarlyStopping(monitor="accuracy"),
    )
    with pytest.raises(InputError, match=r"targets must be integer labels for EarlyStopping\.monitor"):
        trainer.train(np.zeros((30, 1)), np.zeros((30, 1)), generator=np.random.default_rng(0))
