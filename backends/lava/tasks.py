"""In-process ProcessModels and Lava's phases: one task per ProcessModel, one step of the Loihi protocol at a time.

A step runs the phases that Lava's runtime service would run, in its order and with the same questions asked of the
models, so that even a guard with a side effect sees the same calls. Where nothing of a model would run in a phase, the
model is left out of it.
"""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable
from typing import Any

import greenlet

from neuromorph.backends.lava import compat, graph
from neuromorph.backends.lava.channels import QueueChannel
from neuromorph.errors import SimulatorError

_PHASE = compat.PyLoihiProcessModel.Phase
_ANSWER = compat.PyLoihiProcessModel.Response
_REQUEST_PRE = int(_ANSWER.REQ_PRE_LRN_MGMT[0])
_REQUEST_LEARNING = int(_ANSWER.REQ_LEARNING[0])
_REQUEST_POST = int(_ANSWER.REQ_POST_LRN_MGMT[0])
REQUEST_PAUSE = int(_ANSWER.REQ_PAUSE[0])
REQUEST_STOP = int(_ANSWER.REQ_STOP[0])
_PHASE_NAMES = {1: "spiking", 2: "pre-management", 3: "learning", 4: "post-management", 5: "host"}

_EXIT_ATTEMPTS = 3  # A model that catches every exit is left to the garbage collector.

Job = Callable[[], None]


class _AnswerPort:
    """Stands for the channel from a model to the runtime service: notes what the model asks for."""

    def __init__(self, answers: set[int]) -> None:
        self._answers = answers

    def send(self, data: Any) -> None:
        answer = int(data[0])
        if answer <= _REQUEST_PRE:  # The others say that a command was carried out, which a call says by returning.
            self._answers.add(answer)

    def join(self) -> None:
        """Nothing to join."""


class _CommandPort:
    """Stands for the channel from the runtime service to a model; commands are calls here."""

    def probe(self) -> bool:
        return False

    def join(self) -> None:
        """Nothing to join."""


class Task:
    """One ProcessModel and the greenlet that runs it."""

    __slots__ = ("busy", "model", "process", "switch", "waiting", "worker")

    def __init__(self, process: Any) -> None:
        self.process = process
        self.model: Any = None
        self.worker: Any = None  # Its greenlet, alive only during a run.
        self.switch: Callable[..., Any] = _not_running
        self.busy = False  # Whether it has begun a job and not ended it.
        self.waiting = ""  # What it waits for, in words.


def _not_running(*_: Any) -> Any:
    raise SimulatorError("a ProcessModel's channel was used outside a run")


