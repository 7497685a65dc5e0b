"""Which synapses exist between two populations, in four bytes each or, where all do, in none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.compact import (
    PIECE,
    Array,
    frozen,
    held,
    index_type,
    narrow_indices,
    pieces,
    stored_bytes,
    whole_numbers,
)

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Connectivity:
    """Synapses in rows, one for each postsynaptic neuron, in each the presynaptic neurons in rising order (CSR).

    It is sound: what makes one checks, or orders, the synapses. Programs made from one another share it.
    """

    post_size: int
    pre_size: int
    pointer: IntArray  # (post_size + 1,): the synapses of row j are pointer[j]:pointer[j + 1]
    stored_pre: Array | None  # (synapses,), int32, or int64 where it must be; None: every synapse exists

    @classmethod
    def full(cls, post_size: int, pre_size: int) -> Connectivity:
        """Every synapse exists."""
        return cls(post_size, pre_size, frozen(np.arange(post_size + 1, dtype=np.int64) * pre_size), None)

    @classmethod
    def of_rows(cls, pointer: npt.ArrayLike, pre_index: npt.ArrayLike, pre_size: int) -> Connectivity | None:
        """From the pointer and indices of a CSR matrix; None where these lie outside, or do not rise within a row."""
        rows, columns = whole_numbers(pointer), whole_numbers(pre_index)
        if rows[0] != 0 or rows[-1] != columns.size or np.any(rows[1:] < rows[:-1]):
            return None
        for part in pieces(columns.size):
            piece = columns[max(part.start - 1, 0) : part.stop]
            if piece.min() < 0 or piece.max() >= pre_size:
                return None
            falls = np.flatnonzero(piece[1:] <= piece[:-1]) + max(part.start - 1, 0) + 1
            if falls.size and not np.array_equal(rows[np.searchsorted(rows, falls.astype(rows.dtype))], falls):
                return None
        return cls._of(frozen(rows.astype(np.int64)), columns, rows.size - 1, pre_size)

    @classmethod
    def of(
        cls, post_index: npt.ArrayLike, pre_index: npt.ArrayLike, post_size: int, pre_size: int
    ) -> Connectivity | None:
        """From both ends of each synapse; None where they lie outside or are not ordered by post, then pre, each once."""
        rows, columns = whole_numbers(post_index), whole_numbers(pre_index)
        for part in pieces(rows.size):
            with_one_before = slice(max(part.start - 1, 0), part.stop)
            row, column = rows[with_one_before], columns[with_one_before]
            if row[0] < 0 or row[-1] >= post_size or column.min() < 0 or column.max() >= pre_size:
                return None
            same = row[1:] == row[:-1]
            if not np.all((row[1:] > row[:-1]) | (same & (column[1:] > column[:-1]))):
                return None
        kind = rows.dtype if post_size <= np.iinfo(rows.dtype).max else np.dtype(np.int64)  # else rows are converted
        pointer = np.searchsorted(rows, np.arange(post_size + 1, dtype=kind)).astype(np.int64)
        return cls._of(frozen(pointer), columns, post_size, pre_size)

    @classmethod
    def ordered(cls, post_index: Array, pre_index: Array, post_size: int, pre_size: int) -> tuple[Connectivity, Array]:
        """From both ends of synapses in any order, each given once; and that order's places in the new one."""
        order = np.lexsort((pre_index, post_index))
        counts = np.bincount(post_index, minlength=post_size)
        pointer = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls._of(frozen(pointer), frozen(pre_index[order]), post_size, pre_size), order

    @classmethod
    def of_columns(cls, pointer: Array, post_index: Array, post_size: int) -> Connectivity:
        """From the targets of every presynaptic neuron, each once: those of neuron i are pointer[i]:pointer[i + 1]."""
        turned = _turned(pointer, post_index, post_size, np.zeros(post_index.size, dtype=np.int8))
        rows = frozen(turned.indptr.astype(np.int64))
        return cls._of(rows, frozen(turned.indices), post_size, pointer.size - 1)

    @classmethod
    def _of(cls, pointer: IntArray, pre_index: Array, post_size: int, pre_size: int) -> Connectivity:
        if pre_index.size == post_size * pre_size:
            return cls.full(post_size, pre_size)
        return cls(post_size, pre_size, pointer, narrow_indices(pre_index, pre_size))

    @property
    def synapses(self) -> int:
        """Synapses that exist."""
        return int(self.pointer[-1])

    @property
    def is_full(self) -> bool:
        """Whether every possible synapse exists."""
        return self.synapses == self.post_size * self.pre_size

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without what is found on first use."""
        return self.pointer.nbytes + (0 if self.stored_pre is None else stored_bytes(self.stored_pre))

    def pre_part(self, part: slice) -> Array:
        """Presynaptic neurons of the synapses ``part``, in the type they are held in."""
        if self.stored_pre is not None:
            return self.stored_pre[part]
        return (np.arange(part.start, part.stop) % max(self.pre_size, 1)).astype(index_type(self.pre_size))

    def post_part(self, part: slice) -> Array:
        """Postsynaptic neurons of the synapses ``part``."""
        if part.start >= part.stop:
            return np.zeros(0, dtype=index_type(self.post_size))
        first = int(np.searchsorted(self.pointer, part.start, side="right")) - 1
        last = int(np.searchsorted(self.pointer, part.stop, side="left"))
        ends = np.clip(self.pointer[first : last + 1], part.start, part.stop)
        counts = ends[1:] - ends[:-1]
        return np.repeat(np.arange(first, last, dtype=index_type(self.post_size)), counts)

    def post_of(self, synapses: npt.ArrayLike) -> IntArray:
        """Postsynaptic neurons of these synapses, by number."""
        found: IntArray = np.searchsorted(self.pointer, np.asarray(synapses), side="right") - 1
        return found

    def pre_of(self, synapses: npt.ArrayLike) -> IntArray:
        """Presynaptic neurons of these synapses, by number."""
        chosen = np.asarray(synapses)
        if self.stored_pre is None:
            return (chosen % max(self.pre_size, 1)).astype(np.int64)
        found: IntArray = self.stored_pre[chosen].astype(np.int64)
        return found

    def post_index(self) -> Array:
        """Postsynaptic neuron of every synapse, int32 where it fits; a new array."""
        rows = np.arange(self.post_size, dtype=index_type(self.post_size))
        return frozen(np.repeat(rows, np.diff(self.pointer)))

    def pre_index(self) -> Array:
        """Presynaptic neuron of every synapse, int32 where it fits; a new array where every synapse exists."""
        if self.stored_pre is not None:
            return self.stored_pre
        return frozen(np.tile(np.arange(self.pre_size, dtype=index_type(self.pre_size)), self.post_size))

    @cached_property
    def fan_out(self) -> IntArray:
        """Synapses of every presynaptic neuron."""
        if self.stored_pre is None:
            return frozen(np.full(self.pre_size, self.post_size, dtype=np.int64))
        counts = np.zeros(self.pre_size, dtype=np.int64)
        for part in pieces(self.synapses, max(self.pre_size, PIECE)):
            counts += np.bincount(self.stored_pre[part], minlength=self.pre_size)
        return frozen(counts)

    @cached_property
    def by_pre(self) -> tuple[IntArray, Array]:
        """(pointer, order): synapses of presynaptic neuron i are ``order[pointer[i]:pointer[i + 1]]``."""
        pointer, _, order = self.columns()
        return pointer, order

    @cached_property
    def targets(self) -> tuple[IntArray, Array]:
        """(pointer, post): targets of presynaptic neuron i are ``post[pointer[i]:pointer[i + 1]]``; they are kept."""
        pointer, post, _ = self.columns()
        return pointer, post

    @cached_property
    def target_bits(self) -> npt.NDArray[np.uint64]:
        """Targets of each presynaptic neuron as bits, the first neuron in the highest bit of the first byte, (pre, words)."""
        pointer, post = self.targets
        words = -(-self.post_size // 64)
        bits = np.empty((self.pre_size, 8 * words), dtype=np.uint8)
        rows = max(1, PIECE // (64 * words))
        for first in range(0, self.pre_size, rows):
            last = min(first + rows, self.pre_size)
            dense = np.zeros((last - first, 64 * words), dtype=np.bool_)
            row = np.repeat(np.arange(last - first), np.diff(pointer[first : last + 1]))
            dense[row, post[pointer[first] : pointer[last]]] = True
            bits[first:last] = np.packbits(dense, axis=1)
        return frozen(bits.view(np.uint64))

    def columns(self) -> tuple[IntArray, Array, Array]:
        """(pointer, post, order): targets and numbers of the synapses of presynaptic neuron i are at pointer[i]:pointer[i + 1].

        The order and, as far as they fit, the types are those of CSC; nothing of it is kept here.
        """
        kind = index_type(self.synapses)
        if self.stored_pre is None:
            pointer = np.arange(self.pre_size + 1, dtype=np.int64) * self.post_size
            post = np.tile(np.arange(self.post_size, dtype=index_type(self.post_size)), self.pre_size)
            numbers = np.arange(self.synapses, dtype=kind).reshape(self.post_size, self.pre_size)
            return frozen(pointer), frozen(post), frozen(numbers.T.ravel())
        turned = _turned(self.pointer, self.stored_pre, self.pre_size, np.arange(self.synapses, dtype=kind))
        return frozen(turned.indptr.astype(np.int64)), frozen(turned.indices), frozen(turned.data)

    def matrix(self, values: Array) -> Array:
        """``values`` of all synapses as a dense array (post, pre), zero where no synapse exists."""
        shape = self.post_size, self.pre_size
        if self.stored_pre is None:
            return values.reshape(shape).copy()
        dense = np.zeros(shape, dtype=values.dtype)
        for part in pieces(self.synapses):
            dense[self.post_part(part), self.stored_pre[part]] = values[part]
        return dense

    def entries(self, dense: Array) -> Array:
        """The entries of a dense array (post, pre) at all synapses; the inverse of :meth:`matrix`."""
        if self.stored_pre is None:
            return dense.reshape(-1)
        found = np.empty(self.synapses, dtype=dense.dtype)
        for part in pieces(self.synapses):
            found[part] = dense[self.post_part(part), self.stored_pre[part]]
        return found

    def row_pieces(self) -> Iterator[tuple[slice, slice]]:
        """Whole rows and their synapses, a piece at a time."""
        row = 0
        while row < self.post_size:
            start = int(self.pointer[row])
            stop = max(row + 1, int(np.searchsorted(self.pointer, start + PIECE, side="right")) - 1)
            yield slice(row, stop), slice(start, int(self.pointer[stop]))
            row = stop

    def row_sums(self, values: Callable[[slice], Array]) -> FloatArray:
        """Sums of ``values(synapses)`` over each row, first to last, shape (post_size,)."""
        sums = np.zeros(self.post_size)
        for rows, synapses in self.row_pieces():
            places = np.repeat(np.arange(rows.stop - rows.start), np.diff(self.pointer[rows.start : rows.stop + 1]))
            sums[rows] = np.bincount(places, values(synapses), minlength=rows.stop - rows.start)
        return sums

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of the index arrays in int64, as a program's fingerprint names them."""
        return {
            "post_index": digest((self.post_part(part) for part in pieces(self.synapses)), self.synapses, np.int64),
            "pre_index": digest((self.pre_part(part) for part in pieces(self.synapses)), self.synapses, np.int64),
        }


