"""Neuron models that a population can have: parameters in physical units, equations, and what is allowed."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from neuromorph.errors import DescriptionError, raise_faults

Parameter = float | npt.NDArray[np.float64]  # one value for all neurons, or one for each: shape (n,)


def freeze_parameter(value: object, name: str, faults: list[str]) -> Parameter:
    """A float or a read-only 1-d float64 array; what is neither is added to ``faults``."""
    if isinstance(value, (bool, np.bool_)):
        faults.append(f"{name} must be a number, got {value!r}")
        return math.nan
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        faults.append(f"{name} must be a number or a list of one number for each neuron, got {value!r}")
        return math.nan
    if array.ndim == 0:
        return float(array)
    if array.ndim != 1 or array.size == 0:
        faults.append(f"{name} must be one number or have shape (n,), got shape {array.shape}")
        return math.nan
    array.flags.writeable = False
    return array


class Neuron(ABC):
    """A neuron model; concrete models are frozen dataclasses whose fields are numbers or arrays of shape (n,)."""

    @abstractmethod
    def faults(self) -> list[str]:
        """What is wrong with the parameters, as sentences; empty where all is well."""

    @abstractmethod
    def parameters(self) -> dict[str, Parameter]:
        """Field name to value."""

    def size_faults(self, size: int) -> list[str]:
        """Parameters whose length does not fit a population of ``size`` neurons."""
        return [
            f"{type(self).__name__}.{name} has length {np.size(value)} for {size} neurons: give one number, or {size}"
            for name, value in self.parameters().items()
            if isinstance(value, np.ndarray) and value.size != size
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class LIF(Neuron):
    r"""Current-based leaky integrate-and-fire neuron with an exponential synapse and a hard reset to 0.

    Between spikes ``tau_syn du/dt = -u`` and ``tau_mem dv/dt = -v``, driven in steps of ``dt``::

        u[t] = exp(-dt / tau_syn) u[t-1] + a[t]
        v[t] = exp(-dt / tau_mem) v[t-1] + u[t] + bias
        spike where v[t] > v_threshold, and then v[t] = 0

    where ``a[t]`` is the sum of weights that arrive at t. For ``refractory`` seconds after a spike v stays at 0
    while u goes on. Weights, v, u and bias are dimensionless; bias is added in every step. This is the neuron of
    Loihi (Davies et al., IEEE Micro 38(1), 2018) and NIR's CubaLIF up to input scaling (Pedersen et al., Nature
    Communications 15:8122, 2024).

    With a ``threshold_increment`` the threshold adapts (adaptive LIF, "ALIF")::

        h[t] = exp(-dt / tau_threshold) h[t-1]
        spike where v[t] > v_threshold + h[t], and then v[t] = 0 and h[t] += threshold_increment

    so that a neuron that has spiked much is harder to excite: spike-frequency adaptation, and homeostasis within the
    neuron where ``tau_threshold`` is long (Bellec et al., Long short-term memory and learning-to-learn in networks of
    spiking neurons, NeurIPS 31, 2018; moving thresholds: Gerstner et al., Neuronal Dynamics, chapter 6, 2014). A
    population then has h, read and probed as ``threshold_adaptation``; it decays in the refractory period too.

    Raises :class:`DescriptionError` with every wrong parameter.

    >>> LIF(tau_mem=20e-3).v_threshold
    1.0
    >>> LIF(threshold_increment=0.1, tau_threshold=0.5).adapts
    True
    >>> LIF(tau_mem=-0.01)
    Traceback (most recent call last):
        ...
    neuromorph.errors.DescriptionError: LIF.tau_mem must be >= 0 s, got -0.01
    """

    tau_mem: Parameter = 20e-3  # s, membrane time constant; inf: no leak; 0: v keeps nothing from step to step
    tau_syn: Parameter = 5e-3  # s, synaptic time constant; 0: each arrival acts for one step
    v_threshold: Parameter = 1.0  # inf: it never spikes, for populations of which only u or v is read
    bias: Parameter = 0.0  # added to v in every step
    refractory: Parameter = 0.0  # s, a whole number of time steps
    threshold_increment: Parameter = 0.0  # added to the threshold by every spike; 0: the threshold stays where it is
    tau_threshold: Parameter = 100e-3  # s, in which what spikes have added is forgotten; inf: never

    def __post_init__(self) -> None:
        faults: list[str] = []
        for item in fields(self):
            where = f"{type(self).__name__}.{item.name}"
            object.__setattr__(self, item.name, freeze_parameter(getattr(self, item.name), where, faults))
        refused = {fault.partition(" ")[0] for fault in faults}  # these have no value whose range could be wrong too
        faults += [fault for fault in self.faults() if fault.partition(" ")[0] not in refused]
        raise_faults(DescriptionError, faults)

    def faults(self) -> list[str]:
        """Every parameter out of its range."""
        kind = type(self).__name__
        found: list[str] = []
        found += _out_of_range(f"{kind}.tau_mem", self.tau_mem, ">= 0 s", lambda a: a >= 0)
        found += _out_of_range(f"{kind}.tau_syn", self.tau_syn, ">= 0 s", lambda a: a >= 0)
        found += _out_of_range(f"{kind}.v_threshold", self.v_threshold, "> 0", lambda a: a > 0)
        found += _out_of_range(f"{kind}.bias", self.bias, "finite", np.isfinite)
        found += _out_of_range(
            f"{kind}.refractory", self.refractory, ">= 0 s and finite", lambda a: (a >= 0) & (a < np.inf)
        )
        found += _out_of_range(
            f"{kind}.threshold_increment",
            self.threshold_increment,
            ">= 0 and finite",
            lambda a: (a >= 0) & (a < np.inf),
        )
        found += _out_of_range(f"{kind}.tau_threshold", self.tau_threshold, "> 0 s", lambda a: a > 0)
        return found

    def parameters(self) -> dict[str, Parameter]:
        """Field name to value."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def adapts(self) -> bool:
        """Whether the threshold of any neuron rises with its spikes."""
        return bool(np.any(np.asarray(self.threshold_increment) > 0))


def IF(
    *,
    tau_syn: Parameter = 0.0,
    v_threshold: Parameter = 1.0,
    bias: Parameter = 0.0,
    refractory: Parameter = 0.0,
    threshold_increment: Parameter = 0.0,
    tau_threshold: Parameter = 100e-3,
) -> LIF:
    """Integrate-and-fire neuron: the limit of :class:`LIF` without leak (``tau_mem`` infinite).

    >>> IF(v_threshold=2.0).tau_mem
    inf
    """
    return LIF(
        tau_mem=math.inf,
        tau_syn=tau_syn,
        v_threshold=v_threshold,
        bias=bias,
        refractory=refractory,
        threshold_increment=threshold_increment,
        tau_threshold=tau_threshold,
    )


def _out_of_range(name: str, value: Parameter, allowed: str, test: object) -> list[str]:
    array = np.atleast_1d(np.asarray(value, dtype=np.float64))
    wrong = np.flatnonzero(~test(array))  # type: ignore[operator]
    if wrong.size == 0:
        return []
    if isinstance(value, float):
        return [f"{name} must be {allowed}, got {value!r}"]
    more = f" and {wrong.size - 1} more" if wrong.size > 1 else ""
    return [f"{name} must be {allowed}, got {float(array[wrong[0]])!r} for neuron {wrong[0]}{more}"]
