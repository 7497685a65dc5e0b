"""Run a graph of stock Lava Processes on Lava's own runtime, one operating system process each, supervised.

The same numbers as :class:`neuromorph.backends.lava.in_process.InProcessRun` at many times the cost: for checking that
claim, for models that need a process of their own, and for graphs with pipes to the outside.
"""

from __future__ import annotations

import multiprocessing
import sys
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from neuromorph.backends.lava import compat, graph
from neuromorph.backends.lava.supervised_runtime import SupervisedRuntime
from neuromorph.errors import InputError, SimulatorError

MAILBOX_BYTE = 16 * 2**20
"""The least room for one value that is read or written; memory is taken only as far as it is used."""


class MultiProcessRun:
    """A compiled graph that is run in chunks of steps; a context manager.

    Parameters and errors are those of :class:`neuromorph.backends.lava.in_process.InProcessRun`. ``stall_second`` is
    counted from the last step that any process began. ``mailbox_byte`` is the room for one value in :meth:`read` and
    :meth:`write`; at least twice the largest Var. Needs an operating system that can fork.
    """

    def __init__(
        self,
        processes: graph.Processes,
        configuration: Any,
        *,
        stall_second: float = 60.0,
        compile_config: Mapping[str, Any] | None = None,
        mailbox_byte: int = MAILBOX_BYTE,
    ) -> None:
        if not stall_second > 0.0:
            raise ValueError(f"MultiProcessRun.stall_second must be > 0 s, got {stall_second}")
        if sys.platform == "win32":
            raise SimulatorError("Lava's multi-process runtime needs fork, which Windows lacks: use the in-process run")
        if multiprocessing.current_process().daemon:
            raise SimulatorError(
                "a daemonic process, such as a worker of multiprocessing.Pool, may have no children: use the in-process run,"
                " or workers of concurrent.futures.ProcessPoolExecutor"
            )
        self._graph = graph.compile_graph(processes, configuration, compile_config)
        self._runtimes: list[SupervisedRuntime] = []
        # Also when it is dropped without close(), and when the interpreter ends: the children must not outlive it.
        self._finalizer = weakref.finalize(self, _destroy, self._runtimes, self._graph.processes)
        try:
            for executable in self._graph.executables:
                runtime = SupervisedRuntime(executable, stall_second=stall_second, mailbox_byte=mailbox_byte)
                self._runtimes.append(runtime)
                runtime.initialize()
        except BaseException:
            self._finalizer()
            raise

    @property
    def steps(self) -> int:
        """Steps completed since the beginning."""
        return self._steps

    _steps = 0

    @property
    def closed(self) -> bool:
        """Whether it can run no more."""
        return any(runtime.over is not None for runtime in self._runtimes)

    def run(self, steps: int) -> int:
        """Run ``steps`` more steps; returns how many were run, which is fewer if a model asked to pause or stop."""
        self._require_open()
        goes_on = True
        try:
            for runtime in self._runtimes:
                runtime.begin(steps)
            for runtime in self._runtimes:
                goes_on = runtime.finish() and goes_on
        except BaseException:
            self._finalizer()
            raise
        before, self._steps = self._steps, min(runtime.steps_begun for runtime in self._runtimes)
        if not goes_on:
            self.close()
        return self._steps - before

    def read(self, process: Any, name: str) -> Any:
        """A copy of an attribute (any Var) of the ProcessModel of ``process``."""
        return self._runtime_of(process).read(process, name)

    def write(self, process: Any, name: str, value: Any, *, notify: bool = False, resize: bool = False) -> None:
        """Set an attribute of the ProcessModel of ``process``; see :func:`state.write_attribute`."""
        self._runtime_of(process).write(process, name, value, {"notify": notify, "resize": resize})

    def close(self) -> None:
        """Let the models stop and release everything; twice is once."""
        try:
            for runtime in self._runtimes:
                runtime.stop()
        finally:
            self._finalizer()

    def __enter__(self) -> MultiProcessRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        if error is None:
            self.close()
        else:
            self._finalizer()

    def _runtime_of(self, process: Any) -> SupervisedRuntime:
        self._require_open()
        runtime = process.runtime
        if not any(runtime is one for one in self._runtimes):
            raise InputError(f"{graph.label(process)} is not part of this run")
        return runtime  # type: ignore[no-any-return]

    def _require_open(self) -> None:
        for runtime in self._runtimes:
            runtime.require_open()


def _destroy(runtimes: list[SupervisedRuntime], processes: tuple[Any, ...]) -> None:
    for runtime in runtimes:
        runtime.destroy("it was abandoned after a failure")
    compat.forget(processes)
