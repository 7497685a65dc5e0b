"""Consolidation in a cascade: every weight is the first of a chain of ever slower hidden variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neuromorph.errors import InputError, is_number
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import COUNT, SECONDS, Allowed, name_faults, number_faults, projection_faults
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session

ABOVE_ONE = Allowed("> 1", lambda value: value > 1)


@final
@dataclass(frozen=True, kw_only=True)
class CascadeConsolidation(HostRule["CascadeConsolidationState"]):
    """``C_k du_k/dt = g_(k-1) (u_(k-1) - u_k) + g_k (u_(k+1) - u_k)`` with ``u_1`` the weight, exactly over every chunk.

    Capacities grow and couplings shrink geometrically, ``C_k = ratio^(k-1)`` and ``g_k = ratio^(1-k) / tau``, so that
    level k is ``ratio^2`` times slower than the one before it: beakers of ever larger size joined by ever thinner tubes.
    A change of the weight flows down the chain and is forgotten as ``1 / sqrt(t)`` instead of exponentially, and what
    lies deep pulls the weight back when something else has overwritten it. All levels start at the weight. With ``leak``
    the last beaker runs out into an empty one, else the sum of ``C_k u_k`` stays. Benna and Fusi, Nature Neuroscience 19,
    2016; in a learning network: Kaplanis, Shanahan and Clopath, ICML 2018.

    >>> CascadeConsolidation(projection="in->out", tau=10.0).slowest
    10240.0
    """

    projection: str
    tau: float  # s, of the flow between the first two levels
    levels: int = 6  # the weight included
    ratio: float = 2.0
    leak: bool = False

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "projection"),
            *number_faults(self, SECONDS, "tau"),
            *number_faults(self, COUNT, "levels"),
            *number_faults(self, ABOVE_ONE, "ratio"),
        ]
        if not found and self.levels < 2:
            found.append(f"levels must be >= 2, the weight included, got {self.levels!r}")
        return found

    @property
    def slowest(self) -> float:
        """Time constant of the last level, in s."""
        return float(self.tau * self.ratio ** (2 * (self.levels - 1)))

    def program_faults(self, program: Program) -> list[str]:
        """The projection."""
        return projection_faults(program, self.projection)

    def flow(self) -> FloatArray:
        """The matrix A of ``du/dt = A u``, in 1/s, shape (levels, levels)."""
        capacity = self.ratio ** np.arange(self.levels)
        coupling = self.ratio ** -np.arange(self.levels, dtype=np.float64) / self.tau
        matrix = np.zeros((self.levels, self.levels))
        for k in range(self.levels):
            for other, g in ((k - 1, coupling[k - 1]), (k + 1, coupling[k])):
                if 0 <= other < self.levels:
                    matrix[k, other] += g / capacity[k]
                if 0 <= other < self.levels or (other == self.levels and self.leak):
                    matrix[k, k] -= g / capacity[k]
        return matrix

    def _state(self, session: Session) -> CascadeConsolidationState:
        return CascadeConsolidationState(self, session)


@final
class CascadeConsolidationState(HostRuleState):
    """The hidden levels of every synapse."""

    def __init__(self, rule: CascadeConsolidation, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        self._matrices: dict[float, Any] = {}  # by seconds
        values = self.weights.read(session)
        for level in self._hidden:
            self.weights.remember(level, values.copy(), new=np.nan)  # of a synapse that grows: its first weight

    @property
    def _hidden(self) -> list[str]:
        return [f"level {k}" for k in range(2, self.rule.levels + 1)]

    def level(self, k: int) -> FloatArray:
        """Level k = 2, 3, ... of every synapse, in the units of weights."""
        if not 2 <= k <= self.rule.levels:
            raise InputError(f"level must be 2..{self.rule.levels}, got {k!r}: level 1 is the weight")
        return self.weights[f"level {k}"]

    def update(self, session: Session, chunk: Chunk) -> None:
        """Let what the chunk changed flow."""
        self.elapse(session, chunk.seconds)

    def elapse(self, session: Session, seconds: float) -> None:
        """Let so much time pass without simulating the network."""
        if not (is_number(seconds) and seconds >= 0):
            raise InputError(f"seconds must be >= 0, got {seconds!r}")
        values = self.weights.read(session)
        hidden = [self.weights[level] for level in self._hidden]
        levels = np.stack([values, *(np.where(np.isnan(level), values, level) for level in hidden)])
        after = self._matrix(float(seconds)) @ levels
        for level, held in zip(self._hidden, after[1:], strict=True):
            self.weights.remember(level, held, new=np.nan)
        self.weights.write(session, after[0])

    def _matrix(self, seconds: float) -> Any:
        from scipy.linalg import expm

        if seconds not in self._matrices:
            self._matrices = {seconds: expm(self.rule.flow() * seconds)}
        return self._matrices[seconds]
