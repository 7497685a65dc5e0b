"""Comparisons with SANA-FE and NeuroBench: without them the scripts say what to do, and what they wrote agrees."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def script(name: str) -> Any:
    found = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["sanafe_agreement", "neurobench_agreement"])
def test_without_the_other_tool_nothing_is_compared_and_the_remedy_is_told(name: str) -> None:
    done = CliRunner().invoke(script(name).main, ["--python", "/nowhere/python"])
    assert done.exit_code == 0, done.output
    for part in ("Nothing is compared", "/nowhere/python", "pip install", "--python"):
        assert part in done.output, done.output


def test_every_figure_of_neurobench_that_was_written_is_ours_too() -> None:
    plain = json.loads((BENCHMARKS / "results" / "neurobench.json").read_text(encoding="utf-8"))
    assert {row["case"] for row in plain["rows"]} == {"spikes", "graded inputs"}
    for row in plain["rows"]:
        for name, theirs in row["neurobench"].items():
            # NeuroBench rounds the sparsity of connections to four digits
            assert row["ours"][name] == pytest.approx(theirs, abs=5e-5 if name == "connection sparsity" else 1e-9)
        assert row["neurobench"]["effective ACs"] > 0
    assert plain["rows"][1]["neurobench"]["effective MACs"] > 0


def test_every_energy_and_time_of_sanafe_that_was_written_lies_at_our_high_end() -> None:
    plain = json.loads((BENCHMARKS / "results" / "sanafe.json").read_text(encoding="utf-8"))
    assert len(plain["rows"]) >= 5
    for row in plain["rows"]:
        for name in ("joule", "joule_of_synapses", "joule_of_neurons", "joule_of_messages"):
            (low, high), theirs = row[name]
            # the same counts times the same coefficients: only the order of additions differs
            assert low <= theirs * (1 + 1e-9) and theirs == pytest.approx(high, rel=1e-6), (row["network"], name)
        (low, high), simple, detailed = row["second"]
        assert low <= simple <= 1.001 * high, row["network"]  # three digits
        assert simple <= 1.001 * detailed
