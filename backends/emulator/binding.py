"""The compiled kernel beside this file, loaded with ctypes."""

from __future__ import annotations

import ctypes
import importlib.machinery
from collections.abc import Mapping
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.errors import BackendUnavailable


class Synapses(ctypes.Structure):
    """As in csrc/build_matrix.h: the synapses of a projection, onto one postsynaptic neuron after the other."""

    _fields_ = (
        ("pointer", c_void_p),
        ("pre", c_void_p),
        ("delay", c_void_p),
        ("delay_bytes", c_int32),
        ("weight", c_void_p),
        ("source", c_int32),
        ("is_repeated", c_int32),
        ("unit", c_double),
    )


class Survey(ctypes.Structure):
    """As in csrc/build_matrix.h: what was found in the weights of a projection."""

    _fields_ = (
        ("unit", c_double),  # the largest power of two of which all are whole multiples; 0 where all are zero
        ("low", c_double),
        ("high", c_double),
        ("most", c_double),  # the largest sum of sizes onto one postsynaptic neuron
        ("fits_float", c_int64),  # all are exact in float32
    )


# Result and arguments of what csrc/kernel.c exports; arrays are passed as addresses, and stay alive at their callers.
SIGNATURES: Mapping[str, tuple[Any, ...]] = {
    "nm_levels": (c_int32,),
    "nm_level_name": (c_char_p, c_int32),
    "nm_new": (c_void_p, c_int32, c_int32, c_int32),
    "nm_free": (None, c_void_p),
    "nm_add_input": (c_int32, c_void_p, c_int64),
    "nm_add_population": (c_int32, c_void_p, c_int64, *[c_void_p] * 8),
    "nm_adapt": (None, c_void_p, c_int32, *[c_void_p] * 3),
    "nm_uniform": (None, c_void_p, c_int32, c_int32),
    "nm_add_projection": (c_int32, c_void_p, c_int32, c_int32),
    "nm_shape": (
        c_int32, c_void_p, c_int32, c_int64, c_int32, c_double, c_int32, c_int32, c_int32, c_int64, c_void_p,
    ),
    "nm_add_synapses": (c_int32, c_void_p, c_int32, c_int64, c_int32, c_int32, c_int64, POINTER(Synapses)),
    "nm_share": (None, c_void_p, c_int32, c_int32, c_void_p, c_void_p),
    "nm_set_plastic": (None, c_void_p, c_int32, c_int32, c_void_p),
    "nm_ring": (c_void_p, c_void_p, c_int32, c_void_p),
    "nm_sent": (c_void_p, c_void_p, c_int32),
    "nm_set_step": (None, c_void_p, c_int64),
    "nm_feed": (None, c_void_p, c_int32, c_void_p, c_void_p),
    "nm_record": (None, c_void_p, c_int32, c_void_p, c_void_p, c_int64),
    "nm_probe": (None, c_void_p, c_int32, *[c_void_p] * 3),
    "nm_factors": (None, c_void_p, c_int32, c_void_p, c_int64),
    "nm_lists": (None, c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_void_p),
    "nm_run": (c_int64, c_void_p, c_int64, c_int64, c_void_p),
    "nm_plastic_new": (
        c_void_p, c_int32, c_int32, *[c_int64] * 3, *[c_void_p] * 5, c_double, c_double, c_int64, c_double,
    ),
    "nm_plastic_delays": (None, c_void_p, c_void_p, c_double),
    "nm_plastic_trace": (None, c_void_p, c_int32, c_int32, c_double, c_double, c_void_p, c_void_p),
    "nm_plastic_product": (
        c_int32, c_void_p, c_int32, c_double, *[c_int32] * 6, *[c_void_p] * 4,
    ),
    "nm_plastic_may_reorder": (None, c_void_p, c_int32),
    "nm_plastic_ready": (c_int32, c_void_p),
    "nm_plastic_draws": (None, c_void_p, c_int64, c_int64, *[c_void_p] * 5),
    "nm_plastic_settle": (None, c_void_p, c_void_p),
    "nm_plastic_at": (None, c_void_p, c_int64),
    "nm_plastic_times": (None, c_void_p, c_void_p, c_void_p),
    "nm_plastic_read_times": (None, c_void_p, c_void_p, c_void_p),
    "nm_plastic_free": (None, c_void_p),
    "nm_survey": (None, POINTER(Synapses), c_int64, POINTER(Survey)),
}  # fmt: skip


def library_path() -> Path | None:
    """The compiled kernel, or None where it was not built."""
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.is_file():
            return path
    return None


@cache
def kernel() -> Any:
    """The loaded library, its functions typed; raises :class:`BackendUnavailable` where there is none."""
    path = library_path()
    if path is None:
        raise BackendUnavailable(
            "backend 'emulator' has no compiled kernel: neuromorph was installed without a C compiler; install one"
            " (gcc or clang) and install neuromorph again"
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise BackendUnavailable(
            f"backend 'emulator': its compiled kernel {str(path)!r} does not load ({error}); install neuromorph again"
        ) from None
    for name, (result, *arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def level_names() -> tuple[str, ...]:
    """Instruction sets of the kernel that this processor has, the best last."""
    library = kernel()
    return tuple(library.nm_level_name(level).decode() for level in range(library.nm_levels()))


def address(array: npt.NDArray[Any] | None) -> int | None:
    """Where an array lies; None for NULL."""
    if array is None:
        return None
    assert array.flags.c_contiguous
    start: int = array.__array_interface__["data"][0]  # a third of the time of array.ctypes.data
    return start


def view(start: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Memory of the kernel as an array, which must not outlive it."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = memoryview((ctypes.c_char * size).from_address(start))
    array: npt.NDArray[Any] = np.frombuffer(buffer, dtype=np.dtype(dtype)).reshape(shape)
    return array


def done(result: int, what: str) -> int:
    """The result of a call; -1 says that memory, or a thread, was not to be had."""
    if result < 0:
        raise MemoryError(f"the emulator had not enough memory, or could start no thread, for {what}")
    return result
