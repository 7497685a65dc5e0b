"""Weights of a session in the description's units, whatever the program's arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuromorph.arithmetic import WEIGHT_RANGES, weight_step
from neuromorph.session import Session


def weight_unit(session: Session, projection: str) -> float:
    """How much the session's weight is for a weight of 1 in the description: 1 in floating point.

    In fixed point a weight is a mantissa that acts ``2^(6 + weight_exponent)`` times on a membrane of its own scale.
    """
    program = session.program
    if program.arithmetic != "fixed":
        return 1.0
    part = program.projection(projection)
    return float(program.population(part.post).scale / 2.0 ** (6 + part.weight_exponent))


def read_weights(session: Session, projection: str) -> Any:
    """The weights, shape (post, pre): an array, or a SciPy sparse array where not every synapse exists."""
    return session.read(f"{projection}.weight") / weight_unit(session, projection)


def write_weights(session: Session, projection: str, weights: Any) -> None:
    """Set all weights, as :func:`read_weights` gives them; in fixed point to the nearest whole mantissa within bounds."""
    part, held = session.program.projection(projection), weights * weight_unit(session, projection)
    if session.program.arithmetic == "fixed":
        low, high = WEIGHT_RANGES[part.sign_mode]
        step = float(weight_step(part.sign_mode, part.weight_bits)) if part.rule is None else 1.0
        ends = np.ceil(low / step) * step, np.floor(high / step) * step
        if isinstance(held, np.ndarray):
            held = np.clip(np.rint(held / step) * step, *ends)
        else:  # a SciPy sparse array: every synapse stays, those of weight 0 too
            held.data = np.clip(np.rint(held.data / step) * step, *ends)
    session.write(f"{projection}.weight", held)
