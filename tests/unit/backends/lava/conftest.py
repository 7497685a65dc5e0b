"""Graphs of stock Lava Processes, one Process that fails in every way there is, and a look at what a run leaves behind."""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing.shared_memory
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lava", reason="lava-nc is not installed")

from neuromorph.backends.lava import compat, model_table, stacks, supervised_runtime
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.watchdog import end_idle_thread


@pytest.fixture(scope="module", autouse=True)
def _interrupts_reach_python() -> Iterator[None]:
    """Ctrl-C works as at a terminal, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are given the time that they need on a busy machine to say why they failed and where they hang."""
    monkeypatch.setattr(supervised_runtime, "_REPORT_SECOND", 5.0)
    monkeypatch.setattr(supervised_runtime, "_EXIT_SECOND", 20.0)
    monkeypatch.setattr(stacks, "_PATIENCE_SECOND", 10.0)


FAILING_STEP = 5


class Faulty(compat.AbstractProcess):  # type: ignore[misc]
    """Passes on what it receives until it fails, in the way that ``mode`` names."""

    def __init__(self, mode: str) -> None:
        super().__init__(mode=mode, name="culprit")
        self.a_in = compat.InPort(shape=(2,))
        self.s_out = compat.OutPort(shape=(2,))
        self.value = compat.Var(shape=(2,), init=0)


def _segfault() -> None:
    # A true one would make the interpreter's fault handler print into the output of the tests.
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)


def _spin(caught: type[BaseException] | None) -> None:
    while True:
        if caught is None:
            time.sleep(0.001)
        else:
            with contextlib.suppress(caught):
                time.sleep(0.001)


