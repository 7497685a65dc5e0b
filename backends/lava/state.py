"""Reading and writing the state of a ProcessModel by attribute name; both ways of running use it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from scipy import sparse

from neuromorph.backends.lava import compat
from neuromorph.errors import InputError


def read_attribute(model: Any, name: str) -> Any:
    """A copy of an attribute of a ProcessModel (every Var is one), in the type that the model holds."""
    return copy.deepcopy(attribute_of(model, name))


def write_attribute(model: Any, name: str, value: Any, *, notify: bool = False, resize: bool = False) -> None:
    """Give an attribute of a ProcessModel a new value and keep its type.

    An array is overwritten in place, cast to its dtype; ``resize`` permits another shape, and then replaces it. A sparse
    matrix takes another one, or the values of its stored entries in row order. ``notify`` calls the model's
    ``on_var_update`` as Lava's ``Var.set`` does: a LearningDense then rebuilds its rule from its Vars, and in fixed
    point cuts its time constants to integers.
    """
    current = attribute_of(model, name)
    where = f"{type(model).__name__}.{name}"
    if sparse.issparse(current):
        value = _sparse_value(current, value, where)
    elif isinstance(current, np.ndarray):
        array = np.asarray(value)
        if array.shape == current.shape:
            current[...] = array
            value = current
        elif resize:
            value = array.astype(current.dtype)
        else:
            raise InputError(f"{where} has shape {current.shape}, got {array.shape}")
    elif isinstance(current, (bool, int, float, str)):
        value = type(current)(value)
    setattr(model, name, value)
    if notify:
        model.on_var_update()


def attribute_of(model: Any, name: str) -> Any:
    """The attribute itself, not a copy."""
    try:
        return getattr(model, name)
    except AttributeError:
        known = ", ".join(sorted(model.var_id_to_var_map.values())) or "none"
        raise InputError(f"{type(model).__name__} has no attribute {name!r}; its Vars are {known}") from None


def _sparse_value(current: Any, value: Any, where: str) -> Any:
    if sparse.issparse(value):
        if value.shape != current.shape:
            raise InputError(f"{where} has shape {current.shape}, got {value.shape}")
        return value.tocsr().astype(current.dtype)
    entries = np.asarray(value)
    if entries.shape != current.data.shape:
        raise InputError(f"{where} stores {current.data.shape[0]} entries, got an array of shape {entries.shape}")
    changed = current.copy()
    changed.data[...] = entries
    return changed


def to_message(value: Any, shape: tuple[int, ...]) -> Any:
    """``value`` in the form in which Lava's runtime hands it to ``Var.get``."""
    if isinstance(value, str):
        return np.frombuffer(value.encode("ascii"), dtype=np.uint8).astype(np.float64)
    if sparse.issparse(value):
        return compat.sparse_entries(value, explicit_zeros=True)[2].astype(np.float64)
    return np.asarray(value, dtype=np.float64).reshape(shape)


def from_message(current: Any, buffer: Any) -> Any:
    """What ``Var.set`` handed to Lava's runtime, in the form that :func:`write_attribute` takes for ``current``."""
    if isinstance(current, str):
        return bytes(np.asarray(buffer, dtype=np.uint8).tolist()).decode("ascii")
    if sparse.issparse(current):
        rows, columns, _ = compat.sparse_entries(current)
        return sparse.csr_matrix((buffer, (rows, columns)), current.shape)
    if isinstance(current, np.ndarray):
        return np.asarray(buffer).reshape(current.shape)
    if isinstance(current, (int, float)):
        return np.asarray(buffer).item()
    return buffer
