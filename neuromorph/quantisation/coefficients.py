"""The grid of a learning engine's coefficients, ``m 2^e``, and the search for scales at which a rule falls on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from neuromorph.quantisation.limits import ChipLimits
from neuromorph.recording import FloatArray

MOST_COMBINATIONS = 300_000
LEAST_IMPULSE = 8  # below, the random rounding of a trace's decay is as large as the trace
FAR = 1e100  # larger relative errors, of a coefficient that is off the grid by far, are not told apart
TAG_STEPS = 48  # scales of the tag that are tried in each octave


@dataclass(frozen=True, kw_only=True)
class Term:
    """A product in a search: in chip units its coefficient is ``value scale[target] / product of scale[factor]``."""

    value: float  # |coefficient| in float times everything that is not searched for
    target: str | None  # "tag", or None: the weight, whose scale is fixed
    factors: tuple[str, ...]  # searched scales of its factors: traces and "tag"
    constants: tuple[tuple[str, float], ...]  # (scale, nonzero constant in float) of every such factor with one
    shift: int  # the product of factors is rounded down to multiples of 2^shift before the coefficient's exponent
    typical: float  # magnitude of the product of factors where all searched scales are 1


@cache
def coefficient_grid(limits: ChipLimits) -> FloatArray:
    """All magnitudes m 2^e, m up to the largest of either sign, in order."""
    low, high = limits.coefficient_exponent
    most = min(limits.coefficient_mantissa[1], -limits.coefficient_mantissa[0])
    return np.unique([m * 2.0**e for m in range(1, most + 1) for e in range(low, high + 1)])


def nearest_coefficient(magnitude: FloatArray | float, limits: ChipLimits) -> FloatArray:
    """The nearest magnitude of the grid; what is too small or too large becomes the grid's end."""
    grid = coefficient_grid(limits)
    values = np.asarray(magnitude, dtype=np.float64)
    above = np.clip(np.searchsorted(grid, values), 1, len(grid) - 1)
    lower, upper = grid[above - 1], grid[above]
    return np.where(values - lower < upper - values, lower, upper)


def impulse_choices(limits: ChipLimits, headroom: float) -> list[int]:
    """Whole impulses that leave a trace room for so many spikes at once, the largest first."""
    most = max(LEAST_IMPULSE, min(limits.trace_impulse, math.floor(limits.trace / headroom)))
    return list(range(most, LEAST_IMPULSE - 1, -1))


def tag_choices(kick: float, limits: ChipLimits, headroom: float) -> list[float]:
    """Scales at which the largest change of a tag, ``kick`` in float, lies within two octaves below the room."""
    if kick == 0:
        return [1.0]
    most = limits.tag / (headroom * kick)
    return [float(most * 2.0 ** (-step / TAG_STEPS)) for step in range(2 * TAG_STEPS + 1)]


def search(
    terms: Sequence[Term],
    impulses: Mapping[str, tuple[float, Sequence[int]]],
    tags: Sequence[float],
    limits: ChipLimits,
) -> dict[str, float]:
    """Scales by name, with the least sum of squared errors over all terms; of equal ones the first.

    ``impulses`` gives each trace's impulse in float and the whole ones to choose from. The errors of a term are those
    of its coefficient and of its constants, and what rounding the product down takes away.
    """
    thin = 1
    while (
        math.prod(len(range(0, len(choices), thin)) for _, choices in impulses.values()) * len(tags) > MOST_COMBINATIONS
    ):
        thin += 1
    names = [*impulses, "tag"]
    options = [np.array(choices[::thin]) / asked for asked, choices in impulses.values()] + [np.array(tags)]
    scales = dict(zip(names, np.meshgrid(*options, indexing="ij"), strict=True))
    total = np.zeros(scales["tag"].shape)
    for term in terms:
        value, size = np.full(total.shape, term.value), np.full(total.shape, term.typical)
        if term.target is not None:
            value = value * scales[term.target]
        for name in term.factors:
            value, size = value / scales[name], size * scales[name]
        held = nearest_coefficient(value, limits)
        total += np.minimum(np.abs(held / np.maximum(value, 1 / FAR) - 1), FAR) ** 2
        if term.shift:
            total += (0.5 * 2.0**term.shift / (_mantissa(held) * size)) ** 2
        for name, constant in term.constants:
            wanted = abs(constant) * scales[name]
            total += (np.rint(wanted) / wanted - 1) ** 2
    best = np.unravel_index(int(np.argmin(total)), total.shape)
    return {name: float(option[index]) for name, option, index in zip(names, options, best, strict=True)}


def _mantissa(magnitudes: FloatArray) -> FloatArray:
    """The odd m of m 2^e: the engine keeps no trailing zero bits, so that a larger m rounds down less."""
    fraction, _ = np.frexp(magnitudes)
    mantissa = fraction * 8.0
    for _ in range(3):
        mantissa = np.where(mantissa % 2 == 0, mantissa / 2, mantissa)
    return mantissa
