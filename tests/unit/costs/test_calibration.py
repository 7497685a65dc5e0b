"""A calibration becomes a hardware file that is read and used like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuromorph.chip import load_chip
from neuromorph.cli import main
from neuromorph.costs import Operations, calibration, estimate_operations

FOUND = calibration.Calibration(
    processor='A "quoted" processor',
    day="2026-01-02",
    numpy="2.0",
    seconds={name: (1e-9, 2e-9) for name in calibration.WHAT if name != "multiply_accumulate"},
    runs={},
    busy_watt=None,
    idle_watt=None,
    meter="Power was not measured: no meter",
)


def written(found: calibration.Calibration, folder: Path) -> Path:
    path = folder / "here.toml"
    path.write_text(found.to_toml("here"))
    return path


def test_a_calibration_is_a_sound_file_whose_numbers_are_measured(tmp_path: Path) -> None:
    chip = load_chip(written(FOUND, tmp_path))
    assert chip.estimates == ("energy", "latency", "learning", "dense products")
    for name, quantity in chip.numbers():
        if name == "costs.core.busy_core.power":
            assert quantity.status == "assumed" and "no meter" in quantity.source
        else:
            assert quantity.status == "measured"
            assert 'measured on A "quoted" processor on 2026-01-02' in quantity.source
    cost = estimate_operations(Operations(by_precision={"float64": 1000}), chip)
    assert (cost.latency_second.low, cost.latency_second.high) == pytest.approx((1e-6, 2e-6))
    assert (cost.energy_joule.low, cost.energy_joule.high) == pytest.approx((1e-5, 4e-5))  # x 10 to 20 W


def test_a_measured_power_is_used(tmp_path: Path) -> None:
    metered = calibration.Calibration(**{**vars(FOUND), "busy_watt": 7.0, "idle_watt": 3.0, "meter": "RAPL, package-0"})
    chip = load_chip(written(metered, tmp_path))
    power = chip.costs["core"].coefficients["busy_core.power"]
    assert (power.low, power.status) == (7.0, "measured") and "RAPL, package-0" in power.source
    cost = estimate_operations(Operations(by_precision={"int8": 1000}), chip)
    assert cost.energy_joule.low == pytest.approx(1e-6 * (7 + 3))
    assert cost.dynamic_energy_joule.low == pytest.approx(1e-6 * 7)


def test_calibrate_writes_the_file_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "calibrate", lambda progress: FOUND)
    path = tmp_path / "mine.toml"
    done = CliRunner(env={"COLUMNS": "300"}).invoke(main, ["calibrate", "--out", str(path), "--json", "-"])
    assert done.exit_code == 0, done.output
    assert load_chip(path).name == "mine"
    report = json.loads(done.output)
    assert report["path"] == str(path) and report["seconds"]["memory_byte"] == [1e-9, 2e-9]
    table = CliRunner(env={"COLUMNS": "300"}).invoke(main, ["calibrate", "--out", str(path), "--name", "box"])
    assert "no meter. The power of a busy core is assumed." in table.output and load_chip(path).name == "box"


def test_a_path_that_cannot_be_written_is_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(progress: object) -> None:
        raise AssertionError("it measured")

    monkeypatch.setattr(calibration, "calibrate", fail)
    done = CliRunner().invoke(main, ["calibrate", "--out", str(tmp_path / "nowhere" / "mine.toml")])
    assert done.exit_code == 2 and "cannot write" in done.output


def test_every_operation_of_a_calibration_has_a_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "RUNS", 1)
    found = {name: calibration._timed(run, count) for name, (run, count) in calibration.workloads()}
    assert set(found) == set(calibration.WHAT) - {"multiply_accumulate"}
    assert all(0 < low <= high for low, high, _ in found.values())
