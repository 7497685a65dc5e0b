"""Figures of one learner, from its evidence: spikes, membranes, receptive fields, confusions, weights.

Each function returns SVG, or ``None`` where the learner has nothing to show.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from neuromorph.recording import FloatArray, SpikeTrain
from neuromorph.report.canvas import (
    HALF,
    INK,
    MUTED,
    NEGATIVE,
    NORMAL,
    POSITIVE,
    RIGHT,
    RULE,
    SERIES,
    SMALL,
    WIDE,
    WRONG,
    add_axes,
    add_segments,
    label,
    legend,
    name_axes,
    new_figure,
    ruled,
    svg_bytes,
    write,
)
from neuromorph.report.units import percent
from neuromorph.scorecard import Evidence

SHOWN_FIELDS = 100  # receptive fields in one figure
SHOWN_MEMBRANES = 6
_LEFT, _RIGHT = 1.25, 0.15  # margins of figures over time, inches
_DRAWN_SPIKES = 4000  # a population with more is shown as an image, or the page would grow without bound
_IMAGE_COLUMNS, _IMAGE_ROWS = 1600, 400


def spike_raster(evidence: Evidence, colour: str = SERIES[0]) -> bytes | None:
    """Every spike of the shown samples, one panel a population; the first is the input."""
    trains = {name: train for name, train in evidence.raster.items() if train.shape[0] and train.shape[1]}
    if not trains:
        return None
    heights = [min(1.9, max(0.45, 0.02 * train.shape[1])) for train in trains.values()]
    gap, top, bottom = 0.22, 0.3, 0.5
    total = sum(heights) + gap * (len(heights) - 1)
    figure = new_figure(WIDE, total + top + bottom)
    upper = total + bottom
    for index, ((name, train), height) in enumerate(zip(trains.items(), heights, strict=True)):
        upper -= height
        axes = add_axes(figure, _LEFT, upper, WIDE - _LEFT - _RIGHT, height)
        _draw_spikes(axes, train, _time_unit(evidence, train.shape[0])[0], INK if index == 0 else colour, height)
        axes.set_yticks(sorted({0, train.shape[1] - 1}))
        title, size = label(name, 16), f"{train.shape[1]} neuron{'s' if train.shape[1] > 1 else ''}"
        write(axes, -0.045, 0.5, f"{title}\n{size}", coordinates="axes", horizontal="right", size=SMALL)
        _draw_samples(axes, evidence, train.shape[0], named=index == 0, last=index == len(trains) - 1)
        upper -= gap
    return svg_bytes(figure)


def membrane_traces(evidence: Evidence, colour: str = SERIES[0]) -> bytes | None:
    """Membrane of a few neurons over the samples of the raster, each with its threshold."""
    if evidence.membrane is None or evidence.membrane.ndim != 2 or 0 in evidence.membrane.shape:
        return None
    membrane = evidence.membrane[:, :SHOWN_MEMBRANES]
    steps, neurons = membrane.shape
    height, gap, top, bottom = 0.72, 0.16, 0.3, 0.5
    figure = new_figure(WIDE, neurons * (height + gap) - gap + top + bottom)
    scale = _time_unit(evidence, steps)[0]
    times = np.arange(1, steps + 1) * scale
    for row in range(neurons):
        upper = bottom + (neurons - 1 - row) * (height + gap)
        axes = add_axes(figure, _LEFT, upper, WIDE - _LEFT - _RIGHT, height)
        axes.plot(times, membrane[:, row], color=colour, linewidth=0.9)
        thresholds: FloatArray | list[FloatArray] = (
            [] if evidence.threshold is None else np.atleast_1d(evidence.threshold).T[row : row + 1]
        )
        for threshold in thresholds:
            level = np.broadcast_to(threshold, (steps,))
            axes.plot(times, level, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            if row == 0:
                write(axes, times[-1], level[-1], "threshold", colour=MUTED, horizontal="right", vertical="bottom")
        axes.locator_params(axis="y", nbins=3)
        axes.margins(y=0.12)
        identity = evidence.membrane_ids[row] if row < len(evidence.membrane_ids) else row
        write(axes, -0.045, 0.5, f"neuron {identity}", coordinates="axes", horizontal="right")
        _draw_samples(axes, evidence, steps, named=row == 0, last=row == neurons - 1)
    return svg_bytes(figure)


def receptive_fields(evidence: Evidence) -> bytes | None:
    """Weights onto each neuron as an image, sorted by the class it stands for; at most 100 neurons."""
    height, width = evidence.image_shape
    weights = evidence.weights_after
    if weights.ndim != 2 or not len(weights) or height * width == 0 or weights.shape[1] != height * width:
        return None
    chosen = _shown_neurons(evidence)
    columns = _columns(len(chosen))
    rows = math.ceil(len(chosen) / columns)
    cell = min(0.9, (WIDE - 0.1) / columns)
    field, text = cell * 0.88, 0.17
    size = (max(columns * cell + 0.1, 3.2), rows * (field + text) + 0.6)
    figure = new_figure(*size)
    largest = float(np.abs(weights).max()) or 1.0
    axes = add_axes(figure, 0.0, 0.0, *size)
    _bare(axes, (0.0, size[0]), (0.0, size[1]))
    frames = []
    for place, neuron in enumerate(chosen):
        left = 0.05 + (place % columns) * cell
        bottom = size[1] - (place // columns + 1) * (field + text)
        shape = (field, field * height / width) if width >= height else (field * width / height, field)
        extent = (left, left + shape[0], bottom, bottom + shape[1])
        image = _shaded(weights[neuron].reshape(height, width), largest)
        axes.imshow(image, extent=extent, interpolation="none", aspect="auto", origin="upper")
        frames += _frame(*extent)
        known = len(evidence.receptive_labels) > neuron and evidence.receptive_labels[neuron] >= 0
        mark = str(int(evidence.receptive_labels[neuron])) if known else "\u00b7"
        write(axes, left + shape[0] / 2, bottom + shape[1] + 0.07, mark, horizontal="center", size=SMALL)
    _bare(axes, (0.0, size[0]), (0.0, size[1]))
    add_segments(axes, np.array(frames), colour=RULE, width=0.6)
    _draw_scale(axes, 0.05, 0.28, largest, signed=bool(weights.min() < 0))
    return svg_bytes(figure)


def confusion_matrix(evidence: Evidence) -> bytes | None:
    """How often each true class was predicted as each class; shade: share of the true class."""
    counts = np.atleast_2d(evidence.confusion)
    classes = len(counts)
    if counts.shape != (classes, classes) or not counts.sum():
        return None
    side = 3.55  # inches
    figure = new_figure(HALF, side + 0.9)
    axes = add_axes(figure, 0.6, 0.55, side, side)
    axes.set_xlim(-0.5, classes - 0.5)
    axes.set_ylim(classes - 0.5, -0.5)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_edgecolor(RULE)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for true, predicted in np.argwhere(counts > 0):
        ground = RIGHT if true == predicted else WRONG
        shade = 0.08 + 0.52 * float(shares[true, predicted]) ** 0.7
        axes.fill_between((predicted - 0.5, predicted + 0.5), true - 0.5, true + 0.5, color=ground, alpha=shade, lw=0)
        if classes <= 16:
            text = str(int(counts[true, predicted]))
            write(axes, predicted, true, text, horizontal="center", bold=bool(true == predicted))
    stride = max(1, math.ceil(classes / 16))
    ticks = range(0, classes, stride)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.tick_params(length=0)
    name_axes(axes, "predicted class", "true class")
    total = int(counts.sum()) + evidence.unanswered
    heading = f"{percent(float(np.trace(counts)) / total)} % of {total:,} samples right"
    if evidence.unanswered:
        heading += f", {evidence.unanswered:,} without an answer"
    write(axes, 0.0, 1.035, heading, coordinates="axes", colour=MUTED, size=NORMAL)
    return svg_bytes(figure)


def weight_histogram(evidence: Evidence, colour: str = SERIES[0]) -> bytes | None:
    """How many weights have which value, before and after learning."""
    before, after = (np.ravel(values) for values in (evidence.weights_before, evidence.weights_after))
    both = np.concatenate([before, after])
    both = both[np.isfinite(both)]
    if not before.size or not after.size or not both.size:
        return None
    low, high = float(both.min()), float(both.max())
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, 41)
    figure = new_figure(HALF, 4.45)
    axes = add_axes(figure, 0.75, 0.55, HALF - 0.85, 3.75)
    counted = [np.histogram(values, edges)[0] for values in (before, after)]
    tallest = max(int(heights.max()) for heights in counted)
    lifted = [np.maximum(heights, 0.5) for heights in counted]  # zero lies below a logarithmic axis
    filled = axes.stairs(lifted[1], edges, baseline=0.5, fill=True, color=colour, alpha=0.75)
    outline = axes.stairs(lifted[0], edges, baseline=0.5, edgecolor=INK, linewidth=1.1)
    axes.set_yscale("log")
    axes.set_ylim(0.5, tallest * 3)
    decades = [10**exponent for exponent in range(math.ceil(math.log10(tallest * 3)))]
    axes.set_yticks(decades, [f"{decade:,}" for decade in decades])
    axes.set_yticks([], minor=True)
    ruled(axes, "y")
    name_axes(axes, "weight (dimensionless)", "synapses")
    legend(axes, (outline, filled), ("before learning", "after learning"))
    return svg_bytes(figure)


def _time_unit(evidence: Evidence, steps: int) -> tuple[float, str]:
    """Length of a step on the time axis, and the axis label."""
    if evidence.dt <= 0:
        return 1.0, "time step"
    return (evidence.dt, "time (s)") if steps * evidence.dt > 20 else (evidence.dt * 1e3, "time (ms)")


def _draw_spikes(axes: Axes, train: SpikeTrain, scale: float, colour: str, height: float) -> None:
    steps, neurons = train.shape
    axes.set_ylim(neurons - 0.5, -0.5)
    if len(train) > _DRAWN_SPIKES:
        columns, rows = min(steps, _IMAGE_COLUMNS), min(neurons, _IMAGE_ROWS)
        image = np.zeros((rows, columns, 4), dtype=np.uint8)
        hit = (train.ids * rows // neurons, train.steps * columns // steps)
        image[hit] = (*(int(POSITIVE[place : place + 2], 16) for place in (1, 3, 5)), 255)
        extent = (0.5 * scale, (steps + 0.5) * scale, neurons - 0.5, -0.5)
        axes.imshow(image, extent=extent, interpolation="none", aspect="auto")
        return
    times = (train.steps + 1) * scale
    ends = np.empty((len(train), 2, 2))
    ends[:, :, 0] = times[:, None]
    half = max(0.45, 0.018 * neurons / height)  # in neurons; never too small to be seen
    ends[:, 0, 1], ends[:, 1, 1] = train.ids - half, train.ids + half
    if len(train):
        add_segments(axes, ends, colour=colour, width=1.2)
    else:
        write(axes, 0.5, 0.5, "no spike", coordinates="axes", colour=MUTED, horizontal="center")


def _draw_samples(axes: Axes, evidence: Evidence, steps: int, *, named: bool, last: bool) -> None:
    """Boundaries between samples, their classes above the first panel, the time axis below the last."""
    scale, unit = _time_unit(evidence, steps)
    axes.set_xlim(0.0, (steps + 1) * scale)
    length = evidence.steps_per_sample
    if length > 0:
        for boundary in range(length, steps, length):
            axes.axvline((boundary + 0.5) * scale, color=MUTED, linewidth=0.8)
        for index, (true, predicted) in enumerate(evidence.sample_labels if named else ()):
            middle = (index + 0.5) * length * scale
            if middle > steps * scale:
                break
            right = true == predicted
            text = f"{true} \u2192 {predicted} " + ("\u2713" if right else "\u2717")
            height = 1.0 + 0.13 / (axes.get_position().height * axes.figure.get_size_inches()[1])  # type: ignore[union-attr]
            colour = INK if right else WRONG
            write(
                axes,
                middle,
                height,
                text,
                coordinates="x data",
                colour=colour,
                horizontal="center",
                size=NORMAL,
                bold=not right,
            )
    if last:
        name_axes(axes, unit)
    else:
        axes.tick_params(labelbottom=False)


def _shown_neurons(evidence: Evidence) -> list[int]:
    """Neurons in order of class, those without one last; of too many, an even choice."""
    neurons = len(evidence.weights_after)
    labels = np.full(neurons, -1)
    known = np.asarray(evidence.receptive_labels)[:neurons]
    labels[: len(known)] = known
    order = np.lexsort((np.arange(neurons), np.where(labels < 0, np.iinfo(np.int64).max, labels)))
    if neurons > SHOWN_FIELDS:
        order = order[np.linspace(0, neurons - 1, SHOWN_FIELDS).round().astype(int)]
    return [int(neuron) for neuron in order]


def _columns(count: int) -> int:
    """At most 20 columns, so many that the last row is as full as can be."""
    return min(range(min(count, 20), min(count, 12) - 1, -1), key=lambda columns: -count % columns)


def _shaded(values: FloatArray, largest: float) -> FloatArray:
    """Blue for positive, orange for negative, opaque at the largest weight, transparent at zero."""
    image = np.empty((*values.shape, 4))
    for channel, place in enumerate((1, 3, 5)):
        sides = [int(colour[place : place + 2], 16) / 255 for colour in (POSITIVE, NEGATIVE)]
        image[..., channel] = np.where(values >= 0, *sides)
    image[..., 3] = np.clip(np.abs(np.nan_to_num(values)) / largest, 0.0, 1.0)
    return image


def _frame(left: float, right: float, bottom: float, top: float) -> list[list[list[float]]]:
    corners = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
    return [[corners[side], corners[side + 1]] for side in range(4)]


def _bare(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set_axis_off()
    axes.set_xlim(*x)
    axes.set_ylim(*y)


def _draw_scale(axes: Axes, left: float, bottom: float, largest: float, *, signed: bool) -> None:
    """The key of the shades: a strip from the least to the largest weight."""
    lowest = -largest if signed else 0.0
    strip = _shaded(np.linspace(lowest, largest, 128)[None, :], largest)
    extent = (left, left + 1.6, bottom, bottom + 0.13)
    x, y = axes.get_xlim(), axes.get_ylim()
    axes.imshow(strip, extent=extent, interpolation="none", aspect="auto")
    _bare(axes, x, y)
    add_segments(axes, np.array(_frame(*extent)), colour=RULE, width=0.6)
    write(axes, left, bottom - 0.13, f"{lowest:.2g}", horizontal="left")
    write(axes, left + 1.6, bottom - 0.13, f"{largest:.2g}", horizontal="right")
    write(axes, left + 0.8, bottom - 0.13, "weight", colour=MUTED, horizontal="center")
