from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neuromorph.bench import benchmark
from neuromorph.bench.benchmark import Report, compared, finished, pair_ratio, plan_of, run_plan
from neuromorph.bench.contenders import contender, contenders
from neuromorph.bench.measuring import Bandwidth
from neuromorph.bench.table import COLUMNS, cells, markdown, tables
from neuromorph.bench.worker import Job, status_of
from neuromorph.cli import main
from neuromorph.errors import BackendUnavailable, InputError, UnsupportedError

MEMORY = Bandwidth(copy_byte=1e10, triad_byte=1e10, cached_copy_byte=4e10)


def lap(rate: float, steps: int = 100) -> dict[str, Any]:
    return {"steps": steps, "second": steps / rate, "spikes": 180 * steps // 100, "events": 1000 * steps, "byte": None}


def measured(backend: str, rate: float, *, spikes: int = 500, digest: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "workload": "W2", "size": "S", "backend": backend, "status": "ok", "reason": "", "neurons": 100,
        "synapses": 10_000, "laps": [lap(rate), lap(rate), lap(0.9 * rate)], "peak_memory_byte": 10**8,
        "build_second": 0.1, "compile_second": 0.0, "marks": {"100": {"spikes": {"neurons": spikes}, "digest": digest}},
        **more,
    }  # fmt: skip


def test_ratios_come_from_turns_in_one_process_where_there_were_any() -> None:
    results = [
        measured("emulator", 10_000.0),
        measured("lava", 50.0, pair_laps=[lap(9000.0), lap(9000.0)]),
        measured("nest", 400.0),
        measured("numpy", 2000.0),
    ]
    emulator, lava, nest, numpy = finished(results, MEMORY)
    assert emulator["best_peer"] == "nest"
    assert emulator["ratio_to_best_peer"] == pytest.approx(10_000 / 400)
    assert emulator["ratio_to_lava"] == pytest.approx((9000 / 50 + 9000 / 45) / 2) == lava["ratio_of_pair"]
    assert lava["ratio_to_best_peer"] == pytest.approx(50 / 400)
    assert nest["ratio_to_lava"] == pytest.approx(8.0)
    assert numpy["ratio_of_pair"] is None


def test_the_first_lap_which_ran_alone_is_no_part_of_the_turns() -> None:
    result = measured("nest", 100.0, pair_laps=[lap(1000.0)])
    result["laps"] = [lap(1.0), lap(100.0)]
    assert pair_ratio(result) == pytest.approx(10.0)


def test_different_work_is_told() -> None:
    rows = finished(
        [
            measured("reference", 100.0, digest="a"),
            measured("emulator", 100.0, digest="b"),
            measured("lava", 100.0, digest="a"),
            measured("nest", 100.0, spikes=510),
            measured("brian2 C++", 100.0, spikes=700),
        ],
        MEMORY,
    )
    told = [row["same_work"] for row in rows[1:]]
    assert told[0].startswith("differs: not the same spikes")
    assert told[1] == "equal over 100 steps"
    assert told[2] == "within 2.0 % over 100 steps"
    assert told[3] == "differs: 700 spikes against 500 over 100 steps"
    assert {row["same_work_as"] for row in rows[1:]} == {"reference"}


def test_work_is_compared_up_to_the_last_step_that_both_have() -> None:
    one = {"10": {"spikes": {"a": 1000}, "digest": None}, "100": {"spikes": {"a": 5}, "digest": None}}
    assert compared(one, {"10": one["10"]}, to_the_bit=False) == "within 0.0 % over 10 steps"
    assert compared(one, {}, to_the_bit=False) == "not compared: no step in common"


def test_a_firing_rate_outside_of_the_workload_is_marked() -> None:
    (row,) = finished([measured("numpy", 100.0)], MEMORY)
    assert row["firing_rate_fits"]
    silent = measured("numpy", 100.0)
    silent["laps"] = [{**one, "spikes": 1} for one in silent["laps"]]
    (row,) = finished([silent], MEMORY)
    assert not row["firing_rate_fits"]
    assert cells(row)[COLUMNS.index("firing")].endswith("!")


def fake(job: Job, **limits: Any) -> dict[str, Any]:
    del limits
    if job.contender == "lava":
        return {"status": "failed", "reason": "RuntimeError: it broke"}
    return {
        key: value
        for key, value in measured(job.contender, 100.0).items()
        if key not in ("workload", "size", "backend")
    }


def report(*backends: str) -> Report:
    plan = plan_of(workloads=["W2"], sizes=["S"], backends=backends)
    return run_plan(plan, command="neuromorph bench", run=fake, measured=MEMORY)


def test_a_row_that_fails_carries_the_reason_and_the_others_stand() -> None:
    failed, sound = report("lava", "reference").rows[::-1]
    assert (failed["status"], failed["reason"], failed["steps_per_second"]) == (
        "failed",
        "RuntimeError: it broke",
        None,
    )
    assert sound["steps_per_second"] == pytest.approx(100.0)
    assert len(tables(report("lava", "reference"))) == 1


def test_a_peer_that_is_not_installed_is_a_row_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromorph.bench.contenders.find_spec", lambda name: None)
    (row,) = report("nest").rows
    assert row["status"] == "missing"
    assert row["reason"].startswith("nest is not installed: uv sync")
    assert row["reason"] in markdown(report("nest"))


def test_rows_have_the_keys_that_readers_of_the_json_rely_on() -> None:
    plain = json.loads(json.dumps(report("lava", "reference", "numpy").to_json(), allow_nan=False))
    for row in plain["rows"]:
        assert {
            "workload", "size", "backend", "steps_per_second", "synaptic_events_per_second", "ratio_to_best_peer",
            "ratio_to_lava", "peak_memory_byte", "build_second", "firing_rate", "same_work", "status", "reason",
        } <= set(row)  # fmt: skip
        assert len(cells(row)) == len(COLUMNS)
    assert plain["seed"] == 0
    assert plain["machine"]["cpu"]


def test_what_is_too_large_for_a_contender_is_tried_only_by_name() -> None:
    plan = plan_of(workloads=["W1R"], sizes=["L"])
    rows = {row["backend"]: row for row in run_plan(plan, command="", run=fake, measured=MEMORY).rows}
    assert rows["lava"]["status"] == "left out"
    assert rows["emulator"]["status"] == "ok"
    asked = plan_of(workloads=["W1R"], sizes=["L"], backends=["lava"])
    assert run_plan(asked, command="", run=fake, measured=MEMORY).rows[0]["reason"] == "RuntimeError: it broke"


def test_a_quick_run_stops_starting_rows_when_its_time_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "QUICK_SECOND", 0.0)
    found = run_plan(plan_of(quick=True), command="", run=fake, measured=MEMORY).rows
    assert {row["status"] for row in found} <= {"left out", "missing"}
    assert {row["workload"] for row in found} == set(benchmark.QUICK_WORKLOADS)


