"""The learning rule of a LearningDense as a description: Lava's parsed products, traces in seconds, third factors by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.described_connections import weight_unit
from neuromorph.discretise import time_constant
from neuromorph.errors import RuleError
from neuromorph.plasticity import Factor, LearningRule, Product, SumOfProducts, Trace

WIDTHS: Mapping[str, int] = {
    "x0": 1,
    "y0": 1,
    "x1": 7,
    "x2": 7,
    "y1": 7,
    "y2": 7,
    "y3": 7,
    "w": 9,
    "d": 9,
    "t": 9,
    "C": 8,
}
"""Bits of each factor in fixed point, where a product of n bits in all counts 2^-max(0, n - 11) times."""

POST_TRACES = ("y1", "y2", "y3")


@dataclass(kw_only=True, eq=False)
class PostSignals:
    """What reaches the post traces of a rule with a third factor, by trace: a modulator's name, or a trace."""

    modulators: dict[str, str] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)


class _Unreadable(Exception):
    """A product that has no counterpart; the text says why."""


def learning_rule(
    process: Any, signals: PostSignals | None, *, dt: float, fixed: bool
) -> tuple[LearningRule | None, list[str], list[str]]:
    """The rule of a LearningDense, with what is wrong and what was assumed as sentences.

    ``signals`` is None where the rule has two factors. A rule that changes no weight is none.
    """
    rule = process.proc_params["learning_rule"]
    if "exact" in vars(rule):
        return (
            None,
            ["its rule was compiled here, and its text is rounded to Lava's grid: use the Network it came from"],
            [],
        )
    faults: list[str] = []
    assumptions: list[str] = []
    unit = weight_unit(process) if fixed else 1.0
    series = rule.active_product_series
    targets: dict[str, list[Product]] = {}
    for target in ("dw", "dt"):
        targets[target] = []
        for product in series[target].products if target in series else ():
            try:
                targets[target].append(_product(product, unit, fixed))
            except _Unreadable as error:
                faults.append(f"{target} = {_text(rule, target)!r}: {error}")
    if "dd" in series:
        assumptions.append("its dd was left out: Lava learns the variable d, but no delay follows it")
    if faults:
        return None, faults, assumptions
    if not targets["dw"]:
        return None, [], [*assumptions, "its rule has no dw and changes no weight: the weights are static here"]
    if targets["dt"] and "t" not in SumOfProducts(tuple(targets["dw"])).variables:
        targets["dt"] = []
        assumptions.append("its dt was left out: dw does not read the tag t")
    modulators: dict[str, float] = {}
    if signals is not None:
        targets, modulators, missing = _third_factor(targets, signals, rule, fixed)
        faults += missing
    sums = {target: SumOfProducts(tuple(products)) if products else None for target, products in targets.items()}
    used = frozenset().union(*(total.variables for total in sums.values() if total is not None))
    traces: dict[str, Trace] = {}
    for name in sorted(used & {"x1", "x2", *POST_TRACES}):
        if signals is not None and name in POST_TRACES:
            if name in signals.traces:
                traces[name] = signals.traces[name]
            continue  # one that nothing is sent to is a fault already
        tau, impulse = float(getattr(rule, f"{name}_tau")), float(getattr(rule, f"{name}_impulse"))
        if tau == 0 and not fixed:
            faults.append(f"{name}_tau is 0, which makes {name} no number in Lava: give a time constant of some steps")
            continue
        decay = math.exp(-1.0 / tau) if tau > 0 else 0.0
        traces[name] = Trace(time_constant(decay, dt), impulse)
    if modulators and rule.t_epoch > 1:
        assumptions.append("Lava damps a third factor by up to t_epoch / 65535 within an epoch, which is not done here")
    if fixed:
        assumptions.append(
            "its traces have 7 bits in Lava, and traces, tags and weights are rounded at random; here they are real numbers"
        )
    if faults:
        return None, faults, assumptions
    low, high = _bounds(process, unit, fixed)
    try:
        made = LearningRule(
            name=type(rule).__name__,
            dw=str(sums["dw"]),
            dt=None if sums["dt"] is None else str(sums["dt"]),
            w_min=low,
            w_max=high,
            modulators=modulators,
            epoch=None if rule.t_epoch == 1 else int(rule.t_epoch) * dt,
            **traces,  # type: ignore[arg-type]
        )
    except RuleError as error:
        return None, list(error.faults), assumptions
    return made, [], assumptions


def _text(rule: Any, target: str) -> str:
    return str({"dw": rule.dw_str, "dt": rule.dt_str}[target])


