"""Lava's multi-process runtime under supervision: everything that would hang there is an error here.

The stock runtime waits for its processes without looking whether they live. This one looks while it waits, for every
command; whatever goes wrong, all processes are ended, the shared memory is released, and one error says what happened.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuromorph.backends.lava import actors, compat, graph, stacks, state
from neuromorph.backends.lava.mailbox import Mailbox
from neuromorph.errors import InputError, NeuromorphError, SimulatorError, SimulatorStalled

_LOOK_SECOND = 0.05  # How often the processes are looked at while an answer is awaited.
_REPORT_SECOND = 1.0  # How long a process that is known to have failed may take to say why.
_EXIT_SECOND = 5.0  # How long a process that was told to stop may take to end.


class SupervisedRuntime(compat.Runtime):  # type: ignore[misc]
    """One Executable in operating system processes; made running by :meth:`initialize`, ended by :meth:`destroy`."""

    def __init__(self, executable: Any, *, stall_second: float, mailbox_byte: int) -> None:
        super().__init__(executable, compat.ActorType.MultiProcessing)
        self._stall_second = stall_second
        self._mailbox = Mailbox(max(mailbox_byte, 2 * _largest_variable(executable)))
        self._dumps: Any = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed in destroy()
        self._owner = os.getpid()
        self._answered = threading.Event()
        self._external_ports: list[Any] = []
        self._over: str | None = None  # Why nothing can be run any more.

    @property
    def over(self) -> str | None:
        """Why nothing can be run any more; None while it can."""
        return self._over

    @property
    def steps_begun(self) -> int:
        """Steps begun over all runs."""
        return self._mailbox.steps

    def initialize(self, node_cfg_idx: int = 0) -> None:
        """Start all processes and wait until each has built its part."""
        del node_cfg_idx
        with self._ending_on_failure():
            with _forking():
                self._build_watchdog_manager()
                self._build_message_infrastructure()
                self._build_channels()
                self._build_sync_channels()
                self._build_processes()
                self._build_runtime_services()
            self._start_ports()
            for port in self.service_to_runtime:
                port.observer = self._answered.set
            self._wait_until(lambda: all(actor.is_built for actor in self._actors), "building")
            self._is_initialized = self._is_started = True

    def begin(self, steps: int) -> None:
        """Tell the processes to run ``steps`` steps."""
        with self._ending_on_failure():
            self._is_running = True
            for port in self.runtime_to_service:
                self._send(port, compat.enum_to_np(steps), "running")

    def finish(self) -> bool:
        """Wait until the steps are done or a model asked to pause or stop; False if it asked to stop."""
        with self._ending_on_failure():
            for port in self.service_to_runtime:
                answer = self._await(port, "running")
                if compat.enum_equal(answer, compat.MGMT_RESPONSE.REQ_PAUSE):
                    self._command(compat.MGMT_COMMAND.PAUSE, compat.MGMT_RESPONSE.PAUSED, "pausing")
                    break
                if compat.enum_equal(answer, compat.MGMT_RESPONSE.REQ_STOP):
                    return False
                self._expect(answer, compat.MGMT_RESPONSE.DONE, "running")
            self._is_running = False
            return True

    def read(self, process: Any, name: str) -> Any:
        """An attribute of the ProcessModel of ``process``."""
        return self._exchange(process, compat.MGMT_COMMAND.GET_DATA, name)

    def write(self, process: Any, name: str, value: Any, options: dict[str, bool]) -> None:
        """Set an attribute of the ProcessModel of ``process``."""
        self._exchange(process, compat.MGMT_COMMAND.SET_DATA, (name, value, options))

    def stop(self) -> None:
        """Let every model stop and release everything; twice is once."""
        if self._over is not None or os.getpid() != self._owner:
            return  # A forked child holds a copy of every run of its parent; they are not its own.
        try:
            with self._ending_on_failure():
                self._command(compat.MGMT_COMMAND.STOP, compat.MGMT_RESPONSE.TERMINATED, "stopping")
                self._wait_until(lambda: not any(actor.is_alive() for actor in self._actors), "stopping")
        finally:
            self.destroy("it was closed")

    def start(self, run_condition: Any) -> None:
        """What ``Process.run`` calls."""
        self.require_open()
        self.begin(run_condition.num_steps)
        if not self.finish():
            self.stop()

    def wait(self) -> None:
        """Every run is waited for."""

    def pause(self) -> None:
        """Every run is waited for."""

    def get_var(self, var_id: int, idx: Any = None) -> Any:
        """What ``Var.get`` calls."""
        process, var = self._var(var_id)
        values = state.to_message(self.read(process, var.name), tuple(var.shape))
        return values[idx] if idx else values

    def set_var(self, var_id: int, value: Any, idx: Any = None) -> None:
        """What ``Var.set`` calls."""
        process, var = self._var(var_id)
        buffer = value[idx] if idx else value
        current = self.read(process, var.name)
        self.write(process, var.name, state.from_message(current, buffer), {"notify": True})

    def require_open(self) -> None:
        """Refuse to go on with a run that is over: Lava's would write to memory that is gone, and crash Python."""
        if self._over is not None:
            raise SimulatorError(f"this Lava run is over ({self._over}); open another one on a new graph")

    def destroy(self, reason: str, patience_second: float = 0.0) -> None:
        """End all processes at once and release the shared memory, whatever state they are in."""
        if self._over is not None or os.getpid() != self._owner:
            return
        self._over = reason
        self._is_started = self._is_running = self._is_initialized = False
        with _uninterrupted():
            for actor in self._actors:
                actor.release(patience_second)
            self._release_memory()
            self._mailbox.close()
            self._dumps.close()

    def __del__(self) -> None:
        """Lava stops a runtime here, with processes that may be dead; the owner of this one destroys it."""

    @property
    def _actors(self) -> list[Any]:
        infrastructure: Any = self._messaging_infrastructure
        return list(infrastructure.actors) if infrastructure is not None else []

    def _build_message_infrastructure(self) -> None:
        self._messaging_infrastructure = actors.Infrastructure(self._mailbox, self._dumps)
        self._messaging_infrastructure.start()

    def _build_processes(self) -> None:
        for process, builder in self._executable.proc_builders.items():
            process.runtime = self
            self._create_external_channels(process, builder)
            for port in [*process.in_ports.members, *process.out_ports.members]:
                ends = ("external_pipe_csp_send_port", "external_pipe_csp_recv_port")
                self._external_ports += [port.__dict__[end] for end in ends if port.__dict__.get(end) is not None]
            title = f"{graph.label(process)} ({builder.proc_model.__name__})"
            self._messaging_infrastructure.build_actor(title, builder)

    def _build_runtime_services(self) -> None:
        for builder in self._executable.runtime_service_builders.values():
            self._messaging_infrastructure.build_actor("the runtime service", builder)

    def _exchange(self, process: Any, command: Any, letter: Any) -> Any:
        self.require_open()
        services = list(self._executable.runtime_service_builders.values())
        index = next((i for i, one in enumerate(services) if process.id in one._model_ids), None)
        if index is None:
            raise InputError(f"{graph.label(process)} is not part of this run")
        self._mailbox.put(letter)  # Refused before anything is asked if it is too large.
        with self._ending_on_failure():
            service = self.runtime_to_service[index]
            messages = [command, compat.enum_to_np(process.id), compat.enum_to_np(0)]
            if command is compat.MGMT_COMMAND.SET_DATA:
                messages.append(compat.enum_to_np(0))
            for message in messages:
                self._send(service, message, "exchanging state")
            self._await(self.service_to_runtime[index], "exchanging state")
            outcome, answer = self._mailbox.take()
        if outcome == "refused":
            raise InputError(answer)
        if outcome == "failed":
            raise SimulatorError(f"{graph.label(process)} failed while its state was exchanged:\n{answer}")
        return answer

    def _command(self, command: Any, answer: Any, doing: str) -> None:
        for port in self.runtime_to_service:
            self._send(port, command, doing)
        for port in self.service_to_runtime:
            self._expect(self._await(port, doing), answer, doing)

    def _expect(self, answer: Any, expected: Any, doing: str) -> None:
        if not compat.enum_equal(answer, expected):
            # Whoever failed is about to say so; this is raised if it does not.
            self._report_failures(f"Lava's runtime service answered {answer} instead of {expected}", doing)

    def _send(self, port: Any, message: Any, doing: str) -> None:
        self._wait_until(port.probe, doing)  # Sending to a dead process blocks once its channel is full.
        port.send(message)

    def _await(self, port: Any, doing: str) -> Any:
        self._wait_until(port.probe, doing)
        return port.recv()

    def _wait_until(self, condition: Any, doing: str) -> None:
        """Wait, and look after the processes meanwhile."""
        steps = self._mailbox.steps
        last_progress = time.monotonic()
        while not condition():
            self._answered.wait(_LOOK_SECOND)
            self._answered.clear()
            for actor in self._actors:
                actor.look()
                gone = not actor.is_alive()
                if gone:
                    actor.look()  # It may have reported between the two.
                if actor.failure or (gone and (doing != "stopping" or actor.exitcode != 0)):
                    self._report_failures(f"{actor.title}: its process ended with exit code {actor.exitcode}", doing)
            if self._mailbox.steps != steps:
                steps = self._mailbox.steps
                last_progress = time.monotonic()
            elif time.monotonic() - last_progress > self._stall_second:
                raise SimulatorStalled(self._stall_report(doing))

    def _report_failures(self, otherwise: str, doing: str) -> None:
        """Raise what the processes report; ``otherwise`` if they do not."""
        deadline = time.monotonic() + _REPORT_SECOND
        while time.monotonic() < deadline:
            for actor in self._actors:
                actor.look()
            failures = [actor.failure for actor in self._actors if actor.failure and not actor.is_service]
            if failures:
                raise SimulatorError("\n".join(failures))
            lost = [actor for actor in self._actors if not actor.is_alive() and not actor.failure]
            if any(actor.exitcode != 0 for actor in lost):
                break  # Whoever died without a word will say none.
            time.sleep(_LOOK_SECOND)
        failures = [actor.failure for actor in self._actors if actor.failure]
        endings = [f"{actor.title}: its process ended with {_ending(actor.exitcode)}" for actor in lost]
        text = "\n".join(failures or endings or [otherwise])
        raise SimulatorError(f"while {doing}, after the beginning of step {self._mailbox.steps}: {text}")

    def _stall_report(self, doing: str) -> str:
        begun = self._mailbox.steps
        moment = f"while {doing}, step {begun}" if begun else f"while {doing}, before the first step"
        hanging = stacks.hanging(self._actors, self._dumps)
        return (
            f"a Lava run: nothing was completed within {self._stall_second:g} s ({moment}); it hangs here:\n{hanging}"
        )

    @contextlib.contextmanager
    def _ending_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.destroy(str(error).partition("\n")[0] or type(error).__name__)
            if isinstance(error, NeuromorphError) or not isinstance(error, Exception):
                raise
            raise SimulatorError(f"Lava's runtime failed:\n{graph.traceback_of(error)}") from error

    def _release_memory(self) -> None:
        ports = [*self._open_ports, *self._external_ports]
        for port in ports:
            port.join()
        for port in ports:
            if port.thread is not None:
                port.thread.join(_EXIT_SECOND)
            port._array = []  # Views into the shared memory would keep it mapped.
        self._open_ports.clear()
        self._external_ports.clear()
        memory = getattr(self._messaging_infrastructure, "smm", None)
        if memory is None:
            return
        segments = list(memory._shared_memory_handles)
        memory.shutdown()
        for segment in segments:
            # Left over only when the process that keeps them was killed.
            if Path("/dev/shm", segment.name).exists():
                segment.unlink()
        self._watchdog_manager.stop()

    def _var(self, var_id: int) -> tuple[Any, Any]:
        for process in self._executable.proc_builders:
            for var in process.vars.members:
                if var.id == var_id:
                    return process, var
        raise InputError(f"no Process of this run has a Var with id {var_id}")


def _largest_variable(executable: Any) -> int:
    """Bytes of the largest Var, had each element eight."""
    sizes = [var.size for process in executable.proc_builders for var in process.vars.members]
    return 8 * max(sizes, default=0)


def _ending(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exitcode).name}"
    return f"exit code {exitcode}"


@contextlib.contextmanager
def _forking() -> Iterator[None]:
    """Fork as Lava needs it, without deciding the start method for the rest of the program."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of any fork beside other threads. The children here run Lava's code only, as always, and
            # other threads may well exist: NumPy's, or the ports of another run.
            warnings.filterwarnings("ignore", message=r".*fork\(\)", category=DeprecationWarning)
            yield
    finally:
        multiprocessing.set_start_method(before, force=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off a Ctrl-C while processes are being ended, which takes little."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
