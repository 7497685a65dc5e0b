"""What every core holds while groups move between cores, and what a move changes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from neuromorph.placement.demand import Assignment, Demand
from neuromorph.placement.groups import Groups
from neuromorph.placement.limits import DELAY
from neuromorph.recording import FloatArray, IntArray


class Exchange:
    """Use of every resource by core, kept up to date move by move; limits may be broken between two moves."""

    def __init__(self, demand: Demand, groups: Groups, assignment: Assignment, cores: int) -> None:
        self.demand, self.groups, self.cores = demand, groups, cores
        self.core = groups.core.copy()
        projections = demand.projections
        names = list(assignment)
        self.dense = np.array([demand.encodings[item.name].dense for item in projections])
        self.post = np.array([names.index(item.post) for item in projections])
        longest = max(int(groups.synapses.max(initial=0)), 1)
        most = int(np.bincount(groups.population, groups.size).max()) + 1
        tables = [demand.encodings[item.name].bits(np.arange(max(most, longest + 1))) for item in projections]
        self.bits = np.stack(tables)  # (projections, length)
        net_of, group_of = groups.net, np.repeat(np.arange(groups.size.size), np.diff(groups.pointer))
        self.held = np.zeros(
            (groups.owner.size, cores), dtype=np.int32
        )  # synapses of one neuron of the net on the core
        np.add.at(self.held, (net_of, self.core[group_of]), groups.synapses)
        self.sizes = np.zeros((len(names), cores), dtype=np.int64)
        np.add.at(self.sizes, (groups.population, self.core), groups.size)
        there = self.held > 0
        self.reached = there.sum(axis=1)
        self.axons = np.zeros((len(projections), cores))  # lists of every projection on every core
        np.add.at(self.axons, groups.projection, there * groups.neurons[:, None])
        self.sparse_bits = np.zeros(cores)
        for net in range(0, groups.owner.size, 4096):
            part = slice(net, net + 4096)
            bits = self.bits[groups.projection[part, None], self.held[part]] * groups.neurons[part, None]
            self.sparse_bits += (bits * ~self.dense[groups.projection[part], None]).sum(axis=0)
        self.out = np.zeros(cores)
        owned = groups.owner >= 0
        np.add.at(self.out, self.core[groups.owner[owned]], (groups.neurons * self.reached)[owned])
        order = np.argsort(groups.owner, kind="stable")
        starts = np.searchsorted(groups.owner[order], np.arange(groups.size.size + 1))
        self.own_order, self.own_starts = order, starts
        self.configurations = self._configurations()

    def _configurations(self) -> Mapping[str, tuple[IntArray, list[tuple[IntArray, IntArray]]]]:
        """Resource -> neurons of every configuration on every core, and those of every group."""
        found = {}
        for resource, numbers in self.demand.neuron_configurations.items():
            number = np.concatenate(list(numbers.values()))
            group = np.concatenate([self.groups.of[name] for name in numbers])
            distinct = int(number.max(initial=0)) + 1
            pairs, counts = np.unique(group * distinct + number, return_counts=True)
            ends = np.searchsorted(pairs // distinct, np.arange(self.groups.size.size + 1))
            table = np.zeros((self.cores, distinct), dtype=np.int64)
            np.add.at(table, (self.core[pairs // distinct], pairs % distinct), counts)
            each = [(pairs[a:b] % distinct, counts[a:b]) for a, b in pairwise(ends.tolist())]
            found[resource] = (table, each)
        return found

    def nets_onto(self, group: int) -> tuple[IntArray, IntArray]:
        """Nets that reach a group, and synapses of one of their neurons onto it."""
        part = slice(int(self.groups.pointer[group]), int(self.groups.pointer[group + 1]))
        return self.groups.net[part], self.groups.synapses[part]

    def nets_of(self, group: int) -> IntArray:
        """Nets that a group sends."""
        return self.own_order[self.own_starts[group] : self.own_starts[group + 1]]

    def move(self, group: int, target: int) -> float:
        """Put a group on another core; how many more spikes cross cores then."""
        groups, source = self.groups, int(self.core[group])
        if source == target:
            return 0.0
        nets, synapses = self.nets_onto(group)
        own = self.nets_of(group)
        concerned = np.union1d(nets, own)
        before = self._crossing(concerned)
        at_source, at_target = self.held[nets, source], self.held[nets, target]
        gone, new = at_source == synapses, at_target == 0
        count, projection = groups.neurons[nets], groups.projection[nets]
        change = new.astype(np.int64) - gone
        owner = groups.owner[nets]
        owned = owner >= 0
        np.add.at(self.out, self.core[owner[owned]], (count * change)[owned])
        self.reached[nets] += change
        moved = float((groups.neurons[own] * self.reached[own]).sum())
        self.out[source] -= moved
        self.out[target] += moved
        loose = ~self.dense[projection]
        of, less, more = projection[loose], at_source[loose], at_target[loose]
        weight, length = count[loose], synapses[loose]
        self.sparse_bits[source] -= float(((self.bits[of, less] - self.bits[of, less - length]) * weight).sum())
        self.sparse_bits[target] += float(((self.bits[of, more + length] - self.bits[of, more]) * weight).sum())
        self.axons[:, source] -= np.bincount(projection[gone], count[gone], minlength=len(self.dense))
        self.axons[:, target] += np.bincount(projection[new], count[new], minlength=len(self.dense))
        self.held[nets, source] -= synapses.astype(np.int32)
        self.held[nets, target] += synapses.astype(np.int32)
        self.sizes[groups.population[group], source] -= groups.size[group]
        self.sizes[groups.population[group], target] += groups.size[group]
        for table, each in self.configurations.values():
            numbers, counts = each[group]
            table[source, numbers] -= counts
            table[target, numbers] += counts
        self.core[group] = target
        return self._crossing(concerned) - before

    def _crossing(self, nets: IntArray) -> float:
        owner = self.groups.owner[nets]
        sent = nets[owner >= 0]
        home = self.held[sent, self.core[self.groups.owner[sent]]] > 0
        return float((self.groups.spikes[sent] * (self.reached[sent] - home)).sum())

    def keeps_limits(self, *cores: int) -> bool:
        """Whether every limit holds on these cores, and that of output axons on all."""
        limits = self.demand.limits
        chosen = list(cores)
        compartments = self.sizes[:, chosen].sum(axis=0)
        use: dict[str, FloatArray | IntArray] = {
            "compartments": compartments,
            "input_axons": self.axons[:, chosen].sum(axis=0),
            "output_axons": self.out,
            "synapse_memory": self.sparse_bits[chosen] + self._dense_bits(chosen),
        }
        on = self.axons[:, chosen] > 0
        if DELAY in limits.core:
            steps = np.array([item.max_delay - 1 for item in self.demand.projections])[:, None]
            use[DELAY] = compartments * np.maximum((steps * on).max(axis=0, initial=0), limits.guaranteed_delay)
        for resource, (table, _) in self.configurations.items():
            use[resource] = np.count_nonzero(table[chosen], axis=1)
        for resource, numbers in self.demand.projection_configurations.items():
            each = [numbers[item.name] for item in self.demand.projections]
            use[resource] = np.array(
                [len({each[index] for index in np.flatnonzero(column)} - {None}) for column in on.T]
            )
        return all(bool(np.all(use[name] <= limit)) for name, limit in limits.core.items() if name in use)

    def _dense_bits(self, cores: list[int]) -> FloatArray:
        length = self.sizes[self.post][:, cores]
        bits = np.take_along_axis(self.bits, length, axis=1) * self.axons[:, cores]
        total: FloatArray = (bits * self.dense[:, None]).sum(axis=0)
        return total
