"""Accuracy against cost: which learner on which chip no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Literal

from neuromorph.report.estimates import learner_names
from neuromorph.scorecard import Range, Row, Scorecard

Quantity = Literal["energy", "latency"]
READ: Mapping[Quantity, Callable[[Row], Mapping[str, Range]]] = {
    "energy": lambda row: row.energy_joule,
    "latency": lambda row: row.latency_second,
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A learner on a chip: how well it does, and what one classified sample costs, as a range.

    >>> cheap = Candidate(learner="a", chip="x", backend="r", accuracy=0.9, spread=0.0, cost=(1.0, 2.0))
    >>> dear = Candidate(learner="b", chip="x", backend="r", accuracy=0.8, spread=0.0, cost=(3.0, 4.0))
    >>> cheap.surely_beats(dear), dear.surely_beats(cheap)
    (True, False)
    """

    learner: str
    chip: str
    backend: str  # on which the work was counted, and timed
    accuracy: float  # 0 to 1
    spread: float  # standard deviation over seeds; 0 of one seed
    cost: Range  # J or s

    @property
    def middle(self) -> float:
        """Of the range, by ratio: sqrt(low high); the high end where the low one is 0."""
        low, high = self.cost
        return math.sqrt(low * high) if low > 0 else high

    def surely_beats(self, other: Candidate) -> bool:
        """Whether it is at least as accurate, and its whole range of cost lies below the other's."""
        return self.accuracy >= other.accuracy and self.cost[1] < other.cost[0]


def candidates(scorecard: Scorecard, quantity: Quantity) -> tuple[Candidate, ...]:
    """One for each learner and chip; of several backends the one with the lowest high end."""
    best: dict[tuple[str, str], Candidate] = {}
    for row in scorecard.rows:
        if row.accuracy is None or not math.isfinite(row.accuracy):
            continue
        for chip, (low, high) in READ[quantity](row).items():
            if not 0 < high < math.inf:
                continue
            found = Candidate(
                learner=row.learner,
                chip=chip,
                backend=row.backend,
                accuracy=row.accuracy,
                spread=stdev(row.accuracy_by_seed) if len(row.accuracy_by_seed) > 1 else 0.0,
                cost=(float(low), float(high)),
            )
            known = best.get((row.learner, chip))
            if known is None or found.cost[1] < known.cost[1]:
                best[row.learner, chip] = found
    learners = learner_names(scorecard)
    return tuple(sorted(best.values(), key=lambda one: learners.index(one.learner)))


def front(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Candidates that no other beats in both by the middles of the ranges, from the cheapest to the most accurate.

    >>> one, two, three = (
    ...     Candidate(learner=name, chip="x", backend="r", accuracy=accuracy, spread=0.0, cost=(cost, cost))
    ...     for name, accuracy, cost in (("a", 0.9, 3.0), ("b", 0.8, 1.0), ("c", 0.7, 2.0))
    ... )
    >>> [candidate.learner for candidate in front([one, two, three])]
    ['b', 'a']
    """
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: (one.middle, -one.accuracy)):
        if not kept or one.accuracy > kept[-1].accuracy:
            kept.append(one)
    return tuple(kept)


def surely_beaten(found: Sequence[Candidate]) -> tuple[bool, ...]:
    """For each candidate, whether some other beats it wherever in their ranges both lie."""
    return tuple(any(other.surely_beats(one) for other in found) for one in found)
