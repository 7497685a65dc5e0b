"""A table as data, and the ways to show it: in the terminal and as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_HEADING_WIDTH = 10  # headings of figures are broken to this
_NAME_WIDTH = 11  # names are not broken below this


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its heading, and whether it holds figures (aligned right, never broken)."""

    heading: str
    figures: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of cells; ``notice`` stands in place of the figures of what was not available."""

    cells: tuple[str, ...]
    notice: str = ""
    agrees: bool | None = None  # with the reference, where it was compared


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table, as data; consecutive lines with the same first cell belong together."""

    title: str
    note: str  # how to read it
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def sheet_group(shown: Iterable[Sheet]) -> Group:
    """Sheets for the terminal, each with its note."""
    parts: list[Table | Padding] = []
    for sheet in shown:
        parts += [rich_table(sheet), Padding(Text(sheet.note, style="dim"), (0, 1, 1, 1))]
    return Group(*parts)


def rich_table(sheet: Sheet) -> Table:
    """A sheet for the terminal."""
    table = Table(title=sheet.title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(sheet.columns):
        widest = max(len(line.cells[index]) for line in sheet.lines)
        is_last = index == len(sheet.columns) - 1
        table.add_column(
            column.heading,
            justify="right" if column.figures else "left",
            overflow="fold",
            min_width=None if is_last else min(widest, _NAME_WIDTH),
            max_width=max(widest, _HEADING_WIDTH) if column.figures else None,
        )
    groups = list(by_learner(sheet.lines))
    has_groups = len(groups) < len(sheet.lines)
    for lines in groups:
        for line in lines:
            cells = (*line.cells[:-1], line.notice or line.cells[-1])
            style = "yellow" if line.notice else None
            table.add_row(*(Text(cell) for cell in cells), style=style, end_section=has_groups and line is lines[-1])
    return table


def by_learner(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines whose first cell is the same, together."""
    for _, group in groupby(lines, key=lambda line: line.cells[0]):
        yield list(group)


def markdown_lines(sheet: Sheet) -> Iterator[str]:
    """A sheet as GitHub Markdown."""
    yield f"### {sheet.title}"
    yield ""
    yield "| " + " | ".join(column.heading for column in sheet.columns) + " |"
    yield "| " + " | ".join("---:" if column.figures else "---" for column in sheet.columns) + " |"
    for line in sheet.lines:
        cells = (*line.cells[:-1], line.notice or line.cells[-1])
        yield "| " + " | ".join(map(_escaped, cells)) + " |"
    yield ""
    yield sheet.note
    yield ""


def _escaped(cell: str) -> str:
    """Text that Markdown must not take for markup; underscores inside words are safe."""
    cell = re.sub(r"([\\`*|\[\]~])", r"\\\1", cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", cell)
