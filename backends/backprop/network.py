"""Dense networks: their description, their initial parameters and their forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.activations import Activation, Array, Identity, ReLU
from neuromorph.backends.backprop.initialisation import Initialisation
from neuromorph.backends.backprop.parameters import Parameters
from neuromorph.backends.backprop.requirements import require_count, require_instance
from neuromorph.errors import DescriptionError, InputError, raise_faults

PREDICTION_ROWS = 1024  # samples predicted at a time: large enough for BLAS, small enough for the cache


@final
@dataclass(frozen=True, kw_only=True)
class Dense:
    """A fully connected layer: a = f(W x + b), W of shape (n_out, n_in).

    Raises DescriptionError for a field of a wrong type or value.
    """

    units: int  # n_out
    activation: Activation = field(default_factory=Identity)
    initialisation: Initialisation | None = None  # None: the one that suits the activation; biases start at 0

    def __post_init__(self) -> None:
        """Check every field."""
        faults = require_count("Dense.units", self.units, at_least=1, remedy="give the number of outputs")
        faults += require_instance(
            "Dense.activation", self.activation, Activation, "Identity(), ReLU(), Tanh(), Sigmoid()"
        )
        if self.initialisation is not None:
            faults += require_instance(
                "Dense.initialisation", self.initialisation, Initialisation, "He(), Glorot(), None"
            )
        raise_faults(DescriptionError, faults)


@final
@dataclass(frozen=True, kw_only=True)
class DenseNetwork:
    """A chain of dense layers, the last one being the output.

    Raises DescriptionError for a field of a wrong type or value.

    >>> network = DenseNetwork(inputs=64, layers=(Dense(units=128, activation=ReLU()), Dense(units=10)))
    >>> network == DenseNetwork.of_sizes((64, 128, 10)), network.parameter_count
    (True, 9610)
    """

    inputs: int
    layers: tuple[Dense, ...]

    def __post_init__(self) -> None:
        """Check every field."""
        faults = require_count(
            "DenseNetwork.inputs",
            self.inputs,
            at_least=1,
            remedy="give the number of input values of a sample",
        )
        if not isinstance(self.layers, tuple) or not self.layers:
            faults.append(
                "DenseNetwork.layers must be a tuple of one Dense or more, "
                f"got {self.layers!r}; for one layer write (Dense(units=10),)"
            )
        else:
            for index, layer in enumerate(self.layers):
                faults += require_instance(f"DenseNetwork.layers[{index}]", layer, Dense, "Dense(units=...)")
        raise_faults(DescriptionError, faults)

    @classmethod
    def of_sizes(
        cls, sizes: Sequence[int], *, hidden: Activation | None = None, output: Activation | None = None
    ) -> DenseNetwork:
        """Give the network of ``sizes`` units, input first, with ReLU hidden and linear output units.

        Raises DescriptionError for fewer than two sizes.
        """
        if len(sizes) < 2:
            raise DescriptionError([f"DenseNetwork.of_sizes needs an input and an output size, got {sizes!r}"])
        inside, last = hidden or ReLU(), output or Identity()
        layers = [Dense(units=units, activation=inside) for units in sizes[1:-1]]
        return cls(inputs=sizes[0], layers=(*layers, Dense(units=sizes[-1], activation=last)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, the input first."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return self.layers[-1].units

    @property
    def weight_count(self) -> int:
        """Weights of all layers, biases not counted."""
        return sum(n_out * n_in for n_out, n_in in zip(self.sizes[1:], self.sizes[:-1], strict=True))

    @property
    def bias_count(self) -> int:
        """Biases of all layers."""
        return sum(self.sizes[1:])

    @property
    def nonlinear_units(self) -> int:
        """Units whose activation is not Identity."""
        return sum(layer.units for layer in self.layers if not isinstance(layer.activation, Identity))

    @property
    def parameter_count(self) -> int:
        """Weights and biases of all layers."""
        return self.weight_count + self.bias_count

    def draw_parameters(self, generator: np.random.Generator, dtype: npt.DTypeLike) -> Parameters:
        """Draw initial weights; biases are zero. The draws are those of float64 whatever the ``dtype``."""
        parameters = Parameters.zeros(self.sizes, dtype)
        for layer, weight in zip(self.layers, parameters.weights, strict=True):
            scheme = layer.initialisation or layer.activation.initialisation
            n_out, n_in = weight.shape
            weight[...] = scheme.draw(n_out, n_in, generator)
        return parameters


@final
class ForwardPass:
    """The forward pass with its activation cache, allocated once for up to ``rows`` samples."""

    def __init__(self, network: DenseNetwork, parameters: Parameters, rows: int) -> None:
        """Allocate the cache; ``parameters`` may change between runs."""
        self._network = network
        self._parameters = parameters
        self._cache = [np.empty((rows, units), parameters.flat.dtype) for units in network.sizes[1:]]

    @property
    def cache_bytes(self) -> int:
        """Bytes of the activation cache."""
        return sum(array.nbytes for array in self._cache)

    def run(self, inputs: Array) -> list[Array]:
        """Give the inputs and every layer's activations, each (samples, units).

        a_0 = x, a_l = f_l(a_(l-1) W_l^T + b_l). The activations are views that the next run overwrites.
        """
        rows = len(inputs)
        activations = [inputs]
        layers = zip(self._network.layers, self._parameters.weights, self._parameters.biases, self._cache, strict=True)
        for layer, weight, bias, cache in layers:
            value = cache[:rows]
            # np.dot, not np.matmul: with one sample matmul leaves BLAS for some products, 7 times slower.
            np.dot(activations[-1], weight.T, out=value)
            np.add(value, bias, out=value)
            layer.activation.apply(value, out=value)
            activations.append(value)
        return activations


def predict(network: DenseNetwork, parameters: Parameters, inputs: npt.ArrayLike) -> Array:
    """Give the network's outputs, shape (samples, outputs), for inputs of shape (samples, inputs).

    The outputs are those of the last layer: under SoftmaxCrossEntropy they are logits. Raises InputError for
    inputs of a wrong shape.
    """
    samples = np.ascontiguousarray(inputs, dtype=parameters.flat.dtype)
    if samples.ndim != 2 or samples.shape[1] != network.inputs:
        raise InputError([f"predict: inputs must have shape (samples, {network.inputs}), got {samples.shape}"])
    outputs = np.empty((len(samples), network.outputs), dtype=samples.dtype)
    forward = ForwardPass(network, parameters, min(PREDICTION_ROWS, len(samples)))
    for start in range(0, len(samples), PREDICTION_ROWS):
        stop = start + PREDICTION_ROWS
        outputs[start:stop] = forward.run(samples[start:stop])[-1]
    return outputs