def test_unknown_names_are_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="there is no backend 'abacus'; known: emulator"):
        plan_of(backends=["abacus"])
    with pytest.raises(InputError, match="no workload of W2R has a size S"):
        plan_of(workloads=["W2R"], sizes=["S"])
    with pytest.raises(InputError, match="there is no contender"):
        contender("abacus")


def test_every_pair_is_a_row() -> None:
    names = {item.name for item in contenders()}
    assert {item.pair for item in contenders()} - {""} <= names


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BackendUnavailable("no such"), "missing"),
        (UnsupportedError(["no rule"]), "cannot"),
        (ModuleNotFoundError("No module named 'nest'", name="nest"), "missing"),
        (MemoryError(), "failed"),
        (ZeroDivisionError("division by zero"), "failed"),
    ],
)
def test_what_a_tool_raises_becomes_a_word_and_a_reason(error: Exception, status: str) -> None:
    word, reason = status_of(error)
    assert word == status
    assert reason


def test_the_command_prints_json_and_writes_both_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "bandwidth", lambda: MEMORY)
    done = CliRunner().invoke(
        main,
        ["bench", "--workload", "W2", "--size", "S", "--backend", "reference", "--backend", "numpy", "--steps", "20",
         "--json", "-", "--out", str(tmp_path)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert [row["backend"] for row in rows] == ["reference", "numpy"]
    assert [(row["status"], row["reason"], row["steps"]) for row in rows] == [("ok", "", 20)] * 2
    assert rows[1]["same_work"].startswith("within")
    assert rows[0]["peak_memory_byte"] > 10**7
    assert "W2 S numpy" in done.stderr
    assert json.loads((tmp_path / "bench.json").read_text())["rows"] == rows
    assert "| numpy |" in (tmp_path / "bench.md").read_text()


def test_the_command_refuses_what_it_does_not_know() -> None:
    done = CliRunner().invoke(main, ["bench", "--backend", "abacus"])
    assert done.exit_code == 2
    assert "there is no backend 'abacus'" in done.output
