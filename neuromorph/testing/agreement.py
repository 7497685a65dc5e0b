"""Does a backend mean by a program what the reference means? One check, for our backends and for strangers'."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuromorph import registry
from neuromorph.arithmetic import WEIGHT_RANGES, bias_parts, weight_step
from neuromorph.backend import FEATURES, Backend, Session
from neuromorph.comparison import first_divergence
from neuromorph.errors import NumericalLimit
from neuromorph.program import ProbeProgram, Program, ProjectionProgram
from neuromorph.recording import FloatArray, Recording
from neuromorph.testing.cases import Case

Agreement = Literal["exact", "tolerance", "statistical"]

EARLY_STEPS = 100  # states must agree within EARLY_TOLERANCE so far, and within LATE_TOLERANCE afterwards
EARLY_TOLERANCE, LATE_TOLERANCE = 1e-9, 1e-6  # relative to the value, or to the threshold where that is larger
WEIGHT_TOLERANCE = 1e-6  # relative to the value, or to the projection's mean weight where that is larger
ROUNDING = 1e-9  # of the threshold: a membrane so near to it may spike on one backend and not on the other
STATISTICAL_SEEDS = 24  # sessions of each side
STATISTICAL_LEVEL = 1e-3  # of all tests of one case together
_CHUNKS = (1, 2, 5, 1, 30, 61, 100)  # steps; uneven, and odd so that they cut through epochs
_AFTERWARDS = 100  # steps of the run after a reset, and of the run after writes
_SILENT_STEPS = 40
_WHOLE_RUN = "whole run"  # the phase

AGREEMENTS: Mapping[Agreement, str] = {
    "exact": "spikes, u, v, weights, tags and traces are equal to the bit",
    "tolerance": (
        f"spikes are equal; u and v within {EARLY_TOLERANCE:g} for {EARLY_STEPS} steps and {LATE_TOLERANCE:g} afterwards,"
        f" weights, tags and traces within {WEIGHT_TOLERANCE:g}: floating-point sums in another order differ in their last"
        " bits; where a membrane lies within rounding of its threshold a check ends, and says so"
    ),
    "statistical": (
        f"spike counts and mean weights of {STATISTICAL_SEEDS} sessions of different seeds come from one distribution with"
        f" those of the reference: two-sample Kolmogorov-Smirnov tests at the level {STATISTICAL_LEVEL:g} for a case"
    ),
}
"""The classes of agreement, and what each is held to."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place where a backend differs; steps count from 1 within the phase, as in time."""

    phase: str
    what: str  # "spikes", or an address such as "out.v"
    step: int | None = None
    population: str = ""
    neuron: int | None = None  # or the synapse, in the program's order
    found: float = float("nan")  # the backend's value; where spikes differ, its membrane before the reset
    expected: float = float("nan")  # the reference's
    threshold: float = float("nan")

    def __str__(self) -> str:
        place = [self.phase]
        place += [] if self.step is None else [f"step {self.step}"]
        if self.what == "spikes":
            place += [f"population {self.population!r}", f"neuron {self.neuron}"]
            values = f"membranes {self.found!r} and {self.expected!r} in the reference, threshold {self.threshold!r}"
            return f"{', '.join(place)}: one spikes and the other does not; {values}"
        place += [] if self.neuron is None else [f"entry {self.neuron}"]
        return f"{', '.join(place)}: {self.what} is {self.found!r}, expected {self.expected!r}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What :func:`check` found: it agrees, it was skipped because of declared gaps, or it differs.

    ``steps_followed`` counts the steps of the whole run, the first phase, that were held to the reference: all steps of
    the case, unless it was skipped, differs there or was cut short there.
    """

    backend: str
    case: str
    status: Literal["agrees", "skipped", "differs"]
    sentence: str = ""  # why it was skipped, where it differs, or how far it could be followed
    difference: Difference | None = None
    steps_followed: int = 0
    agreement: Agreement = "exact"  # the class that was asked for

    @property
    def cut_short(self) -> bool:
        """Whether it agrees only so far: rounding at a threshold ended the check, in the phase that the sentence names."""
        return self.status == "agrees" and bool(self.sentence)

    def __str__(self) -> str:
        return f"{self.backend} on {self.case!r} {self.status}" + (f": {self.sentence}" if self.sentence else "")


class _Differs(Exception):
    """Carries the first difference out of the phases of a check."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference)
        self.difference = difference


