"""A block that makes no progress is told so where it hangs, and never after it has ended."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from neuromorph.errors import SimulatorStalled
from neuromorph.watchdog import StallSignal, Watchdog


def spin(second: float = 30.0) -> None:
    deadline = time.monotonic() + second
    while time.monotonic() < deadline:
        pass


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "watchdog" in thread.name]


def test_endless_loop_is_ended_and_located() -> None:
    began = time.monotonic()
    with pytest.raises(SimulatorStalled, match=r"(?s)^a test: nothing was completed within 0.2 s.*in spin"):
        with Watchdog(stall_second=0.2, what="a test"):
            spin()
    assert 0.2 <= time.monotonic() - began < 3.0
    assert threads() == []


def test_block_that_swallows_everything_is_ended() -> None:
    attempts = 0
    with pytest.raises(SimulatorStalled), Watchdog(stall_second=0.1, what="a test"):
        while attempts < 2:
            try:
                spin()
            except BaseException:
                attempts += 1


def test_what_the_block_made_of_the_signal_does_not_matter() -> None:
    with pytest.raises(SimulatorStalled), Watchdog(stall_second=0.1, what="a test"):
        try:
            spin()
        except StallSignal as signal:
            raise RuntimeError("in other words") from signal


def test_beats_put_the_deadline_off() -> None:
    with Watchdog(stall_second=0.2, what="a test") as dog:
        for _ in range(8):
            spin(0.05)
            dog.beat()
    assert threads() == []


def test_errors_of_the_block_pass() -> None:
    with pytest.raises(ZeroDivisionError), Watchdog(stall_second=10.0, what="a test"):
        raise ZeroDivisionError
    assert threads() == []


def test_interrupt_of_the_block_passes_even_after_a_stall() -> None:
    with pytest.raises(KeyboardInterrupt), Watchdog(stall_second=0.1, what="a test"):
        try:
            spin()
        except StallSignal:
            raise KeyboardInterrupt from None


def test_thread_other_than_the_main_one_is_guarded() -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with Watchdog(stall_second=0.1, what="a test"):
                spin()
        except BaseException as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(5.0)
    assert [type(error) for error in raised] == [SimulatorStalled]


def test_watchdog_may_guard_many_blocks() -> None:
    dog = Watchdog(stall_second=0.2, what=lambda: "asked when it stalls")
    for _ in range(3):
        dog.arm()
        dog.disarm()
    dog.arm()
    with pytest.raises(SimulatorStalled, match="asked when it stalls"):
        try:
            spin()
        except StallSignal:
            dog.disarm()
    dog.arm()
    dog.disarm()
    dog.close()
    with pytest.raises(ValueError, match="closed"):
        dog.arm()
    assert threads() == []


def test_thread_ends_by_itself_when_nothing_is_guarded() -> None:
    dog = Watchdog(stall_second=10.0, what="a test")
    dog.arm()
    dog.disarm()
    assert threads() == ["neuromorph-watchdog"]
    time.sleep(0.8)
    assert threads() == []
    with pytest.raises(ValueError, match="guards a block already"):
        dog.arm()
        dog.arm()
    dog.disarm()
    dog.close()


def test_no_signal_arrives_after_the_block() -> None:
    # The block ends about when its deadline does: it either stalled or it did not, and nothing comes later.
    stalled = 0
    for turn in range(150):
        with contextlib.suppress(SimulatorStalled):
            stalled += 1
            with Watchdog(stall_second=0.005, what="a test"):
                spin(0.0047 + 0.000004 * turn)
            stalled -= 1
        spin(0.001)
    assert 0 < stalled < 150
    assert threads() == []


@pytest.mark.parametrize("second", [0.0, -1.0, float("nan")])
def test_deadline_must_be_positive(second: float) -> None:
    with pytest.raises(ValueError, match="stall_second must be > 0 s"):
        Watchdog(stall_second=second, what="a test")
