"""Figures of experiments: panels side by side in the house's style. It imports matplotlib; experiments import it to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from neuromorph.networks.experiment import Result
from neuromorph.report.canvas import INK, MUTED, NORMAL, RULE, SERIES, WIDE, add_axes, new_figure, write

__all__ = [
    "INK",
    "MUTED",
    "RULE",
    "SERIES",
    "WIDE",
    "expected_at",
    "expected_band",
    "logarithmic",
    "panels",
    "small_legend",
]

_LEFT, _GAP, _RIGHT, _TOP, _BOTTOM = 0.62, 0.72, 0.15, 0.42, 0.5  # inches


def panels(
    titles: Sequence[str], *, height: float = 2.5, widths: Sequence[float] | None = None, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page, with ``rows`` rows of axes, each under its title; row by row from the upper left.

    ``height`` is of one panel, in inches; ``widths`` are relative, one for each panel of a row.
    """
    columns = -(-len(titles) // rows)
    shares = [1.0] * columns if widths is None else list(widths)
    free = WIDE - _LEFT - _RIGHT - _GAP * (columns - 1)
    row_height = height + _TOP + _BOTTOM
    figure = new_figure(WIDE, rows * row_height)
    drawn: list[Axes] = []
    for index, title in enumerate(titles):
        row, column = divmod(index, columns)
        left = _LEFT + column * _GAP + free * sum(shares[:column]) / sum(shares)
        bottom = (rows - 1 - row) * row_height + _BOTTOM
        axes = add_axes(figure, left, bottom, free * shares[column] / sum(shares), height)
        write(axes, 0.0, 1.09, title, coordinates="axes", size=NORMAL, bold=True)
        drawn.append(axes)
    return figure, drawn


def expected_band(axes: Axes, low: float, high: float, *, axis: str = "y") -> None:
    """Shade where a number must lie."""
    (axes.axhspan if axis == "y" else axes.axvspan)(low, high, color=SERIES[2], alpha=0.13, linewidth=0)


def expected_at(axes: Axes, place: float, result: Result, name: str, *, width: float = 0.8) -> None:
    """Shade where the measure of this name must lie, about one place of an axis of kinds; set the limits of y first."""
    measure = next(measure for measure in result.measures if measure.name == name)
    low, high = np.clip([measure.low, measure.high], *axes.get_ylim())
    axes.bar(place, high - low, width=width, bottom=low, color=SERIES[2], alpha=0.13, linewidth=0)


def logarithmic(axes: Axes, *names: str) -> None:
    """Make the axes of these names, ``x`` and ``y``, logarithmic, with plain numbers at 1, 2 and 5 times powers of ten."""
    for name in names:
        (axes.set_xscale if name == "x" else axes.set_yscale)("log")
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def small_legend(axes: Axes, place: Any = "best") -> None:
    """A frameless legend of what was drawn with a label."""
    axes.legend(frameon=False, fontsize=7.5, labelcolor=INK, loc=place, handlelength=1.6, borderaxespad=0.3)
