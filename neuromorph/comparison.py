"""One program on several backends: are the spikes the same, and if not, where do they differ first, and why?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.causes import explain as explain_difference
from neuromorph.causes import named_apart
from neuromorph.discretise import discretise
from neuromorph.divergence import Cause, Divergence
from neuromorph.errors import BackendUnavailable, InputError, SimulatorError, UnsupportedError
from neuromorph.lockstep import Experiment, tolerance
from neuromorph.network import Network
from neuromorph.program import Integration, Program
from neuromorph.quantisation import ChipLike, quantise
from neuromorph.recording import Recording, SpikeTrain

Progress = Callable[[str, float], None]  # what is being done, and the share that is done, 0 to 1

_UNSTEADY = "it does not repeat itself with the same seed"
_IN_PIECES = "it is not there when the steps are run again in pieces: what is computed depends on how a run is cut"


@dataclass(frozen=True, kw_only=True, eq=False)
class BackendRun:
    """What one backend made of the program."""

    backend: str
    recording: Recording | None = None
    reason: str = ""  # why there is no recording
    failed: bool = False  # it began to run and broke
    spikes_equal: bool | None = None  # against the first backend that ran; None for that one and where nothing ran
    first_divergence: Divergence | None = None  # where spikes differ, or weights; with states=True anything
    weights: Mapping[str, Any] = field(default_factory=dict)  # of plastic projections, at the end of the run
    largest_weight_difference: float | None = None  # against the first backend that ran, relative to its largest weight


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """One program, one input, several backends; the first that ran is what the others are held against."""

    program_fingerprint: str
    steps: int
    runs: tuple[BackendRun, ...]
    states: bool = False  # whether u, v, traces, tags and weights were held together too, step by step

    @property
    def all_equal(self) -> bool:
        """Whether at least two backends ran, none broke, and all gave the same spikes."""
        compared = [run.spikes_equal for run in self.runs if run.spikes_equal is not None]
        return bool(compared) and all(compared) and not any(run.failed for run in self.runs)

    @property
    def diverges(self) -> bool:
        """Whether any backend gave other spikes or weights, or other states where these were compared, or broke."""
        return any(run.spikes_equal is False or run.failed or run.first_divergence is not None for run in self.runs)

    def __getitem__(self, backend: str) -> BackendRun:
        for run in self.runs:
            if run.backend == backend:
                return run
        raise InputError(f"{backend!r} was not compared; known: {', '.join(run.backend for run in self.runs)}")

    def __str__(self) -> str:
        return "\n".join(f"{run.backend}: {_sentence(run)}" for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """Rows of plain values."""
        return {
            "program_fingerprint": self.program_fingerprint,
            "steps": self.steps,
            "all_equal": self.all_equal,
            "rows": [
                {
                    "backend": run.backend,
                    "available": run.recording is not None,
                    "reason": run.reason,
                    "spikes": None if run.recording is None else sum(map(len, run.recording.spikes.values())),
                    "steps_per_second": None if run.recording is None else run.recording.steps_per_second,
                    "spikes_equal": run.spikes_equal,
                    "first_divergence": None if run.first_divergence is None else run.first_divergence.to_json(),
                    "largest_weight_difference": None
                    if run.largest_weight_difference == math.inf
                    else run.largest_weight_difference,
                }
                for run in self.runs
            ],
        }


def compare(
    network: Network | Program,
    steps: int,
    *,
    backends: Sequence[str | Backend] = ("reference",),
    inputs: Mapping[str, Any] | None = None,
    modulators: Mapping[str, Any] | None = None,
    dt: float | None = None,
    integration: Integration | None = None,
    chip: ChipLike | None = None,
    seed: int = 0,
    explain: bool = True,
    states: bool = False,
    progress: Progress = lambda what, share: None,
) -> Comparison:
    """Run one program on each backend with the same inputs and hold the spikes of every population together.

    The first backend that runs is the reference of the comparison. A backend that is not there, whose simulator is
    missing, or that cannot run the program, is a row with the reason and does not stop the others. With ``chip`` the
    program is quantised first.

    Where spikes or final weights differ, both backends run again to find the first value that does, and with
    ``explain`` the reference runs with each of its conventions switched to find the likely cause. With ``states``, u, v,
    traces, tags and weights of every step are held together even where all spikes are equal.
    """
    if isinstance(backends, (str, Backend)) or not backends:
        raise InputError(f"backends must be a list of at least one name or backend, got {backends!r}")
    if isinstance(network, Network):
        program = discretise(network, dt=dt, integration=integration, seed=seed)
    else:
        program = network
    program = program if chip is None else quantise(program, chip)
    watched = program.with_all_spikes()
    runs: list[BackendRun] = []
    base: BackendRun | None = None
    for index, backend in enumerate(backends):
        name = backend.name if isinstance(backend, Backend) else backend
        progress(f"{name}: {steps} steps", index / len(backends))
        run = _run(watched, steps, backend, inputs, modulators, seed, base)
        if base is None and run.recording is not None:
            base, first = run, registry.get(backend)
        elif base is not None and run.recording is not None and (explain or states):
            both = first, registry.get(backend)
            if states or run.spikes_equal is False or _weights_differ(run, program, both):
                progress(f"{name}: where it differs first, and why", (index + 0.3) / len(backends))
                experiment = Experiment.of(program, steps, inputs, modulators, seed)
                run = _explained(run, experiment, both, why=explain)
        runs.append(run)
    return Comparison(program_fingerprint=program.fingerprint, steps=steps, runs=tuple(runs), states=states)


def _run(
    program: Program,
    steps: int,
    backend: str | Backend,
    inputs: Mapping[str, Any] | None,
    modulators: Mapping[str, Any] | None,
    seed: int,
    base: BackendRun | None,
) -> BackendRun:
    name = backend.name if isinstance(backend, Backend) else backend
    try:
        with registry.get(backend).open(program, seed=seed) as session:
            recording = session.run(steps, inputs=inputs, modulators=modulators)
            weights = {p.name: session.read(f"{p.name}.weight") for p in program.projections if p.rule is not None}
    except (BackendUnavailable, UnsupportedError) as error:
        return BackendRun(backend=name, reason=str(error))
    except SimulatorError as error:
        return BackendRun(backend=name, reason=str(error), failed=True)
    if base is None or base.recording is None:
        return BackendRun(backend=name, recording=recording, weights=weights)
    divergence = first_divergence(base.recording.spikes, recording.spikes)
    if divergence is not None:
        divergence = replace(divergence, backends=named_apart(base.backend, name))
    return BackendRun(
        backend=name,
        recording=recording,
        weights=weights,
        spikes_equal=divergence is None,
        first_divergence=divergence,
        largest_weight_difference=_weight_difference(base.weights, weights),
    )


def _weights_differ(run: BackendRun, program: Program, backends: tuple[Backend, Backend]) -> bool:
    return (run.largest_weight_difference or 0.0) > tolerance(program, *backends)


def _explained(run: BackendRun, experiment: Experiment, backends: tuple[Backend, Backend], *, why: bool) -> BackendRun:
    """The same run with the first value that differs, which both backends run again to find."""
    spike = run.first_divergence
    last = experiment.steps if spike is None else spike.step  # whatever differs behind it may follow from it
    try:
        found = explain_difference(experiment, backends, last, why=why)
        if found is not None:
            return replace(run, first_divergence=found)
        reason = _vanished(run, experiment, backends[1])
    except SimulatorError as error:
        reason = f"running the steps again broke: {str(error).partition(chr(10))[0]}"
    if spike is None:
        return run
    is_chance = reason == _UNSTEADY
    cause = Cause(classes=("random stream" if is_chance else "unknown",), reason=reason)
    return replace(run, first_divergence=replace(spike, cause=cause))


def _vanished(run: BackendRun, experiment: Experiment, backend: Backend) -> str:
    """Why a difference is not there when the steps are run again in pieces: by a second run like the first."""
    again = _run(
        experiment.program.with_all_spikes(), experiment.steps, backend, experiment.inputs, experiment.modulators,
        experiment.seed, run,
    )  # fmt: skip
    return _UNSTEADY if again.spikes_equal is False else _IN_PIECES


def first_divergence(reference: Mapping[str, SpikeTrain], other: Mapping[str, SpikeTrain]) -> Divergence | None:
    """The earliest spike that only one of them has: lowest step, then population in order, then neuron; None if equal."""
    found: list[tuple[int, int, int, str, bool]] = []
    for order, (name, mine) in enumerate(reference.items()):
        theirs = other[name]
        if mine.shape != theirs.shape:
            raise InputError(
                f"spikes of {name!r} have shapes {mine.shape} and {theirs.shape}: they are of different runs"
            )
        width = mine.shape[1]
        only_mine = np.setdiff1d(mine.steps * width + mine.ids, theirs.steps * width + theirs.ids, assume_unique=True)
        only_theirs = np.setdiff1d(theirs.steps * width + theirs.ids, mine.steps * width + mine.ids, assume_unique=True)
        for keys, in_reference in ((only_mine, True), (only_theirs, False)):
            if keys.size:
                step, neuron = divmod(int(keys.min()), width)
                found.append((step, order, neuron, name, in_reference))
    if not found:
        return None
    step, _, neuron, name, in_reference = min(found)
    return Divergence(step=step + 1, population=name, neuron=neuron, reference_spiked=in_reference)


def _weight_difference(reference: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """The largest difference, relative to the reference's largest weight; infinite where only one is not finite."""
    if not reference:
        return None
    largest = 0.0
    for name in reference:
        mine, theirs = (np.asarray(w if isinstance(w, np.ndarray) else w.data) for w in (reference[name], other[name]))
        same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        if np.all(same):
            continue
        mine, theirs = mine[~same], theirs[~same]
        if not (np.all(np.isfinite(mine)) and np.all(np.isfinite(theirs))):
            return math.inf
        scale = float(np.abs(mine).max())
        difference = float(np.abs(mine - theirs).max())
        largest = max(largest, difference / scale if scale > 0 else difference)
    return largest


def _sentence(run: BackendRun) -> str:
    if run.recording is None:
        return f"did not run: {run.reason}"
    if run.spikes_equal is None:
        return f"{sum(map(len, run.recording.spikes.values()))} spikes, the others are held against these"
    if run.first_divergence is None:
        return "same spikes"
    return f"{'same spikes, ' if run.spikes_equal else ''}differs first at {run.first_divergence}"
