"""Decays, thresholds, bias and refractory periods as the integers of a chip."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from neuromorph.parts import PopulationProgram
from neuromorph.program import Program
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.report import Rounding, several, single
from neuromorph.quantisation.scale import Receiver
from neuromorph.recording import FloatArray


def with_held_decays(population: PopulationProgram, limits: ChipLimits) -> PopulationProgram:
    """u keeps the nearest (unity - 1 - du) / unity, v the nearest (unity - dv) / unity, du and dv 0 to unity - 1."""
    unity = limits.decay_unity
    keep_u = np.clip(np.rint(population.decay_u * unity), 0, unity - 1)
    keep_v = np.clip(np.rint(population.decay_v * unity), 1, unity)
    return dataclasses.replace(population, decay_u=keep_u / unity, decay_v=keep_v / unity)


def neuron_faults(population: PopulationProgram, limits: ChipLimits, dt: float) -> list[str]:
    """What no rounding can mend."""
    longest = int(population.refractory.max(initial=0))
    if longest <= limits.refractory:
        return []
    return [
        f"population {population.name!r}: refractory must be at most {limits.refractory} steps on {limits.chip}"
        f" ({limits.refractory * dt:.6g} s), got {longest}: shorten it or take a larger dt"
    ]


def fixed_population(
    receiver: Receiver, program: Program, scale: float, limits: ChipLimits
) -> tuple[PopulationProgram, list[Rounding]]:
    """The population in chip units, and what became of its numbers; ``receiver`` has the decays that are held."""
    asked, held = program.population(receiver.population.name), receiver.population
    unit = 1 << limits.threshold_shift
    mantissa = np.where(
        np.isfinite(asked.threshold), np.rint(asked.threshold * scale / unit), limits.threshold_mantissa
    )
    mantissa = np.clip(mantissa, 1, limits.threshold_mantissa)
    bias_mantissa, bias_exponent = _bias(asked.bias * scale, limits)
    fixed = dataclasses.replace(
        held,
        threshold=mantissa * unit,
        bias=bias_mantissa * 2.0**bias_exponent,
        scale=scale,
    )
    where = f"population {asked.name!r}"
    rows = [
        _decay_row(where, "tau_syn", asked.decay_u, held.decay_u, program, limits),
        _decay_row(where, "tau_mem", asked.decay_v, held.decay_v, program, limits),
        *_threshold_rows(where, receiver, asked, fixed, scale, limits),
    ]
    if np.any(asked.bias):
        worst = several(where, "bias", asked.bias, fixed.bias / scale, mantissa=bias_mantissa)
        entry = int(np.argmax(asked.bias == worst.asked))
        rows.append(dataclasses.replace(worst, exponent=int(bias_exponent[entry])))
    return fixed, [*rows, *_range_rows(where, receiver, scale, limits)]


def _bias(wanted: FloatArray, limits: ChipLimits) -> tuple[FloatArray, FloatArray]:
    """Nearest mantissas at the smallest exponents at which they fit."""
    low, high = limits.bias_mantissa
    mantissa, exponent = np.rint(wanted), np.zeros(wanted.shape)
    for larger in range(1, limits.bias_exponent + 1):
        outside = (mantissa < low) | (mantissa > high)
        mantissa = np.where(outside, np.rint(wanted / 2.0**larger), mantissa)
        exponent = np.where(outside, larger, exponent)
    return np.clip(mantissa, low, high) + 0.0, exponent


def _decay_row(
    where: str, name: str, asked: FloatArray, held: FloatArray, program: Program, limits: ChipLimits
) -> Rounding:
    """A time constant: it is what a reader knows, and its error is the leak's."""
    wanted, found = (np.array([time_constant(float(decay), program) for decay in values]) for values in (asked, held))
    lost_leak = bool(np.any((asked < 1) & (held == 1)))
    new_leak = bool(np.any((asked == 1) & (held < 1)))
    note = "s"
    if lost_leak:
        note = f"s; no leak is left: the longest is {time_constant(1 - 1 / limits.decay_unity, program):.6g} s"
    elif new_leak:
        note = f"s; u always loses 1/{limits.decay_unity} a step"
    if np.all(asked == asked[0]):
        row = several(where, name, wanted[:1], found[:1], note=note, warn=lost_leak or new_leak)
    else:
        row = several(where, name, wanted, found, note=note, warn=lost_leak or new_leak)
    kept = held[int(np.argmax(wanted == row.asked))] * limits.decay_unity
    register = limits.decay_unity - (1 if name == "tau_syn" else 0) - int(kept)
    return dataclasses.replace(row, mantissa=register)


def time_constant(decay: float, program: Program) -> float:
    """Seconds of a decay per step; the inverse of what the discretisation did."""
    if decay in (0.0, 1.0):
        return 0.0 if decay == 0 else math.inf
    return program.dt / (1 - decay) if program.integration == "euler" else -program.dt / math.log(decay)


def _threshold_rows(
    where: str,
    receiver: Receiver,
    asked: PopulationProgram,
    fixed: PopulationProgram,
    scale: float,
    limits: ChipLimits,
) -> list[Rounding]:
    rows, finite = [], np.isfinite(asked.threshold)
    mantissa = fixed.threshold / (1 << limits.threshold_shift)
    if np.any(finite):
        rows.append(
            several(
                where,
                "v_threshold",
                asked.threshold[finite],
                fixed.threshold[finite] / scale,
                mantissa=mantissa[finite],
                exponent=limits.threshold_shift,
            )
        )
    if not np.all(finite):
        worst = receiver.worst_v(scale)[1] / scale
        most = limits.largest_threshold / scale
        reaches = worst > most * (1 + 1e-9)
        note = f"it never spikes: v is at most {worst:.6g}"
        if reaches:
            steps = receiver.silent_steps(limits.largest_threshold, scale)
            note = f"it could spike once every presynaptic neuron has spiked for {steps} steps on end"
        rows.append(
            single(
                where,
                "v_threshold of silent neurons",
                math.inf,
                most,
                mantissa=limits.threshold_mantissa,
                exponent=limits.threshold_shift,
                note=note,
                warn=reaches,
            )
        )
        if not reaches:
            rows[-1] = dataclasses.replace(rows[-1], relative_error=0.0, rms=0.0, status="exact")
    return rows


def _range_rows(where: str, receiver: Receiver, scale: float, limits: ChipLimits) -> list[Rounding]:
    """The scale, and what could leave the 24 bits of u and v."""
    worst_u, low_v = receiver.worst_u(scale), receiver.worst_v(scale)[0]
    share = f"u is at most {worst_u / limits.state:.3g} of its range"
    rows = [single(where, "scale", scale, scale, note=f"chip units of one unit of v; {share}")]
    if worst_u >= limits.state:
        rows.append(
            single(
                where,
                "largest u",
                worst_u / scale,
                limits.state / scale,
                warn=True,
                note="u could wrap, if every presynaptic neuron spikes in every step",
            )
        )
    if -low_v > limits.state:
        rows.append(
            single(
                where,
                "lowest v",
                low_v / scale,
                -limits.state / scale,
                warn=True,
                note="v is held there, if every inhibitory neuron spikes in every step",
            )
        )
    return rows
