"""Terminal table of NeuroBench's metrics."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from neuromorph.neurobench import Metrics
from neuromorph.report.units import ABSENT, percent, printable, si


def metrics_table(metrics: Metrics) -> Table:
    """One line a metric: of all samples, and the mean of one, as NeuroBench reports it."""
    count = f"{metrics.samples} samples" if metrics.samples > 1 else "one sample"
    title = f"{metrics.program}: NeuroBench's metrics of {count}, {int(metrics.steps.sum()):,} steps"
    table = Table("metric", title=Text(printable(title)), title_justify="left")
    table.add_column("a sample, mean", justify="right")
    table.add_column("all samples", justify="right")
    table.add_column("what it is")
    for cells in metrics_rows(metrics):
        table.add_row(*(Text(printable(cell)) for cell in cells))
    notes = [*(f"{name.replace('_', ' ')}: {why}" for name, why in metrics.missing.items()), *metrics.notes]
    if notes:
        table.caption = Text(printable("; ".join(notes)))
        table.caption_justify = "left"
    return table


def metrics_rows(metrics: Metrics) -> list[tuple[str, str, str, str]]:
    """(metric, of one sample, of all, what it is) as text."""
    mean = metrics.per_sample

    def count(name: str, total: int | None, what: str) -> tuple[str, str, str, str]:
        of_one = mean[name]
        known = total is not None and of_one is not None
        label = {"effective_acs": "effective ACs", "effective_macs": "effective MACs"}.get(name, name.replace("_", " "))
        return (label, si(of_one) if known else ABSENT, f"{total:,}" if known else ABSENT, what)  # type: ignore[arg-type]

    def share(name: str, value: float | None, what: str) -> tuple[str, str, str, str]:
        return (name, ABSENT if value is None else f"{percent(value, decimals=2)} %", "", what)

    parts = ", ".join(f"{name} {si(size, 'B')}" for name, size in metrics.footprint.items() if size)
    return [
        ("footprint", si(metrics.footprint_byte, "B"), "", parts or "nothing is held"),
        share("connection sparsity", metrics.connection_sparsity, "weights that are zero"),
        share("activation sparsity", metrics.activation_sparsity, "outputs of neurons that are no spike"),
        count("effective_acs", metrics.effective_acs, "spikes times nonzero weights"),
        count("effective_macs", metrics.effective_macs, "the same where inputs are graded"),
        count("dense_operations", metrics.dense_operations, "if every input and weight counted"),
        count("membrane_updates", metrics.membrane_updates, "all in the first step, then membranes that changed"),
    ]
