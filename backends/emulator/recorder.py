"""Buffers that the kernel writes spikes to."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.emulator.binding import address, kernel
from neuromorph.backends.emulator.network import LoadedNetwork
from neuromorph.recording import SpikeTrain

LEAST_EVENTS = 4096
MARGIN = 1.2  # room for more spikes than there were so far


@final
class Recorder:
    """Steps and neurons of the spikes of each population, in arrays that grow when they may not hold another step."""

    def __init__(self, net: LoadedNetwork) -> None:
        self._net, self._kernel = net, kernel()
        self.used = np.zeros(len(net.index), dtype=np.int64)  # events so far, by index of the population
        self._rate = dict.fromkeys(net.neurons, 0.0)  # events a step in the run before
        self._events: dict[str, npt.NDArray[Any]] = {}

    def begin(self, steps: int) -> None:
        """Empty buffers for so many steps, sized by the run before."""
        self.used[:] = 0
        for name, neurons in self._net.neurons.items():
            size = neurons.u.size
            expected = min(max(LEAST_EVENTS, int(MARGIN * self._rate[name] * steps)), steps * size)
            self._hold(name, np.empty((2, expected + size), dtype=np.int64))

    def grow(self, factor: float) -> None:
        """More room where another step might not fit; ``factor``: all steps to those that were run."""
        for name, neurons in self._net.neurons.items():
            used, held = int(self.used[self._net.index[name]]), self._events[name]
            if used + neurons.u.size <= held.shape[1]:
                continue
            wanted = max(2 * used, int(MARGIN * used * factor)) + neurons.u.size
            larger = np.empty((2, wanted), dtype=np.int64)
            larger[:, :used] = held[:, :used]
            self._hold(name, larger)

    def trains(self, steps: int) -> dict[str, SpikeTrain]:
        """What was recorded."""
        found = {}
        for name, neurons in self._net.neurons.items():
            used = int(self.used[self._net.index[name]])
            self._rate[name] = used / max(steps, 1)
            events = self._events.pop(name)
            times, ids = events[:, :used] if 2 * used >= events.shape[1] else events[:, :used].copy()
            found[name] = SpikeTrain.owning(times, ids, (steps, neurons.u.size))
        return found

    def _hold(self, name: str, events: npt.NDArray[Any]) -> None:
        self._events[name] = events
        self._kernel.nm_record(
            self._net.handle, self._net.index[name], address(events[0]), address(events[1]), events.shape[1]
        )
