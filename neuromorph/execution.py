"""The short road: compile, open, run, estimate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from neuromorph import registry
from neuromorph.backend import Backend, Session
from neuromorph.checkpoint import Checkpoint
from neuromorph.discretise import discretise
from neuromorph.errors import InputError, UnsupportedError
from neuromorph.network import Network
from neuromorph.program import Integration, Program
from neuromorph.quantisation import ChipLike, quantise
from neuromorph.recording import Recording


def compile(  # noqa: A001  (the interface's word)
    network: Network,
    *,
    dt: float | None = None,
    integration: Integration | None = None,
    seed: int = 0,
    chip: ChipLike | None = None,
) -> Program:
    """Compile a description into a program of steps of ``dt`` seconds; see :func:`neuromorph.discretise.discretise`.

    Without ``dt`` and ``integration`` they are what the network was read for, else 1 ms and "exponential". With ``chip`` (a name, a hardware file or a Chip) the program is in that chip's integers; see
    :func:`neuromorph.quantise`, and :func:`neuromorph.rounding_report` for what was rounded.
    """
    if not isinstance(network, Network):
        raise InputError(f"compile takes a Network, got {network!r}")
    program = discretise(network, dt=dt, integration=integration, seed=seed)
    return program if chip is None else quantise(program, chip)


def open(  # noqa: A001
    program: Program | Network,
    *,
    backend: str | Backend = "reference",
    seed: int = 0,
    dt: float | None = None,
    integration: Integration | None = None,
    chip: ChipLike | None = None,
    stall_second: float = 60.0,
    **options: Any,
) -> Session:
    """Load a program into a backend and return the session; ``options`` are the backend's own.

    A network is compiled first, for ``dt`` and ``integration`` as :func:`compile` does; a program has its own. With
    ``chip`` it is quantised.

    Raises :class:`BackendUnavailable` or :class:`UnsupportedError` before anything runs.
    """
    if isinstance(program, Network):
        program = compile(program, dt=dt, integration=integration, seed=seed)
    if chip is not None and isinstance(program, Program):
        program = quantise(program, chip)
    if not isinstance(program, Program):
        raise InputError(f"open takes a Network or a Program (Program.load reads one from a file), got {program!r}")
    return registry.get(backend, **options).open(program, seed=seed, stall_second=stall_second)


def resume(
    path: str | os.PathLike[str], *, backend: str | Backend | None = None, stall_second: float = 60.0
) -> Session:
    """The session that :meth:`Session.save` wrote to ``path``, in a new one that goes on from there bit for bit.

    It opens on the backend that wrote it, with the same options, or on any other that has checkpoints. The program comes
    from the file. Raises :class:`InputError` where the file is damaged, another, or of another version.
    """
    checkpoint = Checkpoint.load(path)
    opener = registry.get(checkpoint.backend, **checkpoint.options) if backend is None else registry.get(backend)
    if not opener.capabilities.checkpoints:
        raise UnsupportedError(
            f"backend {opener.name!r} has no checkpoints and cannot go on from {os.fspath(path)!r}: resume it on"
            f" {checkpoint.backend!r}, which wrote it"
        )
    session = opener.open(checkpoint.program, seed=checkpoint.seed, stall_second=stall_second)
    try:
        session.restore(checkpoint)
    except BaseException:
        session.close()
        raise
    return session


def run(
    network: Network | Program,
    steps: int,
    *,
    backend: str | Backend = "reference",
    dt: float | None = None,
    integration: Integration | None = None,
    chip: ChipLike | None = None,
    inputs: Mapping[str, Any] | None = None,
    modulators: Mapping[str, Any] | None = None,
    seed: int = 0,
    stream_to: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Recording:
    """Compile where needed, run ``steps`` steps in a fresh session, close it, and return the recording.

    ``inputs``, ``modulators`` and ``stream_to`` as :meth:`Session.run` takes them; ``options`` are the backend's own.
    """
    with open(network, backend=backend, seed=seed, dt=dt, integration=integration, chip=chip, **options) as session:
        return session.run(steps, inputs=inputs, modulators=modulators, stream_to=stream_to)
