"""Which scale: how many units of the chip stand for one unit of a population's u, v, threshold and bias."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, LARGEST_WEIGHT
from neuromorph.errors import LimitFault
from neuromorph.parts import PopulationProgram
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.report import at_least, at_most
from neuromorph.quantisation.synapses import WeightGrid
from neuromorph.recording import FloatArray

ERROR_MARGIN = 1.1  # scales whose error is within 10 % of the least are as good: the states choose among them
COARSE_STATE = 0.01  # what rounding toward zero in every step may take from v (of its threshold) and u (of a weight)
READOUT_STATE = 0.1  # of a weight: the same of u, where a neuron of infinite threshold is to stay silent long
LOWEST_V = 16.0  # thresholds: where the worst case of v cannot be held, it may be cut off this far below zero
READOUT_ERROR = 0.02  # rms of the weights: what keeping a neuron of infinite threshold silent may cost
BUSY_ERROR = 0.05  # rms of the weights: what room for a busy network may cost
BUSY_SPREAD = 4.0  # standard deviations by which the input of a step may lie above its mean there
LONGEST_LEAK = 4096.0  # steps; a membrane without leak is taken to integrate for so long
NEURON_RULES = {"v_threshold": "neuron.threshold", "bias": "neuron.bias"}  # quantity -> design rule of its range


@dataclass(frozen=True, kw_only=True, eq=False)
class Receiver:
    """A population and everything that projects onto it."""

    population: PopulationProgram  # float, with decays as the chip holds them
    grids: Sequence[WeightGrid]
    busy: float  # share of all steps in which each presynaptic neuron of a busy network spikes

    def input_range(self, scale: float) -> tuple[FloatArray, FloatArray]:
        """Least and largest input of one step in chip units, shape (n,): every presynaptic neuron spikes, at all delays."""
        low, high = np.zeros(self.population.size), np.zeros(self.population.size)
        for grid in self.grids:
            if grid.projection.rule is None:
                below, above = grid.row_sums
                low += scale * below
                high += scale * above
                continue
            largest = np.diff(grid.projection.by_post) * (LARGEST_WEIGHT * grid.unit * scale)
            if not grid.is_bound:
                largest = largest * 2  # its range may be up to twice what was asked
            low -= largest * (grid.sign_mode != "excitatory")
            high += largest * (grid.sign_mode != "inhibitory")
        return low, high

    def worst_u(self, scale: float) -> float:
        """The largest |u| that can be, in chip units."""
        low, high = self.input_range(scale)
        return float(np.max(np.maximum(-low, high) * _memory(self.population.decay_u), initial=0.0))

    def worst_v(self, scale: float) -> tuple[float, float]:
        """Least and largest v that there would be without threshold, in chip units."""
        low, high = self.input_range(scale)
        gain, bias = _memory(self.population.decay_u), scale * self.population.bias
        memory = np.minimum(_memory(self.population.decay_v), LONGEST_LEAK)
        least = np.min(memory * (low * gain + np.minimum(bias, 0.0)), initial=0.0)
        return float(least), float(np.max(memory * (high * gain + np.maximum(bias, 0.0)), initial=0.0))

    def busy_u(self, scale: float) -> float:
        """The largest |u| if all presynaptic neurons are busy, or spike once together; in chip units."""
        low, high = self.input_range(scale)
        memory = np.maximum(1.0, self.busy * _memory(self.population.decay_u))
        return float(np.max(np.maximum(-low, high) * memory, initial=0.0))

    def busy_input(self, scale: float) -> float:
        """The largest input of one step if all presynaptic neurons are busy, each by itself; in chip units."""
        largest, squares = np.maximum(*(abs(side) for side in self.input_range(scale))), np.zeros(self.population.size)
        for grid in self.grids:
            if grid.projection.rule is None:
                squares += scale**2 * grid.row_squares
            else:
                squares += np.diff(grid.projection.by_post) * (scale * LARGEST_WEIGHT * grid.unit) ** 2
        busy = self.busy * largest + BUSY_SPREAD * np.sqrt(self.busy * (1 - self.busy) * squares)
        return float(np.max(np.minimum(busy, largest), initial=0.0))

    def busy_v(self, scale: float) -> float:
        """The least v if inhibitory neurons are busy and the others do not spike, in chip units."""
        low, gain = self.input_range(scale)[0], _memory(self.population.decay_u)
        memory, bias = np.minimum(_memory(self.population.decay_v), LONGEST_LEAK), scale * self.population.bias
        return float(np.min(memory * (self.busy * low * gain + np.minimum(bias, 0.0)), initial=0.0))

    def silent_steps(self, limit: float, scale: float) -> int:
        """Steps of input from every presynaptic neuron before some v lies above ``limit`` chip units; at most 4096."""
        high = self.input_range(scale)[1]
        u, v = np.zeros(self.population.size), np.zeros(self.population.size)
        for step in range(int(LONGEST_LEAK)):
            u = u * self.population.decay_u + high
            v = v * self.population.decay_v + u + scale * self.population.bias
            if np.any(v > limit):
                return step
        return int(LONGEST_LEAK)

    @property
    def finite_thresholds(self) -> FloatArray:
        """Thresholds of neurons that can spike."""
        return self.population.threshold[np.isfinite(self.population.threshold)]

    @property
    def never_spikes(self) -> bool:
        """Whether some threshold is infinite."""
        return self.finite_thresholds.size < self.population.size

    def caps(self, limits: ChipLimits) -> list[float]:
        """Scales at which threshold or bias are the chip's largest."""
        bias = float(np.abs(self.population.bias).max(initial=0.0))
        found = [limits.largest_bias / bias] if bias > 0 else []
        if self.finite_thresholds.size:
            found.append(limits.largest_threshold / float(self.finite_thresholds.max()))
        return found

    def reading_cap(self, limits: ChipLimits) -> float:
        """The largest scale at which neurons of infinite threshold never spike."""
        worst = self.worst_v(1.0)[1]
        return limits.largest_threshold / worst if self.never_spikes and worst > 0 else math.inf


