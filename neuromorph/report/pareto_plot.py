"""The Pareto plot: accuracy against energy and against latency, ranges as bars, the front as a line of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from neuromorph.recording import FloatArray
from neuromorph.report.canvas import (
    INK,
    MUTED,
    SMALL,
    WIDE,
    add_axes,
    colour_of,
    label,
    legend,
    log_ticks,
    marker_of,
    name_axes,
    new_figure,
    ruled,
    svg_bytes,
    write,
)
from neuromorph.report.estimates import learner_names
from neuromorph.report.pareto import Candidate, Quantity, candidates, front, surely_beaten
from neuromorph.scorecard import Range, Scorecard

PANELS: tuple[tuple[Quantity, str, str], ...] = (
    ("energy", "J", "energy per inference (J)"),
    ("latency", "s", "latency per inference (s)"),
)
_HEIGHT, _LEFT, _BOTTOM, _GAP, _LEGEND_ROW = 3.5, 0.6, 0.55, 0.42, 0.22  # inches
_POINT = 1 / 72  # inches
_APART, _SPREAD = 7.0, 24.0  # points between bars of the same accuracy, and from the first of them to the last at most
_ROOM = 3.0  # points between a marker and its text
_FONT = FontProperties(family="DejaVu Sans")

Size = tuple[float, float]  # of axes, points


@dataclass(frozen=True)
class Box:
    """A rectangle in points from the lower left corner of the axes."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)


def pareto_plot(scorecard: Scorecard) -> bytes | None:
    """The figure as SVG; None where no learner has both an accuracy and a cost."""
    figure = pareto_figure(scorecard)
    return None if figure is None else svg_bytes(figure)


def pareto_figure(scorecard: Scorecard) -> Figure | None:
    """A panel for energy and one for latency, with one scale of accuracy."""
    found = {quantity: candidates(scorecard, quantity) for quantity, _, _ in PANELS}
    shown = [panel for panel in PANELS if found[panel[0]]]
    if not shown:
        return None
    everyone = [one for some in found.values() for one in some]
    learners = [name for name in learner_names(scorecard) if any(one.learner == name for one in everyone)]
    rows = math.ceil(len(learners) / 4)
    figure = new_figure(WIDE, _BOTTOM + _HEIGHT + _LEGEND_ROW * rows + 0.1)
    width = (WIDE - _LEFT - 0.1 - _GAP * (len(shown) - 1)) / len(shown)
    low, high = _accuracies(everyone)
    order = learner_names(scorecard)
    for column, (quantity, unit, name) in enumerate(shown):
        axes = add_axes(figure, _LEFT + column * (width + _GAP), _BOTTOM, width, _HEIGHT)
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(MaxNLocator(6))
        if column:
            axes.tick_params(labelleft=False)
        _draw(axes, found[quantity], order, unit, (width / _POINT, _HEIGHT / _POINT))
        ruled(axes, "both")
        name_axes(axes, name, "" if column else "held-out accuracy (%)")
        if not column:
            _name_learners(axes, learners, order)
    return figure


def _accuracies(everyone: Sequence[Candidate]) -> tuple[float, float]:
    """Ends of the axis in percent, with room for texts above and below."""
    least = min(100.0 * (one.accuracy - one.spread) for one in everyone)
    most = max(100.0 * (one.accuracy + one.spread) for one in everyone)
    room = max(0.16 * (most - least), 1.0)
    return max(least - room, -2.0), min(most + room, 102.0)


def _draw(axes: Axes, found: Sequence[Candidate], order: Sequence[str], unit: str, size: Size) -> None:
    ends = [end for one in found for end in one.cost if end > 0]
    decades = max(math.log10(max(ends) / min(ends)), 0.5)
    log_ticks(axes, min(ends) / 10 ** (0.06 * decades), max(ends) * 10 ** (0.06 * decades), unit)
    least = axes.get_xlim()[0]
    heights = _heights(axes, found, size[1])
    drawn = {id(one): y for one, y in zip(found, heights, strict=True)}
    taken = _draw_front(axes, [(one.middle, drawn[id(one)]) for one in front(found)])
    for one, beaten, y in zip(found, surely_beaten(found), heights, strict=True):
        colour = colour_of(order.index(one.learner))
        low, high = max(one.cost[0], least), one.cost[1]
        axes.plot([low, high], [y, y], color=colour, linewidth=1.6, alpha=0.55, solid_capstyle="butt")
        axes.plot([low, high], [y, y], color=colour, linestyle="none", marker="|", markersize=6, markeredgewidth=1.2)
        if one.spread > 0:
            spread = 100.0 * one.spread
            axes.plot([one.middle] * 2, [y - spread, y + spread], color=colour, linewidth=0.9, alpha=0.55)
        axes.plot(
            [one.middle],
            [y],
            marker=marker_of(order.index(one.learner)),
            markersize=6.5,
            color=colour,
            markerfacecolor="none" if beaten else colour,
            markeredgewidth=1.3,
        )
        taken += _marks(axes, one, (low, high), y)
    named: list[Box] = []
    for one, y in zip(found, heights, strict=True):
        _name_chip(axes, one, y, taken, named, size)


