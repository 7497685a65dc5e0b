"""The rule language: sums of products of local variables, as Loihi's tools write them.

A target (``dw`` weight, ``dt`` eligibility tag, ``dd`` delay) is a sum of products. Every product has exactly one
dependency, which says when it is computed: ``x0`` (the presynaptic neuron spiked), ``y0`` (the postsynaptic neuron
spiked) or ``u0``, ``u1``, ... ``u9`` (every epoch, every 2nd, ... every 2^k-th epoch). Its other factors are the
variables ``x1 x2`` (presynaptic traces), ``y1 y2 y3`` (postsynaptic traces), ``w`` (weight), ``d`` (delay), ``t``
(tag), ``r`` (third factor), a variable plus or minus a constant in brackets, or ``sgn(...)`` (the sign) and ``pos(...)``
(the larger of it and 0) of such; numbers and powers ``2^n`` multiply into one coefficient. Powers of variables and
products of longer brackets are multiplied out. In a rule, ``w_min`` and ``w_max`` are its bounds, as in ``(w_max - w)``. The
same in Python: :mod:`neuromorph.plasticity.variables`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping

from neuromorph.errors import RuleError
from neuromorph.plasticity.expression import FUNCTIONS, Expression, Term, number, product_of, variable
from neuromorph.plasticity.terms import DEPENDENCIES, VARIABLES, Factor, Product, SumOfProducts

__all__ = ["DEPENDENCIES", "VARIABLES", "Factor", "Product", "SumOfProducts", "parse"]

DEEPEST = 40  # brackets within brackets

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*^()/]))"
)


def parse(text: str, numbers: Mapping[str, float] | None = None) -> SumOfProducts:
    """Read a target from text, in which ``numbers`` have names.

    Raises :class:`RuleError` naming the text, the place and what is allowed there.

    >>> str(parse("0.01*x1*y0")) == str(parse("x1 * 1e-2 * y0"))
    True
    >>> print(parse("2^-2 * (x1 - y1)*y0 - x0*w^2"))
    0.25 * x1 * y0 - 0.25 * y1 * y0 - 1.0 * w * w * x0
    >>> parse("x1*y1")
    Traceback (most recent call last):
        ...
    neuromorph.errors.RuleError: in 'x1*y1': the product 'x1*y1' has no dependency: multiply by x0, y0 or u0 to u9
    """
    return _Parser(text, numbers or {}).target()


class _Parser:
    """Recursive descent over the tokens of one target."""

    def __init__(self, text: str, numbers: Mapping[str, float]) -> None:
        if not isinstance(text, str) or not text.strip():
            raise RuleError(f"a target must be text such as 'x1*y0 - y1*x0', got {text!r}")
        self.text, self.numbers = text, numbers
        self.tokens: list[tuple[str, str, int, int]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                position += len(text[position:]) - len(text[position:].lstrip())
                raise self.fault(f"{text[position]!r} means nothing here", position)
            assert match.lastgroup is not None
            kind = match.lastgroup
            self.tokens.append((kind, match.group(kind), match.start(kind), match.end(kind)))
            position = match.end()
        self.index = self.depth = 0

    def fault(self, message: str, position: int | None = None) -> RuleError:
        where = "" if position is None else f" (at character {position + 1})"
        return RuleError(f"in {self.text!r}: {message}{where}")

    def made(
        self, operation: Callable[..., Expression], *operands: Expression | float, position: int | None = None
    ) -> Expression:
        """What the algebra makes of the operands; its errors with text and place."""
        try:
            return operation(*operands)
        except RuleError as error:
            raise self.fault(str(error), position) from None

    def peek(self) -> str:
        return self.tokens[self.index][1] if self.index < len(self.tokens) else ""

    def position(self) -> int:
        return self.tokens[self.index][2] if self.index < len(self.tokens) else len(self.text)

    def take(self) -> tuple[str, str, int, int]:
        if self.index >= len(self.tokens):
            raise self.fault("it ends where a number, a variable or a bracket is expected")
        token = self.tokens[self.index]
        self.index += 1
        return token

    def expect(self, sign: str) -> None:
        if self.peek() != sign:
            raise self.fault(
                f"expected {sign!r}, got {self.peek()!r}" if self.peek() else f"expected {sign!r} at its end"
            )
        self.index += 1

    def target(self) -> SumOfProducts:
        products: list[Product] = []
        for start, end, summand in self.summands():
            text = self.text[start:end].strip()
            products += [self.product(term, text, len(summand.terms)) for term in summand.terms]
        if self.index < len(self.tokens):
            raise self.fault(f"expected '*', '+' or '-', got {self.peek()!r}", self.position())
        return SumOfProducts(tuple(products))

    def product(self, term: Term, text: str, among: int) -> Product:
        """A product of the target, from a summand of this text that became so many."""
        if len(term.dependencies) == 1:
            return product_of(term)
        which = repr(text) if among == 1 else f"{str(term)!r}, of {text!r} multiplied out,"
        if not term.dependencies:
            raise self.fault(f"the product {which} has no dependency: multiply by x0, y0 or u0 to u9")
        names = ", ".join(term.dependencies)
        raise self.fault(
            f"the product {which} has {len(term.dependencies)} dependencies ({names}): only one is allowed"
        )

    def summands(self) -> list[tuple[int, int, Expression]]:
        """Signed products up to what cannot go on a sum: where each begins and ends in the text, and what it is."""
        found = []
        negative = self.leading_sign()
        while True:
            start = self.position()
            factor = self.factors()
            found.append((start, self.tokens[self.index - 1][3], -factor if negative else factor))
            if self.peek() not in ("+", "-"):
                return found
            negative = self.take()[1] == "-"

    def leading_sign(self) -> bool:
        if self.peek() in ("+", "-"):
            return self.take()[1] == "-"
        return False

    def factors(self) -> Expression:
        """``factor * factor / number ...``."""
        result = self.power()
        while self.peek() in ("*", "/"):
            _, sign, position, _ = self.take()
            operation = operator.mul if sign == "*" else operator.truediv
            result = self.made(operation, result, self.power(), position=position)
        return result

    def power(self) -> Expression:
        """A factor with the signs before it and its exponent, if there are any."""
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.leading_sign()
        base = self.factor()
        if self.peek() in ("^", "**"):
            position = self.take()[2]
            base = self.made(operator.pow, base, self.exponent(), position=position)
        return -base if negative else base

    def exponent(self) -> Expression:
        """A number, with a sign or in brackets."""
        negative = self.leading_sign()
        kind, word, at, _ = self.take()
        if kind != "number" and word != "(":
            raise self.fault(f"expected a whole exponent, got {word!r}", at)
        exponent = self.bracket() if word == "(" else number(float(word))
        return -exponent if negative else exponent

    def factor(self) -> Expression:
        kind, word, position, _ = self.take()
        if kind == "number":
            if not math.isfinite(float(word)):
                raise self.fault(f"the number {word} is out of range")
            return number(float(word))
        if word == "(":
            return self.bracket()
        if word in FUNCTIONS:
            self.expect("(")
            return self.made(FUNCTIONS[word], self.bracket(), position=position)
        if word in DEPENDENCIES or word in VARIABLES:
            return variable(word)
        if word in self.numbers:
            if not math.isfinite(self.numbers[word]):
                raise self.fault(f"{word} is {self.numbers[word]!r} here: give it a finite value", position)
            return number(self.numbers[word])
        if kind == "name":
            known = " ".join(("x0", "y0", "u0..u9", *VARIABLES, *self.numbers))
            raise self.fault(f"there is no variable {word!r}; known: {known}; functions: sgn pos", position)
        raise self.fault(f"expected a number, a variable or a bracket, got {word!r}", position)

    def bracket(self) -> Expression:
        """A sum up to the closing bracket."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"brackets lie more than {DEEPEST} deep", self.position())
        total, *others = (summand for _, _, summand in self.summands())
        for other in others:
            total = self.made(operator.add, total, other)
        if self.peek() != ")":
            what = f"expected '*', '+', '-' or ')', got {self.peek()!r}" if self.peek() else "expected ')' at its end"
            raise self.fault(what, self.position() if self.peek() else None)
        self.index += 1
        self.depth -= 1
        return total
