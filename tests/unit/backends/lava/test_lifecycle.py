"""Runs come and go without a trace: in one interpreter many times, and when the interpreter itself is ended."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun

SOON = 30.0  # Seconds within which a process must end, on a loaded machine.

ENDLESS = """
import signal
import sys
signal.alarm(300)  # Should nobody end it.
import numpy as np
from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.multi_process import MultiProcessRun

source = compat.SourceRingBuffer(data=np.ones((3, 4)))
dense = compat.Dense(weights=np.ones((2, 3)))
neurons = compat.LIF(shape=(2,))
source.s_out.connect(dense.s_in)
dense.a_out.connect(neurons.a_in)
with MultiProcessRun(source, model_table.run_configuration(model_table.FLOAT_MODELS)) as run:
    run.run(3)
    handles = run._runtimes[0]._messaging_infrastructure.smm._shared_memory_handles
    print(*(handle.name for handle in handles), flush=True)
    run.run(10**9)
"""


@pytest.mark.parametrize(
    ("run_class", "cycles"),
    [
        pytest.param(InProcessRun, 50, id="in-process"),
        pytest.param(MultiProcessRun, 10, id="multi-process"),
        pytest.param(MultiProcessRun, 50, id="multi-process-50", marks=pytest.mark.slow),
    ],
)
def test_many_runs_leave_nothing_behind(
    run_class: Any, cycles: int, plastic_graph: Callable[..., Any], leftovers: Any
) -> None:
    peaks = []
    alive: list[weakref.ref[Any]] = []
    for cycle in range(cycles):
        graph = plastic_graph("float")
        alive.extend(weakref.ref(process) for process in graph.processes.values())
        with run_class(graph.first, graph.configuration) as run:
            run.run(5)
        del graph, run
        leftovers.check()
        if cycle % 5 == 4:
            gc.collect()
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert [reference() for reference in alive if reference() is not None] == []
    assert peaks[-1] - peaks[len(peaks) // 2] < 4 * 1024  # KiB; each Process kept would add its Vars and rule.


@pytest.mark.parametrize("run_class", [InProcessRun, MultiProcessRun])
def test_failed_runs_leave_nothing_behind(run_class: Any, faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    alive = []
    for mode in ("build", "before send", "learning", "stopping") * 2:
        graph = faulty_graph(mode)
        alive.append(weakref.ref(graph["culprit"]))
        try:
            with run_class(graph.first, graph.configuration) as run:
                run.run(10)
        except Exception:
            pass
        else:
            pytest.fail("it should have failed")
        graph = run = None
        leftovers.check()
    gc.collect()
    assert [reference() for reference in alive if reference() is not None] == []


def test_two_runs_may_be_open_at_once(open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    one, other = faulty_graph("none"), faulty_graph("none")
    with open_run(one.first, one.configuration) as first, open_run(other.first, other.configuration) as second:
        first.run(2)
        second.run(3)
        first.run(4)
        first.close()
        second.run(1)
        assert second.read(other["culprit"], "time_step") == 4


def test_closing_a_run_spares_the_graph_that_is_being_built(faulty_graph: Callable[[str], Any]) -> None:
    graph = faulty_graph("none")
    with InProcessRun(graph.first, graph.configuration):
        early = compat.LIF(shape=(1,))
    late = compat.LIF(shape=(1,))
    assert early.id != late.id
    assert early.v.id != late.v.id
    compat.forget([early, late])


def test_handlers_of_the_user_stay(faulty_graph: Callable[[str], Any]) -> None:
    mine = logging.StreamHandler()
    mine.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.addHandler(mine)
    try:
        graph = faulty_graph("none")
        with InProcessRun(graph.first, graph.configuration):
            pass
        assert mine in root.handlers
    finally:
        root.removeHandler(mine)


@pytest.fixture
def endless() -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """An interpreter in a session of its own that runs for ever, and the names of its shared memory."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    too_slow = threading.Timer(4 * SOON, end_members_of, (process.pid,))
    too_slow.start()
    try:
        names = process.stdout.readline().split()
    finally:
        too_slow.cancel()
        too_slow.join()
    try:
        assert names, process.communicate(timeout=SOON)
        yield process, names
    finally:
        end_members_of(process.pid)
        process.communicate(timeout=SOON)


def end_members_of(session: int) -> None:
    for pid in members_of(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def members_of(session: int) -> set[int]:
    """Processes of a session, zombies left out."""
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                members.add(int(entry.name))
    return members


def wait_until_gone(session: int, names: list[str]) -> None:
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        left = members_of(session), [name for name in names if Path("/dev/shm", name.lstrip("/")).exists()]
        if not any(left):
            return
        time.sleep(0.05)
    pytest.fail(f"left behind: {left}")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_killed_parent_leaves_no_orphans(
    ending: signal.Signals, endless: tuple[subprocess.Popen[str], list[str]]
) -> None:
    process, names = endless
    assert len(members_of(process.pid)) > 5
    process.send_signal(ending)
    assert process.wait(SOON) == -ending
    wait_until_gone(process.pid, names)


@pytest.mark.parametrize("to_group", [True, False], ids=["from the terminal", "to the parent only"])
def test_ctrl_c_ends_parent_and_children(to_group: bool, endless: tuple[subprocess.Popen[str], list[str]]) -> None:
    process, names = endless
    if to_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SOON)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1
    wait_until_gone(process.pid, names)


def test_interpreter_ends_although_a_run_is_open() -> None:
    code = (
        ENDLESS.replace("with ", "run = ").replace(" as run:", "").replace("\n    ", "\n").replace("run.run(10**9)", "")
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=180, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
