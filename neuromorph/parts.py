"""The parts of a program: populations, projections, rules, traces and probes in whole steps and plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import (
    ALIGNMENT,
    DECAY_UNITY,
    LARGEST_TRACE,
    STATE_LIMIT,
    WEIGHT_RANGES,
    SignMode,
    bias_parts,
    weight_step,
)
from neuromorph.plasticity.language import SumOfProducts
from neuromorph.plasticity.rule import TRACES
from neuromorph.recording import FloatArray, IntArray


def _frozen(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationProgram:
    """Current-based LIF neurons: ``u = decay_u u + a; v = decay_v v + u + bias; spike where v > threshold; v = 0``.

    In fixed point all of it is whole numbers: decays are multiples of 1/4096 (u keeps (4095 - du) / 4096, v keeps
    (4096 - dv) / 4096, both rounded toward zero), the threshold is a mantissa << 6, the bias a mantissa << exponent.
    """

    name: str
    size: int
    decay_u: FloatArray  # (size,), factor per step; a multiple of 2^-53, so that 1 - (1 - decay) is the same number
    decay_v: FloatArray  # (size,)
    threshold: FloatArray  # (size,)
    bias: FloatArray  # (size,)
    refractory: IntArray  # (size,), steps after a spike in which v stays 0
    scale: float = 1.0  # units of u, v, threshold and bias here in one unit of the description; 1 in float

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
        if not 0 < self.scale < np.inf:
            found.append(f"scale must be > 0 and finite, got {self.scale!r}")
        return found

    def fixed_faults(self) -> list[str]:
        """What keeps the parameters from being integers of a chip, as sentences."""
        mantissa, exponent = bias_parts(np.where(np.isfinite(self.bias), self.bias, 0.0))
        keep_u, keep_v = self.decay_u * DECAY_UNITY, self.decay_v * DECAY_UNITY
        whole = np.where(self.threshold < STATE_LIMIT, self.threshold, 0.0) / 2.0**ALIGNMENT
        ranges = {
            "decay_u": ("(4095 - du) / 4096", (keep_u % 1 == 0) & (keep_u < DECAY_UNITY)),
            "decay_v": ("(4096 - dv) / 4096", keep_v % 1 == 0),
            "threshold": ("mantissa << 6 below 2^23", (whole % 1 == 0) & (self.threshold < STATE_LIMIT)),
            "bias": (
                "mantissa << exponent, mantissa -4096..4095, exponent 0..7",
                (mantissa * 2.0**exponent == self.bias) & (mantissa >= -4096) & (mantissa <= 4095),
            ),
        }
        return [
            f"{name} must be {allowed} in fixed point, got {getattr(self, name)[~fits][0].item()!r}"
            for name, (allowed, fits) in ranges.items()
            if not np.all(fits)
        ]


@dataclass(frozen=True, kw_only=True)
class TraceProgram:
    """A trace: ``x = decay x``, then ``x += impulse`` where the neuron spiked.

    In fixed point it has 7 bits, and decay and fractions of an impulse are rounded at random.
    """

    impulse: float
    decay: float  # factor per step


@dataclass(frozen=True, kw_only=True)
class RuleProgram:
    """A learning rule in steps; :class:`neuromorph.plastic_state.PlasticState` says what it does in float.

    In fixed point its coefficients are ``m 2^e`` with m in -8..7 and e in -7..8, its constants whole, and a product of
    factors of n bits in all counts ``2^-max(0, n - 11)`` times (:mod:`neuromorph.fixed_plastic_state`).
    """

    name: str
    dw: SumOfProducts
    dt: SumOfProducts | None
    traces: Mapping[str, TraceProgram]
    epoch: int  # steps
    w_min: float
    w_max: float
    modulators: Mapping[str, float]  # name to weight in r
    third_factor_scale: float = 1.0  # fixed point: integer units of one unit of r, which is held to 7 bits and a sign
    tag_scale: float = 1.0  # fixed point: integer units of one unit of the description's tag
    trace_scales: Mapping[str, float] = field(default_factory=dict)  # the same of traces, by name; not given: 1

    def __post_init__(self) -> None:
        for name in (
            "traces",
            "modulators",
            "trace_scales",
        ):  # in order of name: r is summed in it, also after saving and loading
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
        if not set(self.trace_scales) <= set(self.traces):
            found.append(
                f"trace_scales names {sorted(set(self.trace_scales) - set(self.traces))}, which are no traces here"
            )
        return found

    def fixed_faults(self) -> list[str]:
        """What keeps the rule from a chip's learning engine, as sentences."""
        found = []
        for name, trace in self.traces.items():
            if not (0 <= trace.impulse <= LARGEST_TRACE and trace.decay < 1):
                found.append(
                    f"trace {name} must have an impulse of 0..{LARGEST_TRACE} and decay in fixed point, got {trace!r}"
                )
        for name, total in self.targets.items():
            for product in total.products:
                if engine_parts(product.coefficient) is None:
                    found.append(
                        f"{name}: coefficient {product.coefficient!r} is not m 2^e with m in -8..7, e in -7..8"
                    )
                thirds = [factor for factor in product.factors if factor.variable == "r"]
                if len(thirds) > 1 or any(factor.constant or factor.sign for factor in thirds):
                    found.append(f"{name}: in fixed point a product has r once and bare, got {product}")
                elif thirds and engine_parts(-product.coefficient) is None:
                    found.append(f"{name}: {-product.coefficient!r}, for negative r, is not m 2^e with m in -8..7")
                found += [
                    f"{name}: the constant of {factor} must be whole in fixed point"
                    for factor in product.factors
                    if factor.constant % 1
                ]
                if any(factor.sign and factor.variable not in ("w", "t") for factor in product.factors):
                    found.append(f"{name}: in fixed point sgn() takes w or t, got {product}")
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


