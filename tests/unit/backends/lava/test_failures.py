"""Whatever goes wrong in a ProcessModel is one error within seconds, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.errors import SimulatorError, SimulatorStalled
from neuromorph.watchdog import Watchdog

SOON = 30.0  # Seconds within which an error must come, on a loaded machine.
STALL_SECOND = 5.0  # It must last for the building of the processes, too.


@contextlib.contextmanager
def killing(pid: int, by: signal.Signals, run: Any) -> Iterator[None]:
    """Send a signal once the block has run some steps; should it run on for ever, end it, with an error."""
    over = threading.Event()

    def kill() -> None:
        before = steps_begun(run)
        while not over.wait(0.05):
            if steps_begun(run) > before:
                os.kill(pid, by)
                return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with Watchdog(stall_second=2 * SOON, what="the block"):
            yield
    finally:
        over.set()
        killer.join()


def steps_begun(run: Any) -> int:
    """Steps begun, also while it runs."""
    return int(run.steps if isinstance(run, InProcessRun) else run._runtimes[0].steps_begun)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("build", ["ValueError: the fault called build", 'self.fail("build")']),
        ("before send", ["ValueError: the fault called before send", "spiking phase of step 5", "in run_spk"]),
        ("after send", ["ValueError: the fault called after send", "spiking phase of step 5", "in run_spk"]),
        ("learning", ["ValueError: the fault called learning", "learning phase of step 5", "in run_lrn"]),
        ("post-management", ["ValueError: the fault called post-management", "in run_post_mgmt"]),
        ("wrong shape", ["AssertionError", "(3,)", "(2,)", "in run_spk"]),
        ("SystemExit", ["SystemExit: the fault called SystemExit", "in misbehave"]),
        ("KeyboardInterrupt", ["KeyboardInterrupt: the fault called KeyboardInterrupt", "in misbehave"]),
        ("stopping", ["ValueError: the fault called stopping", "in _stop"]),
    ],
)
def test_exception_in_a_model_is_one_error_with_its_traceback(
    mode: str, expected: list[str], open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph(mode)
    began = time.monotonic()
    with pytest.raises(SimulatorError) as caught, open_run(graph.first, graph.configuration) as run:
        run.run(10)
    assert time.monotonic() - began < SOON
    message = str(caught.value)
    assert [part for part in ["Faulty 'culprit' (FaultyModel)", *expected] if part not in message] == []
    assert not isinstance(caught.value, SimulatorStalled)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("os._exit(3)", "exit code 3"),
        ("os._exit(0)", "exit code 0"),
        ("exit while built", "exit code 3"),
        ("segmentation fault", "SIGSEGV"),
    ],
)
def test_death_of_a_process_is_an_error_that_names_it(
    mode: str, ending: str, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph(mode)
    began = time.monotonic()
    with (
        pytest.raises(SimulatorError, match=rf"(?s)Faulty 'culprit'.*{ending}"),
        MultiProcessRun(graph.first, graph.configuration) as run,
    ):
        run.run(10)
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("mode", ["endless loop", "endless loop that catches Exception"])
def test_endless_loop_is_ended_and_located(
    mode: str, open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph(mode)
    began = time.monotonic()
    with (
        pytest.raises(SimulatorStalled, match=r"(?s)step 5.*in _spin"),
        open_run(graph.first, graph.configuration, stall_second=STALL_SECOND) as run,
    ):
        run.run(10)
    assert STALL_SECOND <= time.monotonic() - began < SOON


def test_endless_loop_in_another_thread_is_ended(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("endless loop that catches Exception")
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with InProcessRun(graph.first, graph.configuration, stall_second=2.0) as run:
                run.run(10)
        except BaseException as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(SOON)
    assert not worker.is_alive()
    assert [type(error) for error in raised] == [SimulatorStalled]


def test_deadlock_in_process_names_who_waits_for_whom(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("deadlock")
    with pytest.raises(SimulatorError) as caught, InProcessRun(graph.first, graph.configuration) as run:
        run.run(10)
    message = str(caught.value)
    assert "deadlock in the spiking phase of step 5" in message
    assert f"waits to receive on RingBuffer '{graph['source'].name}'.s_out -> Faulty 'culprit'.a_in" in message
    assert f"waits to receive on Faulty 'culprit'.s_out -> RingBuffer '{graph['sink'].name}'.a_in" in message


def test_deadlock_on_the_stock_runtime_is_located(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("deadlock")
    with (
        pytest.raises(SimulatorStalled, match=r"(?s)Faulty 'culprit'.*self\.a_in\.recv\(\)"),
        MultiProcessRun(graph.first, graph.configuration, stall_second=STALL_SECOND) as run,
    ):
        run.run(10)


def test_run_after_close_is_refused(open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("none")
    with open_run(graph.first, graph.configuration) as run:
        run.run(2)
    assert run.closed
    with pytest.raises(SimulatorError, match="over"):
        run.run(1)
    with pytest.raises(SimulatorError, match="over"):
        run.write(graph["culprit"], "value", [1, 2])
    run.close()


def test_lavas_own_methods_are_safe_after_close(
    open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph("none")
    with open_run(graph.first, graph.configuration) as run:
        graph.first.run(compat.RunSteps(3))
        assert run.read(graph["culprit"], "time_step") == 3
    with pytest.raises(SimulatorError, match="over"):
        graph.first.run(compat.RunSteps(3))
    graph.first.wait()
    graph.first.pause()
    graph.first.stop()


def test_process_that_died_between_runs_is_noticed(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("none")
    run = MultiProcessRun(graph.first, graph.configuration)
    run.run(2)
    os.kill(next(actor.pid for actor in run._runtimes[0]._actors if actor.is_service), signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(SimulatorError, match=r"runtime service.*SIGKILL"):
        run.read(graph["culprit"], "value")
    assert time.monotonic() - began < SOON


def test_run_after_failure_says_what_failed(open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("after send")
    run = open_run(graph.first, graph.configuration)
    with pytest.raises(SimulatorError, match="the fault called after send"):
        run.run(10)
    with pytest.raises(SimulatorError, match="Faulty 'culprit'"):
        run.run(10)
    run.close()


def test_interrupt_is_passed_on_and_ends_the_run(
    open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph("none")
    run = open_run(graph.first, graph.configuration)
    began = time.monotonic()
    with killing(os.getpid(), signal.SIGINT, run), pytest.raises(KeyboardInterrupt):
        run.run(10**9)
    assert time.monotonic() - began < SOON
    assert run.closed


def test_error_in_the_users_block_ends_the_run(
    open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph("stopping")  # Stopping would raise, and hide the error of the block.
    run = open_run(graph.first, graph.configuration)
    run.run(2)
    with pytest.raises(ZeroDivisionError), run:
        raise ZeroDivisionError
    assert run.closed


def test_lost_process_is_noticed(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("none")
    run = MultiProcessRun(graph.first, graph.configuration)
    run.run(2)
    victim = next(actor for actor in run._runtimes[0]._actors if "culprit" in actor.title)
    began = time.monotonic()
    with killing(victim.pid, signal.SIGKILL, run), pytest.raises(SimulatorError, match=r"(?s)culprit.*SIGKILL"):
        run.run(10**9)
    assert time.monotonic() - began < SOON


def test_lost_keeper_of_the_shared_memory_leaves_none_behind(
    faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    graph = faulty_graph("none")
    with MultiProcessRun(graph.first, graph.configuration) as run:
        run.run(2)
        keeper = run._runtimes[0]._messaging_infrastructure.smm._manager._process
        os.kill(keeper.pid, signal.SIGKILL)
        keeper.join(SOON)


def test_dropped_run_is_ended_by_the_collector(faulty_graph: Callable[[str], Any], leftovers: Any) -> None:
    graph = faulty_graph("none")
    run = MultiProcessRun(graph.first, graph.configuration)
    run.run(2)
    del run
    leftovers.check()


def test_missing_model_is_an_error_that_names_the_process(
    open_run: Any, faulty_graph: Callable[[str], Any], leftovers: Any
) -> None:
    from neuromorph.backends.lava import model_table

    graph = faulty_graph("none")
    with pytest.raises(SimulatorError, match=r"no ProcessModel is given for Process class .*Faulty"):
        open_run(graph.first, model_table.run_configuration(model_table.FLOAT_MODELS))