def choose_scale(receivers: Sequence[Receiver], limits: ChipLimits, faults: list[str]) -> float | None:
    """One scale for these populations, or None with the reasons in ``faults``.

    Candidates are the scales at which a projection uses its mantissas fully, times powers of two, and those at which
    threshold or bias are the chip's largest. Neurons of infinite threshold must not spike, and u and v must have room
    for a busy network, where that costs little; then the error of weights, thresholds and bias decides; then, among
    scales of nearly the same error, that u can never wrap, that v is not cut off, and the largest.
    """
    grids = [grid for receiver in receivers for grid in receiver.grids if grid.unit > 0]
    if _conflicting_bounds(grids, faults):
        return None
    misfits = {scale: _misfits(receivers, scale, limits) for scale in _candidates(receivers, grids, limits)}
    fitting = [scale for scale, found in misfits.items() if not found]
    if not fitting:
        nearest = min(misfits.values(), key=lambda found: (len(found), sum(octaves for _, octaves in found)))
        faults += [sentence for sentence, _ in nearest]
        return None
    errors = {scale: _error(receivers, scale, limits) for scale in fitting}
    cap = min(receiver.reading_cap(limits) for receiver in receivers)
    silent = [scale for scale in fitting if scale <= cap * (1 + 1e-12)]
    if math.isfinite(cap):
        silent = [scale for scale in silent if errors[scale] <= READOUT_ERROR]
        if not silent:  # the longest silence that leaves the weights their resolution
            allowed = max(READOUT_ERROR, _enough(errors, fitting))
            lasting = [scale for scale, error in errors.items() if error <= allowed]
            return min(lasting, key=lambda scale: (_lost_u(receivers, scale) > READOUT_STATE, scale))
    allowed = max(BUSY_ERROR, _enough(errors, silent))
    beyond = {scale: _beyond_when_busy(receivers, scale, limits) for scale in silent if errors[scale] <= allowed}
    least = min(beyond.values())
    roomy = [scale for scale, found in beyond.items() if found == least]
    return min(
        (scale for scale in roomy if errors[scale] <= _enough(errors, roomy)),
        key=lambda scale: (*_state_faults(receivers, scale, limits), -scale),
    )


def _enough(errors: Mapping[float, float], scales: Sequence[float]) -> float:
    """The largest error that is as good as the least one of these scales."""
    return min(errors[scale] for scale in scales) * ERROR_MARGIN + 1e-9


