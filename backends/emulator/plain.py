"""The emulator without its compiled kernel: the reference's own session under the emulator's name, and the reason for it.

There is no second slow implementation: the slow path is the definition.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from neuromorph.backend import Availability, Session
from neuromorph.backends.emulator.binding import kernel, level_names, library_path
from neuromorph.backends.reference import ReferenceSession
from neuromorph.errors import BackendUnavailable, InputError
from neuromorph.program import Program

VARIABLE = "NEUROMORPH_KERNEL"  # of the environment: "plain" never loads the kernel, "compiled" never runs without it
SOURCES = Path(__file__).with_name("csrc")  # in a checkout; an installed package has none
REMEDY = (
    "with a C compiler on the path run uv sync --reinstall-package neuromorph in the checkout, or pip install"
    " --force-reinstall --no-deps with the path of the checkout; CC names another compiler than Python's own: CC=clang,"
    " or, where none is installed, CC='uvx --from ziglang python-zig cc', which downloads one of 100 MB"
)


class PlainKernelWarning(UserWarning):
    """The emulator runs in NumPy because its compiled kernel is missing: the same results, slowly."""


def plain_reason() -> str:
    """Why the emulator runs without its compiled kernel; empty where it runs with it.

    Raises :class:`BackendUnavailable` where the environment insists on the compiled kernel and it cannot be used.
    """
    asked = os.environ.get(VARIABLE, "")
    if asked not in ("", "plain", "compiled"):
        raise InputError(f"environment variable {VARIABLE} must be plain or compiled, or not set, got {asked!r}")
    if asked == "plain":
        return f"{VARIABLE}=plain asks for it"
    reason = _fault()
    if reason and asked == "compiled":
        raise BackendUnavailable(f"{VARIABLE}=compiled insists on the compiled kernel, but {reason}")
    return reason


def _fault() -> str:
    """Why the compiled kernel cannot be used; empty where it can."""
    path = library_path()
    if path is None:
        return "none was built when neuromorph was installed for this Python: no C compiler was found, or it failed"
    built = path.stat().st_mtime
    if changed := sorted(source.name for source in SOURCES.glob("*.[ch]") if source.stat().st_mtime > built):
        return f"{path.name} is older than its source {', '.join(changed)}"
    try:
        kernel()
    except (BackendUnavailable, AttributeError) as error:  # of another machine, or of another version of the binding
        return f"{path.name} cannot be loaded: {error}"
    return ""


def kernel_availability() -> Availability:
    """The emulator runs everywhere; its versions say by which kernel, and a remedy stands where that is the slow one."""
    try:
        reason = plain_reason()
    except BackendUnavailable as error:
        return Availability(available=False, reason=str(error), remedy=REMEDY)
    if not reason:
        return Availability(available=True, versions={"kernel": f"C for {level_names()[-1]}", "numpy": np.__version__})
    return Availability(
        available=True,
        reason=f"slowly, in plain NumPy: {reason}",
        remedy="" if os.environ.get(VARIABLE) == "plain" else REMEDY,
        versions={"kernel": "plain NumPy", "numpy": np.__version__},
    )


def open_plain(reason: str, program: Program, *, seed: int, stall_second: float) -> Session:
    """A session of the reference under the emulator's name; warns unless the environment asks for it."""
    if os.environ.get(VARIABLE) != "plain":
        warnings.warn(
            f"backend 'emulator' runs in NumPy, without its compiled kernel: the same results, slowly. Reason: {reason}."
            f" Remedy: {REMEDY}",
            PlainKernelWarning,
            stacklevel=1,  # always this line, so that Python shows it once a process
        )
    return ReferenceSession(program, backend="emulator", seed=seed, stall_second=stall_second)
