"""A deadline on progress: whoever stops making any is told where it hangs, by an exception raised there."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from neuromorph.errors import SimulatorStalled

_TICK_SECOND = 0.25  # The longest time between two looks; also how long the thread outlives the last guarded block.
_REPEAT_SECOND = 0.5  # A function that swallows the exception is sent another one.

Result = TypeVar("Result")


class StallSignal(BaseException):
    """Raised asynchronously inside a guarded block that stalled; the watchdog turns it into SimulatorStalled.

    It is no ``Exception``, so that a loop which carries on after every error ends all the same.
    """


class Watchdog:
    """Guard a block of Python: no :meth:`beat` within ``stall_second`` raises :class:`SimulatorStalled`.

    >>> with Watchdog(stall_second=60.0, what="a run") as dog:
    ...     for step in range(3):
    ...         dog.beat()

    A daemon thread raises the exception inside the guarded thread, wherever that is, so an endless loop ends. A call
    into C that never returns (a sleep, a lock that is never released) is ended only when it comes back to Python.
    :meth:`guard` does the same for a function, and tries again where the exception is swallowed. A watchdog guards one
    block at a time, and any number one after the other.
    """

    def __init__(self, *, stall_second: float, what: str | Callable[[], str]) -> None:
        if not stall_second > 0.0:
            raise ValueError(f"Watchdog.stall_second must be > 0 s, got {stall_second}")
        self.stall_second = stall_second
        self.what = what  # Named in the error; a function is asked at the time of the stall.
        self.last_beat = 0.0
        self.repeats = False  # Whether to signal again and again.
        self.thread: int | None = None  # Identifier of the guarded thread.
        self.report: str | None = None  # What is said about the stall, once there is one.
        self.due = 0.0

    def beat(self) -> None:
        """Say that something was completed; the deadline starts again."""
        self.last_beat = time.monotonic()

    def guard(self, work: Callable[[], Result]) -> Result:
        """Call ``work`` and return what it returns, or raise what it raises, or :class:`SimulatorStalled`."""
        error: BaseException | None = None
        guarded = False
        while True:
            # The signal may come at any instruction, that of calling it off included: nothing is done outside the try,
            # and calling off is tried until it was not disturbed.
            try:
                if not guarded:
                    _patrol.add(self, repeats=True)
                    guarded = True
                    result = work()
                _patrol.remove(self)
                break
            except BaseException as caught:
                if not guarded:
                    raise
                error = error or caught
        try:
            # Whatever the work made of the signal, the stall is the cause; but a Ctrl-C is its user's own wish.
            if self.report is not None and not isinstance(error, KeyboardInterrupt):
                raise SimulatorStalled(self.report) from None
            if error is not None:
                raise error
            return result
        finally:
            error = None  # It refers to this frame.

    def __enter__(self) -> Watchdog:
        # One signal only: should it come just as the block is left, after its last instruction and before the first of
        # __exit__, it ends the block as a StallSignal, and there must be none after that.
        _patrol.add(self, repeats=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        while True:
            try:
                _patrol.remove(self)
                break
            except StallSignal:
                continue
        if self.report is not None and not isinstance(error, KeyboardInterrupt):
            raise SimulatorStalled(self.report) from None


class _Patrol:
    """The one thread that looks after all watchdogs; it starts when there is one and ends soon after the last."""

    def __init__(self) -> None:
        # A plain lock is taken and released by single instructions, between which no signal can come.
        self._lock = threading.Lock()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._dogs: list[Watchdog] = []

    def add(self, dog: Watchdog, *, repeats: bool) -> None:
        """Begin to guard the calling thread."""
        with self._lock:
            if dog in self._dogs:
                raise ValueError("this Watchdog guards a block already: make another one")
            dog.thread, dog.report, dog.repeats = threading.get_ident(), None, repeats
            dog.beat()
            self._dogs.append(dog)
            if self._thread is None:
                self._thread = threading.Thread(target=self._walk, name="neuromorph-watchdog", daemon=True)
                self._thread.start()
            elif dog.stall_second < _TICK_SECOND:
                self._hurry.set()

    def remove(self, dog: Watchdog) -> None:
        """Stop guarding; once this has returned, no signal comes."""
        with self._lock:
            if dog in self._dogs:
                self._dogs.remove(dog)
            if dog.report is not None and dog.thread is not None:
                _raise_in(dog.thread, None)
            dog.thread = None

    def end(self) -> None:
        """End the thread now if nothing is guarded."""
        with self._lock:
            if self._dogs:
                return
            thread, self._thread = self._thread, None
            self._hurry.set()
        if thread is not None:
            thread.join()

    def _walk(self) -> None:
        idle_since = time.monotonic()
        while True:
            with self._lock:
                now = time.monotonic()
                if self._dogs:
                    idle_since = now
                if self._thread is not threading.current_thread():
                    return
                if now - idle_since > _TICK_SECOND:
                    self._thread = None
                    return
                pause = min([_TICK_SECOND, *(self._look_after(dog, now) for dog in self._dogs[:])])
                self._hurry.clear()
            self._hurry.wait(pause)

    def _look_after(self, dog: Watchdog, now: float) -> float:
        """Signal a dog that is overdue; returns when to look again, in seconds from now."""
        if dog.report is None:
            dog.due = dog.last_beat + dog.stall_second
        if dog.due <= now and dog.thread is not None:
            if dog.report is None:
                dog.report = _report(dog, dog.thread)
            _raise_in(dog.thread, StallSignal)
            dog.due = now + _REPEAT_SECOND
            if not dog.repeats:
                self._dogs.remove(dog)
        return max(dog.due - now, 0.0)


def _report(dog: Watchdog, thread: int) -> str:
    what = dog.what if isinstance(dog.what, str) else dog.what()
    frame = sys._current_frames().get(thread)
    stack = "".join(traceback.format_stack(frame)) if frame is not None else "(its thread has ended)"
    return f"{what}: nothing was completed within {dog.stall_second:g} s; it hangs here:\n{stack}"


def _raise_in(thread: int, signal: type[BaseException] | None) -> None:
    """Raise ``signal`` in ``thread`` at its next instruction; None takes a signal back that has not arrived yet."""
    exception: Any = ctypes.py_object(signal) if signal is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)


def end_idle_thread() -> None:
    """End the watching thread now, instead of a moment after the last block, if nothing is guarded."""
    _patrol.end()


def _start_afresh() -> None:
    """A forked child has no other thread, whatever the state of its parent's."""
    global _patrol
    _patrol = _Patrol()


_patrol = _Patrol()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
