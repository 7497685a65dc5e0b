"""The neurons of a Nengo ensemble as a population: the nearest current-based LIF, and how it differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import nengo
import numpy as np
from nengo.dists import Choice, get_samples

from neuromorph.backends.nengo.neurons import AdaptiveCubaLIF, CubaLIF
from neuromorph.discretise import time_constants
from neuromorph.network import Population
from neuromorph.neurons import LIF, Parameter
from neuromorph.recording import FloatArray

NO_RATES = "it sends rates, not spikes: use nengo.LIF"
REFUSED: Mapping[str, str] = {
    "AdaptiveLIF": "its spikes add to a current that holds it back, where here they add to a threshold"
    " (threshold_increment of neuromorph.LIF): use nengo.LIF",
    "Izhikevich": "it has a recovery variable, and no neuron here does: use nengo.LIF",
    "SpikingRectifiedLinear": "it spikes several times in a step: use nengo.LIF with a long tau_rc and tau_ref 0",
    "LoihiLIF": "it computes in a chip's integers: use the Network that its program was compiled from",
    "Direct": "it has no neurons: use nengo.LIF",
    **dict.fromkeys(("LIFRate", "AdaptiveLIFRate", "RectifiedLinear", "Sigmoid", "Tanh"), NO_RATES),
    **dict.fromkeys(
        ("RegularSpiking", "StochasticSpiking", "PoissonSpiking"),
        "its spikes come from a rate and not from a membrane: use nengo.LIF",
    ),
}
"""Neuron types without a counterpart, and why."""


@dataclass(kw_only=True, eq=False)
class DescribedNeurons:
    """What is known of an ensemble that has a counterpart, while the connections onto it are read."""

    name: str
    kind: type
    size: int
    height: float  # of a spike that it sends
    rows: FloatArray  # what an input current is multiplied with on the way to u
    parameters: dict[str, Any]  # of our LIF; of a nengo.LIF all but tau_syn
    constant: FloatArray  # input current from Nodes of one value, before the gain
    taus: dict[float, list[str]] = field(default_factory=dict)  # synaptic time constant, s, to the connections with it
    floor: float = -math.inf  # below which v is not let
    inhibited: bool = False

    @property
    def variables(self) -> Mapping[str, str]:
        """Nengo's names of what can be probed, and ours."""
        known = {"output": "spikes", "spikes": "spikes", "voltage": "v"}
        if self.kind is nengo.LIF:
            return known
        adaptation = {"adaptation": "threshold_adaptation"} if self.kind is AdaptiveCubaLIF else {}
        return {**known, "current": "u", **adaptation}

    def differences(self) -> list[str]:
        """What only shows once all connections are known, as sentences."""
        if math.isfinite(self.floor) and (self.inhibited or np.any(self.constant < 0)):
            return [
                f"population {self.name!r}: nengo.LIF keeps v at or above min_voltage = {self.floor!r};"
                " here inhibition takes it below"
            ]
        return []

    def faults(self) -> list[str]:
        """What keeps the connections from ending on one population, as sentences."""
        if self.kind is nengo.LIF and len(self.taus) > 1:
            each = "; ".join(f"{tau!r} s: {', '.join(ends)}" for tau, ends in sorted(self.taus.items()))
            return [
                f"Ensemble {self.name!r}: synapses of several time constants end on it ({each}); a population here has one"
                " tau_syn: give the connections one Lowpass, or split the ensemble"
            ]
        filtered = [end for tau, ends in self.taus.items() if tau > 0 for end in ends]
        if self.kind is CubaLIF and filtered:
            return [
                f"Ensemble {self.name!r}: a CubaLIF filters its input itself, and {', '.join(filtered)} would filter it"
                " twice: use synapse=None"
            ]
        return []

    def population(self) -> Population:
        """The population."""
        parameters = {"tau_syn": next(iter(self.taus), 0.0), **self.parameters}
        parameters["bias"] = parameters["bias"] + self.rows * self.constant
        return Population(self.name, self.size, LIF(**{key: _one(value) for key, value in parameters.items()}))


