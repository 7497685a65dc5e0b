"""A learning rule in steps, and the traces that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import get_args

import numpy as np

from neuromorph.arithmetic import LARGEST_TRACE
from neuromorph.plasticity.rule import TRACES, Source
from neuromorph.plasticity.terms import SumOfProducts, engine_parts

__all__ = ["RuleProgram", "TraceProgram", "engine_parts"]

NO_FIXED_DELAYS = (
    "delays that learn (dd) have no form in a chip's integers here, as no simulator of a chip delivers by them: run the rule"
    " in float, on a backend without a gap for learned_delays, and compile what it has learned"
    " (Program.with_delays(..., static=True))"
)


@dataclass(frozen=True, kw_only=True)
class TraceProgram:
    """A trace: ``x = decay x``, then ``x += impulse``, or ``x = impulse`` if ``nearest``, where the neuron spiked.

    With ``source`` "v" it is ``y = decay y + (1 - decay) m``, m the neuron's v after the reset, or ``impulse`` where it
    spiked. In fixed point a trace has 7 bits, and decay and fractions of an impulse are rounded at random; an impulse of
    127, at which it saturates, makes it a nearest one.
    """

    impulse: float
    decay: float  # factor per step
    nearest: bool = False
    source: Source = "spikes"

    @property
    def follows_membrane(self) -> bool:
        """Whether it reads v."""
        return self.source == "v"


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
    dd: SumOfProducts | None = None  # change of the delay, in steps
    d_max: int | None = None  # steps, where there is a dd; delays are at least one

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
        if (self.dd is None) != (self.d_max is None) or (self.d_max is not None and self.d_max < 1):
            found.append(f"dd needs a d_max of at least one step, and d_max a dd, got {self.d_max!r}")
        if "d" in self.variables and self.dd is None:
            found.append("d is read but nothing changes it")
        lacking = sorted((self.variables & set(TRACES)) - set(self.traces))
        if lacking:
            found.append(f"{', '.join(lacking)} is read but has no trace")
        unknown = sorted(set(self.traces) - set(TRACES))
        if unknown:
            found.append(f"there is no trace {', '.join(unknown)}; known: {', '.join(TRACES)}")
        for name, trace in self.traces.items():
            if not (0 <= trace.decay <= 1 and np.isfinite(trace.impulse)):
                found.append(f"trace {name} must have a decay of 0 to 1 and a finite impulse, got {trace!r}")
            if trace.source not in get_args(Source) or (trace.follows_membrane and trace.nearest):
                found.append(f"trace {name} must follow 'spikes', or 'v' and then not be nearest, got {trace!r}")
            if trace.follows_membrane and name not in ("y1", "y2", "y3"):
                found.append(f"trace {name} cannot follow v: only y1, y2 and y3 are of the postsynaptic neuron")
            if trace.follows_membrane and self.epoch > 1:
                found.append(f"trace {name} follows v, which needs epochs of one step, got {self.epoch}")
        if "r" in self.variables and not self.modulators:
            found.append("r is read but no modulator is named")
        if not set(self.trace_scales) <= set(self.traces):
            found.append(
                f"trace_scales names {sorted(set(self.trace_scales) - set(self.traces))}, which are no traces here"
            )
        return found

    def fixed_faults(self) -> list[str]:
        """What keeps the rule from a chip's learning engine, as sentences."""
        found = [] if self.dd is None else [NO_FIXED_DELAYS]
        for name, trace in self.traces.items():
            if not (0 <= trace.impulse <= LARGEST_TRACE and trace.decay < 1):
                found.append(
                    f"trace {name} must have an impulse of 0..{LARGEST_TRACE} and decay in fixed point, got {trace!r}"
                )
            if trace.nearest or trace.follows_membrane:
                found.append(
                    f"trace {name}: in fixed point traces add up spikes; an impulse of {LARGEST_TRACE} makes it a nearest"
                    f" one, got {trace!r}"
                )
        for name, total in self.targets.items():
            for product in total.products:
                found += [f"{name}: there is no {f} in fixed point" for f in product.factors if f.positive]
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
        """``weight`` and, where the rule has one, ``tag`` and ``delay``."""
        every = {"weight": self.dw, "tag": self.dt, "delay": self.dd}
        return {name: total for name, total in every.items() if total is not None}

    @property
    def variables(self) -> frozenset[str]:
        """Variables that any target reads."""
        return frozenset().union(*(target.variables for target in self.targets.values()))

    @property
    def dependencies(self) -> frozenset[str]:
        """Dependencies of any target."""
        return frozenset().union(*(target.dependencies for target in self.targets.values()))
