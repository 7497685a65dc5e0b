"""Backprop's gradient agrees with finite differences for every activation and loss."""

import numpy as np
import pytest

from neuromorph.backends.backprop import (
    Backprop,
    Dense,
    DenseNetwork,
    Identity,
    MeanSquaredError,
    Parameters,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    predict,
)

ACTIVATIONS = [Identity(), ReLU(), Sigmoid(), Tanh()]
LOSSES = [SoftmaxCrossEntropy(), MeanSquaredError()]
STEP = 1e-5


def relative_error(a, b):
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))


def network_and_batch(activation, samples=7):
    generator = np.random.default_rng(3)
    layers = [Dense(units=units, activation=activation) for units in (6, 5, 4)]
    network = DenseNetwork(inputs=3, layers=tuple(layers))
    parameters = network.draw_parameters(generator, "float64")
    parameters.flat += 0.1 * generator.standard_normal(parameters.flat.size)
    inputs = generator.standard_normal((samples, 3))
    targets = np.eye(4)[generator.integers(0, 4, samples)]
    return network, parameters, inputs, targets


def finite_differences(network, parameters, loss, inputs, targets):
    slopes = np.empty_like(parameters.flat)
    for index in range(slopes.size):
        values = []
        for sign in (1, -1):
            moved = parameters.copy()
            moved.flat[index] += sign * STEP
            values.append(loss.value(predict(network, moved, inputs), targets))
        slopes[index] = (values[0] - values[1]) / (2 * STEP)
    return slopes


def backprop_gradient(network, parameters, loss, inputs, targets, batch_size):
    generator = np.random.default_rng(0)
    source = Backprop().open(network, parameters, loss, batch_size=batch_size, generator=generator)
    outputs = source.compute(inputs, targets)
    return source.gradient, outputs


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_gradient_agrees_with_finite_differences(activation, loss):
    network, parameters, inputs, targets = network_and_batch(activation)
    gradient, _ = backprop_gradient(network, parameters, loss, inputs, targets, batch_size=7)
    expected = finite_differences(network, parameters, loss, inputs, targets)
    assert np.linalg.norm(expected) > 1e-3
    assert relative_error(gradient.flat, expected) < 1e-6


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_gradient_of_linear_output_over_hidden_nonlinearity(loss):
    generator = np.random.default_rng(5)
    network = DenseNetwork.of_sizes((3, 8, 4), hidden=Tanh())
    parameters = network.draw_parameters(generator, "float64")
    inputs, targets = generator.standard_normal((5, 3)), np.eye(4)[[0, 1, 2, 3, 0]]
    gradient, _ = backprop_gradient(network, parameters, loss, inputs, targets, batch_size=5)
    expected = finite_differences(network, parameters, loss, inputs, targets)
    assert relative_error(gradient.flat, expected) < 1e-6


def test_gradient_of_partial_minibatch_is_that_of_its_samples_alone():
    network, parameters, inputs, targets = network_and_batch(ReLU(), samples=3)
    loss = SoftmaxCrossEntropy()
    alone, _ = backprop_gradient(network, parameters, loss, inputs, targets, batch_size=3)
    partial, _ = backprop_gradient(network, parameters, loss, inputs, targets, batch_size=64)
    np.testing.assert_allclose(partial.flat, alone.flat, rtol=1e-12)


def test_gradient_source_gives_the_outputs_before_the_update():
    network, parameters, inputs, targets = network_and_batch(Tanh())
    _, outputs = backprop_gradient(network, parameters, MeanSquaredError(), inputs, targets, batch_size=7)
    np.testing.assert_allclose(outputs, predict(network, parameters, inputs), rtol=1e-12)


def test_gradient_by_hand_for_one_linear_unit():
    network = DenseNetwork.of_sizes((2, 1))
    parameters = Parameters((2, 1), np.array([2.0, -1.0, 0.5]))
    inputs, targets = np.array([[1.0, 3.0]]), np.array([[1.0]])
    gradient, outputs = backprop_gradient(network, parameters, MeanSquaredError(), inputs, targets, batch_size=1)
    assert outputs.item() == -0.5  # 2 * 1 - 1 * 3 + 0.5
    assert gradient.flat.tolist() == [-1.5, -4.5, -1.5]  # (y - t) x, and (y - t)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activation_derivative_by_value_agrees_with_finite_differences(activation):
    z = np.array([-30.0, -2.0, -0.3, 0.2, 1.5, 30.0])

    def f(points):
        out = np.empty_like(points)
        activation.apply(points, out=out)
        return out

    derivative = np.empty_like(z)
    activation.differentiate(f(z), out=derivative)
    np.testing.assert_allclose(derivative, (f(z + STEP) - f(z - STEP)) / (2 * STEP), atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activation_may_write_over_its_argument(activation):
    z = np.linspace(-3, 3, 11)
    separate = np.empty_like(z)
    activation.apply(z, out=separate)
    activation.apply(z, out=z)
    np.testing.assert_array_equal(z, separate)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activation_of_huge_preactivations_stays_free_of_warnings(activation):
    z = np.array([-1e4, 1e4], dtype=np.float32)
    activation.apply(z, out=z)
    assert np.isfinite(z).all() and z.dtype == np.float32


def test_cross_entropy_of_huge_logits_is_finite():
    outputs, targets = np.array([[1e4, -1e4]], dtype=np.float32), np.array([[0.0, 1.0]], dtype=np.float32)
    slope = np.empty_like(outputs)
    SoftmaxCrossEntropy().differentiate(outputs, targets, out=slope)
    assert SoftmaxCrossEntropy().value(outputs, targets) == 2e4
    assert slope.tolist() == [[1.0, -1.0]]
