"""The emulator backend and its session."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session
from neuromorph.backends.emulator.binding import address, done, kernel
from neuromorph.backends.emulator.learning import rule_faults
from neuromorph.backends.emulator.network import LoadedNetwork, threads_for
from neuromorph.backends.emulator.plain import kernel_availability, open_plain, plain_reason
from neuromorph.backends.emulator.recorder import Recorder
from neuromorph.backends.emulator.state import go_on, state_of
from neuromorph.errors import InputError, is_count
from neuromorph.event_session import EventSession
from neuromorph.parts import NEURON_STATES
from neuromorph.program import Program
from neuromorph.recording import FloatArray, SpikeTrain

CALL_SECOND = 0.05  # of one call into the kernel, after which Ctrl-C and the watchdog are heard
MOST_THREADS = 64


@final
@dataclass(frozen=True)
class EmulatorBackend(Backend):
    """A kernel in C: float in float64, fixed point in the chip's integers, both to the bit."""

    name: ClassVar[str] = "emulator"
    capabilities: ClassVar[Capabilities] = Capabilities(
        agreement="exact",
        fixed_agreement="exact",
        checkpoints=True,
        rewiring=True,
        note="C, many steps a call, on as many threads as pay; in float, learning projections of 10,000 synapses or more agree to rounding unless exact=True",
    )
    threads: int | None = None  # None: as many as pay for the size of the program
    # Large plastic float projections whose rule separates (pair STDP) are summed in another order, to rounding the
    # reference's; True: in the reference's order, to the bit, and several times slower
    exact: bool = False

    def __post_init__(self) -> None:
        if self.threads is not None and not (is_count(self.threads, 1) and self.threads <= MOST_THREADS):
            raise InputError(f"EmulatorBackend.threads must be None or 1..{MOST_THREADS}, got {self.threads!r}")

    def availability(self) -> Availability:
        """Everywhere; without a compiled kernel slowly."""
        return kernel_availability()

    def faults(self, program: Program) -> list[str]:
        """What keeps a program from running here: a rule longer than the kernel holds."""
        return super().faults(program) + rule_faults(program)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        if reason := plain_reason():
            return open_plain(reason, program, seed=seed, stall_second=stall_second)
        threads = threads_for(program) if self.threads is None else self.threads
        return EmulatorSession(program, seed=seed, stall_second=stall_second, threads=threads, is_exact=self.exact)


@final
class EmulatorSession(EventSession):
    """A program in the kernel."""

    def __init__(self, program: Program, *, seed: int, stall_second: float, threads: int, is_exact: bool) -> None:
        super().__init__(program, backend=EmulatorBackend.name, seed=seed, stall_second=stall_second)
        self._kernel = kernel()
        self._net = LoadedNetwork(program, threads, seed=seed, is_exact=is_exact)
        self._recorder = Recorder(self._net)
        self._step = 0
        self._call_steps = 64  # steps of the next call into the kernel

    def _advance_events(
        self,
        steps: int,
        inputs: Mapping[str, SpikeTrain],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        held: list[Any] = [self._feed(name, train) for name, train in inputs.items()]
        for name, learning in self._net.learning.items():
            factors = learning.third_factors(modulators)
            self._net.factors(name, factors)
            held.append(factors)
        states = self._probe(steps)
        self._recorder.begin(steps)
        row = 0
        while row < steps:
            asked = min(steps - row, self._call_steps)
            for learning in self._net.learning.values():
                learning.feed(self._step, asked)
            began = time.perf_counter()
            ran = self._kernel.nm_run(self._net.handle, row, asked, address(self._recorder.used))
            self._step += done(ran, "a run")
            row += ran
            self._pace(ran, time.perf_counter() - began)
            beat()
            if ran < asked:
                self._recorder.grow(steps / max(row, 1))
        del held  # inputs, which the kernel read until now
        return Advance(spikes=self._recorder.trains(steps), states=states)

    def _feed(self, name: str, train: SpikeTrain) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        start, ids = np.empty(train.shape[0] + 1, dtype=np.int64), np.empty(len(train), dtype=np.int32)
        steps, neurons = np.ascontiguousarray(train.steps), np.ascontiguousarray(train.ids)
        self._kernel.nm_lists(
            address(steps), address(neurons), len(train), train.shape[0], address(start), address(ids)
        )
        self._kernel.nm_feed(self._net.handle, self._net.index[name], address(start), address(ids))
        return start, ids

    def _probe(self, steps: int) -> dict[tuple[str, str], FloatArray]:
        states: dict[tuple[str, str], FloatArray] = {
            key: np.empty((steps, self.program.sizes[key[0]])) for key in self.state_probes
        }
        for name in dict.fromkeys(name for name, _ in states):
            rows = (address(states.get((name, variable))) for variable in NEURON_STATES)
            self._kernel.nm_probe(self._net.handle, self._net.index[name], *rows)
        return states

    def _pace(self, ran: int, second: float) -> None:
        """Choose the steps of the next call; a slow one counts at once, a fast one doubles them at most."""
        fitting = int(ran * CALL_SECOND / max(second, 1e-6))
        self._call_steps = max(1, min(fitting, 2 * self._call_steps))

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        if owner in self._net.neurons:
            return self._net.neurons[owner].read(variable)
        if owner in self._net.learning:
            return self._net.learning[owner].read(variable)
        return self._net.weights[owner]

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        if owner in self._net.neurons:
            self._net.neurons[owner].write(variable, values)
            self._net.parameters_written(owner)
            return
        if owner in self._net.learning:
            self._net.learning[owner].write(variable, values)
            return
        projection = self.program.projection(owner)
        pending = self._net.under_way(projection, self._step)
        self._net.load_weights(projection, values, self._step, pending)

    def _state(self) -> Mapping[str, npt.NDArray[Any]]:
        return state_of(self._net, self._step)

    def _set_state(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        self._step = self.steps_run
        go_on(self._net, self._step, state)

    def _replace_program(self, program: Program) -> None:
        before = self._net
        self._net = LoadedNetwork(program, before.threads, seed=before.seed, is_exact=before.is_exact)
        self._recorder = Recorder(self._net)
        before.free()

    def _reset(self) -> None:
        self._net.reset(self._step)

    def _close(self) -> None:
        self._net.free()
        del self._net, self._recorder
