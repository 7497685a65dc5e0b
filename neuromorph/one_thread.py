"""A session belongs to one thread at a time."""

from __future__ import annotations

import threading
from typing import final

from neuromorph.errors import SimulatorError


@final
class OneThread:
    """Refuses a second thread, which would mix its steps with those of the first."""

    def __init__(self, backend: str) -> None:
        self._backend, self._lock = backend, threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise SimulatorError(f"this {self._backend} session is in use in another thread: open one session a thread")

    def __exit__(self, *error: object) -> None:
        self._lock.release()
