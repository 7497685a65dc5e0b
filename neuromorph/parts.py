"""The parts of a program: populations, projections, rules, traces and probes in whole steps and plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import ALIGNMENT, DECAY_UNITY, STATE_LIMIT, bias_parts
from neuromorph.recording import FloatArray, IntArray
from neuromorph.rule_program import RuleProgram, TraceProgram, engine_parts
from neuromorph.synapses import ProjectionProgram

__all__ = ["PopulationProgram", "ProbeProgram", "ProjectionProgram", "RuleProgram", "TraceProgram", "engine_parts"]

NEURON_ARRAYS = ("decay_u", "decay_v", "threshold", "bias", "refractory")
ADAPTATION_ARRAYS = ("threshold_increment", "decay_threshold")  # of populations whose thresholds adapt
NO_FIXED_ADAPTATION = (
    "thresholds that adapt within the neuron (threshold_increment) have no form in a chip's integers here: run it in float,"
    " or leave threshold_increment out and let the host rule neuromorph.IntrinsicExcitability move v_threshold"
)
SYNAPSE_STATES = ("weight", "tag", "delay")  # one for each synapse; the last two where a rule changes them
NEURON_STATES = ("u", "v", "threshold_adaptation")  # probed as rows of a run; the last where thresholds adapt


def _frozen(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationProgram:
    """Current-based LIF neurons: ``u = decay_u u + a; v = decay_v v + u + bias; spike where v > threshold; v = 0``.

    Where the threshold adapts, its adaptation h decays first, ``h = decay_threshold h``, a neuron spikes where
    ``v > threshold + h``, and then ``h += threshold_increment``.

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
    threshold_increment: FloatArray | None = None  # (size,), what a spike adds; None, as the next: no neuron adapts
    decay_threshold: FloatArray | None = None  # (size,), factor per step of what was added

    def __post_init__(self) -> None:
        for name in NEURON_ARRAYS + ADAPTATION_ARRAYS:
            if getattr(self, name) is not None or name in NEURON_ARRAYS:
                dtype = np.int64 if name == "refractory" else np.float64
                object.__setattr__(self, name, _frozen(getattr(self, name), dtype))

    @property
    def adapts(self) -> bool:
        """Whether thresholds rise with spikes: the population then has the state ``threshold_adaptation``."""
        return self.threshold_increment is not None

    @property
    def states(self) -> tuple[str, ...]:
        """Variables of a neuron that a step computes, and that a probe records beside spikes."""
        return ("u", "v", "threshold_adaptation") if self.adapts else ("u", "v")

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
        if self.threshold_increment is not None and self.decay_threshold is not None:
            increment, decay = self.threshold_increment, self.decay_threshold
            ranges["threshold_increment"] = (">= 0 and finite", (increment >= 0) & np.isfinite(increment))
            ranges["decay_threshold"] = ("0 to 1", (decay >= 0) & (decay <= 1))
        elif self.threshold_increment is not None or self.decay_threshold is not None:
            found.append("threshold_increment and decay_threshold must be given together, got one of them")
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
        found = [
            f"{name} must be {allowed} in fixed point, got {getattr(self, name)[~fits][0].item()!r}"
            for name, (allowed, fits) in ranges.items()
            if not np.all(fits)
        ]
        return [*found, *([NO_FIXED_ADAPTATION] if self.adapts else [])]


@dataclass(frozen=True, kw_only=True)
class ProbeProgram:
    """A probe in steps: states are recorded after steps ``every``, ``2 every``, ... of the session."""

    target: str
    variable: str
    every: int
