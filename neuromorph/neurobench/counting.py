"""Metrics of runs that were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError, is_count, raise_faults
from neuromorph.neurobench.footprint import FLOAT_BYTE
from neuromorph.neurobench.layers import Absent, Layer, layers
from neuromorph.neurobench.tally import Graded, Tally
from neuromorph.neurobench.work import Metrics
from neuromorph.program import Program
from neuromorph.recording import Recording


def metrics(
    program: Program,
    recording: Recording | Sequence[Recording],
    *,
    samples: int | Sequence[int] = 1,
    graded: Mapping[str, npt.ArrayLike] | None = None,
    kernels: Mapping[str, npt.ArrayLike] | None = None,
    absent: Absent = "zero",
    value_byte: int = FLOAT_BYTE,
) -> Metrics:
    """NeuroBench's metrics of recorded runs of a program (Yik et al. 2025, Nature Communications 16:1545).

    With s_j(t) the output of presynaptic neuron j in step t and M the nonzero weights, each projection gives::

        effective operations = sum over t and j of [s_j(t) != 0] * sum_i M_ij
        dense operations     = T * n_pre * n_post

    which are accumulates (ACs) in steps whose inputs are all -1, 0 or 1, as spikes are, and multiply-accumulates (MACs)
    in all others. Biases do not count. Membrane updates are all neurons in the first step of a sample and, in later
    ones, those whose v differs from that of the step before.

    ``recording``: one, or one for each sample. ``samples``: equal parts of every recording, or the steps of each sample
    of one recording. ``graded``: values (steps, size) of inputs that were no spikes where they came from; of several
    recordings one after the other. ``kernels``: kernels of projections that are convolutions. ``absent``: "none" if a
    synapse that does not exist is no weight, and not a zero of the matrix. ``value_byte``: bytes of a number in float.

    Learned weights count as they were in each step where they were recorded (a probe of "weight" in every step), else
    every synapse counts and ``notes`` say so. Raises :class:`InputError` where spikes are needed that were not
    recorded, or where recording and program do not fit.

    >>> import neuromorph as nm
    >>> net = nm.Network(
    ...     populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF(v_threshold=9.0))],
    ...     projections=[nm.Projection("in", "out", np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]))],
    ...     probes=[nm.Probe("in", "spikes"), nm.Probe("out", "spikes"), nm.Probe("out", "v")],
    ... )
    >>> program = nm.compile(net)
    >>> recording = nm.run(program, 2, inputs={"in": np.array([[1, 1, 0], [0, 0, 1]])})
    >>> found = metrics(program, recording)
    >>> found.effective_acs, found.dense_operations, found.connection_sparsity, found.membrane_updates
    (3, 12, 0.5, 3)
    """
    recordings = (recording,) if isinstance(recording, Recording) else tuple(recording)
    wanted = layers(program, absent=absent, kernels=kernels or {})
    parts = _parts(recordings, samples)
    values = _graded(program, graded or {}, sum(item.steps for item in recordings))
    faults = [
        fault
        for item, cut in zip(recordings, parts, strict=True)
        for fault in _faults(program, item, len(cut), wanted, values)
    ]
    if not is_count(value_byte, least=1):
        faults.append(f"value_byte must be a whole number of bytes >= 1, got {value_byte!r}")
    raise_faults(InputError, dict.fromkeys(faults))
    tally, row = Tally(program, wanted), 0
    for item, cut in zip(recordings, parts, strict=True):
        for start, stop in cut:
            tally.begin()
            tally.add(item, start, stop, {name: rows[row + start : row + stop] for name, rows in values.items()})
        row += item.steps
    return tally.metrics(value_byte=value_byte)


def metrics_of_chunks(
    program: Program, recordings: Sequence[Recording], *, absent: Absent = "zero", value_byte: int = FLOAT_BYTE
) -> Metrics:
    """:func:`metrics` of one sample that was run in chunks, in order.

    Raises :class:`InputError` where a chunk lacks spikes that are needed.
    """
    wanted = layers(program, absent=absent, kernels={})
    raise_faults(
        InputError, dict.fromkeys(fault for chunk in recordings for fault in _faults(program, chunk, 1, wanted, {}))
    )
    tally = Tally(program, wanted)
    tally.begin()
    for chunk in recordings:
        tally.add(chunk, 0, chunk.steps, {})
    return tally.metrics(value_byte=value_byte)


def _parts(recordings: tuple[Recording, ...], samples: int | Sequence[int]) -> list[list[tuple[int, int]]]:
    """Rows of the samples of each recording."""
    if not recordings or not all(isinstance(item, Recording) for item in recordings):
        raise InputError("metrics needs a Recording, or one for each sample, got none")
    if isinstance(samples, int):
        uneven = [item.steps for item in recordings if not is_count(samples, least=1) or item.steps % samples]
        if uneven:
            raise InputError(
                f"samples must cut a recording of {uneven[0]} steps into equal parts, got {samples}; give the steps of"
                " each sample as a list where they differ"
            )
        lengths = [[item.steps // samples] * samples for item in recordings]
    else:
        lengths = [[int(steps) for steps in samples]]
        if len(recordings) != 1 or sum(lengths[0]) != recordings[0].steps or min(lengths[0], default=0) < 1:
            raise InputError(
                f"samples as a list are the steps of each sample of one recording, and add up to its"
                f" {recordings[0].steps} steps, got {lengths[0]} for {len(recordings)} recordings"
            )
    ends = [np.cumsum([0, *cut]).tolist() for cut in lengths]
    return [list(pairwise(cut)) for cut in ends]


def _graded(program: Program, given: Mapping[str, Any], steps: int) -> Graded:
    sizes = {item.name: item.size for item in program.inputs}
    faults, found = [], {}
    for name, values in given.items():
        array = np.asarray(values)
        if name not in sizes:
            faults.append(f"graded names {name!r}, which is no input; known: {', '.join(sizes) or 'none'}")
        elif array.shape != (steps, sizes[name]) or array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
            faults.append(
                f"graded[{name!r}] must be finite numbers of shape ({steps}, {sizes[name]}) = (steps, neurons), got"
                f" {array.dtype} {array.shape}"
            )
        found[name] = array
    raise_faults(InputError, faults)
    return found


def _faults(
    program: Program, recording: Recording, samples: int, wanted: tuple[Layer, ...], graded: Graded
) -> list[str]:
    """Why the metrics cannot be had of a recording, as sentences."""
    sizes = program.sizes
    for name, train in recording.spikes.items():
        if sizes.get(name) != train.shape[1]:
            here = f"{sizes[name]} neurons" if name in sizes else "none of that name"
            return [
                f"the recording is of another program: {name!r} has {train.shape[1]} neurons in it, and here {here}"
            ]
    needed = {population.name: "" for population in program.populations if samples > 1}
    for layer in wanted:
        pre = layer.projection.pre
        if samples > 1 or (layer.projection.rule is None and not layer.reads_all_that_exist):
            needed[pre] = ""
    return [
        f"spikes of {name!r} were not recorded: run program.with_all_spikes(), or add Probe({name!r}, 'spikes')"
        for name in needed
        if name not in recording.spikes and name not in graded
    ]
