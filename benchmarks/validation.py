"""Published measurements of networks on chips beside their predictions: ``python benchmarks/validation.py [CASE ...]``.

Writes results/validation.md, .json and .svg; with names of cases, or ``--json``, it prints and writes nothing. Nothing is
measured here, so that the page is the same on every machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from neuromorph.chip import load_chip
from neuromorph.doctor import installed_versions
from neuromorph.report.units import si, si_range
from neuromorph.validation import CASES, Case, Row

RESULTS = Path(__file__).parent / "results"
CHIPS = (
    "loihi1", "nahuku32", "pohoiki_springs", "wolf_mountain", "truenorth", "brainscales2", "odin", "spinnaker1", "spinnaker2",
    "xeon", "quadro_k4000", "jetson_tx1", "movidius_ncs", "movidius_ncs2",
)  # fmt: skip
COLUMNS = ("what", "predicted", "measured", "factor", "inside", "target", "verdict", "own", "prediction rests on")
EXACT = 1.005  # high / low of a prediction that is one number: nothing is inside
AXES = {"J": "energy", "s": "time", "W": "power"}
Predicted = dict[Case, tuple[Row, ...]]

INTRODUCTION = """
Every case is computed from its network: structure, placement and a run or published counts give the work, the hardware files give
the coefficients. Nothing is fitted but what is marked so: batches 1, 2 and 64 of the devices of V2, two rates of V4. Where a
coefficient of the hardware file comes from the very measurement, the column *own* says so: such a row shows that the sums are right, not
that they predict. The two ends of a prediction span rival publications on the same chip and whatever of the case was not published.

- **predicted**: low to high. **factor**: by which the geometric mean of the two ends is off, at least 1. **inside**: whether the
  measured figure lies in the range.
- **target**: *x 1.5* is a factor of at most 1.5; *inside, 5* is a range that holds the measured figure and whose high end is at most
  five times the low one. Rows without a target are shown for what they tell.
- Activity that was not published is never chosen to fit: every rate-coded conversion on this page runs at 0.05 and at 0.25 spikes a
  neuron and step, and the two runs are the ends. Ranges were set with the measured figures at hand; what each rests on is said, so that
  it can be judged.
