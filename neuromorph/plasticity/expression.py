"""The algebra of rules: expressions of variables that add, multiply and expand into sums of products."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from neuromorph.errors import RuleError, is_number
from neuromorph.plasticity.terms import DEPENDENCIES, Factor, Product, SumOfProducts

MOST_TERMS = 1024  # of an expression that is multiplied out
MOST_POWER = 64


@dataclass(frozen=True)
class Term:
    """``coefficient`` times dependencies times factors; of the dependencies a target allows one."""

    coefficient: float
    dependencies: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = ()

    def __mul__(self, other: Term) -> Term:
        return Term(
            self.coefficient * other.coefficient,
            self.dependencies + other.dependencies,
            self.factors + other.factors,
        )

    def __str__(self) -> str:
        names = [*map(str, self.factors), *self.dependencies]
        number = repr(self.coefficient) if self.coefficient >= 0 else f"({self.coefficient!r})"
        return " * ".join(names if self.coefficient == 1 and names else [number, *names])


@dataclass(frozen=True, eq=False)
class Expression:
    """A sum of terms, as the variables of :mod:`neuromorph.plasticity.variables` make it.

    ``+``, ``-``, ``*``, division by a number and whole powers keep it one. A product of brackets is multiplied out; a
    bracket of one variable and a number stays a factor, as a learning engine reads it.

    Raises :class:`RuleError` where a result is no sum of products.

    >>> from neuromorph.plasticity.variables import w, x0, x1, y0, y1
    >>> print(((x1 - y1) * y0 * (1 - w)).target())
    -1.0 * x1 * (w - 1.0) * y0 + 1.0 * y1 * (w - 1.0) * y0
    """

    terms: tuple[Term, ...]

    __array_ufunc__ = None  # NumPy's numbers leave sums and products with an expression to it

    def __add__(self, other: Expression | float) -> Expression:
        return _checked(self.terms + _expression(other).terms)

    def __radd__(self, other: float) -> Expression:
        return _expression(other) + self

    def __neg__(self) -> Expression:
        return Expression(tuple(Term(-term.coefficient, term.dependencies, term.factors) for term in self.terms))

    def __pos__(self) -> Expression:
        return self

    def __sub__(self, other: Expression | float) -> Expression:
        return self + -_expression(other)

    def __rsub__(self, other: float) -> Expression:
        return _expression(other) - self

    def __mul__(self, other: Expression | float) -> Expression:
        left, right = _as_factor(self), _as_factor(_expression(other))
        if len(left.terms) * len(right.terms) > MOST_TERMS:
            raise RuleError(f"multiplied out it has more than {MOST_TERMS} products: write it shorter")
        return _checked(tuple(one * two for one in left.terms for two in right.terms))

    def __rmul__(self, other: float) -> Expression:
        return _expression(other) * self

    def __truediv__(self, other: float) -> Expression:
        number = _expression(other).number
        if number is None:
            raise RuleError("division is by numbers only: there is no 1 / variable in a rule")
        if number == 0:
            raise RuleError("division by zero")
        return _checked(tuple(Term(t.coefficient / number, t.dependencies, t.factors) for t in self.terms))

    def __pow__(self, exponent: float) -> Expression:
        number, power = self.number, _expression(exponent).number
        if power is None:
            raise RuleError("an exponent is a number")
        if number is not None:
            try:
                value = float(number**power)
            except (OverflowError, ZeroDivisionError, TypeError, ValueError):
                value = math.nan
            if not math.isfinite(value):
                raise RuleError(f"the power {number!r}^{power!r} is out of range")
            return _expression(value)
        if power % 1 or not 1 <= power <= MOST_POWER:
            raise RuleError(f"powers of variables are whole, 1 to {MOST_POWER}, got {power!r}")
        return reduce(operator.mul, [self] * int(power))

    def __bool__(self) -> bool:
        raise RuleError("an expression of a rule is neither true nor false: comparisons are sgn(...) and pos(...)")

    @property
    def number(self) -> float | None:
        """Its value, where no variable is in it."""
        if any(term.dependencies or term.factors for term in self.terms):
            return None
        return sum(term.coefficient for term in self.terms)

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))

    def target(self) -> SumOfProducts:
        """The sum of products that ``dw`` or ``dt`` is; raises :class:`RuleError` where a product has no dependency or two."""
        return SumOfProducts(tuple(map(product_of, self.terms)))


def product_of(term: Term) -> Product:
    """A term as a product of a target."""
    if not term.dependencies:
        raise RuleError(f"the product {str(term)!r} has no dependency: multiply by x0, y0 or u0 to u9")
    if len(term.dependencies) > 1:
        names = ", ".join(term.dependencies)
        raise RuleError(
            f"the product {str(term)!r} has {len(term.dependencies)} dependencies ({names}): only one is allowed"
        )
    return Product(term.coefficient, term.dependencies[0], term.factors)


def variable(name: str) -> Expression:
    """A variable or dependency of the language."""
    if name in DEPENDENCIES:
        return Expression((Term(1.0, (name,)),))
    return Expression((Term(1.0, (), (Factor(name),)),))


def number(value: float) -> Expression:
    """A number."""
    return _expression(value)


def sgn(of: Expression) -> Expression:
    """The sign of a variable plus or minus a number: -1, 0 or 1.

    >>> from neuromorph.plasticity.variables import w, x0
    >>> print((sgn(1 - w) * x0).target())
    -1.0 * sgn(w - 1.0) * x0
    """
    scale, name, constant = _one_variable(of, "sgn")
    return Expression((Term(math.copysign(1.0, scale), (), (Factor(name, constant, sign=True),)),))


def pos(of: Expression) -> Expression:
    """The larger of 0 and a variable plus or minus a number.

    >>> from neuromorph.plasticity.variables import u0, y1
    >>> print((pos(2 * y1 - 1) * u0).target())
    2.0 * pos(y1 - 0.5) * u0
    """
    scale, name, constant = _one_variable(of, "pos")
    if scale < 0:
        raise RuleError(
            f"pos(...) takes a variable that is added, got pos({of}): pos(c - v) is pos(v - c) - (v - c), write that"
        )
    return Expression((Term(scale, (), (Factor(name, constant, positive=True),)),))


def _one_variable(of: Expression, function: str) -> tuple[float, str, float]:
    found = _linear(_expression(of))
    if found is None:
        raise RuleError(f"{function}(...) needs a variable, plus or minus a number, got {function}({of})")
    return found


def _linear(of: Expression) -> tuple[float, str, float] | None:
    """Scale, variable and constant where an expression is ``scale * (variable + constant)``; else None."""
    scale, constant, name = 0.0, 0.0, None
    for term in of.terms:
        if term.dependencies or len(term.factors) > 1:
            return None
        if not term.factors:
            constant += term.coefficient
            continue
        factor = term.factors[0]
        if factor.sign or factor.positive or name not in (None, factor.variable):
            return None
        name = factor.variable
        scale += term.coefficient
        constant += term.coefficient * factor.constant
    if name is None or scale == 0:
        return None
    if not (math.isfinite(scale) and math.isfinite(constant)):
        raise RuleError("a number in it is out of range")
    within = constant / scale
    return (scale, name, within) if math.isfinite(within) else None


def _as_factor(of: Expression) -> Expression:
    """The same as one term where it is a number, or one variable plus or minus a number."""
    if len(of.terms) < 2:
        return of
    if (value := of.number) is not None:
        return _expression(value)
    found = _linear(of)
    if found is None:
        return of
    scale, name, constant = found
    return Expression((Term(scale, (), (Factor(name, constant),)),))


def _expression(value: Expression | float) -> Expression:
    if isinstance(value, Expression):
        return value
    if not is_number(value):
        raise RuleError(f"a rule is made of its variables and finite numbers, got {value!r}")
    return Expression((Term(float(value)),))


def _checked(terms: tuple[Term, ...]) -> Expression:
    if len(terms) > MOST_TERMS:
        raise RuleError(f"multiplied out it has more than {MOST_TERMS} products: write it shorter")
    if not all(math.isfinite(term.coefficient) for term in terms):
        raise RuleError("a number in it is out of range")
    return Expression(terms)


FUNCTIONS: dict[str, Callable[[Expression], Expression]] = {"sgn": sgn, "pos": pos}
