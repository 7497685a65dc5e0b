"""The variables of a session: their addresses, and the values that may be written to them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from neuromorph.arithmetic import LARGEST_TRACE, STATE_LIMIT
from neuromorph.errors import InputError, raise_faults
from neuromorph.parts import SYNAPSE_STATES
from neuromorph.plastic_state import PRE_TRACES
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray


def variables(program: Program) -> dict[str, int]:
    """Addresses of all variables, with the number of values each holds."""
    found: dict[str, int] = {}
    for population in program.populations:
        for variable in (*population.states, "v_threshold", "bias"):
            found[f"{population.name}.{variable}"] = population.size
    for projection in program.projections:
        found[f"{projection.name}.weight"] = projection.synapses
        if projection.rule is not None:
            for variable in projection.rule.targets:
                found[f"{projection.name}.{variable}"] = projection.synapses
            for trace in projection.rule.traces:
                found[f"{projection.name}.{trace}"] = (
                    projection.pre_size if trace in PRE_TRACES else projection.post_size
                )
    return found


def address(program: Program, name: str) -> tuple[str, str, ProjectionProgram | None]:
    """Owner and variable of an address, and the projection where it has one value for each synapse.

    Raises :class:`InputError` where there is no such variable.
    """
    known = variables(program)
    if name not in known:
        raise InputError(f"there is no variable {name!r}; known: {', '.join(known)}")
    owner, _, variable = name.rpartition(".")
    if variable in SYNAPSE_STATES:
        return owner, variable, program.projection(owner)
    return owner, variable, None


def as_matrix(values: FloatArray, projection: ProjectionProgram) -> Any:
    """Values of all synapses as an array (post, pre) where every one exists, and as a SciPy CSR array otherwise."""
    if projection.is_full:
        return projection.matrix(values)
    from scipy.sparse import csr_array

    shape = (projection.post_size, projection.pre_size)
    return csr_array((values, projection.pre_index.copy(), projection.by_post.copy()), shape=shape)


def checked_value(program: Program, name: str, value: Any) -> FloatArray:
    """What is to be written to a variable, as a vector; raises :class:`InputError` where it may not be."""
    owner, variable, projection = address(program, name)
    values = as_vector(name, value, variables(program)[name], projection)
    if not np.all(np.isfinite(values) | (variable == "v_threshold") & (values == np.inf)):
        raise InputError(f"{name} must be finite")
    if variable == "v_threshold" and np.any(values <= 0):
        raise InputError(f"{name} must be > 0, got {float(values.min())!r}")
    if variable == "threshold_adaptation" and np.any(values < 0):
        raise InputError(f"{name} must be >= 0, got {float(values.min())!r}: lower v_threshold")
    if program.arithmetic == "fixed":
        raise_faults(InputError, [f"{name}: {fault}" for fault in fixed_faults(program, owner, variable, values)])
    if projection is not None and variable == "delay":
        most = projection.max_delay
        if values.size and (values.min() < 1 or values.max() > most):
            raise InputError(
                f"{name} must lie within 1..{most} steps, got {float(values.min())!r}..{float(values.max())!r}"
            )
    rule = None if projection is None or variable != "weight" else projection.rule
    if rule is not None and values.size and (values.min() < rule.w_min or values.max() > rule.w_max):
        raise InputError(
            f"{name} must lie in the rule's bounds {rule.w_min!r}..{rule.w_max!r},"
            f" got {float(values.min())!r}..{float(values.max())!r}: clip first"
        )
    return values


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
