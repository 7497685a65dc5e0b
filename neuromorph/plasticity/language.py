"""The rule language: sums of products of local variables, as Loihi's tools write them.

A target (``dw`` weight, ``dt`` eligibility tag, ``dd`` delay) is a sum of products. Every product has exactly one
dependency, which says when it is computed: ``x0`` (the presynaptic neuron spiked), ``y0`` (the postsynaptic neuron
spiked) or ``u0``, ``u1``, ... ``u9`` (every epoch, every 2nd, ... every 2^k-th epoch). Its other factors are the
variables ``x1 x2`` (presynaptic traces), ``y1 y2 y3`` (postsynaptic traces), ``w`` (weight), ``d`` (delay), ``t``
(tag), ``r`` (third factor), a variable plus or minus a constant in brackets, or ``sgn(...)`` of such; numbers and
powers ``2^n`` multiply into one coefficient.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from neuromorph.errors import RuleError

VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "d", "t", "r")
DEPENDENCIES = ("x0", "y0", *(f"u{k}" for k in range(10)))

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*^()/]))"
)


@dataclass(frozen=True)
class Factor:
    """``variable + constant``, or its sign where ``sign`` is set."""

    variable: str
    constant: float = 0.0
    sign: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "constant", float(self.constant))
        if self.variable not in VARIABLES or not math.isfinite(self.constant):
            raise RuleError(f"a factor is one of {' '.join(VARIABLES)} plus a finite number, got {self!r}")

    def __str__(self) -> str:
        if self.constant == 0:
            inner = self.variable
        else:
            inner = f"{self.variable} {'-' if self.constant < 0 else '+'} {abs(self.constant)!r}"
        if self.sign:
            return f"sgn({inner})"
        return f"({inner})" if self.constant else inner


@dataclass(frozen=True)
class Product:
    """``coefficient * dependency * factor * factor ...``; factors are kept in a canonical order."""

    coefficient: float
    dependency: str
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficient", float(self.coefficient))
        if self.dependency not in DEPENDENCIES or not math.isfinite(self.coefficient):
            raise RuleError(f"a product has a finite coefficient and one of {' '.join(DEPENDENCIES)}, got {self!r}")
        order = sorted(self.factors, key=lambda f: (VARIABLES.index(f.variable), f.constant, f.sign))
        object.__setattr__(self, "factors", tuple(order))

    def __str__(self) -> str:
        return " * ".join([repr(abs(self.coefficient)), *map(str, self.factors), self.dependency])


@dataclass(frozen=True)
class SumOfProducts:
    """A target of a rule.

    >>> print(parse("2^-2 * x1*y0 - y1*x0*(w + 0.5)"))
    0.25 * x1 * y0 - 1.0 * y1 * (w + 0.5) * x0
    """

    products: tuple[Product, ...]

    def __str__(self) -> str:
        parts: list[str] = []
        for index, product in enumerate(self.products):
            negative = product.coefficient < 0
            lead = ("-" if negative else "") if index == 0 else (" - " if negative else " + ")
            parts.append(lead + str(product))
        return "".join(parts)

    @property
    def variables(self) -> frozenset[str]:
        """Variables that are read, dependencies not counted."""
        return frozenset(factor.variable for product in self.products for factor in product.factors)

    @property
    def dependencies(self) -> frozenset[str]:
        """Dependencies that occur."""
        return frozenset(product.dependency for product in self.products)


def parse(text: str) -> SumOfProducts:
    """Read a target from text; raises :class:`RuleError` naming the text, the place and what is allowed there.

    >>> str(parse("0.01*x1*y0")) == str(parse("x1 * 1e-2 * y0"))
    True
    >>> parse("x1*y1")
    Traceback (most recent call last):
        ...
    neuromorph.errors.RuleError: in 'x1*y1': the product 'x1*y1' has no dependency: multiply by x0, y0 or u0 to u9
    """
    return _Parser(text).target()


class _Parser:
    """Recursive descent over the tokens of one target."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise RuleError(f"a target must be text such as 'x1*y0 - y1*x0', got {text!r}")
        self.text = text
        self.tokens: list[tuple[str, str, int, int]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                position += len(text[position:]) - len(text[position:].lstrip())
                self.fail(f"{text[position]!r} means nothing here", position)
            assert match is not None and match.lastgroup is not None
            kind = match.lastgroup
            self.tokens.append((kind, match.group(kind), match.start(kind), match.end(kind)))
            position = match.end()
        self.index = 0

    def fail(self, message: str, position: int | None = None) -> None:
        where = "" if position is None else f" (at character {position + 1})"
        raise RuleError(f"in {self.text!r}: {message}{where}")

    def peek(self) -> str:
        return self.tokens[self.index][1] if self.index < len(self.tokens) else ""

    def take(self) -> tuple[str, str, int, int]:
        if self.index >= len(self.tokens):
            self.fail("it ends where a number, a variable or a bracket is expected")
        token = self.tokens[self.index]
        self.index += 1
        return token

    def expect(self, sign: str) -> None:
        if self.peek() != sign:
            self.fail(f"expected {sign!r}, got {self.peek()!r}" if self.peek() else f"expected {sign!r} at its end")
        self.index += 1

    def target(self) -> SumOfProducts:
        products: list[Product] = []
        negative = self._leading_sign()
        while True:
            products.append(self.product(-1.0 if negative else 1.0))
            if self.index == len(self.tokens):
                return SumOfProducts(tuple(products))
            if self.peek() not in ("+", "-"):
                self.fail(f"expected '*', '+' or '-', got {self.peek()!r}", self.tokens[self.index][2])
            negative = self.take()[1] == "-"

    def _leading_sign(self) -> bool:
        if self.peek() in ("+", "-"):
            return self.take()[1] == "-"
        return False

    def product(self, coefficient: float) -> Product:
        start = self.tokens[self.index][2] if self.index < len(self.tokens) else len(self.text)
        dependencies: list[str] = []
        factors: list[Factor] = []
        while True:
            kind, word, position, _ = self.take()
            if kind == "number":
                coefficient *= self.number(word)
            elif word == "(":
                scale, factor = self.bracket()
                coefficient *= scale
                if factor is not None:
                    factors.append(factor)
            elif word == "sgn":
                self.expect("(")
                scale, factor = self.bracket()
                if factor is None:
                    self.fail("sgn(...) needs a variable", position)
                else:
                    coefficient *= scale
                    factors.append(Factor(factor.variable, factor.constant, sign=True))
            elif word in DEPENDENCIES:
                dependencies.append(word)
            elif word in VARIABLES:
                factors.append(Factor(word))
            elif kind == "name":
                self.fail(
                    f"there is no variable {word!r}; known: {' '.join(('x0', 'y0', 'u0..u9', *VARIABLES))}", position
                )
            else:
                self.fail(f"expected a number, a variable or a bracket, got {word!r}", position)
            if self.peek() == "*":
                self.index += 1
                continue
            if self.peek() in ("^", "**"):
                self.fail(
                    "powers are for numbers only; write a variable twice to square it", self.tokens[self.index][2]
                )
            if self.peek() == "/":
                self.fail("there is no division; multiply by a number instead", self.tokens[self.index][2])
            break
        text = self.text[start : self.tokens[self.index - 1][3]].strip()
        if not dependencies:
            self.fail(f"the product {text!r} has no dependency: multiply by x0, y0 or u0 to u9")
        if len(dependencies) > 1:
            self.fail(
                f"the product {text!r} has {len(dependencies)} dependencies ({', '.join(dependencies)}): only one is allowed"
            )
        if not all(math.isfinite(number) for number in (coefficient, *(factor.constant for factor in factors))):
            self.fail(f"a number in the product {text!r} is out of range")
        return Product(coefficient, dependencies[0], tuple(factors))

    def number(self, word: str) -> float:
        """The value of a number, with a power of it if one follows."""
        value = float(word)
        if self.peek() in ("^", "**"):
            self.index += 1
            negative = self._leading_sign()
            kind, exponent, position, _ = self.take()
            if kind != "number":
                self.fail(f"expected a whole exponent, got {exponent!r}", position)
            try:
                value = float(value ** (-float(exponent) if negative else float(exponent)))
            except (OverflowError, ZeroDivisionError):
                self.fail(f"the power {word}^{'-' if negative else ''}{exponent} is out of range", position)
        if value != value or value in (float("inf"), float("-inf")):
            self.fail(f"the number {word} is out of range")
        return value

    def bracket(self) -> tuple[float, Factor | None]:
        """``(variable +- constant)``, ``(constant +- variable)``, ``(-variable)`` or a number: scale and factor."""
        variable: str | None = None
        variable_sign, constant = 1.0, 0.0
        negative = self._leading_sign()
        while True:
            kind, word, position, _ = self.take()
            sign = -1.0 if negative else 1.0
            if kind == "number":
                constant += sign * self.number(word)
            elif word in VARIABLES and variable is None:
                variable, variable_sign = word, sign
            elif word in VARIABLES:
                self.fail("a bracket may hold one variable and numbers; multiply out longer ones", position)
            else:
                self.fail(
                    f"a bracket may hold one of {' '.join(VARIABLES)} plus or minus a number, got {word!r}", position
                )
            if self.peek() in ("+", "-"):
                negative = self.take()[1] == "-"
                continue
            if self.peek() != ")":
                self.fail("a bracket may hold one variable plus or minus a number, and must be closed by ')'", position)
            self.index += 1
            break
        if not math.isfinite(constant):
            self.fail("the sum of numbers in the bracket is out of range")
        if variable is None:
            return constant, None
        # c - v is -(v - c): the sign goes to the coefficient so that a factor is always variable + constant
        return variable_sign, Factor(variable, variable_sign * constant)