class _Rounded(Exception):
    """A spike differs and the membrane lay within rounding of the threshold: nothing can be held together from there."""

    def __init__(self, sentence: str, phase: str, step: int) -> None:
        super().__init__(sentence)
        self.phase, self.step = phase, step


def supported_features(backend: Backend) -> frozenset[str]:
    """Features that a backend does not declare as gaps."""
    return frozenset(FEATURES) - frozenset(backend.capabilities.gaps)


def check(backend: Backend, case: Case, *, seed: int = 0, whole_run_only: bool = False) -> Verdict:
    """Hold ``backend`` to the reference on one case, by spikes, membranes, currents and weights.

    One session runs the case whole. A second one runs its beginning in uneven chunks, with every variable read and
    written back on the way, which must change nothing; resets and runs the beginning again; changes weights,
    thresholds and biases and runs on; and falls silent. A backend whose agreement is "statistical" is held to itself in
    chunks, reset and silence, and to the reference by many seeds. :data:`AGREEMENTS` says what each class is held to.
    With ``whole_run_only`` the first session is all.

    Errors of the backend itself are not caught, but those by which it stops rather than run wrongly
    (:class:`~neuromorph.errors.NumericalLimit`): they end a check with a sentence, as a declared gap does.

    >>> from neuromorph.testing import minimal_cases
    >>> print(check(registry.get("reference"), minimal_cases()[0]))
    reference on 'plain' agrees
    """
    agreement = agreement_of(backend, case.program)
    found = backend.availability()
    gaps = backend.faults(case.program)
    if not found.available or gaps:
        sentence = "; ".join(gaps) if found.available else f"{found.reason}. Remedy: {found.remedy}"
        return Verdict(backend=backend.name, case=case.name, status="skipped", sentence=sentence, agreement=agreement)
    watched = case.program.with_probes(
        [
            *(ProbeProgram(target=name, variable="spikes", every=1) for name in case.program.sizes),
            *(
                ProbeProgram(target=population.name, variable=variable, every=1)
                for population in case.program.populations
                for variable in ("u", "v")
            ),
        ]
    )
    sentence, followed = "", case.steps
    try:
        with _Pair(backend, watched, case, seed) as whole:
            entire = whole.run(_WHOLE_RUN, 0, case.steps)
            whole.compare_synapses(_WHOLE_RUN)
        if not whole_run_only:
            with _Pair(backend, watched, case, seed) as pair:
                _check_chunks(pair, entire)
                _check_reset(pair, entire)
                _check_writes(pair)
                _check_silence(pair)
        if agreement == "statistical":
            _check_distributions(backend, case, seed)
    except NumericalLimit as error:
        sentence = f"stopped rather than run wrongly: {error}"
        return Verdict(backend=backend.name, case=case.name, status="skipped", sentence=sentence, agreement=agreement)
    except _Rounded as error:
        sentence, followed = str(error), _followed(case, error.phase, error.step)
    except _Differs as error:
        return Verdict(
            backend=backend.name,
            case=case.name,
            status="differs",
            sentence=str(error.difference),
            difference=error.difference,
            steps_followed=_followed(case, error.difference.phase, error.difference.step),
            agreement=agreement,
        )
    return Verdict(
        backend=backend.name,
        case=case.name,
        status="agrees",
        sentence=sentence,
        steps_followed=followed,
        agreement=agreement,
    )


def agreement_of(backend: Backend, program: Program) -> Agreement:
    """The class of agreement that a backend declares for the program's arithmetic."""
    capabilities = backend.capabilities
    return capabilities.fixed_agreement if program.arithmetic == "fixed" else capabilities.agreement


def _followed(case: Case, phase: str, step: int | None) -> int:
    """Steps of the whole run that were held together by a check that ended in this step of this phase."""
    return step - 1 if phase == _WHOLE_RUN and step is not None else case.steps


