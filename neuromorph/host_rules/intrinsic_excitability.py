"""Intrinsic excitability: every neuron moves its own threshold so that its rate returns to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.parameters import (
    BOUND,
    POSITIVE,
    SECONDS_OR_ZERO,
    Allowed,
    name_faults,
    number_faults,
    population_faults,
    spike_faults,
)
from neuromorph.host_rules.rates import Rates
from neuromorph.host_rules.thresholds import Thresholds
from neuromorph.program import Program
from neuromorph.session import Session

RATE = Allowed(">= 0 Hz", lambda value: value >= 0)


@final
@dataclass(frozen=True, kw_only=True)
class IntrinsicExcitability(HostRule["HostRuleState"]):
    """``v_threshold += eta T (rate - rate_target)`` after every chunk of T seconds: eta for each spike above the target.

    ``rate`` is the neuron's own, low-passed with ``tau_rate``, and starts at the target. Desai, Rutherford and
    Turrigiano, Nature Neuroscience 2(6), 1999; as the threshold of competing neurons: Diehl and Cook, Frontiers in
    Computational Neuroscience 9:99, 2015. The threshold moves between chunks, not with each spike within one: that is
    what :class:`neuromorph.LIF` does with a ``threshold_increment``, where there are floats.

    >>> IntrinsicExcitability(population="out", rate_target=5.0).eta
    0.05
    """

    population: str
    rate_target: float  # Hz
    eta: float = 0.05  # of threshold for each spike that is one too many
    tau_rate: float = 0.0  # s, of the low-pass; 0: the rate in the last chunk
    threshold_min: float = 1e-3
    threshold_max: float = np.inf

    def faults(self) -> list[str]:
        """Parameters out of their range."""
        found = [
            *name_faults(self, "population"),
            *number_faults(self, RATE, "rate_target"),
            *number_faults(self, POSITIVE, "eta", "threshold_min"),
            *number_faults(self, SECONDS_OR_ZERO, "tau_rate"),
            *number_faults(self, BOUND, "threshold_max"),
        ]
        if not found and self.threshold_max < self.threshold_min:
            found.append(f"threshold_max must be >= threshold_min = {self.threshold_min!r}, got {self.threshold_max!r}")
        return found

    def program_faults(self, program: Program) -> list[str]:
        """The population, its spikes, and thresholds that can be moved."""
        found = population_faults(program, self.population) or spike_faults(program, self.population)
        if not found and not np.all(np.isfinite(program.population(self.population).threshold)):
            found.append(f"thresholds of {self.population!r} are infinite: such neurons never spike")
        return found

    def _state(self, session: Session) -> HostRuleState:
        return IntrinsicExcitabilityState(self, session)


@final
class IntrinsicExcitabilityState(HostRuleState):
    """Rates of the neurons."""

    def __init__(self, rule: IntrinsicExcitability, session: Session) -> None:
        self.rule = rule
        self.thresholds = Thresholds(session.program, rule.population)
        neurons = session.program.population(rule.population).size
        self.rates = Rates(rule.population, neurons, tau=rule.tau_rate, start=rule.rate_target)

    def update(self, session: Session, chunk: Chunk) -> None:
        """Move the thresholds once."""
        rule = self.rule
        excess = chunk.seconds * (self.rates.update(chunk) - rule.rate_target)
        moved = self.thresholds.read(session) + rule.eta * excess
        self.thresholds.write(session, np.clip(moved, rule.threshold_min, rule.threshold_max))
