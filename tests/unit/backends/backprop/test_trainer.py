"""The trainer learns, repeats itself from a seed, and records what it did."""

import pickle

import numpy as np
import pytest

from neuromorph.backends.backprop import (
    SGD,
    Adam,
    Dense,
    DenseNetwork,
    EarlyStopping,
    MeanSquaredError,
    Parameters,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
    predict,
)
from neuromorph.errors import InputError, NeuromorphError

XOR_INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR_LABELS = np.array([0, 1, 1, 0])


def blobs(samples=90, seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % 3
    centres = np.array([[0, 0, 2], [2, 0, 0], [0, 2, 0]])
    return centres[labels] + 0.3 * generator.standard_normal((samples, 3)), labels


def trainer(**options):
    return Trainer(**{"network": DenseNetwork.of_sizes((3, 8, 3)), "epochs": 3, "batch_size": 16, **options})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("optimiser", [Adam(learning_rate=0.05), SGD(learning_rate=0.2)], ids=["adam", "sgd"])
def test_learns_xor(optimiser, seed):
    xor = Trainer(
        network=DenseNetwork.of_sizes((2, 8, 2), hidden=Tanh()),
        optimiser=optimiser,
        epochs=300,
        batch_size=4,
        early_stopping=None,
    )
    training = xor.train(XOR_INPUTS, XOR_LABELS, generator=np.random.default_rng(seed))
    assert training.accuracy(XOR_INPUTS, XOR_LABELS) == 1.0
    assert training.curve[-1].loss < 0.05


def test_learns_xor_with_squared_error_of_one_sigmoid():
    xor = Trainer(
        network=DenseNetwork.of_sizes((2, 8, 1), hidden=Tanh(), output=Sigmoid()),
        loss=MeanSquaredError(),
        optimiser=Adam(learning_rate=0.05),
        epochs=300,
        batch_size=4,
        early_stopping=None,
    )
    training = xor.train(XOR_INPUTS, XOR_LABELS[:, None], generator=np.random.default_rng(0))
    np.testing.assert_allclose(training.predict(XOR_INPUTS)[:, 0], XOR_LABELS, atol=0.1)
    assert training.curve[-1].accuracy is None


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_same_seed_same_weights(precision):
    inputs, labels = blobs()
    runs = [trainer(precision=precision).train(inputs, labels, generator=np.random.default_rng(7)) for _ in range(2)]
    assert runs[0].parameters.flat.tobytes() == runs[1].parameters.flat.tobytes()
    assert runs[0].parameters.flat.dtype == precision


def test_other_seed_other_weights():
    inputs, labels = blobs()
    runs = [trainer().train(inputs, labels, generator=np.random.default_rng(seed)) for seed in (1, 2)]
    assert not np.array_equal(runs[0].parameters.flat, runs[1].parameters.flat)


def test_float32_starts_from_the_weights_of_float64():
    network = DenseNetwork.of_sizes((5, 4, 3))
    single, double = (network.draw_parameters(np.random.default_rng(0), dtype) for dtype in ("float32", "float64"))
    np.testing.assert_array_equal(single.flat, double.flat.astype(np.float32))


def test_last_partial_minibatch_is_trained_on():
    """Full-batch SGD by hand on minibatches of 4 and 1 samples gives the same weights."""
    generator = np.random.default_rng(0)
    inputs, targets = generator.standard_normal((5, 2)), generator.standard_normal((5, 1))
    linear = Trainer(
        network=DenseNetwork.of_sizes((2, 1)),
        loss=MeanSquaredError(),
        optimiser=SGD(learning_rate=0.1, momentum=0.0),
        epochs=1,
        batch_size=4,
        early_stopping=None,
        precision="float64",
    )
    start = Parameters((2, 1), np.array([0.5, -0.5, 0.1]))
    training = linear.train(inputs, targets, generator=np.random.default_rng(3), initial=start)
    weight, bias = np.array([0.5, -0.5]), 0.1
    order = np.random.default_rng(3).permutation(5)
    for batch in (order[:4], order[4:]):
        error = inputs[batch] @ weight + bias - targets[batch, 0]
        weight = weight - 0.1 * error @ inputs[batch] / len(batch)
        bias = bias - 0.1 * error.mean()
    np.testing.assert_allclose(training.parameters.flat, [*weight, bias], rtol=1e-12)
    assert training.curve[0].samples_seen == 5
    assert start.flat.tolist() == [0.5, -0.5, 0.1]


def test_batch_larger_than_the_training_part_is_one_minibatch():
    inputs, labels = blobs(samples=10)
    training = trainer(batch_size=1000, early_stopping=None).train(inputs, labels, generator=np.random.default_rng(0))
    assert [record.samples_seen for record in training.curve] == [10, 20, 30]


def test_curve_records_every_epoch_and_progress_sees_it():
    inputs, labels = blobs()
    seen = []
    options = trainer(
        epochs=20,
        optimiser=Adam(learning_rate=0.02),
        early_stopping=EarlyStopping(validation_fraction=1 / 3),
    )
    training = options.train(inputs, labels, generator=np.random.default_rng(0), progress=seen.append)
    assert tuple(seen) == training.curve
    assert [record.number for record in seen] == list(range(1, 21))
    assert [record.samples_seen for record in seen[:2]] == [60, 120]
    assert seen[-1].loss < seen[0].loss and seen[-1].accuracy > 0.9
    assert seen[-1].validation_accuracy > 0.9 and seen[-1].train_seconds > 0


def test_recorded_training_figures_are_those_before_each_update():
    inputs, labels = blobs()
    first = trainer(batch_size=90, epochs=1, early_stopping=None)
    start = first.network.draw_parameters(np.random.default_rng(4), "float32")
    training = first.train(inputs, labels, generator=np.random.default_rng(0), initial=start)
    outputs = predict(first.network, start, inputs)
    targets = np.eye(3, dtype=np.float32)[labels]
    assert training.curve[0].loss == pytest.approx(SoftmaxCrossEntropy().value(outputs, targets), rel=1e-5)
    assert training.curve[0].accuracy == pytest.approx(np.mean(outputs.argmax(axis=1) == labels))


def test_labels_and_their_rows_train_alike():
    inputs, labels = blobs()
    options = trainer(early_stopping=None)
    by_label = options.train(inputs, labels, generator=np.random.default_rng(0))
    by_row = options.train(inputs, np.eye(3)[labels], generator=np.random.default_rng(0))
    np.testing.assert_array_equal(by_label.parameters.flat, by_row.parameters.flat)


def test_prediction_in_chunks_is_prediction_at_once():
    network = DenseNetwork.of_sizes((3, 5, 2))
    parameters = network.draw_parameters(np.random.default_rng(0), "float64")
    inputs = np.random.default_rng(1).standard_normal((2500, 3))
    rows = np.concatenate([predict(network, parameters, inputs[start : start + 1]) for start in range(2500)])
    np.testing.assert_allclose(predict(network, parameters, inputs), rows, rtol=1e-12, atol=1e-14)


def test_parameters_survive_pickling_with_their_views():
    parameters = DenseNetwork.of_sizes((3, 4, 2)).draw_parameters(np.random.default_rng(0), "float32")
    restored = pickle.loads(pickle.dumps(parameters))
    restored.weights[1][0, 0] = 99
    assert 99 in restored.flat and 99 not in parameters.flat
    np.testing.assert_array_equal(restored.weights[0], parameters.weights[0])


def test_initial_weights_have_the_published_spread():
    network = DenseNetwork(inputs=400, layers=(Dense(units=300, activation=Tanh()),))
    glorot = network.draw_parameters(np.random.default_rng(0), "float64").weights[0]
    he = DenseNetwork.of_sizes((400, 300, 1)).draw_parameters(np.random.default_rng(0), "float64").weights[0]
    assert np.abs(glorot).max() <= np.sqrt(6 / 700)
    assert glorot.std() == pytest.approx(np.sqrt(2 / 700), rel=0.01)
    assert he.std() == pytest.approx(np.sqrt(2 / 400), rel=0.01)


def test_divergence_is_one_clear_error():
    inputs, labels = blobs()
    wild = trainer(optimiser=SGD(learning_rate=1e30), loss=MeanSquaredError(), early_stopping=None)
    with pytest.raises(NeuromorphError, match=r"training diverged in epoch 1: .* lower the learning rate"):
        wild.train(inputs, labels, generator=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.zeros((4, 2)), [0] * 4, r"inputs must be numbers of shape \(samples, 3\), .* shape \(4, 2\)"),
        (np.zeros((0, 3)), np.zeros(0, int), "at least one sample"),
        (np.full((4, 3), np.nan), [0] * 4, "inputs must be finite"),
        (np.zeros((4, 3)), [0] * 5, "one label for each of the 4 inputs, got 5"),
        (np.zeros((4, 3)), [0, 1, 2, 3], "labels from 0 to 2, got 0 to 3"),
        (np.zeros((4, 3)), [0.5] * 4, r"integer labels of shape \(4,\) or numbers of shape \(4, 3\)"),
        (np.zeros((4, 3)), np.zeros((4, 2)), r"numbers of shape \(4, 3\), got float64 of shape \(4, 2\)"),
        (np.zeros((4, 3)), np.ones((4, 3)), "rows of probabilities that sum to 1"),
        (np.zeros((4, 3)), np.full((4, 3), np.inf), "targets must be finite"),
    ],
)
def test_arrays_that_do_not_fit_are_named(inputs, targets, message):
    with pytest.raises(InputError, match=message):
        trainer().train(inputs, targets, generator=np.random.default_rng(0))


def test_labels_for_one_output_are_an_error():
    single = trainer(network=DenseNetwork.of_sizes((3, 1)))
    with pytest.raises(InputError, match="network of one output"):
        single.train(np.zeros((4, 3)), [0] * 4, generator=np.random.default_rng(0))


def test_initial_parameters_of_other_sizes_are_an_error():
    inputs, labels = blobs()
    start = Parameters.zeros((3, 9, 3), "float32")
    with pytest.raises(InputError, match=r"sizes \(3, 8, 3\), got \(3, 9, 3\)"):
        trainer().train(inputs, labels, generator=np.random.default_rng(0), initial=start)


def test_prediction_inputs_of_a_wrong_width_are_an_error():
    inputs, labels = blobs()
    training = trainer().train(inputs, labels, generator=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"shape \(samples, 3\), got \(2, 4\)"):
        training.predict(np.zeros((2, 4)))