@compat.implements(proc=Faulty, protocol=compat.LoihiProtocol)
@compat.requires(compat.CPU)
class FaultyModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    a_in = compat.LavaPyType(compat.PyInPort.VEC_DENSE, float)
    s_out = compat.LavaPyType(compat.PyOutPort.VEC_DENSE, float)
    value = compat.LavaPyType(np.ndarray, float)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.mode: str = proc_params["mode"]
        self.fail("build")
        if self.mode == "exit while built":
            os._exit(3)

    def fail(self, mode: str) -> None:
        if self.mode == mode:
            raise ValueError(f"the fault called {mode}")

    def run_spk(self) -> None:
        data = self.a_in.recv()
        self.value[:] = data
        if self.time_step == FAILING_STEP:
            self.fail("before send")
            self.misbehave()
            data = np.zeros(3) if self.mode == "wrong shape" else data
        self.s_out.send(data)
        if self.time_step == FAILING_STEP:
            self.fail("after send")

    def misbehave(self) -> None:
        match self.mode:
            case "SystemExit":
                raise SystemExit("the fault called SystemExit")
            case "KeyboardInterrupt":
                raise KeyboardInterrupt("the fault called KeyboardInterrupt")
            case "os._exit(3)":
                os._exit(3)
            case "os._exit(0)":
                os._exit(0)
            case "segmentation fault":
                _segfault()
            case "endless loop":
                _spin(None)
            case "endless loop that catches Exception":
                _spin(Exception)
            case "deadlock":
                self.a_in.recv()
            case "pause":
                self._req_pause = True
            case "stop":
                self._req_stop = True

    def lrn_guard(self) -> bool:
        return self.mode == "learning" and self.time_step == FAILING_STEP

    def run_lrn(self) -> None:
        self.fail("learning")

    def post_guard(self) -> bool:
        return self.mode == "post-management" and self.time_step == FAILING_STEP

    def run_post_mgmt(self) -> None:
        self.fail("post-management")

    def _stop(self) -> None:
        self.fail("stopping")
        super()._stop()


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A graph and its Processes by name."""

    processes: Mapping[str, Any]
    configuration: Any

    @property
    def first(self) -> Any:
        return next(iter(self.processes.values()))

    def __getitem__(self, name: str) -> Any:
        return self.processes[name]


@pytest.fixture
def faulty_graph() -> Callable[[str], Graph]:
    """A source, the faulty Process in the given mode, and a sink."""

    def build(mode: str) -> Graph:
        source = compat.SourceRingBuffer(data=np.arange(20.0).reshape(2, 10))
        culprit = Faulty(mode)
        sink = compat.SinkRingBuffer(shape=(2,), buffer=100)
        source.s_out.connect(culprit.a_in)
        culprit.s_out.connect(sink.a_in)
        table = {**model_table.FLOAT_MODELS, Faulty: FaultyModel}
        return Graph(
            processes={"source": source, "culprit": culprit, "sink": sink},
            configuration=model_table.run_configuration(table),
        )

    return build


@pytest.fixture
def plastic_graph() -> Callable[[str], Graph]:
    """Plastic, recurrent, delayed and sparse connections between two populations, watched in both ways Lava has."""

    def build(arithmetic: str, steps: int = 64) -> Graph:
        fixed = arithmetic == "fixed"
        rng = np.random.default_rng(7)
        source = compat.SourceRingBuffer(data=(rng.random((12, 50)) < 0.2).astype(int))
        rule = compat.STDPLoihi(
            learning_rate=1,
            A_plus=1 if fixed else 0.125,
            A_minus=-1 if fixed else -0.125,
            tau_plus=10,
            tau_minus=10,
            t_epoch=2,
            rng_seed=11,
        )
        plastic = compat.LearningDense(
            weights=rng.integers(0, 40, (8, 12)), learning_rule=rule, sign_mode=compat.SignMode.MIXED
        )
        decay = {"du": 400, "dv": 200} if fixed else {"du": 0.1, "dv": 0.05}
        hidden = compat.LIF(shape=(8,), vth=120, bias_mant=2, name="hidden", **decay)
        recurrent = compat.Dense(weights=rng.integers(-30, 30, (8, 8)))
        delayed = compat.DelayDense(
            weights=rng.integers(-40, 60, (5, 8)), delays=rng.integers(0, 4, (5, 8)), max_delay=4
        )
        output = compat.LIF(shape=(5,), vth=60, name="output", **decay)
        sparse = compat.Sparse(weights=_sparse(rng, (8, 5)))
        sink = compat.SinkRingBuffer(shape=(5,), buffer=steps)
        source.s_out.connect(plastic.s_in)
        plastic.a_out.connect(hidden.a_in)
        hidden.s_out.connect(plastic.s_in_bap)
        hidden.s_out.connect(recurrent.s_in)
        recurrent.a_out.connect(hidden.a_in)
        hidden.s_out.connect(delayed.s_in)
        delayed.a_out.connect(output.a_in)
        output.s_out.connect(sparse.s_in)
        sparse.a_out.connect(hidden.a_in)
        output.s_out.connect(sink.a_in)
        voltage, weights = compat.Monitor(), compat.Monitor()
        voltage.probe(hidden.v, steps)
        weights.probe(plastic.weights, steps)
        table = model_table.FIXED_MODELS if fixed else model_table.FLOAT_MODELS
        return Graph(
            processes={
                "plastic": plastic,
                "hidden": hidden,
                "output": output,
                "recurrent": recurrent,
                "sparse": sparse,
                "sink": sink,
                "voltage": voltage,
                "weights": weights,
                "source": source,
            },
            configuration=model_table.run_configuration(table),
        )

    return build


def _sparse(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix(np.where(rng.random(shape) < 0.5, rng.integers(-20, 20, shape), 0))


@pytest.fixture(params=[InProcessRun, MultiProcessRun], ids=["in-process", "multi-process"])
def open_run(request: pytest.FixtureRequest) -> Any:
    """The class of either way of running."""
    return request.param


@pytest.fixture
def both_runs() -> tuple[Any, Any]:
    """The classes of both ways of running."""
    return InProcessRun, MultiProcessRun


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """What this interpreter holds of the operating system."""

    children: frozenset[int]
    threads: frozenset[str]
    files: int
    memory: frozenset[str]
    handlers: int


class Leftovers:
    """Compares what the interpreter holds now with what it held at first."""

    def __init__(self, created: list[str]) -> None:
        self._created = created  # Names of all shared memory that was made here.
        self.before = self.now()

    def now(self) -> Belongings:
        tracker = getattr(resource_tracker._resource_tracker, "_pid", None)  # One for the life of the interpreter.
        children = {int(pid) for task in Path("/proc/self/task").iterdir() for pid in _read(task / "children").split()}
        return Belongings(
            children=frozenset(children - {tracker}),
            threads=frozenset(thread.name for thread in threading.enumerate()),
            files=len(os.listdir("/proc/self/fd")),
            memory=frozenset(name for name in self._created if Path("/dev/shm", name.lstrip("/")).exists()),
            handlers=len(logging.getLogger().handlers),
        )

    def check(self) -> None:
        """Assert that nothing is left; what ends by itself may take a while on a busy machine."""
        deadline = time.monotonic() + 20.0
        while (left := self.left()) and time.monotonic() < deadline:
            gc.collect()
            time.sleep(0.02)
        assert left == []

    def left(self) -> list[str]:
        """What there is now and was not at first; what has ended since then is no fault."""
        now = self.now()
        return [
            *(f"child {pid}" for pid in now.children - self.before.children),
            *(f"thread {name}" for name in now.threads - self.before.threads),
            *(f"shared memory {name}" for name in now.memory - self.before.memory),
            *([f"{now.files} open files, were {self.before.files}"] if now.files > self.before.files else []),
            *(
                [f"{now.handlers} log handlers, were {self.before.handlers}"]
                if now.handlers != self.before.handlers
                else []
            ),
        ]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # The thread has ended.
        return ""


@pytest.fixture
def leftovers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Leftovers]:
    """Fails a test that leaves a child, thread, open file, shared memory or log handler behind."""
    resource_tracker.ensure_running()
    gc.collect()  # What other tests dropped is not ours to count.
    compat.strip_log_handlers()  # Nor the handlers of Processes that they made and never ran.
    end_idle_thread()
    created: list[str] = []
    plain = multiprocessing.shared_memory.SharedMemory.__init__

    def noting(self: Any, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **options)
        created.append(self.name)

    monkeypatch.setattr(multiprocessing.shared_memory.SharedMemory, "__init__", noting)
    found = Leftovers(created)
    yield found
    found.check()
