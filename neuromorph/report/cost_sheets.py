"""Estimates on several chips as tables: one line a chip, and every term with its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neuromorph.chip_estimates import ChipEstimate
from neuromorph.cost import Cost, Range, Term
from neuromorph.neurobench import Metrics
from neuromorph.report.sheet import Column, Line, Sheet
from neuromorph.report.units import ABSENT, printable, si, si_range

NEGLIGIBLE = 1e-3  # of the largest total: terms up to that are left out of pictures


def chips_sheet(estimates: Sequence[ChipEstimate], *, dash: str = "-") -> Sheet:
    """One line a chip: energy, latency, their product, cores, and what makes up most of it."""
    lines = []
    for one in estimates:
        if one.cost is None:
            lines.append(
                Line(cells=(printable(one.chip), *[ABSENT] * 5), notice=f"no estimate: {printable(one.reason)}")
            )
            continue
        cost, mostly = one.cost, one.mostly
        lines.append(
            Line(
                cells=(
                    printable(one.chip),
                    ends(cost.energy_joule, "J", dash),
                    ends(cost.latency_second, "s", dash),
                    ends(cost.energy_delay_product, "J s", dash),
                    _cores(one, dash),
                    ABSENT if mostly is None else printable(mostly.text),
                )
            )
        )
    return Sheet(
        title="Energy and latency, estimated",
        note=_note(estimates),
        columns=(
            Column(heading="Chip", figures=False),
            Column(heading="Energy"),
            Column(heading="Latency"),
            Column(heading="Energy x delay"),
            Column(heading="Cores"),
            Column(heading="Most of the energy", figures=False),
        ),
        lines=tuple(lines),
    )


def terms_sheet(cost: Cost, *, dash: str = "-") -> Sheet:
    """Every term of one chip: how often, what one costs, the total, and where the number comes from."""
    lines = [
        Line(
            cells=(
                what,
                printable(term.name),
                "all" if term.shared else printable(term.cost_set),
                ends(term.count, "", dash),
                ends(term.coefficient, term.unit, dash),
                ends(term.total, "J" if what == "energy" else "s", dash),
                term.status,
                printable(term.source),
            )
        )
        for what, terms in (("energy", cost.energy_terms), ("latency", cost.latency_terms))
        for term in terms
    ]
    return Sheet(
        title=f"{printable(cost.chip)}: every term",
        note=("In no term: " + printable("; ".join(cost.missing)) + ".") if cost.missing else "",
        columns=(
            Column(heading="Of", figures=False),
            Column(heading="Term", figures=False),
            Column(heading="Account", figures=False),
            Column(heading="Count"),
            Column(heading="Coefficient"),
            Column(heading="Total"),
            Column(heading="Status", figures=False),
            Column(heading="Source", figures=False),
        ),
        lines=tuple(lines),
    )


def shown_terms(terms: Sequence[Term]) -> Iterator[Term]:
    """Terms that are not negligible beside the largest, the largest first."""
    largest = max((term.total.high for term in terms), default=0.0)
    kept = [term for term in terms if term.total.high > NEGLIGIBLE * largest]
    yield from sorted(kept, key=lambda term: -term.total.high)


def metrics_line(metrics: Metrics) -> str:
    """NeuroBench's metrics of the run in one sentence."""

    def share(value: float | None) -> str:
        return ABSENT if value is None else f"{100 * value:.1f} %"

    macs = f", {si(metrics.effective_macs)} MACs" if metrics.effective_macs else ""
    return (
        f"NeuroBench's metrics of the run: {si(metrics.effective_acs)} effective ACs{macs} of"
        f" {si(metrics.dense_operations)} dense operations, connection sparsity {share(metrics.connection_sparsity)},"
        f" activation sparsity {share(metrics.activation_sparsity)}, footprint {si(metrics.footprint_byte, 'B')}."
    )


def ends(value: Range, unit: str, dash: str) -> str:
    """Low to high."""
    return si_range((value.low, value.high), unit, dash=dash)


def _cores(one: ChipEstimate, dash: str) -> str:
    assert one.cost is not None
    if one.cost.cores is None:
        return ABSENT
    cores = ends(one.cost.cores, "", dash)
    chips = one.cost.chips
    return cores if chips is None or chips.high <= 1 else f"{cores} on {ends(chips, '', dash)} chips"


def _note(estimates: Sequence[ChipEstimate]) -> str:
    placed = [one.chip for one in estimates if one.placement is not None]
    bounds = [one for one in estimates if one.placement is None and one.cost is not None and one.cost.cores is not None]
    sentences = [
        "Of the whole run, as fast as each chip can; low to high by the published coefficients, nothing measured"
    ]
    if any(one.cost is not None and any(t.status == "measured" for t in one.cost.energy_terms) for one in estimates):
        sentences[0] += " but the wall time on this machine"
    if placed:
        sentences.append(f"Placed core by core: {', '.join(placed)}")
    for one in bounds:
        sentences.append(f"{one.chip}: bounds without a placement" + (f" ({one.reason})" if one.reason else ""))
    return printable(". ".join(sentences) + ". The share is that of the high end.")
