"""What an installed neuromorph holds, imports and declares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import neuromorph as nm

ROOT = Path(__file__).resolve().parents[2]
SIMULATORS = (
    "numpy",
    "nengo",
    "nengo_loihi",
    "lava",
    "sklearn",
    "matplotlib",
    "scipy",
    "rich",
    "click",
    "jinja2",
    "greenlet",
)


def test_importing_neuromorph_imports_no_simulator_and_nothing_heavy() -> None:
    code = f"import sys, neuromorph; print([name for name in {SIMULATORS!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_loads_and_none_is_a_module() -> None:
    for name in nm.__all__:
        assert callable(getattr(nm, name)), name
    assert sorted(nm._HOME) == sorted(nm.__all__)
    assert set(nm.__all__) <= set(dir(nm))
    with pytest.raises(AttributeError, match="known: "):
        nm.nothing  # noqa: B018


@pytest.mark.parametrize("link", ["backends", "networks", "hardware_configs"])
def test_top_folders_are_linked_into_the_package(link: str) -> None:
    path = ROOT / "neuromorph" / link
    if not path.is_symlink():
        pytest.skip("this checkout was made without symbolic links: only static tools miss them")
    assert path.resolve() == ROOT / link


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "uv", "build"] if _has_uv_module() else ["uv", "build"]
    command = [*build, "--python", sys.executable, "--out-dir", str(folder), str(ROOT)]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("uv is not found, which builds the wheel")
    return folder


@pytest.mark.xdist_group("built")
def test_the_wheel_holds_the_kernel_and_every_module_and_data_file_of_the_checkout(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("neuromorph/")}
    kernel = f"neuromorph/backends/emulator/_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"
    wanted = {kernel} if _has_compiler() else set()
    for folder, inside in (
        (ROOT / "neuromorph", "neuromorph"),
        *((ROOT / name, f"neuromorph/{name}") for name in ("backends", "networks", "hardware_configs")),
    ):
        for path in _files(folder):
            wanted.add(f"{inside}/{path.relative_to(folder).as_posix()}")
    assert held == wanted


@pytest.mark.xdist_group("built")
def test_the_sdist_holds_every_source_of_the_kernel(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames() if name.endswith((".c", ".h"))}
    sources = (ROOT / "backends/emulator/csrc").glob("*.[ch]")
    assert held == {path.relative_to(ROOT).as_posix() for path in sources}  # else: "depends" in pyproject.toml


def _files(folder: Path) -> list[Path]:
    """Modules and data below a folder, links not followed."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name == "__pycache__":
            continue
        if path.is_dir():
            found += _files(path)
        elif path.suffix in (".py", ".toml", ".jinja", ".css", ".typed"):
            found.append(path)
    return found


def _has_compiler() -> bool:
    """Whether an extension can be compiled here: by what CC names, else by what built this Python."""
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or ""
    return bool(command) and shutil.which(command.split()[0]) is not None


def _has_uv_module() -> bool:
    return subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True, check=False).returncode == 0
