"""How every figure is drawn: sizes, palette, text, and the way from matplotlib to a small SVG.

Figures are made with matplotlib's objects alone: no pyplot, no global state, so threads may draw at once. Text is drawn
as outlines, which look the same everywhere. Colours of the palette are exact, so that a page may exchange them for its
own (see :mod:`neuromorph.report.inline`).
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from neuromorph.recording import FloatArray
from neuromorph.report.units import printable, si

INK, MUTED, RULE = "#1b2127", "#5b6671", "#cdd3d8"
POSITIVE, NEGATIVE = "#1f7dbf", "#d9621b"  # of images: readable on white and on near-black
RIGHT, WRONG = "#0072b3", "#d55e01"
# Okabe and Ito's colours, told apart under every common colour blindness; yellow is left out, it vanishes on white.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDE, HALF = 9.5, 4.58  # inches: the page shows them 912 and 440 CSS pixels wide
SMALL, NORMAL = 7.5, 8.5  # points

_FONT = FontProperties(family="DejaVu Sans")


def colour_of(index: int) -> str:
    """Colour of the ``index``-th learner, the same in every figure."""
    return SERIES[index % len(SERIES)]


def marker_of(index: int) -> str:
    """Marker of the ``index``-th learner; with the colour it stays unique for 30 learners."""
    return MARKERS[(index + index // len(SERIES)) % len(MARKERS)]


def label(text: str, limit: int = 28) -> str:
    """A name as figures can show it: one line, shortened, no mathematics, no character that the font lacks."""
    font = get_font(findfont(_FONT))
    short = printable(text)
    short = short if len(short) <= limit else short[: limit - 1] + "\u2026"
    known = "".join(character if font.get_char_index(ord(character)) else "?" for character in short)
    return known.replace("$", r"\$")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure with a transparent ground; sizes in inches."""
    return Figure(figsize=(width, height), facecolor="none")


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Plain axes at a place given in inches from the lower left corner."""
    size = figure.get_size_inches()
    axes = figure.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]), facecolor="none")
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_edgecolor(MUTED)
        spine.set_linewidth(0.7)
    axes.tick_params(which="both", color=MUTED, labelcolor=INK, labelsize=SMALL, width=0.7, length=3)
    axes.tick_params(which="minor", length=1.5, labelsize=0)
    axes.set_axisbelow(True)
    return axes


def name_axes(axes: Axes, x: str, y: str = "") -> None:
    """Axis labels, with units."""
    axes.set_xlabel(x, color=INK, fontsize=NORMAL)
    axes.set_ylabel(y, color=INK, fontsize=NORMAL)


def write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    coordinates: str = "data",
    colour: str = INK,
    size: float = SMALL,
    horizontal: str = "left",
    vertical: str = "center",
    bold: bool = False,
) -> None:
    """Text at a point, in ``data``, ``axes`` (0 to 1) or mixed (``x data``: y from 0 to 1) coordinates."""
    places = {
        "data": axes.transData,
        "axes": axes.transAxes,
        "x data": axes.get_xaxis_transform(),
        "y data": axes.get_yaxis_transform(),
    }
    axes.text(
        x,
        y,
        text,
        transform=places[coordinates],
        color=colour,
        fontsize=size,
        ha=horizontal,
        va=vertical,
        fontweight="bold" if bold else "normal",
        clip_on=False,
    )


def ruled(axes: Axes, axis: str) -> None:
    """Faint rules at the major ticks of ``x``, ``y`` or ``both``."""
    axes.grid(visible=True, axis=axis, which="major", color=RULE, linewidth=0.6)  # type: ignore[arg-type]


def add_segments(axes: Axes, ends: FloatArray, *, colour: str, width: float) -> None:
    """Many straight segments as one path: ``ends`` has shape (segments, 2, 2), start and end, x and y."""
    codes = [Curve.MOVETO, Curve.LINETO] * len(ends)
    path = Curve(ends.reshape(-1, 2), codes)
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, capstyle="butt"))


def log_ticks(axes: Axes, low: float, high: float, unit: str, *, most: int = 7) -> None:
    """A logarithmic x axis from ``low`` to ``high``, at most ``most`` marks: 1, 2 and 5 or powers of ten, SI prefixes."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    fine = [step * 10.0**exponent for exponent in range(first, last + 1) for step in (1, 2, 5)]
    choices = [fine, *([10.0**e for e in range(first, last + 1) if e % stride == 0] for stride in (1, 2, 3, 6))]
    shown = [[mark for mark in choice if low <= mark <= high] for choice in choices]
    marks = next((choice for choice in shown if len(choice) <= most), shown[-1])
    axes.set_xticks(marks, [si(mark, unit) for mark in marks])
    axes.set_xticks([], minor=True)


def legend(axes: Axes, handles: Sequence[Artist], names: Iterable[str], *, above: bool = False) -> None:
    """A frameless legend, in the upper right corner or above the axes; names may start with an underscore."""
    shown = [f"\u200a{name}" if name.startswith("_") else name for name in names]
    place: dict[str, Any] = {"loc": "upper right"}
    if above:
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 4, "borderaxespad": 0.2}
    axes.legend(handles, shown, frameon=False, fontsize=NORMAL, labelcolor=INK, **place)


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG without metadata, comments or needless digits; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", facecolor="none", edgecolor="none", dpi=144, metadata=no_metadata)
    text = buffer.getvalue().decode()
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\n?", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<= [dx]=")[^"]+|(?<= y=")[^"]+|(?<= points=")[^"]+', _rounded, text)
    return _renamed(text).encode()


def _rounded(match: re.Match[str]) -> str:
    numbers = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}", match.group())
    return re.sub(r"\s+", " ", numbers)


def _renamed(text: str) -> str:
    """Identifiers counted from 0: matplotlib makes some of them from chance."""
    names = {name: f"i{index}" for index, name in enumerate(dict.fromkeys(re.findall(r' id="([^"]+)"', text)))}
    text = re.sub(r' id="([^"]+)"', lambda match: f' id="{names[match.group(1)]}"', text)
    text = re.sub(r'href="#([^"]+)"', lambda match: f'href="#{names[match.group(1)]}"', text)
    return re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{names[match.group(1)]})", text)
