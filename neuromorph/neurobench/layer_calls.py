"""Synaptic operations of one layer of connections, call by call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError, raise_faults
from neuromorph.recording import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class SynapticOperations:
    """Operations of some calls of connection layers."""

    effective_acs: int = 0  # accumulates: calls whose inputs are all -1, 0 or 1
    effective_macs: int = 0  # multiply-accumulates: all other calls
    dense: int = 0  # every input and every weight counted, zero or not

    def __add__(self, other: SynapticOperations) -> SynapticOperations:
        """Of the calls of both."""
        return SynapticOperations(
            effective_acs=self.effective_acs + other.effective_acs,
            effective_macs=self.effective_macs + other.effective_macs,
            dense=self.dense + other.dense,
        )


def layer_operations(inputs: npt.ArrayLike, weights: npt.ArrayLike, *, batch: int = 1) -> SynapticOperations:
    """Operations of a dense layer over its calls: nonzero inputs times the nonzero weights that read them.

    ::

        operations(t) = sum_j [x_j(t) != 0] * sum_i [W_ij != 0]
        dense(t)      = n_in * n_out

    A call whose inputs are all -1, 0 or 1 is one of accumulates, any other one of multiply-accumulates, and biases do
    not count (Yik et al. 2025, Nature Communications 16:1545, as the package NeuroBench computes it).

    ``inputs`` has shape (calls, n_in), ``weights`` (n_out, n_in). With ``batch`` so many rows, one after the other,
    enter in one call, and one graded value among them makes all of them multiply-accumulates.

    Raises :class:`InputError` where shapes do not fit.

    >>> layer_operations([[1, 0, 1], [0, 0.5, 1]], [[1, 0, 2], [3, 4, 5]])
    SynapticOperations(effective_acs=4, effective_macs=3, dense=12)
    >>> layer_operations([[1, 0, 1], [0, 0.5, 1]], [[1, 0, 2], [3, 4, 5]], batch=2)
    SynapticOperations(effective_acs=0, effective_macs=7, dense=12)
    """
    values, matrix = np.asarray(inputs), np.asarray(weights)
    raise_faults(InputError, _faults(values, matrix, batch))
    readers = np.count_nonzero(matrix, axis=0).astype(np.int64)
    by_row = row_operations(values, readers)
    graded = np.repeat([rows.any() for rows in _batches(is_graded(values), batch)], batch)[: len(by_row)]
    macs = int(by_row[graded.astype(np.bool_)].sum())
    return SynapticOperations(
        effective_acs=int(by_row.sum()) - macs, effective_macs=macs, dense=len(values) * matrix.size
    )


def row_operations(values: npt.NDArray[np.generic], readers: IntArray) -> IntArray:
    """Operations of each row of ``values`` (rows, n_in), where ``readers`` nonzero weights read each input."""
    found: IntArray = (np.asarray(values) != 0).astype(np.int64) @ readers
    return found


def is_graded(values: npt.NDArray[np.generic]) -> BoolArray:
    """Rows with a value that is not -1, 0 or 1.

    >>> is_graded(np.array([[1.0, -1.0], [0.0, 2.0]])).tolist()
    [False, True]
    """
    given: FloatArray = np.asarray(values, dtype=np.float64)
    found: BoolArray = np.any((given != 0) & (np.abs(given) != 1), axis=1)
    return found


def _batches(rows: BoolArray, batch: int) -> list[BoolArray]:
    return [rows[start : start + batch] for start in range(0, len(rows), batch)]


def _faults(values: npt.NDArray[np.generic], matrix: npt.NDArray[np.generic], batch: int) -> list[str]:
    found = []
    for name, array in (("inputs", values), ("weights", matrix)):
        if array.ndim != 2 or array.dtype.kind not in "biuf":
            found.append(f"layer_operations: {name} must be numbers in two dimensions, got {array.dtype} {array.shape}")
    if not found and values.shape[1] != matrix.shape[1]:
        found.append(
            f"layer_operations: weights must have shape (n_out, {values.shape[1]}) for inputs (calls, {values.shape[1]}),"
            f" got {matrix.shape}; transpose them"
        )
    if batch < 1:
        found.append(f"layer_operations: batch must be at least 1, got {batch}")
    return found
