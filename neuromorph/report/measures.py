"""Terminal tables of experiments: what was measured, and the range that it had to lie in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from neuromorph.report.units import printable


def measures_table(title: str, results: Sequence[Mapping[str, Any]]) -> Table:
    """One line a number: value, expected range, whether it is inside, and where the expectation comes from."""
    table = Table(title=Text(printable(title)), title_justify="left", title_style="bold")
    for column in ("seed", "measure", "value", "expected", "inside", "expected because"):
        table.add_column(column, overflow="fold", justify="right" if column in ("seed", "value") else "left")
    for run in results:
        for measure in run["measures"]:
            inside = Text("yes", style="green") if measure["inside"] else Text("NO", style="bold red")
            unit = measure["unit"]
            shown = (_with_unit(measure["value"], unit), expected_range(measure["low"], measure["high"], unit))
            table.add_row(
                str(run["seed"]), Text(measure["measure"]), *map(Text, shown), inside, Text(measure["source"])
            )
    return table


def experiments_table(rows: Iterable[Mapping[str, str]]) -> Table:
    """One line an experiment: name, title, what it shows, papers."""
    table = Table(title="Experiments", title_justify="left", title_style="bold")
    for column in ("name", "title", "what it shows", "paper"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(row[key])) for key in ("name", "title", "sentence", "source")))
    return table


def expected_range(low: float | None, high: float | None, unit: str) -> str:
    """A range as text; None is an open end.

    >>> expected_range(4.5, 5.5, "Hz"), expected_range(None, 0.4, ""), expected_range(0.0, 0.0, "")
    ('4.5 to 5.5 Hz', 'at most 0.4', '0')
    """
    if low is None and high is None:
        return "any"
    if low is None or high is None:
        return f"at {'most' if low is None else 'least'} {_with_unit(high if low is None else low, unit)}"
    return _with_unit(high, unit) if low == high else f"{low:.6g} to {_with_unit(high, unit)}"


def _with_unit(value: float | None, unit: str) -> str:
    number = "not a number" if value is None else f"{value:.4g}"
    return f"{number} {unit}".rstrip()
