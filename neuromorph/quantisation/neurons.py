"""Decays, thresholds, bias and refractory periods as the integers of a chip."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from neuromorph.errors import LimitFault
from neuromorph.parts import PopulationProgram
from neuromorph.program import Program
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.report import Rounding, several, single
from neuromorph.quantisation.scale import Receiver
from neuromorph.recording import FloatArray

COARSE = 1 / 8  # of a time constant or threshold: an error that is more than rounding


def with_held_decays(population: PopulationProgram, limits: ChipLimits) -> PopulationProgram:
    """u keeps the nearest (unity - 1 - du) / unity, v the nearest (unity - dv) / unity, du and dv 0 to unity - 1."""
    unity = limits.decay_unity
    keep_u = np.clip(np.rint(population.decay_u * unity), 0, unity - 1)
    keep_v = np.clip(np.rint(population.decay_v * unity), 1, unity)
    return dataclasses.replace(population, decay_u=keep_u / unity, decay_v=keep_v / unity)


def refractory_faults(population: PopulationProgram, limits: ChipLimits, dt: float) -> list[str]:
    """Refractory periods that are too long."""
    longest = int(population.refractory.max(initial=0))
    if longest <= limits.refractory:
        return []
    return [
        LimitFault(
            f"population {population.name!r}: refractory must be at most {limits.refractory} steps on {limits.chip}"
            f" ({limits.refractory * dt:.6g} s), got {longest}: shorten it or take a larger dt",
            rule="neuron.refractory",
        )
    ]


def leak_faults(population: PopulationProgram, limits: ChipLimits, program: Program) -> list[str]:
    """Time constants that are too long: a leak is at least 1 / unity a step, that of u always and that of v where it has one."""
    unity, where, found = limits.decay_unity, f"population {population.name!r}", list[str]()
    longest = f"{time_constant(1 - 1 / unity, program):.6g} s on {limits.chip} at dt = {program.dt:.6g} s"
    for name, decay, reason, remedy in (
        ("tau_syn", population.decay_u, "u loses at least", ""),
        ("tau_mem", population.decay_v[population.decay_v < 1], "a leak of v is at least", ", or inf for no leak"),
    ):
        lost = decay[np.rint(decay * unity) >= unity]
        if lost.size:
            text = (
                f"{where}: {name} must be at most {longest}, since {reason} 1/{unity} a step, got"
                f" {time_constant(float(lost.max()), program):.6g} s: shorten it or take a larger dt{remedy}"
            )
            found.append(LimitFault(text, rule="neuron.decay"))
    return found


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
        largest, lost = float(np.abs(asked.bias).max()), np.count_nonzero((fixed.bias == 0) & (asked.bias != 0))
        note = f"{lost} of {asked.size} became 0" if lost else ""
        worst = several(where, "bias", asked.bias, fixed.bias / scale, unit=largest, mantissa=bias_mantissa, note=note)
        entry = int(np.argmax(asked.bias == worst.asked))
        rows.append(dataclasses.replace(worst, exponent=int(bias_exponent[entry])))
    return fixed, [*rows, *_range_rows(where, receiver, scale, limits, program.dt)]


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
    """A time constant: it is what a reader knows."""
    unity, note = limits.decay_unity, "s"
    if np.all(asked == asked[0]):
        asked, held = asked[:1], held[:1]
    if name == "tau_mem" and np.any(np.rint(asked * unity) == 0):
        note = f"s; v always keeps 1/{unity} of itself in a step, rounded toward zero"
    finite = asked < 1  # a v without leak is held as it is
    sums = [np.where(finite, 1 / np.where(finite, 1 - decay, 1.0), 1.0) for decay in (asked, held)]
    row = several(where, name, *sums, note=note)
    worst = int(np.argmax(sums[0] == row.asked))
    kept = int(held[worst] * unity)
    return dataclasses.replace(
        row,
        asked=time_constant(float(asked[worst]), program),
        held=time_constant(float((held if row.relative_error else asked)[worst]), program),
        status="warning" if row.relative_error > COARSE else row.status,
        mantissa=unity - (1 if name == "tau_syn" else 0) - kept,
    )


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
        if rows[-1].relative_error > COARSE:
            rows[-1] = dataclasses.replace(rows[-1], status="warning")
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


def _range_rows(where: str, receiver: Receiver, scale: float, limits: ChipLimits, dt: float) -> list[Rounding]:
    """The scale, and what could leave the 24 bits of u and v in a busy network."""
    share, busy_u, busy_v = receiver.worst_u(scale) / limits.state, receiver.busy_u(scale), receiver.busy_v(scale)
    rate = receiver.busy / dt
    room = f"u is at most {share:.3g} of its range"
    if share >= 1:
        room = f"u wraps if all presynaptic neurons spike at {1 / (share * dt):.3g} Hz or more"
    rows = [single(where, "scale", scale, scale, note=f"chip units of one unit of v; {room}")]
    for quantity, value, most, note in (
        (
            "largest u",
            busy_u,
            limits.state,
            f"u wraps if all presynaptic neurons spike at {rate:.3g} Hz, or all at once",
        ),
        (
            "lowest v",
            busy_v,
            -limits.state,
            f"v is held there if inhibitory neurons spike at {rate:.3g} Hz and others do not",
        ),
    ):
        if abs(value) > limits.state:
            rows.append(single(where, quantity, value / scale, most / scale, warn=True, note=note))
    return rows
