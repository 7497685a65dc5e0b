import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph.errors import RuleError
from neuromorph.plasticity import LearningRule, Trace, parse, variables
from neuromorph.plasticity.expression import Expression
from neuromorph.plasticity.terms import Factor, SumOfProducts
from neuromorph.plasticity.variables import pos, sgn, w, x0, x1, y0, y1

# A tree is (operation, operands), a variable's name or a number; as text, as Python and as a value it is the same.
NAMES = ("x1", "x2", "y1", "y2", "y3", "w", "t", "r")
DUE = ("x0", "y0", "u0", "u3")
numbers = st.sampled_from([0.5, 1.0, 2.0, 3.0, 0.1, 7.25])
linear = st.tuples(st.sampled_from(["sgn", "pos"]), st.tuples(st.just("-"), st.sampled_from(NAMES), numbers))
trees = st.recursive(
    st.one_of(st.sampled_from(NAMES), numbers, linear),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*"), inner, inner),
        st.tuples(st.just("/"), inner, numbers),
        st.tuples(st.just("^"), inner, st.sampled_from([1, 2])),
    ),
    max_leaves=5,
)
due_trees = st.lists(st.tuples(st.just("*"), st.sampled_from(DUE), trees), min_size=1, max_size=3)


def as_text(tree: Any) -> str:
    if not isinstance(tree, tuple):
        return str(tree)
    if len(tree) == 2:
        return f"{tree[0]}({as_text(tree[1])})"
    left, right = (
        f"({as_text(item)})" if isinstance(item, tuple) and len(item) == 3 else as_text(item) for item in tree[1:]
    )
    return f"{left} {tree[0]} {right}"


def as_python(tree: Any) -> Any:
    if isinstance(tree, str):
        return getattr(variables, tree)
    if not isinstance(tree, tuple):
        return tree
    if len(tree) == 2:
        return {"sgn": sgn, "pos": pos}[tree[0]](as_python(tree[1]))
    left, right = map(as_python, tree[1:])
    operations = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
    }
    return operations[tree[0]]() if tree[0] != "^" else left**right


def value_of(tree: Any, values: Mapping[str, float]) -> tuple[float, float]:
    """The value, and the sum of the sizes of all that was added up on the way to it."""
    if isinstance(tree, str):
        return values[tree], abs(values[tree])
    if not isinstance(tree, tuple):
        return tree, abs(tree)
    if len(tree) == 2:
        inner, size = value_of(tree[1], values)
        return (float(np.sign(inner)), 1.0) if tree[0] == "sgn" else (max(inner, 0.0), size)
    if tree[0] == "^":
        base, size = value_of(tree[1], values)
        return base ** tree[2], size ** tree[2]
    (left, left_size), (right, right_size) = (value_of(item, values) for item in tree[1:])
    if tree[0] in "+-":
        return left + right if tree[0] == "+" else left - right, left_size + right_size
    return (left * right, left_size * right_size) if tree[0] == "*" else (left / right, left_size / right_size)


def value_of_sum(total: SumOfProducts, values: Mapping[str, float]) -> float:
    return sum(
        product.coefficient
        * values[product.dependency]
        * math.prod(value_of_factor(factor, values) for factor in product.factors)
        for product in total.products
    )


def value_of_factor(factor: Factor, values: Mapping[str, float]) -> float:
    value = values[factor.variable] + factor.constant
    return float(np.sign(value)) if factor.sign else max(value, 0.0) if factor.positive else value


@settings(deadline=None, derandomize=True, max_examples=300)
@given(due_trees)
def test_an_expression_in_python_is_the_same_as_its_text(summands: list[Any]) -> None:
    text = " + ".join(as_text(summand) for summand in summands)
    total = sum((as_python(summand) for summand in summands[1:]), as_python(summands[0]))
    assert total.target() == parse(text)
    assert parse(str(total.target())) == total.target()


@settings(deadline=None, derandomize=True, max_examples=300)
@given(due_trees, st.lists(st.floats(-3.0, 3.0), min_size=8, max_size=8))
def test_what_is_multiplied_out_has_the_same_value(summands: list[Any], drawn: list[float]) -> None:
    values = dict(zip(NAMES, drawn, strict=True)) | dict.fromkeys(DUE, 1.0)
    found = [value_of(summand, values) for summand in summands]
    total = parse(" + ".join(as_text(summand) for summand in summands))
    # each of fewer than 100 operations rounds by at most 2^-53 of what it adds up
    assert abs(value_of_sum(total, values) - sum(v for v, _ in found)) <= 100 * 2.0**-53 * sum(s for _, s in found)


