"""What the search keeps up to date, move by move, is what the program asks for, counted anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import neuromorph as nm
from neuromorph.chip import load_chip
from neuromorph.placement import groups as grouping
from neuromorph.placement.demand import Demand
from neuromorph.placement.exchange import Exchange
from neuromorph.placement.greedy import cut_greedily
from neuromorph.placement.groups import grouped
from neuromorph.placement.limits import Limits


def program_of(seed: int) -> nm.Program:
    """Inputs, two populations, sparse and full projections, delays and thresholds."""
    rng = np.random.default_rng(seed)

    def sparse(post: int, pre: int, chance: float) -> Any:
        return csr_array(np.where(rng.random((post, pre)) < chance, 0.1, 0.0))

    thresholds = rng.integers(1, 4, 30).astype(float)
    net = nm.Network(
        populations=[
            nm.Input("in", 4),
            nm.Population("a", 30, nm.LIF(v_threshold=thresholds)),
            nm.Population("b", 9, nm.LIF()),
        ],
        projections=[
            nm.Projection("in", "a", nm.AllToAll(0.1), name="w0"),
            nm.Projection("a", "a", sparse(30, 30, 0.2), name="w1", delay=4e-3),
            nm.Projection("a", "b", nm.AllToAll(0.1), name="w2"),
            nm.Projection("b", "a", sparse(30, 9, 0.9), name="w3"),
        ],
    )
    return nm.compile(net)


# One of these is as tight as the first assignment, so that moves break it or keep it.
RESOURCES = ["input_axons", "output_axons", "synapse_memory", "threshold_configurations", "delay_memory"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([8, 39, 4096]), st.sampled_from(RESOURCES))
def test_moves_keep_the_account_that_counting_anew_gives(seed: int, most: int, resource: str) -> None:
    program = program_of(seed)
    rng = np.random.default_rng(seed)
    cores = 4
    assignment = {item.name: rng.integers(0, cores, item.size) for item in program.populations}
    wide = Demand(program, Limits.of(load_chip("loihi1"), None))
    first = wide.use(assignment, cores, wide.reach(assignment, cores))
    tight = {name: wide.limits.core[name] for name in first} | {resource: int(first[resource].max())}
    demand = Demand(program, replace(wide.limits, core={**tight, "compartments": 1024}))
    spikes = {name: rng.integers(0, 9, size).astype(float) for name, size in program.sizes.items()}
    kept = grouping.MOST_GROUPS
    grouping.MOST_GROUPS = most  # so that groups have one neuron, or several
    try:
        groups = grouped(demand, assignment, spikes)
    finally:
        grouping.MOST_GROUPS = kept
    assert groups is not None
    exchange = Exchange(demand, groups, assignment, cores)
    crossing = demand.crossing(assignment, demand.reach(assignment, cores), spikes)
    for _ in range(12):
        crossing += exchange.move(int(rng.integers(groups.size.size)), int(rng.integers(cores)))
    found = {name: exchange.core[group] for name, group in groups.of.items()}
    reach = demand.reach(found, cores)
    use = demand.use(found, cores, reach)
    every = list(range(cores))
    np.testing.assert_array_equal(exchange.sizes.sum(axis=0), use["compartments"])
    np.testing.assert_array_equal(exchange.axons.sum(axis=0), use["input_axons"])
    np.testing.assert_array_equal(exchange.out, use["output_axons"])
    np.testing.assert_array_equal(exchange.sparse_bits + exchange._dense_bits(every), use["synapse_memory"])
    for resource, (table, _) in exchange.configurations.items():
        np.testing.assert_array_equal(np.count_nonzero(table, axis=1), use[resource])
    assert crossing == demand.crossing(found, reach, spikes)
    whole = all(int(used.max()) <= demand.limits.core[name] for name, used in use.items())
    assert exchange.keeps_limits(*every) == whole


def test_a_cut_that_breaks_no_limit_is_the_only_one_made() -> None:
    demand = Demand(program_of(0), Limits.of(load_chip("loihi1"), None))
    first, last = cut_greedily(demand)
    assert first is last and first.cores == 1