class _Pair:
    """The same program open on the backend and on the reference."""

    def __init__(self, backend: Backend, program: Program, case: Case, seed: int) -> None:
        self.program, self.case = program, case
        self.agreement = agreement_of(backend, program)
        with contextlib.ExitStack() as opened:  # closes the reference if the backend fails to open
            self.reference: Session = registry.get("reference").open(program, seed=seed)
            opened.callback(self.reference.close)
            self.mine: Session = backend.open(program, seed=seed)
            opened.callback(self.mine.close)
            self._opened = opened.pop_all()

    def __enter__(self) -> _Pair:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def run(self, phase: str, start: int, steps: int, *, silent: bool = False) -> Recording:
        """Run rows ``start`` to ``start + steps`` of the case on both, hold them together, and give the backend's."""
        rows = slice(start, start + steps)
        fed = {} if silent else {name: values[rows] for name, values in self.case.inputs.items()}
        factors = {} if silent else {name: values[rows] for name, values in self.case.modulators.items()}
        before = [{p.name: session.read(f"{p.name}.v") for p in self.program.populations} for session in self.both]
        mine, reference = (session.run(steps, inputs=fed, modulators=factors) for session in self.both)
        if self.agreement != "statistical":
            self._compare(phase, mine, reference, before)
        return mine

    @property
    def both(self) -> tuple[Session, Session]:
        """The backend's session, and the reference's."""
        return self.mine, self.reference

    def compare_synapses(self, phase: str) -> None:
        """Hold the present weights, tags and traces of both together."""
        if self.agreement == "statistical":
            return
        populations = {population.name for population in self.program.populations}
        for name in self.reference.variables():
            if name.rpartition(".")[0] in populations:
                continue
            mine, reference = (_values(session.read(name)) for session in self.both)
            size = np.maximum(np.abs(reference), np.abs(reference).mean() if reference.size else 0.0)
            tolerance = 0.0 if self.agreement == "exact" else WEIGHT_TOLERANCE
            wrong = np.flatnonzero(~(np.abs(mine - reference) <= tolerance * size))
            if wrong.size:
                entry = int(wrong[0])
                raise _Differs(
                    Difference(
                        phase=phase, what=name, neuron=entry, found=float(mine[entry]), expected=float(reference[entry])
                    )
                )

    def _compare(self, phase: str, mine: Recording, reference: Recording, before: list[dict[str, FloatArray]]) -> None:
        divergence = first_divergence(reference.spikes, mine.spikes)
        # what follows a spike that differs is not compared: the first difference is the one to explain
        last = mine.steps if divergence is None else divergence.step - 1
        for population in self.program.populations:
            threshold = self.reference.read(f"{population.name}.v_threshold")
            for variable in ("u", "v"):
                found, expected = (run.states[population.name, variable][:last] for run in (mine, reference))
                tolerance = np.where(np.arange(last) < EARLY_STEPS, EARLY_TOLERANCE, LATE_TOLERANCE)[:, np.newaxis]
                scale = np.maximum(np.abs(expected), np.where(np.isfinite(threshold), threshold, 0.0))
                allowed = 0.0 if self.agreement == "exact" else tolerance * scale
                wrong = np.argwhere(~(np.abs(found - expected) <= allowed))
                if wrong.size:
                    step, neuron = (int(index) for index in wrong[0])
                    raise _Differs(
                        Difference(
                            phase=phase,
                            what=f"{population.name}.{variable}",
                            step=step + 1,
                            population=population.name,
                            neuron=neuron,
                            found=float(found[step, neuron]),
                            expected=float(expected[step, neuron]),
                        )
                    )
        if divergence is None:
            return
        name, neuron, row = divergence.population, divergence.neuron, divergence.step - 1
        if name not in {population.name for population in self.program.populations}:
            raise _Differs(Difference(phase=phase, what="spikes", step=row + 1, population=name, neuron=neuron))
        population = self.program.population(name)
        threshold = float(self.reference.read(f"{name}.v_threshold")[neuron])
        bias = float(self.reference.read(f"{name}.bias")[neuron])
        membranes = []
        for run, start in zip((mine, reference), before, strict=True):
            earlier = start[name] if row == 0 else run.states[name, "v"][row - 1]
            membranes.append(
                float(earlier[neuron] * population.decay_v[neuron] + run.states[name, "u"][row, neuron] + bias)
            )
        comparison_differs = membranes[0] == membranes[1] == threshold  # nothing was rounded: > was taken for >=
        near = abs(membranes[1] - threshold) <= ROUNDING * threshold
        if self.agreement == "tolerance" and near and not comparison_differs:
            raise _Rounded(
                f"followed until {phase}, step {row + 1}, where population {name!r}, neuron {neuron} lies within rounding"
                f" of its threshold: {membranes[1]!r} against {threshold!r}",
                phase,
                row + 1,
            )
        raise _Differs(
            Difference(
                phase=phase,
                what="spikes",
                step=row + 1,
                population=name,
                neuron=neuron,
                found=membranes[0],
                expected=membranes[1],
                threshold=threshold,
            )
        )


