"""A placement as a table for the terminal and as a picture of the chips, coloured by load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from rich.text import Text

from neuromorph.errors import NeuromorphError
from neuromorph.placement import PlacedCore, Placement
from neuromorph.placement.limits import WORDS
from neuromorph.report.units import percent, printable, si
from neuromorph.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW_PARTS = 3  # named in a row of the table; the rest is counted
HEADINGS = {
    "compartments": "compartments",
    "input_axons": "axons in",
    "output_axons": "axons out",
    "synapse_memory": "synapse memory",
}


def placement_table(placement: Placement, most: int | None = None) -> Table:
    """One line a core: where it is, what lies on it, the share of every resource; at most ``most`` lines, the fullest."""
    cores = placement.cores
    if most is not None and len(cores) > most:
        chosen = sorted(sorted(cores, key=lambda core: -core.load)[:most], key=lambda core: core.number)
    else:
        chosen = list(cores)
    shown = f", the {len(chosen)} fullest of them" if len(chosen) < len(cores) else ""
    plural = "" if placement.chips == 1 else "s"
    title = f"{placement.program.name or 'program'} on {len(cores)} cores of {placement.chips} chip{plural} {placement.chip}, {placement.method}{shown}"
    resources = [name for name in HEADINGS if name in placement.limits.core]
    headings = (
        "chip",
        "core",
        "tile",
        "neurons",
        *(HEADINGS[name] for name in resources),
        "fullest of all",
        "spikes out",
    )
    table = Table(*headings, title=Text(printable(title)), title_justify="left")
    for core in chosen:
        cells = [str(core.chip), str(core.core), "-" if core.tile is None else f"{core.tile[0]}, {core.tile[1]}"]
        cells += [_parts(core), *(f"{core.use[name].used:,} ({percent(core.use[name].share)} %)" for name in resources)]
        cells += [f"{WORDS[core.fullest]} {percent(core.load)} %", si(core.spikes_sent)]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _parts(core: PlacedCore) -> str:
    shown = [f"{part.population} {part.first}-{part.last}" for part in core.parts[:FEW_PARTS]]
    more = len(core.parts) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more > 0 else [])])


def placement_summary(placement: Placement) -> list[str]:
    """What crosses cores under the traffic of the placement, and its notes, as sentences."""
    messages = placement.messages
    better = ""
    if placement.method != "greedy" and placement.greedy_crossing > 0:
        saved = 1 - messages.crossing_cores / placement.greedy_crossing
        better = f", {percent(saved)} % fewer than greedily"
    hops = "" if messages.crossing_cores == 0 else f", {messages.hops / messages.crossing_cores:.3g} hops each"
    lines = [
        f"{si(messages.crossing_cores)} spikes cross cores{better}{hops}; {si(messages.within_cores)} stay on theirs,"
        f" {si(messages.crossing_chips)} cross chips, {si(messages.from_inputs)} come from inputs ({placement.traffic})"
    ]
    return [*lines, *(f"note: {note}" for note in placement.notes)]


def placement_figure(placement: Placement) -> Figure:
    """Every chip as its mesh of cores, coloured by the share of the resource of which a core uses most; unused ones empty.

    Raises ``NeuromorphError`` where matplotlib is not installed.
    """
    try:
        from matplotlib.colors import ListedColormap  # noqa: F401
    except ImportError as error:
        raise NeuromorphError("the picture needs matplotlib: pip install 'neuromorph[plot]'") from error
    from neuromorph.report.canvas import INK, MUTED, NORMAL, SMALL, label, new_figure

    limits = placement.limits
    side, columns, rows = _grid(placement)
    chips = placement.chips
    across = min(chips, max(1, int(np.ceil(np.sqrt(chips * rows / columns)))))
    down = -(-chips // across)
    wide = max(3.2, min(11.0, 0.16 * columns * across + 1.2))
    cell = (wide - 1.2) / (across * (columns + 1))
    figure = new_figure(wide, cell * down * (rows + 2) + 0.75)
    axes = figure.add_axes((0.03, 0.04, (wide - 1.2) / wide, 1 - 0.6 / figure.get_size_inches()[1]))
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(0, across * (columns + 1))
    axes.set_ylim(down * (rows + 2), 0)
    mesh = None
    for chip in range(chips):
        left, top = (chip % across) * (columns + 1), (chip // across) * (rows + 2) + 1
        load = np.full((rows, columns), np.nan)
        for core in placement.cores:
            if core.chip == chip:
                x, y = _place(core.core, side, limits.cores_per_tile, limits.columns, columns)
                load[y, x] = core.load
        edges = np.arange(columns + 1) + left, np.arange(rows + 1) + top
        axes.pcolormesh(
            *edges, np.zeros((rows, columns)), cmap="Greys", vmin=0, vmax=1, edgecolors=MUTED, linewidth=0.2
        )
        mesh = axes.pcolormesh(
            *edges, np.ma.masked_invalid(load), cmap="viridis_r", vmin=0, vmax=1, edgecolors=MUTED, linewidth=0.2
        )
        axes.text(left, top - 0.3, f"chip {chip}", color=INK, fontsize=SMALL, va="bottom")
    title = f"{placement.program.name or 'program'} on {placement.chip}: {len(placement.cores)} cores"
    figure.text(0.03, 0.99, label(title, 80), color=INK, fontsize=NORMAL, va="top")
    if mesh is not None:
        bar = figure.colorbar(mesh, cax=figure.add_axes((1 - 0.95 / wide, 0.08, 0.16 / wide, 0.76)))
        bar.set_label("share of the fullest resource", color=INK, fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL, labelcolor=INK, color=MUTED)
    return figure


def save_picture(placement: Placement, path: str | os.PathLike[str]) -> None:
    """The picture in a file; its ending says which kind: .svg, .png or .pdf."""
    name = os.fspath(path)
    kind = os.path.splitext(name)[1].lower().lstrip(".")
    if kind not in ("svg", "png", "pdf"):
        raise NeuromorphError(f"the picture's file must end in .svg, .png or .pdf, got {name!r}")
    figure = placement_figure(placement)
    from neuromorph.report.canvas import svg_bytes

    os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
    with whole_file(name, binary=True) as stream:
        if kind == "svg":
            stream.write(svg_bytes(figure))
        else:
            figure.savefig(stream, format=kind, dpi=144)


def _grid(placement: Placement) -> tuple[int, int, int]:
    """Cores along the side of a tile, columns and rows of cores on a chip."""
    limits = placement.limits
    if not limits.columns:
        columns = int(np.ceil(np.sqrt(limits.cores)))
        return 1, columns, -(-limits.cores // columns)
    side = int(np.ceil(np.sqrt(limits.cores_per_tile)))
    tiles = -(-limits.cores // limits.cores_per_tile)
    return side, side * limits.columns, -(-limits.cores_per_tile // side) * -(-tiles // limits.columns)


def _place(core: int, side: int, per_tile: int, tile_columns: int, columns: int) -> tuple[int, int]:
    if not tile_columns:
        return core % columns, core // columns
    tile, within = divmod(core, per_tile)
    deep = -(-per_tile // side)
    return (tile % tile_columns) * side + within % side, (tile // tile_columns) * deep + within // side
