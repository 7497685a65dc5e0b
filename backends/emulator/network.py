"""A program in the kernel's memory: its populations, its projections, and what is under way."""

from __future__ import annotations

import ctypes
import os
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import DECAY_UNITY
from neuromorph.backends.emulator.binding import address, done, kernel, view
from neuromorph.backends.emulator.given import GivenSynapses
from neuromorph.backends.emulator.learning import LearningSynapses
from neuromorph.backends.emulator.storage import (
    FLOAT64,
    RING_DOUBLE,
    RING_INT16,
    RING_INT32,
    SPARSE,
    Storage,
    delays_of,
    storage,
)
from neuromorph.compact import Array, narrow_numbers
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import FloatArray

THREAD_NANOSECONDS = 50_000.0  # work of a step that is worth a further thread
NEURON_NANOSECONDS, EVENT_NANOSECONDS, LIVELINESS = 0.5, 0.7, 0.02  # rough: to decide about threads only
LARGEST_WHOLE = 2**31 - 1
_RING_TYPES: dict[int, npt.DTypeLike] = {RING_INT16: np.int16, RING_INT32: np.int32, RING_DOUBLE: np.float64}


def threads_for(program: Program) -> int:
    """Threads that pay for a program of this size on this machine."""
    neurons = sum(population.size for population in program.populations)
    synapses = sum(projection.synapses for projection in program.projections)
    work = neurons * NEURON_NANOSECONDS + synapses * LIVELINESS * EVENT_NANOSECONDS
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, int(work / THREAD_NANOSECONDS)))


