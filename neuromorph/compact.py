"""Large arrays in as few bytes as hold their numbers exactly, looked at piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PIECE = 1 << 16  # entries: a piece and what is computed from it stay in a core's cache
WEIGHT_TYPES = tuple(np.dtype(kind) for kind in (np.int8, np.uint8, np.int16, np.float32, np.float64))
INDEX_TYPES = tuple(np.dtype(kind) for kind in (np.int32, np.int64))
COUNT_TYPES = tuple(np.dtype(kind) for kind in (np.uint8, np.int32, np.int64))


def pieces(size: int, length: int = PIECE) -> Iterator[slice]:
    """Slices that cover ``size`` entries in order.

    >>> [(part.start, part.stop) for part in pieces(5, 2)]
    [(0, 2), (2, 4), (4, 5)]
    """
    for start in range(0, size, length):
        yield slice(start, min(start + length, size))


def frozen(array: Array) -> Array:
    """An array of one's own, made read-only where it is; :func:`held` then takes it without a copy."""
    array.flags.writeable = False
    return array


def held(array: Array) -> Array:
    """The array itself where nobody can write to it, else a read-only copy."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and not owner.flags.writeable:
        if owner.base is None:
            return array
        owner = owner.base
    return frozen(array.copy())


def repeated(value: Any, size: int, dtype: npt.DTypeLike) -> Array:
    """``size`` times one value, in the room of one: an array of stride 0."""
    return np.broadcast_to(frozen(np.array(value, dtype=dtype)), (size,))


def is_repeated(array: Array) -> bool:
    """Whether an array was made by :func:`repeated`."""
    return array.strides == (0,)


def stored_bytes(array: Array) -> int:
    """Bytes of memory that an array takes."""
    return array.itemsize if is_repeated(array) else array.nbytes


def narrow_numbers(values: npt.ArrayLike) -> Array:
    """Numbers in int8, uint8, int16, float32 or float64, the first of these that holds all exactly, -0.0 too.

    >>> narrow_numbers([-1.0, 255.0]).dtype.name, narrow_numbers([0.5, 0.25]).dtype.name, narrow_numbers([0.1, 1]).dtype.name
    ('int16', 'float32', 'float64')
    """
    array = np.asarray(values)
    if array.dtype not in WEIGHT_TYPES:
        array = np.array(values, dtype=np.float64)
        array.flags.writeable = False
    if array.ndim != 1 or array.size == 0:
        return held(array)
    if _is_one_value(array):
        return repeated(array[0], array.size, _number_type(array[:1]))
    dtype = _number_type(array)
    return held(array) if array.dtype == dtype else frozen(array.astype(dtype))


def narrow_counts(values: npt.ArrayLike) -> Array:
    """Whole numbers in uint8, int32 or int64, the first of these that holds all."""
    array = whole_numbers(values, COUNT_TYPES)
    if array.ndim != 1 or array.size == 0:
        return held(array)
    low, high = int(array.min()), int(array.max())
    dtype = next(kind for kind in COUNT_TYPES if _holds(kind, low, high))
    if low == high:
        return repeated(low, array.size, dtype)
    return held(array) if array.dtype == dtype else frozen(array.astype(dtype))


def narrow_indices(values: Array, size: int) -> Array:
    """Indices below ``size`` in int32, or in int64 where they need it."""
    dtype = index_type(size)
    return held(values) if values.dtype == dtype else frozen(values.astype(dtype))


def index_type(size: int) -> np.dtype[Any]:
    """What holds numbers up to ``size``."""
    return np.dtype(np.int32 if size <= np.iinfo(np.int32).max else np.int64)


def whole_numbers(values: npt.ArrayLike, kept: tuple[np.dtype[Any], ...] = INDEX_TYPES) -> Array:
    """``values`` in the type they have, where it is one of ``kept``, else in int64."""
    array = np.asarray(values)
    if array.dtype in kept:
        return array
    return frozen(np.array(values, dtype=np.int64))


def _is_one_value(array: Array) -> bool:
    first = array[0]
    if is_repeated(array):
        return bool(first == first)
    negative = bool(np.signbit(first)) if array.dtype.kind == "f" else None
    for part in pieces(array.size):
        if not np.all(array[part] == first):
            return False
        if first == 0 and negative is not None and not np.all(np.signbit(array[part]) == negative):
            return False
    return True


def _number_type(array: Array) -> np.dtype[Any]:
    return _whole_number_type(array) or np.dtype(np.float32 if _fits_single(array) else np.float64)


def _whole_number_type(array: Array) -> np.dtype[Any] | None:
    """int8, uint8 or int16, where all numbers are whole, in its range and none is -0.0."""
    least, most = np.inf, -np.inf
    limits = np.iinfo(np.int16)
    for part in pieces(array.size):
        piece = array[part]
        low, high = piece.min(), piece.max()
        if not (limits.min <= low and high <= limits.max):  # and where one is no number
            return None
        if array.dtype.kind == "f":
            whole = piece.astype(np.int16)
            if not np.array_equal(whole, piece) or (low <= 0 <= high and np.any(np.signbit(piece) & (piece == 0))):
                return None
        least, most = min(least, float(low)), max(most, float(high))
    return next(kind for kind in WEIGHT_TYPES[:3] if _holds(kind, least, most))


def _holds(kind: np.dtype[Any], low: float, high: float) -> bool:
    limits = np.iinfo(kind.name)
    return limits.min <= low and high <= limits.max


def _fits_single(array: Array) -> bool:
    if array.dtype != np.float64:
        return True
    with np.errstate(over="ignore", under="ignore"):
        return all(np.array_equal(array[part].astype(np.float32), array[part]) for part in pieces(array.size))
