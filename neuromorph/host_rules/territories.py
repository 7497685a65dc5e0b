"""Territories of astrocytes: which of them each postsynaptic neuron belongs to, and their slow calcium."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import numpy as np

from neuromorph.errors import is_count
from neuromorph.host_rules.host_rule import Chunk
from neuromorph.host_rules.parameters import projection_faults, spike_faults
from neuromorph.host_rules.weights import Weights
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray
from neuromorph.session import Session


def territory_faults(territories: object) -> list[str]:
    """Why these are no territories, as ends of sentences."""
    if territories is None:
        return []
    if not isinstance(territories, Sequence) or not all(is_count(one) for one in territories):
        return [
            f"territories must be None or a tuple of a whole number >= 0 for each postsynaptic neuron, got {territories!r}"
        ]
    return []


def territory_program_faults(program: Program, projection: str, territories: Sequence[int] | None) -> list[str]:
    """Why a program lacks the projection or its postsynaptic spikes, or territories do not fit its neurons."""
    if found := projection_faults(program, projection):
        return found
    target = program.projection(projection)
    found = spike_faults(program, target.post)
    if territories is not None and len(territories) != target.post_size:
        found.append(
            f"territories must be one number for each of the {target.post_size} neurons, got {len(territories)}"
        )
    return found


@final
class Territories:
    """Astrocytes over the postsynaptic neurons of a projection; each one's calcium follows its neurons' mean rate.

    ``tau dc/dt = -c + rate``: c is in Hz. It starts at ``start``; None: at the rate of the first chunk.
    """

    def __init__(
        self, population: str, of_neuron: Sequence[int] | None, neurons: int, *, tau: float, start: float | None
    ) -> None:
        self.population, self.tau = population, tau
        self.of_neuron: IntArray = np.zeros(neurons, dtype=np.int64) if of_neuron is None else np.array(of_neuron)
        self.sizes = np.bincount(self.of_neuron).astype(np.float64)
        self.calcium: FloatArray = np.full(self.sizes.size, np.nan if start is None else float(start))

    def update(self, chunk: Chunk) -> FloatArray:
        """Take in a chunk; calcium of every territory, shape (territories,)."""
        spikes = np.bincount(self.of_neuron, weights=chunk.counts(self.population), minlength=self.sizes.size)
        rate = spikes / np.maximum(self.sizes, 1.0) / chunk.seconds
        before = np.where(np.isnan(self.calcium), rate, self.calcium)
        self.calcium = before - math.expm1(-chunk.seconds / self.tau) * (rate - before)
        return self.calcium


@final
class ReleaseGain:
    """Weights as release probability times what is released: one factor over the initial probability for each neuron.

    A weight that was read is divided by the factor that it carries, so that what learning added is kept.
    """

    def __init__(self, program: Program, projection: str) -> None:
        self.weights = Weights(program, projection)
        self.weights.remember("gain", np.ones(self.weights.post.size), new=1.0)
        self.values: FloatArray = np.ones(self.weights.neurons)

    def set(self, session: Session, gain: FloatArray) -> None:
        """Give every neuron's synapses this factor, > 0, shape (post,)."""
        values = self.weights.read(session) / self.weights["gain"]
        self.values = gain
        carried = gain[self.weights.post]
        self.weights.remember("gain", carried, new=1.0)
        self.weights.write(session, values * carried)
