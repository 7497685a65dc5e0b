"""Parts of fixed-point programs from the numbers of a chip's registers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import ALIGNMENT, DECAY_UNITY, WEIGHT_RANGES, SignMode
from neuromorph.parts import PopulationProgram, ProjectionProgram, RuleProgram


def integer_neurons(
    name: str,
    size: int,
    *,
    du: npt.ArrayLike = 400,
    dv: npt.ArrayLike = 200,
    threshold: npt.ArrayLike = 1000,
    bias: npt.ArrayLike = 0,
    refractory: npt.ArrayLike = 0,
) -> PopulationProgram:
    """A population: one number for all neurons or shape (size,); du and dv of 0..4096, the threshold's mantissa.

    >>> integer_neurons("a", 2, du=4095, threshold=25).threshold.tolist()
    [1600.0, 1600.0]
    """
    return PopulationProgram(
        name=name,
        size=size,
        decay_u=np.broadcast_to((DECAY_UNITY - 1 - np.asarray(du)) / DECAY_UNITY, size),
        decay_v=np.broadcast_to((DECAY_UNITY - np.asarray(dv)) / DECAY_UNITY, size),
        threshold=np.broadcast_to(np.asarray(threshold) * 2**ALIGNMENT, size),
        bias=np.broadcast_to(np.asarray(bias), size),
        refractory=np.broadcast_to(np.asarray(refractory), size),
    )


def integer_synapses(
    pre: str,
    post: str,
    mantissas: npt.ArrayLike,
    *,
    name: str = "",
    exists: npt.NDArray[np.bool_] | None = None,
    delay: npt.ArrayLike = 1,
    rule: RuleProgram | None = None,
    sign_mode: SignMode = "mixed",
    exponent: int = 0,
    bits: int = 8,
) -> ProjectionProgram:
    """A projection: mantissas and delays in steps (post, pre), all synapses where ``exists`` is None.

    A rule gets the bounds of the sign mode.
    """
    weights: npt.NDArray[Any] = np.asarray(mantissas)
    post_index, pre_index = np.nonzero(np.ones(weights.shape) if exists is None else exists)
    if rule is not None:
        low, high = WEIGHT_RANGES[sign_mode]
        rule = dataclasses.replace(rule, w_min=float(low), w_max=float(high))
    return ProjectionProgram(
        name=name or f"{pre}->{post}",
        pre=pre,
        post=post,
        pre_size=weights.shape[1],
        post_size=weights.shape[0],
        post_index=post_index,
        pre_index=pre_index,
        weight=weights[post_index, pre_index],
        delay=np.broadcast_to(np.asarray(delay), weights.shape)[post_index, pre_index],
        rule=rule,
        weight_exponent=exponent,
        sign_mode=sign_mode,
        weight_bits=bits,
    )
