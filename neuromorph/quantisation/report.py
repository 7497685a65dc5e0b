"""What a chip made of every number: value asked, value held, relative error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any, Literal

import numpy as np

from neuromorph.compact import Array
from neuromorph.recording import FloatArray

Status = Literal["exact", "rounded", "warning"]

EQUAL = 1e-12  # relative: what lies closer together differs by the arithmetic of this report


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """One quantity, or an array of them by its worst entry.

    ``asked`` and ``held`` are in units of the description. The relative error is ``|held - asked| / |asked|``. That of
    weights and bias is relative to the largest of the array, since one near 0 means nothing by itself; that of a time
    constant is the error of ``1 / (1 - decay)``, the sum of a response, which for long ones is the same.
    """

    where: str  # population, projection or rule
    quantity: str
    asked: float
    held: float
    relative_error: float
    status: Status
    note: str = ""
    mantissa: int | None = None  # what the chip stores
    exponent: int | None = None
    count: int = 1  # entries of the array
    rms: float = 0.0  # of all relative errors of the array

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; a number that is not finite becomes None."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain.items()
        }

    def __str__(self) -> str:
        parts = "" if self.mantissa is None else f" = {self.mantissa}"
        parts += "" if self.exponent is None else f" x 2^{self.exponent}"
        many = "" if self.count == 1 else f", worst of {self.count}, rms {self.rms:.2g}"
        note = f"; {self.note}" if self.note else ""
        return (
            f"{self.where}: {self.quantity}: asked {self.asked:.6g}, held {self.held:.6g}{parts},"
            f" error {100 * self.relative_error:.3g} %{many} ({self.status}){note}"
        )


@dataclass(frozen=True, kw_only=True)
class RoundingReport:
    """Every rounding of one program for one chip, in the program's order."""

    program: str
    chip: str
    rows: tuple[Rounding, ...]

    @property
    def worst(self) -> Rounding | None:
        """The row of the largest relative error; None where there is no row."""
        return max(self.rows, key=lambda row: row.relative_error, default=None)

    @property
    def warnings(self) -> tuple[Rounding, ...]:
        """Rows that change what the network can do, or that are far from what was asked."""
        return tuple(row for row in self.rows if row.status == "warning")

    def of(self, where: str) -> tuple[Rounding, ...]:
        """The rows of a population, projection or rule."""
        return tuple(row for row in self.rows if row.where == where)

    def __iter__(self) -> Iterator[Rounding]:
        return iter(self.rows)

    def __str__(self) -> str:
        counts = [sum(row.status == status for row in self.rows) for status in ("exact", "rounded", "warning")]
        title = f"{self.program!r} on {self.chip}: {counts[0]} exact, {counts[1]} rounded, {counts[2]} warnings"
        return "\n".join([title, *(f"  {row}" for row in self.rows)])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"program": self.program, "chip": self.chip, "rows": [row.to_json() for row in self.rows]}


def relative_error(asked: float, held: float) -> float:
    """``|held - asked| / |asked|``; 1 where something is held for 0, and where one of them is infinite.

    >>> relative_error(2.0, 1.5), relative_error(0.0, 0.0), relative_error(float("inf"), 3.0)
    (0.25, 0.0, 1.0)
    """
    if asked == held or math.isclose(asked, held, rel_tol=EQUAL):
        return 0.0
    if asked == 0 or not (math.isfinite(asked) and math.isfinite(held)):
        return 1.0
    return abs(held - asked) / abs(asked)


def at_most(value: float) -> str:
    """Six digits that are not above a value: a limit as text, so that who reads it as a number keeps to it.

    >>> at_most(1 / 3), at_least(1 / 3), at_most(0.25)
    ('0.333333', '0.333334', '0.25')
    """
    return f"{float(Context(prec=6, rounding=ROUND_FLOOR).create_decimal_from_float(value * (1 + EQUAL))):.6g}"


def at_least(value: float) -> str:
    """Six digits that are not below a value."""
    return f"{float(Context(prec=6, rounding=ROUND_CEILING).create_decimal_from_float(value * (1 - EQUAL))):.6g}"


def single(
    where: str,
    quantity: str,
    asked: float,
    held: float,
    *,
    note: str = "",
    warn: bool = False,
    mantissa: int | None = None,
    exponent: int | None = None,
) -> Rounding:
    """The row of one number."""
    error = relative_error(asked, held)
    return Rounding(
        where=where,
        quantity=quantity,
        asked=float(asked),
        held=float(held if error else asked),
        relative_error=error,
        status="warning" if warn else "rounded" if error > 0 else "exact",
        note=note,
        mantissa=mantissa,
        exponent=exponent,
        rms=error,
    )


def relative_errors(asked: FloatArray, held: FloatArray) -> FloatArray:
    """:func:`relative_error` of every entry."""
    finite = np.isfinite(asked) & np.isfinite(held)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        difference = np.abs(held - asked)
        equal = (asked == held) | (finite & (difference <= EQUAL * np.maximum(np.abs(asked), np.abs(held))))
        errors = np.where((asked == 0) | ~finite, 1.0, difference / np.abs(asked))
    return np.where(equal, 0.0, errors)


class Tally:
    """The worst entry of an array that comes in pieces, of equal ones the largest; and the sum of all squared errors.

    Errors are relative to ``unit``, or each to its own value.
    """

    def __init__(self, unit: float | None = None) -> None:
        self.unit = unit
        self.count, self.squares = 0, 0.0
        self.worst: tuple[float, float, float, int | None] | None = None  # error, asked, held, mantissa

    def add(self, asked: FloatArray, held: FloatArray, mantissa: Array | None = None) -> None:
        """A further piece, which is not empty."""
        if self.unit is None:
            errors = relative_errors(asked, held)
        else:
            errors = np.abs(held - asked) / self.unit
            errors[errors <= EQUAL] = 0.0
        self.count += errors.size
        self.squares += float(np.sum(errors**2))
        largest = np.flatnonzero(errors == errors.max())
        place = int(largest[np.argmax(np.abs(asked[largest]))])
        number = None if mantissa is None else int(mantissa[place])
        found = float(errors[place]), float(asked[place]), float(held[place]), number
        if self.worst is None or (found[0], abs(found[1])) > (self.worst[0], abs(self.worst[1])):
            self.worst = found

    def row(
        self, where: str, quantity: str, *, note: str = "", warn: bool = False, exponent: int | None = None
    ) -> Rounding:
        """The row of all pieces, of which there was one."""
        assert self.worst is not None
        error, asked, held, mantissa = self.worst
        return Rounding(
            where=where,
            quantity=quantity,
            asked=asked,
            held=held if error else asked,
            relative_error=error,
            status="warning" if warn else "rounded" if error > 0 else "exact",
            note=note,
            mantissa=mantissa,
            exponent=exponent,
            count=self.count,
            rms=math.sqrt(self.squares / self.count),
        )


def several(
    where: str,
    quantity: str,
    asked: FloatArray,
    held: FloatArray,
    *,
    unit: float | None = None,
    note: str = "",
    mantissa: FloatArray | None = None,
    exponent: int | None = None,
) -> Rounding:
    """The row of an array: its worst entry; errors are relative to ``unit``, or each to its own value."""
    tally = Tally(unit)
    tally.add(asked, held, mantissa)
    return tally.row(where, quantity, note=note, exponent=exponent)
