"""A learning rule: its targets, its traces, its bounds and its third factor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from neuromorph.errors import RuleError, is_number, raise_faults
from neuromorph.plasticity.expression import Expression
from neuromorph.plasticity.language import parse
from neuromorph.plasticity.terms import SumOfProducts

TRACES = ("x1", "x2", "y1", "y2", "y3")
Pairing = Literal["all-to-all", "nearest"]
Source = Literal["spikes", "v"]
Target: TypeAlias = str | Expression | SumOfProducts | None


@dataclass(frozen=True)
class Trace:
    """A synaptic trace, which decays as exp(-t / tau) and jumps at every spike.

    With ``pairing`` "all-to-all" a spike adds ``impulse``; with "nearest" it sets the trace to ``impulse``, so that only
    the last spike is remembered. Morrison, Diesmann and Gerstner, Biological Cybernetics 98, 2008.

    With ``source`` "v" a postsynaptic trace follows the membrane: ``y = d y + (1 - d) m`` in every step, with
    ``d = exp(-dt / tau)`` and m the membrane potential v after the step's reset, or ``impulse`` in a step in which the
    neuron spiked, as a LIF neuron has no upswing of its own. It is for voltage-based rules (Clopath et al., Nature
    Neuroscience 13, 2010) and pseudo-derivatives, in float and with epochs of one step; a ``tau`` of 0 gives m itself.

    >>> Trace(tau=20e-3).impulse
    1.0
    """

    tau: float  # s; inf: no decay
    impulse: float = 1.0  # with source "v" what the membrane counts as in the step of a spike
    pairing: Pairing = "all-to-all"
    source: Source = "spikes"

    def __post_init__(self) -> None:
        faults = []
        least = ">= 0 s" if self.source == "v" else "> 0 s"
        if not (is_number(self.tau, finite=False) and (self.tau > 0 or (self.tau == 0 and self.source == "v"))):
            faults.append(f"Trace.tau must be {least}, got {self.tau!r}")
        if not is_number(self.impulse):
            faults.append(f"Trace.impulse must be finite, got {self.impulse!r}")
        if self.pairing not in get_args(Pairing):
            faults.append(f"Trace.pairing must be 'all-to-all' or 'nearest', got {self.pairing!r}")
        if self.source not in get_args(Source):
            faults.append(f"Trace.source must be 'spikes' or 'v', got {self.source!r}")
        if self.source == "v" and self.pairing != "all-to-all":
            faults.append(f"Trace.pairing is for spikes: leave it out with source='v', got {self.pairing!r}")
        raise_faults(RuleError, faults)


@dataclass(frozen=True, kw_only=True)
class LearningRule:
    """Sums of products that change a projection's weights (``dw``), eligibility tags (``dt``) and delays (``dd``).

    On an epoch the traces are brought up to date, then all targets are computed from one snapshot of the old values,
    then the weights are held within ``w_min`` and ``w_max``, and delays within one step and ``d_max``. Delays are counted
    in time steps, in ``dd`` and where a product reads ``d``; they are real numbers that learn from the projection's delay
    on, and a spike takes the nearest whole number of steps, halves to the even one (Eurich et al., Physical Review
    Letters 82, 1999; Loihi's ``d`` is the part of it beyond the first step). Targets are text (:func:`neuromorph.plasticity.parse`) or
    expressions of :mod:`neuromorph.plasticity.variables`, and rules that say the same are equal. A presynaptic spike counts in the step in which it is
    *sent*, whatever the delay; spikes of the same step see each other's full impulse. The third factor is
    ``r = sum of weight * modulator value``; of an epoch of several steps, its value in the last one counts.

    Raises :class:`RuleError` with every fault.

    >>> rule = LearningRule(dw="0.1 * x1 * y0", x1=Trace(tau=20e-3), w_max=1.0)
    >>> print(rule.dw_sum)
    0.1 * x1 * y0
    """

    dw: Target = field(default=None, compare=False)  # kept as text
    dt: Target = field(default=None, compare=False)  # change of the eligibility tag
    dd: Target = field(default=None, compare=False)  # change of the delay, in time steps
    x1: Trace | None = None
    x2: Trace | None = None
    y1: Trace | None = None
    y2: Trace | None = None
    y3: Trace | None = None
    tau_tag: float | None = None  # s; the tag decays by exp(-epoch / tau_tag) on every epoch, beside ``dt``
    w_min: float = -math.inf
    w_max: float = math.inf
    modulators: Mapping[str, float] = field(default_factory=dict)  # name of a Modulator to its weight in r
    epoch: float | None = None  # s, a whole number of time steps; None: every step
    d_max: float | None = None  # s, the longest delay that dd may lead to, a whole number of time steps
    name: str = "custom"
    dw_sum: SumOfProducts | None = field(init=False, repr=False)
    dt_sum: SumOfProducts | None = field(init=False, repr=False)
    dd_sum: SumOfProducts | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        faults = self._type_faults()
        raise_faults(RuleError, [f"rule {self.name!r}: {fault}" for fault in faults])
        object.__setattr__(
            self, "modulators", MappingProxyType({k: float(v) for k, v in dict(self.modulators).items()})
        )
        for target in ("dw", "dt", "dd"):
            parsed = None
            if (given := getattr(self, target)) is not None:
                try:
                    parsed = _sum(given, {"w_min": self.w_min, "w_max": self.w_max})
                except RuleError as error:
                    faults += [f"rule {self.name!r}, {target}: {fault}" for fault in error.faults]
            object.__setattr__(self, f"{target}_sum", parsed)
            # Text that names a bound is kept as what it says with this one, as every reader of it must find the same.
            named = isinstance(given, str) and ("w_min" in given or "w_max" in given)
            if parsed is not None and (named or isinstance(given, (Expression, SumOfProducts))):
                object.__setattr__(self, target, str(parsed))
        raise_faults(RuleError, faults or [f"rule {self.name!r}: {fault}" for fault in self._faults()])

    def __reduce__(self) -> tuple[Any, ...]:
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.init}
        values["modulators"] = dict(self.modulators)  # read-only mappings do not pickle
        return partial(LearningRule, **values), ()

    def _type_faults(self) -> list[str]:
        """Fields that are not what they should be, before they are looked at together."""
        found = []
        for name in TRACES:
            if not isinstance(value := getattr(self, name), (Trace, type(None))):
                found.append(f"{name} must be a Trace(tau=..., impulse=...), got {value!r}")
        for name in ("w_min", "w_max"):
            if not is_number(value := getattr(self, name), finite=False):
                found.append(f"{name} must be a number, infinite where there is no bound, got {value!r}")
        for name in ("tau_tag", "epoch", "d_max"):
            value = getattr(self, name)
            if value is not None and not (is_number(value, finite=name != "tau_tag") and value > 0):
                found.append(f"{name} must be > 0 s, got {value!r}")
        weights = self.modulators
        if not isinstance(weights, Mapping) or not all(isinstance(k, str) and is_number(v) for k, v in weights.items()):
            found.append(f"modulators must map names to finite weights, as in {{'dopamine': 1.0}}, got {weights!r}")
        return found

    def _faults(self) -> list[str]:
        found: list[str] = []
        if self.dw_sum is None and self.dd_sum is None:
            found.append("it has no dw: a rule that changes no weight does nothing")
        used = self.variables
        for trace in TRACES:
            if trace in used and getattr(self, trace) is None:
                found.append(f"{trace} is used but not described: give {trace}=Trace(tau=..., impulse=...)")
            if trace not in used and getattr(self, trace) is not None:
                found.append(f"{trace} is described but not used by dw or dt: leave it out")
        if "t" in used and self.dt_sum is None:
            found.append("the tag t is used but nothing changes it: give dt")
        reading = [total.variables for total in (self.dw_sum, self.dd_sum) if total is not None]
        if self.dt_sum is not None and not any("t" in variables for variables in reading):
            found.append("dt is given but dw does not use the tag t")
        if self.tau_tag is not None and self.dt_sum is None:
            found.append(f"tau_tag needs dt, got {self.tau_tag!r} and no dt")
        if "r" in used and not self.modulators:
            found.append("the third factor r is used but no modulator is named: give modulators={'name': 1.0}")
        if "r" not in used and self.modulators:
            found.append("modulators are named but neither dw nor dt uses r")
        if "d" in used and self.dd_sum is None:
            found.append(
                "the delay d is used but nothing changes it: give dd and d_max, or write its steps as a number"
            )
        if (self.dd_sum is None) != (self.d_max is None):
            found.append(f"dd and d_max go together: the longest delay that is learned, in seconds, got {self.d_max!r}")
        for name, described in self.traces.items():
            if described.source == "v" and name in ("x1", "x2"):
                found.append(f"{name} follows the membrane of the presynaptic neuron: source='v' is for y1, y2 and y3")
        if not self.w_min <= self.w_max:
            found.append(f"w_min must not exceed w_max, got {self.w_min!r} and {self.w_max!r}")
        return found

    @property
    def variables(self) -> frozenset[str]:
        """Variables that dw, dt and dd read."""
        sums = [target for target in (self.dw_sum, self.dt_sum, self.dd_sum) if target is not None]
        return frozenset().union(*(target.variables for target in sums))

    @property
    def traces(self) -> dict[str, Trace]:
        """The traces that are described."""
        return {name: trace for name in TRACES if (trace := getattr(self, name)) is not None}


def _sum(target: Any, numbers: Mapping[str, float]) -> SumOfProducts:
    """The sum of products that text, in which ``numbers`` have names, or an expression says."""
    if isinstance(target, Expression):
        return target.target()
    return parse(str(target) if isinstance(target, SumOfProducts) else target, numbers)
