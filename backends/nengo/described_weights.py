"""The weights of a Nengo connection as one matrix (post, pre), whatever its transform and slices are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from nengo.dists import Distribution
from nengo.transforms import Convolution, Dense, NoTransform, SparseMatrix
from nengo.transforms import Sparse as NengoSparse
from scipy.sparse import coo_matrix, csr_matrix, eye

from neuromorph.errors import UnsupportedError
from neuromorph.recording import FloatArray

Matrix = Any
"""A float array, or a SciPy CSR matrix where Nengo holds the weights sparse; shape (post, pre)."""


def weights(connection: Any, built: Any) -> Matrix:
    """The matrix from all neurons of the presynaptic object to all of the postsynaptic one.

    ``built`` is what Nengo's builder drew for the connection, None where it was not built. Raises
    :class:`UnsupportedError` that says what has no matrix, and what to do.
    """
    transform = connection.transform
    matrix = TRANSFORMS.get(type(transform))
    if matrix is None:
        known = ", ".join(kind.__name__ for kind in TRANSFORMS)
        raise UnsupportedError(
            f"its transform is a {type(transform).__name__}: give the weights as one of {known}"
            " (transform.sample() of what you have may be one)"
        )
    values = None if isinstance(transform, NoTransform) else transform.init if built is None else built
    if isinstance(values, Distribution) or (isinstance(values, SparseMatrix) and isinstance(values.data, Distribution)):
        drawn = values.data if isinstance(values, SparseMatrix) else values
        raise UnsupportedError(
            f"its weights are drawn from {drawn!r} when Nengo builds the network:"
            " pass nengo.Simulator(network), which holds what was drawn, or give an array"
        )
    return _embedded(connection, matrix(transform, values))


def scaled(matrix: Matrix, rows: FloatArray, factor: float) -> Matrix:
    """Row j of the matrix times ``rows[j]`` and ``factor``."""
    if isinstance(matrix, np.ndarray):
        return matrix * (rows * factor)[:, np.newaxis]
    changed = matrix.copy()
    changed.data = matrix.data * np.repeat(rows * factor, np.diff(matrix.indptr))
    return changed


def _embedded(connection: Any, matrix: Matrix) -> Matrix:
    """The weights between slices as weights between all neurons."""
    sizes = connection.post_obj.size_in, connection.pre_obj.size_out
    slices = connection.post_slice, connection.pre_slice
    post, pre = (np.atleast_1d(np.arange(size)[part]) for size, part in zip(sizes, slices, strict=True))
    if np.array_equal(post, np.arange(sizes[0])) and np.array_equal(pre, np.arange(sizes[1])):
        return matrix
    if np.unique(post).size < post.size or np.unique(pre).size < pre.size:
        raise UnsupportedError("its slice names a neuron twice: add the weights up and name it once")
    entries = coo_matrix(matrix)
    return csr_matrix((entries.data, (post[entries.row], pre[entries.col])), shape=sizes)


def _identity(transform: Any, values: Any) -> Matrix:
    del values
    return eye(transform.size_out, format="csr")


def _dense(transform: Any, values: Any) -> Matrix:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2:
        return array
    return np.diag(np.broadcast_to(array, (transform.size_out,)))  # Nengo's short form of a diagonal


def _sparse(transform: Any, values: Any) -> Matrix:
    del transform
    matrix = csr_matrix(values.allocate() if isinstance(values, SparseMatrix) else values, dtype=np.float64)
    matrix.sum_duplicates()
    return matrix


def _convolution(transform: Any, values: Any) -> Matrix:
    """Every place of the kernel on the input as an entry; like Nengo the kernel is not turned round."""
    if transform.groups != 1:
        raise UnsupportedError(f"its convolution has {transform.groups} groups: connect each group by itself")
    size_in, size_out = (
        np.array(shape.spatial_shape, dtype=np.int64) for shape in (transform.input_shape, transform.output_shape)
    )
    kernel = np.asarray(values, dtype=np.float64)
    dimensions = transform.dimensions
    strides = np.array(transform.strides)
    before = np.zeros(dimensions, dtype=np.int64)
    if transform.padding == "same":
        before = np.maximum((size_out - 1) * strides + transform.kernel_size - size_in, 0) // 2
    grid = np.indices((*size_out, *kernel.shape)).reshape(2 * dimensions + 2, -1)
    place_out, offset = grid[:dimensions], grid[dimensions : 2 * dimensions]
    channel, filters = grid[-2], grid[-1]
    place_in = place_out * strides[:, np.newaxis] + offset - before[:, np.newaxis]
    inside = np.all((place_in >= 0) & (place_in < size_in[:, np.newaxis]), axis=0)
    rows = _flat(place_out[:, inside], filters[inside], transform.output_shape)
    columns = _flat(place_in[:, inside], channel[inside], transform.input_shape)
    shape = transform.size_out, transform.size_in
    return csr_matrix((kernel[(*offset, channel, filters)][inside], (rows, columns)), shape=shape)


def _flat(place: npt.NDArray[Any], channel: npt.NDArray[Any], shape: Any) -> npt.NDArray[Any]:
    index = (*place, channel) if shape.channels_last else (channel, *place)
    return np.asarray(np.ravel_multi_index(index, shape.shape))


TRANSFORMS: Mapping[type, Callable[[Any, Any], Matrix]] = {
    NoTransform: _identity,
    Dense: _dense,
    NengoSparse: _sparse,
    Convolution: _convolution,
}
"""Transform class to the function that makes its matrix from its initial value."""
