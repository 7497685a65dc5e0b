"""Learning rules for Lava: its strings as near as its grid allows, and the exact expressions that float models evaluate.

A Lava rule string holds coefficients m 2^e only (m in -8..7, e in -7..8), and constants that are whole or powers of two.
In floating point there is no such grid, so the model evaluates an expression emitted from our own rule; the string gives
the structure, which is what a chip would be configured from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuromorph.errors import UnsupportedError
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.recording import BoolArray

SYNAPSE_VARIABLES: Mapping[str, str] = {"w": "weights", "t": "tag_1"}  # ours to the names of Lava's models
TARGETS: Mapping[str, str] = {"weight": "weights", "tag": "tag_1"}
MANTISSAS = tuple(m for m in range(-8, 8) if m != 0)
EXPONENTS = range(-7, 9)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactRule:
    """What a float model evaluates at the end of an epoch, beside what Lava's rule object says."""

    # Lava's name of a synapse variable to its products: (dependency, Python expression of the rest)
    expressions: Mapping[str, tuple[tuple[str, str], ...]]
    decays: Mapping[float, float]  # time constant, as Lava holds it, to the factor a step
    traces: frozenset[tuple[str, str]]  # (trace, dependency) pairs that the expressions read
    exists: BoolArray | None  # (post, pre), where a synapse exists; None: everywhere
    w_min: float
    w_max: float


def reward_port(rule: RuleProgram) -> str | None:
    """The post trace of Lava that carries the third factor: the first of y2, y3, y1 that the rule does not use."""
    if not rule.modulators:
        return None
    free = [name for name in ("y2", "y3", "y1") if name not in rule.traces]
    if not free:
        raise UnsupportedError(
            f"rule {rule.name!r} uses y1, y2, y3 and a third factor: Lava carries the latter in one of them"
        )
    return free[0]


def faults(projection: ProjectionProgram) -> list[str]:
    """Why Lava cannot hold the rule of a projection; empty where it can."""
    rule = projection.rule
    if rule is None:
        return []
    where = f"projection {projection.name!r}, rule {rule.name!r}"
    found = []
    if rule.modulators and rule.epoch > 1:
        found.append(
            f"{where}: with a third factor Lava reads post traces at the epoch's end only; use epochs of one step"
        )
    if rule.modulators and {"y1", "y2", "y3"} <= set(rule.traces):
        found.append(f"{where}: it uses y1, y2, y3 and a third factor, and Lava carries the latter in one of them")
    if len({d for d in rule.dependencies if d[0] == "u"}) > 1:
        found.append(f"{where}: Lava takes one of u0 to u9 in a rule, and this one uses several")
    if not projection.has_one_delay:
        found.append(f"{where}: Lava learns on connections of one delay only")
    return found


def exact_rule(projection: ProjectionProgram) -> ExactRule:
    """The expressions of a projection's rule with its real coefficients, its bounds and the synapses that exist."""
    rule = projection.rule
    assert rule is not None
    port = reward_port(rule)
    expressions = {TARGETS[name]: _expression(total, port) for name, total in rule.targets.items()}
    traces = {
        (port if factor.variable == "r" and port is not None else factor.variable, _dependency(product))
        for total in rule.targets.values()
        for product in total.products
        for factor in product.factors
        if factor.variable not in SYNAPSE_VARIABLES
    }
    exists = None
    if not projection.is_full:
        exists = projection.matrix(np.ones(projection.synapses, dtype=np.bool_))
    return ExactRule(
        expressions=expressions,
        decays={tau_in_steps(trace): trace.decay for trace in rule.traces.values()},
        traces=frozenset(traces),
        exists=exists,
        w_min=rule.w_min,
        w_max=rule.w_max,
    )


def lava_string(total: SumOfProducts, port: str | None) -> str:
    """A target in Lava's notation, coefficients and constants rounded to what its strings can hold.

    >>> from neuromorph.plasticity import parse
    >>> lava_string(parse("0.25*x1*y0 - 0.3*y1*x0*(w + 0.5)"), None)
    '1 * 2^-2 * x1 * y0 - 5 * 2^-4 * y1 * (w + 2^-1) * x0'
    """
    text = ""
    for product in total.products:
        mantissa, exponent = nearest_coefficient(product.coefficient)
        sign = "-" if mantissa < 0 else "+"
        parts = [
            str(abs(mantissa)),
            f"2^{exponent}",
            *(_lava_factor(f, port) for f in product.factors),
            product.dependency,
        ]
        text += (f" {sign} " if text else ("-" if mantissa < 0 else "")) + " * ".join(parts)
    return text


def nearest_coefficient(value: float) -> tuple[int, int]:
    """Mantissa and exponent of the nearest number that a rule string can hold and that is not zero.

    >>> nearest_coefficient(0.3), nearest_coefficient(-8.0)
    ((5, -4), (-1, 3))
    """
    candidates = [(abs(m * 2.0**e - value), abs(m), m, e) for m in MANTISSAS for e in EXPONENTS if m != -8]
    _, _, mantissa, exponent = min(candidates)
    return mantissa, exponent


def tau_in_steps(trace: TraceProgram) -> float:
    """The time constant whose ``exp(-1 / tau)`` is the trace's decay; never 0, which Lava takes for no trace at all."""
    if trace.decay >= 1.0:
        return math.inf
    return max(-1.0 / math.log(trace.decay), 1e-3) if trace.decay > 0.0 else 1e-3


def _dependency(product: Product) -> str:
    return "u" if product.dependency[0] == "u" else product.dependency


def _expression(total: SumOfProducts, port: str | None) -> tuple[tuple[str, str], ...]:
    """Products over what Lava's models know: x0, y0 or u, and weights, tag_1 and traces such as x1_y0."""
    terms = []
    for product in total.products:
        dependency = _dependency(product)
        parts = [f"({product.coefficient!r})", *(_factor(f, dependency, port) for f in product.factors)]
        terms.append((dependency, " * ".join(parts)))
    return tuple(terms)


def _factor(factor: Factor, dependency: str, port: str | None) -> str:
    if factor.variable in SYNAPSE_VARIABLES:
        text = SYNAPSE_VARIABLES[factor.variable]
    else:
        text = f"{port if factor.variable == 'r' else factor.variable}_{dependency}"
    if factor.constant:
        text = f"({text} + ({factor.constant!r}))"
    return f"np.sign({text})" if factor.sign else text


def _lava_factor(factor: Factor, port: str | None) -> str:
    name = str(port) if factor.variable == "r" else factor.variable
    text = name
    if factor.constant:
        size = abs(factor.constant)
        held = str(round(size)) if size >= 1 else f"2^{max(round(math.log2(size)), -7)}"
        text = f"{name} {'-' if factor.constant < 0 else '+'} {held}"
    if factor.sign and name in SYNAPSE_VARIABLES:
        return f"sgn({text})"
    return f"({text})" if factor.constant else text
