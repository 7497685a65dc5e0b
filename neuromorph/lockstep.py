"""Two backends side by side on one program: the first step, place and variable in which they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.backend import Backend, Session
from neuromorph.parts import NEURON_STATES, SYNAPSE_STATES
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import BoolArray, FloatArray
from neuromorph.session_inputs import checked_inputs

# The order in which a time step computes them: what differs first in it is nearest to the cause.
ORDER = ("u", "v", "spikes", "threshold_adaptation", "x1", "x2", "y1", "y2", "y3", "tag", "delay", "weight")
# Of float states, relative to the value or to the threshold where that is larger. Sums in another order leave float64
# states within 1e-12 of each other over thousands of steps, for u and v decay; float32, the coarsest rounding that
# simulators use, is 6e-8 away at once. This lies between them. Fixed point and backends that agree exactly get none.
TOLERANCE = 1e-9
BEFORE, AFTER = 5, 3  # steps of the window around a divergence
_SHORTEST, _DIVISION = 32, 32  # steps of a piece that is gone through one by one; pieces of a longer one
_PIECE_VALUES = 1_000_000  # neuron states that a piece may hold

Address = tuple[str, str]  # variable, and its population or projection


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A program that records all spikes and states of neurons, and everything that is fed to it."""

    program: Program
    inputs: Mapping[str, BoolArray]
    modulators: Mapping[str, FloatArray]
    steps: int
    seed: int

    @classmethod
    def of(
        cls,
        program: Program,
        steps: int,
        inputs: Mapping[str, Any] | None,
        modulators: Mapping[str, Any] | None,
        seed: int,
    ) -> Experiment:
        """From what a user hands to a run; raises :class:`InputError` where it does not fit."""
        probes = [ProbeProgram(target=name, variable="spikes", every=1) for name in program.sizes]
        for population in program.populations:
            probes += [ProbeProgram(target=population.name, variable=name, every=1) for name in population.states]
        fed, factors = checked_inputs(program, steps, inputs or {}, modulators or {})
        rows: dict[str, BoolArray] = {name: np.array(spikes) for name, spikes in fed.items()}
        third = {name: np.array(values) for name, values in factors.items()}
        return cls(program=program.with_probes(probes), inputs=rows, modulators=third, steps=int(steps), seed=seed)

    @cached_property
    def learned(self) -> dict[Address, int]:
        """Traces, tags and weights of plastic projections, in order; each with the steps of its rule's epoch."""
        found: dict[Address, int] = {}
        for variable in ORDER:
            for projection in self.program.projections:
                rule = projection.rule
                if rule is not None and (variable == "weight" or variable in rule.traces or variable in rule.targets):
                    found[variable, projection.name] = rule.epoch
        return found

    @property
    def neurons(self) -> int:
        """Neurons of all inputs and populations."""
        return sum(self.program.sizes.values())

    @property
    def learned_values(self) -> int:
        """At most so many traces, tags and weights there are, synapses for every one of a projection's variables."""
        return sum(self.program.projection(owner).synapses for _, owner in self.learned)

    def stops(self, start: int, stop: int, length: int) -> Iterator[int]:
        """Ends of pieces from ``start`` to ``stop``: whole epochs, as near to ``length`` as memory allows."""
        epoch = math.lcm(*self.learned.values()) if self.learned else 1
        length = max(1, min(length, _PIECE_VALUES // self.neurons))
        length = -(-length // epoch) * epoch
        yield from range(start + length, stop, length)
        if stop > start:
            yield stop


@dataclass(frozen=True, eq=False)
class Piece:
    """Some steps of a run: states and spikes of neurons in every step, what has been learned at the end."""

    start: int  # steps before it
    stop: int
    series: Mapping[Address, npt.NDArray[Any]]  # (steps, neurons)
    learned: Mapping[Address, FloatArray]  # of one entry for each neuron, or for each synapse that exists

    def value(self, address: Address, index: int) -> float:
        """A value at the end of the piece; not a number where it was not read."""
        if address in self.series:
            return float(self.series[address][-1, index])
        return float(self.learned[address][index]) if address in self.learned else math.nan

    def spikes_only(self) -> Piece:
        """The same without states, for which there may be no memory."""
        series = {address: values for address, values in self.series.items() if address[0] == "spikes"}
        return Piece(self.start, self.stop, series, {})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first value in which two pieces differ."""

    step: int  # counted from 1
    variable: str
    owner: str
    index: int  # neuron, or synapse in the program's order
    values: tuple[float, float]


class Follower:
    """A backend that runs an experiment piece by piece; a context manager, as its session."""

    def __init__(
        self, experiment: Experiment, backend: Backend, *, program: Program | None = None, seed: int | None = None
    ) -> None:
        self.experiment = experiment
        chosen = experiment.program if program is None else program
        self._session: Session = backend.open(chosen, seed=experiment.seed if seed is None else seed)

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def advance(self, stop: int) -> Piece:
        """Run up to and with step ``stop``."""
        start, experiment = self._session.steps_run, self.experiment
        rows = slice(start, stop)
        recording = self._session.run(
            stop - start,
            inputs={name: values[rows] for name, values in experiment.inputs.items()},
            modulators={name: values[rows] for name, values in experiment.modulators.items()},
        )
        series: dict[Address, npt.NDArray[Any]] = {}
        for name, train in recording.spikes.items():
            series["spikes", name] = np.asarray(train)
        for (name, variable), values in recording.states.items():
            series[variable, name] = values
        # between the ends of epochs backends may hold traces in any form: they are due at the ends alone
        learned = {
            (variable, owner): self._read(owner, variable)
            for (variable, owner), epoch in experiment.learned.items()
            if stop % epoch == 0
        }
        return Piece(start, stop, series, learned)

    def skip(self, stop: int) -> None:
        """Run up to and with step ``stop``, and keep nothing."""
        for end in self.experiment.stops(self._session.steps_run, stop, stop):
            self.advance(end)

    def _read(self, owner: str, variable: str) -> FloatArray:
        values = self._session.read(f"{owner}.{variable}")
        if variable not in SYNAPSE_STATES:
            return np.asarray(values, dtype=np.float64)
        projection = self.experiment.program.projection(owner)
        synapses = values[projection.post_index, projection.pre_index] if projection.is_full else values.data
        return np.asarray(synapses, dtype=np.float64)


def tolerance(program: Program, *backends: Backend) -> float:
    """How far apart float states of these backends may lie and be equal; see :data:`TOLERANCE`."""
    exact = program.arithmetic == "fixed" or all(backend.capabilities.agreement == "exact" for backend in backends)
    return 0.0 if exact else TOLERANCE


def first_difference(program: Program, mine: Piece, theirs: Piece, relative: float) -> Difference | None:
    """The earliest difference of what both pieces hold, in the order of a time step, then of the program."""
    best: tuple[int, int, int, int] | None = None
    found: Difference | None = None
    places: list[tuple[Address, bool]] = [(address, True) for address in mine.series if address in theirs.series]
    places += [(address, False) for address in mine.learned if address in theirs.learned]
    owners = [*program.sizes, *(projection.name for projection in program.projections)]
    for (variable, owner), is_series in places:
        left, right = (
            (piece.series[variable, owner] if is_series else piece.learned[variable, owner][np.newaxis])
            for piece in (mine, theirs)
        )
        wrong = np.argwhere(~_same(left, right, _scale(program, variable, owner, left), relative))
        if wrong.size == 0:
            continue
        row, index = (int(place) for place in wrong[0])
        step = mine.start + row + 1 if is_series else mine.stop
        rank = (step, ORDER.index(variable), owners.index(owner), index)
        if best is None or rank < best:
            best, values = rank, (float(left[row, index]), float(right[row, index]))
            found = Difference(step=step, variable=variable, owner=owner, index=index, values=values)
    return found


def _scale(program: Program, variable: str, owner: str, values: npt.NDArray[Any]) -> Any:
    """What differences are relative to where a value is smaller: the threshold, or the largest trace, tag or weight."""
    if variable in NEURON_STATES:
        threshold = program.population(owner).threshold
        return np.where(np.isfinite(threshold), threshold, 0.0)
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0))


def _same(mine: npt.NDArray[Any], theirs: npt.NDArray[Any], scale: Any, relative: float) -> BoolArray:
    same: BoolArray = mine == theirs
    if mine.dtype == np.bool_:
        return same
    same |= np.isnan(mine) & np.isnan(theirs)
    if relative > 0:
        both = np.isfinite(mine) & np.isfinite(theirs)
        near = np.abs(np.where(both, mine - theirs, np.inf)) <= relative * np.maximum(np.abs(mine), scale)
        same |= both & near
    return same


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two backends on one experiment; the first is the one that the other is held against."""

    experiment: Experiment
    backends: tuple[Backend, Backend]

    @cached_property
    def relative(self) -> float:
        """The tolerance of float states."""
        return tolerance(self.experiment.program, *self.backends)

    def first_difference(self, last: int) -> tuple[Difference, list[tuple[Piece, Piece]]] | None:
        """The first difference in the steps up to ``last``, and the steps around it as pieces of one step.

        The search runs both in long pieces, in which spikes, u and v are held together step by step and what is learned
        at the ends; then again from the start of the first piece that differs, in shorter ones, down to single steps.
        None where nothing differs, or nothing any more when single steps are run.
        """
        start, length = 0, max(_SHORTEST, -(-last // _DIVISION))
        while True:
            found = self._first_piece(start, last, length)
            if found is None:
                return None
            start, last = found  # no later than this, and what is learned may have differed since the start
            if not self.experiment.learned:
                return self._single_steps(last - 1, last)  # u, v and spikes were held together in every step
            if length <= _SHORTEST or last - start <= _SHORTEST:  # a piece may be longer by the rest of an epoch
                return self._single_steps(start, last)
            length = max(_SHORTEST, length // _DIVISION)

    def _first_piece(self, start: int, last: int, length: int) -> tuple[int, int] | None:
        """The first piece that differs: steps before it, and the step in which it was seen."""
        with self._both() as (mine, theirs):
            for follower in (mine, theirs):
                follower.skip(start)
            for stop in self.experiment.stops(start, last, length):
                left, right = mine.advance(stop), theirs.advance(stop)
                found = first_difference(self.experiment.program, left, right, self.relative)
                if found is not None:
                    return left.start, found.step
        return None

    def _single_steps(self, start: int, last: int) -> tuple[Difference, list[tuple[Piece, Piece]]] | None:
        """Step by step from some steps before ``start``, until a few after a difference."""
        begin, found = max(0, start - BEFORE), None
        window: list[tuple[Piece, Piece]] = []
        end = min(last + AFTER, self.experiment.steps)
        with self._both() as (mine, theirs):
            for follower in (mine, theirs):
                follower.skip(begin)
            for step in range(begin + 1, end + 1):
                window.append((mine.advance(step), theirs.advance(step)))
                if found is None:
                    found = first_difference(self.experiment.program, *window[-1], self.relative)
                    del window[: -BEFORE - 1]
                elif step == found.step + AFTER:
                    break
        return None if found is None else (found, window)

    @contextmanager
    def _both(self) -> Iterator[tuple[Follower, Follower]]:
        experiment, (mine, theirs) = self.experiment, self.backends
        quiet = np.errstate(all="ignore")  # what overflows was warned of in the run that is looked into
        with quiet, Follower(experiment, mine) as reference, Follower(experiment, theirs) as other:
            yield reference, other
