"""The projections of a program as layers of connections: which weights each one has, and which of them are zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from neuromorph.compact import pieces
from neuromorph.errors import InputError, raise_faults
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import BoolArray, IntArray

Absent = Literal["zero", "none"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One projection as NeuroBench sees a layer: its weights, and how many nonzero ones read each input."""

    projection: ProjectionProgram
    weights: int
    zero_weights: int
    dense_per_call: int
    readers: IntArray  # (pre_size,), nonzero weights that read each presynaptic neuron

    @property
    def reads_all_that_exist(self) -> bool:
        """Whether no synapse that exists has a weight of zero."""
        return int(self.readers.sum()) == self.projection.synapses

    def readers_now(self, nonzero: BoolArray) -> IntArray:
        """The same for other weights, of which ``nonzero`` (synapses,) are not zero."""
        projection = self.projection
        if projection.is_full:
            dense: IntArray = nonzero.reshape(projection.post_size, projection.pre_size).sum(axis=0, dtype=np.int64)
            return dense
        return np.bincount(projection.csr[1][nonzero], minlength=projection.pre_size).astype(np.int64)


def layers(program: Program, *, absent: Absent, kernels: Mapping[str, npt.ArrayLike]) -> tuple[Layer, ...]:
    """The layers of a program.

    A synapse that does not exist is a zero of the layer's weight matrix, as behind a mask; with ``absent`` "none" it is no
    weight at all. Of a projection in ``kernels`` the kernel holds the weights, and each synapse is one use of a weight
    inside the array that is read: what reaches into the padding does not exist.
    """
    names = [projection.name for projection in program.projections]
    faults = [
        f"kernels names {name!r}, which is no projection; known: {', '.join(names) or 'none'}"
        for name in kernels
        if name not in names
    ]
    if absent not in ("zero", "none"):
        faults.append(
            f"absent must be 'zero' (a synapse that does not exist is a zero weight) or 'none', got {absent!r}"
        )
    raise_faults(InputError, faults)
    return tuple(_layer(projection, absent, kernels.get(projection.name)) for projection in program.projections)


def _layer(projection: ProjectionProgram, absent: Absent, kernel: npt.ArrayLike | None) -> Layer:
    readers, nonzero = _readers(projection)
    possible = projection.pre_size * projection.post_size
    if kernel is None:
        weights = possible if absent == "zero" else projection.synapses
        return Layer(
            projection=projection,
            weights=weights,
            zero_weights=weights - nonzero,
            dense_per_call=weights,
            readers=readers,
        )
    values = _kernel(projection, kernel)
    zeros = values.size - int(np.count_nonzero(values))
    return Layer(
        projection=projection,
        weights=values.size,
        zero_weights=zeros,
        dense_per_call=projection.synapses,
        readers=readers,
    )


def _kernel(projection: ProjectionProgram, kernel: npt.ArrayLike) -> npt.NDArray[np.generic]:
    values = np.asarray(kernel)
    if values.size == 0 or values.dtype.kind not in "biuf" or not np.all(np.isfinite(values)):
        raise InputError(f"kernels[{projection.name!r}] must be finite numbers, got {values.dtype} {values.shape}")
    return values


def _readers(projection: ProjectionProgram) -> tuple[IntArray, int]:
    """Nonzero weights that read each presynaptic neuron, and how many there are in all; looked at piece by piece."""
    weight, connectivity = projection.stored_weight, projection.connectivity
    nonzero = sum(int(np.count_nonzero(weight[part])) for part in pieces(weight.size))
    if nonzero == projection.synapses:
        return projection.fan_out, nonzero
    found = np.zeros(projection.pre_size, dtype=np.int64)
    for part in pieces(weight.size, max(projection.pre_size, 1 << 16)):
        found += np.bincount(connectivity.pre_part(part)[weight[part] != 0], minlength=projection.pre_size)
    return found, nonzero
