"""``neuromorph check`` prints every rounding and fails where a chip cannot hold the network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph.cli import main

FILE = """
import neuromorph as nm

def make(inputs, w_min=0.0, tau_mem=20e-3):
    return nm.Network(
        populations=[nm.Input("in", inputs), nm.Population("out", 1, nm.LIF(v_threshold=250.0, tau_mem=tau_mem))],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=w_min, w_max=1.0), name="p")])

net, wide, refused = make(4), make(400), make(4, w_min=-0.3)
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(FILE)
    return str(path)


def test_every_rounding_is_printed_and_json_says_the_same(file: str) -> None:
    done = call("check", file)
    assert done.exit_code == 0, done.output
    report = nm.rounding_report(nm.compile(_named(file, "net")))
    for row in report:
        assert row.quantity in done.output
    assert "loihi1 can hold it: 0 warnings; the largest error is" in done.output
    plain = json.loads(call("check", file, "--json", "-").output)
    assert plain["rows"] == json.loads(json.dumps(report.to_json()["rows"]))
    assert (plain["warnings"], plain["errors"]) == ([], [])


def test_a_program_in_the_chips_integers_already_has_nothing_to_round(file: str, tmp_path: Path) -> None:
    nm.compile(_named(file, "wide"), chip="loihi1").save(tmp_path / "fixed.npz")
    done = call("check", str(tmp_path / "fixed.npz"))
    assert done.exit_code == 0
    assert done.output.startswith(
        "'network' is in the integers of loihi1 already: there is nothing to round\nwarning: "
    )
    assert "loihi1 can hold it: 1 warnings\n" in done.output


def test_worst_cases_are_warnings_and_end_well(file: str, tmp_path: Path) -> None:
    done = call("check", f"{file}:wide", "--json", str(tmp_path / "out.json"))
    assert done.exit_code == 0
    assert "warning: population 'out': the input of neuron 0 could reach" in done.output
    assert len(json.loads((tmp_path / "out.json").read_text())["warnings"]) >= 1


def test_what_a_chip_cannot_hold_is_an_error_and_exit_code_1(file: str) -> None:
    done = call("check", f"{file}:refused")
    assert done.exit_code == 1
    assert "error: projection 'p': rule 'STDP': weights of both signs have bounds of one size" in done.output
    (error,) = json.loads(call("check", f"{file}:refused", "--json", "-").output)["errors"]
    assert "w_min = -1.0 would fit" in error


def test_other_chips_and_time_steps_are_taken(file: str) -> None:
    done = json.loads(call("check", file, "--chip", "loihi2", "--dt", "5e-4", "--json", "-").output)
    assert done["chip"] == "loihi2"
    (tau,) = [row for row in done["rows"] if row["quantity"] == "tau of x1"]
    assert tau["mantissa"] == 40
    assert call("check", file, "--chip", "abacus").exit_code == 2
    assert call("check", "no.npz").exit_code == 2


def test_compare_and_estimate_take_the_same_networks(file: str) -> None:
    compared = call("compare", f"{file}:net", "--backends", "reference,reference", "--steps", "40", "--chip", "loihi1")
    assert compared.exit_code == 0, compared.output
    estimated = call("estimate", f"{file}:net", "--steps", "40", "--dt", "2e-3", "--json", "-")
    assert estimated.exit_code == 0, estimated.output
    assert json.loads(estimated.output)["rows"][0]["chip"] == "loihi1"


def _named(file: str, name: str) -> nm.Network:
    import runpy

    found = runpy.run_path(file)[name]
    assert isinstance(found, nm.Network)
    return found
