"""The same program open on a backend and on the reference, and everything by which the two are held together."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph import registry
from neuromorph.backend import Backend, Session
from neuromorph.comparison import first_divergence
from neuromorph.execution import resume
from neuromorph.parts import NEURON_STATES
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import Program
from neuromorph.recording import FloatArray, Recording
from neuromorph.testing.case import Case
from neuromorph.testing.verdict import (
    EARLY_STEPS,
    EARLY_TOLERANCE,
    LATE_TOLERANCE,
    ROUNDING,
    WEIGHT_TOLERANCE,
    Agreement,
    Difference,
    Differs,
    Rounded,
)


def agreement_of(backend: Backend, program: Program) -> Agreement:
    """The class of agreement that a backend declares for the program's arithmetic."""
    capabilities = backend.capabilities
    return capabilities.fixed_agreement if program.arithmetic == "fixed" else capabilities.agreement


class Pair:
    """Two sessions; a context manager that closes both. With ``file`` both go on from that checkpoint."""

    def __init__(self, backend: Backend, program: Program, case: Case, seed: int, *, file: Path | None = None) -> None:
        self.program, self.case = program, case
        self.agreement = agreement_of(backend, program)
        reference = registry.get("reference")
        with contextlib.ExitStack() as opened:  # closes the reference if the backend fails to open
            self.reference: Session = (
                reference.open(program, seed=seed) if file is None else resume(file, backend=reference)
            )
            opened.callback(self.reference.close)
            self.mine: Session = backend.open(program, seed=seed) if file is None else resume(file, backend=backend)
            opened.callback(self.mine.close)
            self._opened = opened.pop_all()

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    @property
    def both(self) -> tuple[Session, Session]:
        """The backend's session, and the reference's."""
        return self.mine, self.reference

    @property
    def ends_an_epoch(self) -> bool:
        """Whether the step that both ran last ends an epoch of every rule."""
        rules = [p.rule for p in self.program.projections if p.rule is not None]
        return all(self.reference.steps_run % rule.epoch == 0 for rule in rules)

    def run(self, phase: str, start: int, steps: int, *, silent: bool = False) -> Recording:
        """Run rows ``start`` to ``start + steps`` of the case on both, hold them together, and give the backend's."""
        rows = slice(start, start + steps)
        fed = {} if silent else {name: values[rows] for name, values in self.case.inputs.items()}
        factors = {} if silent else {name: values[rows] for name, values in self.case.modulators.items()}
        states = [(p.name, variable) for p in self.program.populations for variable in p.states[1:]]
        before = [{key: session.read(".".join(key)) for key in states} for session in self.both]
        mine, reference = (session.run(steps, inputs=fed, modulators=factors) for session in self.both)
        if self.agreement != "statistical":
            self._compare(phase, mine, reference, before)
        return mine

    def compare_variables(self, phase: str) -> None:
        """Hold everything that can be read together; traces within an epoch are each simulator's own matter."""
        if self.agreement == "statistical":
            return
        for name in self.reference.variables():
            owner, _, variable = name.rpartition(".")
            if variable in (*PRE_TRACES, "y1", "y2", "y3") and not self.ends_an_epoch:
                continue
            expected = values_of(self.reference.read(name))
            finite = np.where(np.isfinite(expected), expected, 0.0)
            if variable in NEURON_STATES:
                threshold = self.reference.read(f"{owner}.v_threshold")
                allowed = LATE_TOLERANCE * np.maximum(np.abs(finite), np.where(np.isfinite(threshold), threshold, 0.0))
            else:
                allowed = WEIGHT_TOLERANCE * np.maximum(np.abs(finite), np.abs(finite).mean() if finite.size else 0.0)
            hold_values(
                phase, name, values_of(self.mine.read(name)), expected, 0.0 if self.agreement == "exact" else allowed
            )

    def _compare(
        self, phase: str, mine: Recording, reference: Recording, before: list[dict[tuple[str, str], FloatArray]]
    ) -> None:
        divergence = first_divergence(reference.spikes, mine.spikes)
        # what follows a spike that differs is not compared: the first difference is the one to explain
        self._compare_states(phase, mine, reference, mine.steps if divergence is None else divergence.step - 1)
        if divergence is None:
            return
        name, neuron, row = divergence.population, divergence.neuron, divergence.step - 1
        if name not in {population.name for population in self.program.populations}:
            raise Differs(Difference(phase=phase, what="spikes", step=row + 1, population=name, neuron=neuron))
        population = self.program.population(name)
        threshold = float(self.reference.read(f"{name}.v_threshold")[neuron])
        bias = float(self.reference.read(f"{name}.bias")[neuron])
        if population.decay_threshold is not None:
            key = name, "threshold_adaptation"
            earlier = before[1][key] if row == 0 else reference.states[key][row - 1]
            threshold += float(population.decay_threshold[neuron] * earlier[neuron])
        membranes = []
        for run, start in zip((mine, reference), before, strict=True):
            earlier = start[name, "v"] if row == 0 else run.states[name, "v"][row - 1]
            membranes.append(
                float(earlier[neuron] * population.decay_v[neuron] + run.states[name, "u"][row, neuron] + bias)
            )
        comparison_differs = membranes[0] == membranes[1] == threshold  # nothing was rounded: > was taken for >=
        near = abs(membranes[1] - threshold) <= ROUNDING * threshold
        if self.agreement == "tolerance" and near and not comparison_differs:
            raise Rounded(
                f"followed until {phase}, step {row + 1}, where population {name!r}, neuron {neuron} lies within rounding"
                f" of its threshold: {membranes[1]!r} against {threshold!r}",
                phase,
                row + 1,
            )
        raise Differs(
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

    def _compare_states(self, phase: str, mine: Recording, reference: Recording, last: int) -> None:
        """Hold the states of the first ``last`` steps together; the earliest difference is told, u before v."""
        found: list[tuple[tuple[int, int], Difference]] = []
        for population in self.program.populations:
            threshold = self.reference.read(f"{population.name}.v_threshold")
            for order, variable in enumerate(population.states):
                values, expected = (run.states[population.name, variable][:last] for run in (mine, reference))
                tolerance = np.where(np.arange(last) < EARLY_STEPS, EARLY_TOLERANCE, LATE_TOLERANCE)[:, np.newaxis]
                scale = np.maximum(np.abs(expected), np.where(np.isfinite(threshold), threshold, 0.0))
                allowed = 0.0 if self.agreement == "exact" else tolerance * scale
                wrong = np.argwhere(~(np.abs(values - expected) <= allowed))
                if wrong.size:
                    row, neuron = (int(index) for index in wrong[0])
                    difference = Difference(
                        phase=phase,
                        what=f"{population.name}.{variable}",
                        step=row + 1,
                        population=population.name,
                        neuron=neuron,
                        found=float(values[row, neuron]),
                        expected=float(expected[row, neuron]),
                    )
                    found.append(((row, order), difference))
        if found:
            raise Differs(min(found, key=lambda item: item[0])[1])


def hold_values(phase: str, name: str, found: FloatArray, expected: FloatArray, allowed: Any = 0.0) -> None:
    """Raise :class:`Differs` at the first entry of a variable that is further than ``allowed`` from what is expected."""
    with np.errstate(invalid="ignore"):  # infinite thresholds
        wrong = np.flatnonzero((found != expected) & ~(np.abs(found - expected) <= allowed))
    if wrong.size:
        entry = int(wrong[0])
        raise Differs(
            Difference(phase=phase, what=name, neuron=entry, found=float(found[entry]), expected=float(expected[entry]))
        )


def hold_same(phase: str, recording: Recording, entire: Recording, start: int) -> None:
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
        raise Differs(
            Difference(
                phase=phase,
                what=what,
                step=step + 1,
                neuron=neuron,
                found=float(found[step, neuron]),
                expected=float(expected[step, neuron]),
            )
        )


def values_of(value: Any) -> FloatArray:
    """The entries of an array, or of the stored synapses of a sparse one."""
    return np.asarray(value.data if type(value).__module__.partition(".")[0] == "scipy" else value, np.float64).ravel()