def digest(parts: Iterator[Array], size: int, dtype: npt.DTypeLike) -> str:
    """Type, shape and SHA-256 of an array of ``size`` entries of ``dtype``, given in parts of any type."""
    little, total = np.dtype(dtype).newbyteorder("<"), hashlib.sha256()
    for part in parts:
        total.update(np.ascontiguousarray(part.astype(little, copy=False)).data)
    return f"{little.kind}{little.itemsize}{(size,)}" + total.hexdigest()


def sorted_rows(data: Array, indices: Array, pointer: Array, columns: int) -> tuple[Array, Array]:
    """Data and indices of a CSR matrix in rising order within each row."""
    from scipy.sparse import csr_array

    kind = np.promote_types(indices.dtype, index_type(data.size))
    matrix = csr_array((np.array(data), indices.astype(kind), pointer.astype(kind)), shape=(pointer.size - 1, columns))
    matrix.sort_indices()
    return frozen(matrix.data), frozen(matrix.indices)


def _turned(pointer: Array, indices: Array, columns: int, data: Array) -> Any:
    """CSR as CSC, by counting: SciPy's compiled conversion."""
    from scipy.sparse import csr_array

    kind = np.promote_types(indices.dtype, index_type(data.size))
    rows = held(pointer) if pointer.dtype == kind else pointer.astype(kind)
    matrix = csr_array((data, indices.astype(kind, copy=False), rows), shape=(pointer.size - 1, columns))
    turned = matrix.tocsc()
    turned.indices = turned.indices.astype(index_type(pointer.size), copy=False)
    return turned
