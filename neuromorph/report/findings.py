"""What was found, in sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from neuromorph.report.estimates import estimates
from neuromorph.report.tables import REFERENCE, accuracy_text, divergence_text
from neuromorph.report.units import EN_DASH, listing, percent, printable, si_range
from neuromorph.scorecard import Row, Scorecard

_SPACE = "\u00a0"  # keeps a number and its unit on one line


def headline(scorecard: Scorecard) -> str:
    """The best held-out accuracy of every learner, highest first."""
    best = _best_rows(scorecard)
    if not best:
        return f"No learner reached the test on {printable(scorecard.task)}."
    parts = [
        f"{_unbroken(accuracy_text(row))}{_SPACE}% by {printable(row.learner)}{_where(scorecard, row)}" for row in best
    ]
    plural = "accuracies were" if len(parts) > 1 else "accuracy was"
    return f"On {printable(scorecard.task)}, the best held-out {plural} {listing(parts)}."


def findings(scorecard: Scorecard) -> tuple[str, ...]:
    """Sentences that follow the headline: agreement of spikes, energy, what was not available."""
    sentences = [*_agreement(scorecard), *_energy(scorecard), *_unavailable(scorecard)]
    return tuple(sentence for sentence in sentences if sentence)


def _best_rows(scorecard: Scorecard) -> list[Row]:
    best: dict[str, Row] = {}
    for row in scorecard.rows:
        if row.accuracy is not None and (row.learner not in best or row.accuracy > (best[row.learner].accuracy or 0)):
            best[row.learner] = row
    return sorted(best.values(), key=lambda row: -(row.accuracy or 0))


def _where(scorecard: Scorecard, best: Row) -> str:
    """The backend, where the learner did worse on another."""
    mine = [row.accuracy for row in scorecard.rows if row.learner == best.learner and row.accuracy is not None]
    differs = any(percent(accuracy) != percent(best.accuracy or 0.0) for accuracy in mine)
    same = [row.backend for row in scorecard.rows if row.learner == best.learner and row.accuracy == best.accuracy]
    return f" (on {_names(same)})" if differs else ""


def _agreement(scorecard: Scorecard) -> list[str]:
    compared = [
        row for row in scorecard.rows if row.available and row.spikes_equal is not None and row.backend != REFERENCE
    ]
    if not compared:
        return ["No spikes were compared between backends."]
    sentences = []
    backends = list(dict.fromkeys(row.backend for row in compared))
    faithful = [name for name in backends if all(row.spikes_equal for row in compared if row.backend == name)]
    if faithful:
        learners = _names([row.learner for row in compared if row.backend in faithful])
        sentences.append(
            f"All compared spikes on {_names(faithful)} were those of the {REFERENCE} backend, in classifying and in "
            f"learning ({learners})."
        )
    for name in backends:
        if name not in faithful:
            sentences.append(_disagreement(name, [row for row in compared if row.backend == name]))
    return sentences


def _disagreement(backend: str, rows: Sequence[Row]) -> str:
    same = [row.learner for row in rows if row.spikes_equal]
    clauses = [f"{_names(same)} had the same spikes as on the {REFERENCE} backend"] if same else []
    clauses += [
        f"{printable(row.learner)} spiked differently, first at {divergence_text(row)}"
        for row in rows
        if not row.spikes_equal
    ]
    return f"On {printable(backend)}, {'; '.join(clauses)}."


def _energy(scorecard: Scorecard) -> list[str]:
    found = [entry for entry in estimates(scorecard) if entry.energy_joule is not None]
    parts = []
    for chip in dict.fromkeys(entry.chip for entry in found):
        ranges = [(entry.energy_joule, entry.learner) for entry in found if entry.chip == chip]
        ends = [ends for ends, _ in ranges if ends is not None]
        span = (min(low for low, _ in ends), max(high for _, high in ends))
        learners = _names([learner for _, learner in ranges])
        parts.append(f"{_unbroken(si_range(span, 'J', dash=EN_DASH))} on {printable(chip)} ({learners})")
    return [f"One inference is estimated to take {listing(parts)}."] if parts else []


def _unavailable(scorecard: Scorecard) -> list[str]:
    ran = {row.backend for row in scorecard.rows if row.available}
    without: dict[str, list[str]] = {}
    for row in scorecard.rows:
        if not row.available:
            without.setdefault(row.backend, []).append(row.learner)
    missing = [backend for backend in without if backend not in ran]
    sentences = []
    if missing:
        verb = "was" if len(missing) == 1 else "were"
        sentences.append(f"{_names(missing)} {verb} not available; the table says why and what to do.")
    for backend, learners in without.items():
        if backend in ran:
            sentences.append(f"{printable(backend)} could not run {_names(learners)}; the table says why.")
    return sentences


def _names(names: Sequence[str]) -> str:
    return listing([printable(name) for name in dict.fromkeys(names)])


def _unbroken(text: str) -> str:
    return text.replace(" ", _SPACE)
