"""Optimisers move parameters as their equations say."""

import math

import numpy as np
import pytest

from neuromorph.backends.backprop import SGD, Adam, Parameters, optimisers

SIZES = (2, 1)  # two weights, one bias


def parameters_of(*values):
    return Parameters(SIZES, np.array(values, dtype=np.float64))


def run_steps(optimiser, start, gradients):
    parameters = parameters_of(*start)
    state = optimiser.open(parameters)
    for gradient in gradients:
        state.step(parameters_of(*gradient))
    return parameters.flat


def test_sgd_without_momentum_by_hand():
    after = run_steps(SGD(learning_rate=0.1, momentum=0.0), (1.0, 2.0, 3.0), [(1.0, -2.0, 0.5)])
    np.testing.assert_allclose(after, [0.9, 2.2, 2.95], rtol=1e-15)


def test_sgd_momentum_by_hand():
    # v: 1, 1.5, 1.75; p: -0.1 * (1 + 1.5 + 1.75)
    after = run_steps(SGD(learning_rate=0.1, momentum=0.5), (0.0, 0.0, 0.0), [(1.0, 1.0, 1.0)] * 3)
    np.testing.assert_allclose(after, [-0.425] * 3, rtol=1e-14)


def test_sgd_on_a_quadratic_decays_as_in_closed_form():
    parameters = parameters_of(1.0, 1.0, 1.0)
    curvature = np.array([1.0, 2.0, 4.0])
    state = SGD(learning_rate=0.1, momentum=0.0).open(parameters)
    for _ in range(20):
        state.step(parameters_of(*(curvature * parameters.flat)))
    np.testing.assert_allclose(parameters.flat, (1 - 0.1 * curvature) ** 20, rtol=1e-12)


@pytest.mark.parametrize(
    "optimiser",
    [SGD(learning_rate=0.1, weight_decay=0.5), Adam(learning_rate=0.1, weight_decay=0.5)],
    ids=repr,
)
def test_weight_decay_shrinks_weights_and_leaves_biases(optimiser):
    after = run_steps(optimiser, (1.0, -2.0, 3.0), [(0.0, 0.0, 0.0)] * 2)
    np.testing.assert_allclose(after, [0.95**2, -2 * 0.95**2, 3.0], rtol=1e-14)


def test_adam_first_step_has_the_size_of_the_learning_rate():
    after = run_steps(Adam(learning_rate=0.01), (0.0, 0.0, 0.0), [(3.0, -0.002, 1e4)])
    np.testing.assert_allclose(after, [-0.01, 0.01, -0.01], rtol=1e-5)


def test_adam_agrees_with_its_published_form():
    options = Adam(learning_rate=0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
    gradients = np.random.default_rng(1).standard_normal((30, 3))
    expected, m, v = np.array([0.3, -0.4, 0.5]), np.zeros(3), np.zeros(3)
    for t, gradient in enumerate(gradients, start=1):
        m = options.beta_1 * m + (1 - options.beta_1) * gradient
        v = options.beta_2 * v + (1 - options.beta_2) * gradient**2
        corrected_m, corrected_v = m / (1 - options.beta_1**t), v / (1 - options.beta_2**t)
        expected = expected - options.learning_rate * corrected_m / (np.sqrt(corrected_v) + options.epsilon)
    np.testing.assert_allclose(run_steps(options, (0.3, -0.4, 0.5), gradients), expected, rtol=1e-12)


@pytest.mark.parametrize("optimiser", [SGD(), SGD(momentum=0.0), Adam()], ids=repr)
def test_update_in_blocks_is_the_update_at_once(optimiser, monkeypatch):
    generator = np.random.default_rng(0)
    start = generator.standard_normal(4 * 26).astype(np.float32)
    gradients = [Parameters((25, 4), generator.standard_normal(104).astype(np.float32)) for _ in range(3)]

    def after():
        parameters = Parameters((25, 4), start.copy())
        state = optimiser.open(parameters)
        for gradient in gradients:
            state.step(gradient)
        return parameters.flat

    at_once = after()
    monkeypatch.setattr(optimisers, "BLOCK_VALUES", 10)
    np.testing.assert_array_equal(after(), at_once)


@pytest.mark.parametrize("optimiser", [SGD(weight_decay=0.1), Adam(weight_decay=0.1)], ids=repr)
def test_update_keeps_float32_and_the_gradient(optimiser):
    parameters = Parameters.zeros(SIZES, np.float32)
    gradient = Parameters(SIZES, np.array([1.0, 2.0, 3.0], dtype=np.float32))
    optimiser.open(parameters).step(gradient)
    assert parameters.flat.dtype == np.float32
    assert gradient.flat.tolist() == [1.0, 2.0, 3.0]
    assert math.isfinite(parameters.flat.sum())


@pytest.mark.parametrize("optimiser", [SGD(), SGD(momentum=0.0), Adam()], ids=repr)
def test_declared_state_is_the_state_kept(optimiser):
    state = optimiser.open(Parameters.zeros(SIZES, np.float32))
    assert state.state_bytes == optimiser.cost.state_values * 3 * 4
