"""A program loaded into a simulator: the part of every backend that checks, chunks, records and counts."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from neuromorph.advance import Advance
from neuromorph.checkpoint import Checkpoint, state_faults
from neuromorph.counts import Earlier, count_after, followed_by
from neuromorph.errors import InputError, SimulatorError, UnsupportedError, raise_faults, simulator_errors
from neuromorph.one_thread import OneThread
from neuromorph.parts import NEURON_STATES, SYNAPSE_STATES
from neuromorph.probed_states import ProbedStates
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, Recording, SpikeTrain
from neuromorph.rewiring import rewired
from neuromorph.session_inputs import checked_inputs, third_factor_faults
from neuromorph.session_variables import address, as_matrix, checked_value, variables
from neuromorph.watchdog import Watchdog

STATE_VALUES = 4_000_000  # probed values of neuron states that are held at once, due or not


class Session(ABC):
    """A program loaded into a simulator: run it in chunks, read and write its state, close it.

    Running 10 x 100 steps equals running 1000 steps; state is reset only by :meth:`reset`. Use it as a context manager.

    A subclass implements :meth:`_advance`, :meth:`_read`, :meth:`_write`, :meth:`_reset` and :meth:`_close`; synapse
    variables pass through them as vectors with one entry for each existing synapse in the program's order.
    """

    supervises_itself: ClassVar[bool] = False  # True: it ends stalled runs by itself, and is not watched here too
    takes_events: ClassVar[bool] = False  # True: it is handed inputs as events, and nobody makes them dense

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float) -> None:
        self.program, self.backend, self.seed, self.stall_second = program, backend, seed, stall_second
        self.steps_run = 0
        self.options: Mapping[str, Any] = {}  # of the backend that opened it
        self._closed = False
        self._alone = OneThread(backend)
        self._failed = ""
        self._running = f"{backend} run of {program.name!r}"
        self._failing = f"backend {backend!r} failed while it ran {program.name!r}"
        self._earlier: Earlier | None = None  # spikes that counts need: still under way, or in the running epoch
        self._memory = _steps_that_matter(program)  # of them
        self.state_probes = [(p.target, p.variable) for p in program.probes if p.variable in NEURON_STATES]
        self._synapse_probes = [p for p in program.probes if p.variable in SYNAPSE_STATES]
        self._spike_probes = {p.target for p in program.probes if p.variable == "spikes"}
        self._probes_states = bool(self.state_probes or self._synapse_probes)

    @abstractmethod
    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        """Run ``steps`` steps; call ``beat`` at least once a step. Inputs (steps, size), modulators (steps, size)."""

    def _advance_events(
        self,
        steps: int,
        inputs: Mapping[str, SpikeTrain],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        """The same with the inputs as events: where :attr:`takes_events`, a run calls this and not :meth:`_advance`.

        Trains are ordered by step and then neuron; modulators are C-contiguous in float64.
        """
        return self._advance(steps, {name: np.asarray(train) for name, train in inputs.items()}, modulators, beat)

    @abstractmethod
    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        """A variable of :meth:`variables` as a vector."""

    @abstractmethod
    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        """Set a variable from a full vector."""

    @abstractmethod
    def _reset(self) -> None:
        """Forget u, v, adaptation, refractory counts, spikes under way, traces and tags; keep weights, thresholds, bias."""

    @abstractmethod
    def _close(self) -> None:
        """Free everything; called once."""

    def _state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Everything that decides how it goes on, as :func:`neuromorph.checkpoint.state_layout` has it.

        The arrays may be the session's own. A backend that implements this and :meth:`_set_state` declares
        ``Capabilities.checkpoints``.
        """
        raise UnsupportedError(
            f"backend {self.backend!r} has no checkpoints: what its simulator holds cannot be taken out and put back"
            " whole. Run on a backend that declares them, as the reference does"
        )

    def _set_state(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what :meth:`_state` of any backend gave after ``self.steps_run`` steps; the arrays are not kept."""
        Session._state(self)

    def _replace_program(self, program: Program) -> None:
        """Load a program that differs from the present one in which synapses exist; :meth:`_set_state` follows.

        A backend that implements this, :meth:`_state` and :meth:`_set_state` declares ``Capabilities.rewiring``.
        """
        del program
        raise UnsupportedError(self._no_rewiring)

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
        return variables(self.program)

    def read(self, name: str) -> Any:
        """The present value of ``population.variable`` or ``projection.variable``.

        Neuron variables and traces have shape (n,). Synapse variables are arrays (post, pre) where every synapse exists,
        and SciPy CSR arrays of that shape otherwise.
        """
        self._check_open()
        owner, variable, projection = address(self.program, name)
        with self._alone:
            values = np.array(self._read(owner, variable), dtype=np.float64)
        return values if projection is None else as_matrix(values, projection)

    def write(self, name: str, value: Any) -> None:
        """Set a variable: one number for all, or what :meth:`read` gives. Weights must respect the rule's bounds."""
        self._check_open()
        owner, variable, _ = address(self.program, name)
        values = checked_value(self.program, name, value)
        with self._alone:
            self._write(owner, variable, values)

    def reset(self) -> None:
        """Forget the state: u, v, threshold adaptation, refractory counts, spikes under way, traces and tags.

        Weights, learned delays, thresholds, bias and time stay.
        """
        self._check_open()
        with self._alone:
            self._earlier = None
            self._reset()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint, from which :func:`neuromorph.resume` goes on bit for bit, in any process and on any machine.

        It appears under its name when it is complete. Raises :class:`UnsupportedError` where the backend has none.
        """
        self._check_open()
        with self._alone:
            with simulator_errors(f"backend {self.backend!r} failed to give the state of {self.program.name!r}"):
                state = self._state()
                if faults := state_faults(self.program, state):
                    raise SimulatorError(f"backend {self.backend!r} gave no whole state: {'; '.join(faults)}")
            Checkpoint(
                program=self.program,
                backend=self.backend,
                options=self.options,
                seed=self.seed,
                steps_run=self.steps_run,
                state=state,
                recent={} if self._earlier is None else self._earlier.joined(self._memory),
            ).save(path)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same program and seed, whatever this session did before."""
        self._check_open()
        if checkpoint.program.fingerprint != self.program.fingerprint or checkpoint.seed != self.seed:
            raise InputError(
                f"the checkpoint is of program {checkpoint.program.name!r} with seed {checkpoint.seed}, and this session"
                f" has {self.program.name!r} with seed {self.seed}: use neuromorph.resume"
            )
        raise_faults(InputError, checkpoint.faults())
        with self._alone, simulator_errors(f"backend {self.backend!r} failed to restore {self.program.name!r}"):
            before, self.steps_run = self.steps_run, checkpoint.steps_run
            try:
                self._set_state(checkpoint.state)
            except UnsupportedError:
                self.steps_run = before
                raise
            except BaseException as error:  # it may hold half of the state
                self._give_up(error)
                raise
            steps = max((train.shape[0] for train in checkpoint.recent.values()), default=0)
            self._earlier = Earlier(checkpoint.recent, steps, steps, None) if steps else None

    def rewire(self, projection: str, weights: Any, *, delay: int | None = None) -> None:
        """Give a projection other synapses between two steps: those that ``weights`` stores, in the program's units.

        ``weights`` is a SciPy sparse array (post, pre); a zero that it stores is a synapse. Synapses that were there
        keep delay and tag; new ones have tag 0 and ``delay`` steps, without which they share the delays of those that
        went. Spikes under way arrive with the weights they were sent with, also over synapses that are gone. The
        session's program is another one afterwards, and checkpoints hold it.

        Raises :class:`InputError` where the weights do not fit, :class:`UnsupportedError` where the backend's simulator
        cannot have other synapses once it runs; nothing has changed then.
        """
        self._check_open()
        if not self.can_be_rewired:
            raise UnsupportedError(self._no_rewiring)
        with self._alone:
            with simulator_errors(f"backend {self.backend!r} failed to give the state of {self.program.name!r}"):
                program, state = rewired(self.program, self._state(), projection, weights, delay=delay)
            try:
                with simulator_errors(f"backend {self.backend!r} failed to rewire {self.program.name!r}"):
                    self._replace_program(program)
                    self.program = program
                    self._set_state(state)
            except BaseException as error:  # it may hold half of either program
                self._give_up(error)
                raise
            self._memory = _steps_that_matter(program)

    @property
    def can_be_rewired(self) -> bool:
        """Whether :meth:`rewire` works here."""
        return type(self)._replace_program is not Session._replace_program

    @property
    def _no_rewiring(self) -> str:
        return (
            f"backend {self.backend!r} cannot be rewired: its simulator's synapses are set when it is built. Declare every"
            " synapse that may ever exist, with weight 0 where it does not yet, and write weights; or run on a backend that"
            " declares rewiring, as the reference and the emulator do"
        )

    def run(
        self,
        steps: int,
        *,
        inputs: Mapping[str, Any] | None = None,
        modulators: Mapping[str, Any] | None = None,
        stream_to: str | os.PathLike[str] | None = None,
    ) -> Recording:
        """Run ``steps`` time steps.

        ``inputs[name]``: spikes of an input, shape (steps, size), any nonzero entry a spike, or a :class:`SpikeTrain` of
        that shape; inputs not given are silent.
        ``modulators[name]``: third factor, shape (steps,) or (steps, size); not given: 0.
        ``stream_to``: a folder, made where there is none. Probed states other than spikes go there as the run proceeds, to
        ``NAME.VARIABLE.npy`` with their steps in ``NAME.VARIABLE.steps.npy``, and those of the recording are read-only maps
        of these files; no file is written over. After an error the files hold every piece that was complete.

        Raises :class:`InputError` with everything that does not fit, :class:`SimulatorError` where the simulator fails,
        :class:`SimulatorStalled` where it hangs.
        """
        with self._alone:
            return self._run_alone(steps, inputs, modulators, stream_to)

    def _run_alone(
        self,
        steps: int,
        inputs: Mapping[str, Any] | None,
        modulators: Mapping[str, Any] | None,
        stream_to: str | os.PathLike[str] | None,
    ) -> Recording:
        self._check_open()
        fed, factors = checked_inputs(
            self.program, steps, {} if inputs is None else inputs, {} if modulators is None else modulators
        )
        raise_faults(InputError, third_factor_faults(self.program, factors))
        spikes = {
            name: given if isinstance(given, SpikeTrain) else SpikeTrain.from_dense(given)
            for name, given in fed.items()
        }
        rows = {} if self.takes_events else {name: np.asarray(given) for name, given in fed.items()}
        first = self.steps_run
        sent: list[Mapping[str, SpikeTrain]] = []
        states = ProbedStates(self.program, first, stream_to) if self._probes_states else None
        began = time.perf_counter()
        try:
            if self.supervises_itself:
                self._simulate(steps, spikes, rows, factors, sent, states, lambda: None)
            else:
                dog = Watchdog(stall_second=self.stall_second, what=self._running)
                dog.guard(lambda: self._simulate(steps, spikes, rows, factors, sent, states, dog.beat))
        except BaseException as error:
            self._give_up(error)
            if states is not None:
                with suppress(InputError):
                    states.close()
            raise
        wall = time.perf_counter() - began
        for population in self.program.populations:
            spikes[population.name] = SpikeTrain.joined([piece[population.name] for piece in sent])
        return self._recording(first, steps, spikes, states, wall)

    def _simulate(
        self,
        steps: int,
        spikes: Mapping[str, SpikeTrain],
        rows: Mapping[str, BoolArray],
        factors: Mapping[str, FloatArray],
        sent: list[Mapping[str, SpikeTrain]],
        states: ProbedStates | None,
        beat: Callable[[], None],
    ) -> None:
        """The run, in pieces between samples of synapse variables; inputs are ``spikes``, or else ``rows`` of them."""
        first = self.steps_run
        for start, stop in self._pieces(steps):
            modulators, inputs = factors, rows
            if stop - start < steps:
                modulators = {name: values[start:stop] for name, values in factors.items()}
                inputs = {name: values[start:stop] for name, values in rows.items()}
            with simulator_errors(self._failing):
                if self.takes_events:
                    events = {name: train.between(start, stop) for name, train in spikes.items()}
                    advance = self._advance_events(stop - start, events, modulators, beat)
                else:
                    advance = self._advance(stop - start, inputs, modulators, beat)
                advance.check(self.program, stop - start, self.backend)
            sent.append(advance.spikes)
            self.steps_run = first + stop
            if states is not None:
                states.take(start, stop, advance.states)
                for probe in self._synapse_probes:
                    if self.steps_run % probe.every == 0 and stop > start:
                        values = np.array(self._read(probe.target, probe.variable), dtype=np.float64)
                        states.sample((probe.target, probe.variable), stop - 1, values)

    def _recording(
        self, first: int, steps: int, spikes: Mapping[str, SpikeTrain], states: ProbedStates | None, wall: float
    ) -> Recording:
        counts = partial(count_after, self._earlier, self._memory, self.program, spikes, first_step=first, steps=steps)
        self._earlier = followed_by(self._earlier, spikes, steps, self._memory)
        values, sampled = ({}, {}) if states is None else states.whole()
        return Recording(
            program_fingerprint=partial(getattr, self.program, "fingerprint"),
            backend=self.backend,
            seed=self.seed,
            dt=self.program.dt,
            first_step=first,
            steps=steps,
            spikes={name: train for name, train in spikes.items() if name in self._spike_probes},
            states=values,
            state_steps=sampled,
            counts=counts,
            wall_second=wall,
        )

    def _pieces(self, steps: int) -> Iterator[tuple[int, int]]:
        """Runs between samples of probed synapse variables, which are read while the simulator stands still."""
        if not self._probes_states:
            yield 0, steps
            return
        stops = {steps}
        for probe in self._synapse_probes:
            stops.update(range(probe.every - self.steps_run % probe.every, steps, probe.every))
        if self.state_probes:  # so that states which are not due do not pile up
            values = sum(self.program.sizes[name] for name, _ in self.state_probes)
            piece = max(1, STATE_VALUES // values)
            stops.update(range(piece, steps, piece))
        start = 0
        for stop in sorted(stops):
            yield start, stop
            start = stop

    def _give_up(self, error: BaseException) -> None:
        """Close, and remember why."""
        cause = error.__cause__ or error
        self._failed = f"{type(cause).__name__}: {cause}".partition("\n")[0]
        with suppress(SimulatorError):  # what failed first is what the caller hears of
            self.close()

    def _check_open(self) -> None:
        if self._closed:
            reason = f" after it failed with {self._failed}" if self._failed else ""
            raise SimulatorError(f"this {self.backend} session was closed{reason}: open a new one")


def _steps_that_matter(program: Program) -> int:
    """Past steps whose spikes counts need."""
    epochs = [projection.rule.epoch for projection in program.projections if projection.rule is not None]
    return max([1, *(projection.max_delay for projection in program.projections), *epochs])
