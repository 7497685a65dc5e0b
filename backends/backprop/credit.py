"""Credit assignment: how the error at the output becomes a gradient for every weight."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.backends.backprop.activations import Array, Identity
from neuromorph.backends.backprop.losses import Loss
from neuromorph.backends.backprop.network import DenseNetwork, ForwardPass
from neuromorph.backends.backprop.parameters import Parameters


@final
@dataclass(frozen=True, kw_only=True)
class CreditCost:
    """Operations and memory that a choice of credit assignment takes, whatever the optimiser."""

    forward_macs: int  # multiply-accumulates for a trained sample, to get activations
    backward_input_macs: int  # ... to carry errors down
    backward_weight_macs: int  # ... to form weight gradients
    additions: int  # for a trained sample: biases, their gradients, the error at the output
    activation_evaluations: int  # for a trained sample; Identity is none
    derivative_products: int  # for a trained sample: errors times f'; none for Identity
    cached_values: int  # for a sample of the minibatch: inputs and activations kept for the backward phase
    error_values: int  # for a sample of the minibatch: errors, and scratch for the derivatives of one layer
    state_values: int  # of its own, such as feedback weights


class GradientSource(ABC):
    """Gives gradients for one training; opened by a CreditAssignment."""

    gradient: Parameters  # of the mean loss over the last minibatch; overwritten by the next

    @property
    @abstractmethod
    def cache_bytes(self) -> int:
        """Bytes of the activation cache that this source allocated, the inputs not counted."""

    @property
    @abstractmethod
    def error_bytes(self) -> int:
        """Bytes of the error buffers that this source allocated."""

    @abstractmethod
    def compute(self, inputs: Array, targets: Array) -> Array:
        """Set ``gradient`` for a minibatch and give the outputs it had before the update.

        ``inputs`` has shape (samples, inputs), ``targets`` and the outputs (samples, outputs), any number of
        samples up to the batch size. The outputs are a view that the next call overwrites.
        """


class CreditAssignment(ABC):
    """A way to assign credit, as frozen options."""

    @abstractmethod
    def open(
        self,
        network: DenseNetwork,
        parameters: Parameters,
        loss: Loss,
        *,
        batch_size: int,
        generator: np.random.Generator,
    ) -> GradientSource:
        """Start a training of ``parameters``, which the caller updates in place between gradients."""

    @abstractmethod
    def cost(self, network: DenseNetwork) -> CreditCost:
        """Give the operations and memory it takes on ``network``."""


@final
@dataclass(frozen=True, kw_only=True)
class Backprop(CreditAssignment):
    """The exact gradient by the chain rule (Rumelhart, Hinton and Williams 1986).

    d_L = dL/dy * f'(z_L), d_(l-1) = (d_l W_l) * f'(z_(l-1)), dL/dW_l = d_l^T a_(l-1), dL/db_l = d_l^T 1, with
    d_l and a_l of shape (samples, units of layer l).
    """

    def open(
        self,
        network: DenseNetwork,
        parameters: Parameters,
        loss: Loss,
        *,
        batch_size: int,
        generator: np.random.Generator,
    ) -> GradientSource:
        """Start a training; backprop draws no random numbers."""
        del generator
        return _BackpropSource(network, parameters, loss, batch_size)

    def cost(self, network: DenseNetwork) -> CreditCost:
        """Give the cost; no error is carried to the network's inputs, so the first layer has no such part."""
        sizes = network.sizes
        first_layer = sizes[0] * sizes[1]
        return CreditCost(
            forward_macs=network.weight_count,
            backward_input_macs=network.weight_count - first_layer,
            backward_weight_macs=network.weight_count,
            additions=2 * network.bias_count + network.outputs,
            activation_evaluations=network.nonlinear_units,
            derivative_products=network.nonlinear_units,
            cached_values=sum(sizes),
            error_values=network.bias_count + max(sizes[1:]),
            state_values=0,
        )


@final
class _BackpropSource(GradientSource):
    def __init__(self, network: DenseNetwork, parameters: Parameters, loss: Loss, batch_size: int) -> None:
        dtype = parameters.flat.dtype
        self.gradient = Parameters.zeros(network.sizes, dtype)
        self._network = network
        self._parameters = parameters
        self._loss = loss
        self._forward = ForwardPass(network, parameters, batch_size)
        self._errors = [np.empty((batch_size, units), dtype) for units in network.sizes[1:]]
        self._derivatives = np.empty(batch_size * max(network.sizes[1:]), dtype)

    @property
    def cache_bytes(self) -> int:
        return self._forward.cache_bytes

    @property
    def error_bytes(self) -> int:
        return sum(array.nbytes for array in self._errors) + self._derivatives.nbytes

    def compute(self, inputs: Array, targets: Array) -> Array:
        rows = len(inputs)
        activations = self._forward.run(inputs)
        errors = [array[:rows] for array in self._errors]
        self._loss.differentiate(activations[-1], targets, out=errors[-1])
        for index in reversed(range(len(errors))):
            error, activation = errors[index], self._network.layers[index].activation
            if not isinstance(activation, Identity):
                derivative = self._derivatives[: error.size].reshape(error.shape)
                activation.differentiate(activations[index + 1], out=derivative)
                np.multiply(error, derivative, out=error)
            np.dot(error.T, activations[index], out=self.gradient.weights[index])
            np.add.reduce(error, axis=0, out=self.gradient.biases[index])
            if index > 0:
                np.dot(error, self._parameters.weights[index], out=errors[index - 1])
        return activations[-1]
