"""The weights and biases of a dense network in one flat vector."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.activations import Array


@final
class Parameters:
    """Weights and biases as views into one vector, so that an optimiser takes one pass, not one per layer.

    ``flat`` holds every weight matrix and then every bias. ``weights[l]`` has shape (n_out, n_in) and
    ``biases[l]`` shape (n_out,); writing into them writes into ``flat``. Gradients have the same form.

    >>> parameters = Parameters((2, 3, 1), np.zeros(13, dtype=np.float32))
    >>> parameters.weights[0][1, 0] = 7
    >>> float(parameters.flat[2]), [w.shape for w in parameters.weights]
    (7.0, [(3, 2), (1, 3)])
    """

    __slots__ = ("biases", "flat", "sizes", "weight_count", "weights")

    def __init__(self, sizes: tuple[int, ...], flat: Array) -> None:
        """Lay the views over ``flat``, for layers of ``sizes`` units, the input first."""
        self.sizes = sizes
        self.flat = flat
        shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
        self.weight_count = sum(n_out * n_in for n_out, n_in in shapes)
        weights, biases = [], []
        weight_start, bias_start = 0, self.weight_count
        for n_out, n_in in shapes:
            weights.append(flat[weight_start : weight_start + n_out * n_in].reshape(n_out, n_in))
            biases.append(flat[bias_start : bias_start + n_out])
            weight_start += n_out * n_in
            bias_start += n_out
        self.weights: tuple[Array, ...] = tuple(weights)
        self.biases: tuple[Array, ...] = tuple(biases)

    @classmethod
    def zeros(cls, sizes: tuple[int, ...], dtype: npt.DTypeLike) -> Parameters:
        """Give parameters of zeros for layers of ``sizes`` units, the input first."""
        count = sum(n_out * (n_in + 1) for n_out, n_in in zip(sizes[1:], sizes[:-1], strict=True))
        return cls(sizes, np.zeros(count, dtype=dtype))

    def copy(self) -> Parameters:
        """Give independent parameters of the same values."""
        return Parameters(self.sizes, self.flat.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle ``flat`` alone: the default would pickle each view as its own array, cut off from it."""
        return Parameters, (self.sizes, self.flat)
