"""NIR's neurons as ours, and ours as NIR's.

In one step a membrane that loses the share ``q = 1 - decay`` and gets the current I goes from v to
``(1 - q) v + q (v_leak + r I)``; ours goes to ``(1 - q) v + u + bias``. So weights are scaled by ``q r``, those of
neurons with a synaptic current by ``q_syn w_in`` as well, and v is counted from v_reset, where ours begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuromorph.errors import InputError
from neuromorph.neurons import LIF
from neuromorph.nir.graph import GRADED, Node
from neuromorph.nir.linear_maps import Shape, spread
from neuromorph.nir.units import Clock
from neuromorph.recording import FloatArray

ENDLESS = 2.0**60  # steps: what a time constant of infinity becomes in NIR; its leak is below the rounding of any state
INSTANT = (
    2.0**-10
)  # steps: what a time constant of 0 becomes with exponential decay; exp(-1024) is 0 in double precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowered:
    """A NIR neuron node in our terms; arrays have one entry for each neuron."""

    tau_mem: FloatArray  # s
    tau_syn: FloatArray  # s
    v_threshold: FloatArray
    bias: FloatArray
    gain: FloatArray  # what a weight onto the neuron is multiplied by
    gain_of_constant: FloatArray  # what a constant input is multiplied by to become a bias
    is_shifted: bool = False  # whether v is counted from a v_reset that is not 0

    def neuron(self, constant: FloatArray, refractory: float | FloatArray = 0.0) -> LIF:
        """The neuron with a constant input, such as an Affine's bias."""
        with np.errstate(over="ignore", invalid="ignore"):  # LIF refuses what is not finite
            bias = self.bias + self.gain_of_constant * constant
        return LIF(
            tau_mem=_shortened(self.tau_mem),
            tau_syn=_shortened(self.tau_syn),
            v_threshold=_shortened(self.v_threshold),
            bias=_shortened(bias),
            refractory=refractory,
        )


def lower(node: Node, shape: Shape, clock: Clock) -> Lowered:
    """One of NIR's eight neurons as ours; raises :class:`InputError` with every parameter that has no meaning."""
    faults: list[str] = []
    size = math.prod(shape)

    def value(key: str, default: float | None = None) -> FloatArray:
        if default is not None and not node.has(key):
            return np.full(size, default)
        try:
            array = spread(node.array(key), shape, key)
        except InputError as error:
            faults.extend(error.faults)
            return np.ones(size)
        if not key.startswith(("tau", "v_threshold", "threshold")) and not np.all(np.isfinite(array)):
            faults.append(f"its {key} must be finite, got {array[~np.isfinite(array)][0]!r}")
            return np.ones(size)
        return array

    nothing = np.zeros(size)
    if node.kind == "Threshold":
        threshold = value("threshold")
        _raise(node, faults)
        lift = np.where(
            threshold > 0, 0.0, 1.0 - threshold
        )  # ours are above 0; without memory, both sides can be lifted
        return Lowered(
            tau_mem=nothing,
            tau_syn=nothing,
            v_threshold=threshold + lift,
            bias=lift,
            gain=np.ones(size),
            gain_of_constant=np.ones(size),
        )
    r = value("r")
    v_reset = value("v_reset", 0.0)
    v_threshold = np.full(size, math.inf) if node.kind in GRADED else value("v_threshold")
    low = v_threshold <= v_reset
    if np.any(low):
        faults.append(
            f"its v_threshold must be above its v_reset, where the membrane starts, got {float(v_threshold[low][0])!r} and"
            f" {float(v_reset[low][0])!r}"
        )
    if node.kind in ("I", "IF"):
        _raise(node, faults)
        rate = r * clock.dt_in_units
        return Lowered(
            tau_mem=np.full(size, math.inf),
            tau_syn=nothing,
            v_threshold=v_threshold - v_reset,
            bias=nothing,
            gain=rate,
            gain_of_constant=rate,
            is_shifted=bool(np.any(v_reset)),
        )
    has_current = node.kind in ("CubaLI", "CubaLIF")
    tau_mem = value("tau_mem" if has_current else "tau")
    tau_syn = value("tau_syn") if has_current else nothing
    w_in = value("w_in", 1.0) if has_current else np.ones(size)
    v_leak = value("v_leak")
    for name, tau in (("tau_mem" if has_current else "tau", tau_mem), ("tau_syn", tau_syn)):
        faults += _tau_faults(name, tau, clock)
    _raise(node, faults)
    lost = clock.loss(tau_mem)
    charge = w_in * lost * r
    return Lowered(
        tau_mem=clock.seconds(tau_mem),
        tau_syn=clock.seconds(tau_syn),
        v_threshold=v_threshold - v_reset,
        bias=lost * (v_leak - v_reset),
        gain=clock.loss(tau_syn) * charge,
        gain_of_constant=charge,
        is_shifted=bool(np.any(v_reset)),
    )


