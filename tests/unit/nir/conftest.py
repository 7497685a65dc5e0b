"""Networks and graphs that several tests of NIR use."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import neuromorph as nm

nir = pytest.importorskip("nir", reason="the package nir is missing: pip install 'neuromorph[nir]'")

DT = 1e-3


def _neuron(rng: np.random.Generator, size: int, *, plain: bool) -> nm.LIF:
    def some(choices: list[Any]) -> Any:
        return choices[int(rng.integers(len(choices)))]

    def times(ends: list[float]) -> Any:
        """One number or one for each neuron, limits among them."""
        return some([float(rng.uniform(2e-3, 30e-3)), some(ends), rng.choice([*ends, 5e-3, 0.02], size)])

    if rng.random() < 0.3:  # kinds that NIR has nodes for without a synapse
        limit = some([1.0, math.inf])
        return nm.LIF(tau_mem=some([math.inf, 0.0, 0.01]), tau_syn=0.0, v_threshold=limit)
    return nm.LIF(
        tau_mem=times([0.0, math.inf, 10e-3]),
        tau_syn=times([0.0, math.inf, 3e-3, 0.0]),
        v_threshold=some([1.0, math.inf, rng.choice([0.3, 0.7, math.inf], size)]),
        bias=some([0.0, 0.0, 0.05, -0.0, rng.uniform(-0.1, 0.1, size)]),
        refractory=0.0 if plain else some([0.0, 2e-3, rng.integers(0, 4, size) * DT]),
    )


def _rule(rng: np.random.Generator, modulator: str) -> nm.LearningRule | None:
    bounds: dict[str, float] = {"w_min": -2.0, "w_max": 2.0} if rng.random() < 0.5 else {}
    kind = int(rng.integers(6))
    if kind == 0:
        return nm.STDP(A_plus=float(rng.uniform(0, 0.1)), tau_minus=math.inf, **bounds)
    if kind == 1:
        return nm.RewardModulatedSTDP(
            modulator=modulator, learning_rate=0.1 / 3, tau_e=float(rng.uniform(0.01, 1)), **bounds
        )
    if kind == 2:
        return nm.LearningRule(
            name="own",
            dw="2^-3 * x2 * y0 * (w - 0.3) - 0.1 * sgn(y3) * r * u2 + t * u0",
            dt="x1 * y0",
            x1=nm.Trace(0.01, impulse=1 / 3),
            x2=nm.Trace(math.inf, impulse=-0.5),
            y3=nm.Trace(7e-3, pairing="nearest"),
            modulators={modulator: -0.7},
            epoch=4e-3,
            **bounds,
        )
    if kind == 3:
        y1 = nm.Trace(0.0, impulse=0.7, source="v")
        return nm.LearningRule(dw="0.01 * pos(y1 - 0.3) * (x1 - 0.1 * w) * u0", x1=nm.Trace(0.01), y1=y1, **bounds)
    return None


def _delay(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    kind = int(rng.integers(4))
    return (None, 1e-3, 3e-3, rng.integers(1, 5, shape) * DT)[kind]


def _weights(rng: np.random.Generator, post: int, pre: int) -> Any:
    kinds = [
        nm.AllToAll(nm.Uniform(-0.5, 1.0)),
        nm.FixedProbability(float(rng.random()), nm.Normal(0.2, 0.3), seed=3),
        nm.Dense(rng.choice([0.0, -0.0, 0.3, 1 / 3], (post, pre))),
        nm.FixedProbability(0.5, 0.0),
        nm.FixedProbability(0.0),
    ]
    if pre == post:
        kinds += [nm.OneToOne(nm.Uniform(0, 1)), nm.OneToOne(0.0), nm.FixedProbability(0.6, 0.5, allow_self=False)]
    return kinds[int(rng.integers(len(kinds)))]


@pytest.fixture
def random_network() -> Callable[..., nm.Network]:
    """A function from a seed to a network with a chance of everything that a network can say; ``plain``: of what NIR can."""

    def make(seed: int, *, plain: bool = False) -> nm.Network:
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 5, 4)
        names = ["in", "b/é", "a -> b", "neuron"]
        populations: list[Any] = [
            nm.Population(names[k], int(sizes[k]), _neuron(rng, int(sizes[k]), plain=plain)) for k in (1, 2, 3)
        ]
        if rng.random() < 0.8:
            populations.insert(int(rng.integers(4)), nm.Input(names[0], int(sizes[0])))
        projections = []
        for index in range(int(rng.integers(0, 6))):
            pre = populations[int(rng.integers(len(populations)))]
            post = [p for p in populations if not isinstance(p, nm.Input)][int(rng.integers(3))]
            weights, delay = _weights(rng, post.size, pre.size), _delay(rng, (post.size, pre.size))
            rule = None if plain else _rule(rng, "mood" if rng.random() < 0.5 else "teacher of 1")
            name = f"synapse/{index}" if rng.random() < 0.5 else f"{pre.name} to {post.name} {index}"
            projections.append(nm.Projection(pre.name, post.name, weights, delay=delay, plasticity=rule, name=name))
        probes = [nm.Probe(names[1], "u", every=2e-3), nm.Probe(names[2])] if rng.random() < 0.7 else []
        probes += [nm.Probe(p.name, "weight", every=5e-3) for p in projections[:1]]
        return nm.Network(
            populations=populations,
            projections=projections,
            modulators=[nm.Modulator("teacher of 1"), nm.Modulator("mood")],
            probes=probes,
            name=f"random {seed}",
            metadata={"made": {"by": "a test", "seed": seed}, "nothing": None},
        )

    return make


@pytest.fixture
def chain() -> Callable[..., Any]:
    """A function that makes a graph of nodes one after another, without nir's checks of types."""

    def make(**nodes: Any) -> Any:
        names = list(nodes)
        return nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)), type_check=False)

    return make
