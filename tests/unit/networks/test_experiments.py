"""What holds for every experiment: it is listed, says what it shows, runs inside its ranges and can be drawn."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuromorph.networks.catalogue
import neuromorph.networks.experiment
from neuromorph.cli import main
from neuromorph.errors import DescriptionError, InputError
from neuromorph.networks.catalogue import EXPERIMENTS, experiment
from neuromorph.networks.experiment import Experiment, Measure, Result
from neuromorph.networks.stdp_window import STDPWindow

FOLDER = Path(neuromorph.networks.catalogue.__file__).resolve().parent
Conduct = Callable[..., Result]


def test_every_experiment_of_the_folder_is_listed_under_its_name() -> None:
    found = {}
    for path in FOLDER.glob("[a-z]*.py"):
        module = importlib.import_module(f"neuromorph.networks.{path.stem}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and issubclass(kind, Experiment) and kind is not Experiment:
                found[kind.name] = f"{path.stem}:{kind.__name__}"
    assert found == dict(EXPERIMENTS)


def test_examples_in_docstrings_hold() -> None:
    """pytest does not collect them: this folder is named twice, by its link too."""
    attempted = 0
    for path in FOLDER.glob("[a-z]*.py"):
        done = doctest.testmod(importlib.import_module(f"neuromorph.networks.{path.stem}"))
        assert done.failed == 0, path
        attempted += done.attempted
    assert attempted > 0


def test_figure_without_matplotlib_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neuromorph.networks.experiment, "find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["run", "stdp-window", "--figure", "window.svg"])
    assert done.exit_code == 2 and "neuromorph[plot]" in done.output and "R2" not in done.output


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_says_what_it_shows_and_where_from(name: str) -> None:
    kind = experiment(name)
    assert kind.title and kind.sentence.endswith(".") and kind.source
    assert set(kind.quick_fields) <= {item.name for item in dataclasses.fields(kind)}
    assert kind().quick() == dataclasses.replace(kind(), **dict(kind.quick_fields))  # type: ignore[arg-type]


def test_unknown_name_gives_the_near_ones() -> None:
    with pytest.raises(InputError, match="did you mean stdp-window"):
        experiment("stdp-windw")
    with pytest.raises(InputError, match="known: stdp-window"):
        experiment("qqqq")


def test_parameters_are_checked_when_an_experiment_is_made() -> None:
    with pytest.raises(
        DescriptionError, match=r"2 faults(.|\n)*dt must be a finite(.|\n)*reach must be a whole number"
    ):
        STDPWindow(reach=0, dt=math.nan)
    assert STDPWindow().changed({"reach": "5"}).reach == 5
    with pytest.raises(InputError, match=r"no parameter 'reech'(.|\n)*reach must be a whole number, got '1.5'"):
        STDPWindow().changed({"reech": "5", "reach": "1.5"})


def test_a_number_that_is_not_one_is_never_inside() -> None:
    measure = Measure(name="rate", value=math.nan, unit="Hz", low=-math.inf, high=math.inf, source="anything")
    assert not measure.is_inside
    assert measure.to_json()["value"] is None and measure.to_json()["low"] is None


def test_same_seed_same_result(conduct: Conduct) -> None:
    first, again = conduct("stdp-window", chip="loihi1"), STDPWindow().run("emulator", seed=0, chip="loihi1")
    assert first.arrays["change"].tolist() == again.arrays["change"].tolist()
    assert first.program_fingerprint == again.program_fingerprint
    other = STDPWindow().run("emulator", seed=1, chip="loihi1")
    assert first.arrays["change"].tolist() != other.arrays["change"].tolist()


@pytest.mark.parametrize("name", ["fear", "bandit", "glia", "one-shot-memory"])
def test_experiment_holds_in_a_chips_integers(conduct: Conduct, name: str) -> None:
    result = conduct(name, chip="loihi1")
    assert result.is_inside, result.to_json()


def test_a_figure_is_of_the_experiments_own_runs() -> None:
    with pytest.raises(InputError, match="needs its own runs, got none"):
        STDPWindow().figure([])
    other = dataclasses.replace(STDPWindow().run(), experiment="another")
    with pytest.raises(InputError, match="got another"):
        STDPWindow().figure([other])


def test_figure_is_of_the_parameters_that_were_run() -> None:
    result = STDPWindow(reach=5).run()
    figure = STDPWindow().figure([result])
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx(-5.0)


def test_run_prints_every_measure_and_writes_the_figure(tmp_path: Path) -> None:
    target = tmp_path / "window.svg"
    done = CliRunner().invoke(main, ["run", "stdp-window", "--seeds", "2", "--figure", str(target), "--set", "reach=9"])
    assert done.exit_code == 0, done.output
    assert "R2 against the fit" in done.output and "Bi and Poo" in done.output
    assert target.read_bytes().startswith(b"<?xml")


def test_run_ends_with_1_where_a_number_is_outside() -> None:
    done = CliRunner().invoke(main, ["run", "stdp-window", "--chip", "loihi1", "--set", "A_minus=0.001", "--json", "-"])
    plain = json.loads(done.output)
    assert [run["inside"] for run in plain["rows"]] == [done.exit_code == 0]


def test_run_refuses_what_it_does_not_know() -> None:
    for arguments, message in (
        (["stdp-windw"], "did you mean"),
        (["stdp-window", "--backend", "abacus"], "abacus"),
        (["stdp-window", "--figure", "a.doc"], ".svg"),
        (["stdp-window", "--set", "reach"], "PARAMETER=NUMBER"),
    ):
        done = CliRunner().invoke(main, ["run", *arguments])
        assert done.exit_code == 2 and message in done.output


def test_networks_lists_all_of_them() -> None:
    done = CliRunner().invoke(main, ["networks", "--json", "-"])
    rows = json.loads(done.output)["rows"]
    assert [row["name"] for row in rows] == list(EXPERIMENTS)
    assert "stdp-window" in CliRunner().invoke(main, ["networks"]).output


def test_numbers_of_numpy_are_written_as_json() -> None:
    measure = Measure(name="trial", value=np.float64(3), unit="", low=np.int64(2), high=5, source="a test")
    assert json.loads(json.dumps(measure.to_json()))["inside"] is True
