"""Hardware files by name, and by path."""

from __future__ import annotations

import functools
import os
from importlib import resources
from pathlib import Path

from neuromorph.chip.checks import nearest
from neuromorph.chip.description import Chip
from neuromorph.chip.reading import read_chip
from neuromorph.errors import ChipError


@functools.cache
def chip_names() -> tuple[str, ...]:
    """Names of the chips and boards that come with neuromorph.

    >>> "loihi1" in chip_names()
    True
    """
    files = resources.files("neuromorph.hardware_configs").iterdir()
    return tuple(sorted(entry.name[: -len(".toml")] for entry in files if entry.name.endswith(".toml")))


def load_chip(name_or_path: str | os.PathLike[str]) -> Chip:
    """A chip by name, one account of it as ``name.account``, or any hardware file by its path.

    Raises :class:`ChipError` with all faults of the file.

    >>> load_chip("loihi1").limit("core.compartments").high
    1024.0
    >>> load_chip("loihi1.davies2018").accounts
    ('davies2018',)
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise ChipError(f"a chip is given by its name or the path of a hardware file, got {name_or_path!r}")
    if name_or_path in chip_names():
        return _shipped(os.fspath(name_or_path))
    path = Path(name_or_path)
    if path.is_file():
        return read_chip(path.read_bytes(), os.fspath(path), lambda other: _of_board(other, path.parent))
    if isinstance(name_or_path, str) and path.suffix != ".toml" and path.name == name_or_path:
        name, _, account = name_or_path.partition(".")
        if account and name in chip_names():
            return _shipped(name).with_costs(account)
        raise ChipError(
            f"there is no chip {name_or_path!r}; known chips: {', '.join(chip_names())}; "
            f"the path of a hardware file (.toml) works too{_meant(name_or_path)}"
        )
    known = ", ".join(chip_names())
    raise ChipError(f"there is no hardware file {os.fspath(name_or_path)!r}; chips known by name: {known}")


@functools.cache
def _shipped(name: str) -> Chip:
    file = resources.files("neuromorph.hardware_configs").joinpath(f"{name}.toml")
    return read_chip(file.read_bytes(), f"{name}.toml", load_chip)


def _of_board(name: str, folder: Path) -> Chip:
    """The chip that a user's board names: one of ours, or a file beside the board's."""
    beside = folder / name
    if name not in chip_names() and beside.is_file():
        return read_chip(beside.read_bytes(), os.fspath(beside), _no_board)
    return load_chip(name)


def _no_board(name: str) -> Chip:
    raise ChipError(f"a board carries chips and no board of {name!r}: name a file that describes a chip")


def _meant(name: str) -> str:
    found = nearest(name, chip_names())
    return found if "did you mean" in found else ""
