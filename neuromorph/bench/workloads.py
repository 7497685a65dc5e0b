"""The workloads: networks in a chip's integers, drawn from one seed, with their input.

Weights are mantissas, and one unit of ``v`` is one unit of the chip's. A float tool gets the same numbers and real
arithmetic. Time step 1 ms; ``u = KEEP_U u + a``, ``v = KEEP_V v + u + bias``, a spike where ``v > threshold``, then
``v = 0``; a spike arrives one step later; no refractory time; ``v`` starts anywhere between 0 and the threshold, and
``u`` where the input is all excitatory at its mean.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import ALIGNMENT, DECAY_UNITY
from neuromorph.errors import InputError

DT = 1e-3  # s
DU, DV = 742, 200  # of 4096: 5 ms and 20 ms
KEEP_U, KEEP_V = (DECAY_UNITY - 1 - DU) / DECAY_UNITY, (DECAY_UNITY - DV) / DECAY_UNITY
PERIOD = 1000  # steps of input that are drawn; a longer run repeats them
INPUT_RATE = 0.02  # spikes of an input neuron in a step
FIRING_RATES = (0.013, 0.024)  # spikes of a neuron in a step: outside of this a row is not the workload
LARGEST_WEIGHT = 254  # mantissa
CURRENT_UNIT = 2**ALIGNMENT  # of u in one mantissa
TRACE_TAU, TAG_TAU = 20, 200  # steps
BLOCK = 8192  # neurons whose synapses are drawn together

# Pair STDP in float: an impulse of 1 in each trace. In fixed point the impulses are 16 and 17 of 127, and both
# coefficients 2^-6 (2^-2 for the tag), which is the same rule with traces and weights rounded at random.
IMPULSE_PRE, IMPULSE_POST = 16, 17
POTENTIATION, DEPRESSION = IMPULSE_PRE / 64, IMPULSE_POST / 64
TAG_POTENTIATION, TAG_DEPRESSION = IMPULSE_PRE / 4, IMPULSE_POST / 4
REWARD_RATE = 1 / 64  # weight for one unit of reward and tag
REWARD_SCALE = 64  # fixed point: units of a third factor of 1

Rule = Literal["stdp", "reward"]
Mantissas = npt.NDArray[np.int16]
Events = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Neurons of one population: thresholds, biases, first ``u`` and ``v`` in the chip's units, each of shape (size,)."""

    name: str
    size: int
    threshold: npt.NDArray[np.int64]  # multiples of 64
    bias: npt.NDArray[np.int64]
    u: npt.NDArray[np.int64]  # at the start
    v: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Wires:
    """Synapses from every neuron of ``pre`` to ``fan_out`` neurons of ``post``, in rows of presynaptic neurons.

    A spike adds ``weight * 2^(6 + exponent)`` to ``u``. ``targets`` is None where each reaches all.
    """

    pre: str
    post: str
    pre_size: int
    post_size: int
    weight: Mantissas  # (pre_size, fan_out)
    targets: npt.NDArray[np.int32] | None = None  # (pre_size, fan_out), rising in each row
    exponent: int = 0
    rule: Rule | None = None

    @property
    def name(self) -> str:
        """``pre->post``."""
        return f"{self.pre}->{self.post}"

    @property
    def fan_out(self) -> int:
        """Synapses of one presynaptic neuron."""
        return int(self.weight.shape[1])

    @property
    def gain(self) -> float:
        """Of ``u`` for one mantissa."""
        return math.ldexp(CURRENT_UNIT, self.exponent)

    @property
    def bounds(self) -> tuple[int, int]:
        """Of learned weights in float; in fixed point they are those of the sign mode."""
        return (0 if self.is_excitatory else -LARGEST_WEIGHT), LARGEST_WEIGHT

    @property
    def is_excitatory(self) -> bool:
        """Whether no weight is negative."""
        return bool(self.weight.size == 0 or self.weight.min() >= 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """A network, its input of ``PERIOD`` steps and, where a rule needs it, a reward for each of them."""

    name: str
    size: str
    seed: int
    inputs: Mapping[str, npt.NDArray[np.bool_]]  # (PERIOD, neurons)
    layers: tuple[Layer, ...]
    wires: tuple[Wires, ...]
    reward: npt.NDArray[np.float64] | None = None  # (PERIOD,), multiples of 1/REWARD_SCALE in -1..1
    reward_every: int = 1  # steps from one that is not zero to the next

    @property
    def neurons(self) -> int:
        """Neurons that are simulated; inputs are not."""
        return sum(layer.size for layer in self.layers)

    @property
    def synapses(self) -> int:
        """Synapses that exist."""
        return sum(wires.weight.size for wires in self.wires)

    @property
    def plastic(self) -> bool:
        """Whether any synapse learns."""
        return any(wires.rule is not None for wires in self.wires)

    @property
    def most_steps(self) -> int:
        """Of a timed lap, from the first weights on: later they have moved so far that firing may leave its range.

        In fixed point one random number rounds all synapses of a step, so their mean walks at random, fastest with rewards.
        """
        if not self.plastic:
            return 50_000
        return 20_000 if self.reward is None else 3_000

    def input_events(self, first: int, steps: int) -> dict[str, tuple[Events, Events]]:
        """Input of the ``steps`` steps after the first ``first``: steps from 0 and neurons, in order of step."""
        found = {}
        for name, train in self.inputs.items():
            start = first % PERIOD
            step, neuron = np.nonzero(np.roll(train, -start, axis=0))
            repeats = -(-steps // PERIOD)
            steps_of = (np.arange(repeats)[:, np.newaxis] * PERIOD + step).ravel()
            stop = int(np.searchsorted(steps_of, steps))
            found[name] = steps_of[:stop], np.tile(neuron, repeats)[:stop]
        return found

    def rewards(self, first: int, steps: int) -> npt.NDArray[np.float64]:
        """Reward of the ``steps`` steps after the first ``first``, shape (steps,); zeros where there is none."""
        if self.reward is None:
            return np.zeros(steps)
        return self.reward[np.arange(first, first + steps) % PERIOD]

    def sent(self, spikes: Mapping[str, int], first: int, steps: int) -> dict[str, int]:
        """Spikes of every input and layer in those steps, from those of the layers."""
        whole, rest = divmod(steps, PERIOD)
        found = dict(spikes)
        for name, train in self.inputs.items():
            found[name] = whole * int(np.count_nonzero(train)) + len(self.input_events(first, rest)[name][0])
        return found

    def synaptic_events(self, sent: Mapping[str, int]) -> int:
        """Spikes times synapses of the neuron that sent them."""
        return sum(sent[wires.pre] * wires.fan_out for wires in self.wires)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One workload of the list: what it is, and how it is drawn at each size."""

    name: str
    what: str
    sizes: Mapping[str, tuple[int, ...]]
    draw: Callable[[str, tuple[int, ...], np.random.Generator], dict[str, Any]]


def kinds() -> dict[str, Kind]:
    """Every workload by name."""
    found = (
        Kind(name="W1F", what="feed-forward, dense, static", sizes=_FEED_FORWARD, draw=_feed_forward),
        Kind(name="W1R", what="recurrent, sparse random, fixed out-degree, static", sizes=_RECURRENT, draw=_recurrent),
        Kind(name="W2", what="all-to-all pair STDP", sizes=_PLASTIC, draw=_pair_plastic),
        Kind(name="W2R", what="recurrent, sparse random, every synapse with pair STDP", sizes={"M": (10_000, 1000)}, draw=_recurrent_plastic),
        Kind(name="W3", what="pair STDP into an eligibility trace, reward in every step", sizes=_PLASTIC, draw=_rewarded),
        Kind(name="W3p", what="the same, reward in every 100th step", sizes={"M": (1000, 1000)}, draw=_pulsed),
    )  # fmt: skip
    return {kind.name: kind for kind in found}


def draw(name: str, size: str, seed: int = 0) -> Workload:
    """A workload at a size; equal seeds give equal networks and input.

    >>> small = draw("W2", "S")
    >>> small.neurons, small.synapses, small.wires[0].rule
    (100, 10000, 'stdp')
    """
    known = kinds()
    if name not in known:
        raise InputError(f"there is no workload {name!r}; known: {', '.join(known)}")
    if size not in known[name].sizes:
        raise InputError(f"workload {name} has no size {size!r}; known: {', '.join(known[name].sizes)}")
    rng = np.random.default_rng([seed, list(known).index(name), *map(ord, size)])
    parts = known[name].draw(name, known[name].sizes[size], rng)
    return Workload(name=name, size=size, seed=seed, **parts)


_FEED_FORWARD = {"S": (784, 128, 10), "M": (784, 512, 512, 10), "L": (784, 4096, 4096, 10)}
_RECURRENT = {
    "S": (1000, 100),
    "M": (10_000, 1000),
    "L": (100_000, 1000),
    "chip1": (131_072, 128),
    "chip2": (1_048_576, 128),
}
_PLASTIC = {"S": (100, 100), "M": (1000, 1000), "L": (4000, 4000)}

# In units of the standard deviation of v that so many uncorrelated spikes of signed weights give without a threshold.
FEED_FORWARD_THRESHOLD = 1.05
RECURRENT_THRESHOLD, RECURRENT_BIAS = 4.0, 3.5
# In units of the v that the mean input leads to
PLASTIC_THRESHOLDS = (0.82, 1.0)


def _response_power() -> float:
    """Sum of squares of what one spike of unit weight does to v, step by step."""
    steps = np.arange(1, 2000)
    response = (KEEP_U**steps - KEEP_V**steps) / (KEEP_U - KEEP_V)
    return float(np.sum(response**2))


def _spread(arriving: float) -> float:
    """Standard deviation of v where so many spikes a step arrive over signed weights."""
    variance = (LARGEST_WEIGHT * CURRENT_UNIT) ** 2 / 3
    return math.sqrt(arriving * variance * _response_power())


def _layer(name: str, thresholds: npt.NDArray[np.float64], rng: np.random.Generator, bias: float = 0.0) -> Layer:
    """Neurons of these thresholds; biases are uniform from 0 to twice ``bias``."""
    size = thresholds.size
    threshold = np.rint(thresholds / CURRENT_UNIT).astype(np.int64) * CURRENT_UNIT
    mantissas = np.rint(rng.uniform(0, 2 * bias, size) / 128).astype(np.int64)
    return Layer(
        name=name,
        size=size,
        threshold=threshold,
        bias=mantissas * 128,
        u=np.zeros(size, dtype=np.int64),
        v=np.floor(rng.uniform(0, 1, size) * threshold).astype(np.int64),
    )


def _signed(shape: tuple[int, int], rng: np.random.Generator) -> Mantissas:
    """Even mantissas, as the chip holds those of both signs, uniform in -254..254."""
    half = LARGEST_WEIGHT // 2
    weights = rng.integers(-half, half + 1, shape, dtype=np.int16)
    weights *= np.int16(2)
    return weights


def _bernoulli(size: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    return rng.random((PERIOD, size)) < INPUT_RATE


def _feed_forward(name: str, sizes: tuple[int, ...], rng: np.random.Generator) -> dict[str, Any]:
    del name
    names = ["input", *(f"layer{index}" for index in range(1, len(sizes)))]
    layers, wires = [], []
    for index in range(1, len(sizes)):
        pre, post = sizes[index - 1], sizes[index]
        rate = INPUT_RATE if index == 1 else 0.018
        thresholds = np.full(post, FEED_FORWARD_THRESHOLD * _spread(rate * pre))
        layers.append(_layer(names[index], thresholds, rng))
        wires.append(
            Wires(
                pre=names[index - 1],
                post=names[index],
                pre_size=pre,
                post_size=post,
                weight=_signed((pre, post), rng),
            )
        )
    return {"inputs": {"input": _bernoulli(sizes[0], rng)}, "layers": tuple(layers), "wires": tuple(wires)}


def _recurrent(name: str, sizes: tuple[int, ...], rng: np.random.Generator, rule: Rule | None = None) -> dict[str, Any]:
    del name
    neurons, fan_out = sizes
    targets = np.empty((neurons, fan_out), dtype=np.int32)
    # One target in each of fan_out equal parts of the population: distinct, in order, and drawn a block at a time.
    for start in range(0, neurons, BLOCK):
        rows = targets[start : start + BLOCK]
        place = rng.random(rows.shape)
        place += np.arange(fan_out)
        place *= neurons / fan_out
        rows[:] = place  # rounded down
        np.minimum(rows, neurons - 1, out=rows)
    spread = _spread(0.018 * fan_out)
    layer = _layer(
        "neurons", np.full(neurons, RECURRENT_THRESHOLD * spread), rng, bias=RECURRENT_BIAS * spread * (1 - KEEP_V)
    )
    wires = Wires(
        pre="neurons",
        post="neurons",
        pre_size=neurons,
        post_size=neurons,
        weight=_signed((neurons, fan_out), rng),
        targets=targets,
        rule=rule,
    )
    return {"inputs": {}, "layers": (layer,), "wires": (wires,)}


def _recurrent_plastic(name: str, sizes: tuple[int, ...], rng: np.random.Generator) -> dict[str, Any]:
    return _recurrent(name, sizes, rng, rule="stdp")


def _pair_plastic(name: str, sizes: tuple[int, ...], rng: np.random.Generator, rule: Rule = "stdp") -> dict[str, Any]:
    del name
    pre, post = sizes
    # The sum of mantissas in a step is halved until the v it leads to is at home in 24 bits.
    exponent = -max(0, math.ceil(math.log2(pre / 250)))
    mean_u = pre * INPUT_RATE * LARGEST_WEIGHT / 2 * math.ldexp(CURRENT_UNIT, exponent) / (1 - KEEP_U)
    mean = mean_u / (1 - KEEP_V)
    layer = _layer("neurons", mean * rng.uniform(*PLASTIC_THRESHOLDS, post), rng)
    # Each starts somewhere on its way from 0 to the threshold, so that they do not spike together.
    far = np.maximum(1 - layer.threshold / mean, 0.02) ** rng.uniform(0, 1, post)
    layer = dataclasses.replace(
        layer, u=np.full(post, int(mean_u), dtype=np.int64), v=np.floor(mean * (1 - far)).astype(np.int64)
    )
    wires = Wires(
        pre="input",
        post="neurons",
        pre_size=pre,
        post_size=post,
        weight=rng.integers(0, LARGEST_WEIGHT + 1, (pre, post), dtype=np.int16),
        exponent=exponent,
        rule=rule,
    )
    return {"inputs": {"input": _bernoulli(pre, rng)}, "layers": (layer,), "wires": (wires,)}


def _rewarded(name: str, sizes: tuple[int, ...], rng: np.random.Generator, every: int = 1) -> dict[str, Any]:
    parts = _pair_plastic(name, sizes, rng, rule="reward")
    reward = rng.integers(-REWARD_SCALE, REWARD_SCALE + 1, PERIOD) / REWARD_SCALE
    reward[np.arange(1, PERIOD + 1) % every != 0] = 0.0
    return {**parts, "reward": reward, "reward_every": every}


def _pulsed(name: str, sizes: tuple[int, ...], rng: np.random.Generator) -> dict[str, Any]:
    return _rewarded(name, sizes, rng, every=100)
