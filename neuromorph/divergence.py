"""Where two runs of one program part, and why: data that reads as a sentence, as a table and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

CauseClass = Literal[
    "delay",
    "rounding",
    "saturation",
    "wrap",
    "reset",
    "threshold comparison",
    "random stream",
    "order of spikes",
    "unknown",
]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why two backends part, by what the reference does when one of its conventions is switched."""

    classes: tuple[CauseClass, ...]  # several where several explain it equally well
    reproduced: bool = False  # to the end of what was looked at; if not, it is the likeliest that was found
    switches: tuple[str, ...] = ()  # "reset = 'subtract'": what the reference was told to do instead
    reason: str = ""
    tried: tuple[str, ...] = ()  # every switch that was tried

    def __str__(self) -> str:
        if self.classes == ("unknown",):
            return f"cause unknown: {self.reason}"
        return f"likely cause: {' or '.join(self.classes)} ({self.reason})"

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "classes": list(self.classes),
            "reproduced": self.reproduced,
            "switches": list(self.switches),
            "reason": self.reason,
            "tried": list(self.tried),
        }


@dataclass(frozen=True, kw_only=True)
class WindowRow:
    """One quantity over the steps of a window, on both backends."""

    what: str  # "out.v[3]", "in->out.weight[2 -> 3]"
    reference: tuple[float, ...]  # spikes are 1 and 0; not a number where it cannot be read
    other: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; what is not finite becomes None."""
        reference, other = ([_finite(value) for value in row] for row in (self.reference, self.other))
        return {"what": self.what, "reference": reference, "other": other}


@dataclass(frozen=True, kw_only=True)
class Window:
    """What both backends did around a divergence, a few steps before it to a few after."""

    steps: tuple[int, ...]  # counted from 1
    rows: tuple[WindowRow, ...]
    threshold: float | None = None  # of the neuron; None for an input

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "steps": list(self.steps),
            "threshold": None if self.threshold is None else _finite(self.threshold),
            "rows": [row.to_json() for row in self.rows],
        }


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """The first place where two backends differ; steps count from 1, as in time.

    Found from spikes alone it is the first spike that one backend has and the other has not. Explained it is the first
    value that differs, in the order in which a step computes them: u, v, spikes, traces, tag, weight.
    """

    step: int
    population: str  # of a trace: its neurons'; of a weight or tag: the postsynaptic one
    neuron: int
    reference_spiked: bool | None = None  # in this step; None where both did the same
    variable: str = "spikes"
    projection: str = ""  # of a trace, tag or weight
    pre_neuron: int | None = None  # of a tag or weight, whose synapse is pre_neuron -> neuron
    backends: tuple[str, str] = ("the reference", "this backend")
    values: tuple[float, float] | None = None  # in the order of the backends
    window: Window | None = None
    cause: Cause | None = None

    @property
    def place(self) -> str:
        """Where and in what they differ."""
        found = [f"step {self.step}"]
        if self.projection:
            found.append(f"projection {self.projection!r}")
        if self.pre_neuron is not None:
            found.append(f"synapse {self.pre_neuron} -> {self.neuron}")
        else:
            found += [] if self.projection else [f"population {self.population!r}"]
            found.append(f"neuron {self.neuron}")
        if self.variable == "spikes" and self.reference_spiked is not None:
            return f"{', '.join(found)}: a spike on {self.backends[0 if self.reference_spiked else 1]} only"
        if self.values is None:
            return f"{', '.join(found)}, {self.variable}"
        mine, theirs = (number_text(value) for value in self.values)
        return f"{', '.join(found)}, {self.variable}: {mine} on {self.backends[0]}, {theirs} on {self.backends[1]}"

    def __str__(self) -> str:
        return self.place if self.cause is None else f"{self.place}; {self.cause}"

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; what is not finite becomes None."""
        return {
            "step": self.step,
            "population": self.population,
            "neuron": self.neuron,
            "reference_spiked": self.reference_spiked,
            "variable": self.variable,
            "projection": self.projection,
            "pre_neuron": self.pre_neuron,
            "backends": list(self.backends),
            "values": None if self.values is None else [_finite(value) for value in self.values],
            "window": None if self.window is None else self.window.to_json(),
            "cause": None if self.cause is None else self.cause.to_json(),
            "sentence": str(self),
        }


def number_text(value: float) -> str:
    """Every digit that a float64 has, and no fraction of whole numbers.

    >>> number_text(1536.0), number_text(0.1), number_text(float("nan"))
    ('1536', '0.1', 'nan')
    """
    return str(int(value)) if math.isfinite(value) and value % 1 == 0 and abs(value) < 2**53 else repr(float(value))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
