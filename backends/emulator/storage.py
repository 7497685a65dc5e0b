"""How weights of a projection are stored: as narrow as loses nothing, in the form that is fastest for their density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuromorph.backends.emulator.binding import Survey
from neuromorph.errors import InputError
from neuromorph.program import ProjectionProgram
from neuromorph.recording import FloatArray

# As in csrc/network.h.
RING_INT16, RING_INT32, RING_DOUBLE = range(3)
INT8, UINT8, INT16, FLOAT32, FLOAT64 = range(5)
DENSE, SPARSE, DELTA = range(3)

RING_BYTES = {RING_INT16: 2, RING_INT32: 4, RING_DOUBLE: 8}
# Shares of synapses that exist from which on absent ones are stored too, as zeros: of a matrix that stays in a cache,
# and of a larger one, whose zeros come from memory.
DENSE_SHARE = {INT8: 0.08, UINT8: 0.08, INT16: 0.15, FLOAT32: 0.6, FLOAT64: 0.7}
LARGE_DENSE_SHARE = {INT8: 0.25, UINT8: 0.25, INT16: 0.4, FLOAT32: 0.6, FLOAT64: 0.7}
WEIGHT_BYTES = {INT8: 1, UINT8: 1, INT16: 2, FLOAT32: 4, FLOAT64: 8}
FIRST_CACHE, SECOND_CACHE = 2**14, 2**19  # bytes of a tile's currents
THIRD_CACHE = 2**24  # bytes of a matrix
SEGMENT = 32  # synapses of a row in a tile, so that beginning a row costs little
LONG_SEGMENT = 512  # of rows that have as many: memory is read in long pieces, three times as fast where it is no cache
ABSOLUTE_WIDTH = 2**16  # postsynaptic neurons of a tile whose targets are places; in wider ones they are distances
WIDTH_UNIT = 64  # threads share out neurons in these


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Kinds of weight and ring, and what a stored 1 means."""

    weight: int
    ring: int
    format: int
    width: int  # postsynaptic neurons of a tile, whose currents are added up together
    unit: float  # weight = stored * unit
    is_staged: bool  # what is sent together is summed apart, before it is shifted or added to what is under way


def delays_of(projection: ProjectionProgram) -> list[int]:
    """Delays that synapses have, rising; none where there is no synapse."""
    if projection.has_one_delay:
        return [projection.max_delay] if projection.synapses else []
    return [int(delay) for delay in np.unique(projection.stored_delay)]


def storage(projection: ProjectionProgram, found: Survey, pending: FloatArray | None, *, is_fixed: bool) -> Storage:
    """What loses nothing, also of ``pending``: values under way (in the reference's form) that the ring shall hold."""
    shifts_groups = is_fixed and projection.weight_exponent < 0 and not projection.has_one_delay
    smallest = float(found.unit) or 1.0
    for unit in dict.fromkeys((smallest, 1.0)) if is_fixed else (smallest,):
        kind = _whole_kind(found.low / unit, found.high / unit)
        held = _held(pending, 1.0 if shifts_groups else unit * 2.0 ** (projection.weight_exponent if is_fixed else 0))
        if kind is None or held is None or found.most / unit + held >= 2.0**31:
            continue
        form = _format(projection, kind)
        is_small = found.most / unit + held < 2.0**15 and not shifts_groups and form == SPARSE
        ring = RING_INT16 if is_small else RING_INT32
        sign = -1.0 if kind == UINT8 and found.high <= 0 else 1.0
        width = _width(projection, form, ring)
        return _sound(weight=kind, ring=ring, format=form, width=width, unit=sign * unit, is_staged=shifts_groups)
    if is_fixed:
        raise InputError(f"projection {projection.name!r}: what reaches one neuron in a step exceeds 32 bits")
    kind = FLOAT32 if found.fits_float else FLOAT64
    form = _format(projection, kind)
    width, is_staged = _width(projection, form, RING_DOUBLE), not projection.has_one_delay
    return _sound(weight=kind, ring=RING_DOUBLE, format=form, width=width, unit=1.0, is_staged=is_staged)


def _whole_kind(low: float, high: float) -> int | None:
    if low >= -128 and high <= 127:
        return INT8
    if (low >= 0 and high <= 255) or (high <= 0 and low >= -255):
        return UINT8
    return INT16 if low >= -(2**15) and high < 2**15 else None


def _held(pending: FloatArray | None, unit: float) -> float | None:
    """The largest of what is under way, in units; None where it is not whole in them."""
    if pending is None or pending.size == 0:
        return 0.0
    scaled = pending / unit
    return None if np.any(scaled % 1 != 0) else float(np.abs(scaled).max())


def _format(projection: ProjectionProgram, weight: int) -> int:
    if not projection.has_one_delay:
        return SPARSE
    possible = projection.pre_size * projection.post_size
    shares = DENSE_SHARE if possible * WEIGHT_BYTES[weight] <= THIRD_CACHE else LARGE_DENSE_SHARE
    return DENSE if projection.synapses >= shares[weight] * possible else SPARSE


def _width(projection: ProjectionProgram, form: int, ring: int) -> int:
    """Of tiles: as wide as a cache, and wider where rows are so short that beginning one would cost much."""
    if form == DENSE:
        return projection.post_size
    narrow, wide = FIRST_CACHE // RING_BYTES[ring], SECOND_CACHE // RING_BYTES[ring]
    synapses = projection.synapses // max(1, len(delays_of(projection)))
    segment = LONG_SEGMENT if synapses >= LONG_SEGMENT * projection.pre_size else SEGMENT
    wanted = projection.post_size * segment * projection.pre_size // max(synapses, 1)
    width = min(max(wanted, narrow), wide)
    return min(width, ABSOLUTE_WIDTH) if width < 2 * ABSOLUTE_WIDTH else width


def _sound(*, weight: int, ring: int, format: int, width: int, unit: float, is_staged: bool) -> Storage:  # noqa: A002
    """Whole units of width; targets that are far apart as distances."""
    width = -(-width // WIDTH_UNIT) * WIDTH_UNIT
    form = DELTA if format == SPARSE and width > ABSOLUTE_WIDTH else format
    return Storage(weight=weight, ring=ring, format=form, width=width, unit=unit, is_staged=is_staged)
