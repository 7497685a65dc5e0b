"""NumPy, event-driven: only rows and columns of neurons that spike are touched, eligibility and reward are settled late."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.bench.runner import Lap, Runner
from neuromorph.bench.workloads import (
    DEPRESSION,
    KEEP_U,
    KEEP_V,
    POTENTIATION,
    REWARD_RATE,
    TAG_DEPRESSION,
    TAG_POTENTIATION,
    TAG_TAU,
    TRACE_TAU,
    Events,
    Layer,
    Wires,
    Workload,
)

Floats = npt.NDArray[np.floating[Any]]
KEEP_TRACE, KEEP_TAG = math.exp(-1 / TRACE_TAU), math.exp(-1 / TAG_TAU)
RARE_REWARD = (
    20  # steps between rewards from which a sweep of all weights costs less than settling each when it is used
)
LONGEST_INFLATION = 1000  # steps for which a tag is held undecayed: exp(5) is harmless in float32


class _Neurons:
    """State of a layer; thresholds in float64, as all of its arithmetic."""

    def __init__(self, layer: Layer) -> None:
        self.threshold, self.bias = layer.threshold.astype(np.float64), layer.bias.astype(np.float64)
        self.has_bias = bool(np.any(self.bias))
        self.u, self.v = layer.u.astype(np.float64), layer.v.astype(np.float64)
        self.current = np.zeros(layer.size)

    def step(self) -> Events:
        u, v = self.u, self.v
        u *= KEEP_U
        u += self.current
        v *= KEEP_V
        v += u
        if self.has_bias:
            v += self.bias
        spiking: Events = np.flatnonzero(v > self.threshold)
        v[spiking] = 0.0
        return spiking


class _Synapses(ABC):
    def __init__(self, wires: Wires) -> None:
        self.wires = wires

    @abstractmethod
    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        """The current that the spikes of ``pre`` cause in the next step; then learn."""


@final
class _Dense(_Synapses):
    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        self.weight = wires.weight.astype(np.float32)  # sums of mantissas are exact

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        del post, reward
        return np.add.reduce(self.weight[pre], axis=0) * self.wires.gain if pre.size else 0.0


@final
class _Sparse(_Synapses):
    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        assert wires.targets is not None
        self.targets = wires.targets.astype(np.intp)  # what bincount would convert to, at every call
        self.weight = wires.weight.astype(np.float64)

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        del post, reward
        if not pre.size:
            return 0.0
        arriving = np.bincount(self.targets[pre].ravel(), self.weight[pre].ravel(), self.wires.post_size)
        current: Floats = arriving * self.wires.gain
        return current


class _Traces:
    """One trace a neuron, held undecayed: the true value is ``held * decay^age``."""

    def __init__(self, size: int) -> None:
        self.held = np.zeros(size, dtype=np.float32)

    def take(self, spiking: Events) -> None:
        self.held *= np.float32(KEEP_TRACE)
        self.held[spiking] += np.float32(1.0)


@final
class _DensePlastic(_Synapses):
    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        self.weight = wires.weight.astype(np.float32)
        self.x, self.y = _Traces(wires.pre_size), _Traces(wires.post_size)

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        del reward
        weight, (low, high) = self.weight, self.wires.bounds
        self.x.take(pre)
        self.y.take(post)
        current: Floats | float = 0.0
        if pre.size:
            rows = weight[pre]
            current = np.add.reduce(rows, axis=0) * self.wires.gain
            rows -= np.float32(DEPRESSION) * self.y.held
            np.maximum(rows, np.float32(low), out=rows)
            weight[pre] = rows
        if post.size:
            columns = weight[:, post]
            columns += (np.float32(POTENTIATION) * self.x.held)[:, np.newaxis]
            np.minimum(columns, np.float32(high), out=columns)
            weight[:, post] = columns
        return current


@final
class _SparsePlastic(_Synapses):
    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        assert wires.targets is not None
        self.targets = wires.targets.astype(np.intp)
        self.weight = wires.weight.astype(np.float64)
        flat = wires.targets.ravel()
        self.order = np.argsort(flat, kind="stable")  # synapses by postsynaptic neuron
        self.pointer = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=wires.post_size))])
        self.x, self.y = _Traces(wires.pre_size), _Traces(wires.post_size)

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        del reward
        low, high = self.wires.bounds
        self.x.take(pre)
        self.y.take(post)
        current: Floats | float = 0.0
        if pre.size:
            targets, rows = self.targets[pre], self.weight[pre]
            current = np.bincount(targets.ravel(), rows.ravel(), self.wires.post_size) * self.wires.gain
            rows -= DEPRESSION * self.y.held[targets]
            np.maximum(rows, low, out=rows)
            self.weight[pre] = rows
        if post.size:
            flat = self.weight.reshape(-1)
            places = np.concatenate([self.order[self.pointer[j] : self.pointer[j + 1]] for j in post])
            flat[places] = np.minimum(flat[places] + POTENTIATION * self.x.held[places // self.wires.fan_out], high)
        return current


@final
class _DenseRewarded(_Synapses):
    """Weights and tags as they were when their row or column last spiked.

    With ``C[t]``, the sum over steps k of ``rate * R[k] * decay^(k - 1)``, a synapse that no spike touched since step s
    has gained ``tag[s] decay^-s (C[t] - C[s])``: no step sweeps the matrix. Bounds are kept when a synapse is settled.
    """

    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        self.weight = wires.weight.astype(np.float32)
        self.tag = np.zeros_like(self.weight)  # times decay^-age
        self.settled = np.zeros_like(self.weight)  # C at the last settlement
        self.gained, self.age = 0.0, 0
        self.x, self.y = _Traces(wires.pre_size), _Traces(wires.post_size)

    def _renew(self) -> None:
        """Settle everything and begin to count anew."""
        self.weight += self.tag * (np.float32(self.gained) - self.settled)
        np.clip(self.weight, *self.wires.bounds, out=self.weight)
        self.tag *= np.float32(KEEP_TAG**self.age)
        self.settled[:] = 0.0
        self.gained, self.age = 0.0, 0

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        if self.age == LONGEST_INFLATION:
            self._renew()
        low, high = self.wires.bounds
        self.x.take(pre)
        self.y.take(post)
        before = np.float32(self.gained)
        self.gained += REWARD_RATE * reward * KEEP_TAG**self.age
        self.age += 1
        after, inflation = np.float32(self.gained), KEEP_TAG**-self.age
        current: Floats | float = 0.0
        if pre.size:
            rows, tags = self.weight[pre], self.tag[pre]
            gain = before - self.settled[pre]
            gain *= tags
            rows += gain
            np.clip(rows, low, high, out=rows)
            current = np.add.reduce(rows, axis=0) * self.wires.gain
            rows += (after - before) * tags
            self.weight[pre] = rows
            tags -= np.float32(TAG_DEPRESSION * inflation) * self.y.held
            self.tag[pre] = tags
            self.settled[pre] = after
        if post.size:
            columns, tags = self.weight[:, post], self.tag[:, post]
            gain = after - self.settled[:, post]
            gain *= tags
            # what depressed these rows in this step is in their tags already, with nothing left to gain
            columns += gain
            np.clip(columns, low, high, out=columns)
            self.weight[:, post] = columns
            tags += (np.float32(TAG_POTENTIATION * inflation) * self.x.held)[:, np.newaxis]
            self.tag[:, post] = tags
            self.settled[:, post] = after
        return current


@final
class _DensePulsed(_Synapses):
    """The same where a reward is rare: weights change then only, in one sweep, and steps between change tags."""

    def __init__(self, wires: Wires) -> None:
        super().__init__(wires)
        self.weight = wires.weight.astype(np.float32)
        self.tag = np.zeros_like(self.weight)  # times decay^-age
        self.age = 0
        self.x, self.y = _Traces(wires.pre_size), _Traces(wires.post_size)

    def step(self, pre: Events, post: Events, reward: float) -> Floats | float:
        current: Floats | float = 0.0
        if pre.size:
            current = np.add.reduce(self.weight[pre], axis=0) * self.wires.gain
        if reward:
            self.tag *= np.float32(KEEP_TAG**self.age)
            self.age = 0
            self.weight += np.float32(REWARD_RATE * reward) * self.tag
            np.clip(self.weight, *self.wires.bounds, out=self.weight)
        self.age += 1
        self.x.take(pre)
        self.y.take(post)
        inflation = KEEP_TAG**-self.age
        if pre.size:
            self.tag[pre] -= np.float32(TAG_DEPRESSION * inflation) * self.y.held
        if post.size:
            self.tag[:, post] += (np.float32(TAG_POTENTIATION * inflation) * self.x.held)[:, np.newaxis]
        return current


def _synapses(wires: Wires, reward_every: int) -> _Synapses:
    kinds: dict[Any, type[_Synapses]] = {
        (None, False): _Dense,
        (None, True): _Sparse,
        ("stdp", False): _DensePlastic,
        ("stdp", True): _SparsePlastic,
        ("reward", False): _DenseRewarded if reward_every < RARE_REWARD else _DensePulsed,
    }
    return kinds[wires.rule, wires.targets is not None](wires)


@final
class NumpyRunner(Runner):
    """A plain loop over steps."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)

    def build(self) -> None:
        """Copies of the workload's arrays in the types that are fastest to use."""
        began = time.perf_counter()
        self._neurons = {layer.name: _Neurons(layer) for layer in self.workload.layers}
        self._synapses = [_synapses(wires, self.workload.reward_every) for wires in self.workload.wires]
        self.build_second = time.perf_counter() - began

    def restart(self) -> None:
        """Copies anew."""
        build_second = self.build_second
        self.build()
        self.build_second = build_second

    def versions(self) -> dict[str, str]:
        """NumPy's."""
        return {"numpy": np.__version__}

    def _run(self, first: int, steps: int) -> Lap:
        inputs, reward = self.workload.input_events(first, steps), self.workload.rewards(first, steps)
        counts = dict.fromkeys(self._neurons, 0)
        began = time.perf_counter()
        events = {
            name: np.split(neuron, np.searchsorted(step, np.arange(1, steps)))
            for name, (step, neuron) in inputs.items()
        }
        for row in range(steps):
            spiking = {name: train[row] for name, train in events.items()}
            for name, neurons in self._neurons.items():
                spiking[name] = neurons.step()
                counts[name] += spiking[name].size
            for synapses in self._synapses:
                wires = synapses.wires
                arriving = synapses.step(spiking[wires.pre], spiking[wires.post], float(reward[row]))
                self._neurons[wires.post].current[:] = arriving
        return Lap(steps=steps, second=time.perf_counter() - began, spikes=counts)
