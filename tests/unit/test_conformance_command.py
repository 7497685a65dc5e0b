"""``neuromorph conformance``: counts, JSON, the page, and exit codes; and ``compare`` on every form of a network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph import conformance, registry
from neuromorph.backend import FEATURES, Session
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.cli import main
from neuromorph.testing import AGREEMENTS, feature_cases, fixed_feature_cases
from neuromorph.textform import dumps

NET = """
import neuromorph as nm

net = nm.Network(
    populations=[nm.Input("in", 4), nm.Population("out", 3, nm.LIF(v_threshold=1.5))],
    projections=[
        nm.Projection(
            "in", "out", nm.AllToAll(nm.Uniform(0.1, 0.6), seed=1),
            plasticity=nm.RewardModulatedSTDP(modulator="reward", tau_e=0.05, w_min=0.0, w_max=1.0),
        )
    ],
    modulators=[nm.Modulator("reward")],
)
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


class Late(ReferenceBackend):  # type: ignore[misc]
    name = "nengo"

    def _open(self, program: nm.Program, *, seed: int, stall_second: float) -> Session:
        late = [
            dataclasses.replace(p, delay=p.delay + 1) if p.max_delay > 1 else p for p in program.projections
        ]  # whoever waits, waits longer
        return super()._open(dataclasses.replace(program, projections=late), seed=seed, stall_second=stall_second)


@pytest.fixture
def three_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [feature_cases()["delay"], feature_cases()["learning"], fixed_feature_cases()["fixed_point"]]
    monkeypatch.setattr(conformance, "every_case", lambda: cases)
    real = registry.load
    monkeypatch.setattr(registry, "load", lambda name: Late if name == "nengo" else real(name))


@pytest.mark.usefixtures("three_cases")
def test_the_command_counts_cases_and_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    done = call("conformance", "--backend", "reference", "--random", "1", "--page", str(page), "--json", "-")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.output)["rows"]
    assert row["passed"] and row["counts"]["float"]["exact"] == 3 and row["counts"]["fixed"]["exact"] == 2
    text = page.read_text()
    assert all(f"`{feature}`" in text for feature in FEATURES)
    assert all(f"| {name} |" in text for name in AGREEMENTS)
    assert "| `delay`: delays of more than one step | yes / – |" in text


@pytest.mark.usefixtures("three_cases")
def test_what_is_declared_and_fails_is_red_and_says_where() -> None:
    done = call("conformance", "--backend", "nengo", "--random", "0")
    assert done.exit_code == 1
    assert "nengo on 'delay' differs: whole run, step " in done.output
    assert "nengo on 'learning'" not in done.output


@pytest.mark.parametrize(
    ("name", "sentence"), [("abacus", "there is no backend 'abacus'"), ("backprop", "runs no programs")]
)
def test_what_cannot_be_held_to_the_reference_is_said(name: str, sentence: str) -> None:
    done = call("conformance", "--backend", name)
    assert done.exit_code == 2
    assert sentence in done.output


def test_programs_in_every_form_are_compared(tmp_path: Path) -> None:
    python = tmp_path / "mine.py"
    python.write_text(NET)
    net = nm.Network(
        populations=[nm.Input("in", 4), nm.Population("out", 3, nm.LIF(v_threshold=1.5))],
        projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0.1, 0.6), seed=1))],
    )
    program = nm.compile(net)
    program.save(tmp_path / "mine.npz")
    (tmp_path / "mine.toml").write_text(dumps(program))
    sources = [str(python), f"{python}:net", str(tmp_path / "mine.npz"), str(tmp_path / "mine.toml")]
    for source in sources:
        done = call("compare", source, "--backends", "reference,reference", "--steps", "40", "--json", "-")
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["all_equal"], source


def test_rewards_that_are_drawn_fit_into_a_chips_integers(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(NET)
    done = call("compare", str(path), "--chip", "loihi1", "--backends", "reference,reference", "--steps", "500")
    assert done.exit_code == 0, done.output
