"""A block that makes no progress is told so where it hangs, and never after it has ended."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from neuromorph import watchdog
from neuromorph.errors import SimulatorStalled
from neuromorph.watchdog import StallSignal, Watchdog, end_idle_thread

STALL_SECOND = 1.0  # long enough that a busy machine does not stall a block that has yet to begin


def spin(second: float = 30.0) -> None:
    deadline = time.monotonic() + second
    while time.monotonic() < deadline:
        pass


def watching_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "watchdog" in thread.name]


def wait_until(condition: Callable[[], bool], second: float = 10.0) -> bool:
    deadline = time.monotonic() + second
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def in_block(dog: Watchdog, work: Callable[[], None]) -> None:
    with dog:
        work()


def in_function(dog: Watchdog, work: Callable[[], None]) -> None:
    dog.guard(work)


@pytest.fixture(params=[in_block, in_function])
def guarded(request: pytest.FixtureRequest) -> Callable[[Watchdog, Callable[[], None]], None]:
    form: Callable[[Watchdog, Callable[[], None]], None] = request.param
    return form


Guarded = Callable[[Watchdog, Callable[[], None]], None]


def test_endless_loop_is_ended_and_located(guarded: Guarded) -> None:
    began = time.monotonic()
    with pytest.raises(SimulatorStalled, match=r"(?s)^a test: nothing was completed within 1 s.*in spin"):
        guarded(Watchdog(stall_second=STALL_SECOND, what="a test"), spin)
    assert time.monotonic() - began >= STALL_SECOND


def test_what_is_done_is_asked_when_it_stalls(guarded: Guarded) -> None:
    doing = ["nothing"]

    def work() -> None:
        doing[0] = "spinning"
        spin()

    with pytest.raises(SimulatorStalled, match=r"^spinning: nothing was completed"):
        guarded(Watchdog(stall_second=STALL_SECOND, what=lambda: doing[0]), work)


def test_what_the_work_made_of_the_signal_does_not_matter(guarded: Guarded) -> None:
    def work() -> None:
        try:
            spin()
        except StallSignal as signal:
            raise RuntimeError("in other words") from signal

    with pytest.raises(SimulatorStalled):
        guarded(Watchdog(stall_second=STALL_SECOND, what="a test"), work)


def test_signal_that_was_swallowed_is_an_error_all_the_same(guarded: Guarded) -> None:
    def work() -> None:
        with contextlib.suppress(StallSignal):
            spin()

    with pytest.raises(SimulatorStalled):
        guarded(Watchdog(stall_second=STALL_SECOND, what="a test"), work)


def test_function_that_swallows_everything_is_signalled_again() -> None:
    swallowed: list[BaseException] = []

    def work() -> None:
        while len(swallowed) < 3:
            try:
                spin()
            except BaseException as error:
                swallowed.append(error)

    with pytest.raises(SimulatorStalled):
        Watchdog(stall_second=STALL_SECOND, what="a test").guard(work)
    assert len(swallowed) == 3


def test_beats_put_the_deadline_off(guarded: Guarded) -> None:
    dog = Watchdog(stall_second=2.0, what="a test")

    def work() -> None:
        for _ in range(25):
            spin(0.1)
            dog.beat()

    guarded(dog, work)


def test_errors_and_results_pass(guarded: Guarded) -> None:
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(Watchdog(stall_second=120.0, what="a test"), work)
    assert Watchdog(stall_second=120.0, what="a test").guard(lambda: 3) == 3


def test_interrupt_passes_even_after_a_stall(guarded: Guarded) -> None:
    def work() -> None:
        try:
            spin()
        except StallSignal:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        guarded(Watchdog(stall_second=STALL_SECOND, what="a test"), work)


def test_thread_other_than_the_main_one_is_guarded(guarded: Guarded) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            guarded(Watchdog(stall_second=STALL_SECOND, what="a test"), spin)
        except BaseException as error:
            raised.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(90.0)
    assert [type(error) for error in raised] == [SimulatorStalled] * 3


def test_watchdog_may_guard_many_blocks_but_one_at_a_time(guarded: Guarded) -> None:
    dog = Watchdog(stall_second=2.0, what="a test")
    for _ in range(3):
        guarded(dog, lambda: None)
    with pytest.raises(SimulatorStalled):
        guarded(dog, spin)
    guarded(dog, lambda: None)
    with pytest.raises(ValueError, match="guards a block already"):
        guarded(dog, lambda: guarded(dog, lambda: None))
    guarded(dog, lambda: None)


@pytest.fixture
def no_thread() -> None:
    """No watching thread is left from before."""
    end_idle_thread()
    assert wait_until(lambda: watching_threads() == [])


@pytest.mark.usefixtures("no_thread")
def test_thread_ends_by_itself_when_nothing_is_guarded() -> None:
    with Watchdog(stall_second=120.0, what="a test"):
        assert watching_threads() == ["neuromorph-watchdog"]
    assert wait_until(lambda: watching_threads() == [])


@pytest.mark.usefixtures("no_thread")
def test_thread_can_be_ended_at_once_unless_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_TICK_SECOND", 3600.0)  # It does not end by itself, however slow the machine is.
    with Watchdog(stall_second=120.0, what="a test"):
        end_idle_thread()
        assert watching_threads() == ["neuromorph-watchdog"]
    end_idle_thread()
    assert watching_threads() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: beside a thread, which is the point.
def test_forked_child_is_guarded_too() -> None:
    with Watchdog(stall_second=120.0, what="a test"):
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # Should it hang, it is ended.
            try:
                Watchdog(stall_second=STALL_SECOND, what="a child").guard(spin)
            except SimulatorStalled:
                os._exit(7)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_no_signal_comes_after_the_work() -> None:
    # The work ends about when its deadline does: it either stalled or it did not, and nothing comes later.
    deadline = 0.05
    near = [deadline * (0.96 + 0.001 * turn) for turn in range(80)]
    stalled = 0
    for duration in near:
        stalled += stalls(deadline, duration)
        spin(0.001)
    # Far from the deadline both ends happen, on a busy machine too.
    assert any(not stalls(deadline, 0.0001) for _ in range(20))
    assert stalled or stalls(deadline, 30.0)


def stalls(stall_second: float, duration: float) -> bool:
    try:
        Watchdog(stall_second=stall_second, what="a test").guard(lambda: spin(duration))
    except SimulatorStalled:
        return True
    return False


@pytest.mark.parametrize("second", [0.0, -1.0, float("nan")])
def test_deadline_must_be_positive(second: float) -> None:
    with pytest.raises(ValueError, match="stall_second must be > 0 s"):
        Watchdog(stall_second=second, what="a test")
