"""Neuron updates in which something happened: an event arrived or a spike was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import IntArray, SpikeTrain

Marks = npt.NDArray[np.bool_]

WINDOW_ENTRIES = 4_000_000  # marks and events that are looked at together
MOST_BITS = 1 << 31  # of the targets of a projection as rows of bits: 256 MB
WORDS_FOR_AN_EVENT = 5  # words of bits that are joined in the time in which one event is followed


def active_updates(program: Program, spikes: Mapping[str, SpikeTrain], begin: int, end: int) -> dict[str, int]:
    """Neuron updates of each population in rows ``begin`` to ``end`` of ``spikes`` that met an event or sent a spike.

    An event counts where it arrives, whatever its weight; several in one step and neuron make one active update. Where
    delays learn it counts by the delay that its synapse began with, for recordings do not hold others.
    """
    return {
        population.name: sum(
            int(np.count_nonzero(marks)) for _, marks in active_neurons(program, spikes, population, begin, end)
        )
        for population in program.populations
    }


def active_neurons(
    program: Program, spikes: Mapping[str, SpikeTrain], population: PopulationProgram, begin: int, end: int
) -> Iterator[tuple[int, Marks]]:
    """Which neurons met an event or sent a spike: a first row and marks (rows, neurons) for each window of ``begin`` to ``end``."""
    rows = _window_rows(program, spikes, population, end)
    for start in range(begin, end, rows):
        yield start, _in_window(program, spikes, population, start, min(start + rows, end))


def _window_rows(program: Program, spikes: Mapping[str, SpikeTrain], population: PopulationProgram, steps: int) -> int:
    """Steps to look at together, so that marks and events of a window stay in a few tens of megabytes."""
    words = -(-population.size // 64)
    events = sum(
        len(spikes[projection.pre]) * words
        if _in_bits(projection)
        else int(projection.fan_out[spikes[projection.pre].ids].sum())
        for projection in program.projections
        if projection.post == population.name
    )
    return max(1, int(WINDOW_ENTRIES / (population.size + events / max(steps, 1))))


def _in_window(
    program: Program, spikes: Mapping[str, SpikeTrain], population: PopulationProgram, start: int, stop: int
) -> Marks:
    active: Marks = np.zeros((stop - start, population.size), dtype=np.bool_)
    own = spikes[population.name]
    rows = slice(*np.searchsorted(own.steps, [start, stop]))
    active[own.steps[rows] - start, own.ids[rows]] = True
    for projection in program.projections:
        if projection.post == population.name and projection.synapses:
            _mark(active, projection, spikes[projection.pre], start)
    return active


def _mark(active: Marks, projection: ProjectionProgram, train: SpikeTrain, start: int) -> None:
    """Mark the neurons that spikes of ``train`` reach in the steps after ``start``, a row of ``active`` each."""
    if not projection.has_one_delay:
        for delay, pointer, targets in _by_delay(projection):
            _follow(active, pointer, targets, *_arriving(train, start, active.shape[0], delay))
        return
    arrival, ids = _arriving(train, start, active.shape[0], projection.max_delay)
    if projection.is_full:  # a spike reaches every neuron
        active[arrival] = True
    elif _in_bits(projection):
        reached, first = np.unique(arrival, return_index=True)
        if reached.size:
            joined = np.bitwise_or.reduceat(projection.connectivity.target_bits[ids], first)
            active[reached] |= np.unpackbits(joined.view(np.uint8), axis=1, count=projection.post_size).view(np.bool_)
    else:
        _follow(active, *projection.connectivity.targets, arrival, ids)


def _arriving(train: SpikeTrain, start: int, rows: int, delay: int) -> tuple[IntArray, IntArray]:
    """(row of arrival, presynaptic neuron) of the spikes that arrive in a window of ``rows`` steps, in order of time."""
    within = slice(*np.searchsorted(train.steps, [start - delay, start + rows - delay]))
    return train.steps[within] + delay - start, train.ids[within]


def _follow(
    active: Marks,
    pointer: IntArray,
    targets: npt.NDArray[np.signedinteger],
    arrival: IntArray,
    ids: IntArray,
) -> None:
    """Mark every target of every spike."""
    begin, fan_out = pointer[ids], pointer[ids + 1] - pointer[ids]
    ends = np.cumsum(fan_out)
    within = np.arange(int(fan_out.sum())) + np.repeat(begin - ends + fan_out, fan_out)
    place = np.repeat(arrival * active.shape[1], fan_out)
    place += targets[within]
    active.reshape(-1)[place] = True


def _by_delay(projection: ProjectionProgram) -> Iterator[tuple[int, IntArray, npt.NDArray[np.signedinteger]]]:
    """(delay, pointer, targets by presynaptic neuron) of the synapses of each delay that there is."""
    pointer, post, order = projection.connectivity.columns()
    delays = projection.stored_delay[order]
    pre = np.repeat(np.arange(projection.pre_size), np.diff(pointer))
    for delay in np.unique(delays).tolist():
        chosen = delays == delay
        counts = np.bincount(pre[chosen], minlength=projection.pre_size)
        yield int(delay), np.concatenate([[0], np.cumsum(counts)]), post[chosen]


def _in_bits(projection: ProjectionProgram) -> bool:
    """Whether joining rows of bits is taken to be faster than following each event."""
    words = -(-projection.post_size // 64)
    return (
        projection.has_one_delay
        and not projection.is_full
        and 64 * words * projection.pre_size <= MOST_BITS
        and words * projection.pre_size <= WORDS_FOR_AN_EVENT * projection.synapses
    )
