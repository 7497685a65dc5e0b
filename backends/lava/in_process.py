"""Run a graph of stock Lava Processes in this one process: the same numbers, no fork, no shared memory, plain errors.

Lava's compiler and ProcessModels are used as they are. Only the channels differ (queues), and each ProcessModel lives in
a greenlet instead of an operating system process: it runs until it would block, then the next one does. What blocks for
ever is therefore known at once, and an exception in a model is an exception here.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any, TypeVar

from neuromorph import watchdog
from neuromorph.backends.lava import channels, compat, graph, state, tasks
from neuromorph.errors import InputError, SimulatorError
from neuromorph.watchdog import StallSignal, Watchdog, end_idle_thread

_Result = TypeVar("_Result")

# The files of the frames between a run's entry and the code of a model.
_MACHINERY = frozenset({__file__, tasks.__file__, watchdog.__file__, inspect.getfile(compat.PyProcessBuilder)})


class InProcessRun:
    """A compiled graph that is run in chunks of steps; a context manager.

    ``processes`` is a Process or one of each connected part, ``configuration`` a Lava run configuration
    (:func:`neuromorph.backends.lava.model_table.run_configuration`). A ProcessModel that raises, dead- or livelocks or
    completes no step in ``stall_second`` ends the run with one :class:`SimulatorError`; the run is closed then.

    Differences from operating system processes: models share module globals and NumPy's global random state, and a
    model that waits on anything but its ports makes all others wait.
    """

    def __init__(
        self,
        processes: graph.Processes,
        configuration: Any,
        *,
        stall_second: float = 60.0,
        compile_config: Mapping[str, Any] | None = None,
    ) -> None:
        self._closed: str | None = None  # Why nothing can be run any more.
        self._steps = 0
        self._graph = graph.compile_graph(processes, configuration, compile_config)
        self._domains: list[tasks.Domain] = []
        self._tasks: dict[int, tasks.Task] = {}  # Keyed by the id of the Process.
        self._active: tasks.Domain | None = None
        self._watchdog = Watchdog(stall_second=stall_second, what=self._where)
        try:
            self._guarded(self._build_all)
        except BaseException:
            self._release("it could not be built")
            raise

    @property
    def steps(self) -> int:
        """Steps completed since the beginning."""
        return self._steps

    @property
    def closed(self) -> bool:
        """Whether it can run no more."""
        return self._closed is not None

    def run(self, steps: int) -> int:
        """Run ``steps`` more steps; returns how many were run, which is fewer if a model asked to pause or stop."""
        self._require_open()
        if self._active is not None:
            raise SimulatorError("this Lava run is running already: a ProcessModel cannot run it from inside")
        before = self._steps
        if self._guarded(lambda: self._step(steps)) == tasks.REQUEST_STOP:
            self.close()
        return self._steps - before

    def model(self, process: Any) -> Any:
        """The ProcessModel of a Process: its Vars are plain attributes, to be read and written between runs."""
        try:
            return self._tasks[id(process)].model
        except KeyError:
            raise InputError(f"{graph.label(process)} is not part of this run") from None

    def read(self, process: Any, name: str) -> Any:
        """A copy of an attribute (any Var) of the ProcessModel of ``process``."""
        return state.read_attribute(self.model(process), name)

    def write(self, process: Any, name: str, value: Any, *, notify: bool = False, resize: bool = False) -> None:
        """Set an attribute of the ProcessModel of ``process``; see :func:`state.write_attribute`."""
        self._require_open()
        state.write_attribute(self.model(process), name, value, notify=notify, resize=resize)

    def close(self) -> None:
        """Let the models stop and release everything; twice is once. State can still be read through :meth:`model`."""
        if self._closed is not None:
            return
        if self._active is not None:
            raise SimulatorError("this Lava run is running: a ProcessModel cannot close it from inside")
        try:
            self._guarded(self._stop_all)
        finally:
            self._release("it was closed")

    def __enter__(self) -> InProcessRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        if error is None:
            self.close()
        else:
            self._release(f"the block that used it raised {type(error).__name__}")

    def _build(self, executable: Any) -> tasks.Domain:
        _refuse_what_needs_processes(executable)
        domain = self._active = tasks.Domain()
        by_port: dict[Any, channels.QueueChannel] = {}
        for builder in executable.channel_builders:
            channel, receiver = channels.connect(builder, executable, domain, _channel_text(builder))
            by_port[receiver] = channel
        # A forked model sees its own copy of what the Process was given; Processes themselves are not copied.
        shared = {id(process): process for process in executable.process_list}
        for process, builder in executable.proc_builders.items():
            builder.proc_params = copy.deepcopy(builder.proc_params, dict(shared))
            for variable in builder.vars.values():
                variable.value = copy.copy(variable.value)  # Arrays are copied by Lava, sparse matrices are not.
            task = domain.add(process, builder)
            self._tasks[id(process)] = task
            tasks.serve_var_ports(task, by_port)
            process.runtime = _VarAccess(self, task)
        domain.prepare()
        return domain

    def _build_all(self) -> None:
        for executable in self._graph.executables:
            self._domains.append(self._build(executable))

    def _step(self, steps: int) -> int:
        """Run steps until they are done or a model makes a request, which is returned."""
        beat = self._watchdog.beat
        last = self._steps + steps
        request = 0
        for domain in self._domains:
            domain.enter()
        while self._steps < last and not request:
            for domain in self._domains:
                self._active = domain
                request = min(domain.step(), request)
            self._steps += 1
            beat()
        for domain in self._domains:
            self._active = domain
            domain.rest()
        return request

    def _stop_all(self) -> None:
        for domain in self._domains:
            self._active = domain
            domain.enter()
            domain.stop()

    def _guarded(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work``; report whatever the models do wrong as one error, and close the run on it."""

        def work_and_unwind() -> _Result:
            try:
                return work()
            except BaseException:
                self._watchdog.beat()
                for domain in self._domains:
                    domain.leave()  # While the deadline holds: a model may hang in its own clean-up.
                raise

        interrupts: list[int] = []
        try:
            with _noting_interrupts(interrupts):
                return self._watchdog.guard(work_and_unwind)
        except SimulatorError as error:
            self._release(str(error).partition("\n")[0])
            raise
        except BaseException as error:
            where = self._where()
            self._release(f"{where} failed")
            if isinstance(error, StallSignal) or (isinstance(error, KeyboardInterrupt) and interrupts):
                raise  # Another watchdog's, or the user's.
            text = graph.traceback_of(error, without=_MACHINERY)
            raise SimulatorError(f"{where} failed:\n{text}") from error
        finally:
            self._active = None

    def _where(self) -> str:
        return self._active.where() if self._active is not None else "a Lava run"

    def _require_open(self) -> None:
        if self._closed is not None:
            raise SimulatorError(f"this Lava run is over ({self._closed}); open another one on a new graph")

    def _release(self, reason: str) -> None:
        if self._closed is None:
            self._closed = reason
            for domain in self._domains:
                domain.leave()
            end_idle_thread()
            compat.forget(self._graph.processes)