def _candidates(receivers: Sequence[Receiver], grids: Sequence[WeightGrid], limits: ChipLimits) -> list[float]:
    lowest, highest = limits.weight_exponent
    bound = [grid for grid in grids if grid.is_bound][:1]
    found = {
        2.0 ** (ALIGNMENT + exponent) / grid.unit
        for grid in bound or grids
        for exponent in range(lowest if bound else 2 * lowest, highest + 1)
    }
    if bound:
        return sorted(found)
    caps = [cap for receiver in receivers for cap in receiver.caps(limits)]
    caps += [cap for receiver in receivers if math.isfinite(cap := receiver.reading_cap(limits))]
    cap = min(caps, default=1.0)
    return sorted(found | {cap}) if grids else [2.0 ** (math.floor(math.log2(cap)) - down) for down in range(8)]


def _conflicting_bounds(grids: Sequence[WeightGrid], faults: list[str]) -> bool:
    """Whether rules' bounds ask for scales that differ by no power of two."""
    bound = [grid for grid in grids if grid.is_bound]
    wrong = [grid for grid in bound if _off_power(grid.unit / bound[0].unit)]
    for grid in wrong:
        rule, first = grid.projection.rule, bound[0].projection
        assert rule is not None
        size = grid.unit * LARGEST_WEIGHT
        base = bound[0].unit * LARGEST_WEIGHT
        power = math.floor(math.log2(size / base))
        text = (
            f"projection {grid.projection.name!r}: rule {rule.name!r}: its bound {size:.6g} and {base:.6g} of"
            f" {first.name!r} share one scale and must differ by a power of two:"
            f" {base * 2.0**power:.12g} or {base * 2.0 ** (power + 1):.12g} would fit"
        )
        faults.append(LimitFault(text, rule="learning.weight-bounds"))
    return bool(wrong)


def _off_power(ratio: float) -> bool:
    exact = math.log2(ratio)
    return abs(exact - round(exact)) > 1e-9


def _misfits(receivers: Sequence[Receiver], scale: float, limits: ChipLimits) -> list[tuple[str, float]]:
    """Why this scale is impossible: sentences, and how many octaves too large or too small the value is."""
    bound = next((grid for receiver in receivers for grid in receiver.grids if grid.is_bound), None)
    return [
        found
        for receiver in receivers
        for found in (*_neuron_misfits(receiver, scale, limits, bound), *_weight_misfits(receiver, scale, limits))
    ]


def _neuron_misfits(
    receiver: Receiver, scale: float, limits: ChipLimits, bound: WeightGrid | None
) -> Iterator[tuple[str, float]]:
    """Thresholds and bias that are too large, or that round to zero."""
    where = f"population {receiver.population.name!r}"
    thresholds, bias = receiver.finite_thresholds, float(np.abs(receiver.population.bias).max(initial=0.0))
    for name, value, most in (
        ("v_threshold", float(thresholds.max(initial=0.0)), limits.largest_threshold),
        ("bias", bias, limits.largest_bias),
    ):
        if scale * value <= most * (1 + 1e-9):
            continue
        beside = " beside the weights"
        if bound is not None:
            held = bound.unit * LARGEST_WEIGHT
            beside = (
                f" beside the bound {held:.6g} of {bound.projection.name!r}, or that bound at least"
                f" {at_least(held * scale * value / most)}"
            )
        text = f"{where}: {name} must be at most {at_most(most / scale)}{beside}, got {value:.6g}"
        yield LimitFault(text, rule=NEURON_RULES[name]), math.log2(scale * value / most)
    for name, value, unit, or_none in (
        ("v_threshold", float(thresholds.min(initial=math.inf)), float(1 << limits.threshold_shift), ""),
        ("bias", bias or math.inf, 1.0, ", or 0"),
    ):
        if np.rint(scale * value / unit) == 0:
            text = f"{where}: {name} becomes zero: at least {at_least(unit / scale)} would fit beside the weights{or_none}, got {value:.6g}"
            yield LimitFault(text, rule=NEURON_RULES[name]), math.log2(unit / scale) - math.log2(value)


