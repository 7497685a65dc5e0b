"""What a connection of Lava holds, in numbers of a description: weights, delays, and what keeps it from being one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, issparse

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.described_neurons import ALIGNMENT
from neuromorph.backends.lava.graph import label
from neuromorph.recording import FloatArray

WEIGHT_RANGES = {
    compat.SignMode.MIXED: (-256, 255),
    compat.SignMode.EXCITATORY: (0, 255),
    compat.SignMode.NULL: (0, 255),
    compat.SignMode.INHIBITORY: (-255, 0),
}
DELAYED = (compat.DelayDense, compat.DelaySparse)


def faults(process: Any, source: Any, *, fixed: bool) -> list[str]:
    """Why a connection from ``source`` is no projection, as sentences."""
    found = []
    values = spike_values(process, source)
    if values.size > 1:
        found.append(
            f"num_message_bits is {int(np.max(process.num_message_bits.init))} and {label(source)} sends graded spikes,"
            f" {values[0]:g} to {values[-1]:g}: spikes here are 0 or 1; use one value, or encode it in spikes"
        )
    given = process.proc_params.get("sign_mode")
    if given is not None and not isinstance(given, compat.SignMode):
        found.append(f"sign_mode is {given!r}, which Lava takes for none of its modes: give a SignMode")
    if type(process) is compat.LearningDense:
        if values.size and np.any(values != 1):
            found.append(f"it learns from graded spikes of {values[0]:g}: use spikes of 1")
        graded = compat.GradedSpikeCfg(process.proc_params["graded_spike_cfg"])
        if graded != compat.GradedSpikeCfg.USE_REGULAR_IMPULSE:
            found.append(
                f"graded_spike_cfg is {graded.name}: traces here take the impulse of the rule only, so leave it out"
            )
        if np.any(np.asarray(process.tag_1.init) != 0):
            found.append("tag_1 starts at other values than 0: leave it out, and write the tag in the session")
    if type(process) in DELAYED:
        last, longest = process.a_buff.shape[1] - 1, int(_extra(process).max())
        if longest > last:
            found.append(
                f"it has delays of {longest} steps and a max_delay of {last}, so Lava loses those spikes: raise it"
            )
        if fixed and longest > 63:
            found.append(f"it has delays of {longest} steps, and Loihi holds at most 63: arithmetic='float' reads them")
    return found


def spike_values(process: Any, source: Any) -> FloatArray:
    """The values of spikes that a connection counts by their value; none where every spike counts once."""
    if type(source) is not compat.SourceRingBuffer or int(np.max(process.num_message_bits.init)) == 0:
        return np.zeros(0)
    values = np.unique(np.asarray(source.data.init, dtype=np.float64))
    return np.asarray(values[values != 0])


def delays(process: Any, columns: Any) -> Any:
    """Steps from sending to acting: one number or an array (post, pre); None is one step."""
    if type(process) not in DELAYED:
        return None
    steps = _extra(process) + 1
    return int(steps.flat[0]) if np.all(steps == steps.flat[0]) else steps[:, columns]


def weights(process: Any, *, fixed: bool) -> Any:
    """The weights of a connection, shape (post, pre): an array, or a CSR matrix where Lava holds them sparse.

    In fixed point they are cut as Lava cuts them and multiplied by what they count at the neuron.
    """
    init = process.weights.init
    if isinstance(init, np.ndarray):
        return prepared(process, init) * weight_unit(process) if fixed else np.asarray(init, dtype=np.float64)
    matrix = csr_matrix(init, dtype=np.float64)
    matrix.sum_duplicates()
    if fixed:
        matrix.data = prepared(process, matrix.data, whole=matrix) * weight_unit(process)
    return matrix


def weight_unit(process: Any) -> float:
    """What a weight of 1 counts at the neuron in fixed point."""
    return float(2.0 ** (ALIGNMENT + process.proc_params.get("weight_exp", 0)))


def sign_mode(process: Any, values: Any) -> Any:
    """The sign mode that Lava takes: the given one, else for static weights what their signs say, else mixed."""
    given = process.proc_params.get("sign_mode")
    if given is not None:
        return given
    if type(process) is compat.LearningDense:
        return compat.SignMode.MIXED
    if values.min() >= 0:
        return compat.SignMode.EXCITATORY
    return compat.SignMode.INHIBITORY if values.max() <= 0 else compat.SignMode.MIXED


def prepared(process: Any, values: FloatArray, whole: Any = None) -> FloatArray:
    """Weights as integers of their range and bits: clipped unless they learn, then their low bits dropped."""
    mode = sign_mode(process, values if whole is None else whole)
    integers = values.astype(np.int32)
    if type(process) is not compat.LearningDense:
        integers = np.clip(integers, *WEIGHT_RANGES[mode])
    dropped = 8 - process.proc_params.get("num_weight_bits", 8) + (mode == compat.SignMode.MIXED)
    sign = -1 if mode == compat.SignMode.INHIBITORY else 1
    return np.asarray(sign * ((sign * integers >> dropped) << dropped), dtype=np.float64)


def _extra(process: Any) -> Any:
    init = process.delays.init
    return np.asarray(init.toarray() if issparse(init) else np.atleast_2d(init))
