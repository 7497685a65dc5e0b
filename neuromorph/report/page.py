"""The page: one HTML file that holds everything, asks nothing of any network, and prints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuromorph.report.document import document, write_document
from neuromorph.report.estimates import learner_names
from neuromorph.report.findings import findings, headline
from neuromorph.report.sheet import by_learner
from neuromorph.report.tables import sheets
from neuromorph.report.units import EN_DASH, duration, printable
from neuromorph.scorecard import Evidence, Scorecard

if TYPE_CHECKING:
    from neuromorph.report.figures import Figure


@dataclass(frozen=True, kw_only=True)
class LearnerSection:
    """The part of the page about one learner."""

    number: int
    name: str
    note: str
    figures: tuple[tuple[int, Figure], ...]  # numbered


def write_page(scorecard: Scorecard, path: str | os.PathLike[str]) -> Path:
    """Write the page to ``path``, whole or not at all; folders on the way are made.

    Raises ``NeuromorphError`` where matplotlib or jinja2 is not installed.
    """
    return write_document(page_html(scorecard), path)


def page_html(scorecard: Scorecard) -> str:
    """The page as text."""

    def fields() -> dict[str, Any]:
        from neuromorph.report.figures import comparison_figures, learner_figures

        numbers = count(1)
        return {
            "title": f"{printable(scorecard.task)}: learners compared",
            "task": printable(scorecard.task),
            "headline": headline(scorecard),
            "findings": findings(scorecard),
            "quick": scorecard.quick,
            "setup": tuple(_setup(scorecard)),
            "sheets": sheets(scorecard, dash=EN_DASH),
            "comparison": tuple((next(numbers), figure) for figure in comparison_figures(scorecard)),
            "learners": tuple(
                LearnerSection(
                    number=index,
                    name=printable(evidence.learner),
                    note=_learner_note(scorecard, evidence),
                    figures=tuple((next(numbers), figure) for figure in learner_figures(scorecard, evidence, index)),
                )
                for index, evidence in enumerate(scorecard.evidence, start=1)
            ),
            "seeds": scorecard.seeds,
            "provenance": tuple(_provenance(scorecard)),
            "data": scorecard.to_json(),
        }

    return document("page.html.jinja", fields, filters={"by_learner": by_learner})


def _setup(scorecard: Scorecard) -> Iterator[tuple[str, str]]:
    """What was done, as terms and their values."""
    names = {row.backend: row.available for row in scorecard.rows}
    yield "Learners", ", ".join(map(printable, learner_names(scorecard))) or "none"
    yield "Backends", ", ".join(printable(name) for name, available in names.items() if available) or "none"
    yield "Samples", f"{scorecard.training_samples:,} for training, {scorecard.test_samples:,} held out"
    yield "Seeds", ", ".join(map(str, scorecard.seeds)) or "none"
    yield "Encoding", printable(scorecard.encoding) or "not stated"
    yield "Time taken", duration(scorecard.seconds)


def _provenance(scorecard: Scorecard) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Lists of what the numbers depend on, those with entries."""
    lists = {"Versions": scorecard.versions, "Fingerprints (SHA-256)": scorecard.fingerprints}
    for title, entries in lists.items():
        if entries:
            yield title, tuple((printable(name), printable(value)) for name, value in entries.items())


def _learner_note(scorecard: Scorecard, evidence: Evidence) -> str:
    seeds = "the only one" if len(scorecard.seeds) < 2 else f"one of {len(scorecard.seeds)}"
    spikes = "" if evidence.raster else " This learner sends no spikes, so there is no raster."
    return f"The figures show seed {evidence.seed}, {seeds}.{spikes}"
