"""The pass: a program and a chip in, a placement out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from neuromorph.chip import Chip, load_chip
from neuromorph.errors import CompileError, InputError, is_count, raise_faults
from neuromorph.placement.complaints import faults_alone, faults_of_cut, notes_of_cut
from neuromorph.placement.demand import Assignment, Demand
from neuromorph.placement.greedy import cut_greedily
from neuromorph.placement.limits import Limits
from neuromorph.placement.messages import Flows, Traffic, expected_spikes, flows, messages, positions
from neuromorph.placement.placement import Part, PlacedCore, Placement, Use
from neuromorph.placement.search import Method, fewer_crossings
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray

ChipLike = str | os.PathLike[str] | Chip


def place(
    program: Program,
    chip: ChipLike = "loihi1",
    *,
    method: Method = "greedy",
    seed: int = 0,
    traffic: Traffic | None = None,
    chips: int | None = None,
) -> Placement:
    """Cut the populations of a program onto cores so that no limit of the chip is broken.

    Every presynaptic neuron takes one output axon of its own core and one input axon of the target's for each projection
    and each core on which it has synapses, and there a list of them in synapse memory; inputs take input axons only.

    ``greedy`` goes through populations in order: small ones share cores, large ones are cut into contiguous parts.
    ``traffic`` starts there and exchanges groups of neurons between cores, so that fewer spikes cross them; it is the
    same for the same ``seed`` and never worse. ``traffic`` (a recording, or spikes by population) weighs neurons by what
    they send, otherwise all count alike. ``chips`` is how many may be used: unless given those of a board, else as many as it
    takes, up to the largest system that was built.

    Raises :class:`CompileError` with every limit that is broken where no cut was found.

    >>> import neuromorph as nm
    >>> net = nm.Network(
    ...     populations=[nm.Population("a", 1500, nm.LIF()), nm.Population("b", 500, nm.LIF())],
    ...     projections=[nm.Projection("a", "b", nm.FixedInDegree(10, 0.1))],
    ... )
    >>> for core in place(nm.compile(net)).cores:
    ...     print(core.core, [(part.population, part.first, part.last) for part in core.parts], core.fullest)
    0 [('a', 0, 1023)] compartments
    1 [('a', 1024, 1499), ('b', 0, 499)] compartments
    """
    hardware = _checked(program, chip, method, seed, chips)
    limits = Limits.of(hardware, chips)
    demand = Demand(program, limits)
    spikes, source = expected_spikes(demand, traffic)
    raise_faults(CompileError, faults_alone(demand))
    first, cut = cut_greedily(demand)
    raise_faults(CompileError, faults_of_cut(demand, first, cut))
    found, reach = cut.assignment, cut.reach
    greedy_crossing = demand.crossing(found, reach, spikes)
    notes = list(notes_of_cut(demand, first, cut))
    if method == "traffic":
        better = fewer_crossings(demand, cut, spikes, seed)
        if better is None:
            notes.append("the network is too large for the search by traffic: it stays as the greedy method cut it")
        elif better is not found:
            found, reach = better, demand.reach(better, cut.cores)
    use = demand.use(found, cut.cores, reach)
    flow = flows(demand, found, reach, spikes)
    return Placement(
        program=program,
        limits=limits,
        chip_fingerprint=hardware.fingerprint,
        method=method,
        seed=seed,
        traffic=source,
        cores=_cores(limits, found, cut.cores, use, flow),
        messages=messages(flow, limits, cut.cores),
        greedy_crossing=greedy_crossing,
        notes=notes,
    )


def _checked(program: Program, chip: ChipLike, method: str, seed: int, chips: int | None) -> Chip:
    faults = []
    if not isinstance(program, Program):
        faults.append(f"place takes a Program (compile a Network first), got {type(program).__name__}")
    if method not in get_args(Method):
        faults.append(f"method must be {' or '.join(map(repr, get_args(Method)))}, got {method!r}")
    if not is_count(seed):
        faults.append(f"seed must be a whole number >= 0, got {seed!r}")
    if chips is not None and not is_count(chips, 1):
        faults.append(f"chips must be a whole number >= 1, or None for as many as it takes, got {chips!r}")
    raise_faults(InputError, faults)
    return chip if isinstance(chip, Chip) else load_chip(chip)


def _cores(
    limits: Limits, assignment: Assignment, cores: int, use: Mapping[str, IntArray], flow: Flows
) -> Sequence[PlacedCore]:
    parts = _parts(assignment, cores)
    column, row = positions(limits, cores)
    away = flow.sources != flow.targets
    sent = np.bincount(flow.sources[away], flow.spikes[away], minlength=cores)
    hops = np.bincount(flow.sources, _hops(flow, limits, column, row), minlength=cores)
    return [
        PlacedCore(
            number=number,
            chip=number // limits.cores,
            core=number % limits.cores,
            tile=(int(column[number]), int(row[number])) if limits.columns else None,
            parts=parts[number],
            use={name: Use(used=int(used[number]), limit=limits.core[name]) for name, used in use.items()},
            spikes_sent=float(sent[number]),
            hops=float(hops[number]),
        )
        for number in range(cores)
    ]


def _hops(flow: Flows, limits: Limits, column: IntArray, row: IntArray) -> FloatArray:
    same_chip = flow.sources // limits.cores == flow.targets // limits.cores
    tiles = np.abs(column[flow.sources] - column[flow.targets]) + np.abs(row[flow.sources] - row[flow.targets])
    return np.where(same_chip, flow.spikes * tiles, 0.0)


def _parts(assignment: Assignment, cores: int) -> list[list[Part]]:
    """Runs of neurons of one core, by core, in order of populations and neurons."""
    parts: list[list[Part]] = [[] for _ in range(cores)]
    for name, core in assignment.items():
        if core.size == 0:
            continue
        starts = np.concatenate([[0], np.flatnonzero(np.diff(core)) + 1])
        stops = np.append(starts[1:], core.size)
        for number, first, stop in zip(core[starts].tolist(), starts.tolist(), stops.tolist(), strict=True):
            parts[number].append(Part(population=name, first=first, last=stop - 1))
    return parts
