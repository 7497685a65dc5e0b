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
        weight_bytes=72,
        bias_bytes=20,
        gradient_bytes=92,
        activation_cache_bytes=8 * 9 * 4,
        error_bytes=8 * (5 + 3) * 4,  # errors of both layers, derivatives of the wider one
        optimiser_state_bytes=2 * 92,
        credit_state_bytes=0,
    )


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
