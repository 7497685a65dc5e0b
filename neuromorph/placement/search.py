"""Groups of neurons exchanged between cores until fewer spikes cross them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from neuromorph.placement.demand import Assignment, Demand
from neuromorph.placement.exchange import Exchange
from neuromorph.placement.greedy import Cut
from neuromorph.placement.groups import MOST_ENTRIES, Groups, grouped
from neuromorph.placement.spectral import bisected
from neuromorph.recording import FloatArray

Method = Literal["greedy", "traffic"]

PASSES = 8  # over all groups, unless one of them changed nothing
TRIED = 3  # cores that a group is tried on, and groups that it is exchanged with there
SAME = 1e-9  # spikes: sums of measured means that differ by less are equal
MOST_WORK = 5_000_000  # nets looked at from one start, after which the search ends: unlike a time the same for everyone


def fewer_crossings(demand: Demand, cut: Cut, spikes: Mapping[str, FloatArray], seed: int) -> Assignment | None:
    """The cut with groups moved, or exchanged in pairs, where fewer spikes cross then and no limit is broken.

    None where the tables of the search would be too large.

    After Kernighan and Lin 1970, Bell System Technical Journal 49(2): a pair may pass through a state that breaks a limit.
    Which cores and partners are tried is told by the spikes between groups, a graph; whether a move is kept by the exact
    count, in which a spike to many neurons of a core is one, and by the graph where that stays as it is. It is done from
    the cut and from a bisection of the graph (SciPy's eigenvectors), and the better end is taken. Libraries for graph
    partitioning balance one weight of vertices; limits here are of nets and lists too, so what they find would not fit.
    """
    distinct = [
        numbers for table in demand.neuron_configurations.values() for numbers in table.values() if numbers.size
    ]
    kinds = max((int(numbers.max()) + 1 for numbers in distinct), default=1)
    if cut.cores < 2 or not demand.projections:
        return cut.assignment
    groups = None if kinds * cut.cores > MOST_ENTRIES else grouped(demand, cut.assignment, spikes)
    if groups is None or groups.owner.size * cut.cores > MOST_ENTRIES:
        return None
    links = _links(groups)
    best, fewest = cut.assignment, demand.crossing(cut.assignment, cut.reach, spikes)
    for start in (groups, replace(groups, core=bisected(links, groups.size, cut.cores))):
        exchange = Exchange(demand, start, cut.assignment, cut.cores)
        if not exchange.keeps_limits(*range(cut.cores)):
            continue  # halves of equal size need not keep the limits; the cut does
        _Search(exchange, links, np.random.default_rng(seed)).run()
        found = {name: exchange.core[group] for name, group in groups.of.items()}
        reach = demand.reach(found, cut.cores)
        use, crossing = demand.use(found, cut.cores, reach), demand.crossing(found, reach, spikes)
        if crossing < fewest and all(int(used.max()) <= demand.limits.core[name] for name, used in use.items()):
            best, fewest = found, crossing
    return best


def _links(groups: Groups) -> Any:
    """Spikes between every two groups, both ways: a sparse symmetric array."""
    from scipy.sparse import coo_array

    count = groups.size.size
    target = np.repeat(np.arange(count), np.diff(groups.pointer))
    owner = groups.owner[groups.net]
    sent = owner >= 0
    one_way = coo_array((groups.spikes[groups.net][sent], (owner[sent], target[sent])), shape=(count, count)).tocsr()
    both = (one_way + one_way.T).tocsr()
    both.setdiag(0)
    both.eliminate_zeros()
    return both


class _Search:
    def __init__(self, exchange: Exchange, links: Any, rng: np.random.Generator) -> None:
        from scipy.sparse import csr_array

        self.exchange, self.links, self.rng = exchange, links, rng
        count = exchange.core.size
        on = csr_array((np.ones(count), exchange.core, np.arange(count + 1)), shape=(count, exchange.cores))
        self.pull = (links @ on).toarray()  # (groups, cores): spikes to and from each core
        self.work = 0

    def run(self) -> None:
        """Pass by pass, in an order of chance."""
        for _ in range(PASSES):
            changed = [self._improve(group) for group in self.rng.permutation(self.exchange.core.size).tolist()]
            if not any(changed) or self.work > MOST_WORK:
                return

    def _improve(self, group: int) -> bool:
        source = int(self.exchange.core[group])
        gain = self.pull[group] - self.pull[group, source]
        if self.work > MOST_WORK or gain.max() <= 0:
            return False
        for target in np.argsort(-gain, kind="stable")[:TRIED].tolist():
            if gain[target] <= 0:
                return False
            change = self._move(group, target)
            if change <= SAME and self.exchange.keeps_limits(source, target):
                return True
            if self._exchanged(group, source, target, change, float(gain[target])):
                return True
            self._move(group, source)
        return False

    def _exchanged(self, group: int, source: int, target: int, change: float, gain: float) -> bool:
        """Whether a group of the target could take the place that was left."""
        there = np.flatnonzero(self.exchange.core == target)
        there = there[there != group]
        order = np.argsort(self.pull[there, target] - self.pull[there, source], kind="stable")
        for partner in there[order[:TRIED]].tolist():
            links = gain + float(self.pull[partner, source] - self.pull[partner, target])
            both = change + self._move(partner, source)
            better = both < -SAME or (both <= SAME and links > SAME)
            if better and self.exchange.keeps_limits(source, target):
                return True
            self._move(partner, target)
        return False

    def _move(self, group: int, target: int) -> float:
        source = int(self.exchange.core[group])
        part = slice(int(self.links.indptr[group]), int(self.links.indptr[group + 1]))
        others, spikes = self.links.indices[part], self.links.data[part]
        self.pull[others, source] -= spikes
        self.pull[others, target] += spikes
        nets = int(self.exchange.groups.pointer[group + 1] - self.exchange.groups.pointer[group])
        self.work += nets + others.size + self.exchange.cores
        return self.exchange.move(group, target)
