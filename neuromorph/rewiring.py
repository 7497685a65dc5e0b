"""Other synapses for a projection of a program that is running: which stay, what the new ones start with."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.checkpoint import State
from neuromorph.connectivity import Connectivity
from neuromorph.errors import CompileError, InputError, is_count
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import IntArray


def rewired(
    program: Program, state: State, name: str, weights: Any, *, delay: int | None = None
) -> tuple[Program, dict[str, npt.NDArray[Any]]]:
    """The program and the state of a session in which projection ``name`` has the synapses that ``weights`` stores.

    ``weights`` is a SciPy sparse array (post, pre) in the program's units; a zero that it stores is a synapse. A synapse
    that was there keeps delay and tag. A new one has tag 0 and ``delay`` steps; without ``delay`` new synapses share the
    delays of those that went, the longest of them where they are fewer. Currents under way arrive as they were sent.

    Raises :class:`InputError` where the weights fit neither projection, rule nor chip, and where so long delays are
    dropped that currents under way could not arrive.
    """
    projection = program.projection(name)
    where = f"rewiring {name!r}"
    rows = _rows(where, weights, projection)
    now = Connectivity.of_rows(rows.indptr, rows.indices, projection.pre_size)
    assert now is not None  # SciPy put the rows in order
    before = projection.connectivity
    keys, found = _keys(before), _keys(now)
    place = np.minimum(np.searchsorted(keys, found), max(keys.size - 1, 0))
    stays = keys[place] == found if keys.size else np.zeros(found.size, dtype=np.bool_)
    kept = place[stays]
    gone = np.ones(keys.size, dtype=np.bool_)
    gone[kept] = False
    delays = np.empty(found.size, dtype=np.int64)
    delays[stays] = projection.stored_delay[kept]
    delays[~stays] = _new_delays(where, projection, gone, int(np.count_nonzero(~stays)), delay)
    try:
        changed = projection.with_changes(
            post_index=now, pre_index=now, weight=rows.data.astype(np.float64), delay=delays
        )
        after = dataclasses.replace(
            program, projections=tuple(changed if p is projection else p for p in program.projections)
        )
    except CompileError as error:
        raise InputError([f"{where}: {fault}" for fault in error.faults]) from None
    if program.unusual_conventions and changed.max_delay != projection.max_delay:
        raise InputError(
            f"{where}: under the conventions of another tool the longest delay, {projection.max_delay} steps, must stay"
        )
    new = {variable: np.array(values) for variable, values in state.items()}
    new[f"{name}.weight"] = np.array(changed.weight)
    new[f"{name}.under_way"] = _under_way(where, new[f"{name}.under_way"], projection.max_delay, changed.max_delay)
    if (tag := new.get(f"{name}.tag")) is not None:
        new[f"{name}.tag"] = np.zeros(found.size)
        new[f"{name}.tag"][stays] = tag[kept]
    if (moved := new.get(f"{name}.delay")) is not None:  # new synapses begin with the delays that they were given
        new[f"{name}.delay"] = changed.delay.astype(np.float64)
        new[f"{name}.delay"][stays] = moved[kept]
    return after, new


def _rows(where: str, weights: Any, projection: ProjectionProgram) -> Any:
    """A CSR array of our own with sorted rows."""
    shape = projection.post_size, projection.pre_size
    if type(weights).__module__.partition(".")[0] != "scipy" or not hasattr(weights, "tocsr"):
        raise InputError(
            f"{where}: weights must be a SciPy sparse array of shape {shape}, got {type(weights).__name__}: which"
            " synapses exist is told by what is stored, as in scipy.sparse.csr_array(weights)"
        )
    if weights.shape != shape:
        raise InputError(f"{where}: weights must have shape {shape} = (post, pre), got {weights.shape}")
    rows = weights.tocsr(copy=True)
    rows.sum_duplicates()
    return rows


def _keys(connectivity: Connectivity) -> IntArray:
    """One number for each synapse, rising."""
    return connectivity.post_index().astype(np.int64) * connectivity.pre_size + connectivity.pre_index()


def _new_delays(
    where: str, projection: ProjectionProgram, gone: npt.NDArray[np.bool_], grown: int, delay: int | None
) -> IntArray:
    if delay is not None:
        if not is_count(delay, 1):
            raise InputError(f"{where}: delay must be a whole number of steps >= 1, got {delay!r}")
        return np.full(grown, int(delay), dtype=np.int64)
    if projection.has_one_delay:
        return np.full(grown, projection.max_delay, dtype=np.int64)
    left: IntArray = projection.stored_delay[gone].astype(np.int64)
    if grown > left.size:
        raise InputError(
            f"{where}: {grown} synapses grow where {left.size} went, and delays differ: give delay, in steps, for the new"
        )
    longest = np.sort(np.argsort(-left, kind="stable")[:grown])  # in the order in which they stood
    return left[longest]


def _under_way(where: str, rows: npt.NDArray[Any], before: int, after: int) -> npt.NDArray[Any]:
    """Currents under way, with a row for each step of the longest delay."""
    if after >= before:
        return np.concatenate([rows, np.zeros((after - before, rows.shape[1]))])
    keep = len(rows) - (before - after)
    if np.any(rows[keep:]):
        raise InputError(
            f"{where}: its longest delay falls from {before} to {after} steps while spikes are under way for longer: keep"
            f" a synapse of {before} steps, or run until they have arrived"
        )
    return rows[:keep]
