"""Groups of neurons as the search moves them, and the nets of spikes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuromorph.compact import Array
from neuromorph.placement.demand import Assignment, Demand, reach_of
from neuromorph.recording import FloatArray, IntArray

MOST_GROUPS = 4096  # of larger programs several neighbours move together
MOST_ENTRIES = 1 << 26  # synapses, and entries of the table of nets and cores, that the search holds at once


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Neighbouring neurons of one part of a cut.

    A net is what sends spikes alike: neurons of one group with equal numbers of synapses onto every group, through one
    projection. Inputs are of no group.
    """

    of: Mapping[str, IntArray]  # population -> group of every neuron
    core: IntArray  # (groups,): where each lies in the cut
    size: IntArray  # (groups,)
    population: IntArray  # (groups,): number of its population
    owner: IntArray  # (nets,): group that sends, -1: an input
    projection: IntArray  # (nets,)
    neurons: FloatArray  # (nets,): how many send alike
    spikes: FloatArray  # (nets,): what they send together
    pointer: IntArray  # (groups + 1,): the nets that reach group g are net[pointer[g]:pointer[g + 1]]
    net: Array
    synapses: Array  # of one neuron of the net onto the group


def grouped(demand: Demand, assignment: Assignment, spikes: Mapping[str, FloatArray]) -> Groups | None:
    """Groups of a cut and their nets; None where there are too many entries to hold."""
    total = sum(core.size for core in assignment.values())
    most = max(1, -(-total // MOST_GROUPS))
    of: dict[str, IntArray] = {}
    cores, populations = [], []
    count = 0
    for number, (name, core) in enumerate(assignment.items()):
        starts = np.concatenate([[0], np.flatnonzero(np.diff(core)) + 1]) if core.size else np.zeros(0, dtype=np.int64)
        place = np.arange(core.size) - np.repeat(starts, np.diff(np.append(starts, core.size)))
        begins = place % most == 0
        of[name] = np.cumsum(begins) - 1 + count
        cores.append(core[begins])
        populations.append(np.full(int(begins.sum()), number))
        count += int(begins.sum())
    sizes = np.bincount(np.concatenate([*of.values(), np.zeros(0, dtype=np.int64)]), minlength=count)
    lists: list[tuple[Array, Array, Array]] = []
    columns: list[tuple[Array, Array, FloatArray, FloatArray]] = []  # owner, projection, neurons and spikes of nets
    nets = 0
    for number, item in enumerate(demand.projections):
        reach = reach_of(item.connectivity, of[item.post], count)
        own = of.get(item.pre, np.full(item.pre_size, -1, dtype=np.int64))
        alike, first = _alike(reach.pre, reach.lengths, reach.cores, own, count)
        kept = np.zeros(item.pre_size, dtype=np.bool_)
        kept[first] = True
        chosen = kept[reach.pre]
        lists.append((reach.cores[chosen], alike[reach.pre[chosen]] + nets, reach.lengths[chosen]))
        some = alike >= 0
        count_alike = np.bincount(alike[some], minlength=first.size).astype(np.float64)
        sent = np.bincount(alike[some], spikes[item.pre][some], minlength=first.size).astype(np.float64)
        columns.append((own[first], np.full(first.size, number), count_alike, sent))
        nets += first.size
        if sum(part[0].size for part in lists) > MOST_ENTRIES:
            return None
    group, net, length = (np.concatenate(parts) for parts in zip(*lists, strict=True))
    owner, projection, neurons, spikes_sent = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.argsort(group, kind="stable")
    return Groups(
        of=of,
        core=np.concatenate(cores),
        size=sizes,
        population=np.concatenate(populations),
        owner=owner,
        projection=projection,
        neurons=neurons,
        spikes=spikes_sent,
        pointer=np.concatenate([[0], np.cumsum(np.bincount(group, minlength=count))]),
        net=net[order],
        synapses=length[order].astype(np.int64),
    )


def _alike(pre: Array, lengths: Array, group: IntArray, own: IntArray, groups: int) -> tuple[IntArray, IntArray]:
    """The number of every presynaptic neuron's net, -1 where it has no synapse, and the first neuron of each net.

    Rows are compared by two sums of random numbers of 53 bits; what the search finds is counted anew at its end.
    """
    rng = np.random.default_rng(0)
    keys = [own.astype(np.float64), np.bincount(pre, minlength=own.size).astype(np.float64)]
    for _ in range(2):
        weight = rng.integers(1, 1 << 30, groups).astype(np.float64)
        total = np.bincount(pre, weight[group] * lengths, minlength=own.size)
        keys.append(total.astype(np.float64))
    order = np.lexsort(keys)
    rows = np.stack(keys)[:, order]
    new = np.concatenate([[True], np.any(rows[:, 1:] != rows[:, :-1], axis=0)])[: own.size]
    new &= rows[1] > 0
    number = np.full(own.size, -1, dtype=np.int64)
    number[order] = np.where(rows[1] > 0, np.cumsum(new) - 1, -1)
    return number, order[new]