def engine_parts(coefficient: float) -> tuple[int, int] | None:
    """Mantissa in -8..7 and exponent in -7..8 of a coefficient of a learning engine; None where it has no such form.

    >>> engine_parts(0.75), engine_parts(-16.0), engine_parts(0.1)
    ((3, -2), (-1, 4), None)
    """
    if coefficient == 0 or not np.isfinite(coefficient):
        return None
    fraction, exponent = np.frexp(coefficient)
    mantissa, exponent = float(fraction), int(exponent)
    while mantissa % 1 and exponent > -7:
        mantissa, exponent = 2 * mantissa, exponent - 1
    while mantissa % 2 == 0 and exponent < -7:
        mantissa, exponent = mantissa / 2, exponent + 1
    while exponent > 8:
        mantissa, exponent = 2 * mantissa, exponent - 1
    fits = mantissa % 1 == 0 and -8 <= mantissa <= 7 and -7 <= exponent <= 8
    return (int(mantissa), exponent) if fits else None


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
    # fixed point: weights are mantissas, and the sum of those that arrive together acts 2^(6 + weight_exponent) times
    weight_exponent: int = 0
    sign_mode: SignMode = "none"  # "none" in float; else it bounds the mantissas, learned ones too
    weight_bits: int = 8  # fixed point: static mantissas are multiples of weight_step(sign_mode, weight_bits)

    def __post_init__(self) -> None:
        for name in ("post_index", "pre_index", "weight", "delay"):
            dtype = np.float64 if name == "weight" else np.int64
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))

    def faults(self) -> list[str]:
        """What is wrong with the synapses and the rule, as sentences; empty where all is well."""
        found = [] if self.rule is None else [f"rule {self.rule.name!r}: {fault}" for fault in self.rule.faults()]
        return found + self._synapse_faults()

    def fixed_faults(self) -> list[str]:
        """What keeps weights and rule from being integers of a chip, as sentences."""
        found = [] if self.rule is None else [f"rule {self.rule.name!r}: {fault}" for fault in self.rule.fixed_faults()]
        if self.sign_mode not in WEIGHT_RANGES:
            return [*found, f"sign_mode must be {', '.join(WEIGHT_RANGES)} in fixed point, got {self.sign_mode!r}"]
        if not (-7 <= self.weight_exponent <= 7 and 1 <= self.weight_bits <= 8):
            found.append(
                f"weight_exponent must be -7..7 and weight_bits 1..8, got {self.weight_exponent} and {self.weight_bits}"
            )
            return found
        low, high = WEIGHT_RANGES[self.sign_mode]
        if self.rule is not None and (self.rule.w_min, self.rule.w_max) != (low, high):
            found.append(
                f"the rule's bounds must be those of the sign mode, {low}..{high}, got"
                f" {self.rule.w_min!r}..{self.rule.w_max!r}"
            )
        return found + self.weight_faults(self.weight)

    def weight_faults(self, weight: npt.NDArray[Any]) -> list[str]:
        """Why weight mantissas are none, as sentences. Learned ones may be odd in mixed sign mode, static ones not."""
        low, high = WEIGHT_RANGES[self.sign_mode]
        step = weight_step(self.sign_mode, self.weight_bits) if self.rule is None else 1
        wrong = (weight < low) | (weight > high) | (weight % step != 0)
        if not np.any(wrong):
            return []
        return [
            f"weights must be mantissas {low}..{high} in steps of {step} ({self.sign_mode}), got"
            f" {float(weight[wrong][0])!r} and {int(np.count_nonzero(wrong)) - 1} more"
        ]

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
