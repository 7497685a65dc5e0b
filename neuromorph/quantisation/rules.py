"""A learning rule in a chip's integers that means what it meant in float."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np

from neuromorph.arithmetic import LARGEST_WEIGHT, WEIGHT_RANGES, SignMode
from neuromorph.errors import LimitFault
from neuromorph.fixed_plastic_state import ACCUMULATOR_BITS, FACTOR_BITS, MANTISSA_BITS
from neuromorph.parts import RuleProgram, TraceProgram
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import Program
from neuromorph.quantisation.coefficients import (
    Term,
    coefficient_grid,
    impulse_choices,
    nearest_coefficient,
    search,
    tag_choices,
)
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.neurons import time_constant
from neuromorph.quantisation.report import Rounding, relative_error, single

COARSE = 1 / 8  # neighbours m 2^e lie at most 1/4 apart and rounding costs at most 1/9: more is the end of the grid
HALFWAY = 0.75  # of the smallest coefficient: below, holding it for the smallest would be off by more than a third
TARGET_NAMES = {"weight": "dw", "tag": "dt"}


@dataclass(frozen=True, kw_only=True)
class RuleConversion:
    """From a rule in float to the chip's, ``mantissa_value`` being the weight of one mantissa unit.

    A coefficient becomes ``c scale[target] / product of scale[factor] * 2^max(0, bits - 11)``, the last since a product
    of factors of so many bits counts that much less, and then the nearest ``m 2^e``. Impulses and the tag's scale are
    free and are chosen so that the coefficients fall on that grid.
    """

    rule: RuleProgram
    program: Program
    limits: ChipLimits
    where: str
    sign_mode: SignMode
    mantissa_value: float
    third_factor_limit: float
    trace_headroom: float
    tag_headroom: float
    faults: list[str] = field(default_factory=list)
    rows: list[Rounding] = field(default_factory=list)

    def fixed(self) -> RuleProgram | None:
        """The rule for the chip, or None with the reasons in ``faults``; fills ``rows``."""
        if self.rule.dd is not None:
            return None  # refused before: delays that learn have no integers
        targets = {name: _with_bare_r(_without_zeros(total)) for name, total in self.rule.targets.items()}
        self._structure_faults(targets)
        if not targets["weight"].products:
            self._fault("dw is 0: leave the rule out, it changes no weight", "learning.coefficients")
        traces = self._decays()
        if self.faults:
            return None
        scales = self._scales(targets)
        fixed = {name: self._target(name, total, scales) for name, total in targets.items()}
        if self.faults:
            return None
        low, high = WEIGHT_RANGES[self.sign_mode]
        for name, trace in self.rule.traces.items():
            impulse = round(scales[name] * trace.impulse)
            traces[name] = TraceProgram(impulse=float(impulse), decay=traces[name].decay)
            held = self.limits.trace / impulse
            note = f"it holds {held:.3g} impulses"
            if trace.nearest:
                note = f"nearest: at {impulse} the trace saturates, so that a spike sets it, exactly"
            self._row(f"impulse of {name}", trace.impulse, trace.impulse, mantissa=impulse, note=note)
        if "r" in self.rule.variables:
            most = self.limits.third_factor / scales["r"]
            note = f"|r| is held to {most:.6g} in steps of {1 / scales['r']:.6g}"
            self._row("scale of the third factor", scales["r"], scales["r"], note=note)
        if self.rule.dt is not None:
            note = f"|tag| is held to {self.limits.tag / scales['tag']:.6g}"
            self._row("scale of the tag", scales["tag"], scales["tag"], note=note)
        return RuleProgram(
            name=self.rule.name,
            dw=fixed["weight"],
            dt=fixed.get("tag"),
            traces=traces,
            epoch=self.rule.epoch,
            w_min=float(low),
            w_max=float(high),
            modulators=self.rule.modulators,
            third_factor_scale=scales["r"],
            tag_scale=scales["tag"],
            trace_scales={name: scales[name] for name in self.rule.traces},
        )

    def _fault(self, text: str, rule: str) -> None:
        self.faults.append(LimitFault(f"{self.where}: {text}", rule=rule))

    def _row(self, quantity: str, asked: float, held: float, **more: object) -> None:
        self.rows.append(single(self.where, quantity, asked, held, **more))  # type: ignore[arg-type]

    def _structure_faults(self, targets: dict[str, SumOfProducts]) -> None:
        """What no rounding can mend."""
        dt = self.program.dt
        if self.rule.epoch > self.limits.epoch:
            self._fault(
                f"epoch must be at most {self.limits.epoch} steps ({self.limits.epoch * dt:.6g} s), got {self.rule.epoch}",
                "learning.epoch",
            )
        for name, trace in self.rule.traces.items():
            if trace.impulse <= 0:
                self._fault(
                    f"{name}: an impulse must be > 0 on {self.limits.chip}, got {trace.impulse!r}: change the sign of the"
                    " coefficients, or leave the trace out",
                    "learning.trace-impulse",
                )
            if trace.follows_membrane:
                self._fault(
                    f"{name} follows the membrane (source='v'), and traces of {self.limits.chip} see spikes only: leave"
                    " the rule in float, on a backend without a gap for membrane_traces",
                    "learning.trace-source",
                )
                continue
            if trace.nearest and self.limits.trace_impulse < self.limits.trace:
                self._fault(
                    f"{name}: a nearest trace is one whose impulse saturates it, at {self.limits.trace}, and impulses of"
                    f" {self.limits.chip} end at {self.limits.trace_impulse}: use pairing='all-to-all'",
                    "learning.trace-impulse",
                )
            if trace.decay == 1:
                self._fault(
                    f"{name}: traces decay on {self.limits.chip}, got tau = inf: a long one would fit, such as"
                    f" tau = {1000 * dt:.6g} s",
                    "learning.trace-decay",
                )
        for name, total in targets.items():
            for product in total.products:
                self._product_faults(TARGET_NAMES[name], product)

    def _product_faults(self, target: str, product: Product) -> None:
        thirds = [factor for factor in product.factors if factor.variable == "r"]
        if len(thirds) > 1 or any(factor.constant or factor.sign for factor in thirds):
            self._fault(
                f"{target}: a product has r once and bare on {self.limits.chip}, got {product}: multiply the bracket out,"
                " or let a modulator of its own carry it",
                "learning.factors",
            )
        if any(factor.positive for factor in product.factors):
            self._fault(f"{target}: {self.limits.chip} has no pos(), got {product}", "learning.factors")
        if any(factor.sign and factor.variable not in ("w", "t") for factor in product.factors):
            self._fault(f"{target}: sgn() takes w or t on {self.limits.chip}, got {product}", "learning.factors")
        unknown = sorted({factor.variable for factor in product.factors} - set(FACTOR_BITS))
        if unknown:
            text = f"{target}: {', '.join(unknown)} cannot be read on {self.limits.chip}, got {product}"
            self._fault(text, "learning.factors")
            return
        size = math.prod(2 ** FACTOR_BITS[f.variable] for f in product.factors if not f.sign)
        if size * 2 ** (MANTISSA_BITS - 1) > 2**31:
            self._fault(
                f"{target}: factors of {product_bits(product)} bits in all overflow the chip's 32, got {product}:"
                " at most 28 bits would fit (traces and r have 7, w and t have 9)",
                "learning.product-bits",
            )

    def _decays(self) -> dict[str, TraceProgram]:
        """Traces with decays of whole steps."""
        held = {}
        for name, trace in self.rule.traces.items():
            steps = 0 if trace.decay in (0, 1) else round(-1 / math.log(trace.decay))
            decay = math.exp(-1 / steps) if steps else 0.0
            held[name] = TraceProgram(impulse=0.0, decay=decay)
            if trace.decay < 1:
                asked, found = (time_constant(value, self.program) for value in (trace.decay, decay))
                error = relative_error(1 / (1 - trace.decay), 1 / (1 - decay))
                self._row(f"tau of {name}", asked, found, mantissa=steps, note="s, in whole steps")
                self.rows[-1] = dataclasses.replace(
                    self.rows[-1],
                    relative_error=error,
                    rms=error,
                    status="warning" if error > COARSE else self.rows[-1].status,
                )
        return held

    def _scales(self, targets: dict[str, SumOfProducts]) -> dict[str, float]:
        """Chip units of one unit of each variable: weight, third factor, and what the search finds best."""
        third = 2.0 ** math.floor(math.log2(self.limits.third_factor / self.third_factor_limit))
        fixed = {"w": 1 / self.mantissa_value, "r": third if "r" in self.rule.variables else 1.0}
        kick = (
            max((self._kick(product) for product in targets["tag"].products), default=0.0) if "tag" in targets else 0.0
        )
        terms = [
            self._term(name, product, fixed, kick) for name, total in targets.items() for product in total.products
        ]
        choices = impulse_choices(self.limits, self.trace_headroom)
        impulses = {
            name: (trace.impulse, [self.limits.trace] if trace.nearest else choices)
            for name, trace in self.rule.traces.items()
        }
        return fixed | search(terms, impulses, tag_choices(kick, self.limits, self.tag_headroom), self.limits)

    def _kick(self, product: Product) -> float:
        """How much a product can change the tag at once, with traces at one impulse; 0 of one that reads the tag."""
        if any(factor.variable == "t" for factor in product.factors):
            return 0.0
        return abs(product.coefficient) * math.prod(self._largest(factor) for factor in product.factors)

    def _largest(self, factor: Factor) -> float:
        if factor.sign:
            return 1.0
        if factor.variable in self.rule.traces:
            return self.rule.traces[factor.variable].impulse + abs(factor.constant)
        if factor.variable == "r":
            return self.third_factor_limit
        return LARGEST_WEIGHT * self.mantissa_value + abs(factor.constant)

    def _term(self, target: str, product: Product, fixed: dict[str, float], kick: float) -> Term:
        value = abs(product.coefficient) * 2.0 ** dropped_bits(product)
        value *= fixed["w"] if target == "weight" else 1.0
        typical, searched, constants = 1.0, list[str](), list[tuple[str, float]]()
        for factor in product.factors:
            name = "tag" if factor.variable == "t" else factor.variable
            if factor.sign:
                continue
            if name in fixed:
                value /= fixed[name]
                typical *= 0.5 * (LARGEST_WEIGHT if name == "w" else fixed["r"] * self.third_factor_limit)
                continue
            searched.append(name)
            typical *= 0.5 * (kick or 1.0) if name == "tag" else 0.5 * self.rule.traces[name].impulse
            if factor.constant:
                constants.append((name, factor.constant))
        return Term(
            value=value,
            target="tag" if target == "tag" else None,
            factors=tuple(searched),
            constants=tuple(constants),
            shift=dropped_bits(product),
            typical=typical,
        )

    def _target(self, target: str, total: SumOfProducts, scales: dict[str, float]) -> SumOfProducts:
        return SumOfProducts(tuple(self._product(target, product, scales) for product in total.products))

    def _product(self, target: str, product: Product, scales: dict[str, float]) -> Product:
        name, shift = TARGET_NAMES[target], dropped_bits(product)
        exact = abs(product.coefficient) * 2.0**shift * scales["w" if target == "weight" else "tag"]
        factors = []
        for factor in product.factors:
            scale = scales["tag" if factor.variable == "t" else factor.variable]
            if not factor.sign:
                exact /= scale
            factors.append(Factor(factor.variable, self._constant(name, product, factor, scale), factor.sign))
        held = float(nearest_coefficient(exact, self.limits))
        if self._coefficient_faults(name, product, exact):
            return product
        part, error = held / exact, relative_error(exact, held)
        mantissa, exponent = _parts(math.copysign(held, product.coefficient))
        note = ""
        if shift:
            unit = 2.0**exponent / scales["w" if target == "weight" else "tag"]
            note = f"each change is rounded down to a multiple of {unit:.3g}"
        self._row(
            f"{name}: {product}",
            product.coefficient,
            product.coefficient * part,
            mantissa=mantissa,
            exponent=exponent,
            note=note,
            warn=error > COARSE,
        )
        return Product(math.copysign(held, product.coefficient), product.dependency, tuple(factors))

    def _constant(self, target: str, product: Product, factor: Factor, scale: float) -> float:
        if not factor.constant:
            return 0.0
        held, largest = float(np.rint(factor.constant * scale)), 2 ** FACTOR_BITS[factor.variable] - 1
        if held == 0 or abs(held) > largest:
            fits = f"at least {1 / scale:.3g}" if held == 0 else f"at most {largest / scale:.3g}"
            what = "becomes zero" if held == 0 else "is too large"
            self._fault(
                f"{target}: the constant of {factor} in {product} {what}: {fits} would fit", "learning.constants"
            )
        self._row(f"{target}: constant of {factor}", factor.constant, held / scale, mantissa=int(held))
        return held

    def _coefficient_faults(self, target: str, product: Product, exact: float) -> bool:
        smallest, largest = self.limits.smallest_coefficient, float(coefficient_grid(self.limits)[-1])
        asked, dt = abs(product.coefficient), self.program.dt
        if target == "dt" and _is_decay(product) and exact < smallest * (1 - COARSE):
            longest = math.floor(-1 / math.log1p(-smallest))
            epochs = -1 / math.log1p(-asked)
            step = self.rule.epoch * dt
            needed = math.ceil(self.rule.epoch * epochs / longest - 1e-6)
            self._fault(
                f"tau_tag (tau_e of named rules) = {epochs * step:.4g} s is {epochs:.4g} epochs of {step:.4g} s, and a tag loses at least"
                f" {smallest:.6g} of itself in one: at most {longest} epochs (tau_tag = {longest * step:.4g} s) would fit,"
                + (
                    f" or a longer epoch: epoch={needed * dt:.4g}"
                    if needed <= self.limits.epoch
                    else f" with the longest epoch, {self.limits.epoch * dt:.4g} s, {longest * self.limits.epoch * dt:.4g} s"
                ),
                "learning.tag-decay",
            )
            return True
        if exact < HALFWAY * smallest:
            more = ", or a smaller w_max" if target == "dw" else ""
            self._fault(
                f"{target}: coefficient {product.coefficient!r} of {product} becomes zero: at least"
                f" {asked * smallest / exact:.2g} would fit at this scale{more}",
                "learning.coefficients",
            )
            return True
        if exact > largest * (1 + COARSE):
            more = ", or a larger w_max" if target == "dw" else ""
            self._fault(
                f"{target}: coefficient {product.coefficient!r} of {product} saturates: at most"
                f" {asked * largest / exact:.2g} would fit at this scale{more}",
                "learning.coefficients",
            )
            return True
        return False


def _without_zeros(total: SumOfProducts) -> SumOfProducts:
    return SumOfProducts(tuple(product for product in total.products if product.coefficient))


def _with_bare_r(total: SumOfProducts) -> SumOfProducts:
    """The same sum with ``(r + c)`` multiplied out, where a product has it once: the engine has r bare only."""
    products: list[Product] = []
    for product in total.products:
        thirds = [factor for factor in product.factors if factor.variable == "r"]
        others = tuple(factor for factor in product.factors if factor.variable != "r")
        if len(thirds) != 1 or thirds[0].sign or thirds[0].positive or not thirds[0].constant:
            products.append(product)
            continue
        products.append(Product(product.coefficient, product.dependency, (*others, Factor("r"))))
        products.append(Product(product.coefficient * thirds[0].constant, product.dependency, others))
    return SumOfProducts(tuple(products))


def product_bits(product: Product) -> int:
    """Of all factors of a product."""
    return sum(FACTOR_BITS[factor.variable] for factor in product.factors)


def dropped_bits(product: Product) -> int:
    """Lowest bits of a product's factors that the engine does not keep."""
    return max(0, product_bits(product) + MANTISSA_BITS - ACCUMULATOR_BITS)


def _is_decay(product: Product) -> bool:
    """Whether it takes a share of the tag away on every epoch."""
    return product.coefficient < 0 and product.dependency[0] == "u" and product.factors == (Factor("t"),)


def _parts(coefficient: float) -> tuple[int, int]:
    """Odd mantissa and exponent."""
    fraction, exponent = math.frexp(coefficient)
    while fraction % 1:
        fraction, exponent = 2 * fraction, exponent - 1
    return int(fraction), exponent
