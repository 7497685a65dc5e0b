"""The state of a loaded network between two steps, in the form that all backends share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.backends.emulator.learning import LearningSynapses
from neuromorph.backends.emulator.network import LARGEST_WHOLE, LoadedNetwork

PARAMETERS = ("v_threshold", "bias")
TIMES = ("pre_time", "post_time")


def state_of(net: LoadedNetwork, step: int) -> dict[str, npt.NDArray[Any]]:
    """After ``step``, by the names of :func:`neuromorph.checkpoint.state_layout`."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name, neurons in net.neurons.items():
        found |= {f"{name}.{variable}": neurons.read(variable) for variable in (*neurons.states, *PARAMETERS)}
        waiting = np.zeros(neurons.u.size) if neurons.waiting is None else neurons.waiting
        found[f"{name}.waiting"] = waiting.astype(np.int64)
        found[f"{name}.held"] = np.zeros(neurons.u.size)  # a reset leaves v at 0
    for projection in net.program.projections:
        name = projection.name
        found[f"{name}.under_way"] = net.under_way(projection, step)
        learning = net.learning.get(name)
        if learning is None:
            found[f"{name}.weight"] = net.weights[name].astype(np.float64)
        else:
            found |= {f"{name}.{variable}": learning.read(variable) for variable in _learned(learning)}
            found |= {f"{name}.{key}": times for key, times in zip(TIMES, learning.spike_times(), strict=True)}
    return found


def go_on(net: LoadedNetwork, step: int, state: Mapping[str, npt.NDArray[Any]]) -> None:
    """Take over what :func:`state_of`, or another backend, gave after ``step``."""
    for name, neurons in net.neurons.items():
        for variable in (*neurons.states, *PARAMETERS):
            neurons.write(variable, state[f"{name}.{variable}"])
        net.parameters_written(name)
        if neurons.waiting is not None:
            neurons.waiting[:] = np.minimum(state[f"{name}.waiting"], LARGEST_WHOLE)
    for projection in net.program.projections:
        name, under_way = projection.name, state[f"{projection.name}.under_way"]
        learning = net.learning.get(name)
        if learning is None:
            net.load_weights(projection, state[f"{name}.weight"], step, under_way)
        else:
            for variable in _learned(learning):
                learning.write(variable, state[f"{name}.{variable}"])
            pre, post = (state[f"{name}.{key}"] for key in TIMES)
            learning.go_on(step, pre, post)
            net.set_under_way(projection, step, under_way)
    net.set_step(step)


def _learned(learning: LearningSynapses) -> list[str]:
    rule = learning.rule
    return [*rule.targets, *rule.traces]
