"""Weights as mantissas: sign mode, bounds and exponent of one projection."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, LARGEST_WEIGHT, WEIGHT_RANGES, SignMode, weight_step
from neuromorph.compact import PIECE, Array, frozen, is_repeated, pieces
from neuromorph.errors import LimitFault
from neuromorph.parts import ProjectionProgram, RuleProgram
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.report import Rounding, Tally, single
from neuromorph.recording import FloatArray

POWER_TOLERANCE = 1e-9  # in log2: how far a scale may be from a power of two by the rounding of its own arithmetic


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightGrid:
    """How one projection's weights become mantissas: ``mantissa = scale weight / 2^(6 + exponent)``."""

    projection: ProjectionProgram
    cut: float  # weights asked are clipped to -cut .. cut
    sign_mode: SignMode
    step: int  # between mantissas
    low: int  # the least mantissa in use
    high: int
    unit: float  # weight of one mantissa unit where the mantissas are used fully; 0: all weights are 0
    is_bound: bool  # the unit is exact: a rule's bound must fall on the sign mode's
    exponents: tuple[int, int]

    def exponent(self, scale: float) -> int | None:
        """Exponent at this scale; None where there is none. It is negative only where a bound asks for it."""
        if self.unit == 0:
            return 0
        exact = math.log2(scale * self.unit) - ALIGNMENT
        if self.is_bound:
            nearest = round(exact)
            fits = abs(exact - nearest) < POWER_TOLERANCE and self.exponents[0] <= nearest <= self.exponents[1]
            return nearest if fits else None
        # A sum is rounded down where the exponent is negative, so that rounding each weight to fewer bits loses less.
        found = max(0, math.ceil(exact - POWER_TOLERANCE))
        return found if found <= self.exponents[1] else None

    def mantissa_value(self, scale: float) -> float:
        """The weight of one mantissa unit at this scale, which must have an exponent."""
        exponent = self.exponent(scale)
        assert exponent is not None
        return float(2.0 ** (ALIGNMENT + exponent) / scale)

    def asked(self, part: slice) -> FloatArray:
        """Weights of the synapses ``part``, outliers clipped."""
        weight = self.projection.stored_weight[part].astype(np.float64, copy=False)
        return weight if math.isinf(self.cut) else np.clip(weight, -self.cut, self.cut)

    @cached_property
    def range(self) -> tuple[float, float]:
        """Least and largest weight asked, and 0; outliers clipped."""
        weight = self.projection.stored_weight
        weight = weight[:1] if is_repeated(weight) else weight
        low, high = (float(end) for end in (weight.min(initial=0), weight.max(initial=0)))
        return max(low, -self.cut), min(high, self.cut)

    @cached_property
    def largest(self) -> float:
        """Of the sizes of all weights, outliers too."""
        return largest_weight(self.projection)

    @cached_property
    def row_sums(self) -> tuple[FloatArray, FloatArray]:
        """Sums of the weights below and above 0 onto each postsynaptic neuron."""
        (low, high), sums = self.range, self.projection.connectivity.row_sums
        none = np.zeros(self.projection.post_size)
        return (
            sums(lambda part: np.minimum(self.asked(part), 0.0)) if low < 0 else none,
            sums(lambda part: np.maximum(self.asked(part), 0.0)) if high > 0 else none,
        )

    @cached_property
    def row_squares(self) -> FloatArray:
        """Sums of the squares of the weights onto each postsynaptic neuron."""
        return self.projection.connectivity.row_sums(lambda part: self.asked(part) ** 2)

    def mantissas(self, scale: float) -> Array:
        """Nearest mantissas, int16, shape (synapses,)."""
        value = self.mantissa_value(scale)
        held = np.empty(self.projection.synapses, dtype=np.int16)
        for part in pieces(held.size):
            held[part] = self._nearest(self.asked(part), value)
        return frozen(held)

    def _nearest(self, weight: FloatArray, value: float) -> FloatArray:
        held: FloatArray = np.clip(np.rint(weight / (value * self.step)) * self.step, self.low, self.high)
        return held

    def error(self, scale: float) -> float:
        """Root mean square of what rounding changes, relative to that of the weights asked.

        With a negative exponent e the sum of a step is rounded down too, by ``(2^-e - 1) / 2`` mantissas on average,
        which counts relative to the largest weight.
        """
        down = (2.0 ** max(0, -(self.exponent(scale) or 0)) - 1) / 2 / LARGEST_WEIGHT
        if self.largest == 0:
            return down
        value = self.mantissa_value(scale)
        if value not in self._errors:  # at most scales the mantissas are those of another one
            self._errors[value] = self._rounding_error(value)
        return math.hypot(down, self._errors[value])

    @cached_property
    def _errors(self) -> dict[float, float]:
        return {}

    def _rounding_error(self, value: float) -> float:
        changed, total = 0.0, 0.0
        for weight, count in self._values():
            asked = weight / self.largest
            held = self._nearest(np.clip(weight, -self.cut, self.cut), value) * (value / self.largest)
            changed += float(np.sum(count * (held - asked) ** 2))
            total += float(np.sum(count * asked**2))
        return math.sqrt(changed / total)

    def _values(self) -> Iterator[tuple[FloatArray, FloatArray | float]]:
        """All weights as they were given, and how often each: of many synapses with few values these only."""
        stored = self.projection.stored_weight
        if stored.size > PIECE and (is_repeated(stored) or stored.dtype.kind in "iu"):
            yield self._histogram
            return
        for part in pieces(stored.size):
            yield stored[part].astype(np.float64, copy=False), 1.0

    @cached_property
    def _histogram(self) -> tuple[FloatArray, FloatArray]:
        stored = self.projection.stored_weight
        if is_repeated(stored):
            return stored[:1].astype(np.float64), np.array([float(stored.size)])
        least = int(np.iinfo(np.int16).min)
        counts = np.zeros(2**16)
        for part in pieces(stored.size, 16 * PIECE):
            counts += np.bincount(stored[part].astype(np.int64) - least, minlength=counts.size)
        present = np.flatnonzero(counts)
        return (present + least).astype(np.float64), counts[present]

    def least(self, scale: float) -> float:
        """The weight of the smallest mantissa at this scale, which must have an exponent."""
        return self.step * self.mantissa_value(scale)

    def becomes_zero(self, scale: float) -> bool:
        """Whether all weights do that were not zero; learned ones may start there."""
        if self.projection.rule is not None or self.unit == 0:
            return False
        return not np.any(self._nearest(np.array(self.range), self.mantissa_value(scale)))


