"""The script behind the page: every row of every case, as text, as data and as a figure."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from neuromorph.validation import CASES

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "validation.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("validation_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_json_has_every_row_with_both_ends(script: ModuleType) -> None:
    done = CliRunner().invoke(script.main, ["--json", "truenorth-rates"])
    case = json.loads(done.output)["cases"][0]
    assert [row["what"] for row in case["rows"]][:3] == [f"power at {rate} Hz" for rate in ("11.58", "20.07", "95.93")]
    assert all(row["predicted_low"] <= row["predicted_middle"] <= row["predicted_high"] for row in case["rows"])
    assert {row["independent"] for row in case["rows"]} == {True, False}


def test_an_unknown_case_is_refused_with_the_known_ones(script: ModuleType) -> None:
    done = CliRunner().invoke(script.main, ["loihi"])
    assert done.exit_code == 2 and all(case.name in done.output for case in CASES)


def test_the_page_has_a_line_for_every_row_and_fills_every_cell(script: ModuleType) -> None:
    found = {case: case.predict() for case in CASES if case.name in ("truenorth-rates", "analog-mnist", "further")}
    page = script.page(found)
    table = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    assert len(table) == sum(len(rows) for rows in found.values())
    assert {line.count("|") for line in table} == {len(script.COLUMNS) + 1} and "|  |" not in page
    for case in found:
        assert case.summary in page and case.unknown in page and case.source in page


def test_the_figure_is_small_and_the_same_every_time(script: ModuleType) -> None:
    pytest.importorskip("matplotlib")
    found = {case: case.predict() for case in CASES if case.name in ("truenorth-rates", "analog-mnist")}
    drawn = script.plot(found)
    assert drawn == script.plot(found) and b"<svg" in drawn and len(drawn) < 150_000