def _tau_faults(name: str, tau: FloatArray, clock: Clock) -> list[str]:
    if np.any(tau < 0):
        return [f"its {name} must be >= 0, got {float(tau.min())!r}"]
    short = tau[(tau > 0) & (tau < clock.dt_in_units)]
    if clock.integration == "euler" and short.size:
        return [
            f"its {name} = {float(short[0] * clock.unit_second):.6g} s is shorter than dt = {clock.dt!r} s, which Euler"
            " steps cannot hold: choose a shorter dt, or integration='exponential'"
        ]
    return []


def _raise(node: Node, faults: list[str]) -> None:
    """Raise what was found about a node, if anything."""
    if faults:
        raise InputError([f"{node}: {fault}" for fault in faults])


def raised(neuron: LIF, size: int, clock: Clock, *, sends: bool) -> tuple[str, Mapping[str, FloatArray]]:
    """Our neuron as NIR's: the kind and the parameters, chosen so that weights stay as they are.

    NIR has no integrate-and-fire neuron with a synapse and no time constants of 0 or infinity beside others: they become
    2^-10 (Euler: one) and 2^60 steps, which no state can tell from them. A neuron that never spikes is an LI, CubaLI or
    I, unless it ``sends`` spikes to others, for then NIR would send its membrane instead.
    """
    each = {name: np.broadcast_to(np.asarray(value), (size,)) for name, value in neuron.parameters().items()}
    tau_mem, tau_syn, threshold, bias = (each[name] for name in ("tau_mem", "tau_syn", "v_threshold", "bias"))
    silent = bool(np.all(np.isinf(threshold))) and not sends
    immediate = bool(np.all(tau_syn == 0))
    plain = immediate and not np.any(bias)
    nothing = np.zeros(size)
    limits: dict[str, FloatArray] = {} if silent else {"v_threshold": threshold + 0.0, "v_reset": nothing}
    if plain and np.all(np.isinf(tau_mem)):
        return ("I" if silent else "IF"), {"r": np.full(size, 1.0 / clock.dt), **limits}
    if plain and np.all(tau_mem == 0) and not silent:
        return "Threshold", {"threshold": threshold + 0.0}
    membrane, synapse = _finite_tau(tau_mem, clock), _finite_tau(tau_syn, clock)
    lost = clock.loss(membrane)
    rest = {"r": 1.0 / lost, "v_leak": bias / lost, **limits}
    if immediate:
        return ("LI" if silent else "LIF"), {"tau": membrane, **rest}
    current = {"tau_syn": synapse, "tau_mem": membrane, **rest, "w_in": 1.0 / clock.loss(synapse)}
    return ("CubaLI" if silent else "CubaLIF"), current


def _finite_tau(tau: FloatArray, clock: Clock) -> FloatArray:
    instant = clock.dt * (1.0 if clock.integration == "euler" else INSTANT)
    return np.where(tau == 0, instant, np.where(np.isinf(tau), clock.dt * ENDLESS, tau))


def _shortened(values: FloatArray) -> float | FloatArray:
    """One number where all are the same."""
    return float(values[0]) if np.all(values == values[0]) else values
