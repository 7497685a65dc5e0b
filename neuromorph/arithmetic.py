"""Integer arithmetic of Loihi-class chips: shifts, wraps, saturation and the ranges of mantissas.

Integers are held in float64 or int64 arrays; both hold every number here exactly.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

SignMode = Literal["none", "mixed", "excitatory", "inhibitory"]

DECAY_UNITY = 4096  # decay factors are multiples of 1 / 4096
STATE_LIMIT = 2**23  # u and v are signed and have 24 bits
ALIGNMENT = 6  # weights and threshold mantissas enter shifted left by so much
LARGEST_WEIGHT = 255
LARGEST_TRACE = 127
WEIGHT_RANGES: dict[SignMode, tuple[int, int]] = {
    "mixed": (-256, 255),
    "excitatory": (0, 255),
    "inhibitory": (-255, 0),
}

Integers = npt.NDArray[Any]


def toward_zero(values: Integers, shift: int) -> Integers:
    """``sign(x) * (|x| >> shift)``.

    >>> toward_zero(np.array([-5, 5]), 1).tolist()
    [-2, 2]
    """
    return np.asarray(np.sign(values) * (np.abs(values) >> shift))


def down(values: Integers, shift: int) -> Integers:
    """``x >> shift``, toward minus infinity.

    >>> down(np.array([-5, 5]), 1).tolist()
    [-3, 2]
    """
    return values >> shift


def nearest(values: Integers, shift: int) -> Integers:
    """The nearest whole number, halves upward.

    >>> nearest(np.array([-5, 5]), 1).tolist()
    [-2, 3]
    """
    return (values + (1 << shift >> 1)) >> shift


def wrapped_once(values: Integers) -> Integers:
    """24 bit with one wrap: above 2^23 less 2^24, at or below -2^23 plus 2^24; 2^23 itself stays, as in Lava.

    >>> wrapped_once(np.array([2**23, 2**23 + 1, -(2**23)])).tolist()
    [8388608, -8388607, 8388608]
    """
    return values + 2 * STATE_LIMIT * ((values <= -STATE_LIMIT).astype(np.int64) - (values > STATE_LIMIT))


def saturated(values: Integers) -> Integers:
    """Held within -(2^23 - 1) to 2^23 - 1."""
    return np.minimum(np.maximum(values, 1 - STATE_LIMIT), STATE_LIMIT - 1)


def with_input(decayed: Integers, activation: Integers) -> Integers:
    """The decayed current plus the synaptic input shifted left by 6, in 32 bits that wrap.

    >>> with_input(np.array([5]), np.array([2.0])).tolist()
    [133]
    """
    arriving = np.asarray(activation).astype(np.int64).astype(np.int32) << np.int32(ALIGNMENT)
    return (decayed + arriving.astype(np.int64)).astype(np.int32).astype(np.int64)


def scaled(total: Integers, exponent: int) -> Integers:
    """A sum of weight mantissas times ``2^exponent``, rounded down where the exponent is negative (one shift for a sum).

    >>> scaled(np.array([-3.0, 3.0]), -1).tolist()
    [-2.0, 1.0]
    """
    return np.floor(total * 2.0**exponent) if exponent < 0 else total * 2.0**exponent


def weight_step(sign_mode: SignMode, bits: int) -> int:
    """Distance between static weight mantissas: 1 at 8 bits, doubled by every bit that lacks and by a mixed sign.

    >>> weight_step("excitatory", 8), weight_step("mixed", 8), weight_step("mixed", 5)
    (1, 2, 16)
    """
    return 1 << (8 - bits + (sign_mode == "mixed"))


def bias_parts(bias: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Mantissa (at most 13 bits with its sign) and the smallest exponent 0..7 of whole biases ``mantissa << exponent``.

    A bias that has no such form comes back changed; compare before use.

    >>> [part.tolist() for part in bias_parts([5, -4095, 8190, 4097 * 2])]
    [[5, -4095, 4095, 4097], [0, 0, 1, 1]]
    """
    whole = np.asarray(bias).astype(np.int64)
    exponent = np.zeros_like(whole)
    mantissa = whole.copy()
    for _ in range(7):
        large = (np.abs(mantissa) > 4095) & (mantissa % 2 == 0)
        mantissa = np.where(large, mantissa >> 1, mantissa)
        exponent += large
    return mantissa, exponent
