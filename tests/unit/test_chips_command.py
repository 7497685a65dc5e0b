"""``neuromorph chips`` and the page on hardware files say what the files and their schema say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import neuromorph as nm
from neuromorph.chip import LIMITS, OPERATIONS, chip_names, load_chip
from neuromorph.chip.schema import BOARD
from neuromorph.cli import main
from neuromorph.costs import estimate_counts
from neuromorph.recording import Counts, PopulationCounts, ProjectionCounts

WORK = Counts(
    steps=10,
    populations={
        "in": PopulationCounts(neurons=4, is_input=True, spikes=20, neuron_updates=0, active_updates=0),
        "out": PopulationCounts(neurons=8, is_input=False, spikes=5, neuron_updates=80, active_updates=30),
    },
    projections={"p": ProjectionCounts(synapses=32, plastic=False, synaptic_events=160, learning_updates=0)},
)


NUMBER = '{ value = 1e-12, source = "a paper, Table 1", status = "published" }'
MINIMAL = f"""
name = "mine"
kind = "neuromorphic"
description = "a chip of my own"
[costs.bench]
role = "alternative"
description = "measured on my bench"
synaptic_operation.energy_joule = {NUMBER}
"""


# ------------------------------------------------------------------------------------------------------- its page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "chips.md"


def test_the_file_on_the_page_of_chips_is_read_and_can_be_estimated(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PAGE.read_text().partition("```toml\n")[2].partition("```")[0])
    chip = load_chip(path)
    assert chip.estimates == ("energy", "latency")
    assert estimate_counts(WORK, dt=1e-3, chip=path).energy_joule.low == pytest.approx(160 * 4e-12 + 80 * 20e-12)


def test_the_page_of_chips_has_every_key_with_its_unit() -> None:
    page = PAGE.read_text()
    sections = {f"### `[limits.{part}]`": entries for part, entries in LIMITS.items()} | {"### `[board]`": BOARD}
    for heading, entries in sections.items():
        table = page.partition(f"{heading}\n")[2].partition("###")[0]
        listed = dict(re.findall(r"\| `(\w+)` \| (\S+)", table))
        units = {"1": "(number)", "text": "words:"}
        assert listed == {key: units.get(entry.unit, entry.unit) for key, entry in entries.items()}, heading
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page.rpartition("###")[2], re.MULTILINE)) == OPERATIONS


# ------------------------------------------------------------------------------------------------- command line


def shown(*arguments: str) -> str:
    done = CliRunner(env={"COLUMNS": "400"}).invoke(main, ["chips", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_chips_lists_every_chip_with_its_size_and_what_can_be_estimated() -> None:
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown().splitlines() if "│" in line]
    rows = {name: rest for name, *rest in cells}
    assert set(rows) == set(chip_names())
    assert rows["loihi1"] == [
        "neuromorphic",
        "1",
        "128",
        "131k",
        "16-16.8 MB",
        "14 nm",
        "energy, latency, learning",
        "davies2018, sanafe",
    ]
    assert rows["nahuku32"][:4] == ["board of loihi1", "32", "4.1k", "4.19M"]
    assert rows["akida_akd1000"][-2:] == ["-", "-"]


@pytest.mark.parametrize("words", [("loihi1",), ("show", "loihi1")])
def test_chips_shows_every_number_with_unit_status_and_source(words: tuple[str, ...]) -> None:
    page = shown(*words)
    for path, quantity in load_chip("loihi1").numbers():
        (line,) = (line for line in page.splitlines() if f" {path} " in line)
        assert quantity.status in line and (quantity.unit == "1" or quantity.unit in line), path
        assert quantity.source[:40] in line, path
    assert "113 ns" not in page and "1.13e-07 s at 1, 4.65e-07 s at 32 tiles" in page


def test_chips_shows_boards_in_words_and_files_of_the_user(tmp_path: Path) -> None:
    assert "USB" in shown("show", "kapoho_bay")
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    assert "a paper, Table 1" in shown("show", str(path))
    rows = json.loads(shown("show", "kapoho_bay", "cpu", "--json", "-"))["rows"]
    assert [row["name"] for row in rows] == ["kapoho_bay", "cpu"]
    assert rows[0]["board"]["host_link"]["text"] == "USB" and rows[0]["size"]["cores"] == [256.0, 256.0]
    assert rows[1]["board"] is None and rows[1]["estimates"] == ["energy", "latency", "learning", "dense products"]


def test_chips_show_without_a_name_says_what_there_is() -> None:
    done = CliRunner().invoke(main, ["chips", "show"])
    assert done.exit_code == 2 and "truenorth" in done.output


@pytest.mark.parametrize("verb", [("chips", "show"), ("check", "net.npz", "--chip"), ("place", "net.npz", "--chip")])
def test_a_broken_file_is_refused_with_every_path_by_every_verb(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nm.compile(nm.Network(populations=[nm.Population("a", 3, nm.LIF())])).save(tmp_path / "net.npz")
    number = '{ value = 1, source = "p. 1", status = "published" }'
    (tmp_path / "broken.toml").write_text(
        f"""
name = "broken"
kind = "neuromorphic"
description = "a chip of my own"
[limits.core]
compartments = {{ value = 512, status = "published" }}
axons = {number}
[limits.neuron]
refractory_millisecond = {number}
[costs.synaptic_operation]
energy_joule = {{ value = 1e-12, source = "", status = "published" }}
time_ns = {number}
"""
    )
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*verb, "./broken.toml"])
    assert done.exit_code == 2
    for fault in (
        "$.limits.core.compartments: source is missing",
        "$.limits.core.axons: unknown key",
        "$.limits.neuron.refractory_millisecond: the unit must be step",
        "$.costs.synaptic_operation.energy_joule: source is empty",
        "$.costs.synaptic_operation.time_ns: the unit must be second",
    ):
        assert f"broken.toml: {fault}" in done.output