class Domain:
    """The ProcessModels of one Executable, stepped together."""

    def __init__(self) -> None:
        self.ready: deque[Task] = deque()
        self.requests: list[QueueChannel] = []
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self.phase = 5
        self.steps = 0  # Steps begun, over all runs.
        self._answers: set[int] = set()
        self._hub: Any = None
        self._jobs: dict[int, list[tuple[Task, Job]]] = {}

    def add(self, process: Any, builder: Any) -> Task:
        """Build the ProcessModel of ``process``; its channels must be connected."""
        task = Task(process)
        self.current = task
        task.model = builder.build()
        task.model.service_to_process = _CommandPort()
        task.model.process_to_service = _AnswerPort(self._answers)
        self.current = None
        self.tasks.append(task)
        return task

    def prepare(self) -> None:
        """List, for each phase, the models that have something to do in it."""
        stock = compat.PyLoihiProcessModel
        self._jobs = {number: [] for number in _PHASE_NAMES}
        for task in self.tasks:
            model = task.model
            commands = model._cmd_handlers
            own_guards = any(_overrides(model, stock, guard) for guard in ("pre_guard", "lrn_guard", "post_guard"))
            lean = not _overrides(model, stock, "_spike") and commands[_PHASE.SPK[0]] == model._spike
            spike = _lean_spike(model, self._answers, own_guards) if lean else commands[_PHASE.SPK[0]]
            self._jobs[1].append((task, spike))
            for number, handler in ((2, "_pre_mgmt"), (3, "_lrn"), (4, "_post_mgmt")):
                command = commands[float(number)]
                if own_guards or _overrides(model, stock, handler) or command != getattr(model, handler):
                    self._jobs[number].append((task, command))
            self._jobs[5].append((task, commands[_PHASE.HOST[0]]))

    def enter(self) -> None:
        """See that each task has a greenlet that returns to the calling one; they are kept for the next run from it."""
        caller = greenlet.getcurrent()
        if self._hub is caller:
            return
        self.leave()
        self._hub = caller
        done = caller.switch

        def serve(job: Job | None) -> bool:
            while job is not None:
                job()
                job = done(True)
            return True

        for task in self.tasks:
            task.worker = greenlet.greenlet(serve, self._hub)
            task.switch = task.worker.switch

    def leave(self) -> None:
        """End the greenlets, wherever in a model they are suspended.

        Those of another thread cannot be entered from here; they end when they are freed.
        """
        same_thread = self._hub is greenlet.getcurrent()
        for task in self.tasks:
            worker, task.worker, task.switch = task.worker, None, _not_running
            for _ in range(_EXIT_ATTEMPTS if same_thread else 0):
                if not worker:
                    break
                with contextlib.suppress(BaseException):  # Only the failure that led here is reported.
                    worker.throw(greenlet.GreenletExit)
        self._hub = None
        self.ready.clear()
        self.requests.clear()

    def step(self) -> int:
        """Run one step; 0, or the model's request to pause or stop that ends the run after it."""
        self.steps += 1
        answers = self._answers
        self._run_phase(1)
        while answers:
            if _REQUEST_PRE in answers:
                answers.discard(_REQUEST_PRE)
                self._run_phase(2)
                answers.add(_REQUEST_LEARNING)  # Every model's own answer, also of those left out.
            elif _REQUEST_LEARNING in answers:
                answers.discard(_REQUEST_LEARNING)
                self._run_phase(3)
            elif _REQUEST_POST in answers:
                answers.discard(_REQUEST_POST)
                self._run_phase(4)
            else:
                request = REQUEST_PAUSE if REQUEST_PAUSE in answers else REQUEST_STOP
                ended = request in answers
                answers.clear()
                return request if ended else 0
        return 0

    def rest(self) -> None:
        """The host phase that ends a run: VarPorts still answer."""
        self._run_phase(5)

    def stop(self) -> None:
        """Let every model handle the command to stop."""
        for task in self.tasks:
            self.current = task
            if not task.switch(task.model._cmd_handlers[compat.MGMT_COMMAND.STOP[0]]):
                task.busy = True
                self._finish(1)

    def wait(self, channel: QueueChannel, *, sending: bool) -> None:
        """Suspend the running task until the other end of ``channel`` was used."""
        task = self.current
        if task is None or task.worker is not greenlet.getcurrent():
            _not_running()
        elif sending:
            channel.writer, task.waiting = task, f"waits for room on {channel.text}"
        else:
            channel.reader, task.waiting = task, f"waits to receive on {channel.text}"
        self._hub.switch(False)

    def give_way(self) -> None:
        """Let every other task run as far as it can."""
        task = self.current
        if task is not None and task.worker is greenlet.getcurrent():
            task.waiting = "polls a port"
            self.ready.append(task)
            self._hub.switch(False)

    def where(self) -> str:
        """Where the run is, in words."""
        task = self.current
        name = f"{graph.label(task.process)} ({_model_name(task)})" if task is not None else "the scheduler"
        if not self._jobs:
            return f"{name} while it was built"
        return f"{name} in the {_PHASE_NAMES[self.phase]} phase of step {self.steps}"

    def _run_phase(self, number: int) -> None:
        self.phase = number
        unfinished = 0
        for task, job in self._jobs[number]:
            self.current = task
            if not task.switch(job):
                task.busy = True
                unfinished += 1
        if unfinished or (self.requests and number not in (1, 3)):
            self._finish(unfinished)

    def _finish(self, unfinished: int) -> None:
        """Resume waiting tasks until every job of the phase has ended; VarPorts answer between the jobs of their task.

        Like Lava's, they answer in the management and host phases only, and only when their own model's job is done.
        """
        serving = self.phase not in (1, 3)
        while True:
            while self.ready:
                task = self.ready.popleft()
                self.current = task
                if task.switch():
                    task.busy, task.waiting = False, ""
                    unfinished -= 1
            served = self._serve() if serving else None
            if served is None:
                break
            unfinished += served
        if unfinished:
            raise SimulatorError(self._deadlock())

    def _serve(self) -> int | None:
        """Let one VarPort answer; returns how many tasks began to wait in it, None if no VarPort can answer."""
        for position, channel in enumerate(self.requests):
            task = channel.served_by
            if task.busy:
                continue
            del self.requests[position]
            if not channel.queue:
                return 0
            self.current = task
            if task.switch(channel.service):
                return 0
            task.busy = True
            return 1
        return None

    def _deadlock(self) -> str:
        lines = [
            f"  {graph.label(task.process)} ({_model_name(task)}) {task.waiting}" for task in self.tasks if task.busy
        ]
        return "\n".join(
            [
                f"deadlock in the {_PHASE_NAMES[self.phase]} phase of step {self.steps}: no ProcessModel can go on",
                *lines,
            ]
        )


def _model_name(task: Task) -> str:
    return str(task.process.model_class.__name__)


def _overrides(model: Any, stock: type, name: str) -> bool:
    return getattr(getattr(model, name), "__func__", None) is not getattr(stock, name)


def _lean_spike(model: Any, answers: set[int], own_guards: bool) -> Job:
    """The stock handler of the spiking phase without what cannot have an effect in this model.

    Lava's looks through all ports of the model and sets attributes through a hook that looks for ports.
    """
    attributes = model.__dict__
    phase = _PHASE.SPK
    stock = compat.PyLoihiProcessModel
    advance = _overrides(model, stock, "advance_to_time_step") or any(
        isinstance(port, compat.PyOutPort) and _overrides(port, compat.PyOutPort, "advance_to_time_step")
        for port in model.py_ports
    )

    def spike() -> None:
        attributes["time_step"] += 1
        attributes["phase"] = phase
        model.run_spk()
        if advance:
            model.advance_to_time_step(model.time_step + 1)
        if attributes["_req_pause"] or attributes["_req_stop"]:
            model._handle_pause_or_stop_req()
        elif own_guards:
            # The guards are asked in this order and as often as Lava does it.
            if model.lrn_guard() and model.pre_guard():
                answers.add(_REQUEST_PRE)
            elif model.lrn_guard():
                answers.add(_REQUEST_LEARNING)
            elif model.post_guard():
                answers.add(_REQUEST_POST)

    return spike


def serve_var_ports(task: Task, channels: dict[Any, QueueChannel]) -> None:
    """Note, on each channel that ends at a VarPort of ``task``, who answers there; ``channels`` is keyed by port."""
    for var_port in task.model.var_ports:
        for port in var_port.csp_ports:
            if isinstance(port, compat.CspRecvPort):
                channel = channels[port]
                channel.served_by = task
                channel.service = functools.partial(task.model._handle_var_port, var_port)
