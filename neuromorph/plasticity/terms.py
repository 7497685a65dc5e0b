"""What a target of a rule is made of: factors, products with one dependency each, and their sum."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neuromorph.errors import RuleError, raise_faults

VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "d", "t", "r")
DEPENDENCIES = ("x0", "y0", *(f"u{k}" for k in range(10)))


@dataclass(frozen=True)
class Factor:
    """``variable + constant``; its sign where ``sign`` is set, the larger of it and 0 where ``positive`` is.

    >>> print(Factor("w", -1.0), Factor("w", -1.0, sign=True), Factor("y1", -0.5, positive=True))
    (w - 1.0) sgn(w - 1.0) pos(y1 - 0.5)
    """

    variable: str
    constant: float = 0.0
    sign: bool = False
    positive: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "constant", float(self.constant))
        if self.variable not in VARIABLES or not math.isfinite(self.constant):
            raise RuleError(f"a factor is one of {' '.join(VARIABLES)} plus a finite number, got {self!r}")
        if self.sign and self.positive:
            raise RuleError(f"a factor is a sign or a positive part, not both, got {self!r}")

    @property
    def is_bare(self) -> bool:
        """Whether it is the variable itself."""
        return not (self.constant or self.sign or self.positive)

    def __str__(self) -> str:
        if self.constant == 0:
            inner = self.variable
        else:
            inner = f"{self.variable} {'-' if self.constant < 0 else '+'} {abs(self.constant)!r}"
        if self.sign or self.positive:
            return f"{'sgn' if self.sign else 'pos'}({inner})"
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
        order = sorted(self.factors, key=lambda f: (VARIABLES.index(f.variable), f.constant, f.sign, f.positive))
        object.__setattr__(self, "factors", tuple(order))

    def __str__(self) -> str:
        return " * ".join([repr(abs(self.coefficient)), *map(str, self.factors), self.dependency])


@dataclass(frozen=True)
class SumOfProducts:
    """A target of a rule.

    >>> print(SumOfProducts((Product(0.25, "y0", (Factor("x1"),)), Product(-1.0, "x0", (Factor("y1"),)))))
    0.25 * x1 * y0 - 1.0 * y1 * x0
    """

    products: tuple[Product, ...]

    def __str__(self) -> str:
        return _joined([(product.coefficient < 0, str(product)) for product in self.products])

    @property
    def variables(self) -> frozenset[str]:
        """Variables that are read, dependencies not counted."""
        return frozenset(factor.variable for product in self.products for factor in product.factors)

    @property
    def dependencies(self) -> frozenset[str]:
        """Dependencies that occur."""
        return frozenset(product.dependency for product in self.products)

    def to_loihi(self) -> str:
        """Loihi's notation: coefficients as ``m * 2^e``, m in -8..7 and e in -7..8, constants whole or a power of two.

        Raises :class:`RuleError` with everything that has no such form: other coefficients and constants, ``pos()``, and
        r, which is a postsynaptic trace there. Davies et al., IEEE Micro 38(1), 2018.

        >>> print(SumOfProducts((Product(0.25, "y0", (Factor("x1"),)), Product(-3.0, "x0", (Factor("w", -1.0),)))).to_loihi())
        2^-2 * x1 * y0 - 3 * 2^0 * (w - 1) * x0
        """
        raise_faults(RuleError, [fault for product in self.products for fault in _loihi_faults(product)])
        return _joined([(product.coefficient < 0, _loihi_product(product)) for product in self.products])


def engine_parts(coefficient: float) -> tuple[int, int] | None:
    """Mantissa in -8..7 and exponent in -7..8 of a coefficient of a learning engine; None where it has no such form.

    >>> engine_parts(0.75), engine_parts(-16.0), engine_parts(0.1)
    ((3, -2), (-1, 4), None)
    """
    if coefficient == 0 or not math.isfinite(coefficient):
        return None
    mantissa, exponent = math.frexp(coefficient)
    while mantissa % 1 and exponent > -7:
        mantissa, exponent = 2 * mantissa, exponent - 1
    while mantissa % 2 == 0 and exponent < -7:
        mantissa, exponent = mantissa / 2, exponent + 1
    while exponent > 8:
        mantissa, exponent = 2 * mantissa, exponent - 1
    fits = mantissa % 1 == 0 and -8 <= mantissa <= 7 and -7 <= exponent <= 8
    return (int(mantissa), exponent) if fits else None


def _joined(products: list[tuple[bool, str]]) -> str:
    """Products, each with whether it is subtracted, as one sum."""
    text = "".join(f" {'-' if negative else '+'} {product}" for negative, product in products)
    return text.removeprefix(" + ") if not text.startswith(" - ") else f"-{text[3:]}"


def _loihi_faults(product: Product) -> list[str]:
    found = []
    if engine_parts(product.coefficient) is None:
        found.append(
            f"coefficient {product.coefficient!r} of {product} is not m 2^e with m in -8..7 and e in -7..8:"
            " Loihi's notation holds no other; quantise() finds the nearest"
        )
    for factor in product.factors:
        if factor.positive:
            found.append(f"Loihi's notation has no {factor}")
        if factor.variable == "r":
            found.append(f"Loihi's notation has no r: in {product} a third factor is a postsynaptic trace there")
        if factor.constant % 1 and math.frexp(abs(factor.constant))[0] != 0.5:
            found.append(f"the constant of {factor} is neither whole nor a power of two, as Loihi's notation wants it")
    return found


def _loihi_product(product: Product) -> str:
    parts = engine_parts(product.coefficient)
    assert parts is not None
    mantissa = [] if abs(parts[0]) == 1 else [str(abs(parts[0]))]
    return " * ".join([*mantissa, f"2^{parts[1]}", *map(_loihi_factor, product.factors), product.dependency])


def _loihi_factor(factor: Factor) -> str:
    size = abs(factor.constant)
    number = f"{size:.0f}" if size % 1 == 0 else f"2^{math.frexp(size)[1] - 1}"
    inner = f"{factor.variable} {'-' if factor.constant < 0 else '+'} {number}" if size else factor.variable
    if factor.sign:
        return f"sgn({inner})"
    return f"({inner})" if size else inner
