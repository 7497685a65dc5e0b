"""Probed states of a run: the rows that are due, in order, in memory or in files."""

from __future__ import annotations

import os
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from neuromorph.compact import frozen
from neuromorph.errors import InputError, raise_faults
from neuromorph.parts import NEURON_STATES
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import FloatArray, IntArray

Key = tuple[str, str]  # population or projection, and variable

HEADER_BYTES = 128  # of a .npy file: room for any number of rows, and a multiple of 64


class Rows(ABC):
    """Rows of one probed variable."""

    @abstractmethod
    def append(self, rows: FloatArray, steps: IntArray) -> None:
        """Values (samples, neurons or synapses), and the steps of the run after which they were taken."""

    @abstractmethod
    def whole(self) -> tuple[FloatArray, IntArray]:
        """Everything that was appended."""

    @abstractmethod
    def close(self) -> None:
        """Nothing is appended any more; more than once does no harm."""


@final
class HeldRows(Rows):
    """Rows in memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[FloatArray] = []
        self._steps: list[IntArray] = []

    def append(self, rows: FloatArray, steps: IntArray) -> None:
        """Kept as they are."""
        self._rows.append(rows)
        self._steps.append(steps)

    def whole(self) -> tuple[FloatArray, IntArray]:
        """One array, which is that of the only piece where there is one."""
        if len(self._rows) == 1:
            return self._rows[0], self._steps[0]
        if not self._rows:
            return np.zeros((0, self._size)), np.zeros(0, dtype=np.int64)
        return np.concatenate(self._rows), np.concatenate(self._steps)

    def close(self) -> None:
        """There is nothing to close."""


class GrowingFile:
    """A new .npy file to which rows are appended; at any moment it can be read up to the last whole piece."""

    def __init__(self, path: Path, columns: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.path, self._columns, self._dtype = path, columns, np.dtype(dtype).newbyteorder("<")
        self._rows = 0
        try:
            self._stream = path.open("xb")
            self._stream.write(self._header())
        except OSError as error:
            raise self._failed(error) from None

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Values first, then the header that counts them: a piece that was cut short is not in the file."""
        try:
            self._stream.seek(0, os.SEEK_END)
            self._stream.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
            self._stream.flush()
            self._rows += len(rows)
            self._stream.seek(0)
            self._stream.write(self._header())
            self._stream.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """The file is as it will stay."""
        try:
            self._stream.close()
        except OSError as error:
            raise self._failed(error) from None

    def mapped(self) -> npt.NDArray[Any]:
        """A read-only map of the file."""
        if 0 in (self._rows, *self._columns):  # there is nothing to map
            return frozen(np.zeros((self._rows, *self._columns), dtype=self._dtype))
        found: npt.NDArray[Any] = np.load(self.path, mmap_mode="r")
        return found

    def _header(self) -> bytes:
        text = {"descr": self._dtype.str, "fortran_order": False, "shape": (self._rows, *self._columns)}
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER_BYTES - 10)
        return start + repr(text).encode().ljust(HEADER_BYTES - 11) + b"\n"

    def _failed(self, error: OSError) -> InputError:
        return InputError(f"cannot write {os.fspath(self.path)!r}: {error.strerror or error}")


@final
class StreamedRows(Rows):
    """Rows in a file of values and one of steps, ``NAME.VARIABLE.npy`` and ``NAME.VARIABLE.steps.npy``."""

    def __init__(self, values: Path, steps: Path, size: int) -> None:
        self._values = GrowingFile(values, (size,), np.float64)
        try:
            self._steps = GrowingFile(steps, (), np.int64)
        except BaseException:
            self._values.close()
            values.unlink()
            raise

    def append(self, rows: FloatArray, steps: IntArray) -> None:
        """Written at once."""
        if len(rows):
            self._values.append(rows)
            self._steps.append(steps)

    def whole(self) -> tuple[FloatArray, IntArray]:
        """Read-only maps of the files."""
        self.close()
        return self._values.mapped(), self._steps.mapped()

    def close(self) -> None:
        """Both files are as they will stay."""
        self._values.close()
        self._steps.close()

    def discard(self) -> None:
        """Remove both files."""
        self.close()
        self._values.path.unlink()
        self._steps.path.unlink()


class ProbedStates:
    """States of the probes of one run that began after ``first`` steps of the session.

    With ``folder`` they go to files there, and no more than a piece of the run is held in memory.
    """

    def __init__(self, program: Program, first: int, folder: str | os.PathLike[str] | None = None) -> None:
        self._first = first
        self._probes = {(p.target, p.variable): p for p in program.probes if p.variable != "spikes"}
        sizes = program.sizes | {p.name: p.synapses for p in program.projections}
        wanted = {key: sizes[key[0]] for key in self._probes}
        self._rows: Mapping[Key, Rows] = (
            {key: HeldRows(size) for key, size in wanted.items()} if folder is None else _streamed(wanted, Path(folder))
        )

    def take(self, start: int, stop: int, states: Mapping[Key, FloatArray]) -> None:
        """Of neuron states after each of the run's steps ``start`` to ``stop``, keep what is due."""
        for key, probe in self._probes.items():
            if probe.variable in NEURON_STATES:
                due = self._due(probe, start, stop)
                rows = states[key]
                if probe.every > 1:  # a copy, so that a few rows do not keep all of them in memory
                    rows = rows[due.start - start :: probe.every].copy()
                self._rows[key].append(rows, np.arange(due.start, due.stop, due.step))

    def sample(self, key: Key, step: int, values: FloatArray) -> None:
        """A synapse variable as it was after a step of the run in which it was due."""
        self._rows[key].append(values[np.newaxis], np.array([step]))

    def whole(self) -> tuple[dict[Key, FloatArray], dict[Key, IntArray]]:
        """All states, and their steps."""
        found = {key: rows.whole() for key, rows in self._rows.items()}
        return {key: rows for key, (rows, _) in found.items()}, {key: steps for key, (_, steps) in found.items()}

    def close(self) -> None:
        """Nothing is taken any more; more than once does no harm."""
        for rows in self._rows.values():
            rows.close()

    def _due(self, probe: ProbeProgram, start: int, stop: int) -> range:
        """Steps of the run, within ``start`` to ``stop``, after which a state is recorded."""
        return range(start + -(self._first + start + 1) % probe.every, stop, probe.every)


def _streamed(sizes: Mapping[Key, int], folder: Path) -> dict[Key, Rows]:
    """A pair of new files for each variable: all of them, or none where any cannot be made."""
    paths = {}
    for key in sizes:
        name = quote(".".join(key), safe=" +,=@[]()")  # no character that a file system gives a meaning
        paths[key] = folder / f"{name}.npy", folder / f"{name}.steps.npy"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {os.fspath(folder)!r}: {error.strerror or error}") from None
    there = [path for pair in paths.values() for path in pair if path.exists()]
    raise_faults(
        InputError, [f"{os.fspath(path)!r} is there already: give each run a folder of its own" for path in there]
    )
    made: dict[Key, StreamedRows] = {}
    try:
        for key, size in sizes.items():
            made[key] = StreamedRows(*paths[key], size)
    except BaseException:
        for rows in made.values():
            rows.discard()
        raise
    return dict(made)
