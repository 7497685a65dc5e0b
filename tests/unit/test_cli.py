from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph import registry
from neuromorph.backend import Session
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.cli import main


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    net = nm.Network(
        populations=[nm.Input("in", 8), nm.Population("out", 5, nm.LIF())],
        projections=[
            nm.Projection(
                "in", "out", nm.AllToAll(nm.Uniform(0, 0.5), seed=1), plasticity=nm.STDP(w_min=0.0, w_max=1.0)
            )
        ],
    )
    path = tmp_path / "small.npz"
    nm.compile(net).save(path)
    return path


def test_help_names_every_command() -> None:
    done = call("--help")
    assert done.exit_code == 0
    for command in ("compare", "backends", "doctor", "chips", "estimate"):
        assert command in done.output


def test_comparing_a_program_prints_a_table_and_json_says_the_same(program: Path) -> None:
    table = call("compare", str(program), "--backends", "reference,reference", "--steps", "60")
    assert table.exit_code == 0, table.output
    assert "yes" in table.output
    plain = call("compare", str(program), "--backends", "reference,backprop", "--steps", "60", "--json", "-")
    assert plain.exit_code == 0, plain.output
    rows = json.loads(plain.output)["rows"]
    assert [row["available"] for row in rows] == [True, False]
    assert rows[0]["spikes"] > 0
    assert "trains a description" in rows[1]["reason"]


def test_a_backend_that_nobody_declared_is_refused(program: Path) -> None:
    done = call("compare", str(program), "--backends", "reference,abacus")
    assert done.exit_code == 2
    assert "abacus" in done.output


def test_a_missing_file_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = call("compare", str(tmp_path / "no.npz"))
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "no.npz" in done.output


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    path.write_text("hello")
    done = call("estimate", str(path))
    assert done.exit_code == 2
    assert "neuromorph program" in done.output


def test_backends_and_doctor_speak_json() -> None:
    rows = json.loads(call("backends", "--json", "-").output)["rows"]
    assert {row["backend"] for row in rows} >= {"reference", "nengo", "nengo-loihi", "lava", "backprop"}
    assert all(row["available"] or row["remedy"] for row in rows)
    diagnosis = json.loads(call("doctor", "--json", "-").output)
    assert diagnosis["backends"]["reference"]["available"] is True
    assert call("backends").exit_code == call("doctor").exit_code == 0


def test_chips_list_and_show_sources() -> None:
    assert "loihi1" in call("chips").output
    shown = json.loads(call("chips", "loihi1", "--json", "-").output)["rows"][0]
    assert all(quantity["source"] for quantity in shown["limits"].values())
    unknown = call("chips", "abacus9")
    assert unknown.exit_code == 2
    assert "loihi1" in unknown.output


def test_estimate_gives_low_and_high_for_each_chip(program: Path) -> None:
    rows = json.loads(call("estimate", str(program), "--steps", "50", "--json", "-").output)["rows"]
    assert [row["chip"] for row in rows] == ["loihi1", "loihi2", "spinnaker2", "cpu"]
    assert all(row["energy_joule"]["low"] <= row["energy_joule"]["high"] for row in rows)
    assert call("estimate", str(program), "--steps", "50").exit_code == 0


def test_json_to_a_file_is_whole_or_absent(program: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "result.json"
    assert (
        call("compare", str(program), "--backends", "reference", "--steps", "5", "--json", str(target)).exit_code == 0
    )
    assert json.loads(target.read_text())["steps"] == 5
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("seeds", ["0", "x", "-1", ","])
def test_useless_seeds_are_refused(seeds: str) -> None:
    done = call("compare", "digits", "--seeds", seeds)
    assert done.exit_code == 2
    assert "--seeds" in done.output


def test_an_unknown_backend_is_named_before_anything_is_learned() -> None:
    done = call("compare", "digits", "--backends", "reference,abacus")
    assert done.exit_code == 2
    assert "abacus" in done.output
    assert "nengo-loihi" in done.output


def test_a_divergence_is_printed_with_its_window_and_its_cause(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(ReferenceBackend):  # type: ignore[misc]
        name = "nengo"

        def _open(self, program: nm.Program, *, seed: int, stall_second: float) -> Session:
            late = dataclasses.replace(program, delay_convention="one step later")
            return super()._open(late, seed=seed, stall_second=stall_second)

    real = registry.load
    monkeypatch.setattr(registry, "load", lambda name: Late if name == "nengo" else real(name))
    table = call("compare", str(program), "--backends", "reference,nengo", "--steps", "60")
    assert table.exit_code == 1, table.output
    plain = call("compare", str(program), "--backends", "reference,nengo", "--steps", "60", "--json", "-")
    assert plain.exit_code == 1
    found = json.loads(plain.output)["rows"][1]["first_divergence"]
    assert found["cause"]["classes"] == ["delay"]
    assert found["cause"]["switches"] == ["delay_convention = 'one step later'"]
    assert {"step", "population", "neuron", "reference_spiked", "variable", "values"} <= set(found)
    assert f"nengo: {found['sentence']}" in table.output
    assert f"Steps around {found['step']}, threshold 1" in table.output
    assert f"> {found['step']}" in table.output
    assert f"out.{found['variable']}[{found['neuron']}]" in table.output


def test_states_are_held_together_on_demand(program: Path) -> None:
    done = call("compare", str(program), "--backends", "reference,reference", "--steps", "20", "--states")
    assert done.exit_code == 0, done.output
    assert "yes" in done.output
