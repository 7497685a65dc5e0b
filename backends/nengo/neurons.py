"""The current-based LIF neuron as a Nengo neuron type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from nengo.dists import Choice
from nengo.neurons import NeuronType

from neuromorph.program import PopulationProgram
from neuromorph.recording import FloatArray

# A session's name of a variable, and the neuron type's. Nengo keeps ``bias`` for itself.
VARIABLES: Mapping[str, str] = {"u": "current", "v": "voltage", "v_threshold": "threshold", "bias": "drive"}

STATE = ("current", "voltage", "waiting", "threshold", "drive", "decay_u", "decay_v", "refractory")


class CubaLIF(NeuronType):  # type: ignore[misc]
    """``u = decay_u u + J; v = decay_v v + u + bias``; a spike where v > threshold, then v = 0 and a refractory period.

    Parameters are state too, one value for each neuron: so they may differ, be probed and be written, and Nengo's
    optimizer may step several populations as one. Its own ``LIF`` differs in all of this: no synaptic current, a random
    initial voltage, clipping at 0, a threshold of 1, and spikes timed between steps.
    """

    negative = False
    spiking = True
    state: ClassVar[dict[str, Any]] = {name: Choice([0]) for name in STATE}

    def gain_bias(self, max_rates: Any, intercepts: Any) -> tuple[Any, Any]:
        """Gain 1 and bias 0: the input is a synaptic current already."""
        del intercepts
        return np.ones_like(max_rates), np.zeros_like(max_rates)

    def max_rates_intercepts(self, gain: Any, bias: Any) -> tuple[Any, Any]:
        """Unknown: nothing is decoded from these neurons."""
        return np.full_like(gain, np.nan), np.full_like(bias, np.nan)

    def rates(self, x: Any, gain: Any, bias: Any) -> Any:
        """Refused: nothing is decoded from these neurons."""
        raise NotImplementedError("CubaLIF has no rates: connect its neurons, not the ensemble")

    def step(
        self,
        dt: float,
        J: FloatArray,
        output: FloatArray,
        current: FloatArray,
        voltage: FloatArray,
        waiting: FloatArray,
        threshold: FloatArray,
        drive: FloatArray,
        decay_u: FloatArray,
        decay_v: FloatArray,
        refractory: FloatArray,
    ) -> None:
        """One time step of all neurons; ``output`` is 1 where one spikes."""
        del dt
        current *= decay_u
        current += J
        voltage *= decay_v
        voltage += current
        voltage += drive
        resting: npt.NDArray[np.bool_] = waiting > 0
        voltage[resting] = 0.0
        waiting -= resting
        spiking = voltage > threshold
        voltage[spiking] = 0.0
        waiting[spiking] = refractory[spiking]
        output[...] = spiking


def cuba_lif(population: PopulationProgram) -> CubaLIF:
    """The neuron type of a population, with its parameters as initial state."""
    return CubaLIF(
        initial_state={
            "threshold": population.threshold,
            "drive": population.bias,
            "decay_u": population.decay_u,
            "decay_v": population.decay_v,
            "refractory": population.refractory,
        }
    )
