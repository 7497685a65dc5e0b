"""Networks are found wherever the command line may name them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import neuromorph as nm
from neuromorph import textform
from neuromorph.errors import DescriptionError, InputError
from neuromorph.source import load_program, load_source

FILE = """
import neuromorph as nm
from beside import SIZE

net = nm.Network(populations=[nm.Input("in", SIZE), nm.Population("out", 1, nm.LIF())],
                 projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0.0, 1.0)))], name="net")
other = nm.Network(populations=[nm.Population("out", 1, nm.LIF())], name="other")
compiled = nm.compile(other)
number = 3
"""


@pytest.fixture
def python_file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("SIZE = 2\n")
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    yield path
    sys.modules.pop("beside", None)


def test_a_python_file_gives_the_named_object_or_the_usual_one(python_file: Path) -> None:
    path_before = list(sys.path)
    first, other = load_source(str(python_file)), load_source(f"{python_file}:other")
    assert isinstance(first, nm.Network) and isinstance(other, nm.Network)
    assert (first.name, other.name) == ("net", "other")
    assert isinstance(load_source(f"{python_file}:compiled"), nm.Program)
    assert sys.path == path_before


def test_programs_are_read_from_archives_and_text(python_file: Path, tmp_path: Path) -> None:
    program = load_program(str(python_file), dt=5e-4, seed=3)
    assert program.dt == 5e-4
    program.save(tmp_path / "saved.npz")
    program.save(tmp_path / "saved.program")
    (tmp_path / "saved.toml").write_text(textform.dumps(program))
    for name in ("saved.npz", "saved.toml", "saved.program"):
        assert load_program(str(tmp_path / name)).fingerprint == program.fingerprint
        assert load_program(str(tmp_path / name), dt=5e-4).fingerprint == program.fingerprint
    assert load_program(str(tmp_path / "saved.npz"), chip="loihi1").chip == "loihi1"
    assert load_program(str(python_file)).dt == 1e-3
    assert load_program(str(python_file), integration="euler").integration == "euler"


def test_a_nir_file_is_read_for_the_time_step(python_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("nir", reason="the package nir is not installed")
    network = load_source(str(python_file))
    assert isinstance(network, nm.Network)
    nm.to_nir(network, tmp_path / "net.nir", dt=1e-3)
    assert load_program(str(tmp_path / "net.nir"), dt=1e-3).fingerprint == nm.compile(network).fingerprint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{folder}/no.npz", "no.npz': there is no such file; give a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME"),
        ("{folder}/no.py:net", "no.py': there is no such file"),
        ("{folder}", "is a folder"),
        ("{folder}/mine.py:nothing", "holds no Network or Program called 'nothing'; it holds: net, other, compiled"),
        ("{folder}/mine.py:number", "holds no Network or Program called 'number'"),
        ("{folder}/beside.py", "called net or network or program; it holds: none"),
        ("{folder}/broken.py", "broken.py' could not be run: ZeroDivisionError: division by zero"),
        ("{folder}/leaving.py", "leaving.py' could not be run: SystemExit: 3"),
        ("{folder}/text.toml", "text.toml': the text does not begin with format"),
        ("{folder}/text.npz", "text.npz"),
    ],
)  # fmt: skip
def test_what_holds_no_network_is_refused_with_what_would_do(text: str, expected: str, python_file: Path) -> None:
    folder = python_file.parent
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "leaving.py").write_text("raise SystemExit(3)\n")
    (folder / "text.toml").write_text("a = 1\n")
    (folder / "text.npz").write_text("hello")
    with pytest.raises(InputError) as caught:
        load_source(text.format(folder=folder))
    assert expected in str(caught.value)


def test_faults_of_the_description_itself_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import neuromorph as nm\nnm.LIF(tau_mem=-1.0)\n")
    with pytest.raises(DescriptionError, match=r"LIF\.tau_mem must be .* s, got -1"):
        load_source(str(tmp_path / "wrong.py"))


def test_another_time_step_than_a_programs_own_is_refused(python_file: Path) -> None:
    with pytest.raises(
        InputError, match=r"is a program with dt = 0\.001 s of its own, got dt = 0\.002 s: leave it out"
    ):
        load_program(f"{python_file}:compiled", dt=2e-3)