@final
class Neurons:
    """Arrays of one population, as the kernel reads and writes them: float64, or int32 in fixed point."""

    def __init__(self, population: PopulationProgram, *, is_fixed: bool) -> None:
        self.dtype: npt.DTypeLike = np.int32 if is_fixed else np.float64
        self.is_fixed = is_fixed
        self.u, self.v = np.zeros(population.size, self.dtype), np.zeros(population.size, self.dtype)
        unity = DECAY_UNITY if is_fixed else 1
        self.keep_u, self.keep_v = self._held(population.decay_u * unity), self._held(population.decay_v * unity)
        self.threshold, self.bias = self._held(population.threshold), self._held(population.bias)
        has_refractory = bool(np.any(population.refractory > 0))
        shortened = np.minimum(population.refractory, LARGEST_WHOLE).astype(np.int32)
        self.refractory = shortened if has_refractory else None
        self.waiting = np.zeros(population.size, dtype=np.int32) if has_refractory else None
        self.states = population.states
        self.increment, self.keep_adaptation = population.threshold_increment, population.decay_threshold
        self.adaptation = np.zeros(population.size) if population.adapts else None

    def _held(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if not self.is_fixed:
            return np.array(values, dtype=np.float64)
        whole: npt.NDArray[Any] = np.minimum(np.rint(values), LARGEST_WHOLE).astype(np.int32)
        return whole

    @property
    def is_uniform(self) -> bool:
        """Whether all neurons share their parameters."""
        arrays = (self.keep_u, self.keep_v, self.threshold, self.bias)
        return all(bool(np.all(array == array[0])) for array in arrays)

    def write(self, variable: str, values: FloatArray) -> None:
        """Set a state, v_threshold or bias."""
        self._array(variable)[:] = self._held(values)

    def read(self, variable: str) -> FloatArray:
        """A state, v_threshold or bias."""
        return np.asarray(self._array(variable), dtype=np.float64)

    def _array(self, variable: str) -> npt.NDArray[Any]:
        names = {"v_threshold": "threshold", "threshold_adaptation": "adaptation"}
        array: npt.NDArray[Any] = getattr(self, names.get(variable, variable))
        return array

    def reset(self) -> None:
        """Forget the state; parameters stay."""
        self.u[:] = 0
        self.v[:] = 0
        if self.adaptation is not None:
            self.adaptation[:] = 0
        if self.waiting is not None:
            self.waiting[:] = 0


@final
class LoadedNetwork:
    """The kernel's network, and the arrays that it shares with Python."""

    def __init__(
        self, program: Program, threads: int, *, seed: int = 0, is_exact: bool = False, level: int = -1
    ) -> None:
        self.program, self.threads, self.seed, self.is_exact = program, threads, seed, is_exact
        self.learning: dict[str, LearningSynapses] = {}
        self._views: dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {}  # of rings, until these are made anew
        self.is_fixed = program.arithmetic == "fixed"
        self._kernel = kernel()
        self.handle = self._kernel.nm_new(threads, self.is_fixed, level)
        if not self.handle:
            raise MemoryError("the emulator had not enough memory for a network")
        try:
            self._load()
        except BaseException:
            self.free()
            raise

    def _load(self) -> None:
        program = self.program
        self.index: dict[str, int] = {}
        for item in program.inputs:
            self.index[item.name] = done(self._kernel.nm_add_input(self.handle, item.size), item.name)
        self.neurons: dict[str, Neurons] = {}
        for population in program.populations:
            neurons = self.neurons[population.name] = Neurons(population, is_fixed=self.is_fixed)
            arrays = (
                neurons.u, neurons.v, neurons.keep_u, neurons.keep_v, neurons.threshold, neurons.bias,
                neurons.waiting, neurons.refractory,
            )  # fmt: skip
            number = self._kernel.nm_add_population(self.handle, population.size, *map(address, arrays))
            self.index[population.name] = done(number, population.name)
            if population.adapts:
                adapting = (neurons.adaptation, neurons.keep_adaptation, neurons.increment)
                self._kernel.nm_adapt(self.handle, number, *map(address, adapting))
            self.parameters_written(population.name)
        self.weights: dict[str, Array] = {}
        self._storage: dict[str, Storage] = {}
        self._number: dict[str, int] = {}
        for projection in program.projections:
            number = self._kernel.nm_add_projection(
                self.handle, self.index[projection.pre], self.index[projection.post]
            )
            self._number[projection.name] = done(number, projection.name)
            if projection.rule is None:
                self.load_weights(projection, projection.stored_weight)
            else:
                self._load_learning(projection)

    def _load_learning(self, projection: ProjectionProgram) -> None:
        shares = [self._share(projection.post, thread) for thread in range(self.threads)]
        learning = self.learning[projection.name] = LearningSynapses(
            self.program, projection, self.handle, [(share.start, share.stop) for share in shares],
            seed=self.seed, is_exact=self.is_exact,
        )  # fmt: skip
        number, delays = self._number[projection.name], learning.delays
        is_staged = delays.size > 1
        exponent = projection.weight_exponent if self.is_fixed else 0
        ring = RING_INT32 if self.is_fixed else RING_DOUBLE
        self._storage[projection.name] = Storage(
            weight=FLOAT64, ring=ring, format=SPARSE, width=0, unit=1.0, is_staged=is_staged
        )
        done(
            self._kernel.nm_shape(
                self.handle, number, projection.max_delay, ring, 1.0, 2 ** max(exponent, 0), max(-exponent, 0), is_staged,
                delays.size, address(delays),
            ),
            projection.name,
        )  # fmt: skip
        for thread, handle in enumerate(learning.handles):
            self._kernel.nm_set_plastic(self.handle, number, thread, handle)

    def factors(self, name: str, factors: FloatArray | None) -> None:
        """Third factors of a projection's next run, (steps, width)."""
        width = 0 if factors is None else factors.shape[1]
        self._kernel.nm_factors(self.handle, self._number[name], address(factors), width)

    def parameters_written(self, population: str) -> None:
        """Tell the kernel whether neurons still share their parameters."""
        self._kernel.nm_uniform(self.handle, self.index[population], self.neurons[population].is_uniform)

    def load_weights(
        self, projection: ProjectionProgram, values: Array, step: int = 0, pending: FloatArray | None = None
    ) -> None:
        """Store the weights of a static projection, and what is under way after ``step`` steps, in narrowest form."""
        weight = narrow_numbers(values)
        given = GivenSynapses(projection, weight)
        kept = storage(projection, given.survey(), pending, is_fixed=self.is_fixed)
        name, number = projection.name, self._number[projection.name]
        if self._storage.get(name) == kept and np.array_equal(self.weights[name], weight):
            if pending is not None:
                self.set_under_way(projection, step, pending)
            return
        exponent = projection.weight_exponent if self.is_fixed else 0
        factor = int(kept.unit * 2.0 ** max(exponent, 0)) if self.is_fixed else 1
        self.weights[name], self._storage[name] = weight, kept
        self._views.pop(name, None)  # the ring is made anew
        done(
            self._kernel.nm_shape(
                self.handle, number, projection.max_delay, kept.ring, kept.unit, factor, max(-exponent, 0),
                kept.is_staged, 0, None,
            ),
            projection.name,
        )  # fmt: skip
        given.structure.unit = kept.unit
        for delay in delays_of(projection):
            done(
                self._kernel.nm_add_synapses(
                    self.handle, number, delay, kept.weight, kept.format, kept.width, ctypes.byref(given.structure)
                ),
                projection.name,
            )
        if pending is not None:
            self.set_under_way(projection, step, pending)

    def _rows(self, projection: ProjectionProgram) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The ring, (depth, neurons), and for each thread and row whether it was written."""
        if found := self._views.get(projection.name):
            return found
        size = np.zeros(1, dtype=np.int64)
        number = self._number[projection.name]
        start = self._kernel.nm_ring(self.handle, number, address(size))
        kind = self._storage[projection.name].ring
        ring = view(start, (projection.max_delay, int(size[0])), _RING_TYPES[kind])
        sent = view(self._kernel.nm_sent(self.handle, number), (self.threads, projection.max_delay), np.uint8)
        self._views[projection.name] = ring[:, : projection.post_size], sent
        return self._views[projection.name]

    def _scale(self, projection: ProjectionProgram) -> tuple[float, int]:
        """What 1 in the ring means, and by how much its rows are still to be shifted down."""
        kept = self._storage[projection.name]
        exponent = projection.weight_exponent if self.is_fixed else 0
        if kept.is_staged:
            return 1.0, 0
        return kept.unit * 2.0 ** max(exponent, 0), max(-exponent, 0)

    def under_way(self, projection: ProjectionProgram, step: int) -> FloatArray:
        """What arrives after ``step`` steps, (longest delay, neurons), as the reference holds it."""
        ring, sent = self._rows(projection)
        unit, down = self._scale(projection)
        order = (step + 1 + np.arange(projection.max_delay)) % projection.max_delay
        values = ring[order].astype(np.float64)
        for thread in range(self.threads):
            values[sent[thread][order] == 0, self._share(projection.post, thread)] = 0.0
        return np.floor(values * unit * 2.0**-down) if down else values * unit

    def set_under_way(self, projection: ProjectionProgram, step: int, values: FloatArray) -> None:
        """Set what arrives after ``step`` steps, which the ring must be able to hold."""
        ring, sent = self._rows(projection)
        unit, down = self._scale(projection)
        order = (step + 1 + np.arange(projection.max_delay)) % projection.max_delay
        ring[order] = values * 2.0**down / unit
        sent[:] = 1

    def set_step(self, step: int) -> None:
        """Say how many steps were run."""
        self._kernel.nm_set_step(self.handle, step)

    def _share(self, population: str, thread: int) -> slice:
        first, last = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        self._kernel.nm_share(self.handle, self.index[population], thread, address(first), address(last))
        return slice(int(first[0]), int(last[0]))

    def reset(self, step: int) -> None:
        """Forget states, traces, tags and what is under way, after ``step`` steps."""
        for learning in self.learning.values():
            learning.reset(step)
        for neurons in self.neurons.values():
            neurons.reset()
        for projection in self.program.projections:
            ring, sent = self._rows(projection)
            ring[:] = 0
            sent[:] = 0

    def free(self) -> None:
        """Free the kernel's memory; more than once does no harm."""
        for learning in self.learning.values():
            learning.free()
        self.learning = {}
        self._views = {}
        handle, self.handle = self.handle, None
        if handle:
            self._kernel.nm_free(handle)
