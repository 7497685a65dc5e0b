"""Figures of estimates on several chips: totals side by side, and every term from low to high."""

from __future__ import annotations

from collections.abc import Sequence

from neuromorph.chip_estimates import ChipEstimate
from neuromorph.cost import Cost, Range
from neuromorph.report.canvas import colour_of, label, marker_of
from neuromorph.report.comparison_plots import Bar, bar_chart
from neuromorph.report.cost_sheets import shown_terms

TERM_WIDTH = 3.7  # inches, for the names of terms
# Colours of parts of the energy, the same on every chip; any other part has the last one.
PART_COLOURS = {"events": 0, "arithmetic": 0, "static": 1, "measured": 2, "embedded": 3, "learning": 4, "memory": 4}
OTHER_COLOUR = 5


def totals(estimates: Sequence[ChipEstimate]) -> bytes | None:
    """Energy, latency and their product of every chip, each on an axis of its own."""
    bars = [
        Bar(
            name=label(one.chip),
            colour=colour_of(number),
            marker=marker_of(number),
            values=tuple(map(_ends, (one.cost.energy_joule, one.cost.latency_second, one.cost.energy_delay_product))),
        )
        for number, one in enumerate(estimates)
        if one.cost is not None
    ]
    names = ["energy (J)", "latency (s)", "energy x delay (J s)"]
    return bar_chart(bars, names, ("J", "s", "J s"), digits=2, left=1.3)


def energy_terms(estimates: Sequence[ChipEstimate]) -> bytes | None:
    """Every term of the energy that is not negligible, by chip, the largest first."""
    bars = [
        bar
        for number, one in enumerate(estimates)
        if one.cost is not None
        for bar in _terms(number, one.cost, "energy")
    ]
    return bar_chart(bars, ["energy (J)"], "J", digits=2, left=TERM_WIDTH)


def latency_terms(estimates: Sequence[ChipEstimate]) -> bytes | None:
    """The same of the latency."""
    bars = [
        bar
        for number, one in enumerate(estimates)
        if one.cost is not None
        for bar in _terms(number, one.cost, "latency")
    ]
    return bar_chart(bars, ["latency (s)"], "s", digits=2, left=TERM_WIDTH)


def _terms(number: int, cost: Cost, what: str) -> list[Bar]:
    terms = list(shown_terms(cost.energy_terms if what == "energy" else cost.latency_terms))
    accounts = {term.cost_set for term in terms if not term.shared}
    heading = Bar(name=label(cost.chip), colour=colour_of(number), marker=marker_of(number))
    bars = [
        Bar(
            name=label(term.name if term.shared or len(accounts) < 2 else f"{term.name} ({term.cost_set})", 48),
            colour=colour_of(PART_COLOURS.get(term.part, OTHER_COLOUR)),
            values=(_ends(term.total),),
        )
        for term in terms
    ]
    return [heading, *bars] if bars else []


def _ends(value: Range) -> tuple[float, float]:
    return (value.low, value.high)