def _heights(axes: Axes, found: Sequence[Candidate], height: float) -> FloatArray:
    """Accuracies in percent, moved apart where bars would lie on one another; ``height`` of the axes in points."""
    low, high = axes.get_ylim()
    point = (high - low) / height
    y = np.array([100.0 * one.accuracy for one in found])
    moved = y.copy()
    for value in np.unique(y):
        same = [int(index) for index in np.flatnonzero(y == value)]
        lanes = _lanes([found[index].cost for index in same])
        step = point * min(_APART, _SPREAD / max(*lanes, 1))
        moved[same] = value + step * (np.array(lanes) - max(lanes) / 2)
    return np.asarray(moved)


def _lanes(ranges: Sequence[Range]) -> list[int]:
    """The lowest number for each range so that ranges of one number do not touch."""
    found, ends = [0] * len(ranges), [-math.inf]
    for place in sorted(range(len(ranges)), key=lambda place: ranges[place]):
        low, high = ranges[place]
        free = [lane for lane, end in enumerate(ends) if end < low]
        found[place] = free[0] if free else len(ends)
        ends += [] if free else [high]
        ends[found[place]] = high
    return found


def _draw_front(axes: Axes, kept: Sequence[tuple[float, float]]) -> list[Box]:
    """Up at each candidate (cost, height) of the front and level to the next; what the line covers."""
    heights = [axes.get_ylim()[0], *(height for _, height in kept)]
    x = [cost for cost, _ in kept for _ in ("up", "level")] + [axes.get_xlim()[1]]
    y = [height for pair in pairwise(heights) for height in pair] + [heights[-1]]
    axes.plot(x, y, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1.5)
    corners = [_at(axes, *corner) for corner in zip(x, y, strict=True)]
    return [
        Box(min(a[0], b[0]) - 1, min(a[1], b[1]) - 1, max(a[0], b[0]) + 1, max(a[1], b[1]) + 1)
        for a, b in pairwise(corners)
    ]


def _marks(axes: Axes, one: Candidate, ends: Range, y: float) -> list[Box]:
    """What a bar, its marker and the spread over seeds cover."""
    start, centre, stop = (_at(axes, x, y) for x in (ends[0], one.middle, ends[1]))
    up = _at(axes, one.middle, y + 100.0 * one.spread)[1]
    down = _at(axes, one.middle, y - 100.0 * one.spread)[1]
    return [
        Box(start[0] - 1, start[1] - 2, stop[0] + 1, stop[1] + 2),
        Box(centre[0] - 5, centre[1] - 5, centre[0] + 5, centre[1] + 5),
        Box(centre[0] - 1, down, centre[0] + 1, up),
    ]


def _name_chip(axes: Axes, one: Candidate, y: float, taken: Sequence[Box], named: list[Box], size: Size) -> None:
    """The chip's name where it covers least: above or below the marker or an end of the bar, or beside an end."""
    text = label(one.chip, 18)
    extents = TextPath((0, 0), text, size=SMALL, prop=_FONT).get_extents()
    width, half = float(extents.width), SMALL / 2
    low, high = max(one.cost[0], axes.get_xlim()[0]), one.cost[1]
    left, middle, right = (_at(axes, x, y) for x in (low, one.middle, high))
    away = half + _ROOM + 3
    places = [(right[0] + _ROOM + 1, right[1]), (left[0] - _ROOM - 1 - width, left[1])]
    for up in (away, -away, 1.7 * away, -1.7 * away):
        # beside the line of the spread, which goes through the marker, or at the ends of the bar
        places += [(middle[0] + 4.0, middle[1] + up), (middle[0] - 4.0 - width, middle[1] + up)]
        places += [(right[0] - width, right[1] + up), (left[0], left[1] + up)]

    def covered(place: tuple[float, float]) -> float:
        box = _box(place, width)
        beyond = (-box.left, box.right - size[0], -box.bottom, box.top - size[1])
        far = abs(place[1] - middle[1]) + 0.1 * abs(place[0] + width / 2 - middle[0])
        over = 3.0 * sum(box.overlap(other) for other in taken) + 20.0 * sum(box.overlap(other) for other in named)
        return over + 0.5 * far + 1000.0 * sum(max(end, 0.0) for end in beyond)

    best = min(places, key=covered)
    named.append(_box(best, width))
    write(axes, best[0] / size[0], best[1] / size[1], text, coordinates="axes", colour=INK, size=SMALL)


def _box(place: tuple[float, float], width: float) -> Box:
    """Of a text that begins here, at half its height."""
    return Box(place[0] - 1, place[1] - SMALL * 0.6, place[0] + width + 1, place[1] + SMALL * 0.6)


def _at(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """A point of the data in points from the lower left corner of the axes."""
    figure_size, share = axes.get_figure().get_size_inches(), axes.get_position()  # type: ignore[union-attr]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    across = math.log10(x / left) / math.log10(right / left)
    up = (y - bottom) / (top - bottom)
    return across * share.width * figure_size[0] / _POINT, up * share.height * figure_size[1] / _POINT


def _name_learners(axes: Axes, learners: Sequence[str], order: Sequence[str]) -> None:
    handles = []
    for name in learners:
        index = order.index(name)
        handles += axes.plot([], [], color=colour_of(index), marker=marker_of(index), linestyle="none", markersize=6)
    legend(axes, handles, [label(name) for name in learners], above=True)
