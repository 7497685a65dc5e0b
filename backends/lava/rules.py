"""Learning rules for Lava: its strings as near as its grid allows, and the exact expressions that float models evaluate.

A Lava rule string holds coefficients m 2^e only (m in -8..7, e in -7..8), and constants that are whole or powers of two.
In floating point there is no such grid, so the model evaluates an expression emitted from our own rule; the string gives
the structure, which is what a chip would be configured from. In fixed point a program is on the grid, the string is the
rule, and Lava's own models evaluate it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuromorph.errors import InputError, UnsupportedError
from neuromorph.parts import engine_parts
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.recording import BoolArray

SYNAPSE_VARIABLES: Mapping[str, str] = {"w": "weights", "t": "tag_1"}  # ours to the names of Lava's models
TARGETS: Mapping[str, str] = {"weight": "weights", "tag": "tag_1"}
MANTISSAS = tuple(m for m in range(-8, 8) if m != 0)
EXPONENTS = range(-7, 9)
POSITIVE_PORT, NEGATIVE_PORT = "y2", "y3"  # post traces that carry r and -r, where they are positive, in fixed point
LARGEST_CONSTANT = 4096  # beyond it, a factor's 9 bits saturate whatever the variable


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactRule:
    """What a float model evaluates at the end of an epoch, beside what Lava's rule object says."""

    # Lava's name of a synapse variable to its products: (dependency, Python expression of the rest)
    expressions: Mapping[str, tuple[tuple[str, str], ...]]
    decays: Mapping[float, float]  # time constant, as Lava holds it, to the factor a step
    traces: frozenset[tuple[str, str]]  # (trace, dependency) pairs that the expressions read
    nearest: Mapping[str, TraceProgram]  # traces of the connection that a spike sets to their impulse
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


def faults(projection: ProjectionProgram, arithmetic: Literal["float", "fixed"]) -> list[str]:
    """Why Lava cannot hold the rule of a projection; empty where it can."""
    rule = projection.rule
    if rule is None:
        return []
    where = f"projection {projection.name!r}, rule {rule.name!r}"
    own = {"y1", "y2", "y3"} & set(rule.traces)
    found = []
    if rule.modulators and rule.epoch > 1 and (own or arithmetic == "float"):
        found.append(
            f"{where}: with a third factor Lava reads post traces at the epoch's end only; use epochs of one step"
        )
    if rule.modulators and len(own) == 3 and arithmetic == "float":
        found.append(f"{where}: it uses y1, y2, y3 and a third factor, and Lava carries the latter in one of them")
    if rule.modulators and own & {POSITIVE_PORT, NEGATIVE_PORT} and arithmetic == "fixed":
        found.append(
            f"{where}: it uses {', '.join(sorted(own - {'y1'}))} and a third factor, which Lava carries in y2 and y3 in"
            " fixed point"
        )
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
        nearest={
            name: trace for name, trace in rule.traces.items() if trace.nearest and (port is None or name[0] == "x")
        },
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
        text += _term(nearest_coefficient(product.coefficient), product, port, first=not text)
    return text


def fixed_string(total: SumOfProducts) -> str:
    """A target of a fixed-point program in Lava's notation, which holds it exactly.

    A product with r is two: one with its positive part, followed at once by one with its negative part.

    >>> from neuromorph.plasticity import parse
    >>> fixed_string(parse("-0.5*x1*y0 + 0.25*r*t*u0 - 3*(w - 2)*x0"))
    '-1 * 2^-1 * x1 * y0 + 1 * 2^-2 * t * y2 * u0 - 1 * 2^-2 * t * y3 * u0 - 3 * 2^0 * (w - 2) * x0'
    """
    text = ""
    for product in total.products:
        halves = [(product.coefficient, POSITIVE_PORT)]
        if any(factor.variable == "r" for factor in product.factors):
            halves.append((-product.coefficient, NEGATIVE_PORT))
        for coefficient, port in halves:
            held = engine_parts(coefficient)
            if held is None:
                raise InputError(
                    f"coefficient {coefficient!r} of {product} is not m 2^e: the program is no fixed-point one"
                )
            text += _term(held, product, port, first=not text)
    return text


def _term(coefficient: tuple[int, int], product: Product, port: str | None, *, first: bool) -> str:
    """One product with its sign, joined to what stands before it."""
    mantissa, exponent = coefficient
    factors = [_lava_factor(factor, port) for factor in product.factors]
    sign = "-" if mantissa < 0 else "+"
    lead = ("-" if mantissa < 0 else "") if first else f" {sign} "
    return lead + " * ".join([str(abs(mantissa)), f"2^{exponent}", *factors, product.dependency])


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


def exact_tau(decay: float) -> float:
    """The time constant of which Lava's ``exp(-1 / tau)`` is ``decay`` to the last bit; 0 where nothing is left of it.

    Whole ones come first. A decay below 0.9 may have none: then it is the nearest, off by the last bit or three, of which
    7-bit traces that are rounded at random show something once in some 10^12 steps.

    >>> exact_tau(math.exp(-1 / 20)), exact_tau(0.0)
    (20.0, 0.0)
    """
    if decay == 0.0:
        return 0.0
    near = -1.0 / math.log(decay)
    around = near + np.spacing(near) * np.array(sorted(range(-64, 65), key=abs))
    candidates = np.array([max(round(near), 1.0), *around])
    return float(candidates[np.argmin(np.abs(np.exp(-1.0 / candidates) - decay))])


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
    if factor.positive:
        return f"np.maximum({text}, 0.0)"
    return f"np.sign({text})" if factor.sign else text


def _lava_factor(factor: Factor, port: str | None) -> str:
    name = str(port) if factor.variable == "r" else factor.variable
    text = name
    if factor.constant:
        size = min(abs(factor.constant), LARGEST_CONSTANT)
        held = str(round(size)) if size >= 1 else f"2^{max(round(math.log2(size)), -7)}"
        text = f"{name} {'-' if factor.constant < 0 else '+'} {held}"
    if factor.sign and name in SYNAPSE_VARIABLES:
        return f"sgn({text})"
    return f"({text})" if factor.constant else text
