"""Exact operation and memory counts of a training, as data; energy is a matter of the hardware files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.credit import CreditAssignment
from neuromorph.backends.backprop.network import DenseNetwork
from neuromorph.backends.backprop.optimisers import Optimiser
from neuromorph.cost import Operations


@final
@dataclass(frozen=True, kw_only=True)
class OperationCounts:
    """What inference and learning take, counted from the equations and not measured.

    A multiply-accumulate (MAC) is one product added to a sum. Not counted: the softmax or the squared error
    itself, the shuffling, and the copying of minibatches.
    """

    batch_size: int  # samples of a minibatch
    value_bytes: int  # bytes of one number: 4 for float32

    inference_macs: int  # for a sample
    inference_additions: int  # for a sample: biases
    inference_activations: int  # for a sample: evaluations of f, Identity being none
    inference_activation_bytes: int  # for a sample: the largest pair of neighbouring layers

    forward_macs: int  # for a trained sample
    backward_input_macs: int  # for a trained sample
    backward_weight_macs: int  # for a trained sample
    training_additions: int  # for a trained sample: biases, their gradients, the error at the output
    training_activations: int  # for a trained sample: evaluations of f, Identity being none
    derivative_products: int  # for a trained sample: errors times f'

    optimiser_macs: int  # for an update, so for a minibatch; weight decay counted
    optimiser_additions: int  # for an update
    optimiser_divisions: int  # for an update
    optimiser_square_roots: int  # for an update

    layers: int  # with weights
    activation_traffic_bytes: int  # for a sample: what every layer reads and what it writes, in inference
    weight_bytes: int
    bias_bytes: int
    gradient_bytes: int
    activation_cache_bytes: int  # for a minibatch: its inputs and every layer's activations
    error_bytes: int  # for a minibatch: errors and derivatives
    optimiser_state_bytes: int
    credit_state_bytes: int  # feedback weights and the like

    @property
    def optimiser_macs_per_sample(self) -> float:
        """Multiply-accumulates of the optimiser shared among the samples of a full minibatch."""
        return self.optimiser_macs / self.batch_size

    @property
    def trained_sample_macs(self) -> float:
        """All multiply-accumulates of a trained sample in a full minibatch."""
        learning = self.forward_macs + self.backward_input_macs + self.backward_weight_macs
        return learning + self.optimiser_macs_per_sample

    @property
    def memory_for_inference_bytes(self) -> int:
        """Bytes to run the network on one sample at a time."""
        return self.weight_bytes + self.bias_bytes + self.inference_activation_bytes

    @property
    def memory_for_learning_bytes(self) -> int:
        """Bytes that learning takes beyond the weights and biases."""
        return (
            self.gradient_bytes
            + self.activation_cache_bytes
            + self.error_bytes
            + self.optimiser_state_bytes
            + self.credit_state_bytes
        )

    def inference(self) -> Operations:
        """Work of classifying one sample by itself, as the cost model takes it."""
        return Operations(
            by_precision={self._precision: self.inference_macs},
            additions={self._precision: self.inference_additions},
            traffic_bytes={
                "weights": self.weight_bytes,
                "biases": self.bias_bytes,
                "activations": self.activation_traffic_bytes,
            },
            held_bytes={
                "weights": self.weight_bytes,
                "biases": self.bias_bytes,
                "activations": self.inference_activation_bytes,
            },
            calls=1,
            layers=self.layers,
        )

    def learning(self) -> Operations:
        """Work of one trained sample in a full minibatch, which shares the weights, their update and the calls.

        Weights are read forward and backward, and read and written by the update; gradients and the state of the
        optimiser are written once and read once; so are activations in the cache and errors of every sample.
        """
        one = Operations(
            by_precision={self._precision: self.trained_sample_macs},
            additions={
                self._precision: self.training_additions
                + self.derivative_products
                + self.optimiser_additions / self.batch_size
            },
            traffic_bytes={
                "weights": 4 * self.weight_bytes,
                "biases": 3 * self.bias_bytes,
                "gradients": 2 * self.gradient_bytes,
                "optimiser state": 2 * self.optimiser_state_bytes,
                "feedback weights": self.credit_state_bytes,
                "activation cache": 2 * self.activation_cache_bytes / self.batch_size,
                "errors": 2 * self.error_bytes / self.batch_size,
            },
            held_bytes={
                "weights": self.weight_bytes,
                "biases": self.bias_bytes,
                "gradients": self.gradient_bytes,
                "optimiser state": self.optimiser_state_bytes,
                "feedback weights": self.credit_state_bytes,
                "activation cache": self.activation_cache_bytes / self.batch_size,
                "errors": self.error_bytes / self.batch_size,
            },
            calls=1,
            layers=3 * self.layers - 1,  # forward, weights backward, and inputs backward of all but the first
        )
        return one.batched(self.batch_size)

    @property
    def _precision(self) -> str:
        return f"float{8 * self.value_bytes}"


def count_operations(
    network: DenseNetwork,
    *,
    credit: CreditAssignment,
    optimiser: Optimiser,
    batch_size: int,
    dtype: npt.DTypeLike = np.float32,
) -> OperationCounts:
    """Count the operations and the memory of ``network`` under a credit assignment and an optimiser."""
    value_bytes = np.dtype(dtype).itemsize
    learning, update = credit.cost(network), optimiser.cost
    parameters = network.parameter_count
    decay_macs = network.weight_count if optimiser.decays_weights else 0
    largest_pair = max(n_out + n_in for n_out, n_in in zip(network.sizes[1:], network.sizes[:-1], strict=True))
    return OperationCounts(
        batch_size=batch_size,
        value_bytes=value_bytes,
        inference_macs=network.weight_count,
        inference_additions=network.bias_count,
        inference_activations=network.nonlinear_units,
        inference_activation_bytes=largest_pair * value_bytes,
        forward_macs=learning.forward_macs,
        backward_input_macs=learning.backward_input_macs,
        backward_weight_macs=learning.backward_weight_macs,
        training_additions=learning.additions,
        training_activations=learning.activation_evaluations,
        derivative_products=learning.derivative_products,
        optimiser_macs=update.multiply_accumulates * parameters + decay_macs,
        optimiser_additions=update.additions * parameters,
        optimiser_divisions=update.divisions * parameters,
        optimiser_square_roots=update.square_roots * parameters,
        layers=len(network.sizes) - 1,
        activation_traffic_bytes=value_bytes * sum(n + m for n, m in itertools.pairwise(network.sizes)),
        weight_bytes=network.weight_count * value_bytes,
        bias_bytes=network.bias_count * value_bytes,
        gradient_bytes=parameters * value_bytes,
        activation_cache_bytes=learning.cached_values * batch_size * value_bytes,
        error_bytes=learning.error_values * batch_size * value_bytes,
        optimiser_state_bytes=update.state_values * parameters * value_bytes,
        credit_state_bytes=learning.state_values * value_bytes,
    )