class _VarAccess:
    """What a Process takes for Lava's runtime, so that ``Var.get``, ``Var.set`` and ``Monitor.get_data`` work."""

    def __init__(self, run: InProcessRun, task: tasks.Task) -> None:
        self._run = run
        self._task = task

    def get_var(self, var_id: int, idx: Any = None) -> Any:
        model = self._task.model
        name = model.var_id_to_var_map[var_id]
        values = state.to_message(getattr(model, name), _shape_of(self._task.process, var_id))
        return values[idx] if idx else values

    def set_var(self, var_id: int, value: Any, idx: Any = None) -> None:
        model = self._task.model
        name = model.var_id_to_var_map[var_id]
        buffer = value[idx] if idx else value
        self._run.write(self._task.process, name, state.from_message(getattr(model, name), buffer), notify=True)

    def start(self, condition: Any) -> None:
        self._run.run(condition.num_steps)

    def wait(self) -> None:
        """Every run is waited for."""

    def pause(self) -> None:
        """Every run is waited for."""

    def stop(self) -> None:
        """Processes call this when they are freed; the run belongs to whoever opened it."""


def _shape_of(process: Any, var_id: int) -> tuple[int, ...]:
    return next(tuple(var.shape) for var in process.vars.members if var.id == var_id)


def _channel_text(builder: Any) -> str:
    source = f"{graph.label(builder.src_process)}.{builder.src_port_initializer.name}"
    return f"{source} -> {graph.label(builder.dst_process)}.{builder.dst_port_initializer.name}"


def _refuse_what_needs_processes(executable: Any) -> None:
    remedy = "run it on the multi-process runtime"
    if len(executable.runtime_service_builders) > 1:
        raise SimulatorError(f"this graph has several synchronisation domains, one process can hold one: {remedy}")
    for process, builder in executable.proc_builders.items():
        if not issubclass(builder.proc_model, compat.PyLoihiProcessModel):
            raise SimulatorError(
                f"{graph.label(process)}: {builder.proc_model.__name__} is no PyLoihiProcessModel: {remedy}"
            )
        for port in [*process.in_ports.members, *process.out_ports.members]:
            if port.external_pipe_flag:
                raise SimulatorError(f"{graph.label(process)}.{port.name} is a pipe out of the graph: {remedy}")


@contextlib.contextmanager
def _noting_interrupts(interrupts: list[int]) -> Iterator[None]:
    """Tell a Ctrl-C from a model that raises KeyboardInterrupt: note each interrupt signal before it is handled."""
    handle = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handle):
        yield
        return

    def note(number: int, frame: FrameType | None) -> Any:
        interrupts.append(number)
        return handle(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handle)
