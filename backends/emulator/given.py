"""The synapses of a program as the kernel is given them."""

from __future__ import annotations

import ctypes
from typing import final

import numpy as np

from neuromorph.backends.emulator.binding import Survey, Synapses, address, kernel
from neuromorph.compact import WEIGHT_TYPES, Array, is_repeated
from neuromorph.program import ProjectionProgram


@final
class GivenSynapses:
    """Arrays of a projection and where they lie; the weights are its own or others, in any of WEIGHT_TYPES."""

    def __init__(self, projection: ProjectionProgram, weight: Array) -> None:
        connectivity, delay = projection.connectivity, projection.stored_delay
        stored = connectivity.stored_pre
        pre = None if stored is None else np.ascontiguousarray(stored, dtype=np.int32)
        self._held = (connectivity.pointer, pre, delay, weight)  # for as long as the kernel may look at them
        self.posts = projection.post_size
        self.structure = Synapses(
            pointer=address(connectivity.pointer),
            pre=address(pre),
            delay=None if projection.has_one_delay else address(delay),
            delay_bytes=delay.itemsize,
            weight=int(weight.ctypes.data),
            source=WEIGHT_TYPES.index(weight.dtype),
            is_repeated=is_repeated(weight),
            unit=1.0,
        )

    def survey(self) -> Survey:
        """One look at all weights."""
        found = Survey()
        kernel().nm_survey(ctypes.byref(self.structure), self.posts, ctypes.byref(found))
        return found
