"""What a simulator hands back for some steps, and the third factor that it reads in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuromorph.errors import SimulatorError
from neuromorph.parts import NEURON_STATES
from neuromorph.program import Program
from neuromorph.recording import FloatArray, SpikeTrain


@dataclass(frozen=True, eq=False)
class Advance:
    """What a simulator hands back for some steps: spikes of every population, and probed neuron states.

    ``states[population, variable]`` has shape (steps, neurons), for each pair in ``Session.state_probes``. The arrays
    become those of the recording: the simulator changes them no more.
    """

    spikes: Mapping[str, SpikeTrain]
    states: Mapping[tuple[str, str], FloatArray]

    def check(self, program: Program, steps: int, backend: str) -> None:
        """Raise :class:`SimulatorError` where it does not fit the program and the number of steps."""
        for population in program.populations:
            train = self.spikes.get(population.name)
            if train is None or train.shape != (steps, population.size):
                got = "nothing" if train is None else f"shape {train.shape}"
                raise SimulatorError(
                    f"backend {backend!r} gave {got} as the spikes of {population.name!r}, not ({steps}, {population.size})"
                )
        for probe in program.probes:
            if probe.variable in NEURON_STATES:
                rows = self.states.get((probe.target, probe.variable))
                if rows is None or rows.shape != (steps, program.sizes[probe.target]):
                    raise SimulatorError(f"backend {backend!r} gave no whole {probe.variable} of {probe.target!r}")


def reward(modulators: Mapping[str, FloatArray], weights: Mapping[str, float], step: int) -> FloatArray | None:
    """r of one step: the weighted sum of modulator values, shape (1,) or (post_size,); None where no modulator is named."""
    if not weights:
        return None
    total: FloatArray = np.zeros(1)
    for name, weight in weights.items():
        total = total + weight * modulators[name][step]
    return total
