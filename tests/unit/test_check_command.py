"""``neuromorph check`` prints every rounding and every rule, and fails where a chip cannot hold the network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph.cli import main
from neuromorph.design_rules import RULES

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
    assert "loihi1 can hold it: 0 warnings and 0 notes; " in done.output and "; the largest error is" in done.output
    assert "core.threshold-configurations" in done.output and "12.5%" in done.output
    plain = json.loads(call("check", file, "--json", "-").output)
    assert plain["rows"] == json.loads(json.dumps(report.to_json()["rows"]))
    assert (plain["warnings"], plain["errors"]) == ([], [])


def test_a_program_in_the_chips_integers_already_has_nothing_to_round(file: str, tmp_path: Path) -> None:
    nm.compile(_named(file, "wide"), chip="loihi1").save(tmp_path / "fixed.npz")
    done = call("check", str(tmp_path / "fixed.npz"))
    assert done.exit_code == 0
    assert done.output.startswith("'network' is in the integers of loihi1 already: there is nothing to round\n")
    assert "\nloihi1 can hold it: 1 warnings and 0 notes; " in done.output


def test_worst_cases_are_warnings_and_end_well(file: str, tmp_path: Path) -> None:
    done = call("check", f"{file}:wide", "--json", str(tmp_path / "out.json"))
    assert done.exit_code == 0
    (warning,) = json.loads((tmp_path / "out.json").read_text())["warnings"]
    assert warning.startswith("synapse.accumulator-bits: population 'out', neuron 0: an input of one step that could")
    assert "synapse.accumulator-bits" in done.output and "below 2^21" in done.output


def test_what_a_chip_cannot_hold_is_an_error_and_exit_code_1(file: str) -> None:
    done = call("check", f"{file}:refused")
    assert done.exit_code == 1
    assert "learning.weight-bounds" in done.output and "projection 'p', rule 'STDP'" in done.output
    assert done.output.endswith("rules are kept\n") and "\nloihi1 cannot hold it: 1 error, " in done.output
    (error,) = json.loads(call("check", f"{file}:refused", "--json", "-").output)["errors"]
    assert "w_min = -1.0 would fit" in error


def test_other_chips_and_time_steps_are_taken(file: str) -> None:
    done = json.loads(call("check", file, "--chip", "loihi2", "--dt", "5e-4", "--json", "-").output)
    assert done["chip"] == "loihi2"
    (tau,) = [row for row in done["rows"] if row["quantity"] == "tau of x1"]
    assert tau["mantissa"] == 40
    assert call("check", file, "--chip", "abacus").exit_code == 2
    assert call("check", "no.npz").exit_code == 2


def test_a_network_that_has_no_time_steps_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(FILE.replace('name="p")', 'name="p", delay=2.5e-3)'))
    done = call("check", f"{path}:net", "--json", "-")
    assert done.exit_code == 1
    (error,) = json.loads(done.output)["errors"]
    assert error.startswith("program.time-steps: projection 'p': delay must be a whole number of steps of dt = 0.001 s")
    assert call("check", f"{path}:net", "--dt", "5e-4").exit_code == 0


def test_findings_say_rule_found_limit_place_and_remedy(file: str) -> None:
    done = call("check", f"{file}:refused")
    (line,) = [line for line in done.output.splitlines() if "learning.weight-bounds" in line]
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells[:3] == ["error", "learning.weight-bounds", "projection 'p', rule 'STDP'"]
    assert all(cells)
    assert "Kept, the fullest first" in done.output
    assert "Kept" not in call("check", f"{file}:refused", "--rows", "0").output


def test_chips_and_bits_of_spikes_are_asked_for(file: str) -> None:
    done = json.loads(call("check", file, "--chips", "16385", "--spike-bits", "1", "--json", "-").output)
    assert [row["rule"] for row in done["findings"]] == [
        "system.chips-addressed",
        "system.chips-built",
        "network.graded-spikes",
    ]
    assert done["chips"] == 16385 and not done["ok"]


def test_rules_are_listed_and_are_in_the_documentation(tmp_path: Path) -> None:
    rows = json.loads(call("check", "--rules", "--json", "-").output)["rows"]
    assert [row["rule"] for row in rows] == [rule.name for rule in RULES]
    assert all(name in call("check", "--rules").output for name in ("core.input-axons", "learning.epoch"))
    stated = {row["rule"]: row["stated"] for row in json.loads(call("check", "--rules", "--json", "-").output)["rows"]}
    assert stated["core.input-axons"]["core.input_axons"]["status"] == "published" and not stated["core.fan-in"]
    assert "8,190 to 8,192 (published)" in call("check", "--rules", "--chip", "loihi2").output
    page = tmp_path / "rules.md"
    assert call("check", "--rules", "--page", str(page)).exit_code == 0
    kept = Path(__file__).parents[2] / "docs" / "design_rules.md"
    made = "make it anew: neuromorph check --rules --page docs/design_rules.md"
    assert kept.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), made


def test_neither_a_network_nor_rules_is_a_fault_of_use() -> None:
    done = call("check")
    assert done.exit_code == 2 and "give a network to check, or --rules" in done.output


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
