"""Rules of what a chip's learning engine can say: bits of products, coefficients, constants and bounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, at_most
from neuromorph.design_rules.learning import learned, where_learned
from neuromorph.design_rules.rule import DesignRule, design_rule
from neuromorph.fixed_plastic_state import FACTOR_BITS
from neuromorph.parts import RuleProgram
from neuromorph.plasticity.language import Product
from neuromorph.quantisation.coefficients import coefficient_grid
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.quantisation.rules import dropped_bits
from neuromorph.quantisation.rules import product_bits as bits_of


@design_rule(
    name="learning.accumulator-bits",
    limits=("learning.accumulator_bits",),
    severity="note",
    remedy="nothing to do where changes are many: what is lost is rounded at random",
)
def accumulator_bits(design: Design) -> Iterator[Finding]:
    """Products whose factors have more bits than the engine accumulates."""
    bits = int(design.limit("learning.accumulator_bits").high)
    for item, rule in learned(design):
        for product in _products(rule):
            if {factor.variable for factor in product.factors} <= set(FACTOR_BITS):
                most = bits_of(product) - dropped_bits(product)
                yield at_most(
                    where_learned(item, rule), bits_of(product), max(most, 1), f"bits of factors in {product}",
                    per=f", with a coefficient and a sign in {bits} bits", consumes=False,
                )  # fmt: skip


@design_rule(
    name="learning.coefficients",
    limits=("learning.coefficient_mantissa", "learning.coefficient_exponent"),
    remedy="change the rule's constants, leave it to a host rule, or run it in float",
)
def coefficients(design: Design) -> Iterator[Finding]:
    """Coefficients ``m 2^e``."""
    mantissa, exponent = design.limit("learning.coefficient_mantissa"), design.limit("learning.coefficient_exponent")
    if design.fixed is None or not learned(design):
        return
    grid = coefficient_grid(ChipLimits.of(design.chip))
    for item, rule in learned(design):
        for product in _products(rule):
            size = abs(product.coefficient)
            yield Finding(
                where=where_learned(item, rule),
                found=f"a coefficient of {product.coefficient:g}",
                limit=f"m 2^e with m {mantissa.low:.0f} to {mantissa.high:.0f}, e {exponent.low:.0f} to {exponent.high:.0f}",
                broken=not bool(np.any(grid == size)),
                share=size / float(grid[-1]),
            )


def held_by_quantisation(design: Design) -> Iterator[Finding]:
    """What quantisation alone can tell, and told where it is broken."""
    if design.fixed is not None and design.given.arithmetic == "float":
        for item, rule in learned(design):
            yield Finding(where=where_learned(item, rule), found="held", limit="", broken=False)


tag_decay = DesignRule(
    name="learning.tag-decay",
    says="Time constants of an eligibility tag",
    limits=("learning.coefficient_exponent", "learning.tag_bits"),
    remedy="take a longer epoch or a shorter time constant",
    check=held_by_quantisation,
)
weight_bounds = DesignRule(
    name="learning.weight-bounds",
    says="Bounds of learned weights, which are those of the sign mode",
    limits=("learning.weight_bits",),
    remedy="take bounds of one size that differ by powers of two, or keep others by a host rule",
    check=held_by_quantisation,
)
product_bits = DesignRule(
    name="learning.product-bits",
    says="Bits of a product's factors, which overflow 32 bits",
    limits=("learning.accumulator_bits",),
    remedy="use fewer factors",
    check=held_by_quantisation,
)
constants = DesignRule(
    name="learning.constants",
    says="Constants added to traces and weights",
    limits=("learning.trace_bits",),
    remedy="change the rule's constants, leave it to a host rule, or run it in float",
    check=held_by_quantisation,
)
factors = DesignRule(
    name="learning.factors",
    says="Factors that the engine has",
    limits=("learning.trace_bits",),
    remedy="change the rule's constants, leave it to a host rule, or run it in float",
    check=held_by_quantisation,
)


def _products(rule: RuleProgram) -> list[Product]:
    return [product for total in rule.targets.values() for product in total.products]
