"""The contract between programs and simulators: all that a backend, ours or a stranger's, needs to import."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from typing import ClassVar

import numpy as np

from neuromorph.advance import Advance, reward
from neuromorph.capabilities import FEATURES, Availability, Capabilities, Gap, requirements
from neuromorph.errors import InputError, UnsupportedError, raise_faults, simulator_errors
from neuromorph.event_session import EventSession
from neuromorph.network import Network
from neuromorph.program import Program
from neuromorph.session import Session

__all__ = [
    "FEATURES",
    "Advance",
    "Availability",
    "Backend",
    "Capabilities",
    "EventSession",
    "Gap",
    "Session",
    "requirements",
    "reward",
]


class Backend(ABC):
    """A simulator, or a way of running one; concrete backends are frozen dataclasses whose fields are their options."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @abstractmethod
    def availability(self) -> Availability:
        """Whether it can run on this machine, with versions."""

    @abstractmethod
    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        """A session for a program that was checked."""

    def describe(self, model: object, *, dt: float | None = None) -> Network:
        """The description of a model that was built for this simulator; only some backends read such models.

        ``dt``: seconds of a step, where the model does not say. Raises :class:`UnsupportedError` naming every part that
        has no counterpart here.
        """
        del dt
        raise UnsupportedError(f"backend {self.name!r} reads no models, got {type(model).__name__}")

    def faults(self, program: Program) -> list[str]:
        """Why this backend cannot run ``program``; empty where it can."""
        return self.capabilities.faults(program)

    def open(self, program: Program, *, seed: int = 0, stall_second: float = 60.0) -> Session:
        """Start a session; raises :class:`UnsupportedError` with every unsupported feature before anything runs.

        ``stall_second``: a run that completes no step for so long is ended with :class:`SimulatorStalled`.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InputError(f"seed must be a whole number >= 0, got {seed!r}")
        if not (isinstance(stall_second, (int, float)) and stall_second > 0):
            raise InputError(f"stall_second must be > 0 s, got {stall_second!r}")
        faults = self.faults(program)
        raise_faults(
            UnsupportedError, [f"backend {self.name!r} cannot run {program.name!r}: {fault}" for fault in faults]
        )
        with simulator_errors(f"backend {self.name!r} failed to load {program.name!r}"):
            session = self._open(program, seed=int(seed), stall_second=float(stall_second))
        if is_dataclass(self):
            session.options = {item.name: getattr(self, item.name) for item in fields(self)}
        return session