def weight_grid(
    projection: ProjectionProgram,
    limits: ChipLimits,
    *,
    weight_bits: int,
    percentile: float,
    bound_headroom: float,
    range_hint: float,
    faults: list[str],
) -> WeightGrid:
    """The grid of a projection; a rule's bounds that no sign mode gives become faults.

    ``range_hint`` is the range of learned weights where neither bounds nor initial weights tell one.
    """
    if projection.rule is not None:
        return _learned_grid(projection, projection.rule, limits, bound_headroom, range_hint, faults)
    grid = WeightGrid(
        projection=projection,
        cut=_percentile(projection.stored_weight, percentile),
        sign_mode="mixed",
        step=1,
        low=0,
        high=0,
        unit=0.0,
        is_bound=False,
        exponents=limits.weight_exponent,
    )
    low, high = grid.range
    mode: SignMode = "excitatory" if low == 0 else "inhibitory" if high == 0 else "mixed"
    step = weight_step(mode, weight_bits)
    least, most = WEIGHT_RANGES[mode]
    least, most = -(-least // step * step), most // step * step
    if mode == "mixed" and most == 0:
        text = f"projection {projection.name!r}: weights of both signs need at least 2 weight_bits, got {weight_bits}"
        faults.append(LimitFault(text, rule="synapse.weight-bits"))
        most = step
    units = [high / most if most else 0.0, low / least if least else 0.0]
    return dataclasses.replace(grid, sign_mode=mode, step=step, low=least, high=most, unit=max(units))


def _percentile(weight: Array, percentile: float) -> float:
    """Of the sizes of the weights that are not 0; infinity where all are to be kept."""
    if percentile == 100 or not np.any(weight):
        return math.inf
    present = np.abs(weight[weight != 0].astype(np.float64))
    return float(np.percentile(present, percentile, overwrite_input=True))


def largest_weight(projection: ProjectionProgram) -> float:
    """The largest size of a weight; 0 where there is no synapse."""
    weight = projection.stored_weight
    weight = weight[:1] if is_repeated(weight) else weight
    return max(-float(weight.min(initial=0)), float(weight.max(initial=0)))


def _learned_grid(
    projection: ProjectionProgram,
    rule: RuleProgram,
    limits: ChipLimits,
    headroom: float,
    hint: float,
    faults: list[str],
) -> WeightGrid:
    """Learned weights use the whole range of the sign mode, and its ends are the rule's bounds."""
    where = f"projection {projection.name!r}: rule {rule.name!r}"
    bounds = [bound for bound in (rule.w_min, rule.w_max) if math.isfinite(bound)]
    present = largest_weight(projection)
    largest = max((abs(bound) for bound in bounds), default=0.0)
    is_bound = largest > 0
    mode: SignMode = "excitatory" if rule.w_min >= 0 else "inhibitory" if rule.w_max <= 0 else "mixed"
    others = "other bounds are for a host rule"

    def fault(sentence: str) -> None:
        faults.append(LimitFault(sentence, rule="learning.weight-bounds"))

    if rule.w_min > 0:
        fault(f"{where}: w_min = {rule.w_min!r} cannot be a bound of excitatory weights: 0.0 would fit; {others}")
    elif rule.w_max < 0:
        fault(f"{where}: w_max = {rule.w_max!r} cannot be a bound of inhibitory weights: 0.0 would fit; {others}")
    elif rule.w_min == rule.w_max:
        fault(f"{where}: w_min and w_max are both {rule.w_min!r}: leave the rule out, nothing can change")
        is_bound = False
    elif mode == "mixed" and len(bounds) == 2 and abs(-rule.w_min / rule.w_max - 1) > 2 / LARGEST_WEIGHT:
        fault(
            f"{where}: weights of both signs have bounds of one size, got w_min = {rule.w_min!r} and w_max ="
            f" {rule.w_max!r}: w_min = {-rule.w_max!r} would fit, or w_min = 0.0; {others}"
        )
    if not is_bound:
        largest = headroom * present if present > 0 else hint
    elif mode == "mixed" and math.isfinite(rule.w_max):
        largest = rule.w_max
    least, most = WEIGHT_RANGES[mode]
    return WeightGrid(
        projection=projection,
        cut=math.inf,
        sign_mode=mode,
        step=1,
        low=least,
        high=most,
        unit=largest / LARGEST_WEIGHT,
        is_bound=is_bound,
        exponents=limits.weight_exponent,
    )


def fixed_projection(
    grid: WeightGrid, scale: float, weight_bits: int, rule: RuleProgram | None
) -> tuple[ProjectionProgram, list[Rounding]]:
    """The projection with mantissas for weights, and what became of them."""
    projection, where = grid.projection, f"projection {grid.projection.name!r}"
    exponent = grid.exponent(scale)
    assert exponent is not None
    mantissas = grid.mantissas(scale)
    fixed = projection.with_changes(
        weight=mantissas,
        weight_exponent=exponent,
        sign_mode=grid.sign_mode,
        weight_bits=8 if projection.rule is not None else weight_bits,
        rule=rule,
    )
    value, rows = grid.mantissa_value(scale), list[Rounding]()
    if grid.largest > 0:
        lost, present, clipped, tally = 0, 0, 0, Tally(unit=grid.largest)
        for part in pieces(projection.synapses):
            asked, held = (a[part].astype(np.float64, copy=False) for a in (projection.stored_weight, mantissas))
            present += int(np.count_nonzero(asked))
            lost += int(np.count_nonzero((held == 0) & (asked != 0)))
            clipped += int(np.count_nonzero(np.abs(asked) > grid.cut))
            tally.add(asked, held * value, held)
        notes = [
            f"{grid.sign_mode}",
            f"{lost} of {projection.synapses} became 0" if lost else "",
            f"{clipped} outliers clipped" if clipped else "",
        ]
        note = ", ".join(filter(None, notes))
        rows.append(tally.row(where, "weight", exponent=exponent, note=note, warn=lost == present))
    if projection.rule is not None:
        rows += _bound_rows(grid, projection.rule, value, where, exponent)
    return fixed, rows


def _bound_rows(grid: WeightGrid, rule: RuleProgram, value: float, where: str, exponent: int) -> list[Rounding]:
    low, high = WEIGHT_RANGES[grid.sign_mode]
    rows = []
    for name, asked, mantissa in (("w_min", rule.w_min, low), ("w_max", rule.w_max, high)):
        held, note = mantissa * value, ""
        if math.isclose(held, asked, rel_tol=POWER_TOLERANCE):
            held = asked  # it was scaled to fall there
        if not math.isfinite(asked):
            note = "the chip imposes this bound"
        rows.append(single(where, name, asked, held, mantissa=mantissa, exponent=exponent, note=note, warn=bool(note)))
    return rows
