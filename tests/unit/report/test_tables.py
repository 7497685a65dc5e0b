"""The tables say what the scorecard holds, at any width, in the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neuromorph.report.tables import markdown, sheets, terminal_text
from neuromorph.report.units import MICRO, PLUS_MINUS
from neuromorph.scorecard import Row, Scorecard


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_tables_fit_the_terminal(scorecard: Scorecard, width: int) -> None:
    """No line is longer than the terminal, and no table loses its right edge."""
    lines = terminal_text(scorecard, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(
        line[-1] in "\u2502\u2503\u2513\u2529\u2524\u2518"
        for line in lines
        if line[:1] in "\u2502\u2503\u250f\u2521\u251c\u2514" and line
    )


@pytest.mark.parametrize("width", [100, 200])
def test_figures_are_on_one_line_at_usual_widths(scorecard: Scorecard, width: int) -> None:
    """Numbers are not broken, whatever is done to names and reasons."""
    text = terminal_text(scorecard, width=width)
    for figure in (
        f"88.4 {PLUS_MINUS} 1.0",
        "6,400",
        "14.1 kB",
        "12.3 ms",
        "5.2k",
        "21.5k",
        "120-900 nJ",
        f"0.8-14 {MICRO}J",
        f"110-700 {MICRO}s",
    ):
        assert f" {figure} " in text


def test_an_unavailable_backend_has_its_reason_and_remedy(scorecard: Scorecard) -> None:
    """Once for all the learners that it stopped."""
    text = terminal_text(scorecard, width=200)
    assert text.count("pip install 'neuromorph[lava]'") == 1
    assert "pair-stdp, reward-stdp" in text


def test_agreement_is_yes_no_or_not_compared(scorecard: Scorecard) -> None:
    """A divergence says where: phase, step, population, neuron."""
    cells = {line.cells[:2]: line.cells[-1] for line in sheets(scorecard)[0].lines}
    assert cells["pair-stdp", "nengo"] == "no: first at learning step 1284, excitatory neuron 17"
    assert cells["reward-stdp", "nengo"] == "yes"
    assert cells["backprop", "backprop"] == "not compared"
    assert cells["pair-stdp", "reference"] == "(the reference)"


def test_backends_with_the_same_estimate_share_a_line(scorecard: Scorecard) -> None:
    """Same spikes are same work, and are listed once for each chip."""
    lines = [line.cells for line in sheets(scorecard)[2].lines if line.cells[0] == "reward-stdp"]
    assert [(cells[1], cells[-1]) for cells in lines] == [("loihi1", "reference, nengo"), ("cpu", "reference, nengo")]


def test_one_seed_has_no_spread(make_scorecard: Callable[..., Scorecard]) -> None:
    """A standard deviation of one number is not made up."""
    row = Row(learner="a", backend="reference", available=True, accuracy=0.5, accuracy_by_seed=(0.5,))
    text = terminal_text(make_scorecard(rows=(row,), evidence=(), seeds=(0,)))
    assert " 50.0 " in text
    assert PLUS_MINUS not in text


def test_figures_that_do_not_exist_are_dashes(make_scorecard: Callable[..., Scorecard]) -> None:
    """A row with nothing in it is a row of dashes, and no chip table appears."""
    bare = make_scorecard(rows=(Row(learner="a", backend="b", available=True),), evidence=())
    learning, simulation = sheets(bare)
    assert learning.lines[0].cells == ("a", "b", "-", "-", "-", "not compared")
    assert simulation.lines[0].cells == ("a", "b", "-", "-", "-", "-")


def test_no_rows_is_no_table(make_scorecard: Callable[..., Scorecard]) -> None:
    """Nothing ran: nothing is shown, and nothing fails."""
    empty = make_scorecard(rows=(), evidence=())
    assert sheets(empty) == ()
    assert terminal_text(empty).strip() == ""
    assert markdown(empty) == ""


def test_markdown_tables_are_well_formed(scorecard: Scorecard) -> None:
    """Every line of a table has as many cells as its heading."""
    text = markdown(scorecard)
    assert text.count("### ") == 5
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 5
    for lines in blocks:
        assert len({line.count("|") for line in lines}) == 1
    assert "| reward-stdp | nengo | 91.7" in text


def test_markdown_and_terminal_take_names_literally(make_scorecard: Callable[..., Scorecard]) -> None:
    """Markup of either kind in a name is shown, not obeyed."""
    name = "[red]a|b*c <script>_d e_f\x1b[0m"
    hostile = make_scorecard(rows=(Row(learner=name, backend="x", available=True),), evidence=())
    assert "[red]a|b*c <script>_d e_f [0m" in terminal_text(hostile, width=200)
    assert r"\[red\]a\|b\*c &lt;script&gt;\_d e_f \[0m" in markdown(hostile)
