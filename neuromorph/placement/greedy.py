"""Populations in order onto cores: small ones together, large ones cut into contiguous parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from neuromorph.compact import Array
from neuromorph.placement.demand import Assignment, Demand, Reach
from neuromorph.placement.limits import DELAY
from neuromorph.program import PopulationProgram, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray

OPEN_CORES = 64  # cores with room that a small population is tried on
ROUNDS = 12  # of cutting anew for output axons, before every synapse is taken to need one of its own
REFINEMENTS = 3  # halvings between a cut that breaks the limit and one that keeps it
CLOSE = 1.05  # times the cores of the first cut: a cut that takes no more is not refined
MOST_CORES = 16_384  # where the search for a cut that keeps the limits ends


@dataclass
class Core:
    """A core while it is being filled."""

    used: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("compartments", "input_axons", "synapse_memory", "output_axons"), 0)
    )
    configurations: dict[str, set[int]] = field(default_factory=dict)
    longest_delay: int = 0


@dataclass(frozen=True)
class Cut:
    """A core for every neuron, and what it takes there."""

    assignment: Assignment
    cores: int
    filled_by: Mapping[str, int]  # resource -> cores that were full of it when neurons were left
    reach: Mapping[str, Reach]
    use: Mapping[str, IntArray]

    def excess(self, limits: Mapping[str, int]) -> dict[str, IntArray]:
        """What lies above the limits, by resource and core; empty where all are kept."""
        above = {name: np.maximum(used - limits[name], 0) for name, used in self.use.items()}
        return {name: over for name, over in above.items() if over.any()}


def cut_greedily(demand: Demand) -> tuple[Cut, Cut]:
    """The first cut, which keeps every limit but that of output axons, and the last, which keeps that too where one was found.

    What leaves a core depends on where all targets lie: the program is cut, the cores that each neuron reaches are
    counted and become its cost in the next cut, until what was counted fits. Every neuron must fit a core of its own. A cut
    is found wherever every neuron has no more targets than a core has output axons, and often where it has more.
    """
    limits = demand.limits.core
    cost = {population.name: np.zeros(population.size) for population in demand.program.populations}
    first = last = _cut(demand, cost)
    if not first.excess(limits):
        return first, first
    before, kept = cost, None
    for attempt in range(ROUNDS + 1):
        counted = _cores_reached(demand, last) if attempt < ROUNDS else _targets(demand)
        before, cost = cost, {name: _next_cost(cost[name], counted[name], limits["output_axons"]) for name in cost}
        if all(np.array_equal(before[name], cost[name]) for name in cost):
            continue  # nothing new to try but the last
        last = _cut(demand, cost)
        if not last.excess(limits):
            kept = last
            break
        if last.cores > MOST_CORES:
            break
    if kept is None:
        return first, last
    for _ in range(REFINEMENTS if kept.cores > CLOSE * first.cores else 0):
        middle = {name: (before[name] + cost[name]) / 2 for name in cost}
        tried = _cut(demand, middle)
        if tried.excess(limits):
            before = middle
        else:
            cost, kept = middle, min(kept, tried, key=lambda cut: cut.cores)
    return first, kept


def _next_cost(cost: FloatArray, counted: FloatArray, limit: int) -> FloatArray:
    """More than was counted, since smaller parts are more parts to reach; never less than before, never past the limit."""
    ahead = counted + np.maximum(counted - cost, 0) / 2 if cost.any() else counted
    return np.minimum(np.maximum(cost, ahead), limit)


def _cores_reached(demand: Demand, cut: Cut) -> dict[str, FloatArray]:
    reached = {name: np.zeros(core.size) for name, core in cut.assignment.items()}
    for item in demand.projections:
        if item.pre in reached:
            reached[item.pre] += demand.axons_of(item, cut.reach[item.name])
    return reached


def _targets(demand: Demand) -> dict[str, FloatArray]:
    targets = {population.name: np.zeros(population.size) for population in demand.program.populations}
    for item in demand.projections:
        if item.pre in targets:
            targets[item.pre] += item.fan_out
    return targets


def _cut(demand: Demand, cost: Mapping[str, FloatArray]) -> Cut:
    filler = _Filler(demand, cost)
    for population in demand.program.populations:
        filler.add(population)
    assignment, cores = filler.assignment, len(filler.cores)
    reach = demand.reach(assignment, cores)
    return Cut(assignment, cores, filler.filled_by, reach, demand.use(assignment, cores, reach))


class _Filler:
    """Cores that fill up, population by population."""

    def __init__(self, demand: Demand, cost: Mapping[str, FloatArray]) -> None:
        self.demand, self.cost = demand, cost
        self.cores: list[Core] = []
        self.assignment: dict[str, IntArray] = {}
        self.filled_by: dict[str, int] = {}

    def add(self, population: PopulationProgram) -> None:
        """Whole where a core has room for it; else from the last core on, as many to each as fit."""
        placed: IntArray = np.zeros(population.size, dtype=np.int64)
        self.assignment[population.name] = placed
        if population.size <= self.demand.limits.core["compartments"]:
            window = _Window(self, population, 0, population.size)
            if window.fits(Core())[0] == population.size:
                open_cores = [
                    number for number, core in enumerate(self.cores) if self._has_room(core, population.size)
                ][-OPEN_CORES:]
                for number in [*open_cores, None]:
                    if number is None or window.fits(self.cores[number])[0] == population.size:
                        placed[:] = self._take(window, population.size, number)
                        return
        start, guess = 0, self.demand.limits.core["compartments"]
        number = len(self.cores) - 1 if self.cores else None
        while start < population.size:
            window = _Window(self, population, start, min(start + guess, population.size))
            rows, resource = window.fits(Core() if number is None else self.cores[number])
            if rows == window.size < population.size - start and rows < self.demand.limits.core["compartments"]:
                guess *= 2
                continue
            if rows:
                placed[start : start + rows] = self._take(window, rows, number)
                start, guess = start + rows, rows + rows // 4 + 8
            elif number is None:
                raise AssertionError(f"neuron {start} of {population.name!r} was to fit a core of its own")
            if start < population.size:
                self.filled_by[resource] = self.filled_by.get(resource, 0) + 1
            number = None

    def _has_room(self, core: Core, neurons: int) -> bool:
        return core.used["compartments"] + neurons <= self.demand.limits.core["compartments"]

    def _take(self, window: _Window, rows: int, number: int | None) -> int:
        if number is None:
            self.cores.append(Core())
            number = len(self.cores) - 1
        window.put(self.cores[number], rows)
        return number


class _Window:
    """Neurons ``start`` to ``stop`` of a population, and what the first 1, 2, ... of them take on a core."""

    def __init__(self, filler: _Filler, population: PopulationProgram, start: int, stop: int) -> None:
        self.demand, self.size = filler.demand, stop - start
        self.limits = self.demand.limits
        onto = self.demand.onto[population.name]
        axons, bits = np.zeros(self.size), np.zeros(self.size)
        for item in onto:
            of_axons, of_bits = self._synapses(item, start, stop)
            axons += of_axons
            bits += of_bits
        sums = {
            "compartments": np.arange(1, self.size + 1),
            "input_axons": axons,
            "synapse_memory": bits,
            "output_axons": np.cumsum(filler.cost[population.name][start:stop]),
        }
        self.sums = {name: total for name, total in sums.items() if name in self.limits.core}
        self.neurons = {
            name: numbers[population.name][start:stop] for name, numbers in self.demand.neuron_configurations.items()
        }
        self.projections = {
            name: {number for item in onto if (number := numbers[item.name]) is not None}
            for name, numbers in self.demand.projection_configurations.items()
        }
        self.delay = self.demand.longest_delay(population)

    def _synapses(self, item: ProjectionProgram, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        """Lists, and their bits, of the first 1, 2, ... neurons."""
        encoding, rows = self.demand.encodings[item.name], np.arange(1, stop - start + 1)
        if item.is_full:
            lists = np.full(rows.size, float(item.pre_size))
            return lists, lists * encoding.bits(rows)
        pointer = item.connectivity.pointer[start : stop + 1]
        pre = item.connectivity.pre_part(slice(int(pointer[0]), int(pointer[-1])))
        row, rank = _by_pre(pre, pointer - pointer[0], item.pre_size)
        lists = np.cumsum(np.bincount(row[rank == 0], minlength=rows.size)).astype(np.float64)
        if encoding.dense:
            return lists, lists * encoding.bits(rows)
        more = np.diff(encoding.bits(np.arange(rows.size + 1)))
        return lists, np.cumsum(np.bincount(row, more[rank], minlength=rows.size))

    def fits(self, core: Core) -> tuple[int, str]:
        """How many neurons from the first on there is room for, and what there would be too little of for more."""
        rows, resource = self.size, "compartments"
        for name, total in self.sums.items():
            most = int(np.searchsorted(total, self.limits.core[name] - core.used[name], side="right"))
            rows, resource = min((rows, resource), (most, name), key=_rows)
        for name, numbers in self.neurons.items():
            there = core.configurations.get(name, set())
            new = np.zeros(self.size, dtype=np.int64)
            values, first = np.unique(numbers, return_index=True)
            new[first[[value not in there for value in values.tolist()]]] = 1
            most = int(np.searchsorted(np.cumsum(new) + len(there), self.limits.core[name], side="right"))
            rows, resource = min((rows, resource), (most, name), key=_rows)
        for name, wanted in self.projections.items():
            if len(core.configurations.get(name, set()) | wanted) > self.limits.core[name]:
                rows, resource = 0, name
        if DELAY in self.limits.core:
            steps = max(self.delay, core.longest_delay, self.limits.guaranteed_delay)
            most = max(int(self.limits.core[DELAY] // steps - core.used["compartments"]), 0)
            rows, resource = min((rows, resource), (most, DELAY), key=_rows)
        return rows, resource

    def put(self, core: Core, rows: int) -> None:
        """The first ``rows`` of them, onto a core."""
        for name, total in self.sums.items():
            core.used[name] += float(total[rows - 1])
        for name, numbers in self.neurons.items():
            core.configurations.setdefault(name, set()).update(np.unique(numbers[:rows]).tolist())
        for name, wanted in self.projections.items():
            core.configurations.setdefault(name, set()).update(wanted)
        core.longest_delay = max(core.longest_delay, self.delay)


def _by_pre(pre: Array, pointer: IntArray, pre_size: int) -> tuple[Array, IntArray]:
    """Row of every synapse in order of presynaptic neuron, and how many of that neuron lie before it."""
    if pre.size > pre_size // 4:  # by counting; else by sorting, which does not look at all presynaptic neurons
        from scipy.sparse import csr_array

        shape = pointer.size - 1, pre_size
        columns = csr_array((np.ones(pre.size, np.int8), pre, pointer.astype(pre.dtype)), shape=shape).tocsc()
        return columns.indices, np.arange(pre.size) - np.repeat(columns.indptr[:-1], np.diff(columns.indptr))
    order = np.argsort(pre, kind="stable")
    rising = pre[order]
    starts = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]])[: pre.size])
    rank = np.arange(pre.size) - np.repeat(starts, np.diff(np.append(starts, pre.size)))
    return np.repeat(np.arange(pointer.size - 1), np.diff(pointer))[order], rank


def _rows(found: tuple[int, str]) -> int:
    return found[0]


def alone(demand: Demand, population: PopulationProgram) -> dict[str, IntArray]:
    """What every neuron of a population takes at least, on a core of its own: shape (size,) by resource."""
    onto: Sequence[ProjectionProgram] = demand.onto[population.name]
    degrees = [np.diff(item.by_post) for item in onto]
    none = np.zeros(population.size, dtype=np.int64)
    axons = sum(degrees, none)
    one = [int(demand.encodings[item.name].bits(np.array(1))) for item in onto]
    bits = sum((degree * each for degree, each in zip(degrees, one, strict=True)), none)
    out = sum((np.minimum(item.fan_out, 1) for item in demand.projections if item.pre == population.name), none)
    found = {"input_axons": axons, "synapse_memory": bits, "output_axons": out}
    for name, numbers in demand.projection_configurations.items():
        distinct = {numbers[item.name] for item in onto} - {None}
        found[name] = none + len(distinct)
    if DELAY in demand.limits.core:
        found[DELAY] = none + max(demand.longest_delay(population), demand.limits.guaranteed_delay)
    return {name: found[name] for name in demand.limits.core if name in found}