def read_neurons(
    name: str, ensemble: Any, built: Any, dt: float, faults: list[str], assumptions: list[str]
) -> DescribedNeurons | None:
    """The neurons of one ensemble; what is wrong or different is added to ``faults`` and ``assumptions``.

    ``built`` holds the gain and bias that Nengo's builder drew, None where it was not built.
    """
    where = f"Ensemble {name!r}"
    kind = type(ensemble.neuron_type)
    if kind not in READERS:
        reason = REFUSED.get(kind.__name__, "it has no counterpart: use nengo.LIF")
        faults.append(f"{where}: neuron type {kind.__name__}: {reason}")
        return None
    if ensemble.noise is not None:
        faults.append(f"{where}: noise {ensemble.noise!r}: nothing here draws noise; leave it out")
    gain, bias = (ensemble.gain, ensemble.bias) if built is None else (built.gain, built.bias)
    if not isinstance(gain, np.ndarray) or not isinstance(bias, np.ndarray):
        faults.append(
            f"{where}: its gain and bias are drawn when Nengo builds it: give both as arrays,"
            " or pass nengo.Simulator(network), which holds what was drawn"
        )
        return None
    gain, bias = (np.broadcast_to(values, (ensemble.n_neurons,)).astype(np.float64) for values in (gain, bias))
    return READERS[kind](name, ensemble.neuron_type, gain, bias, dt, faults, assumptions)


def _lif(
    name: str, kind: Any, gain: FloatArray, bias: FloatArray, dt: float, faults: list[str], assumptions: list[str]
) -> DescribedNeurons:
    """``v += (1 - exp(-dt / tau_rc)) (J - v)`` as ``v = exp(-dt / tau_mem) v + u + bias``."""
    del faults
    where = f"population {name!r}"
    step = -math.expm1(-dt / kind.tau_rc)
    steps = round(kind.tau_ref / dt)
    assumptions.append(
        f"{where}: nengo.LIF times spikes within a step and lets v rise for the rest of the step in which the refractory"
        " time ends; here a spike ends its step, so an interval between spikes is longer by less than one step"
    )
    if abs(kind.tau_ref - steps * dt) > 1e-6 * dt:
        assumptions.append(f"{where}: tau_ref = {kind.tau_ref!r} s is {steps} steps of {dt!r} s here")
    if not _is_zero({**kind.state, **(kind.initial_state or {})}["voltage"]):
        assumptions.append(f"{where}: nengo.LIF starts at a voltage of its own, by default a drawn one; here it is 0")
    return DescribedNeurons(
        name=name,
        kind=nengo.LIF,
        size=gain.size,
        height=kind.amplitude / dt,
        rows=step * gain,
        parameters={"tau_mem": kind.tau_rc, "refractory": steps * dt, "bias": step * bias},
        constant=np.zeros(gain.size),
        floor=kind.min_voltage,
        inhibited=bool(np.any(bias < 0)),
    )


def _cuba_lif(
    name: str, kind: Any, gain: FloatArray, bias: FloatArray, dt: float, faults: list[str], assumptions: list[str]
) -> DescribedNeurons:
    """Our own type, whose parameters are arrays of initial state."""
    del assumptions
    values = {**kind.state, **(kind.initial_state or {})}
    own = {key: np.ravel(get_samples(value, gain.size, rng=np.random.RandomState(0))) for key, value in values.items()}
    adapts = isinstance(kind, AdaptiveCubaLIF)
    states = ("current", "voltage", "waiting", *(["adaptation"] if adapts else []))
    moving = [key for key in states if np.any(own[key] != 0)]
    if moving:
        faults.append(f"Ensemble {name!r}: it starts with {', '.join(moving)} other than 0: write them in the session")
    if np.any(bias != 0):
        faults.append(f"Ensemble {name!r}: a CubaLIF takes its bias as 'drive' in initial_state, not as the ensemble's")
    adaptation = {}
    if adapts:
        tau = time_constants(own["decay_threshold"], dt)  # where a neuron adds nothing, any will do
        adaptation = {"threshold_increment": own["increment"], "tau_threshold": np.where(tau > 0, tau, dt / 1000)}
    return DescribedNeurons(
        name=name,
        kind=type(kind),
        size=gain.size,
        height=1.0,
        rows=gain,
        parameters={
            "tau_syn": time_constants(own["decay_u"], dt),
            "tau_mem": time_constants(own["decay_v"], dt),
            "v_threshold": own["threshold"],
            "bias": own["drive"],
            "refractory": own["refractory"] * dt,
            **adaptation,
        },
        constant=np.zeros(gain.size),
    )


READERS: Mapping[type, Callable[..., DescribedNeurons]] = {
    nengo.LIF: _lif,
    CubaLIF: _cuba_lif,
    AdaptiveCubaLIF: _cuba_lif,
}
"""Neuron type to the function that reads it."""


def _is_zero(start: Any) -> bool:
    values = start.options if isinstance(start, Choice) else start
    return isinstance(values, (np.ndarray, int, float)) and not np.any(values)


def _one(values: Any) -> Parameter:
    """One number where all neurons share it."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.flat[0]) if np.all(array == array.flat[0]) else array
