"""The operating system processes of Lava's runtime, made so that they neither outlive their parent nor die silently.

Each runs one ProcessModel or the runtime service. Stock ones report an exception where nobody looks, leave the parent
waiting when they die, print a traceback on Ctrl-C, and go on computing when the parent is killed.
"""

from __future__ import annotations

import ctypes
import faulthandler
import inspect
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import IO, Any

from neuromorph.backends.lava import compat, graph, state
from neuromorph.backends.lava.mailbox import Mailbox
from neuromorph.errors import InputError

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)  # Makes an actor write where it is.
_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECOND = 0.5
_LONGEST_REPORT = 30_000  # Characters; a pipe takes that much without a reader.
_PHASE_NAMES = {1: "spiking", 2: "pre-management", 3: "learning", 4: "post-management", 5: "host"}
# The files of the frames between a child's entry and the code of its model.
_MACHINERY = frozenset(
    {__file__, inspect.getfile(compat.PyLoihiProcessModel), inspect.getfile(compat.PyProcessBuilder)}
)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, in_main_thread: bool) -> None:
    """Make the calling process end when the process ``parent`` has ended, however that ended.

    The kernel does it on Linux, but takes the end of the *thread* that forked for the end of the parent: a process that
    was forked elsewhere than in the main thread looks for itself.
    """
    if _libc is not None and in_main_thread:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # It ended before the kernel was asked.
            os._exit(1)
        return

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_SECOND)
        os._exit(1)

    threading.Thread(target=look, name="die-with-parent", daemon=True).start()


class Actor(ForkProcess):
    """One operating system process of a run; reports that it was built, or the traceback of what ended it."""

    def __init__(self, builder: Any, title: str, mailbox: Mailbox, dumps: IO[bytes]) -> None:
        super().__init__(name=title)
        self.title = title
        self.is_service = not isinstance(builder, compat.PyProcessBuilder)
        self._builder = builder
        self._mailbox = mailbox
        self._dumps = dumps
        self._parent = os.getpid()
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        self._reports: Connection[Any, Any]
        self._reports, self._report = multiprocessing.Pipe(duplex=False)
        self.is_built = False
        self.failure: str | None = None

    def start(self) -> None:
        """Fork."""
        super().start()
        self._report.close()

    def run(self) -> None:
        """What the child does."""
        body: Any = None
        try:
            die_with_parent(self._parent, self._in_main_thread)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides what a Ctrl-C ends.
            if DUMP_SIGNAL is not None:
                faulthandler.register(DUMP_SIGNAL, file=self._dumps, all_threads=False, chain=False)
            body = self._builder.build()
            if self.is_service:
                _count_steps(body, self._mailbox)
            else:
                _answer_by_mail(body, self._mailbox)
            self._report.send("")
            body.start()
        except BaseException as error:
            text = graph.traceback_of(error, without=_MACHINERY)
            self._report.send(f"{self.title}{_moment(body)} failed:\n{text}"[:_LONGEST_REPORT])
            sys.exit(1)

    def look(self) -> None:
        """Read in the parent what the child reported."""
        while not self._reports.closed and self._reports.poll():
            try:
                report = self._reports.recv()
            except EOFError:  # It has ended.
                break
            if report:
                self.failure = self.failure or report
            else:
                self.is_built = True

    def release(self, patience_second: float) -> None:
        """Give it ``patience_second`` to end by itself, then kill it; nothing of it is left afterwards."""
        if self.pid is not None:  # It was started.
            self.join(patience_second)
            if self.is_alive():
                self.kill()
                self.join()
            self.close()
        self._reports.close()
        self._report.close()


class Infrastructure(compat.MultiProcessing):  # type: ignore[misc]
    """Lava's shared memory and processes, with the actors above in place of its own."""

    def __init__(self, mailbox: Mailbox, dumps: IO[bytes]) -> None:
        super().__init__()
        self._mailbox = mailbox
        self._dumps = dumps

    def start(self) -> None:
        """Start the process that keeps the shared memory."""
        keeper = compat.SharedMemoryManager()
        in_main_thread = threading.current_thread() is threading.main_thread()
        keeper._manager.start(die_with_parent, (os.getpid(), in_main_thread))
        self._smm = keeper

    def build_actor(self, target_fn: Any, builder: Any, exception_q: Any = None) -> Any:
        """Fork one actor; ``target_fn`` is its title here."""
        del exception_q
        actor = Actor(builder, target_fn, self._mailbox, self._dumps)
        self._actors.append(actor)
        actor.start()
        return actor

    def stop(self) -> None:
        """Lava's waits for ever; whoever supervises the run releases everything."""


def _moment(body: Any) -> str:
    if body is None:
        return " while it was built"
    if not isinstance(body, compat.PyLoihiProcessModel):
        return ""
    if body.time_step == 0:
        return " before the first step"
    return f" in the {_PHASE_NAMES[int(body.phase[0])]} phase of step {body.time_step}"


def _count_steps(service: Any, mailbox: Mailbox) -> None:
    if not isinstance(service, compat.LoihiPyRuntimeService):
        return  # An asynchronous domain has no steps.
    send = service._send_pm_cmd
    spiking = compat.PyLoihiProcessModel.Phase.SPK

    def send_and_count(command: Any) -> None:
        if compat.enum_equal(command, spiking):
            mailbox.steps += 1
        send(command)

    service._send_pm_cmd = send_and_count


def _answer_by_mail(model: Any, mailbox: Mailbox) -> None:
    """Answer Lava's commands to get and set a Var with one letter instead of one message per element."""

    def reply(answer: Callable[[], Any]) -> None:
        try:
            mailbox.put(("done", answer()))
        except InputError as error:
            mailbox.put(("refused", str(error)))
        except Exception as error:
            mailbox.put(("failed", graph.traceback_of(error)))

    def get() -> None:
        model.service_to_process.recv()  # Which Var; the letter says it by name.
        name = mailbox.take()
        reply(lambda: state.attribute_of(model, name))
        model.process_to_service.send(compat.enum_to_np(0))  # No elements follow.

    def set_() -> None:
        model.service_to_process.recv()
        model.service_to_process.recv()  # How many elements follow: none.
        name, value, options = mailbox.take()
        reply(lambda: state.write_attribute(model, name, value, **options))
        model.process_to_service.send(compat.MGMT_RESPONSE.SET_COMPLETE)

    model._cmd_handlers[compat.MGMT_COMMAND.GET_DATA[0]] = get
    model._cmd_handlers[compat.MGMT_COMMAND.SET_DATA[0]] = set_