"""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def main(names: tuple[str, ...], as_json: bool) -> None:
    known = [case.name for case in CASES]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"there is no case {unknown[0]!r}; known: {', '.join(known)}")
    found: Predicted = {case: case.predict() for case in CASES if not names or case.name in names}
    if as_json:
        click.echo(json.dumps(plain(found), indent=2))
        return
    for case, rows in found.items():
        click.echo(f"\n{case.title}")
        for row in rows:
            click.echo("  " + "  ".join(filter(None, cells(row)[:-1])))
    click.echo(f"\n{summary(found)}")
    if not names:
        write(found)


def write(found: Predicted) -> None:
    (RESULTS / "validation.json").write_text(json.dumps(plain(found), indent=2) + "\n", encoding="utf-8")
    (RESULTS / "validation.md").write_text(page(found), encoding="utf-8")
    (RESULTS / "validation.svg").write_bytes(plot(found))


def plain(found: Predicted) -> dict[str, Any]:
    versions = installed_versions()
    return {
        "versions": {name: versions[name] for name in ("neuromorph", "numpy", "scipy")},
        "python": sys.version.split()[0],
        "hardware_files": {name: load_chip(name).fingerprint for name in CHIPS},
        "cases": [case.to_json(rows) for case, rows in found.items()],
    }


def page(found: Predicted) -> str:
    lines = [
        "# Published measurements, predicted", "",
        f"Made by `python benchmarks/validation.py`; the same figures as data in [validation.json](validation.json). {summary(found)}",
        INTRODUCTION,
        "![Predicted range against measured figure, one panel each for energy, time and power; hollow marks: a coefficient comes from the measurement itself](validation.svg)", "",
    ]  # fmt: skip
    for case, rows in found.items():
        lines += [
            f"## {case.title}", "", case.summary, "",
            f"- **Unknown, and the range taken**: {case.unknown}",
            f"- **Measured in**: {case.source}.", "",
            f"| {' | '.join(COLUMNS)} |", "| --- | ---: | ---: | ---: | --- | --- | --- | --- | --- |",
            *(f"| {' | '.join(cells(row))} |" for row in rows), "",
        ]  # fmt: skip
    versions = plain(found)
    told = ", ".join(f"{name} {version}" for name, version in versions["versions"].items())
    files = ", ".join(f"{name} {mark[:12]}" for name, mark in versions["hardware_files"].items())
    lines += ["[sanafe.md](sanafe.md) sets estimates of placed networks beside those of the simulator SANA-FE.", ""]
    return "\n".join([*lines, f"Python {versions['python']}, {told}. Hardware files (SHA-256): {files}.", ""])


def summary(found: Predicted) -> str:
    rows = [row for listed in found.values() for row in listed]
    judged = [row for row in rows if row.target is not None]
    reached = sum(row.is_reached is True for row in judged)
    factors = sorted(row.factor for row in rows if row.is_independent)
    within = sum(factor <= 2 for factor in factors)
    return (
        f"{reached} of {len(judged)} targets are reached. Of the {len(factors)} figures of which no coefficient comes from the"
        f" measurement itself {within} are predicted within a factor of 2; half of them within {factors[len(factors) // 2]:.2f},"
        f" the worst is off by {factors[-1]:.1f}."
    )


def cells(row: Row) -> tuple[str, ...]:
    def shown(low: float, high: float) -> str:
        return si(low, row.unit) if low == high else si_range((low, high), row.unit, digits=3, dash=" - ")

    target = "-"
    if row.target is not None:
        target = f"inside, {row.target.widest:g}" if row.target.factor is None else f"x {row.target.factor:g}"
    return (
        row.what,
        shown(row.predicted.low, row.predicted.high),
        shown(row.measured.low, row.measured.high),
        f"{row.factor:.2f}",
        "-" if row.width < EXACT else "yes" if row.is_inside else "no",
        target,
        f"**{row.verdict}**" if row.verdict else "-",
        "-" if row.is_independent else "own",
        row.basis or "-",
    )


def plot(found: Predicted) -> bytes:
    """Predicted ranges over measured figures, in three panels of logarithmic axes; hollow: a coefficient of its own."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from neuromorph.report.canvas import (
        MUTED,
        RULE,
        add_axes,
        colour_of,
        legend,
        marker_of,
        name_axes,
        new_figure,
        svg_bytes,
    )

    figure = new_figure(9.5, 3.75)
    styles = {
        case.name: (MUTED, "x") if case.name == "further" else (colour_of(n), marker_of(n))
        for n, case in enumerate(found)
    }
    for column, (unit, quantity) in enumerate(AXES.items()):
        axes = add_axes(figure, 0.72 + 3.12 * column, 0.5, 2.45, 2.45)
        axes.set_xscale("log")
        axes.set_yscale("log")
        shown = [(case.name, row) for case, rows in found.items() for row in rows if row.unit == unit]
        ends = [end for _, row in shown for end in (row.predicted.low, row.predicted.high, row.measured.low)]
        least, most = min(ends, default=1.0) / 1.5, max(ends, default=1.0) * 1.5
        line = np.array([least, most])
        axes.fill_between(line, line / 2, line * 2, color=RULE, alpha=0.5, linewidth=0)
        axes.plot(line, line, color=MUTED, linewidth=0.7)
        for name, row in shown:
            colour, marker = styles[name]
            axes.plot([row.nearest] * 2, [row.predicted.low, row.predicted.high], color=colour, linewidth=1.2)
            filled = colour if row.is_independent else "#ffffff"
            axes.plot([row.nearest], [row.middle], marker=marker, color=colour, markerfacecolor=filled, markersize=3.4)
        axes.set_xlim(least, most)
        axes.set_ylim(least, most)
        axes.minorticks_off()
        name_axes(axes, f"measured {quantity}, {unit}", f"predicted {quantity}, {unit}" if column == 0 else "")
        if column == 0:
            handles = [Line2D([], [], color=c, marker=m, markersize=3.4, linewidth=1.2) for c, m in styles.values()]
            band = Patch(facecolor=RULE, alpha=0.5)
            legend(axes, [*handles, band], [*(short(case) for case in found), "within a factor of 2"], above=True)
    ground = b'<rect width="100%" height="100%" fill="#ffffff"/>'  # readable where the page around it is dark
    head, _, rest = svg_bytes(figure).partition(b"<g ")
    return head + ground + b"<g " + rest


def short(case: Case) -> str:
    """Its number and name."""
    number, point, _ = case.title.partition(". ")
    return f"{number} {case.name}" if point else case.title.lower()


if __name__ == "__main__":
    main()
