"""ProcessModels come from a table, and from nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.errors import SimulatorError


@pytest.mark.parametrize(
    ("table", "tag"), [(model_table.FLOAT_MODELS, "floating_pt"), (model_table.FIXED_MODELS, "fixed_pt")]
)
def test_tables_hold_one_arithmetic_each(table: dict[type, type], tag: str) -> None:
    for process_class, model_class in table.items():
        assert model_class.implements_process is process_class  # type: ignore[attr-defined]
        assert tag in model_class.tags or process_class is compat.Monitor  # type: ignore[attr-defined]


def test_table_answers_for_a_process_as_for_its_class() -> None:
    table = model_table.ByClass(model_table.FLOAT_MODELS)
    neurons = compat.LIF(shape=(1,))
    assert neurons in table
    assert table[neurons] is table[compat.LIF] is compat.PyLifModelFloat  # type: ignore[index]
    compat.forget([neurons])


def test_process_without_a_model_is_named() -> None:
    table = model_table.ByClass(model_table.FIXED_MODELS)
    with pytest.raises(
        SimulatorError, match=r"no ProcessModel is given for Process class .*LIFRefractory.* knows .*LIF"
    ):
        table[compat.LIFRefractory]


def test_model_of_another_process_is_refused() -> None:
    with pytest.raises(SimulatorError, match=r"table entry LIF: PyDenseModelFloat implements Dense"):
        model_table.run_configuration({compat.LIF: compat.PyDenseModelFloat})


def test_files_beside_a_process_are_not_executed(tmp_path: Path) -> None:
    (tmp_path / "bystander.py").write_text("raise SystemExit('the bystander ran')")
    (tmp_path / "script.py").write_text(
        "from neuromorph.backends.lava import compat, model_table\n"
        "from neuromorph.backends.lava.in_process import InProcessRun\n"
        "class Own(compat.LIF):\n    pass\n"
        "table = {Own: compat.PyLifModelFloat}\n"
        "with InProcessRun(Own(shape=(1,)), model_table.run_configuration(table)) as run:\n"
        "    print(run.run(2))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "2\n", "")


def test_graph_that_lava_cannot_compile_is_one_error() -> None:
    neurons = compat.LIF(shape=(1,))
    configuration = model_table.run_configuration(model_table.FLOAT_MODELS)
    with InProcessRun(neurons, configuration), pytest.raises(SimulatorError, match=r"(?s)could not compile.*Already"):
        InProcessRun(neurons, configuration)
