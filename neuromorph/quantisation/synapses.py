"""Weights as mantissas: sign mode, bounds and exponent of one projection."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from neuromorph.arithmetic import ALIGNMENT, LARGEST_WEIGHT, WEIGHT_RANGES, SignMode, weight_step
from neuromorph.parts import ProjectionProgram, RuleProgram
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.report import Rounding, several, single
from neuromorph.recording import FloatArray

POWER_TOLERANCE = 1e-9  # in log2: how far a scale may be from a power of two by the rounding of its own arithmetic


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightGrid:
    """How one projection's weights become mantissas: ``mantissa = scale weight / 2^(6 + exponent)``."""

    projection: ProjectionProgram
    weight: FloatArray  # asked, outliers clipped
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

    def mantissas(self, scale: float) -> FloatArray:
        """Nearest mantissas (whole numbers), shape (synapses,)."""
        steps = np.rint(self.weight / (self.mantissa_value(scale) * self.step))
        held: FloatArray = np.clip(steps * self.step, self.low, self.high) + 0.0  # no negative zero
        return held

    def error(self, scale: float) -> float:
        """Root mean square of what rounding changes, relative to that of the weights asked.

        With a negative exponent e the sum of a step is rounded down too, by ``(2^-e - 1) / 2`` mantissas on average,
        which counts relative to the largest weight.
        """
        exponent, largest = self.exponent(scale), float(np.abs(self.projection.weight).max(initial=0.0))
        down = (2.0 ** max(0, -(exponent or 0)) - 1) / 2 / LARGEST_WEIGHT
        if largest == 0:
            return down
        asked = self.projection.weight / largest
        held = self.mantissas(scale) * (self.mantissa_value(scale) / largest)
        return math.hypot(down, math.sqrt(float(np.sum((held - asked) ** 2)) / float(np.sum(asked**2))))

    def least(self, scale: float) -> float:
        """The weight of the smallest mantissa at this scale, which must have an exponent."""
        return self.step * self.mantissa_value(scale)

    def becomes_zero(self, scale: float) -> bool:
        """Whether all weights do that were not zero; learned ones may start there."""
        if self.projection.rule is not None or self.unit == 0:
            return False
        return not np.any(self.mantissas(scale))


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
    weight = projection.weight
    present = np.abs(weight[weight != 0])
    if present.size and percentile < 100:
        largest = float(np.percentile(present, percentile))
        weight = np.clip(weight, -largest, largest)
    low, high = float(weight.min(initial=0.0)), float(weight.max(initial=0.0))
    mode: SignMode = "excitatory" if low == 0 else "inhibitory" if high == 0 else "mixed"
    step = weight_step(mode, weight_bits)
    least, most = WEIGHT_RANGES[mode]
    least, most = -(-least // step * step), most // step * step
    if mode == "mixed" and most == 0:
        faults.append(
            f"projection {projection.name!r}: weights of both signs need at least 2 weight_bits, got {weight_bits}"
        )
        most = step
    units = [high / most if most else 0.0, low / least if least else 0.0]
    return WeightGrid(
        projection=projection,
        weight=weight,
        sign_mode=mode,
        step=step,
        low=least,
        high=most,
        unit=max(units),
        is_bound=False,
        exponents=limits.weight_exponent,
    )


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
    present = float(np.abs(projection.weight).max(initial=0.0))
    largest = max((abs(bound) for bound in bounds), default=0.0)
    is_bound = largest > 0
    mode: SignMode = "excitatory" if rule.w_min >= 0 else "inhibitory" if rule.w_max <= 0 else "mixed"
    others = "other bounds are for a host rule"
    if rule.w_min > 0:
        faults.append(
            f"{where}: w_min = {rule.w_min!r} cannot be a bound of excitatory weights: 0.0 would fit; {others}"
        )
    elif rule.w_max < 0:
        faults.append(
            f"{where}: w_max = {rule.w_max!r} cannot be a bound of inhibitory weights: 0.0 would fit; {others}"
        )
    elif rule.w_min == rule.w_max:
        faults.append(f"{where}: w_min and w_max are both {rule.w_min!r}: leave the rule out, nothing can change")
        is_bound = False
    elif mode == "mixed" and len(bounds) == 2 and abs(-rule.w_min / rule.w_max - 1) > 2 / LARGEST_WEIGHT:
        faults.append(
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
        weight=projection.weight,
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
    fixed = dataclasses.replace(
        projection,
        weight=mantissas,
        weight_exponent=exponent,
        sign_mode=grid.sign_mode,
        weight_bits=8 if projection.rule is not None else weight_bits,
        rule=rule,
    )
    value, rows = grid.mantissa_value(scale), list[Rounding]()
    largest = float(np.abs(projection.weight).max(initial=0.0))
    if largest > 0:
        lost = int(np.count_nonzero((mantissas == 0) & (projection.weight != 0)))
        clipped = int(np.count_nonzero(grid.weight != projection.weight))
        notes = [
            f"{grid.sign_mode}",
            f"{lost} of {projection.synapses} became 0" if lost else "",
            f"{clipped} outliers clipped" if clipped else "",
        ]
        held = mantissas * value
        rows.append(
            several(
                where,
                "weight",
                projection.weight,
                held,
                unit=largest,
                mantissa=mantissas,
                exponent=exponent,
                note=", ".join(filter(None, notes)),
                warn=lost == np.count_nonzero(projection.weight),
            )
        )
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