coefficients = st.sampled_from([0.01, -0.02, 0.015])
brackets = st.lists(
    st.tuples(st.sampled_from([-1.0, 1.0, 0.5]), st.sampled_from(["x1", "x2", "y1", "y2", "w", ""])),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.lists(st.tuples(coefficients, st.sampled_from(["x0", "y0", "u1"]), brackets, brackets), min_size=1, max_size=2)
)
def test_a_rule_and_its_expansion_give_the_same_weights(products: list[Any]) -> None:
    """The expansion is made here, term by term, not by the parser: "" stands for the number alone."""
    short = " + ".join(f"({c!r})*{d}*({_added(one)})*({_added(two)})" for c, d, one, two in products)
    long = " + ".join(
        f"({c * a * b!r})*" + "*".join(name for name in (d, n, m) if name)
        for c, d, one, two in products
        for a, n in one
        for b, m in two
    )
    learned = [_weights(text) for text in (short, long)]
    # 100 steps of sums of at most 18 products: rounding of a few hundred units of 2^-53 of values of order 1, and the
    # feedback of w and of spikes that stay the same multiplies it by less than 10
    np.testing.assert_allclose(learned[0], learned[1], rtol=0, atol=1e-12)


def _added(bracket: list[tuple[float, str]]) -> str:
    return " + ".join(f"({factor!r})*{name}" if name else f"({factor!r})" for factor, name in bracket)


def _weights(dw: str) -> Any:
    traces: dict[str, Any] = {
        name: Trace(tau) for name, tau in (("x1", 10e-3), ("x2", 4e-3), ("y1", 15e-3), ("y2", 30e-3)) if name in dw
    }
    read = parse(dw).variables
    rule = LearningRule(dw=dw, **{name: trace for name, trace in traces.items() if name in read}, w_min=-0.3, w_max=0.3)
    net = nm.Network(
        populations=[
            nm.Input("in", 4),
            nm.Population("out", 3, nm.LIF(bias=2.0, refractory=3e-3)),
        ],  # spikes whatever is learned
        projections=[nm.Projection("in", "out", nm.AllToAll(0.0), plasticity=rule)],
    )
    rows = np.random.default_rng(3).random((100, 4)) < 0.2
    with nm.open(nm.compile(net).with_all_spikes(), backend="reference") as session:
        assert len(session.run(100, inputs={"in": rows}).spikes["out"]) > 10
        return session.read("in->out.weight")


def test_a_rule_takes_expressions_and_equals_that_of_its_text() -> None:
    dw = 0.1 * x1 * y0 - 0.2 * y1 * x0 * (w - 1)
    traces = {"x1": Trace(20e-3), "y1": Trace(20e-3)}
    rule = LearningRule(dw=dw, **traces)
    assert rule == LearningRule(dw="0.1*x1*y0 - 0.2*y1*x0*(w - 1)", **traces)
    assert rule == LearningRule(dw=dw.target(), **traces)
    assert rule != LearningRule(dw="0.1*x1*y0 - 0.2*y1*x0*(w - 2)", **traces)
    assert rule.dw == "0.1 * x1 * y0 - 0.2 * y1 * (w - 1.0) * x0"


def test_numbers_of_numpy_are_numbers() -> None:
    expression = np.float64(0.5) * x1 * y0 * np.int64(2)
    assert isinstance(expression, Expression)
    assert expression.target() == parse("x1*y0")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: x1 * "w", "a rule is made of its variables and finite numbers, got 'w'"),
        (lambda: x1 * math.nan, "a rule is made of its variables and finite numbers, got nan"),
        (lambda: x1 / w, "division is by numbers only"),
        (lambda: w**0.5, "powers of variables are whole"),
        (lambda: 2**w, "unsupported"),
        (lambda: bool(w), "neither true nor false"),
        (lambda: (x1 * y1).target(), "the product 'x1 * y1' has no dependency"),
        (lambda: (x0 * y0).target(), "the product 'x0 * y0' has 2 dependencies (x0, y0)"),
        (lambda: sgn(x1 * y1), "sgn(...) needs a variable"),
        (lambda: pos(1 - w), "pos(c - v) is pos(v - c) - (v - c)"),
        (lambda: 1e200 * x0 * 1e200, "a number in it is out of range"),
    ],
)
def test_what_is_no_sum_of_products_is_refused(make: Any, says: str) -> None:
    with pytest.raises((RuleError, TypeError)) as caught:
        make()
    assert says in str(caught.value)


def test_a_fault_of_an_expression_names_the_rule_and_its_target() -> None:
    with pytest.raises(RuleError, match="rule 'mine', dw: the product 'x1' has no dependency"):
        LearningRule(name="mine", dw=x1, x1=Trace(1e-2))
