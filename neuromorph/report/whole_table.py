"""A scorecard as one wide table: every figure of a learner on a backend in one line."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from neuromorph.report.tables import accuracy_text, agreement_text
from neuromorph.report.units import ABSENT, printable, si, si_range
from neuromorph.scorecard import Range, Row, Scorecard

WHOLE_WIDTH = 200  # columns of a terminal from which on the table is readable


def whole_table(scorecard: Scorecard) -> Table:
    """Learner x backend; energies and latencies are low-high estimates for one sample, by chip."""
    chips = list(dict.fromkeys(chip for row in scorecard.rows for chip in row.energy_joule))
    table = Table(title=f"Learners and backends on {printable(scorecard.task)}", title_justify="left")
    for heading in ("learner", "backend"):
        table.add_column(heading, no_wrap=True)
    figures = [
        "test accuracy, %",
        "training samples",
        "wall time per sample",
        "steps per second",
        "synaptic operations",
        *(f"energy per inference, {chip}" for chip in chips),
        *(f"energy per learned sample, {chip}" for chip in chips),
        *(f"latency, {chip}" for chip in chips),
        "memory for learning",
    ]
    for heading in figures:
        table.add_column(printable(heading), justify="right")
    table.add_column("same spikes")
    for previous, row in zip((None, *scorecard.rows), scorecard.rows, strict=False):
        if previous is not None and previous.learner != row.learner:
            table.add_section()
        table.add_row(*(Text(printable(cell)) for cell in _cells(row, chips, len(figures))))
    missing = {(row.backend, row.reason): None for row in scorecard.rows if not row.available}
    notes = [f"{backend} is not available: {reason}" for backend, reason in missing]
    again = scorecard.learning_samples_compared
    notes.append(
        "Wall time and steps per second: measured here. Energy, latency: estimated from counted work, low to high. Memory:"
        " beside the weights, 4 bytes a value."
        + (f" Taught on the emulator; the first {again} samples are learned again on each backend." if again else "")
    )
    table.caption = Text("\n".join(printable(note) for note in notes))
    table.caption_justify = "left"
    return table


def _cells(row: Row, chips: list[str], figures: int) -> list[str]:
    if not row.available:
        return [row.learner, row.backend, *[ABSENT] * figures, f"not available: {row.reason}"]

    def ends(values: Mapping[str, Range], unit: str) -> list[str]:
        return [si_range(values[chip], unit) if chip in values else ABSENT for chip in chips]

    return [
        row.learner,
        row.backend,
        accuracy_text(row),
        ABSENT if row.samples is None else f"{row.samples:,}",
        ABSENT if row.seconds_per_sample is None else si(row.seconds_per_sample, "s"),
        ABSENT if row.steps_per_second is None else si(row.steps_per_second),
        ABSENT if row.synaptic_operations is None else si(row.synaptic_operations),
        *ends(row.energy_joule, "J"),
        *ends(row.learning_energy_joule, "J"),
        *ends(row.latency_second, "s"),
        ABSENT if row.learning_memory_byte is None else si(row.learning_memory_byte, "B"),
        agreement_text(row),
    ]
