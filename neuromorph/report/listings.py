"""Terminal tables of backends, comparisons, chips and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from neuromorph.chip import Chip, Quantity, Size
from neuromorph.comparison import Comparison
from neuromorph.costs import Cost
from neuromorph.divergence import Divergence, Window
from neuromorph.quantisation import RoundingReport
from neuromorph.report.units import ABSENT, duration, printable, si, si_range


def backends_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One line a backend: whether it runs here, and what it lacks."""
    table = _table("Backends", "backend", "runs here", "versions", "lacks", "note")
    for row in rows:
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        if not row["available"]:
            _add(table, row["backend"], "no", "", "", f"{row['reason']}. Remedy: {row['remedy']}")
            continue
        lacks = "; ".join(f"{feature}: {gap['reason']}" for feature, gap in row["gaps"].items()) or "no feature"
        _add(table, row["backend"], "yes", versions, lacks, row["note"])
    return table


def comparison_table(result: Comparison) -> Table:
    """One line a backend: spikes, speed, and where it differs first."""
    title = f"{result.steps} steps of program {result.program_fingerprint[:12]}"
    table = _table(title, "backend", "spikes", "steps/s", "same spikes", "largest weight difference")
    for run in result.runs:
        if run.recording is None:
            lines = run.reason.strip().splitlines()  # of a traceback the first and the last
            reason = f"{lines[0]} {lines[-1]}" if run.failed and len(lines) > 1 else run.reason
            _add(table, run.backend, "-", "-", f"did not run: {reason}", "-")
            continue
        same = "(the others are held against this)"
        if run.spikes_equal is not None:
            same = "yes" if run.spikes_equal else "no"
            if run.first_divergence is not None:
                same += f"{', but' if run.spikes_equal else ':'} {run.first_divergence.place}"
        weights = "-" if run.largest_weight_difference is None else f"{run.largest_weight_difference:.2g}"
        spikes = sum(len(train) for train in run.recording.spikes.values())
        _add(table, run.backend, str(spikes), si(run.recording.steps_per_second), same, weights)
    return table


def window_table(divergence: Divergence) -> Table:
    """What both backends did around a divergence: a line a step where they agree, and one for each where not."""
    window = divergence.window
    if window is None:
        return _table("The steps around it are not known")
    threshold = "" if window.threshold is None else f", threshold {window.threshold:.12g}"
    table = _table(f"Steps around {divergence.step}{threshold}", "step", "on", *(row.what for row in window.rows))
    for index, step in enumerate(window.steps):
        mine, theirs = ([f"{row[index]:.12g}" for row in side] for side in _sides(window))
        label = f"> {step}" if step == divergence.step else str(step)
        if mine == theirs:
            _add(table, label, "both", *mine)
            continue
        _add(table, label, divergence.backends[0], *mine)
        _add(table, "", divergence.backends[1], *theirs)
    return table


def _sides(window: Window) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """The rows of a window as the one backend has them, and as the other."""
    return [row.reference for row in window.rows], [row.other for row in window.rows]


def chips_table(chips: Sequence[Chip]) -> Table:
    """One line a chip or board: its size, and what can be estimated of it."""
    headings = ("chip", "kind", "chips", "cores", "neurons", "synapse memory", "technology", "estimates", "cost sets")
    table = _table("Chips", *headings)
    for chip in chips:
        kind = chip.kind if chip.board is None else f"board of {chip.board.chip}"
        size = Size.of(chip)
        numbers = (_size(size.chips), _size(size.cores), _size(size.neurons), _size(size.synapse_memory_byte, "B"))
        process = chip.limits.get("chip.process")
        technology = ABSENT if process is None else si(process.high, "m")
        estimates = ", ".join(chip.estimates) or ABSENT
        _add(table, chip.name, kind, *numbers, technology, estimates, ", ".join(chip.accounts) or ABSENT)
    return table


def chip_table(chip: Chip) -> Table:
    """Every number of a chip with its source and status."""
    table = _table(f"{chip.name} ({chip.fingerprint[:12]})", "quantity", "value", "status", "source")
    if chip.board is not None:
        for name, said in chip.board.statements.items():
            _add(table, f"board.{name}", said.text, said.status, said.source)
    for path, quantity in chip.numbers():
        _add(table, path, _value(quantity), quantity.status, quantity.source)
    lacks = [f"{name}: {line}" for name, costs in chip.costs.items() for line in costs.missing]
    lacks += [] if chip.board is None else [f"board: {line}" for line in chip.board.missing]
    if lacks:
        table.caption = Text(printable("Not stated: " + "; ".join(lacks)))
    return table


def _size(ends: tuple[float, float] | None, unit: str = "") -> str:
    return ABSENT if ends is None else si_range(ends, unit, digits=3)


def rounding_table(report: RoundingReport) -> Table:
    """One line a quantity: what was asked, what the chip holds, and the error."""
    headings = ("where", "quantity", "asked", "held", "chip value", "error", "of", "status", "note")
    table = _table(f"{report.program!r} on {report.chip}", *headings)
    for row in report:
        chip_value = "" if row.mantissa is None else str(row.mantissa)
        chip_value += "" if row.exponent is None else f" x 2^{row.exponent}"
        error = f"{100 * row.relative_error:.3g} %" + ("" if row.count == 1 else f" (rms {100 * row.rms:.3g} %)")
        numbers = (f"{row.asked:.6g}", f"{row.held:.6g}", chip_value, error, str(row.count))
        _add(table, row.where, row.quantity, *numbers, row.status, row.note)
    return table


def cost_table(cost: Cost) -> Table:
    """Energy and latency by term."""
    energy = si_range((cost.energy_joule.low, cost.energy_joule.high), "J")
    latency = f"{duration(cost.latency_second.low)} to {duration(cost.latency_second.high)}"
    title = f"{cost.chip}: energy {energy}, latency {latency}"
    table = _table(title, "term", "account", "count", "coefficient", "total", "status", "source")
    for term in (*cost.energy_terms, *cost.latency_terms):
        _add(
            table,
            term.name,
            term.cost_set,
            si_range((term.count.low, term.count.high)),
            si_range((term.coefficient.low, term.coefficient.high), term.unit),
            si_range((term.total.low, term.total.high), term.unit),
            term.status,
            term.source,
        )
    if cost.missing:
        table.caption = Text("In no term: " + "; ".join(cost.missing))
    return table


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=Text(printable(title)), title_justify="left")


def _add(table: Table, *cells: str) -> None:
    """A row of plain text: brackets in it are not markup."""
    table.add_row(*(Text(printable(cell)) for cell in cells))


def _value(quantity: Quantity) -> str:
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    if quantity.values:
        return ", ".join(f"{value:.10g}" for value in quantity.values) + unit
    if quantity.points:
        return ", ".join(f"{value:.10g}{unit} at {count:g}" for count, value in quantity.points) + f" {quantity.per}"
    if quantity.low == quantity.high:
        return f"{quantity.low:.10g}{unit}"
    return f"{quantity.low:.10g} to {quantity.high:.10g}{unit}"
