"""The page of an estimate: one HTML file with the chips side by side, every term, and every source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuromorph.chip_estimates import ChipEstimate
from neuromorph.neurobench import Metrics
from neuromorph.report.cost_sheets import chips_sheet, ends, terms_sheet
from neuromorph.report.document import document, write_document
from neuromorph.report.metrics import metrics_rows
from neuromorph.report.units import EN_DASH, duration, listing, printable

if TYPE_CHECKING:
    from neuromorph.report.figures import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class EstimateReport:
    """What the page tells: a run, and what it would cost."""

    program: str
    program_fingerprint: str
    steps: int
    dt: float  # s
    inputs: str  # a sentence: what was fed
    backend: str
    versions: Mapping[str, str]
    estimates: Sequence[ChipEstimate]
    metrics: Metrics | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "program": self.program,
            "program_fingerprint": self.program_fingerprint,
            "steps": self.steps,
            "dt": self.dt,
            "inputs": self.inputs,
            "backend": self.backend,
            "versions": dict(self.versions),
            "rows": [one.to_json() for one in self.estimates],
            "neurobench": None if self.metrics is None else self.metrics.to_json(),
        }


def write_estimate_page(report: EstimateReport, path: str | os.PathLike[str]) -> Path:
    """Write the page to ``path``, whole or not at all; folders on the way are made.

    Raises ``NeuromorphError`` where matplotlib or jinja2 is not installed.
    """
    return write_document(estimate_html(report), path)


def estimate_html(report: EstimateReport) -> str:
    """The page as text."""

    def fields() -> dict[str, Any]:
        metrics = report.metrics
        return {
            "title": f"{printable(report.program)}: energy and latency",
            "headline": estimate_headline(report.estimates),
            "setup": tuple(_setup(report)),
            "chips": chips_sheet(report.estimates, dash=EN_DASH),
            "figures": estimate_figures(report.estimates),
            "metrics": () if metrics is None else metrics_rows(metrics),
            "metric_notes": () if metrics is None else (*metrics.missing.values(), *metrics.notes),
            "terms": tuple(terms_sheet(one.cost, dash=EN_DASH) for one in report.estimates if one.cost is not None),
            "provenance": tuple(_provenance(report)),
            "data": report.to_json(),
        }

    return document("estimate.html.jinja", fields)


def estimate_headline(estimates: Sequence[ChipEstimate]) -> str:
    """The energy on every chip in one sentence."""
    known = [(one.chip, one.cost.energy_joule) for one in estimates if one.cost is not None]
    parts = [f"{ends(energy, 'J', EN_DASH)} on {printable(chip)}" for chip, energy in known]
    return f"The run is estimated to take {listing(parts)}." if parts else "No chip could be estimated."


def estimate_figures(estimates: Sequence[ChipEstimate]) -> tuple[Figure, ...]:
    """Figures of an estimate; those with nothing to show are left out."""
    from neuromorph.report import cost_plots
    from neuromorph.report.figures import Figure

    names = listing([printable(one.chip) for one in estimates if one.cost is not None])
    drawn = [
        (
            "totals",
            "The chips side by side.",
            "Each bar reaches from the low to the high estimate of the whole run, on a logarithmic axis. Bars that "
            "overlap cannot be told apart by these estimates.",
            cost_plots.totals(estimates),
        ),
        (
            "energy",
            "Energy by term.",
            "What the energy on each chip is made of, each term from its low to its high end. Accounts of one chip "
            "(in brackets) are rivals, not parts of one sum. Blue: what happens on the cores, light blue: learning and memory; orange: static power; pink: "
            "embedded processors; green: measured; ochre: all else.",
            cost_plots.energy_terms(estimates),
        ),
        (
            "latency",
            "Latency by term.",
            "The same of the time that the run takes, as fast as each chip can.",
            cost_plots.latency_terms(estimates),
        ),
    ]
    return tuple(
        Figure(
            key=key,
            title=title,
            caption=caption,
            description=f"Bar chart: {title.rstrip('.').lower()}, on {names}; the numbers are in the tables.",
            svg=svg,
        )
        for key, title, caption, svg in drawn
        if svg is not None
    )


def _setup(report: EstimateReport) -> Iterator[tuple[str, str]]:
    yield "Program", printable(report.program)
    yield "Run", f"{report.steps:,} steps of {duration(report.dt)} on {printable(report.backend)}"
    yield "Input", printable(report.inputs)
    yield "Chips", ", ".join(printable(one.chip) for one in report.estimates)


def _provenance(report: EstimateReport) -> Iterator[tuple[str, str]]:
    yield "program", report.program_fingerprint
    for one in report.estimates:
        if one.cost is not None:
            yield printable(one.chip), one.cost.chip_fingerprint
    for name, version in report.versions.items():
        yield printable(name), printable(version)