def _check_chunks(pair: _Pair, entire: Recording) -> None:
    """The beginning in uneven chunks, all variables written back as they were read on the way."""
    done = 0
    for index, steps in enumerate(_chunks(pair.case)):
        recording = pair.run(f"chunk of steps {done + 1} to {done + steps}", done, steps)
        _same(f"chunk from step {done + 1} against the whole run", recording, entire, done)
        done += steps
        if index == 3:
            _write_back(pair.mine)


def _check_reset(pair: _Pair, entire: Recording) -> None:
    """After a reset, with the first weights, the beginning again: it must repeat itself."""
    done = sum(_chunks(pair.case))
    for session in pair.both:
        session.reset()
        for projection in pair.program.projections:
            session.write(f"{projection.name}.weight", projection.matrix(projection.weight))
    recording = pair.run("run after reset", 0, min(_AFTERWARDS, done))
    # A reset keeps time, which may stand elsewhere within an epoch, and the random streams of rules in fixed point.
    rounds_at_random = pair.program.arithmetic == "fixed" and any(p.rule is not None for p in pair.program.projections)
    if done % pair.case.period == 0 and not rounds_at_random and pair.agreement != "statistical":
        _same("run after reset against the first run", recording, entire, 0)


def _check_writes(pair: _Pair) -> None:
    """Other weights, thresholds and biases in the middle of a run act from the next step on."""
    rng = np.random.default_rng(11)
    for address in pair.reference.variables():
        owner, _, variable = address.rpartition(".")
        if variable not in ("weight", "v_threshold", "bias"):
            continue
        value = pair.reference.read(address)
        if variable == "weight":
            projection = pair.program.projection(owner)
            value = projection.matrix(_other_weights(projection, _values(value), rng))
        elif pair.program.arithmetic == "fixed":
            threshold = pair.reference.read(f"{owner}.v_threshold")
            value = _other_integers(variable, threshold, rng)
        elif variable == "v_threshold":
            value = value * rng.uniform(0.6, 1.1, value.shape)
        else:
            threshold = pair.reference.read(f"{owner}.v_threshold")
            value = value + 0.01 * np.where(np.isfinite(threshold), threshold, 1.0) * rng.uniform(0.0, 1.0, value.shape)
        for session in pair.both:
            session.write(address, value)
    pair.compare_synapses("written weights")
    pair.run("run after writes", 0, min(_AFTERWARDS, pair.case.steps))
    pair.compare_synapses("run after writes")


