"""Metrics of a program that is run for them, in pieces, so that no more than a piece is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.backend import Backend, Session
from neuromorph.errors import InputError, is_count, raise_faults
from neuromorph.execution import open as open_session
from neuromorph.neurobench.footprint import FLOAT_BYTE
from neuromorph.neurobench.layer_calls import is_graded
from neuromorph.neurobench.layers import Absent, layers
from neuromorph.neurobench.tally import Tally
from neuromorph.neurobench.work import Metrics
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import SpikeTrain

PIECE_VALUES = 4_000_000  # of membranes and learned weights that are held at once
FEW_SYNAPSES = 1_000_000  # of a plastic projection whose weights are looked at in every step

Progress = Callable[[str, float], None]


def observed(program: Program) -> Program:
    """The program with the probes that its metrics need: spikes and v of all, weights of small plastic projections."""
    probes = [ProbeProgram(target=name, variable="spikes", every=1) for name in program.sizes]
    probes += [ProbeProgram(target=population.name, variable="v", every=1) for population in program.populations]
    probes += [
        ProbeProgram(target=projection.name, variable="weight", every=1)
        for projection in program.projections
        if projection.rule is not None and projection.synapses <= FEW_SYNAPSES
    ]
    return program.with_probes(probes)


def measure(
    program: Program,
    steps: int,
    *,
    inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    modulators: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    backend: str | Backend = "reference",
    seed: int = 0,
    kernels: Mapping[str, npt.ArrayLike] | None = None,
    absent: Absent = "zero",
    value_byte: int = FLOAT_BYTE,
    progress: Progress = lambda what, share: None,
) -> Metrics:
    """Run a program and return its metrics, as :func:`neuromorph.metrics` defines them.

    ``inputs`` and ``modulators``: arrays of ``steps`` rows by name; a list of such dictionaries is one for each sample,
    and the state is reset before each (what was learned stays). Values of an input that are not all -1, 0 or 1 are graded: they count as
    multiply-accumulates, and where they are not zero the program gets spikes. ``progress(what, share)`` is called with
    the share done, 0..1.
    """
    fed, factors = _by_sample(inputs, modulators)
    if not is_count(steps, least=1):
        raise InputError(f"measure needs a whole number of steps >= 1, got {steps!r}")
    watched = observed(program)
    tally = Tally(program, layers(program, absent=absent, kernels=kernels or {}))
    rows = _rows_at_once(watched)
    with open_session(watched, backend=backend, seed=seed) as session:
        for number, (values, third) in enumerate(zip(fed, factors, strict=True)):
            if number:
                session.reset()
            tally.begin()
            for start in range(0, steps, rows):
                stop = min(start + rows, steps)
                _run(session, tally, values, third, start, stop, steps)
                progress(f"sample {number + 1} of {len(fed)}", (number + stop / steps) / len(fed))
    return tally.metrics(value_byte=value_byte)


def _run(
    session: Session,
    tally: Tally,
    inputs: Mapping[str, Any],
    modulators: Mapping[str, Any],
    start: int,
    stop: int,
    steps: int,
) -> None:
    here = {name: _piece(f"inputs[{name!r}]", values, start, stop, steps) for name, values in inputs.items()}
    third = {name: _piece(f"modulators[{name!r}]", values, start, stop, steps) for name, values in modulators.items()}
    graded = {
        name: values
        for name, values in here.items()
        if isinstance(values, np.ndarray)
        and values.ndim == 2
        and values.dtype.kind in "iuf"
        and is_graded(values).any()
    }
    recording = session.run(stop - start, inputs=here, modulators=third)
    tally.add(recording, 0, recording.steps, graded)


def _piece(what: str, values: Any, start: int, stop: int, steps: int) -> Any:
    """Rows ``start`` to ``stop`` of something with ``steps`` rows."""
    found = values if isinstance(values, SpikeTrain) else np.asarray(values)
    if found.shape[:1] != (steps,):
        raise InputError(f"{what} must have {steps} rows, one a step, got shape {found.shape}")
    return found.between(start, stop) if isinstance(found, SpikeTrain) else found[start:stop]


def _by_sample(inputs: Any, modulators: Any) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Inputs and third factors of every sample; what is given once holds for all."""
    lists = [[given] if given is None or isinstance(given, Mapping) else list(given) for given in (inputs, modulators)]
    count = max(map(len, lists))
    raise_faults(
        InputError,
        [
            f"{name} must be one dictionary for each of the {count} samples, or one for all, got {len(found)}"
            for name, found in zip(("inputs", "modulators"), lists, strict=True)
            if len(found) not in (1, count)
        ],
    )
    fed, factors = ([item or {} for item in found] * (count if len(found) == 1 else 1) for found in lists)
    return fed, factors


def _rows_at_once(program: Program) -> int:
    synapses = {projection.name: projection.synapses for projection in program.projections}
    held = sum(
        program.sizes.get(probe.target, synapses.get(probe.target, 0))
        for probe in program.probes
        if probe.variable != "spikes"
    )
    return max(1, PIECE_VALUES // max(held, 1))
