"""What a user hands to a run, checked and brought into the program's form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import LARGEST_TRACE
from neuromorph.errors import InputError, raise_faults
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, SpikeTrain


def checked_inputs(
    program: Program, steps: object, inputs: Mapping[str, Any], modulators: Mapping[str, Any]
) -> tuple[dict[str, BoolArray | SpikeTrain], dict[str, FloatArray]]:
    """Spikes of every input, as rows or events as they were given, and values of every modulator (steps, size).

    Where nothing is given there are no spikes, and zeros.

    Raises :class:`InputError` with everything that does not fit.
    """
    faults: list[str] = []
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
    for what, given in (("inputs", inputs), ("modulators", modulators)):
        if type(given) is not dict and not isinstance(given, Mapping):  # the first is the faster question
            raise InputError(f"{what} must be a dictionary from names to arrays, got {type(given).__name__}")
    steps = int(steps)
    sizes = {item.name: item.size for item in program.inputs}
    fed: dict[str, BoolArray | SpikeTrain] = {}
    for name, values in inputs.items():
        if name not in sizes:
            faults.append(f"inputs: there is no input {name!r}; known: {', '.join(sizes) or 'none'}")
            continue
        if isinstance(values, SpikeTrain):
            faults += [f"inputs[{name!r}] {fault}" for fault in event_faults(values, steps, sizes[name])]
            fed[name] = values
            continue
        array = _as_array(values)
        if array.shape != (steps, sizes[name]) or array.dtype.kind not in "biuf":
            hint = "; transpose them" if array.shape == (sizes[name], steps) else ""
            faults.append(
                f"inputs[{name!r}] must be numbers of shape ({steps}, {sizes[name]}) = (steps, neurons),"
                f" got {array.dtype} {array.shape}{hint}"
            )
        elif not _is_finite(array):
            faults.append(f"inputs[{name!r}] must be finite")
        else:
            fed[name] = array if array.dtype.kind == "b" else array != 0
    known = {modulator.name: modulator.size for modulator in program.modulators}
    factors: dict[str, FloatArray] = {}
    for name, values in modulators.items():
        if name not in known:
            faults.append(f"modulators: there is no modulator {name!r}; known: {', '.join(known) or 'none'}")
            continue
        array = _as_array(values)
        if array.shape == (steps,) and known[name] == 1:
            array = array[:, np.newaxis]
        if array.shape != (steps, known[name]) or array.dtype.kind not in "biuf":
            wanted = f"({steps},)" if known[name] == 1 else f"({steps}, {known[name]})"
            faults.append(f"modulators[{name!r}] must be numbers of shape {wanted}, got {array.dtype} {array.shape}")
        elif not _is_finite(array):
            faults.append(f"modulators[{name!r}] must be finite")
        else:
            factors[name] = np.ascontiguousarray(array, dtype=np.float64)
    raise_faults(InputError, faults)
    return (
        {name: fed[name] if name in fed else _silence(steps, n) for name, n in sizes.items()},
        {name: factors[name] if name in factors else np.zeros((steps, n)) for name, n in known.items()},
    )


def _as_array(values: Any) -> npt.NDArray[Any]:
    """An array, of dtype object where the rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.empty(len(values), dtype=np.object_)


def _silence(steps: int, size: int) -> SpikeTrain:
    return SpikeTrain.owning(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), (steps, size))


def event_faults(train: SpikeTrain, steps: int, size: int) -> list[str]:
    """Why a train is not one of ``size`` neurons over ``steps`` steps, as ends of sentences."""
    if train.shape != (steps, size):
        return [f"must be a SpikeTrain of shape ({steps}, {size}) = (steps, neurons), got {train.shape}"]
    if train.steps.ndim != 1 or train.steps.shape != train.ids.shape:
        return [f"must have one step and one neuron for each spike, got {train.steps.shape} and {train.ids.shape}"]
    found = []
    for what, values, limit in (("steps", train.steps, steps), ("ids", train.ids, size)):
        outside = values.view(np.uint64) >= limit  # negative ones are the largest
        if np.count_nonzero(outside):
            found.append(f"must have {what} within 0..{limit - 1}, got {int(values[outside][0])}")
    place = train.steps * size + train.ids
    wrong = place[1:] <= place[:-1]
    if not found and np.count_nonzero(wrong):
        index = int(np.flatnonzero(wrong)[0]) + 1
        here, before = (f"(step {train.steps[k]}, neuron {train.ids[k]})" for k in (index, index - 1))
        found.append(f"must be in order of step and then neuron, each spike once, got {here} after {before}")
    return found


def _is_finite(array: npt.NDArray[Any]) -> bool:
    """Whether every number is; of one step's single value in less time than NumPy takes to begin."""
    if array.dtype.kind != "f":
        return True
    return math.isfinite(array.item()) if array.size == 1 else bool(np.isfinite(array).all())


def third_factor_faults(program: Program, modulators: Mapping[str, FloatArray]) -> list[str]:
    """Third factors of a fixed-point program that 7 bits and a sign cannot hold, as sentences."""
    found = []
    for projection in program.projections if program.arithmetic == "fixed" else ():
        rule = projection.rule
        if rule is None or not rule.modulators:
            continue
        r = sum(weight * modulators[name] for name, weight in rule.modulators.items())
        largest, limit = float(np.abs(r).max(initial=0.0)), LARGEST_TRACE / rule.third_factor_scale
        if largest * rule.third_factor_scale >= LARGEST_TRACE + 0.5:
            found.append(
                f"projection {projection.name!r}: the third factor reaches {largest!r}, and fixed point holds"
                f" {-limit!r}..{limit!r} of it: quantise with a larger third_factor_limit, or scale the reward"
            )
    return found
