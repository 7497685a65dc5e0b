"""The unit of time of a NIR graph, which no graph states, and the steps that its times become."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuromorph.discretise import LARGEST_STEP_ERROR, MOST_STEPS, WHOLE_STEP_TOLERANCE
from neuromorph.errors import InputError, is_number
from neuromorph.nir.graph import Graph
from neuromorph.program import Integration
from neuromorph.recording import FloatArray, IntArray

Unit = Literal["s", "ms", "steps", "infer"]
UNITS = ("s", "ms", "steps", "infer")

_TIMES = ("tau", "tau_mem", "tau_syn", "delay")
_SAME_RATE = 1e-6  # relative; graphs are mostly stored in float32
_WORDS = {"s": "seconds", "ms": "milliseconds", "steps": "time steps"}


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time steps of ``dt`` seconds for a graph whose times are in ``unit``: seconds, milliseconds or steps."""

    dt: float  # s
    integration: Integration
    unit: str = "s"

    @property
    def unit_second(self) -> float:
        """How long the graph's unit of time lasts, in seconds."""
        return {"s": 1.0, "ms": 1e-3, "steps": self.dt}[self.unit]

    @property
    def dt_in_units(self) -> float:
        """The time step in the graph's unit."""
        return self.dt / self.unit_second

    def seconds(self, times: FloatArray) -> FloatArray:
        """Times of the graph in seconds."""
        return times * self.unit_second

    def loss(self, tau: FloatArray) -> FloatArray:
        """What a state loses in one step, 1 - decay: ``dt / tau`` (Euler) or ``1 - exp(-dt / tau)``; tau in the graph's unit."""
        with np.errstate(divide="ignore"):
            share = self.dt_in_units / tau
        lost = share if self.integration == "euler" else -np.expm1(-share)
        return np.where(tau == 0, 1.0, lost)

    def steps(self, times: FloatArray, where: str) -> IntArray:
        """Times as whole steps; raises :class:`InputError` where one is not whole."""
        exact = self.seconds(times) / self.dt
        whole = np.rint(exact)
        allowed = np.minimum(WHOLE_STEP_TOLERANCE * np.maximum(exact, 1.0), LARGEST_STEP_ERROR)
        with np.errstate(invalid="ignore"):  # infinity is refused below
            wrong = ~(np.abs(exact - whole) <= allowed) | (whole < 0) | (whole > MOST_STEPS)
        if np.any(wrong):
            first = float(exact[wrong].flat[0])
            raise InputError(
                f"{where} must be a whole number of steps of dt = {self.dt!r} s, 0 to {MOST_STEPS}, got {first * self.dt:.6g} s ="
                f" {first:.6g} steps: choose another dt, or round the delays"
            )
        return whole.astype(np.int64)


def make_clock(
    graph: Graph, *, dt: object, unit: object, integration: object, assumptions: list[str], why: str = "as asked"
) -> Clock:
    """The clock that is asked for, its unit inferred where that is asked; what was chosen and why goes to ``assumptions``.

    Raises :class:`InputError` with every wrong argument, or where the values fit more than one unit or none.
    """
    faults = []
    if dt is None:
        faults.append("a NIR graph states no time step: give dt in seconds, such as dt=1e-4 (--dt 1e-4)")
    elif not (is_number(dt) and float(dt) > 0):  # type: ignore[arg-type]
        faults.append(f"dt must be > 0 s and finite, got {dt!r}")
    if unit not in UNITS:
        faults.append(f"unit must be one of {', '.join(map(repr, UNITS))}, got {unit!r}")
    if integration not in ("exponential", "euler"):
        faults.append(f"integration must be 'exponential' or 'euler', got {integration!r}")
    if faults:
        raise InputError(faults)
    step = float(dt)  # type: ignore[arg-type]
    if unit == "infer":
        chosen, reason = _inferred(graph, step)
    else:
        chosen, reason = str(unit), why
    assumptions.append(f"Times are read in {_WORDS[chosen]}: {reason}.")
    rule = "1 - dt / tau (Euler)" if integration == "euler" else "exp(-dt / tau) (exponential)"
    assumptions.append(f"A time step is {step!r} s, and what decays with tau keeps the factor {rule} in each.")
    return Clock(dt=step, integration=integration, unit=chosen)  # type: ignore[arg-type]


def _inferred(graph: Graph, dt: float) -> tuple[str, str]:
    times: dict[str, FloatArray] = {}
    for node in graph.nodes.values():
        for key in _TIMES:
            if node.has(key):
                array = node.array(key)
                array = array[np.isfinite(array) & (array > 0)]
                if array.size:
                    times[f"{key} of {node.name!r}"] = array
    if not times:
        return _inferred_from_rates(graph, dt)
    low = min(float(array.min()) for array in times.values())
    high = max(float(array.max()) for array in times.values())
    named = f"{', '.join(list(times)[:3])}{', ...' if len(times) > 3 else ''}: {low:.6g} to {high:.6g}"
    if high < 1:
        return "s", f"{named}, as in published graphs; read as milliseconds or steps none would last a whole one"
    fits = []
    if high == 1:
        fits.append("s")
    if low * 1e-3 >= dt:
        fits.append("ms")
    if low >= 1 and not math.isclose(dt, 1e-3):  # where a step lasts a millisecond the two mean the same
        fits.append("steps")
    if fits == ["ms"]:
        same = ", which are time steps too, as dt is 1 ms" if math.isclose(dt, 1e-3) else ""
        return "ms", f"{named}{same}; they are too long for seconds"
    if fits == ["steps"]:
        return "steps", f"{named}; they are too long for seconds, and shorter than dt in milliseconds"
    known = " or ".join(map(repr, fits)) or "none of 's', 'ms' and 'steps' well"
    raise InputError(
        f"the graph does not say its unit of time, and its values fit {known}: {named}, dt = {dt!r} s."
        " Give unit='s', unit='ms' or unit='steps' (--unit)"
    )


def _inferred_from_rates(graph: Graph, dt: float) -> tuple[str, str]:
    """A graph without time constants: only the rates r of integrators without leak have a time in them."""
    rates = {node.name: node.array("r") for node in graph.nodes.values() if node.kind in ("I", "IF")}
    if not rates:
        return "s", "nothing in the graph has a time, so it makes no difference"
    if all(np.allclose(array * dt, 1.0, rtol=_SAME_RATE, atol=0) for array in rates.values()):
        return "s", f"r of {', '.join(rates)} is 1 / dt = {1 / dt:.6g} per second, so that a weight of 1 adds 1"
    values = np.concatenate([array.ravel() for array in rates.values()])
    raise InputError(
        f"the graph does not say its unit of time and has no time constant to infer it from: r of {', '.join(rates)} lies in"
        f" {values.min():.6g}..{values.max():.6g}, and an input of 1 adds r * dt = {values[0] * dt:.6g} to v in a step with"
        f" unit='s', {values[0] * dt / 1e-3:.6g} with unit='ms', {values[0]:.6g} with unit='steps'. Give one of the three (--unit)"
    )
