"""A host rule: what the host does to weights and thresholds between chunks of steps, through reading and writing only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from neuromorph.errors import InputError, RuleError, raise_faults
from neuromorph.program import Program
from neuromorph.recording import FloatArray, Recording, SpikeTrain
from neuromorph.session import Session


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunk:
    """Steps that have just been run: what they left, and what was fed.

    In a loop of one's own around :meth:`Session.run`, ``Chunk(recording=recording)`` is enough for most rules.
    """

    recording: Recording
    inputs: Mapping[str, Any] = field(default_factory=dict)  # name to a SpikeTrain, or to spikes (steps, size)
    modulators: Mapping[str, FloatArray] = field(default_factory=dict)  # name to values (steps, size)

    @property
    def seconds(self) -> float:
        """Simulated time."""
        return self.recording.steps * self.recording.dt

    def train(self, name: str) -> SpikeTrain:
        """Spikes of a population whose spikes are probed, or of an input."""
        if name in self.recording.spikes:
            return self.recording.spikes[name]
        if name not in self.inputs:
            known = ", ".join(dict.fromkeys([*self.recording.spikes, *self.inputs])) or "none"
            raise InputError(f"the spikes of {name!r} are not known after this chunk; known: {known}")
        given = self.inputs[name]
        return given if isinstance(given, SpikeTrain) else SpikeTrain.from_dense(np.asarray(given))

    def counts(self, name: str) -> FloatArray:
        """Spikes of each neuron, shape (neurons,)."""
        return self.train(name).counts().astype(np.float64)

    def modulator(self, name: str) -> FloatArray:
        """Mean of a modulator over the steps, shape (size,)."""
        if name not in self.modulators:
            raise InputError(
                f"modulator {name!r} is not known after this chunk: hand it to Chunk(modulators={{{name!r}: ...}})"
            )
        values = np.asarray(self.modulators[name], dtype=np.float64)
        values = values.reshape(len(values), -1)
        return values.mean(axis=0) if len(values) else np.zeros(values.shape[1])


class HostRuleState(ABC):
    """What a rule remembers between chunks: plain arrays, so that it pickles beside a session's checkpoint."""

    @abstractmethod
    def update(self, session: Session, chunk: Chunk) -> None:
        """Act on ``session`` after ``chunk`` was run in it."""

    def begin(self, session: Session) -> None:
        """Note what the next chunk starts from; called when all rules have acted.

        So what one rule changes is not taken for learning by another. Rules that compare nothing leave it as it is.
        """
        del session


State = TypeVar("State", bound=HostRuleState)


@dataclass(frozen=True, kw_only=True)
class HostRule(ABC, Generic[State]):
    """A rule's parameters; :meth:`open` gives what runs it in a session.

    Weights, thresholds and all that is compared with them are in the units of the description, in fixed point too: there
    they are rounded to the nearest value that the chip holds, and what rounding took away is remembered and added next
    time, so that small changes are not lost. Time is in s of simulated time.

    Raises :class:`RuleError` with every wrong parameter.
    """

    def __post_init__(self) -> None:
        raise_faults(RuleError, [f"{type(self).__name__}.{fault}" for fault in self.faults()])

    @abstractmethod
    def faults(self) -> list[str]:
        """Every parameter out of its range, each with its name first."""

    @abstractmethod
    def program_faults(self, program: Program) -> list[str]:
        """What the rule needs and a program lacks, as sentences."""

    @abstractmethod
    def _state(self, session: Session) -> State:
        """The state at the start, in a session that has what the rule needs."""

    def open(self, session: Session) -> State:
        """Begin; raises :class:`InputError` that lists what the session's program lacks."""
        faults = self.program_faults(session.program)
        raise_faults(InputError, [f"{type(self).__name__}: {fault}" for fault in faults])
        return self._state(session)
