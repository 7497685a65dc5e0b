"""A deadline on progress: whoever stops making any is told where it hangs, by an exception raised there."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from neuromorph.errors import SimulatorStalled

_TICK_SECOND = 0.25  # How often the watching thread looks; also how long it outlives the last guarded block.
_REPEAT_SECOND = 0.5  # A block that swallows the exception is sent another one.


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
    A watchdog may guard many blocks one after the other (:meth:`arm`, :meth:`disarm`, and :meth:`close` at the end); its
    thread is started when needed, ends by itself when nothing is guarded, and at once on :meth:`close`.
    """

    def __init__(self, *, stall_second: float, what: str | Callable[[], str]) -> None:
        if not stall_second > 0.0:
            raise ValueError(f"Watchdog.stall_second must be > 0 s, got {stall_second}")
        self.stall_second = stall_second
        self._what = what  # Named in the error; a function is asked at the time of the stall.
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._guarded: int | None = None  # Identifier of the guarded thread while armed.
        self._closed = False
        self._last_beat = 0.0
        self._report: str | None = None  # What is said about the stall; set when the first signal is sent.

    def beat(self) -> None:
        """Say that something was completed; the deadline starts again."""
        self._last_beat = time.monotonic()

    def arm(self) -> None:
        """Start to guard the calling thread."""
        with self._changed:
            if self._closed:
                raise ValueError("this Watchdog is closed: make another one")
            if self._guarded is not None:
                raise ValueError("this Watchdog guards a block already: one Watchdog guards one thread")
            self._report = None
            self._last_beat = time.monotonic()
            self._guarded = threading.get_ident()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="neuromorph-watchdog", daemon=True)
                self._thread.start()

    def disarm(self) -> None:
        """Stop guarding; raises SimulatorStalled if the block stalled. No signal arrives once this has returned."""
        while True:
            try:
                self._call_off()
                break
            except StallSignal:  # It arrived while it was being called off.
                continue
        if self._report is not None:
            raise SimulatorStalled(self._report)

    def close(self) -> None:
        """End the watching thread."""
        with self._changed:
            self._closed = True
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def __enter__(self) -> Watchdog:
        self.arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        try:
            self.disarm()
        except SimulatorStalled as stalled:
            # Whatever the block made of the signal, the stall is the cause; a Ctrl-C is its user's own wish.
            if not isinstance(error, KeyboardInterrupt):
                raise stalled from None
        finally:
            self.close()

    def _call_off(self) -> None:
        with self._changed:
            guarded, self._guarded = self._guarded, None
            if guarded is not None and self._report is not None:
                _raise_in(guarded, None)

    def _watch(self) -> None:
        with self._changed:
            idle_since: float | None = None
            while not self._closed:
                now = time.monotonic()
                if self._guarded is None:
                    idle_since = idle_since or now
                    if now - idle_since > _TICK_SECOND:
                        self._thread = None
                        return
                    self._changed.wait(_TICK_SECOND)
                    continue
                idle_since = None
                left = self._last_beat + self.stall_second - now
                if left > 0.0 and self._report is None:
                    self._changed.wait(min(left, _TICK_SECOND))
                    continue
                if self._report is None:
                    self._report = self._describe(self._guarded)
                _raise_in(self._guarded, StallSignal)
                self._changed.wait(_REPEAT_SECOND)

    def _describe(self, guarded: int) -> str:
        what = self._what if isinstance(self._what, str) else self._what()
        frame = sys._current_frames().get(guarded)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else "(its thread has ended)"
        return f"{what}: nothing was completed within {self.stall_second:g} s; it hangs here:\n{stack}"


def _raise_in(thread: int, signal: type[BaseException] | None) -> None:
    """Raise ``signal`` in ``thread`` at its next instruction; None takes a signal back that has not arrived yet."""
    exception: Any = ctypes.py_object(signal) if signal is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
