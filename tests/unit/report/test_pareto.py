"""The Pareto front: who beats whom, and a plot that holds every candidate."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from neuromorph.cli.compare import _save_pareto
from neuromorph.report.canvas import MUTED, SERIES
from neuromorph.report.pareto import Candidate, candidates, front, surely_beaten
from neuromorph.report.pareto_plot import PANELS, pareto_figure, pareto_plot
from neuromorph.report.tables import further_tables, sheets
from neuromorph.scorecard import Range, Row, Scorecard


def candidate(learner: str, accuracy: float, cost: Range) -> Candidate:
    return Candidate(learner=learner, chip="c", backend="b", accuracy=accuracy, spread=0.0, cost=cost)


def row(learner: str, accuracy: float | None, cost: Range, backend: str = "b", chip: str = "c") -> Row:
    return Row(learner=learner, backend=backend, available=True, accuracy=accuracy, energy_joule={chip: cost})


def test_the_front_rises_from_the_cheapest_to_the_most_accurate() -> None:
    found = [
        candidate("dear and good", 0.95, (90.0, 110.0)),
        candidate("cheap and bad", 0.5, (1.0, 1.0)),
        candidate("dear and bad", 0.5, (50.0, 60.0)),
        candidate("between", 0.9, (5.0, 20.0)),  # middle 10
        candidate("as good as between, dearer", 0.9, (9.0, 16.0)),  # middle 12
    ]
    assert [one.learner for one in front(found)] == ["cheap and bad", "between", "dear and good"]


def test_of_two_at_one_cost_the_more_accurate_is_on_the_front() -> None:
    assert [one.learner for one in front([candidate("a", 0.5, (1.0, 1.0)), candidate("b", 0.6, (1.0, 1.0))])] == ["b"]


def test_nothing_is_surely_beaten_where_ranges_overlap() -> None:
    cheap, dear = candidate("a", 0.9, (1.0, 10.0)), candidate("b", 0.8, (10.0, 20.0))
    assert surely_beaten([cheap, dear]) == (False, False)  # both may cost 10
    assert surely_beaten([candidate("a", 0.9, (1.0, 9.9)), dear]) == (False, True)
    assert surely_beaten([candidate("a", 0.7, (1.0, 2.0)), dear]) == (False, False)  # cheaper, and less accurate


def test_the_middle_of_a_range_is_one_by_ratio() -> None:
    assert candidate("a", 0.5, (2.0, 8.0)).middle == 4.0
    assert candidate("a", 0.5, (0.0, 8.0)).middle == 8.0


def test_a_learner_on_a_chip_is_shown_once_with_the_lowest_high_end(make_scorecard: Callable[..., Scorecard]) -> None:
    rows = (row("a", 0.9, (1.0, 30.0), "slow"), row("a", 0.9, (1.0, 20.0), "fast"), row("a", 0.9, (2.0, 3.0), chip="d"))
    found = candidates(make_scorecard(rows=rows, evidence=()), "energy")
    assert [(one.chip, one.backend) for one in found] == [("c", "fast"), ("d", "b")]


def test_what_has_no_accuracy_or_no_cost_is_no_candidate(make_scorecard: Callable[..., Scorecard]) -> None:
    rows = (row("a", None, (1.0, 2.0)), row("b", 0.5, (0.0, 0.0)), Row(learner="c", backend="b", available=False))
    card = make_scorecard(rows=rows, evidence=())
    assert candidates(card, "energy") == candidates(card, "latency") == ()
    assert pareto_plot(card) is None


def test_the_plot_has_a_panel_for_each_quantity_that_there_is(scorecard: Scorecard) -> None:
    figure = pareto_figure(scorecard)
    assert figure is not None
    assert [axes.get_xlabel() for axes in figure.axes] == [name for _, _, name in PANELS]
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(labels) == ["cpu", "cpu", "cpu", "loihi1", "loihi1"]  # three learners, backprop not on loihi1


def test_every_range_is_a_bar_from_its_low_to_its_high_end(scorecard: Scorecard) -> None:
    figure = pareto_figure(scorecard)
    assert figure is not None
    axes = figure.axes[0]
    drawn = {
        tuple(line.get_xdata()) for line in axes.lines if line.get_color() in SERIES and len(line.get_xdata()) == 2
    }
    assert {one.cost for one in candidates(scorecard, "energy")} <= drawn
    (line,) = [line for line in axes.lines if line.get_color() == MUTED]
    assert len(front(candidates(scorecard, "energy"))) * 2 + 1 == len(line.get_xdata())


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_any_number_of_learners_and_chips_is_drawn(make_scorecard: Callable[..., Scorecard], count: int) -> None:
    rows = tuple(
        Row(
            learner=f"learner {n}", backend="b", available=True, accuracy=0.5 + 0.01 * (n % 3),
            energy_joule={f"chip {k}": (1e-9 * (n + 1), 1e-9 * (n + 1) * 10**k) for k in range(3)},
        )
        for n in range(count)
    )  # fmt: skip
    svg = pareto_plot(make_scorecard(rows=rows, evidence=()))
    assert svg is not None
    assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_names_of_chips_lie_inside_the_axes_and_apart(make_scorecard: Callable[..., Scorecard]) -> None:
    rows = tuple(
        Row(learner=f"l{n}", backend="b", available=True, accuracy=0.9 - 0.04 * n, energy_joule={"chip": (1e-6, 1e-4)})
        for n in range(4)
    )
    figure = pareto_figure(make_scorecard(rows=rows, evidence=()))
    assert figure is not None
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def test_tables_say_the_product_of_energy_and_delay_and_neurobenchs_metrics(scorecard: Scorecard) -> None:
    by_title = {sheet.title: sheet for sheet in sheets(scorecard)}
    product = by_title["Energy-delay product on chips, estimated"].lines
    assert ("pair-stdp", "loihi1", "13-630 pJ s", "reference, nengo") in [line.cells for line in product]
    metrics = by_title["NeuroBench's metrics"].lines
    assert metrics[0].cells == ("pair-stdp", "151 kB", "25.0 / 98.2", "9.21k / 0", "149k", "6k")
    assert metrics[2].cells[-1] == "-"  # backprop has no membranes


def test_the_plot_is_written_as_png_and_svg(scorecard: Scorecard, tmp_path: Path) -> None:
    path = _save_pareto(scorecard, tmp_path / "digits_pareto.png")
    assert path is not None
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert path.with_suffix(".svg").read_bytes() == pareto_plot(scorecard)


def test_wide_terminals_get_the_product_and_the_metrics_as_tables_of_their_own(scorecard: Scorecard) -> None:
    console = Console(width=240, color_system=None, record=True, file=io.StringIO())
    console.print(further_tables(scorecard))
    text = console.export_text()
    assert "Energy-delay product" in text and "NeuroBench's metrics" in text and "Learning and agreement" not in text
