"""``neuromorph place`` prints cores and notes, writes JSON and a picture, and fails where a chip cannot hold the network."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph.cli import main
from neuromorph.errors import NeuromorphError
from neuromorph.report.placements import placement_table, save_picture

FILE = """
import neuromorph as nm

def make(size, degree):
    return nm.Network(
        populations=[nm.Input("in", 4), nm.Population("n", size, nm.LIF())],
        projections=[nm.Projection("n", "n", nm.FixedOutDegree(degree, 0.1)), nm.Projection("in", "n", nm.AllToAll(0.1))])

net, wide = make(1500, 3), make(4500, 500)
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(FILE)
    return str(path)


def test_table_and_json_say_the_same(file: str) -> None:
    plain = call("place", file)
    assert plain.exit_code == 0, plain.output
    assert "n 0-1023" in plain.output and "n 1024-1499" in plain.output and "spikes cross cores" in plain.output
    result = json.loads(call("place", file, "--json", "-").output)
    assert [core["parts"] for core in result["cores"]] == [
        [{"population": "n", "first": 0, "last": 1023}],
        [{"population": "n", "first": 1024, "last": 1499}],
    ]
    use = result["cores"][0]["use"]["compartments"]
    assert use == {"used": 1024, "limit": 1024, "share": 1.0} and result["chip"] == "loihi1"


def test_a_program_in_a_file_and_a_recording_are_read(file: str, tmp_path: Path) -> None:
    program = nm.compile(_net(file), seed=4)
    program.save(tmp_path / "p.npz")
    import numpy as np

    recording = nm.run(program.with_all_spikes(), 20, inputs={"in": np.ones((20, 4), dtype=bool)})
    recording.save(tmp_path / "r.npz")
    done = call(
        "place", str(tmp_path / "p.npz"), "--recording", str(tmp_path / "r.npz"), "--method", "traffic", "--json", "-"
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.output)
    placement = nm.place(program, traffic=recording, method="traffic")
    assert (
        result["program_fingerprint"] == program.fingerprint and result["traffic"] == "20 recorded steps on reference"
    )
    assert result["messages"]["crossing_cores"] == placement.messages.crossing_cores > 0


def test_a_network_that_does_not_fit_is_refused_with_every_limit_and_the_way_out(file: str, tmp_path: Path) -> None:
    out = tmp_path / "faults.json"
    done = call("place", f"{file}:wide", "--chips", "1", "--json", str(out))
    assert done.exit_code == 1
    errors = json.loads(out.read_text())["errors"]
    assert len(errors) == 2 and errors[0].startswith("output axons: ") and "chips=" in errors[1]
    for sentence in errors:
        assert f"error: {sentence}" in done.output


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_picture_of_the_chip_is_written(file: str, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"chip.{ending}"
    done = call("place", file, "--figure", str(path))
    assert done.exit_code == 0, done.output
    content = path.read_bytes()
    if ending == "png":
        assert content.startswith(b"\x89PNG")
    else:
        assert ElementTree.fromstring(content).tag.endswith("svg")
        save_picture(nm.place(nm.compile(_net(file))), tmp_path / "again.svg")
        assert (tmp_path / "again.svg").read_bytes() == content


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    placement = nm.place(nm.compile(nm.Network(populations=[nm.Population("n", 1, nm.LIF())])))
    with pytest.raises(NeuromorphError, match=r"must end in \.svg, \.png or \.pdf"):
        save_picture(placement, tmp_path / "chip.txt")


def test_a_long_table_shows_the_fullest_cores() -> None:
    placement = nm.place(nm.compile(nm.Network(populations=[nm.Population("n", 4000, nm.LIF())])))
    assert placement_table(placement).row_count == 4 and placement_table(placement, 2).row_count == 2


def _net(file: str) -> nm.Network:
    import runpy

    found: nm.Network = runpy.run_path(file)["net"]
    return found
