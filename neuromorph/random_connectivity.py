"""Synapses drawn at random, in whole arrays: no loop over many neurons, and little memory beside the result."""

from __future__ import annotations

import numpy as np

from neuromorph.compact import Array, frozen, index_type
from neuromorph.connectivity import Connectivity

FEW_ROWS, FEW_PLACES = (
    1 << 12,
    1 << 26,
)  # postsynaptic neurons, and possible synapses, for which a loop over the former is quick
BATCH = 1 << 20  # numbers drawn at once; part of what a seed means


def with_probability(
    post_size: int, pre_size: int, probability: float, rng: np.random.Generator, allow_self: bool
) -> Connectivity:
    """Every synapse with one probability, without ``allow_self`` none from a neuron to itself."""
    is_small = post_size <= FEW_ROWS and post_size * pre_size <= FEW_PLACES
    return (_by_rows if is_small else _by_distances)(post_size, pre_size, probability, rng, allow_self)


def _by_rows(
    post_size: int, pre_size: int, probability: float, rng: np.random.Generator, allow_self: bool
) -> Connectivity:
    """A binomial number for each postsynaptic neuron, without replacement."""
    fan_in = rng.binomial(pre_size, probability, size=post_size)
    drawn = [np.sort(rng.choice(pre_size, size=count, replace=False)) for count in fan_in]
    post = np.repeat(np.arange(post_size), fan_in)
    pre = np.concatenate(drawn) if drawn else np.zeros(0, np.int64)
    if not allow_self:
        post, pre = post[post != pre], pre[post != pre]
    return _sound(Connectivity.of(post, pre, post_size, pre_size))


def _by_distances(
    post_size: int, pre_size: int, probability: float, rng: np.random.Generator, allow_self: bool
) -> Connectivity:
    """The distances from one synapse to the next, row by row, are geometric."""
    possible = post_size * pre_size
    if probability == 1 and allow_self:
        return Connectivity.full(post_size, pre_size)
    fan_in = np.zeros(post_size, dtype=np.int64)
    drawn: list[Array] = []
    last = -1 if probability > 0 else possible
    while last < possible:
        expected = (possible - last) * probability
        count = int(min(BATCH, expected + 4 * np.sqrt(expected) + 16))
        distance = np.minimum(rng.geometric(probability, size=count), possible + 1)
        place = last + np.cumsum(distance)
        last = int(place[-1])
        post, pre = np.divmod(place[: np.searchsorted(place, possible)], pre_size)
        if not allow_self:
            post, pre = post[post != pre], pre[post != pre]
        if post.size:
            fan_in[post[0] : post[-1] + 1] += np.bincount(post - post[0])
        drawn.append(pre.astype(index_type(pre_size)))
    pointer = np.concatenate([[0], np.cumsum(fan_in)])
    pre = np.concatenate(drawn) if drawn else np.zeros(0, index_type(pre_size))
    return _sound(Connectivity.of_rows(frozen(pointer), frozen(pre), pre_size))


def distinct_rows(rows: int, count: int, choices: int, rng: np.random.Generator, allow_self: bool) -> Array:
    """``count`` distinct numbers below ``choices`` for each row, rising, one row after the other.

    Without ``allow_self`` row i does not get i.
    """
    drawn = np.empty((rows, count), dtype=index_type(choices))
    choices -= not allow_self
    is_most = 2 * count > choices  # then those that are left out are drawn
    size = max(1, BATCH // max(choices if is_most else count, 1))
    for start in range(0, rows, size):
        part = drawn[start : start + size]
        if is_most:
            exists = np.ones((len(part), choices), dtype=np.bool_)
            left_out = _distinct(len(part), choices - count, choices, rng, drawn.dtype)
            exists[np.arange(len(part))[:, np.newaxis], left_out] = False
            part[:] = np.nonzero(exists)[1].reshape(part.shape)
        else:
            part[:] = _distinct(len(part), count, choices, rng, drawn.dtype)
        if not allow_self:
            part += part >= np.arange(start, start + len(part))[:, np.newaxis]
    return frozen(drawn).reshape(-1)


def _distinct(
    rows: int, count: int, choices: int, rng: np.random.Generator, dtype: np.dtype[np.signedinteger]
) -> Array:
    """Rising numbers in rows. Repeated ones are drawn again, which prefers no number: every set is equally likely."""
    drawn: Array = np.sort(rng.integers(0, choices, size=(rows, count), dtype=dtype), axis=1)
    again = np.arange(rows)
    while again.size:
        repeats = drawn[again, 1:] == drawn[again, :-1]
        place, column = np.nonzero(repeats)
        again, place = again[np.unique(place)], again[place]
        drawn[place, column + 1] = rng.integers(0, choices, size=place.size, dtype=dtype)
        drawn[again] = np.sort(drawn[again], axis=1)
    return drawn


def _sound(connectivity: Connectivity | None) -> Connectivity:
    assert connectivity is not None
    return connectivity
