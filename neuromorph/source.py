"""Where a network comes from on the command line: a saved program, a text program, a NIR file or a Python file."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuromorph.chip import Chip
from neuromorph.errors import InputError, NeuromorphError
from neuromorph.execution import compile as compile_network
from neuromorph.network import Network
from neuromorph.program import Integration, Program
from neuromorph.quantisation import quantise
from neuromorph.textform import loads

DEFAULT_NAMES = ("net", "network", "program")  # looked for in a Python file, in this order
FORMS = "a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with a Network or Program"


def load_source(
    text: str, *, dt: float | None = None, integration: Integration | None = None, unit: str | None = None
) -> Network | Program:
    """What ``text`` names: a Network of a NIR or Python file, a Program of any other.

    A NIR file is read for ``dt``, ``integration`` and ``unit``, and all that was assumed goes to standard error. A Python
    file is run; without ``:NAME`` it must hold ``net``, ``network`` or ``program``. Raises :class:`InputError` where there is no such file or nothing of use in it.
    """
    head, colon, name = text.rpartition(":")
    address = (head, name) if colon and head.endswith(".py") else (text, "")
    path = Path(address[0])
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise InputError(f"{os.fspath(path)!r}: {what}; give {FORMS}")
    readers: dict[str, Callable[[], Network | Program]] = {
        ".py": lambda: _from_python(path, address[1]),
        ".toml": lambda: _from_text(path),
        ".nir": lambda: _from_nir(path, dt, integration, unit),
    }
    if unit is not None and path.suffix != ".nir":
        raise InputError(f"{os.fspath(path)!r} is no NIR file and has units of its own: leave out the unit {unit!r}")
    return readers.get(path.suffix, lambda: Program.load(path))()


def load_program(
    text: str,
    *,
    dt: float | None = None,
    integration: Integration | None = None,
    unit: str | None = None,
    seed: int = 0,
    chip: str | os.PathLike[str] | Chip | None = None,
) -> Program:
    """The program that ``text`` names, compiled where it is a network and quantised where ``chip`` is given."""
    found = load_source(text, dt=dt, integration=integration, unit=unit)
    if isinstance(found, Network):
        found = compile_network(found, dt=dt, integration=integration, seed=seed)
    elif dt is not None and dt != found.dt:
        raise InputError(f"{text!r} is a program with dt = {found.dt!r} s of its own, got dt = {dt!r} s: leave it out")
    return found if chip is None else quantise(found, chip)


def _from_text(path: Path) -> Program:
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(f"{os.fspath(path)!r}: {error}") from None


def _from_nir(path: Path, dt: float | None, integration: Integration | None, unit: Any) -> Network:
    from neuromorph.nir import from_nir  # its package is optional

    network = from_nir(path, dt=dt, integration=integration, unit="infer" if unit is None else unit)
    sentences = network.metadata["nir"]["assumptions"]
    sys.stderr.write("\n".join([f"Assumed of {os.fspath(path)!r}:", *(f"- {text}" for text in sentences), ""]))
    return network


def _from_python(path: Path, name: str) -> Network | Program:
    folder = os.fspath(path.resolve().parent)
    sys.path.insert(0, folder)  # as when the file is run by itself
    try:
        held = runpy.run_path(os.fspath(path))
    except NeuromorphError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{os.fspath(path)!r} could not be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
    known = [key for key, value in held.items() if _is_source(value)]
    wanted = [name] if name else [key for key in DEFAULT_NAMES if key in known]
    if wanted and wanted[0] in held and _is_source(held[wanted[0]]):
        found: Network | Program = held[wanted[0]]
        return found
    asked = repr(name) if name else " or ".join(DEFAULT_NAMES)
    raise InputError(
        f"{os.fspath(path)!r} holds no Network or Program called {asked}; it holds: {', '.join(known) or 'none'}"
    )


def _is_source(value: Any) -> bool:
    return isinstance(value, (Network, Program))
