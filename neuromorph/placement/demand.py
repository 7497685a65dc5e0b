"""What a program asks of the cores that its neurons lie on: the one exact account, of any assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuromorph.compact import Array
from neuromorph.connectivity import Connectivity
from neuromorph.placement.encoding import Encoding
from neuromorph.placement.limits import DELAY, Limits
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray

Assignment = Mapping[str, IntArray]  # population -> the core of every neuron, from 0


@dataclass(frozen=True)
class Reach:
    """Which presynaptic neurons have synapses on which cores, and how many: lists of cores, one after the other."""

    pointer: IntArray  # (cores + 1,)
    pre: Array  # presynaptic neurons, one entry for each that has a list on that core; int32 where it fits
    lengths: Array  # synapses of these lists

    @property
    def cores(self) -> IntArray:
        """Core of every list."""
        return np.repeat(np.arange(self.pointer.size - 1, dtype=np.int32), np.diff(self.pointer))


def reach_of(connectivity: Connectivity, core: IntArray, cores: int) -> Reach:
    """Of neurons on these cores, shape (post_size,)."""
    order = np.argsort(core, kind="stable")
    sizes = np.bincount(core, minlength=cores)
    if connectivity.is_full:
        used = np.where(sizes > 0, connectivity.pre_size, 0)
        pre = np.tile(np.arange(connectivity.pre_size), int(np.count_nonzero(sizes)))
        return Reach(_starts(used), pre, np.repeat(sizes, used))
    from scipy.sparse import csr_array

    kind = np.int32 if connectivity.synapses < np.iinfo(np.int32).max else np.int64
    indices = connectivity.pre_index().astype(kind, copy=False)
    ones = np.ones(connectivity.synapses, dtype=np.int32)
    shape = connectivity.post_size, connectivity.pre_size
    synapses = csr_array((ones, indices, connectivity.pointer.astype(kind)), shape=shape)
    members = csr_array(
        (np.ones(core.size, dtype=np.int32), order.astype(kind), _starts(sizes).astype(kind)),
        shape=(cores, connectivity.post_size),
    )
    table: Any = members @ synapses
    return Reach(table.indptr.astype(np.int64), table.indices, table.data)


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


class Demand:
    """A program as the passes see it: encodings of projections and configurations of neurons, found once."""

    def __init__(self, program: Program, limits: Limits) -> None:
        self.program = program
        self.limits = limits
        self.projections: Sequence[ProjectionProgram] = [item for item in program.projections if item.synapses]
        self.encodings = {item.name: Encoding.of(item, limits) for item in self.projections}
        self.onto: dict[str, list[ProjectionProgram]] = {population.name: [] for population in program.populations}
        for item in self.projections:
            self.onto[item.post].append(item)

    @cached_property
    def neuron_configurations(self) -> Mapping[str, Mapping[str, IntArray]]:
        """Resource -> population -> the configuration of every neuron, as a number from 0."""
        kinds = {
            "compartment_configurations": ("decay_u", "decay_v", "refractory"),
            "threshold_configurations": ("threshold",),
        }
        stated = {resource: names for resource, names in kinds.items() if resource in self.limits.core}
        return {resource: self._numbered(names) for resource, names in stated.items()}

    def _numbered(self, names: Sequence[str]) -> dict[str, IntArray]:
        number = np.zeros(sum(population.size for population in self.program.populations), dtype=np.int64)
        for name in names:
            columns = [getattr(population, name) for population in self.program.populations]
            values, place = np.unique(np.concatenate(columns or [np.zeros(0)]), return_inverse=True)
            number = np.unique(number * values.size + place, return_inverse=True)[1]
        ends = np.cumsum([population.size for population in self.program.populations])
        names_of = [population.name for population in self.program.populations]
        return dict(zip(names_of, np.split(number, ends[:-1]), strict=True)) if names_of else {}

    @cached_property
    def projection_configurations(self) -> Mapping[str, Mapping[str, int | None]]:
        """Resource -> projection -> its configuration as a number, None where it needs none."""
        formats = {
            item.name: (self.encodings[item.name], item.weight_exponent, item.sign_mode, item.rule)
            for item in self.projections
        }
        traces = {
            item.name: None
            if item.rule is None
            else tuple((name, trace) for name, trace in item.rule.traces.items() if name.startswith("x")) or None
            for item in self.projections
        }
        wanted: dict[str, Mapping[str, Any]] = {
            "synapse_configurations": formats,
            "presynaptic_trace_configurations": traces,
        }
        return {name: _equal_ones(values) for name, values in wanted.items() if name in self.limits.core}

    def longest_delay(self, population: PopulationProgram) -> int:
        """Steps that a core must keep input of the population, beyond the one that every spike takes."""
        return max([item.max_delay - 1 for item in self.onto[population.name]], default=0)

    def reach(self, assignment: Assignment, cores: int) -> dict[str, Reach]:
        """Of every projection with synapses."""
        return {item.name: reach_of(item.connectivity, assignment[item.post], cores) for item in self.projections}

    def use(self, assignment: Assignment, cores: int, reach: Mapping[str, Reach]) -> dict[str, IntArray]:
        """Use of every resource that the chip limits, by core: shape (cores,)."""
        sizes = {name: np.bincount(core, minlength=cores) for name, core in assignment.items()}
        none = np.zeros(cores, dtype=np.int64)
        found = {"compartments": sum(sizes.values(), none), "input_axons": none.copy(), "synapse_memory": none.copy()}
        found["output_axons"] = none.copy()
        longest = none.copy()
        for item in self.projections:
            lists, encoding = reach[item.name], self.encodings[item.name]
            axons = np.diff(lists.pointer)
            found["input_axons"] += axons
            if encoding.dense:
                found["synapse_memory"] += axons * encoding.bits(sizes[item.post])
            else:
                by_length = encoding.bits(np.arange(int(lists.lengths.max(initial=0)) + 1))
                total = _starts(by_length[lists.lengths])
                found["synapse_memory"] += np.diff(total[lists.pointer])
            if item.pre in assignment:
                out = np.bincount(assignment[item.pre], self.axons_of(item, lists), minlength=cores)
                found["output_axons"] += out.astype(np.int64)
            longest = np.maximum(longest, np.where(axons > 0, item.max_delay - 1, 0))
        if DELAY in self.limits.core:
            found[DELAY] = found["compartments"] * np.maximum(longest, self.limits.guaranteed_delay)
        for resource, numbers in self.neuron_configurations.items():
            found[resource] = _distinct([assignment[name] for name in numbers], list(numbers.values()), cores)
        for resource, numbers_of in self.projection_configurations.items():
            counted = {name: number for name, number in numbers_of.items() if number is not None}
            on = [np.flatnonzero(np.diff(reach[name].pointer)) for name in counted]
            each = [np.full(core.size, number) for core, number in zip(on, counted.values(), strict=True)]
            found[resource] = _distinct(on, each, cores)
        return {name: found[name] for name in self.limits.core if name in found}

    def axons_of(self, projection: ProjectionProgram, lists: Reach) -> IntArray:
        """Cores that every presynaptic neuron of a projection reaches, shape (pre_size,)."""
        return np.bincount(lists.pre, minlength=projection.pre_size)

    def crossing(self, assignment: Assignment, reach: Mapping[str, Reach], spikes: Mapping[str, FloatArray]) -> float:
        """Spike messages to other cores: every spike once for each projection and each other core that it reaches."""
        total = 0.0
        for item in self.projections:
            if item.pre in assignment:
                lists = reach[item.name]
                away = assignment[item.pre][lists.pre] != lists.cores
                total += float(spikes[item.pre][lists.pre[away]].sum())
        return total


def _equal_ones(values: Mapping[str, Any]) -> dict[str, int | None]:
    """A number for each value, the same for equal ones; rules hold mappings, which have no hash."""
    seen: list[Any] = []
    numbers: dict[str, int | None] = {}
    for name, value in values.items():
        if value is not None and value not in seen:
            seen.append(value)
        numbers[name] = None if value is None else seen.index(value)
    return numbers


def _distinct(cores_of: Sequence[IntArray], numbers: Sequence[IntArray], cores: int) -> IntArray:
    """Distinct numbers on every core."""
    if not cores_of:
        return np.zeros(cores, dtype=np.int64)
    core, number = np.concatenate(cores_of), np.concatenate(numbers)
    most = int(number.max(initial=0)) + 1
    return np.bincount(np.unique(core * most + number) // most, minlength=cores)
