"""What an installed neuromorph holds, imports and declares."""

from __future__ import annotations

import subprocess
import sys
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


def test_the_wheel_holds_every_module_and_data_file_of_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "uv", "build"] if _has_uv_module() else ["uv", "build"]
    try:
        subprocess.run([*build, "--out-dir", str(tmp_path), str(ROOT)], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("uv is not found, which builds the wheel")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("neuromorph/")}
    wanted = set()
    for folder, inside in (
        (ROOT / "neuromorph", "neuromorph"),
        *((ROOT / name, f"neuromorph/{name}") for name in ("backends", "networks", "hardware_configs")),
    ):
        for path in _files(folder):
            wanted.add(f"{inside}/{path.relative_to(folder).as_posix()}")
    assert held == wanted


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


def _has_uv_module() -> bool:
    return subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True, check=False).returncode == 0
