"""Firing rates as a neuron knows them: of the recent past."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from neuromorph.host_rules.host_rule import Chunk
from neuromorph.recording import FloatArray


@final
class Rates:
    """Low-passed rates of a population in Hz: ``rate += (1 - exp(-T / tau)) (spikes / T - rate)`` after T seconds.

    With ``tau`` 0 they are those of the last chunk. They start at ``start``; None: at those of the first chunk.
    """

    def __init__(self, population: str, neurons: int, *, tau: float, start: float | None) -> None:
        self.population, self.tau = population, tau
        self.values: FloatArray = np.full(neurons, np.nan if start is None else float(start))

    def update(self, chunk: Chunk) -> FloatArray:
        """Take in a chunk of at least one step; shape (neurons,)."""
        share = -math.expm1(-chunk.seconds / self.tau) if self.tau > 0 else 1.0
        found = chunk.counts(self.population) / chunk.seconds
        before = np.where(np.isnan(self.values), found, self.values)
        self.values = before + share * (found - before)
        return self.values
