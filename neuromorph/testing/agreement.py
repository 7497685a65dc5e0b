"""Does a backend mean by a program what the reference means? One check, for our backends and for strangers'."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np

from neuromorph.arithmetic import WEIGHT_RANGES, bias_parts, weight_step
from neuromorph.backend import FEATURES, Backend
from neuromorph.errors import NumericalLimit
from neuromorph.parts import NEURON_STATES, SYNAPSE_STATES
from neuromorph.program import ProbeProgram, Program, ProjectionProgram
from neuromorph.recording import FloatArray, Recording
from neuromorph.testing.case import Case
from neuromorph.testing.distributions import hold_distributions
from neuromorph.testing.pair import Pair, agreement_of, hold_same, hold_values, values_of
from neuromorph.testing.rewiring import check_rewiring
from neuromorph.testing.verdict import (
    WEIGHT_TOLERANCE,
    WHOLE_RUN,
    Difference,
    Differs,
    Rounded,
    Verdict,
)

_CHUNKS = (1, 2, 5, 1, 30, 61, 100)  # steps; uneven, and odd so that they cut through epochs
_AFTERWARDS = 100  # steps of the run after a reset, and of the run after writes
_SILENT_STEPS = 40
_TURN = 30  # steps of two sessions in turn
_KEPT = ("weight", "delay", "v_threshold", "bias")  # what a reset keeps


def supported_features(backend: Backend) -> frozenset[str]:
    """Features that a backend does not declare as gaps."""
    return frozenset(FEATURES) - frozenset(backend.capabilities.gaps)


def check(backend: Backend, case: Case, *, seed: int = 0, whole_run_only: bool = False) -> Verdict:
    """Hold ``backend`` to the reference on one case, by spikes, membranes, currents and weights.

    One session runs the case whole. A second one runs its beginning in uneven chunks, with every variable read and
    written back on the way, which must change nothing; resets and runs the beginning again; changes everything that can
    be written and runs on; resets again, which must keep what was written as weight, threshold and bias; and falls
    silent. Two sessions of different seeds then run in turn. Where the backend has checkpoints, it and the reference go on
    from one of its own; where it can be rewired, both go on with other synapses. A backend whose agreement is "statistical" is held to itself
    in chunks, writes, resets, turns and silence, and to the reference by many seeds.
    :data:`~neuromorph.testing.verdict.AGREEMENTS` says what each class is held to. With ``whole_run_only`` the first
    session is all.

    Errors of the backend itself are not caught, but those by which it stops rather than run wrongly
    (:class:`~neuromorph.errors.NumericalLimit`): they end a check with a sentence, as a declared gap does.

    >>> from neuromorph import registry
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
    watched = _watched(case.program)
    sentence, followed = "", case.steps
    try:
        with Pair(backend, watched, case, seed) as whole:
            entire = whole.run(WHOLE_RUN, 0, case.steps)
            whole.compare_variables(WHOLE_RUN)
        if not whole_run_only:
            with Pair(backend, watched, case, seed) as pair:
                _check_chunks(pair, entire)
                _check_reset(pair, entire)
                _check_writes(pair)
                _check_second_reset(pair)
                _check_silence(pair)
            _check_turns(backend, watched, case, seed, entire)
            if backend.capabilities.checkpoints:
                _check_checkpoints(backend, watched, case, seed, entire)
            if backend.capabilities.rewiring:
                check_rewiring(backend, watched, case, seed)
        if agreement == "statistical":
            hold_distributions(backend, case, seed)
    except NumericalLimit as error:
        sentence = f"stopped rather than run wrongly: {error}"
        return Verdict(backend=backend.name, case=case.name, status="skipped", sentence=sentence, agreement=agreement)
    except Rounded as error:
        sentence, followed = str(error), _followed(case, error.phase, error.step)
    except Differs as error:
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