def _other_weights(projection: ProjectionProgram, weight: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Weights that differ by up to a third, as the projection can hold them."""
    changed: FloatArray = weight * rng.uniform(0.8, 1.3, weight.size)
    if projection.sign_mode != "none":
        step = 1 if projection.rule is not None else weight_step(projection.sign_mode, projection.weight_bits)
        low, high = WEIGHT_RANGES[projection.sign_mode]
        return np.trunc(np.clip(changed, low, high) / step) * step
    return changed if projection.rule is None else np.clip(changed, projection.rule.w_min, projection.rule.w_max)


def _other_integers(variable: str, threshold: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Thresholds or biases of a fixed-point program that differ from those it has."""
    if variable == "v_threshold":
        changed: FloatArray = np.maximum(np.trunc(threshold * rng.uniform(0.6, 1.0, threshold.shape) / 64), 1.0) * 64.0
        return changed
    mantissa, exponent = bias_parts(
        np.trunc(np.minimum(0.01 * threshold, 4095.0) * rng.uniform(0.0, 1.0, threshold.shape))
    )
    return mantissa * 2.0**exponent


def _check_distributions(backend: Backend, case: Case, seed: int) -> None:
    """Spike counts and mean weights over many seeds, held to the reference's by Kolmogorov-Smirnov tests."""
    from scipy.stats import ks_2samp

    reference = registry.get("reference")
    samples = [_samples(one, case, seed) for one in (backend, reference)]
    level = STATISTICAL_LEVEL / max(len(samples[0]), 1)
    for name, mine in samples[0].items():
        theirs = samples[1][name]
        p_value = float(ks_2samp(mine, theirs).pvalue)
        if p_value < level:
            raise _Differs(
                Difference(
                    phase=f"{STATISTICAL_SEEDS} seeds, Kolmogorov-Smirnov p = {p_value:.2g} below {level:.2g}",
                    what=f"mean of {name}",
                    found=float(np.mean(mine)),
                    expected=float(np.mean(theirs)),
                )
            )


def _samples(backend: Backend, case: Case, seed: int) -> dict[str, list[float]]:
    """By statistic, its value in sessions of different seeds: the spikes of a population, the mean weight of a projection."""
    found: dict[str, list[float]] = {}
    for offset in range(STATISTICAL_SEEDS):
        with backend.open(case.program.with_all_spikes(), seed=seed + offset) as session:
            spikes = session.run(case.steps, inputs=case.inputs, modulators=case.modulators).spikes
            for population in case.program.populations:
                found.setdefault(f"spikes of {population.name}", []).append(float(len(spikes[population.name])))
            for projection in case.program.projections:
                if projection.rule is not None and projection.synapses:
                    weight = _values(session.read(f"{projection.name}.weight"))
                    found.setdefault(f"mean weight of {projection.name}", []).append(float(weight.mean()))
    return found


def _check_silence(pair: _Pair) -> None:
    """Without input, bias and state nothing spikes."""
    for session in pair.both:
        session.reset()
        for population in pair.program.populations:
            session.write(f"{population.name}.bias", 0.0)
    recording = pair.run("silence", 0, _SILENT_STEPS, silent=True)
    for name, train in recording.spikes.items():
        if len(train):
            raise _Differs(
                Difference(
                    phase="silence",
                    what="spikes",
                    step=int(train.steps[0]) + 1,
                    population=name,
                    neuron=int(train.ids[0]),
                )
            )


def _chunks(case: Case) -> list[int]:
    """Uneven chunks that end where epochs do, if the case is long enough."""
    chunks: list[int] = []
    for steps in _CHUNKS:
        chunks.append(min(steps, case.steps - sum(chunks)))
    rest = -sum(chunks) % case.period
    return [*(c for c in chunks if c), *([rest] if 0 < rest <= case.steps - sum(chunks) else [])]


def _write_back(session: Session) -> None:
    for address in session.variables():
        value = session.read(address)
        session.write(address, value)
        again = _values(session.read(address))
        wrong = np.flatnonzero(again != _values(value))
        if wrong.size:
            entry = int(wrong[0])
            raise _Differs(
                Difference(
                    phase="read, write, read",
                    what=address,
                    neuron=entry,
                    found=float(again[entry]),
                    expected=float(_values(value)[entry]),
                )
            )


def _same(phase: str, recording: Recording, entire: Recording, start: int) -> None:
    """Two runs of one backend, to the bit."""
    for name, train in recording.spikes.items():
        found, expected = np.asarray(train), np.asarray(entire.spikes[name])[start : start + recording.steps]
        _same_array(phase, f"spikes of {name}", found, expected)
    for (name, variable), found in recording.states.items():
        _same_array(phase, f"{name}.{variable}", found, entire.states[name, variable][start : start + recording.steps])


def _same_array(phase: str, what: str, found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    wrong = np.argwhere(found != expected)
    if wrong.size:
        step, neuron = (int(index) for index in wrong[0])
        raise _Differs(
            Difference(
                phase=phase,
                what=what,
                step=step + 1,
                neuron=neuron,
                found=float(found[step, neuron]),
                expected=float(expected[step, neuron]),
            )
        )


def _values(value: Any) -> FloatArray:
    """The entries of an array, or of the stored synapses of a sparse one."""
    return np.asarray(value.data if type(value).__module__.partition(".")[0] == "scipy" else value, np.float64).ravel()
