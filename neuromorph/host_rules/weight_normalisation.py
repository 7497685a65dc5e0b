"""Weight normalisation: the incoming weights of every neuron keep their sum, or their length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import POSITIVE, choice_faults, name_faults, number_faults, projection_faults
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.recording import FloatArray
from neuromorph.session import Session


@final
@dataclass(frozen=True, kw_only=True)
class WeightNormalisation(HostRule["HostRuleState"]):
    """``w *= total / norm(w)`` for each postsynaptic neuron after every chunk, with ``norm`` the sum of ``|w|`` or L2.

    With ``method`` "subtractive" and the sum, every ``|w|`` of a neuron loses the same amount instead, and stops at 0:
    competition is then sharper. Signs stay. A neuron without weights is left alone; where weights reach the bounds of
    their rule, their norm falls short. von der Malsburg, Kybernetik 14, 1973; Miller and MacKay, Neural Computation
    6(1), 1994.

    >>> WeightNormalisation(projection="in->out", total=1.0).norm
    'sum'
    """

    projection: str
    total: float | None = None  # of each neuron; None: what each has when the rule begins
    norm: Literal["sum", "L2"] = "sum"
    method: Literal["multiplicative", "subtractive"] = "multiplicative"

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "projection"),
            *choice_faults(self, "norm", ("sum", "L2")),
            *choice_faults(self, "method", ("multiplicative", "subtractive")),
            *(number_faults(self, POSITIVE, "total") if self.total is not None else []),
        ]
        if self.method == "subtractive" and self.norm == "L2":
            found.append("method must be 'multiplicative' with norm 'L2', got 'subtractive'")
        return found

    def program_faults(self, program: Program) -> list[str]:
        """The projection."""
        return projection_faults(program, self.projection)

    def _state(self, session: Session) -> HostRuleState:
        return WeightNormalisationState(self, session)


@final
class WeightNormalisationState(HostRuleState):
    """The norm that each neuron keeps."""

    def __init__(self, rule: WeightNormalisation, session: Session) -> None:
        self.rule = rule
        self.weights = Weights(session.program, rule.projection)
        found = self._norms(self.weights.read(session))
        self.totals: FloatArray = found if rule.total is None else np.full(found.size, float(rule.total))

    def update(self, session: Session, chunk: Chunk) -> None:
        """Normalise once; what happened in the chunk does not matter."""
        del chunk
        values = self.weights.read(session)
        change = self._subtracted if self.rule.method == "subtractive" else self._multiplied
        self.weights.write(session, change(values))

    def _norms(self, values: FloatArray) -> FloatArray:
        if self.rule.norm == "sum":
            return self.weights.sums(np.abs(values))
        return np.sqrt(self.weights.sums(values**2))

    def _multiplied(self, values: FloatArray) -> FloatArray:
        norms = self._norms(values)
        factor = np.divide(self.totals, norms, out=np.ones(norms.size), where=norms > 0)
        return values * factor[self.weights.post]

    def _subtracted(self, values: FloatArray) -> FloatArray:
        """What takes the same from all that are not at 0 yet, until the sum fits; where it lacks, the same is added."""
        size = np.abs(values)
        for _ in range(size.size + 1):
            alive = (size > 0).astype(np.float64)
            excess, left = self.weights.sums(size) - self.totals, self.weights.sums(alive)
            share = np.divide(excess, left, out=np.zeros(left.size), where=left > 0)
            size = np.maximum(size - (share[self.weights.post] * alive), 0.0)
            if not np.any((size == 0) & (alive > 0)):
                break
        return np.sign(values) * size
