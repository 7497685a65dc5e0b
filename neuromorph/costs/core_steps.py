"""Operations of a recorded run by core and step, and what the slowest core of every step did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from neuromorph.active_updates import active_neurons
from neuromorph.placement.demand import Assignment, Demand, Reach
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray, SpikeTrain

RECEIVING = ("synaptic_operation_dense", "synaptic_operation_sparse", "axon_in")
UPDATING = ("neuron_update", "neuron_update_active", "spike_generated", "axon_out")
SPENT = (*RECEIVING, *UPDATING, "learning_update")  # what takes a core's time
ENTRIES = 1 << 21  # of a table of steps and cores, or of steps and neurons, that is held at once

Times = Mapping[str, float]  # seconds of each operation of SPENT


class Slowest(NamedTuple):
    """What the slowest core of every step did, summed over steps.

    A core that receives spikes while it updates neurons and sends theirs takes as long as the longer of the two; one that
    does one after the other as long as both. Learning comes on top.
    """

    overlapping: dict[str, float]  # of the longer side alone
    in_series: dict[str, float]


class CoreSteps:
    """Counts of :data:`SPENT` by step and core, found in windows of steps.

    Synaptic operations, messages and axons count in the step that sends the spike, in which the core that receives it
    goes through the list of its synapses; learning counts in the step that ends an epoch.
    """

    def __init__(
        self,
        program: Program,
        demand: Demand,
        core_of: Assignment,
        reach: Mapping[str, Reach],
        spikes: Mapping[str, SpikeTrain],
        *,
        first_step: int,
        steps: int,
        learning: bool,
    ) -> None:
        from scipy.sparse import csc_array

        self.program, self.demand, self.core_of, self.spikes = program, demand, core_of, spikes
        self.first_step, self.steps, self.learning = first_step, steps, learning
        self.cores = max((int(core.max(initial=-1)) for core in core_of.values()), default=-1) + 1
        self.compartments = np.zeros(self.cores)
        for core in core_of.values():
            self.compartments += np.bincount(core, minlength=self.cores)
        self.synapses: dict[str, Any] = {}  # of every presynaptic neuron on every core, (pre, cores)
        self.lists: dict[str, Any] = {}  # 1 where there are some
        for item in demand.projections:
            lists = reach[item.name]
            shape = (item.pre_size, self.cores)
            lengths = lists.lengths.astype(np.float64)
            self.synapses[item.name] = csc_array((lengths, lists.pre, lists.pointer), shape=shape).tocsr()
            self.lists[item.name] = csc_array((np.ones(lengths.size), lists.pre, lists.pointer), shape=shape).tocsr()

    def totals_and_slowest(self, times: Mapping[str, Times]) -> tuple[dict[str, float], dict[str, Slowest]]:
        """Operations of the run on all cores; and, under every entry of ``times``, those of the slowest core of each step."""
        totals = dict.fromkeys(SPENT, 0.0)
        slowest = {name: Slowest(dict.fromkeys(SPENT, 0.0), dict.fromkeys(SPENT, 0.0)) for name in times}
        for start, stop in self._windows():
            tables = self._tables(start, stop)
            for operation, table in tables.items():
                totals[operation] += float(table.sum())
            for name, seconds in times.items():
                self._add_slowest(slowest[name], tables, seconds)
        return totals, slowest

    def _add_slowest(self, slowest: Slowest, tables: Mapping[str, FloatArray], seconds: Times) -> None:
        def spent(operations: Sequence[str]) -> FloatArray:
            return sum((tables[name] * seconds[name] for name in operations), np.zeros_like(tables["axon_in"]))

        receiving, updating, learning = spent(RECEIVING), spent(UPDATING), spent(["learning_update"])
        rows = np.arange(receiving.shape[0])
        in_series = np.argmax(receiving + updating + learning, axis=1)
        overlapping = np.argmax(np.maximum(receiving, updating) + learning, axis=1)
        waits_for_receiving = receiving[rows, overlapping] > updating[rows, overlapping]
        for operation, table in tables.items():
            slowest.in_series[operation] += float(table[rows, in_series].sum())
            counted = table[rows, overlapping]
            if operation in RECEIVING:
                counted = counted[waits_for_receiving]
            elif operation in UPDATING:
                counted = counted[~waits_for_receiving]
            slowest.overlapping[operation] += float(counted.sum())

    def _windows(self) -> Iterator[tuple[int, int]]:
        widest = max((population.size for population in self.program.populations), default=1)
        rows = max(1, ENTRIES // max(self.cores, widest))
        return ((start, min(start + rows, self.steps)) for start in range(0, self.steps, rows))

    def _tables(self, start: int, stop: int) -> dict[str, FloatArray]:
        shape = (stop - start, self.cores)
        tables = {operation: np.zeros(shape) for operation in SPENT}
        tables["neuron_update"] += self.compartments
        for population in self.program.populations:
            core = self.core_of[population.name]
            for row, active in active_neurons(self.program, self.spikes, population, start, stop):
                step, neuron = active.nonzero()
                tables["neuron_update_active"] += _table(step + (row - start), core[neuron], shape)
            step, neuron = self._sent(population.name, start, stop)
            tables["spike_generated"] += _table(step, core[neuron], shape)
        for item in self.demand.projections:
            step, neuron = self._sent(item.pre, start, stop)
            sent = _matrix(step, neuron, (shape[0], item.pre_size))
            kind = "dense" if self.demand.encodings[item.name].dense else "sparse"
            tables[f"synaptic_operation_{kind}"] += (sent @ self.synapses[item.name]).toarray()
            tables["axon_in"] += (sent @ self.lists[item.name]).toarray()
            if item.pre in self.core_of:
                axons = np.diff(self.lists[item.name].indptr).astype(np.float64)
                tables["axon_out"] += _table(step, self.core_of[item.pre][neuron], shape, axons[neuron])
            if self.learning and item.rule is not None:
                tables["learning_update"] += self._learned(item, start, stop)
        return tables

    def _sent(self, name: str, start: int, stop: int) -> tuple[IntArray, IntArray]:
        """Step from ``start`` and neuron of every spike in these rows."""
        train = self.spikes[name]
        rows = slice(*np.searchsorted(train.steps, [start, stop]))
        return train.steps[rows] - start, train.ids[rows]

    def _learned(self, item: ProjectionProgram, start: int, stop: int) -> FloatArray:
        """Synapses that each product of the rule touches, in the rows in which epochs end."""
        rule = item.rule
        assert rule is not None
        found = np.zeros((stop - start, self.cores))
        epochs = range((self.first_step + start) // rule.epoch, (self.first_step + stop) // rule.epoch)
        if not epochs:
            return found
        by_end = np.zeros((len(epochs), self.cores))
        core = self.core_of[item.post]
        on_core = np.asarray(self.synapses[item.name].sum(axis=0)).ravel()
        for product in _products(rule.targets.values()):
            if product == "x0":
                by_end += (self._spiked(item.pre, rule.epoch, epochs) @ self.synapses[item.name]).toarray()
            elif product == "y0":
                onto = _matrix(np.arange(item.post_size), core, (item.post_size, self.cores))
                onto = onto.multiply(np.diff(item.by_post).astype(np.float64)[:, None]).tocsr()
                by_end += (self._spiked(item.post, rule.epoch, epochs) @ onto).toarray()
            else:
                every = 2 ** int(product[1:])
                ends = (np.arange(epochs.start, epochs.stop) + 1) % every == 0
                by_end += ends[:, None] * on_core
        rows = (np.arange(epochs.start, epochs.stop) + 1) * rule.epoch - 1 - self.first_step - start
        found[rows] = by_end
        return found

    def _spiked(self, name: str, epoch: int, epochs: range) -> Any:
        """1 where a neuron spiked in an epoch, (epochs, neurons)."""
        train = self.spikes[name]
        first = max(epochs.start * epoch - self.first_step, 0)
        rows = slice(*np.searchsorted(train.steps, [first, epochs.stop * epoch - self.first_step]))
        number = (train.steps[rows] + self.first_step) // epoch - epochs.start
        once = np.unique(number * train.shape[1] + train.ids[rows])
        return _matrix(once // train.shape[1], once % train.shape[1], (len(epochs), train.shape[1]))


def _products(targets: Any) -> list[str]:
    """The dependency of every product of a rule."""
    return [product.dependency for target in targets for product in target.products]


def _table(
    step: npt.NDArray[Any], core: npt.NDArray[Any], shape: tuple[int, int], weight: FloatArray | None = None
) -> FloatArray:
    """How many entries, or what weight of them, every step and core has."""
    place = step * shape[1] + core
    return np.bincount(place, weight, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _matrix(row: npt.NDArray[Any], column: npt.NDArray[Any], shape: Sequence[int]) -> Any:
    """A sparse matrix of ones."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(row.size), (row, column)), shape=tuple(shape))
