"""Operation counts agree with a hand-worked example and with the buffers really allocated."""

import numpy as np
import pytest

from neuromorph.backends.backprop import (
    SGD,
    Adam,
    Backprop,
    DenseNetwork,
    OperationCounts,
    Sigmoid,
    SoftmaxCrossEntropy,
    Trainer,
    count_operations,
)

NETWORK = DenseNetwork.of_sizes((4, 3, 2))  # weights 12 + 6, biases 3 + 2


def counts(optimiser, network=NETWORK, batch_size=8, **options):
    return count_operations(network, credit=Backprop(), optimiser=optimiser, batch_size=batch_size, **options)


def test_hand_worked_example():
    assert counts(Adam()) == OperationCounts(
        batch_size=8,
        value_bytes=4,
        inference_macs=18,
        inference_additions=5,
        inference_activations=3,  # the ReLU layer
        inference_activation_bytes=4 * 7,  # 4 inputs and 3 hidden units
        forward_macs=18,
        backward_input_macs=6,  # the second layer only
        backward_weight_macs=18,
        training_additions=12,  # 5 biases, 5 bias gradients, 2 errors
        training_activations=3,
        derivative_products=3,
        optimiser_macs=4 * 23,
        optimiser_additions=23,
        optimiser_divisions=23,
        optimiser_square_roots=23,
        layers=2,
        activation_traffic_bytes=4 * (4 + 3 + 3 + 2),
        weight_bytes=72,
        bias_bytes=20,
        gradient_bytes=92,
        activation_cache_bytes=8 * 9 * 4,
        error_bytes=8 * (5 + 3) * 4,  # errors of both layers, derivatives of the wider one
        optimiser_state_bytes=2 * 92,
        credit_state_bytes=0,
    )


def test_the_work_of_a_minibatch_is_shared_among_its_samples():
    adam = counts(Adam())
    inference, learning = adam.inference(), adam.learning()
    assert inference.by_precision == {"float32": 18} and inference.additions == {"float32": 5}
    assert inference.traffic_bytes == {"weights": 72, "biases": 20, "activations": 48}
    assert (inference.calls, inference.layers, inference.batch_size) == (1, 2, 1)
    assert learning.by_precision == {"float32": 53.5}
    assert learning.additions == {"float32": 12 + 3 + 23 / 8}
    assert learning.traffic_bytes == {
        "weights": 4 * 72 / 8,  # read forward and backward, read and written by the update
        "biases": 3 * 20 / 8,
        "gradients": 2 * 92 / 8,
        "optimiser state": 2 * 184 / 8,
        "feedback weights": 0,
        "activation cache": 2 * 9 * 4,
        "errors": 2 * 8 * 4,
    }
    assert learning.held_bytes["activation cache"] == 8 * 9 * 4 and learning.held_bytes["weights"] == 72
    assert (learning.calls, learning.layers, learning.batch_size) == (1 / 8, 5 / 8, 8)


def test_sums_of_the_hand_worked_example():
    adam = counts(Adam())
    assert adam.optimiser_macs_per_sample == 11.5
    assert adam.trained_sample_macs == 18 + 6 + 18 + 11.5
    assert adam.memory_for_inference_bytes == 92 + 28
    assert adam.memory_for_learning_bytes == 92 + 288 + 256 + 184


@pytest.mark.parametrize(
    ("optimiser", "macs", "state_bytes"),
    [
        (SGD(momentum=0.0), 23, 0),
        (SGD(), 2 * 23, 92),
        (SGD(weight_decay=0.1), 2 * 23 + 18, 92),
        (Adam(weight_decay=0.1), 4 * 23 + 18, 184),
    ],
    ids=repr,
)
def test_optimisers_are_counted_with_their_state(optimiser, macs, state_bytes):
    counted = counts(optimiser)
    assert (counted.optimiser_macs, counted.optimiser_state_bytes) == (macs, state_bytes)


def test_single_layer_carries_no_error_down():
    counted = counts(SGD(), network=DenseNetwork.of_sizes((5, 2)))
    assert (counted.backward_input_macs, counted.backward_weight_macs) == (0, 10)


@pytest.mark.parametrize("sizes", [(4, 3, 2), (64, 128, 10), (7, 5)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counted_bytes_are_the_bytes_allocated(sizes, dtype):
    network = DenseNetwork.of_sizes(sizes, hidden=Sigmoid())
    counted = counts(Adam(), network=network, batch_size=16, dtype=dtype)
    generator = np.random.default_rng(0)
    parameters = network.draw_parameters(generator, dtype)
    source = Backprop().open(network, parameters, SoftmaxCrossEntropy(), batch_size=16, generator=generator)
    input_bytes = 16 * sizes[0] * parameters.flat.itemsize
    assert counted.weight_bytes + counted.bias_bytes == parameters.flat.nbytes
    assert counted.gradient_bytes == source.gradient.flat.nbytes
    assert counted.activation_cache_bytes == source.cache_bytes + input_bytes
    assert counted.error_bytes == source.error_bytes
    assert counted.optimiser_state_bytes == Adam().open(parameters).state_bytes


def test_trainer_counts_its_own_options():
    trainer = Trainer(network=NETWORK, optimiser=SGD(), batch_size=8, precision="float64")
    assert trainer.count_operations() == counts(SGD(), dtype="float64")
