"""The parts of a program: populations, projections, rules, traces and probes in whole steps and plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.plasticity.language import SumOfProducts
from neuromorph.plasticity.rule import TRACES
from neuromorph.recording import FloatArray, IntArray


def _frozen(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationProgram:
    """Current-based LIF neurons: ``u = decay_u u + a; v = decay_v v + u + bias; spike where v > threshold; v = 0``."""

    name: str
    size: int
    decay_u: FloatArray  # (size,), factor per step; a multiple of 2^-53, so that 1 - (1 - decay) is the same number
    decay_v: FloatArray  # (size,)
    threshold: FloatArray  # (size,)
    bias: FloatArray  # (size,)
    refractory: IntArray  # (size,), steps after a spike in which v stays 0

    def __post_init__(self) -> None:
        for name in ("decay_u", "decay_v", "threshold", "bias", "refractory"):
            dtype = np.int64 if name == "refractory" else np.float64
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))

    def faults(self) -> list[str]:
        """What is wrong with the parameters, as sentences; empty where all is well."""
        ranges = {
            "decay_u": ("0 to 1", (self.decay_u >= 0) & (self.decay_u <= 1)),
            "decay_v": ("0 to 1", (self.decay_v >= 0) & (self.decay_v <= 1)),
            "threshold": ("> 0", self.threshold > 0),
            "bias": ("finite", np.isfinite(self.bias)),
            "refractory": (">= 0 steps", self.refractory >= 0),
        }
        found = []
        for name, (allowed, fits) in ranges.items():
            values = getattr(self, name)
            if values.shape != (self.size,):
                found.append(f"{name} must have shape ({self.size},), got {values.shape}")
            elif not np.all(fits):
                found.append(f"{name} must be {allowed}, got {values[~fits][0].item()!r}")
        return found


@dataclass(frozen=True, kw_only=True)
class TraceProgram:
    """A trace: ``x = decay x``, then ``x += impulse`` where the neuron spiked."""

    impulse: float
    decay: float  # factor per step


@dataclass(frozen=True, kw_only=True)
class RuleProgram:
    """A learning rule in steps; see :class:`neuromorph.plastic_state.PlasticState` for what it does."""

    name: str
    dw: SumOfProducts
    dt: SumOfProducts | None
    traces: Mapping[str, TraceProgram]
    epoch: int  # steps
    w_min: float
    w_max: float
    modulators: Mapping[str, float]  # name to weight in r

    def __post_init__(self) -> None:
        for name in ("traces", "modulators"):  # in order of name: r is summed in it, also after saving and loading
            object.__setattr__(self, name, MappingProxyType(dict(sorted(getattr(self, name).items()))))

    def faults(self) -> list[str]:
        """What is wrong with the rule, as sentences; empty where all is well."""
        found = []
        if self.epoch < 1:
            found.append(f"epoch must be at least one step, got {self.epoch!r}")
        if not self.w_min <= self.w_max:
            found.append(f"w_min must not exceed w_max, got {self.w_min!r} and {self.w_max!r}")
        lacking = sorted((self.variables & set(TRACES)) - set(self.traces))
        if lacking:
            found.append(f"{', '.join(lacking)} is read but has no trace")
        unknown = sorted(set(self.traces) - set(TRACES))
        if unknown:
            found.append(f"there is no trace {', '.join(unknown)}; known: {', '.join(TRACES)}")
        for name, trace in self.traces.items():
            if not (0 <= trace.decay <= 1 and np.isfinite(trace.impulse)):
                found.append(f"trace {name} must have a decay of 0 to 1 and a finite impulse, got {trace!r}")
        if "r" in self.variables and not self.modulators:
            found.append("r is read but no modulator is named")
        return found

    @property
    def targets(self) -> dict[str, SumOfProducts]:
        """``weight`` and, where the rule has one, ``tag``."""
        return {"weight": self.dw} if self.dt is None else {"weight": self.dw, "tag": self.dt}

    @property
    def variables(self) -> frozenset[str]:
        """Variables that any target reads."""
        return frozenset().union(*(target.variables for target in self.targets.values()))

    @property
    def dependencies(self) -> frozenset[str]:
        """Dependencies of any target."""
        return frozenset().union(*(target.dependencies for target in self.targets.values()))


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionProgram:
    """Synapses ordered by postsynaptic and then presynaptic neuron; arrays of one entry for each that exists."""

    name: str
    pre: str
    post: str
    pre_size: int
    post_size: int
    post_index: IntArray
    pre_index: IntArray
    weight: FloatArray
    delay: IntArray  # steps, >= 1: a spike sent at t acts at t + delay
    rule: RuleProgram | None = None

    def __post_init__(self) -> None:
        for name in ("post_index", "pre_index", "weight", "delay"):
            dtype = np.float64 if name == "weight" else np.int64
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))

    def faults(self) -> list[str]:
        """What is wrong with the synapses and the rule, as sentences; empty where all is well."""
        found = [] if self.rule is None else [f"rule {self.rule.name!r}: {fault}" for fault in self.rule.faults()]
        return found + self._synapse_faults()

    def _synapse_faults(self) -> list[str]:
        lengths = {array.size for array in (self.post_index, self.pre_index, self.weight, self.delay)}
        if len(lengths) != 1:
            return [f"its synapse arrays differ in length: {sorted(lengths)}"]
        if self.synapses == 0:
            return []
        found = []
        inside = int(self.pre_index.min()) >= 0 and int(self.pre_index.max()) < self.pre_size
        inside &= int(self.post_index.min()) >= 0 and int(self.post_index.max()) < self.post_size
        if not inside or np.any(np.diff(self.post_index * self.pre_size + self.pre_index) <= 0):
            found.append("synapses must lie inside and be ordered by post, then pre, each once")
        if self.delay.min() < 1:
            found.append("delays must be at least one step")
        low, high = float(self.weight.min()), float(self.weight.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            found.append("weights must be finite")
        elif self.rule is not None and not (self.rule.w_min <= low and high <= self.rule.w_max):
            bounds = f"{self.rule.w_min!r}..{self.rule.w_max!r}"
            found.append(
                f"weights {low!r}..{high!r} must lie in the rule's bounds {bounds}: clip them or widen the bounds"
            )
        return found

    @property
    def synapses(self) -> int:
        """Synapses that exist."""
        return int(self.weight.size)

    @property
    def is_full(self) -> bool:
        """Whether every possible synapse exists."""
        return self.synapses == self.pre_size * self.post_size

    @property
    def max_delay(self) -> int:
        """Longest delay in steps; 1 where there is no synapse."""
        return int(self.delay.max(initial=1))

    @property
    def has_one_delay(self) -> bool:
        """Whether all synapses share one delay."""
        return self.synapses == 0 or bool(np.all(self.delay == self.delay[0]))

    @cached_property
    def by_pre(self) -> tuple[IntArray, IntArray]:
        """(pointer, order): synapses of presynaptic neuron i are ``order[pointer[i]:pointer[i + 1]]``."""
        order = np.argsort(self.pre_index, kind="stable")
        pointer = np.concatenate([[0], np.cumsum(np.bincount(self.pre_index, minlength=self.pre_size))])
        return pointer.astype(np.int64), order.astype(np.int64)

    @cached_property
    def by_post(self) -> IntArray:
        """Pointer: synapses onto postsynaptic neuron j are ``pointer[j]:pointer[j + 1]``."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.post_index, minlength=self.post_size))]).astype(np.int64)

    def matrix(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """``values`` of all synapses as a dense array (post, pre), zero where no synapse exists."""
        dense = np.zeros((self.post_size, self.pre_size), dtype=values.dtype)
        dense[self.post_index, self.pre_index] = values
        return dense


@dataclass(frozen=True, kw_only=True)
class ProbeProgram:
    """A probe in steps: states are recorded after steps ``every``, ``2 every``, ... of the session."""

    target: str
    variable: str
    every: int