def _product(product: Any, unit: float, fixed: bool) -> Product:
    """One product as Lava parsed it, which is what Lava computes even where the text says something else."""
    coefficient = product.s_mantissa * 2.0 ** (product.s_exp - 7)
    dependency = product.dependency
    if dependency == "u":
        dependency = f"u{product.decimate_exponent}"
    if fixed:
        bits = sum(WIDTHS[factor.state_var] for factor in product.factors)
        coefficient *= 2.0 ** -max(0, bits - 11)
        if product.target == "dw":
            coefficient *= unit
    factors = []
    for factor in product.factors:
        name, constant = factor.state_var, float(factor.const or 0.0)
        if name in ("x0", "y0"):
            raise _Unreadable(
                f"{product.dependency} and {name} in one product: only one of them may say when it counts"
            )
        if name == "d":
            raise _Unreadable("it reads the delay d, and learned delays have no counterpart: leave d out")
        if name == "C":
            coefficient *= constant
            continue
        if name == "w":  # in units of the weights as they count at the neuron
            constant *= unit
            coefficient /= 1.0 if factor.is_sgn else unit
        factors.append(Factor(name, constant, factor.is_sgn))
    return Product(coefficient, dependency, tuple(factors))


def _third_factor(
    targets: dict[str, list[Product]], signals: PostSignals, rule: Any, fixed: bool
) -> tuple[dict[str, list[Product]], dict[str, float], list[str]]:
    """Post traces that carry a modulator as the one third factor r, each modulator with its weight in r."""
    used = frozenset().union(*(SumOfProducts(tuple(products)).variables for products in targets.values()))
    silent = [name for name in POST_TRACES if name in used and name not in (*signals.modulators, *signals.traces)]
    faults = [
        f"its rule reads {name}, and nothing is sent to s_in_{name}: connect a RingBuffer, or leave {name} out"
        for name in silent
    ]
    carriers = [name for name in POST_TRACES if name in used and name in signals.modulators]
    if not carriers or faults:
        return targets, {}, faults
    # Lava lets what it received decay for one epoch before it reads it, with a time constant of 65535 steps.
    kept = {name: 1.0 if fixed else math.exp(-1.0 / float(getattr(rule, f"{name}_tau"))) for name in carriers}
    first, *others = carriers
    result = {
        target: [_renamed(p, first) for p in products if not _reads(p, others)] for target, products in targets.items()
    }
    weights = {signals.modulators[first]: kept[first]}
    for name in others:  # r may be a sum if all that differs between the channels is one coefficient
        pairs = [
            (first_product, other_product)
            for products in targets.values()
            for first_product, other_product in zip(
                [p for p in products if _reads(p, [first])], [p for p in products if _reads(p, [name])], strict=False
            )
        ]
        counts = {sum(_reads(p, [each]) for products in targets.values() for p in products) for each in (first, name)}
        ratios = {other.coefficient / one.coefficient for one, other in pairs if one.coefficient}
        same = all(_without(one, first) == _without(other, name) for one, other in pairs)
        if len(counts) != 1 or len(ratios) != 1 or not same or signals.modulators[name] in weights:
            faults.append(
                f"its rule reads third factors in {' and '.join(carriers)} in different products, and a rule here has one r:"
                " send their sum through one port"
            )
            break
        weights[signals.modulators[name]] = ratios.pop() * kept[name]
    return result, weights, faults


def _reads(product: Product, names: list[str]) -> bool:
    return any(factor.variable in names for factor in product.factors)


def _renamed(product: Product, carrier: str) -> Product:
    factors = [Factor("r", f.constant, f.sign) if f.variable == carrier else f for f in product.factors]
    return Product(product.coefficient, product.dependency, tuple(factors))


def _without(product: Product, carrier: str) -> tuple[str, tuple[Factor, ...]] | None:
    """When a product counts and its other factors; None where the carrier is more than a plain factor."""
    plain = [factor for factor in product.factors if factor == Factor(carrier)]
    others = tuple(factor for factor in product.factors if factor.variable != carrier)
    return (product.dependency, others) if len(plain) == 1 == len(product.factors) - len(others) else None


def _bounds(process: Any, unit: float, fixed: bool) -> tuple[float, float]:
    """The sign that Lava keeps, and in fixed point its range of weights."""
    mode = process.proc_params.get("sign_mode", compat.SignMode.MIXED)
    low = 0.0 if mode == compat.SignMode.EXCITATORY else -math.inf
    high = 0.0 if mode == compat.SignMode.INHIBITORY else math.inf
    if fixed:
        low, high = max(low, (-256.0 if mode == compat.SignMode.MIXED else -255.0) * unit), min(high, 255.0 * unit)
    return low, high


def trace_of(decay: float, impulse: float, dt: float) -> Trace:
    """A trace from its factor per step."""
    return Trace(time_constant(decay, dt), float(np.asarray(impulse)))
