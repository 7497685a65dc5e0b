"""What could arrive at a neuron in one step of a fixed-point program, found without running it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, WEIGHT_RANGES
from neuromorph.chip import Chip, load_chip
from neuromorph.errors import InputError
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray


@dataclass(frozen=True, kw_only=True)
class LargestInput:
    """The neuron of a population onto which the most could arrive in one step, in chip units of u."""

    population: str
    neuron: int
    size: float  # of the sum of one sign


def largest_inputs(program: Program) -> Iterator[LargestInput]:
    """Of every population: ``sum of |weight| 2^(6 + exponent)`` over all synapses of one sign onto its worst neuron.

    That is the input where every presynaptic neuron spikes; learned weights count at the end of their range.
    """
    for population in program.populations:
        sums = np.zeros((2, population.size))
        for projection in program.projections:
            if projection.post != population.name:
                continue
            unit = 2.0 ** (ALIGNMENT + projection.weight_exponent)
            for row, sign in ((0, -1), (1, 1)):
                sums[row] += unit * _sums_of_one_sign(projection, sign)
        largest = sums.max(axis=0)
        neuron = int(np.argmax(largest))
        yield LargestInput(population=population.name, neuron=neuron, size=float(largest[neuron]))


def accumulator_faults(program: Program, chip: str | os.PathLike[str] | Chip = "loihi1") -> list[str]:
    """Populations whose input of one step could leave the chip's accumulator, as sentences; empty where none could.

    The worst case (:func:`largest_inputs`) must be below ``2^accumulator_bits``. A chip that states no accumulator has
    none to leave. Programs in float have no such sum: :class:`InputError`.
    """
    if program.arithmetic != "fixed":
        raise InputError(f"program {program.name!r} is in float: compile it with chip=..., or quantise it, first")
    found = chip if isinstance(chip, Chip) else load_chip(chip)
    if "synapse.accumulator_bits" not in found.limits:
        return []
    bits = int(found.limit("synapse.accumulator_bits").high)
    return [
        f"population {item.population!r}: the input of neuron {item.neuron} could reach {item.size / 2**bits:.3g} of the"
        f" {bits}-bit accumulator of {found.name} in one step, if every presynaptic neuron spikes:"
        " a larger busy_rate of nm.quantise makes room"
        for item in largest_inputs(program)
        if item.size >= 2**bits
    ]


def _sums_of_one_sign(projection: ProjectionProgram, sign: int) -> FloatArray:
    """Sums of the sizes of all mantissas of that sign onto each neuron, learned ones at the end of their range."""
    if projection.rule is not None:
        low, high = WEIGHT_RANGES[projection.sign_mode]
        return np.diff(projection.by_post) * float(high if sign > 0 else -low)
    weight = projection.stored_weight
    return projection.connectivity.row_sums(lambda part: np.maximum(sign * weight[part].astype(np.float64), 0.0))
