"""Recordings of consecutive runs as one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import add

import numpy as np

from neuromorph.errors import InputError
from neuromorph.recording import Counts, Recording, SpikeTrain


def joined(recordings: Sequence[Recording]) -> Recording:
    """One recording of runs that followed one another in one session; at least one.

    Spikes, probed states, counts and wall times are those of all; of programs that were rewired between the runs the
    fingerprint is the first one's. Raises :class:`InputError` where the runs do not follow one another.

    >>> import neuromorph as nm
    >>> net = nm.Network(populations=[nm.Population("a", 1, nm.LIF(bias=0.2))], probes=[nm.Probe("a")])
    >>> with nm.open(net) as session:
    ...     parts = [session.run(30), session.run(20)]
    >>> joined(parts).steps, len(joined(parts).spikes["a"]) == sum(len(part.spikes["a"]) for part in parts)
    (50, True)
    """
    if not recordings:
        raise InputError("there is no recording to join")
    if len(recordings) == 1:
        return recordings[0]
    first = recordings[0]
    offsets = np.cumsum([0, *(recording.steps for recording in recordings)])
    for offset, recording in zip(offsets, recordings, strict=False):
        same = (recording.backend, recording.seed, recording.dt) == (first.backend, first.seed, first.dt)
        if not same or recording.first_step != first.first_step + int(offset):
            raise InputError(
                f"only runs that follow one another are joined: step {first.first_step + int(offset)} was due, got step"
                f" {recording.first_step}"
            )
    for key, values in first.states.items():
        if any(recording.states[key].shape[1:] != values.shape[1:] for recording in recordings):
            raise InputError(
                f"samples of {'.'.join(key)} differ in size: synapses that are probed were rewired between the runs; leave"
                " the probe out and read them between the runs"
            )
    return Recording(
        program_fingerprint=partial(getattr, first, "program_fingerprint"),
        backend=first.backend,
        seed=first.seed,
        dt=first.dt,
        first_step=first.first_step,
        steps=int(offsets[-1]),
        spikes={name: SpikeTrain.joined([recording.spikes[name] for recording in recordings]) for name in first.spikes},
        states={key: np.concatenate([recording.states[key] for recording in recordings]) for key in first.states},
        state_steps={
            key: np.concatenate(
                [r.state_steps[key] + offset for offset, r in zip(offsets, recordings, strict=False)], dtype=np.int64
            )
            for key in first.states
        },
        counts=partial(_counts, recordings),
        wall_second=sum(recording.wall_second for recording in recordings),
    )


def _counts(recordings: Sequence[Recording]) -> Counts:
    return reduce(add, (recording.counts for recording in recordings))
