"""What a fixed-point program could do that a chip cannot, found without running it."""

from __future__ import annotations

import os

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, WEIGHT_RANGES
from neuromorph.chip import Chip, load_chip
from neuromorph.errors import InputError
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray


def accumulator_faults(program: Program, chip: str | os.PathLike[str] | Chip = "loihi1") -> list[str]:
    """Populations whose input of one step could leave the chip's accumulator, as sentences; empty where none could.

    The worst case is ``sum of |weight| 2^(6 + exponent)`` over all synapses of one sign onto a neuron, learned weights
    at the end of their range, and must be below ``2^accumulator_bits``. A chip that states no accumulator has none to
    leave. Programs in float have no such sum: :class:`InputError`.
    """
    if program.arithmetic != "fixed":
        raise InputError(f"program {program.name!r} is in float: compile it with chip=..., or quantise it, first")
    found = chip if isinstance(chip, Chip) else load_chip(chip)
    if "synapse.accumulator_bits" not in found.limits:
        return []
    limit = 2 ** int(found.limit("synapse.accumulator_bits").high)
    faults = []
    for population in program.populations:
        sums = np.zeros((2, population.size))
        for projection in program.projections:
            if projection.post != population.name:
                continue
            unit = 2.0 ** (ALIGNMENT + projection.weight_exponent)
            for row, sign in ((0, -1), (1, 1)):
                sums[row] += unit * _sums_of_one_sign(projection, sign)
        largest = float(sums.max(initial=0.0))
        if largest >= limit:
            neuron = int(np.argmax(sums.max(axis=0)))
            faults.append(
                f"population {population.name!r}: the input of neuron {neuron} could reach {largest / limit:.3g} of the"
                f" {int(np.log2(limit))}-bit accumulator of {found.name} in one step, if every presynaptic neuron spikes:"
                " a larger busy_rate of nm.quantise makes room"
            )
    return faults


def _sums_of_one_sign(projection: ProjectionProgram, sign: int) -> FloatArray:
    """Sums of the sizes of all mantissas of that sign onto each neuron, learned ones at the end of their range."""
    if projection.rule is not None:
        low, high = WEIGHT_RANGES[projection.sign_mode]
        return np.diff(projection.by_post) * float(high if sign > 0 else -low)
    weight = projection.stored_weight
    return projection.connectivity.row_sums(lambda part: np.maximum(sign * weight[part].astype(np.float64), 0.0))
