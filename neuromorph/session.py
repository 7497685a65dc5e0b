"""A program loaded into a simulator: the part of every backend that checks, chunks, records and counts."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from neuromorph.counts import count
from neuromorph.errors import InputError, SimulatorError, raise_faults, simulator_errors
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import ProbeProgram, Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording, SpikeTrain
from neuromorph.session_inputs import as_vector, checked_inputs, fixed_faults, third_factor_faults
from neuromorph.watchdog import Watchdog

STATE_VALUES = 4_000_000  # probed values of u and v that are held at once, due or not


@dataclass(frozen=True, eq=False)
class Advance:
    """What a simulator hands back for some steps: spikes of every population, and probed neuron states.

    ``states[population, variable]`` has shape (steps, neurons), for each pair in ``Session.state_probes``.
    """

    spikes: Mapping[str, SpikeTrain]
    states: Mapping[tuple[str, str], FloatArray]


@dataclass(eq=False)
class _Taken:
    """What a run has produced so far."""

    pieces: list[Advance] = field(default_factory=list)
    samples: dict[tuple[str, str], list[FloatArray]] = field(default_factory=dict)  # of synapse variables
    sample_steps: dict[tuple[str, str], list[int]] = field(default_factory=dict)


class Session(ABC):
    """A program loaded into a simulator: run it in chunks, read and write its state, close it.

    Running 10 x 100 steps equals running 1000 steps; state is reset only by :meth:`reset`. Use it as a context manager.

    A subclass implements :meth:`_advance`, :meth:`_read`, :meth:`_write`, :meth:`_reset` and :meth:`_close`; synapse
    variables pass through them as vectors with one entry for each existing synapse in the program's order.
    """

    supervises_itself: ClassVar[bool] = False  # True: it ends stalled runs by itself, and is not watched here too

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float) -> None:
        self.program, self.backend, self.seed, self.stall_second = program, backend, seed, stall_second
        self.steps_run = 0
        self._closed = False
        self._in_use = threading.RLock()
        self._failed = ""
        epochs = [p.rule.epoch for p in program.projections if p.rule is not None]
        self._earlier: dict[str, SpikeTrain] = {}
        self._memory = max([1, *(p.max_delay for p in program.projections), *epochs])
        self._forget_spikes()
        self.state_probes = [(p.target, p.variable) for p in program.probes if p.variable in ("u", "v")]

    @abstractmethod
    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        """Run ``steps`` steps; call ``beat`` at least once a step. Inputs (steps, size), modulators (steps, size)."""

    @abstractmethod
    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        """A variable of :meth:`variables` as a vector."""

    @abstractmethod
    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        """Set a variable from a full vector."""

    @abstractmethod
    def _reset(self) -> None:
        """Forget u, v, refractory counts, spikes under way, traces and tags; keep weights, thresholds and bias."""

    @abstractmethod
    def _close(self) -> None:
        """Free everything; called once."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session; more than once does no harm."""
        if not self._closed:
            self._closed = True
            self._close()

    def variables(self) -> dict[str, int]:
        """Addresses that :meth:`read` and :meth:`write` take, with the number of values each holds."""
        found: dict[str, int] = {}
        for population in self.program.populations:
            for variable in ("u", "v", "v_threshold", "bias"):
                found[f"{population.name}.{variable}"] = population.size
        for projection in self.program.projections:
            found[f"{projection.name}.weight"] = projection.synapses
            if projection.rule is not None:
                if projection.rule.dt is not None:
                    found[f"{projection.name}.tag"] = projection.synapses
                for trace in projection.rule.traces:
                    found[f"{projection.name}.{trace}"] = (
                        projection.pre_size if trace in PRE_TRACES else projection.post_size
                    )
        return found

    def read(self, name: str) -> Any:
        """The present value of ``population.variable`` or ``projection.variable``.

        Neuron variables and traces have shape (n,). Synapse variables are arrays (post, pre) where every synapse exists,
        and SciPy CSR arrays of that shape otherwise.
        """
        owner, variable, projection = self._address(name)
        with self._alone():
            values = np.array(self._read(owner, variable), dtype=np.float64)
        if projection is None:
            return values
        if projection.is_full:
            return projection.matrix(values)
        from scipy.sparse import csr_array

        shape = (projection.post_size, projection.pre_size)
        return csr_array((values, projection.pre_index.copy(), projection.by_post.copy()), shape=shape)

    def write(self, name: str, value: Any) -> None:
        """Set a variable: one number for all, or what :meth:`read` gives. Weights must respect the rule's bounds."""
        owner, variable, projection = self._address(name)
        size = self.variables()[name]
        values = as_vector(name, value, size, projection)
        if not np.all(np.isfinite(values) | (variable == "v_threshold") & (values == np.inf)):
            raise InputError(f"{name} must be finite")
        if variable == "v_threshold" and np.any(values <= 0):
            raise InputError(f"{name} must be > 0, got {float(values.min())!r}")
        if self.program.arithmetic == "fixed":
            raise_faults(
                InputError, [f"{name}: {fault}" for fault in fixed_faults(self.program, owner, variable, values)]
            )
        rule = None if projection is None or variable != "weight" else projection.rule
        if rule is not None and values.size and (values.min() < rule.w_min or values.max() > rule.w_max):
            raise InputError(
                f"{name} must lie in the rule's bounds {rule.w_min!r}..{rule.w_max!r},"
                f" got {float(values.min())!r}..{float(values.max())!r}: clip first"
            )
        with self._alone():
            self._write(owner, variable, values)

    def reset(self) -> None:
        """Forget u, v, refractory counts, spikes under way, traces and tags; keep weights, thresholds, bias and time."""
        self._check_open()
        with self._alone():
            self._forget_spikes()
            self._reset()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuse a second thread, which would mix its steps with those of the first."""
        if not self._in_use.acquire(blocking=False):
            raise SimulatorError(f"this {self.backend} session is in use in another thread: open one session a thread")
        try:
            yield
        finally:
            self._in_use.release()

    def run(
        self, steps: int, *, inputs: Mapping[str, Any] | None = None, modulators: Mapping[str, Any] | None = None
    ) -> Recording:
        """Run ``steps`` time steps.

        ``inputs[name]``: spikes of an input, shape (steps, size), any nonzero entry a spike; inputs not given are silent.
        ``modulators[name]``: third factor, shape (steps,) or (steps, size); not given: 0. Raises :class:`InputError` with
        everything that does not fit, :class:`SimulatorError` where the simulator fails, :class:`SimulatorStalled` where it
        hangs.
        """
        with self._alone():
            return self._run_alone(steps, inputs, modulators)

    def _run_alone(
        self, steps: int, inputs: Mapping[str, Any] | None, modulators: Mapping[str, Any] | None
    ) -> Recording:
        self._check_open()
        fed, factors = checked_inputs(
            self.program, steps, {} if inputs is None else inputs, {} if modulators is None else modulators
        )
        raise_faults(InputError, third_factor_faults(self.program, factors))
        first, taken = self.steps_run, _Taken()
        began = time.perf_counter()
        try:
            if self.supervises_itself:
                self._simulate(steps, fed, factors, taken, lambda: None)
            else:
                dog = Watchdog(stall_second=self.stall_second, what=f"{self.backend} run of {self.program.name!r}")
                dog.guard(lambda: self._simulate(steps, fed, factors, taken, dog.beat))
        except BaseException as error:
            cause = error.__cause__ or error
            self._failed = f"{type(cause).__name__}: {cause}".partition("\n")[0]
            with suppress(SimulatorError):  # what failed first is what the caller hears of
                self.close()
            raise
        return self._recording(first, steps, fed, taken, time.perf_counter() - began)

    def _simulate(
        self,
        steps: int,
        fed: Mapping[str, BoolArray],
        factors: Mapping[str, FloatArray],
        taken: _Taken,
        beat: Callable[[], None],
    ) -> None:
        """The run, in pieces between samples of synapse variables; of each piece only what is due is kept."""
        first = self.steps_run
        for start, stop in self._pieces(steps):
            inputs = {name: values[start:stop] for name, values in fed.items()}
            modulators = {name: values[start:stop] for name, values in factors.items()}
            with simulator_errors(f"backend {self.backend!r} failed while it ran {self.program.name!r}"):
                advance = self._advance(stop - start, inputs, modulators, beat)
                self._check_advance(advance, stop - start)
            states = {
                (probe.target, probe.variable): advance.states[probe.target, probe.variable][
                    self._due(probe, start, stop)
                ]
                for probe in self.program.probes
                if probe.variable in ("u", "v")
            }
            taken.pieces.append(Advance(spikes=advance.spikes, states=states))
            self.steps_run = first + stop
            for probe in self.program.probes:
                if probe.variable in ("weight", "tag") and self.steps_run % probe.every == 0 and stop > start:
                    key = (probe.target, probe.variable)
                    taken.samples.setdefault(key, []).append(np.array(self._read(*key), dtype=np.float64))
                    taken.sample_steps.setdefault(key, []).append(stop - 1)

    def _due(self, probe: ProbeProgram, start: int, stop: int, *, first: int | None = None) -> IntArray:
        """Rows of a piece after which a probed state is recorded; ``first``: steps run before the piece's own run."""
        before = self.steps_run if first is None else first + start
        due: IntArray = np.flatnonzero((before + 1 + np.arange(stop - start)) % probe.every == 0)
        return due

    def _check_advance(self, advance: Advance, steps: int) -> None:
        """Raise :class:`SimulatorError` where a simulator hands back what does not fit the program."""
        for population in self.program.populations:
            train = advance.spikes.get(population.name)
            if train is None or train.shape != (steps, population.size):
                got = "nothing" if train is None else f"shape {train.shape}"
                raise SimulatorError(
                    f"backend {self.backend!r} gave {got} as the spikes of {population.name!r}, not ({steps}, {population.size})"
                )
        for name, variable in self.state_probes:
            rows = advance.states.get((name, variable))
            if rows is None or rows.shape != (steps, self.program.sizes[name]):
                raise SimulatorError(f"backend {self.backend!r} gave no whole {variable} of {name!r}")

    def _recording(
        self,
        first: int,
        steps: int,
        fed: Mapping[str, BoolArray],
        taken: _Taken,
        wall: float,
    ) -> Recording:
        spikes = {name: SpikeTrain.from_dense(values) for name, values in fed.items()}
        for population in self.program.populations:
            spikes[population.name] = SpikeTrain.joined([piece.spikes[population.name] for piece in taken.pieces])
        counts = count(self.program, spikes, first_step=first, steps=steps, earlier=self._earlier)
        self._earlier = {
            name: SpikeTrain.joined([self._earlier[name], train]).last(self._memory) for name, train in spikes.items()
        }
        states: dict[tuple[str, str], FloatArray] = {}
        state_steps: dict[tuple[str, str], IntArray] = {}
        for probe in self.program.probes:
            key = (probe.target, probe.variable)
            if probe.variable in ("u", "v"):
                size = self.program.sizes[probe.target]
                parts = [piece.states[key] for piece in taken.pieces]
                states[key] = np.concatenate(parts) if parts else np.zeros((0, size))
                state_steps[key] = self._due(probe, 0, steps, first=first)
            elif probe.variable in ("weight", "tag"):
                samples = taken.samples.get(key, [])
                size = self.program.projection(probe.target).synapses
                states[key] = np.array(samples, dtype=np.float64).reshape(len(samples), size)
                state_steps[key] = np.array(taken.sample_steps.get(key, []), dtype=np.int64)
        wanted = {probe.target for probe in self.program.probes if probe.variable == "spikes"}
        return Recording(
            program_fingerprint=self.program.fingerprint,
            backend=self.backend,
            seed=self.seed,
            dt=self.program.dt,
            first_step=first,
            steps=steps,
            spikes={name: train for name, train in spikes.items() if name in wanted},
            states=states,
            state_steps=state_steps,
            counts=counts,
            wall_second=wall,
        )

    def _forget_spikes(self) -> None:
        """No spike is under way and none was sent in the running epoch."""
        none = np.zeros(0, np.int64)
        self._earlier = {name: SpikeTrain(none, none, (0, size)) for name, size in self.program.sizes.items()}

    def _pieces(self, steps: int) -> Iterator[tuple[int, int]]:
        """Runs between samples of probed synapse variables, which are read while the simulator stands still."""
        every = [probe.every for probe in self.program.probes if probe.variable in ("weight", "tag")]
        stops = {steps}
        for interval in every:
            stops.update(range(interval - self.steps_run % interval, steps, interval))
        if self.state_probes:  # so that states which are not due do not pile up
            values = sum(self.program.sizes[name] for name, _ in self.state_probes)
            piece = max(1, STATE_VALUES // values)
            stops.update(range(piece, steps, piece))
        start = 0
        for stop in sorted(stops):
            yield start, stop
            start = stop

    def _address(self, name: str) -> tuple[str, str, ProjectionProgram | None]:
        self._check_open()
        known = self.variables()
        if name not in known:
            raise InputError(f"there is no variable {name!r}; known: {', '.join(known)}")
        owner, _, variable = name.rpartition(".")
        if variable in ("weight", "tag"):
            return owner, variable, self.program.projection(owner)
        return owner, variable, None

    def _check_open(self) -> None:
        if self._closed:
            reason = f" after it failed with {self._failed}" if self._failed else ""
            raise SimulatorError(f"this {self.backend} session was closed{reason}: open a new one")


def reward(modulators: Mapping[str, FloatArray], weights: Mapping[str, float], step: int) -> FloatArray | None:
    """r of one step: the weighted sum of modulator values, shape (1,) or (post_size,); None where no modulator is named."""
    if not weights:
        return None
    total: FloatArray = np.zeros(1)
    for name, weight in weights.items():
        total = total + weight * modulators[name][step]
    return total
