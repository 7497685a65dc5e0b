"""What a contender is to a measurement: build a workload, advance it, count its spikes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.bench.workloads import Workload


def digest_of(trains: Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> str:
    """A short name of spikes: steps and neurons of every layer, in order."""
    digest = hashlib.sha256()
    for name in sorted(trains):
        for values in trains[name]:
            digest.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Lap:
    """One run of some steps: how long it took, and the spikes of every layer in it."""

    steps: int
    second: float
    spikes: Mapping[str, int]
    digest: str | None = None  # of every spike's step and neuron, where the contender tells them


@dataclass(eq=False)
class Runner(ABC):
    """A workload in one simulator. :meth:`lap` continues where the last one ended."""

    workload: Workload
    build_second: float = 0.0  # from the workload's arrays to a network that can run
    compile_second: float = 0.0  # of generated code, apart from building
    done: int = field(default=0, init=False)  # steps so far
    fixed_steps: int | None = field(
        default=None, init=False
    )  # of every timed lap, where they were set when it was built

    @abstractmethod
    def build(self) -> None:
        """Make the network; sets ``build_second`` and ``compile_second``."""

    @abstractmethod
    def _run(self, first: int, steps: int) -> Lap:
        """Run the ``steps`` steps after the first ``first``."""

    def lap(self, steps: int) -> Lap:
        """Run so many steps."""
        lap = self._run(self.done, steps)
        self.done += steps
        return lap

    def restart(self) -> None:  # noqa: B027  (a tool that cannot goes on from where it is)
        """Back to the state and the weights of the beginning; the input goes on."""

    def versions(self) -> dict[str, str]:
        """Of the packages that ran."""
        return {}

    def child_memory_byte(self) -> int:
        """Most memory of programs that it started to simulate."""
        return 0

    def close(self) -> None:  # noqa: B027  (most have nothing to free)
        """Free everything."""
