"""Cost estimates of a scorecard by learner and chip, backends with the same figures said once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neuromorph.scorecard import Range, Row, Scorecard


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one learner is estimated to cost on one chip, from the work counted on one or several backends."""

    learner: str
    backends: tuple[str, ...]  # whose counts gave exactly these figures
    chip: str
    energy_joule: Range | None  # one classified sample
    learning_energy_joule: Range | None  # one learned sample
    latency_second: Range | None  # one classified sample
    energy_delay_product: Range | None  # J s, one classified sample


def estimates(scorecard: Scorecard) -> tuple[Estimate, ...]:
    """One entry a learner, chip and different set of figures; learners in the order of the rows."""
    backends: dict[Estimate, list[str]] = {}
    for row in scorecard.rows:
        for chip in _chips(row):
            backends.setdefault(_estimate(row, chip), []).append(row.backend)
    entries = [replace(figures, backends=tuple(dict.fromkeys(names))) for figures, names in backends.items()]
    learners = learner_names(scorecard)
    return tuple(sorted(entries, key=lambda entry: learners.index(entry.learner)))


def learner_names(scorecard: Scorecard) -> tuple[str, ...]:
    """Learners in the order of the rows, then those that only have evidence."""
    names = [row.learner for row in scorecard.rows] + [evidence.learner for evidence in scorecard.evidence]
    return tuple(dict.fromkeys(names))


def _chips(row: Row) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*row.energy_joule, *row.learning_energy_joule, *row.latency_second)))


def _estimate(row: Row, chip: str) -> Estimate:
    return Estimate(
        learner=row.learner,
        backends=(),
        chip=chip,
        energy_joule=_ends(row.energy_joule.get(chip)),
        learning_energy_joule=_ends(row.learning_energy_joule.get(chip)),
        latency_second=_ends(row.latency_second.get(chip)),
        energy_delay_product=_ends(row.energy_delay_product.get(chip)),
    )


def _ends(ends: Range | None) -> Range | None:
    return None if ends is None else (float(ends[0]), float(ends[1]))