def _watched(program: Program) -> Program:
    """The program with everything probed that a step computes."""
    return program.with_probes(
        [
            *(ProbeProgram(target=name, variable="spikes", every=1) for name in program.sizes),
            *(
                ProbeProgram(target=population.name, variable=variable, every=1)
                for population in program.populations
                for variable in population.states
            ),
        ]
    )


def _followed(case: Case, phase: str, step: int | None) -> int:
    """Steps of the whole run that were held together by a check that ended in this step of this phase."""
    return step - 1 if phase == WHOLE_RUN and step is not None else case.steps


def _check_chunks(pair: Pair, entire: Recording) -> None:
    """The beginning in uneven chunks, all variables written back as they were read on the way."""
    done = 0
    for index, steps in enumerate(_chunks(pair.case)):
        recording = pair.run(f"chunk of steps {done + 1} to {done + steps}", done, steps)
        hold_same(f"chunk from step {done + 1} against the whole run", recording, entire, done)
        done += steps
        if index == 1:
            pair.run("run of no steps", done, 0)
        if index == 3:
            _write_back(pair)


def _chunks(case: Case) -> list[int]:
    """Uneven chunks that end where epochs do, if the case is long enough."""
    chunks: list[int] = []
    for steps in _CHUNKS:
        chunks.append(min(steps, case.steps - sum(chunks)))
    rest = -sum(chunks) % case.period
    return [*(c for c in chunks if c), *([rest] if 0 < rest <= case.steps - sum(chunks) else [])]


def _write_back(pair: Pair) -> None:
    for address in pair.mine.variables():
        value = pair.mine.read(address)
        pair.mine.write(address, value)
        hold_values("read, write, read", address, values_of(pair.mine.read(address)), values_of(value))


def _check_reset(pair: Pair, entire: Recording) -> None:
    """After a reset, with the first weights, the beginning again: it must repeat itself."""
    done = sum(_chunks(pair.case))
    _reset(pair, "reset")
    for projection in pair.program.projections:
        for session in pair.both:
            session.write(f"{projection.name}.weight", projection.matrix(projection.weight))
            if projection.learns_delays:
                session.write(f"{projection.name}.delay", projection.matrix(projection.delay))
    recording = pair.run("run after reset", 0, min(_AFTERWARDS, done))
    # A reset keeps time, which may stand elsewhere within an epoch, and the random streams of rules in fixed point.
    rounds_at_random = pair.program.arithmetic == "fixed" and any(p.rule is not None for p in pair.program.projections)
    if done % pair.case.period == 0 and not rounds_at_random and pair.agreement != "statistical":
        hold_same("run after reset against the first run", recording, entire, 0)


def _check_writes(pair: Pair) -> None:
    """What is written in the middle of a run is read again, and acts from the next step on."""
    epoch = math.lcm(*(p.rule.epoch for p in pair.program.projections if p.rule is not None))
    pair.run("run before writes", 0, min(-pair.reference.steps_run % epoch, pair.case.steps))  # to an epoch's end
    rng = np.random.default_rng(11)
    for address in pair.reference.variables():
        if not pair.ends_an_epoch and address.rpartition(".")[2] not in (*_KEPT, *NEURON_STATES):
            continue
        value = _other_value(pair, address, rng)
        for session in pair.both:
            session.write(address, value)
        written = values_of(pair.reference.read(address))
        allowed = 0.0 if pair.agreement == "exact" else WEIGHT_TOLERANCE * np.abs(np.nan_to_num(written, posinf=0.0))
        hold_values("written values", address, values_of(pair.mine.read(address)), written, allowed)
    pair.compare_variables("written values")
    pair.run("run after writes", 0, min(_AFTERWARDS, pair.case.steps))
    pair.compare_variables("run after writes")


