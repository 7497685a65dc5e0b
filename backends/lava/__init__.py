"""Lava: stock process graphs, in one process by default or on Lava's own runtime under a supervisor."""

from neuromorph.backends.lava.backend import LavaBackend
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun

__all__ = ["InProcessRun", "LavaBackend", "MultiProcessRun"]
