"""``neuromorph import`` and ``neuromorph export``, and what the package imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from click.testing import CliRunner, Result

import neuromorph as nm
from neuromorph.cli import main
from neuromorph.errors import InputError

NETWORK = """
import neuromorph as nm

net = nm.Network(
    populations=[nm.Input("in", 2), nm.Population("out", 3, nm.LIF())],
    projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0, 1)), plasticity=nm.STDP())],
    name="from a file",
)
program = nm.compile(net)
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def file(chain: Callable[..., Any], tmp_path: Path) -> Path:
    one = np.ones(2)
    lif = nir.LIF(tau=20 * one, r=one, v_leak=0 * one, v_threshold=one)
    nir.write(tmp_path / "lif.nir", chain(i=nir.Input(np.array([2])), lif=lif, o=nir.Output(np.array([2]))))
    return tmp_path / "lif.nir"


def test_import_saves_the_program_and_prints_what_was_assumed(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "program.npz"
    done = call("import", file, "--dt", "1e-3", "--integration", "euler", "--out", out)
    assert done.exit_code == 0, done.output
    program = nm.Program.load(out)
    network = nm.from_nir(file, dt=1e-3, integration="euler")
    assert program.fingerprint == nm.compile(network, dt=1e-3, integration="euler").fingerprint
    for sentence in network.metadata["nir"]["assumptions"]:
        assert f"- {sentence}\n" in done.output
    assert "Times are read in milliseconds" in done.output


def test_import_says_the_same_as_json(file: Path, tmp_path: Path) -> None:
    done = call("import", file, "--dt", "1e-4", "--unit", "steps", "--out", tmp_path / "p.npz", "--json", "-")
    assert done.exit_code == 0, done.output
    result = json.loads(done.output)
    assert (result["nir"]["unit"], result["populations"], result["projections"]) == (
        "steps",
        {"i": 2, "lif": 2},
        {"i->lif": 2},
    )
    assert result["fingerprint"] == nm.Program.load(tmp_path / "p.npz").fingerprint


def test_an_ambiguous_unit_ends_with_the_choices_and_code_2(file: Path, tmp_path: Path) -> None:
    done = call("import", file, "--dt", "1e-4", "--out", tmp_path / "p.npz")
    assert done.exit_code == 2
    assert "unit='ms' or unit='steps'" in done.output and "Traceback" not in done.output
    assert not (tmp_path / "p.npz").exists()


def test_export_writes_the_network_of_a_python_file(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NETWORK)
    out = tmp_path / "net.nir"
    done = call("export", f"{tmp_path / 'nets.py'}:net", "--dt", "1e-3", "--seed", "7", "--out", out)
    assert done.exit_code == 0, done.output
    namespace: dict[str, Any] = {}
    exec(NETWORK, namespace)
    again = nm.from_nir(out, dt=1e-3)
    assert again.name == "from a file"
    assert nm.compile(again, seed=7).fingerprint == nm.compile(namespace["net"], seed=7).fingerprint


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("none.py:net", "there is no such file"),
        ("nets.py:other", "'other'"),
        ("nets.py:nm", "'nm'"),
        ("nets.py:program", "to_nir takes a Network"),
        ("broken.py:net", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_exported_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text(NETWORK)
    Path("broken.py").write_text("1 / 0")
    done = call("export", address, "--dt", "1e-3", "--out", "net.nir")
    assert done.exit_code == 2
    assert said in done.output
    assert not Path("net.nir").exists()


def test_nir_is_imported_only_where_it_is_used() -> None:
    code = (
        "import sys, neuromorph as nm; nm.from_nir, nm.to_nir; print([m for m in ('nir', 'h5py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_package_one_error_says_what_to_install(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = nir.NIRGraph(nodes={}, edges=[], type_check=False)
    net = nm.Network(populations=[nm.Population("a", 1, nm.LIF())])
    for name in ("nir", "h5py"):
        monkeypatch.setitem(sys.modules, name, None)
    for attempt in (
        lambda: nm.from_nir(file, dt=1e-3),
        lambda: nm.from_nir(graph, dt=1e-3),
        lambda: nm.to_nir(net, dt=1e-3),
    ):
        with pytest.raises(InputError, match=r"pip install 'neuromorph\[nir\]'"):
            attempt()


def test_a_convolution_shares_its_weights_in_the_text_form() -> None:
    from neuromorph import textform

    weight = np.random.default_rng(0).normal(size=(2, 1, 3, 3))
    nodes = {
        "i": nir.Input(np.array([1, 8, 8])),
        "c": nir.Conv2d((8, 8), weight, 1, "same", 1, 1, np.zeros(2)),
        "n": nir.Threshold(np.ones((2, 8, 8))),
    }
    graph = nir.NIRGraph(nodes=nodes, edges=[("i", "c"), ("c", "n")], type_check=False)
    program = nm.compile(nm.from_nir(graph, dt=1e-3))
    text = textform.dumps(program)
    for value in weight.ravel().tolist():
        assert text.count(repr(value)) == 1
    assert textform.loads(text).fingerprint == program.fingerprint


def test_commands_need_a_time_step_and_take_a_unit_and_say_what_they_assumed(file: Path) -> None:
    lacking = call("compare", file, "--steps", "5", "--backends", "reference")
    assert lacking.exit_code == 2 and "states no time step" in lacking.output
    unclear = call("compare", file, "--dt", "1e-4", "--steps", "5", "--backends", "reference")
    assert unclear.exit_code == 2 and "(--unit)" in unclear.output
    done = call(
        "compare", file, "--dt", "1e-4", "--unit", "ms", "--steps", "5", "--backends", "reference", "--json", "-"
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"][0]["available"]
    assert "- Times are read in milliseconds: as asked." in done.stderr


def test_a_unit_is_for_nir_files_only(file: Path, tmp_path: Path) -> None:
    call("import", file, "--dt", "1e-3", "--out", tmp_path / "p.npz")
    done = call("check", tmp_path / "p.npz", "--unit", "ms")
    assert done.exit_code == 2 and "is no NIR file" in done.output


def test_an_imported_network_of_a_python_file_keeps_its_time_step(file: Path, tmp_path: Path) -> None:
    text = f"import neuromorph as nm\nnet = nm.from_nir({str(file)!r}, dt=1e-3, integration='euler')\n"
    (tmp_path / "mine.py").write_text(text)
    done = call("export", tmp_path / "mine.py", "--out", tmp_path / "again.nir")
    assert done.exit_code == 0, done.output
    assert "for time steps of 0.001 s (euler)" in done.output
    assert nm.compile(nm.from_nir(tmp_path / "again.nir")).integration == "euler"