def _check_second_reset(pair: Pair) -> None:
    """What was written as weights, thresholds and biases outlives a reset; in the middle of an epoch, where there is one."""
    pair.run("run before the second reset", 0, 1)
    _reset(pair, "second reset")
    pair.run("run after the second reset", 0, min(_AFTERWARDS // 2, pair.case.steps))
    pair.compare_variables("run after the second reset")


def _reset(pair: Pair, phase: str) -> None:
    """Reset both: weights, thresholds and biases stay as they are, and everything else becomes 0."""
    before = {address: values_of(pair.mine.read(address)) for address in pair.mine.variables()}
    for session in pair.both:
        session.reset()
    for address, value in before.items():
        kept = address.rpartition(".")[2] in _KEPT
        hold_values(phase, address, values_of(pair.mine.read(address)), value if kept else np.zeros_like(value))


def _check_silence(pair: Pair) -> None:
    """Without input, bias and state nothing spikes."""
    for session in pair.both:
        session.reset()
        for population in pair.program.populations:
            session.write(f"{population.name}.bias", 0.0)
    recording = pair.run("silence", 0, _SILENT_STEPS, silent=True)
    for name, train in recording.spikes.items():
        if len(train):
            raise Differs(
                Difference(
                    phase="silence",
                    what="spikes",
                    step=int(train.steps[0]) + 1,
                    population=name,
                    neuron=int(train.ids[0]),
                )
            )


def _check_turns(backend: Backend, program: Program, case: Case, seed: int, entire: Recording) -> None:
    """Two sessions in turn: neither knows of the other, and each has the random streams of its own seed."""
    turn = min(_TURN, case.steps // 2)
    with Pair(backend, program, case, seed) as pair, Pair(backend, program, case, seed + 1) as other:
        for start in (0, turn):
            hold_same("one of two sessions", pair.run("one of two sessions", start, turn), entire, start)
            other.run(f"session with seed {seed + 1}", start, turn)
        other.compare_variables(f"session with seed {seed + 1}")


def _check_checkpoints(backend: Backend, program: Program, case: Case, seed: int, entire: Recording) -> None:
    """Saved in mid-run, within an epoch where it can be: it goes on as if nothing had been, and so does the reference."""
    cut = case.steps // 2 | 1
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "checkpoint.npz")
        with Pair(backend, program, case, seed) as pair:
            pair.run("run before a checkpoint", 0, cut)
            pair.mine.save(file)
        phase = "runs resumed from its checkpoint"
        with Pair(backend, program, case, seed, file=file) as pair:
            hold_same(phase, pair.run(phase, cut, case.steps - cut), entire, cut)
            pair.compare_variables(phase)


def _other_value(pair: Pair, address: str, rng: np.random.Generator) -> FloatArray:
    """What to write: other values than the present ones, as the program can hold them."""
    owner, _, variable = address.rpartition(".")
    value = pair.reference.read(address)
    if variable in SYNAPSE_STATES:
        projection, entries = pair.program.projection(owner), values_of(value)
        if variable == "weight":
            return projection.matrix(_other_weights(projection, entries, rng))
        if variable == "delay":
            return projection.matrix(np.clip(entries * rng.uniform(0.5, 1.5, entries.shape), 1.0, projection.max_delay))
        return projection.matrix(_smaller(pair.program, entries, rng))
    if variable not in _KEPT:
        return _smaller(pair.program, value, rng)
    threshold = pair.reference.read(f"{owner}.v_threshold")
    if pair.program.arithmetic == "fixed":
        return _other_integers(variable, threshold, rng)
    if variable == "v_threshold":
        changed: FloatArray = value * rng.uniform(0.6, 1.1, value.shape)
    else:
        changed = value + np.where(np.isfinite(threshold), threshold, 1.0) * rng.uniform(0.0, 0.01, value.shape)
    return changed


def _smaller(program: Program, value: FloatArray, rng: np.random.Generator) -> FloatArray:
    """States, traces or tags nearer to 0, so that they are in range and no neuron spikes by the writing alone."""
    changed: FloatArray = value * rng.uniform(0.3, 0.9, value.shape)
    return np.trunc(changed) if program.arithmetic == "fixed" else changed


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
