"""The current-based LIF neuron as Nengo neuron types: one in float, one in a chip's integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, final

import numpy as np
import numpy.typing as npt
from nengo.dists import Choice
from nengo.neurons import NeuronType

from neuromorph.arithmetic import DECAY_UNITY, saturated, toward_zero, with_input, wrapped_once
from neuromorph.program import PopulationProgram
from neuromorph.recording import FloatArray

# A session's name of a variable, and the neuron type's. Nengo keeps ``bias`` for itself.
VARIABLES: Mapping[str, str] = {"u": "current", "v": "voltage", "v_threshold": "threshold", "bias": "drive"}

COMMON = ("current", "voltage", "waiting", "threshold", "drive", "refractory")
ADAPTING = ("adaptation", "increment", "decay_threshold")


class UndecodedNeurons(NeuronType):  # type: ignore[misc]
    """Base of neuron types that are connected neuron to neuron; nothing is decoded from them.

    Parameters are state too, one value for each neuron: so they may differ, be probed and be written, and Nengo's
    optimizer may step several populations as one. Its own ``LIF`` differs in all of this: no synaptic current, a random
    initial voltage, clipping at 0, a threshold of 1, and spikes timed between steps.
    """

    negative = False
    spiking = True

    def gain_bias(self, max_rates: Any, intercepts: Any) -> tuple[Any, Any]:
        """Gain 1 and bias 0: the input is a synaptic current already."""
        del intercepts
        return np.ones_like(max_rates), np.zeros_like(max_rates)

    def max_rates_intercepts(self, gain: Any, bias: Any) -> tuple[Any, Any]:
        """Unknown: nothing is decoded from these neurons."""
        return np.full_like(gain, np.nan), np.full_like(bias, np.nan)

    def rates(self, x: Any, gain: Any, bias: Any) -> Any:
        """Refused: nothing is decoded from these neurons."""
        raise NotImplementedError(f"{type(self).__name__} has no rates: connect its neurons, not the ensemble")


@final
class CubaLIF(UndecodedNeurons):
    """``u = decay_u u + J; v = decay_v v + u + bias``; a spike where v > threshold, then v = 0 and a refractory period."""

    state: ClassVar[dict[str, Any]] = {name: Choice([0]) for name in (*COMMON, "decay_u", "decay_v")}

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
        refractory: FloatArray,
        decay_u: FloatArray,
        decay_v: FloatArray,
    ) -> None:
        """One time step of all neurons; ``output`` is 1 where one spikes."""
        del dt
        current *= decay_u
        current += J
        voltage *= decay_v
        voltage += current
        voltage += drive
        output[...] = _spikes(voltage, waiting, threshold, refractory)


@final
class AdaptiveCubaLIF(UndecodedNeurons):
    """:class:`CubaLIF` whose threshold adapts: ``h = decay_threshold h``, a spike where v > threshold + h, which adds to h."""

    state: ClassVar[dict[str, Any]] = {name: Choice([0]) for name in (*COMMON, "decay_u", "decay_v", *ADAPTING)}

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
        refractory: FloatArray,
        decay_u: FloatArray,
        decay_v: FloatArray,
        adaptation: FloatArray,
        increment: FloatArray,
        decay_threshold: FloatArray,
    ) -> None:
        """One time step of all neurons; ``output`` is 1 where one spikes."""
        del dt
        current *= decay_u
        current += J
        voltage *= decay_v
        voltage += current
        voltage += drive
        adaptation *= decay_threshold
        spiking = _spikes(voltage, waiting, threshold + adaptation, refractory)
        adaptation[spiking] += increment[spiking]
        output[...] = spiking


@final
class LoihiLIF(UndecodedNeurons):
    """The same in a chip's integers, which are held in Nengo's float64 signals.

    ``u = wrap(u keep_u / 4096 + (J << 6)); v = saturate(v keep_v / 4096 + u + bias)``, both decays rounded toward zero.
    ``keep_u`` is 4095 - du, ``keep_v`` is 4096 - dv, J a sum of weight mantissas with their exponents.
    """

    state: ClassVar[dict[str, Any]] = {name: Choice([0]) for name in (*COMMON, "keep_u", "keep_v")}

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
        refractory: FloatArray,
        keep_u: FloatArray,
        keep_v: FloatArray,
    ) -> None:
        """One time step of all neurons; ``output`` is 1 where one spikes. No product reaches 2^53, so all are exact."""
        del dt
        current[...] = wrapped_once(with_input(toward_zero((current * keep_u).astype(np.int64), 12), J))
        voltage[...] = saturated(toward_zero((voltage * keep_v).astype(np.int64), 12) + current + drive)
        output[...] = _spikes(voltage, waiting, threshold, refractory)


def _spikes(
    voltage: FloatArray, waiting: FloatArray, threshold: FloatArray, refractory: FloatArray
) -> npt.NDArray[np.bool_]:
    """Which neurons spike; they are reset, and those in their refractory period stay at 0."""
    resting: npt.NDArray[np.bool_] = waiting > 0
    voltage[resting] = 0.0
    waiting -= resting
    spiking: npt.NDArray[np.bool_] = voltage > threshold
    voltage[spiking] = 0.0
    waiting[spiking] = refractory[spiking]
    return spiking


def neuron_type(population: PopulationProgram, arithmetic: Literal["float", "fixed"]) -> UndecodedNeurons:
    """The neuron type of a population, with its parameters as initial state."""
    parameters: dict[str, npt.NDArray[Any]] = {
        "threshold": population.threshold,
        "drive": population.bias,
        "refractory": population.refractory,
    }
    if arithmetic == "float":
        parameters |= {"decay_u": population.decay_u, "decay_v": population.decay_v}
        if population.threshold_increment is None or population.decay_threshold is None:
            return CubaLIF(initial_state=parameters)
        own = {"increment": population.threshold_increment, "decay_threshold": population.decay_threshold}
        return AdaptiveCubaLIF(initial_state=parameters | own)
    keeps = {
        "keep_u": np.rint(population.decay_u * DECAY_UNITY),
        "keep_v": np.rint(population.decay_v * DECAY_UNITY),
    }
    return LoihiLIF(initial_state=parameters | keeps)
