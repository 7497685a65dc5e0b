"""The short road: compile, open, run, estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuromorph import registry
from neuromorph.backend import Backend, Session
from neuromorph.discretise import discretise
from neuromorph.errors import InputError
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
    **options: Any,
) -> Recording:
    """Compile where needed, run ``steps`` steps in a fresh session, close it, and return the recording."""
    with open(network, backend=backend, seed=seed, dt=dt, integration=integration, chip=chip, **options) as session:
        return session.run(steps, inputs=inputs, modulators=modulators)
