"""Backends by name, found through the entry points of group ``neuromorph.backends``: ours as a stranger's."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from neuromorph.backend import Availability, Backend
from neuromorph.errors import BackendUnavailable, InputError

GROUP = "neuromorph.backends"

# What to install stands beside the name: the packages of each simulator, in a checkout `uv sync`.
PACKAGES: Mapping[str, str] = {
    "nengo": "'nengo>=4.1'",
    "nengo-loihi": "'nengo>=4.1' 'nengo-loihi>=1.1'",
    "lava": "lava-nc==0.10.0 greenlet",
}

# Lava's metadata refuses Python after 3.10 and NumPy after 1; it runs on both. uv is told so by our lock.
LAVA_WITH_PIP = "pip install --ignore-requires-python --no-deps lava-nc==0.10.0 && pip install asteval greenlet networkx scikit-learn"


@cache
def _entries() -> dict[str, EntryPoint]:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    ours = ("reference", "emulator", "nengo", "nengo-loihi", "lava", "backprop")
    return {name: found[name] for name in [*(n for n in ours if n in found), *sorted(set(found) - set(ours))]}


def backend_names() -> list[str]:
    """Names of all backends that are declared, installed or not: ours first, then others in order of name."""
    return list(_entries())


def require_declared(names: Sequence[str]) -> None:
    """Raise :class:`InputError` that lists the names which no backend has."""
    unknown = [name for name in names if name not in _entries()]
    if unknown:
        raise InputError(f"there is no backend {', '.join(map(repr, unknown))}; known: {', '.join(backend_names())}")


def load(name: str) -> type[Backend]:
    """The class behind a name; its simulator is imported now.

    Raises :class:`BackendUnavailable` with the reason and the remedy.
    """
    entry = _entries().get(name)
    if entry is None:
        raise BackendUnavailable(f"there is no backend {name!r}; known: {', '.join(backend_names())}")
    try:
        loaded: type[Backend] = entry.load()
    except Exception as error:  # a simulator that is missing, or that breaks on what else is installed here
        what = str(error) if isinstance(error, ImportError) else f"importing it raised {type(error).__name__}: {error}"
        raise BackendUnavailable(f"backend {name!r} cannot start: {what}. Remedy: {remedy(name)}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Backend)):
        raise BackendUnavailable(f"backend {name!r} is no class derived from Backend: {loaded!r}")
    return loaded


def remedy(name: str) -> str:
    """What to do so that a backend of this name can be imported."""
    if name == "lava" and sys.version_info >= (3, 11):
        return f"uv sync in a checkout of neuromorph, else {LAVA_WITH_PIP}"
    if name in PACKAGES:
        return f"uv sync in a checkout of neuromorph, else pip install {PACKAGES[name]}"
    entry = _entries().get(name)
    provider = (
        entry.dist.name if isinstance(entry, EntryPoint) and entry.dist is not None else "the package that provides it"
    )
    return f"reinstall {provider} with the simulator that it needs"


def get(name: str | Backend, **options: Any) -> Backend:
    """A backend with options: ``get("lava", runtime="multi-process")``.

    Raises :class:`BackendUnavailable` where it cannot run here, :class:`InputError` for an option it does not have.
    """
    kind = type(name) if isinstance(name, Backend) else load(name)
    known: list[str] = [item.name for item in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    if unknown := sorted(set(options) - set(known)):
        raise InputError(
            f"backend {kind.name!r} has no option {', '.join(unknown)}; known: {', '.join(known) or 'none'}"
        )
    if isinstance(name, Backend):
        backend = dataclasses.replace(name, **options) if options else name  # type: ignore[type-var]
    else:
        backend = kind(**options)
    availability = backend.availability()
    if not availability.available:
        raise BackendUnavailable(
            f"backend {backend.name!r} cannot run: {availability.reason}. Remedy: {availability.remedy}"
        )
    return backend


def availability(name: str) -> Availability:
    """Whether a backend can run here, never raising for one that is declared."""
    try:
        return load(name)().availability()
    except BackendUnavailable as error:
        reason = str(error).partition(". Remedy:")[0]
    except Exception as error:  # a stranger's backend
        reason = f"asking it raised {type(error).__name__}: {error}"
    return Availability(available=False, reason=reason, remedy=remedy(name))