def _weight_misfits(receiver: Receiver, scale: float, limits: ChipLimits) -> Iterator[tuple[str, float]]:
    """Projections whose weights are too large, or all round to zero."""
    beside = "beside the thresholds, bias and weights that share its scale"
    for grid in receiver.grids:
        where, largest = f"projection {grid.projection.name!r}", LARGEST_WEIGHT * grid.unit
        if grid.exponent(scale) is None:
            unit = 2.0 ** (ALIGNMENT + limits.weight_exponent[1]) / scale
            least = LARGEST_WEIGHT * 2.0 ** (ALIGNMENT + limits.weight_exponent[0]) / scale
            allowed = f"{at_least(least)} to " if grid.is_bound else "at most "
            octaves = math.log2(largest / (LARGEST_WEIGHT * unit))
            text = f"{where}: its largest weight must be {allowed}{at_most(LARGEST_WEIGHT * unit)} {beside}, got {largest:.6g}"
            yield (
                LimitFault(text, rule="synapse.weight-exponent"),
                octaves if octaves > 0 else math.log2(least / largest),
            )
        elif grid.becomes_zero(scale):
            present = max(-grid.range[0], grid.range[1])
            text = (
                f"{where}: its weights all become zero: a largest one of at least {at_least(grid.least(scale))} would fit {beside},"
                f" got {present:.6g}: enlarge them or leave the projection out"
            )
            yield (
                LimitFault(text, rule="synapse.weight-resolution"),
                math.log2(grid.least(scale)) - math.log2(present),
            )


def _error(receivers: Sequence[Receiver], scale: float, limits: ChipLimits) -> float:
    """Root of the summed squares of the errors of all weights, thresholds and bias, each relative."""
    total = sum(grid.error(scale) ** 2 for receiver in receivers for grid in receiver.grids if grid.unit > 0)
    for receiver in receivers:
        asked = receiver.finite_thresholds * scale
        unit = float(1 << limits.threshold_shift)
        total += float(np.mean((np.rint(asked / unit) * unit / asked - 1) ** 2)) if asked.size else 0.0
        bias = receiver.population.bias * scale
        if np.any(bias):
            total += float(np.mean((np.rint(bias) - bias) ** 2) / np.max(np.abs(bias)) ** 2)
    return math.sqrt(total)


def _beyond_when_busy(receivers: Sequence[Receiver], scale: float, limits: ChipLimits) -> tuple[float, float]:
    """How far input, u and a low v lie beyond the chip's in a busy network (1: within)."""
    inputs = [receiver.busy_input(scale) / limits.accumulator for receiver in receivers]
    return (
        max(1.0, *inputs, *(receiver.busy_u(scale) / limits.state for receiver in receivers)),
        max(1.0, *(-receiver.busy_v(scale) / limits.state for receiver in receivers)),
    )


def _state_faults(receivers: Sequence[Receiver], scale: float, limits: ChipLimits) -> tuple[bool, float, float]:
    """Whether u or v is coarse, and how far worst cases of input, u and a low v lie beyond the chip's (1: within)."""
    coarse, beyond_u, beyond_v = _lost_u(receivers, scale) > COARSE_STATE, 1.0, 1.0
    for receiver in receivers:
        threshold = float(receiver.finite_thresholds.min(initial=math.inf)) * scale
        coarse |= _rounded_away(receiver.population.decay_v) > COARSE_STATE * threshold
        worst_input = max(float(np.max(abs(side), initial=0.0)) for side in receiver.input_range(scale))
        beyond_u = max(beyond_u, receiver.worst_u(scale) / limits.state, worst_input / limits.accumulator)
        if threshold * LOWEST_V > limits.state:
            beyond_v = max(beyond_v, -receiver.worst_v(scale)[0] / limits.state)
    return coarse, beyond_u, beyond_v


def _lost_u(receivers: Sequence[Receiver], scale: float) -> float:
    """What rounding toward zero takes from a u, relative to the largest weight of its population."""
    return max(
        (
            _rounded_away(receiver.population.decay_u) / (scale * largest)
            for receiver in receivers
            if (largest := max((LARGEST_WEIGHT * grid.unit for grid in receiver.grids), default=0.0)) > 0
        ),
        default=0.0,
    )


def _rounded_away(decay: FloatArray) -> float:
    """Chip units that a state loses for good, at half a unit in every step."""
    return 0.5 * float(np.max(_memory(decay) * ((decay > 0) & (decay < 1)), initial=0.0))


def _memory(decay: FloatArray) -> FloatArray:
    """Sum of ``decay^k`` over all steps."""
    with np.errstate(divide="ignore"):
        return np.minimum(1.0 / (1.0 - decay), 1.0 / np.finfo(np.float64).tiny)
