"""Figures that set the learners of a scorecard side by side: learning curves, energy, latency, speed.

Each function returns SVG, or ``None`` where there is nothing to show. A learner has the same colour and marker in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neuromorph.recording import FloatArray
from neuromorph.report.canvas import (
    INK,
    MUTED,
    NORMAL,
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
from neuromorph.report.estimates import Estimate, estimates, learner_names
from neuromorph.report.units import EN_DASH, si_range
from neuromorph.scorecard import Evidence, Range, Scorecard

_ROW = 0.24  # height of a bar's row, inches
_LEGEND_ROW = 0.22
_FIGURES = 1.2  # width of the figures beside a bar, inches
_NARROW, _TICK = 3.0, 0.75  # panels up to this width have a mark for so much of it, inches


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row of a chart: a heading (no values) or a name with one range for each panel."""

    name: str
    colour: str
    marker: str = ""  # of a heading
    values: tuple[Range | None, ...] = ()


def learning_curves(scorecard: Scorecard) -> bytes | None:
    """Held-out accuracy over the number of training samples seen, all learners; bands: 95 % of sampling error."""
    shown = [evidence for evidence in scorecard.evidence if evidence.curve_samples.size]
    if not shown:
        return None
    figure = new_figure(WIDE, 4.3 + _LEGEND_ROW * math.ceil(len(shown) / 4))
    axes = add_axes(figure, 0.6, 0.55, WIDE - 0.65, 3.6)
    learners = learner_names(scorecard)
    positive = np.concatenate([evidence.curve_samples[evidence.curve_samples > 0] for evidence in shown])
    handles = []
    for evidence in shown:
        index = learners.index(evidence.learner)
        keep = evidence.curve_samples > 0 if positive.size else slice(None)
        samples, accuracy = evidence.curve_samples[keep], 100.0 * evidence.curve_accuracy[keep]
        low, high = _sampling_error(evidence, evidence.curve_accuracy[keep])
        axes.fill_between(samples, 100.0 * low, 100.0 * high, color=colour_of(index), alpha=0.16, linewidth=0)
        handles += axes.plot(
            samples, accuracy, color=colour_of(index), marker=marker_of(index), markersize=4.5, linewidth=1.5
        )
    if positive.size:
        spread = max(float(positive.max() / positive.min()), 10.0) ** 0.04
        log_ticks(axes, float(positive.min()) / spread, float(positive.max()) * spread, "")
    chance = _chance(shown)
    if chance is not None:
        axes.axhline(100.0 * chance, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
        write(
            axes,
            0.995,
            100.0 * chance - 0.8,
            "guessing",
            coordinates="y data",
            colour=MUTED,
            horizontal="right",
            vertical="top",
        )
    axes.set_ylim(0.0, 100.0)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    ruled(axes, "both")
    name_axes(axes, "training samples seen (repetitions counted)", "held-out accuracy (%)")
    legend(axes, handles, [label(evidence.learner) for evidence in shown], above=True)
    return svg_bytes(figure)


def energy_bars(scorecard: Scorecard) -> bytes | None:
    """Estimated energy of classifying and of learning one sample, low to high, by learner and chip."""
    return _estimate_chart(
        scorecard,
        [lambda entry: entry.energy_joule, lambda entry: entry.learning_energy_joule],
        ["energy per inference (J)", "energy per learned sample (J)"],
        "J",
    )


def latency_bars(scorecard: Scorecard) -> bytes | None:
    """Estimated time that a chip needs for classifying one sample, low to high, by learner and chip."""
    return _estimate_chart(scorecard, [lambda entry: entry.latency_second], ["latency per inference (s)"], "s")


def speed_chart(scorecard: Scorecard) -> bytes | None:
    """Measured wall time of classifying and of learning one sample, by learner and backend."""
    bars: list[Bar] = []
    for index, learner in enumerate(learner_names(scorecard)):
        rows = [row for row in scorecard.rows if row.learner == learner and row.available]
        found = [
            Bar(
                name=label(row.backend, 22),
                colour=colour_of(index),
                values=tuple(
                    None if seconds is None or not 0 < seconds < math.inf else (seconds, seconds)
                    for seconds in (row.seconds_per_sample, row.learning_seconds_per_sample)
                ),
            )
            for row in rows
        ]
        bars += _headed(learner, index, found)
    return bar_chart(bars, ["wall time per classified sample (s)", "wall time per learned sample (s)"], "s", digits=3)


def _sampling_error(evidence: Evidence, accuracy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wilson's 95 % interval of a share measured on so many samples."""
    count, z = max(evidence.curve_test_samples, 1), 1.96
    middle = (accuracy + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(accuracy * (1 - accuracy) / count + z**2 / (4 * count**2))
    return np.asarray(middle - half), np.asarray(middle + half)


def _chance(shown: Sequence[Evidence]) -> float | None:
    classes = {len(evidence.confusion) for evidence in shown}
    return 1.0 / classes.pop() if len(classes) == 1 and min(classes) > 1 else None


def _estimate_chart(
    scorecard: Scorecard, choices: Sequence[Callable[[Estimate], Range | None]], names: Sequence[str], unit: str
) -> bytes | None:
    entries = estimates(scorecard)
    bars: list[Bar] = []
    for index, learner in enumerate(learner_names(scorecard)):
        mine = [entry for entry in entries if entry.learner == learner]
        chips = [entry.chip for entry in mine]
        found = [
            Bar(
                name=label(
                    entry.chip if chips.count(entry.chip) == 1 else f"{entry.chip} ({', '.join(entry.backends)})", 30
                ),
                colour=colour_of(index),
                values=tuple(choice(entry) for choice in choices),
            )
            for entry in mine
        ]
        bars += _headed(learner, index, found)
    return bar_chart(bars, names, unit, digits=2)


def _headed(learner: str, index: int, bars: list[Bar]) -> list[Bar]:
    kept = [bar for bar in bars if any(value is not None for value in bar.values)]
    heading = Bar(name=label(learner), colour=colour_of(index), marker=marker_of(index))
    return [heading, *kept] if kept else []


def bar_chart(
    bars: list[Bar], names: Sequence[str], unit: str | Sequence[str], *, digits: int, left: float = 2.15
) -> bytes | None:
    """Ranges on logarithmic axes, one panel for each value that any bar has; names of bars take ``left`` inches.

    With one ``unit`` all panels share their limits; with one for each panel each has its own.
    """
    panels = [place for place in range(len(names)) if any(bar.values and bar.values[place] for bar in bars)]
    if not panels:
        return None
    gap, top, bottom = 0.3, 0.08, 0.55
    height = len(bars) * _ROW
    figure = new_figure(WIDE, height + top + bottom)
    width = (WIDE - left - 0.1 - gap * (len(panels) - 1)) / len(panels)
    for column, place in enumerate(panels):
        own = unit if isinstance(unit, str) else unit[place]
        limits = _limits(bars, width, range(len(names)) if isinstance(unit, str) else (place,))
        axes = add_axes(figure, left + column * (width + gap), bottom, width, height)
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _draw_panel(axes, bars, place, own, limits, gap=(limits[1] / limits[0]) ** (0.09 / width), digits=digits)
        name_axes(axes, names[place])
    _draw_names(figure, bars, left, bottom, height)
    return svg_bytes(figure)


def _limits(bars: list[Bar], width: float, places: Sequence[int]) -> Range:
    """Ends of a logarithmic axis of these values of the bars, with room for the figures beside the longest bar."""
    shown = [bar.values[place] for bar in bars if bar.values for place in places]
    ends = [end for ends in shown if ends is not None for end in ends if end > 0]
    least, most = (min(ends), max(ends)) if ends else (1.0, 1.0)
    decades = max(math.log10(most / least), 0.5)
    return least / 10 ** (0.08 * decades), most * 10 ** (decades * _FIGURES / (width - _FIGURES))


def _draw_panel(axes: Axes, bars: list[Bar], place: int, unit: str, limits: Range, *, gap: float, digits: int) -> None:
    ranges = [bar.values[place] if bar.values else None for bar in bars]
    low, high = limits
    width = axes.get_position().width * axes.get_figure().get_size_inches()[0]  # type: ignore[union-attr]
    log_ticks(axes, low, high, unit, most=7 if width > _NARROW else max(2, int(width / _TICK)))
    ruled(axes, "x")
    for row, (bar, ends_here) in enumerate(zip(bars, ranges, strict=True)):
        if ends_here is None:
            continue
        start, stop = max(ends_here[0], low), max(ends_here[1], low)
        if stop / start < 1.02:
            axes.plot([stop], [row], marker="D", markersize=5, color=bar.colour)
        else:
            axes.barh(row, stop - start, left=start, height=0.56, color=bar.colour, linewidth=0)
        text = si_range(ends_here, unit, digits=digits, dash=EN_DASH)
        write(axes, stop * gap, row, text, colour=INK)


def _draw_names(figure: Figure, bars: list[Bar], left: float, bottom: float, height: float) -> None:
    axes = add_axes(figure, 0.0, bottom, left, height)
    axes.set_axis_off()
    axes.set_xlim(0.0, left)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    for row, bar in enumerate(bars):
        if bar.values:
            write(axes, left - 0.12, row, bar.name, horizontal="right", size=SMALL)
        else:
            axes.plot([0.09], [row], marker=bar.marker, markersize=5.5, color=bar.colour)
            write(axes, 0.22, row, bar.name, size=NORMAL, bold=True)
