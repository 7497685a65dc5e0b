"""The tables of a scorecard: for the terminal, as GitHub Markdown, and as plain cells for the page."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import stdev

from rich.console import Console, Group

from neuromorph.report.estimates import estimates
from neuromorph.report.sheet import Column, Line, Sheet, markdown_lines, sheet_group
from neuromorph.report.units import ABSENT, PLUS_MINUS, percent, printable, si, si_range
from neuromorph.scorecard import Range, Row, Scorecard

REFERENCE = "reference"  # the backend that the others are compared with


def sheets(scorecard: Scorecard, *, dash: str = "-") -> tuple[Sheet, ...]:
    """The tables that have at least one line; ``dash`` stands between low and high."""
    built = (
        _learning_sheet(scorecard),
        _simulation_sheet(scorecard),
        _chip_sheet(scorecard, dash),
        _delay_sheet(scorecard, dash),
        _metrics_sheet(scorecard),
    )
    return tuple(sheet for sheet in built if sheet.lines)


def terminal_tables(scorecard: Scorecard) -> Group:
    """The tables for ``rich.console.Console.print``; readable from 80 columns on, best from 100."""
    return sheet_group(sheets(scorecard))


def further_tables(scorecard: Scorecard) -> Group:
    """The tables whose figures are not in :func:`neuromorph.report.whole_table.whole_table`."""
    built = (_delay_sheet(scorecard, "-"), _metrics_sheet(scorecard))
    return sheet_group([sheet for sheet in built if sheet.lines])


def terminal_text(scorecard: Scorecard, *, width: int = 100) -> str:
    """The terminal tables as plain text, so many columns wide."""
    console = Console(width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(terminal_tables(scorecard))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def markdown(scorecard: Scorecard) -> str:
    """The tables as GitHub Markdown."""
    return "\n".join(line for sheet in sheets(scorecard) for line in markdown_lines(sheet))


def accuracy_text(row: Row) -> str:
    """Mean accuracy over seeds and its standard deviation, in percent without the sign; ``-`` where there is none."""
    if row.accuracy is None:
        return ABSENT
    if len(row.accuracy_by_seed) < 2:
        return percent(row.accuracy)
    return f"{percent(row.accuracy)} {PLUS_MINUS} {percent(stdev(row.accuracy_by_seed))}"


def agreement_text(row: Row) -> str:
    """Whether the spikes were those of the reference, or where they differ first."""
    if row.backend == REFERENCE:
        return "(the reference)"
    if row.spikes_equal is None:
        return "not compared"
    if row.spikes_equal:
        return "yes"
    return f"no: first at {divergence_text(row)}"


def divergence_text(row: Row) -> str:
    """Where the spikes of a row differ first from those of the reference."""
    where = row.first_divergence or {}
    parts = (("{}", "phase"), ("step {},", "step"), ("{}", "population"), ("neuron {}", "neuron"))
    words = [form.format(where[name]) for form, name in parts if where.get(name) is not None]
    return printable(" ".join(words)).rstrip(",") or "an unknown place"


def _learning_sheet(scorecard: Scorecard) -> Sheet:
    lines = [
        Line(
            cells=(
                printable(row.learner),
                printable(row.backend),
                accuracy_text(row),
                ABSENT if row.samples is None else f"{row.samples:,}",
                ABSENT if row.learning_memory_byte is None else si(row.learning_memory_byte, "B"),
                agreement_text(row),
            ),
            agrees=row.spikes_equal,
        )
        for row in scorecard.rows
        if row.available
    ]
    columns = (
        Column(heading="Learner", figures=False),
        Column(heading="Backend", figures=False),
        Column(heading="Test accuracy, %"),
        Column(heading="Training samples seen"),
        Column(heading="Memory for learning"),
        Column(heading="Same spikes as the reference", figures=False),
    )
    return Sheet(
        title="Learning and agreement",
        note=_learning_note(scorecard),
        columns=columns,
        lines=(*lines, *_unavailable(scorecard, len(columns))),
    )


def _learning_note(scorecard: Scorecard) -> str:
    several = len(scorecard.seeds) > 1
    spread = f"mean {PLUS_MINUS} standard deviation over {len(scorecard.seeds)} seeds, " if several else ""
    return (
        f"Accuracy: {spread}on {scorecard.test_samples:,} held-out samples. Memory: what learning holds beside the "
        "weights, 4 bytes a value; backprop for a minibatch. Spikes are compared one by one: in classifying, and "
        f"in learning{_learning_compared(scorecard)}."
    )


def _learning_compared(scorecard: Scorecard) -> str:
    count = scorecard.learning_samples_compared
    return f" the first {count} samples again on each backend (the whole lesson runs on the emulator)" if count else ""


def _unavailable(scorecard: Scorecard, columns: int) -> Iterator[Line]:
    learners: dict[tuple[str, str], list[str]] = {}
    for row in scorecard.rows:
        if not row.available:
            learners.setdefault((row.backend, row.reason), []).append(row.learner)
    for (backend, reason), names in learners.items():
        cells = (printable(", ".join(dict.fromkeys(names))), printable(backend), *[ABSENT] * (columns - 2))
        yield Line(cells=cells, notice=f"not available: {printable(reason) or 'no reason given'}")


def _simulation_sheet(scorecard: Scorecard) -> Sheet:
    def seconds(value: float | None) -> str:
        return ABSENT if value is None else si(value, "s")

    def count(value: float | None) -> str:
        return ABSENT if value is None else si(value)

    lines = [
        Line(
            cells=(
                printable(row.learner),
                printable(row.backend),
                seconds(row.seconds_per_sample),
                seconds(row.learning_seconds_per_sample),
                count(row.steps_per_second),
                count(row.synaptic_operations),
            )
        )
        for row in scorecard.rows
        if row.available
    ]
    return Sheet(
        title="Work and speed on this machine",
        note="Wall time as measured here, of the simulators; it says nothing about a chip.",
        columns=(
            Column(heading="Learner", figures=False),
            Column(heading="Backend", figures=False),
            Column(heading="Wall time, one sample classified"),
            Column(heading="Wall time, one sample learned"),
            Column(heading="Time steps per second"),
            Column(heading="Synaptic operations per inference"),
        ),
        lines=tuple(lines),
    )


def _chip_sheet(scorecard: Scorecard, dash: str) -> Sheet:
    def ends(value: Range | None, unit: str) -> str:
        return ABSENT if value is None else si_range(value, unit, dash=dash)

    lines = [
        Line(
            cells=(
                printable(entry.learner),
                printable(entry.chip),
                ends(entry.energy_joule, "J"),
                ends(entry.learning_energy_joule, "J"),
                ends(entry.latency_second, "s"),
                printable(", ".join(entry.backends)),
            )
        )
        for entry in estimates(scorecard)
    ]
    return Sheet(
        title="Energy and latency on chips, estimated",
        note=(
            "Not measured: each figure reaches from a low to a high estimate, counted work times the coefficients "
            "published or assumed for the chip. Backends that did the same work share a line."
        ),
        columns=(
            Column(heading="Learner", figures=False),
            Column(heading="Chip", figures=False),
            Column(heading="Energy per inference"),
            Column(heading="Energy per learned sample"),
            Column(heading="Latency per inference"),
            Column(heading="Work counted on", figures=False),
        ),
        lines=tuple(lines),
    )


def _delay_sheet(scorecard: Scorecard, dash: str) -> Sheet:
    lines = [
        Line(
            cells=(
                printable(entry.learner),
                printable(entry.chip),
                si_range(entry.energy_delay_product, "J s", dash=dash),
                printable(", ".join(entry.backends)),
            )
        )
        for entry in estimates(scorecard)
        if entry.energy_delay_product is not None
    ]
    return Sheet(
        title="Energy-delay product on chips, estimated",
        note="Energy times latency of one inference: the low ends multiplied to the high ends multiplied. Lower is better.",
        columns=(
            Column(heading="Learner", figures=False),
            Column(heading="Chip", figures=False),
            Column(heading="Energy x delay"),
            Column(heading="Work counted on", figures=False),
        ),
        lines=tuple(lines),
    )


def _metrics_sheet(scorecard: Scorecard) -> Sheet:
    def number(value: float | None) -> str:
        return ABSENT if value is None else si(value)

    def share(value: float | None) -> str:
        return ABSENT if value is None else percent(value)

    found = {one.learner: one.metrics for one in scorecard.evidence if one.metrics}
    samples = max((one.metrics_samples for one in scorecard.evidence), default=0)
    lines = [
        Line(
            cells=(
                printable(learner),
                si(metrics["Footprint"], "B"),
                " / ".join(share(metrics[f"{kind}Sparsity"]) for kind in ("Connection", "Activation")),
                " / ".join(number(metrics["SynapticOperations"][f"Effective_{kind}"]) for kind in ("ACs", "MACs")),
                number(metrics["SynapticOperations"]["Dense"]),
                number(metrics["MembraneUpdates"]),
            )
        )
        for learner, metrics in found.items()
    ]
    return Sheet(
        title="NeuroBench's metrics",
        note=(
            f"Of the learned network of the first seed, without learning; a mean over {samples:,} classified "
            "samples. Bytes held: the footprint. Sparsity: of weights / of the neurons' outputs. ACs: spikes times nonzero weights; MACs: the same of graded values; dense: every input and weight "
            "counted. Membranes: all in the first step, then those that changed."
        ),
        columns=(
            Column(heading="Learner", figures=False),
            Column(heading="Bytes held"),
            Column(heading="Sparsity, %"),
            Column(heading="ACs / MACs"),
            Column(heading="Dense"),
            Column(heading="Membrane updates"),
        ),
        lines=tuple(lines),
    )
