"""A projection that learns from given spikes, and traces in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pytest

import neuromorph as nm

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Learn = Callable[..., FloatArray]
Third = Mapping[str, npt.ArrayLike] | None
FAR = 1e9  # threshold of neurons that spike when they are told to, whatever is learned


@pytest.fixture(scope="session")
def learn() -> Learn:
    """``learn(rule, pre, post, third={}, weight=0.0)``: weights after every step, shape (steps, post, pre).

    ``pre`` and ``post`` say who spikes, shape (steps, neurons); no one spikes in ``post`` in the first step.
    """

    def run(rule: nm.LearningRule, pre: BoolArray, post: BoolArray, third: Third = None, weight: npt.ArrayLike = 0.0) -> FloatArray:  # fmt: skip
        net = network(rule, pre, post, third or {}, weight, [nm.Probe("s", "weight")])
        recording = nm.run(net, len(pre), dt=1e-3, inputs=fed(pre, post), modulators=third)
        assert np.array_equal(np.asarray(recording.spikes["post"]), post)
        return np.asarray(recording.states["s", "weight"]).reshape(len(pre), post.shape[1], pre.shape[1])

    return run


@pytest.fixture(scope="session")
def learn_long() -> Learn:
    """The same on the emulator, and the last weights only, shape (post, pre)."""

    def run(rule: nm.LearningRule, pre: BoolArray, post: BoolArray, third: Third = None, weight: npt.ArrayLike = 0.0) -> FloatArray:  # fmt: skip
        net = network(rule, pre, post, third or {}, weight, [])
        with nm.open(net, backend="emulator", dt=1e-3) as session:
            recording = session.run(len(pre), inputs=fed(pre, post), modulators=third)
            assert np.array_equal(np.asarray(recording.spikes["post"]), post)
            return np.asarray(session.read("s.weight"))

    return run


def network(rule: nm.LearningRule, pre: BoolArray, post: BoolArray, third: Mapping[str, npt.ArrayLike], weight: npt.ArrayLike, probes: list[nm.Probe]) -> nm.Network:  # fmt: skip
    """Synapses that learn beside others that make their neurons spike."""
    inputs, neurons = pre.shape[1], post.shape[1]
    sizes = {name: np.shape(value)[1] if np.ndim(value) == 2 else 1 for name, value in third.items()}
    return nm.Network(
        populations=[
            nm.Input("pre", inputs),
            nm.Input("force", neurons),
            nm.Population("post", neurons, nm.IF(v_threshold=FAR)),
        ],
        projections=[
            nm.Projection("pre", "post", np.broadcast_to(weight, (neurons, inputs)), plasticity=rule, name="s"),
            nm.Projection("force", "post", 2 * FAR * np.eye(neurons)),
        ],
        modulators=[nm.Modulator(name, sizes.get(name, 1)) for name in rule.modulators],
        probes=[nm.Probe("post"), *probes],
    )


def fed(pre: BoolArray, post: BoolArray) -> dict[str, BoolArray]:
    """Inputs: a neuron spikes in the step after it was forced to."""
    return {"pre": pre, "force": np.roll(post, -1, axis=0)}


@pytest.fixture(scope="session")
def spikes() -> Callable[..., BoolArray]:
    """``spikes(seed, steps, neurons, probability)``: independent spikes, none in the first step."""

    def draw(seed: int, steps: int = 300, neurons: int = 2, probability: float = 0.1) -> BoolArray:
        found = np.random.default_rng(seed).random((steps, neurons)) < probability
        found[0] = False
        return found

    return draw


@pytest.fixture(scope="session")
def trace() -> Callable[..., FloatArray]:
    """``trace(spikes, tau, impulse=1.0)``: sum of ``impulse * exp(-(now - then) / tau)`` over all spikes so far; tau in steps."""

    def sums(spikes: BoolArray, tau: float, impulse: float = 1.0) -> FloatArray:
        kernel = impulse * np.exp(-np.arange(min(len(spikes), 60 * int(np.ceil(tau)))) / tau)  # what is left is 1e-26
        columns = spikes.reshape(len(spikes), -1).T.astype(np.float64)
        traces = [np.convolve(column, kernel)[: len(spikes)] for column in columns]
        return np.transpose(traces).reshape(spikes.shape)

    return sums
