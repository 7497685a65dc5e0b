"""Accounts of a chip can be selected, and a board is its chip with what it states itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuromorph.chip import load_chip
from neuromorph.costs import estimate_counts
from neuromorph.errors import ChipError
from neuromorph.recording import Counts, PopulationCounts, ProjectionCounts

WORK = Counts(
    steps=10,
    populations={
        "in": PopulationCounts(neurons=4, is_input=True, spikes=20, neuron_updates=0, active_updates=0),
        "out": PopulationCounts(neurons=8, is_input=False, spikes=5, neuron_updates=80, active_updates=30),
    },
    projections={"p": ProjectionCounts(synapses=32, plastic=False, synaptic_events=160, learning_updates=0)},
)


FLAT = """
name = "mine"
kind = "neuromorphic"
description = "a chip with one account"
[costs]
missing = ["learning"]
[costs.synaptic_operation]
energy_joule = { value = 1e-12, source = "a paper, Table 1", status = "published" }
[costs.system]
role = "shared"
description = "around it"
core_static.power_watt = { value = 1e-3, source = "a paper, Table 2", status = "published" }
"""


def faults_of(text: str, folder: Path) -> str:
    path = folder / "broken.toml"
    path.write_text(text)
    with pytest.raises(ChipError) as caught:
        load_chip(path)
    return str(caught.value)


def test_each_published_set_of_loihi1_can_be_selected_and_the_estimate_spans_them() -> None:
    both, davies, sanafe = (
        estimate_counts(WORK, dt=1e-3, chip=name) for name in ("loihi1", "loihi1.davies2018", "loihi1.sanafe")
    )
    assert (davies.chip, sanafe.chip) == ("loihi1.davies2018", "loihi1.sanafe")
    assert {term.cost_set for term in sanafe.energy_terms} == {"sanafe", "system"}
    assert both.energy_joule.low == min(davies.energy_joule.low, sanafe.energy_joule.low)
    assert both.energy_joule.high == max(davies.energy_joule.high, sanafe.energy_joule.high)
    with pytest.raises(ChipError, match=r"no cost set 'sanaf' to select; it has: davies2018, sanafe; did you mean"):
        load_chip("loihi1.sanaf")


BOARD = """
name = "desk"
kind = "board"
description = "two chips on my desk"
[board]
chip = "CHIP"
chips = { value = 2, source = "counted", status = "published" }
[costs.system.core_static]
power_watt = { value = 5e-3, source = "my meter", status = "published" }
"""


def test_a_board_is_its_chip_with_what_it_states_itself(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(BOARD.replace("CHIP", "loihi1"))
    board, chip = load_chip(path), load_chip("loihi1")
    assert (board.name, board.kind, board.limits) == ("desk", "neuromorphic", chip.limits)
    assert board.board is not None and board.board.chip == "loihi1" and board.board.chips.high == 2
    own, its = board.costs["system"], chip.costs["system"]
    assert own.coefficients["core_static.power"].low == 5e-3
    rest = {key: quantity for key, quantity in its.coefficients.items() if key != "core_static.power"}
    assert {key: own.coefficients[key] for key in rest} == rest
    assert (own.role, own.description, own.missing) == (its.role, its.description, its.missing)
    assert board.costs["davies2018"].coefficients == chip.costs["davies2018"].coefficients


def test_a_board_may_name_a_file_beside_it_and_is_another_when_that_changes(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FLAT)
    path = tmp_path / "desk.toml"
    path.write_text(BOARD.replace("CHIP", "mine.toml"))
    board = load_chip(path)
    assert board.accounts == ("mine",)
    (tmp_path / "mine.toml").write_text(FLAT.replace("1e-12", "2e-12"))
    assert load_chip(path).fingerprint != board.fingerprint


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("CHIP", "loihi9"), "$.board.chip: there is no chip 'loihi9'"),
        (("CHIP", "nahuku8"), "$.board.chip: must name a chip, got 'nahuku8', which is a board of 'loihi1'"),
        (("CHIP", "broken.toml"), "$.board.chip: "),  # itself
        (('chip = "CHIP"', ""), "$.board.chip: is missing"),
        (("chips =", "chip_count ="), "$.board.chips: is missing"),
        (("[board]", "[boards]"), "$.board: is missing"),
        (
            ("chips =", 'host_link = { text = "", source = "x", status = "assumed" }\nchips ='),
            "host_link: text is empty",
        ),
        (("chips =", 'host_link = "USB"\nchips ='), "$.board.host_link: must be a table { text, source, status }"),
    ],
)
def test_a_board_that_names_no_chip_or_too_little_is_refused(
    change: tuple[str, str], expected: str, tmp_path: Path
) -> None:
    assert expected in faults_of(BOARD.replace(*change).replace("CHIP", "loihi1"), tmp_path)


BOARDS = {  # chip, chips: Lava's magma/core/resources.py; Frady et al. 2020; Intel's press release on Hala Point
    "kapoho_bay": ("loihi1", 2),
    "nahuku8": ("loihi1", 8),
    "nahuku32": ("loihi1", 32),
    "pohoiki_springs": ("loihi1", 768),
    "oheo_gulch": ("loihi2", 1),
    "kapoho_point": ("loihi2", 8),
    "hala_point": ("loihi2", 1152),
}


@pytest.mark.parametrize(("name", "expected"), BOARDS.items())
def test_the_boards_carry_the_chips_that_were_published(name: str, expected: tuple[str, int]) -> None:
    board = load_chip(name).board
    assert board is not None and (board.chip, board.chips.high) == expected
    assert board.quantities["static_power"].high > 0


def test_a_barrier_is_read_between_its_points() -> None:
    costs = load_chip("loihi1").costs
    davies = costs["davies2018"].coefficients["barrier.time"]
    assert davies.at(1) == (113e-9, 113e-9) and davies.at(32) == davies.at(99) == (465e-9, 465e-9)
    assert davies.at(16.5)[0] == pytest.approx((113e-9 + 465e-9) / 2)
    assert costs["sanafe"].coefficients["barrier.time"].at(3)[0] == pytest.approx(1.2e-6)
    assert (davies.low, davies.high) == (113e-9, 465e-9)
