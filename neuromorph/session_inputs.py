"""What a user hands to a session, checked and brought into the program's form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import LARGEST_TRACE, STATE_LIMIT
from neuromorph.errors import InputError, raise_faults
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray


def checked_inputs(
    program: Program, steps: object, inputs: Mapping[str, Any], modulators: Mapping[str, Any]
) -> tuple[dict[str, BoolArray], dict[str, FloatArray]]:
    """Spikes of every input (steps, size) and values of every modulator (steps, size), zeros where nothing is given.

    Raises :class:`InputError` with everything that does not fit.
    """
    faults: list[str] = []
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
    for what, given in (("inputs", inputs), ("modulators", modulators)):
        if not isinstance(given, Mapping):
            raise InputError(f"{what} must be a dictionary from names to arrays, got {type(given).__name__}")
    sizes = {item.name: item.size for item in program.inputs}
    fed = {name: np.zeros((int(steps), size), dtype=np.bool_) for name, size in sizes.items()}
    for name, values in inputs.items():
        if name not in sizes:
            faults.append(f"inputs: there is no input {name!r}; known: {', '.join(sizes) or 'none'}")
            continue
        array = _as_array(values)
        if array.shape != (steps, sizes[name]) or array.dtype.kind not in "biuf":
            hint = "; transpose them" if array.shape == (sizes[name], steps) else ""
            faults.append(
                f"inputs[{name!r}] must be numbers of shape ({steps}, {sizes[name]}) = (steps, neurons),"
                f" got {array.dtype} {array.shape}{hint}"
            )
        elif array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            faults.append(f"inputs[{name!r}] must be finite")
        else:
            fed[name] = array != 0
    known = {modulator.name: modulator.size for modulator in program.modulators}
    factors = {name: np.zeros((int(steps), size)) for name, size in known.items()}
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
        elif not np.all(np.isfinite(array)):
            faults.append(f"modulators[{name!r}] must be finite")
        else:
            factors[name] = array.astype(np.float64)
    raise_faults(InputError, faults)
    return fed, factors


def as_vector(name: str, value: Any, size: int, projection: ProjectionProgram | None) -> FloatArray:
    """A variable's value as one entry for each neuron, or for each synapse of ``projection`` in its order.

    Raises :class:`InputError` where shape or content do not fit.
    """
    if projection is not None and type(value).__module__.partition(".")[0] == "scipy":
        csr = value.tocsr(copy=True)
        csr.sort_indices()
        fits = csr.shape == (projection.post_size, projection.pre_size)
        if not fits or not (
            np.array_equal(csr.indptr, projection.by_post) and np.array_equal(csr.indices, projection.pre_index)
        ):
            raise InputError(f"{name}: the matrix must store exactly the {size} synapses that exist")
        return np.asarray(csr.data, dtype=np.float64)
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, got {value!r}") from None
    if array.ndim == 0:
        return np.full(size, float(array))
    if projection is not None and array.shape == (projection.post_size, projection.pre_size):
        values = array[projection.post_index, projection.pre_index]
        if np.count_nonzero(array) != np.count_nonzero(values):
            raise InputError(f"{name}: there are nonzero values where no synapse exists; an absent synapse never grows")
        return np.asarray(values, dtype=np.float64)
    if projection is None and array.shape == (size,):
        return array.copy()
    wanted = f"({size},)" if projection is None else f"({projection.post_size}, {projection.pre_size})"
    hint = (
        "" if projection is None or array.T.shape != (projection.post_size, projection.pre_size) else "; transpose it"
    )
    raise InputError(f"{name} must be one number or have shape {wanted}, got {array.shape}{hint}")


def _as_array(values: Any) -> npt.NDArray[Any]:
    """An array, of dtype object where the rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.empty(len(values), dtype=np.object_)


def fixed_faults(program: Program, owner: str, variable: str, values: FloatArray) -> list[str]:
    """Why a variable of a fixed-point program cannot take these values, as sentences."""
    if variable == "weight":
        return program.projection(owner).weight_faults(values)
    if variable in ("v_threshold", "bias"):
        name = "threshold" if variable == "v_threshold" else variable
        changed: dict[str, Any] = {name: values}
        return dataclasses.replace(program.population(owner), **changed).fixed_faults()
    low, high = {
        "tag": (-257.0, 255.0),
        "u": (-(2.0**31), 2.0**31 - 1),  # it wraps once: a step that brings more than 24 bits leaves it outside of them
        "v": (1.0 - STATE_LIMIT, STATE_LIMIT - 1.0),
    }.get(variable, (0.0, float(LARGEST_TRACE)))
    wrong = (values % 1 != 0) | (values < low) | (values > high)
    if not np.any(wrong):
        return []
    return [f"must be whole and within {low:.0f}..{high:.0f} in fixed point, got {float(values[wrong][0])!r}"]


def third_factor_faults(program: Program, modulators: Mapping[str, FloatArray]) -> list[str]:
    """Third factors of a fixed-point program that 7 bits and a sign cannot hold, as sentences."""
    found = []
    for projection in program.projections if program.arithmetic == "fixed" else ():
        rule = projection.rule
        if rule is None or not rule.modulators:
            continue
        r = sum(weight * modulators[name] for name, weight in rule.modulators.items())
        largest, limit = float(np.max(np.abs(r), initial=0.0)), LARGEST_TRACE / rule.third_factor_scale
        if largest * rule.third_factor_scale >= LARGEST_TRACE + 0.5:
            found.append(
                f"projection {projection.name!r}: the third factor reaches {largest!r}, and fixed point holds"
                f" {-limit!r}..{limit!r} of it: quantise with a larger third_factor_limit, or scale the reward"
            )
    return found
