"""Every neuron of NIR against its own equations, integrated here one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.program import Integration, ProbeProgram

DT = 1e-3
STEPS = 300


def parameters(kind: str, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    ranges = {
        "tau": (4e-3, 0.03),
        "tau_mem": (4e-3, 0.03),
        "tau_syn": (2e-3, 0.01),
        "r": (1.0, 8.0),
        "w_in": (0.5, 3.0),
        "v_leak": (-0.3, 0.3),
        "v_reset": (-0.5, 0.2),
        "v_threshold": (0.5, 1.5),
        "threshold": (0.2, 0.6),
    }
    wanted = {
        "I": ("r",),
        "IF": ("r", "v_threshold", "v_reset"),
        "LI": ("tau", "r", "v_leak"),
        "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
        "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
        "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
        "Threshold": ("threshold",),
    }[kind]
    found = {name: rng.uniform(*ranges[name], 3) for name in wanted}
    if kind in ("I", "IF"):
        found["r"] = found["r"] * 100  # per second
    return found


def integrate(
    kind: str, p: dict[str, np.ndarray], received: np.ndarray, integration: str
) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and v of NIR's equations in steps of DT; ``received`` is what acts in each step."""

    def lost(tau: np.ndarray) -> np.ndarray:
        return DT / tau if integration == "euler" else 1 - np.exp(-DT / tau)

    zero = np.zeros(3)
    current, v = zero.copy(), p.get("v_reset", zero).copy()
    spikes, states = [], []
    for arriving in received:
        has_synapse = "tau_syn" in p
        current = current + lost(p["tau_syn"]) * (p["w_in"] * arriving - current) if has_synapse else arriving
        if kind == "Threshold":
            v = current
        elif kind in ("I", "IF"):
            v = v + DT * p["r"] * current
        else:
            v = v + lost(p.get("tau", p.get("tau_mem", zero))) * (p["v_leak"] - v + p["r"] * current)
        limit = p.get("v_threshold", p.get("threshold", np.full(3, math.inf)))
        spiking = v > limit
        v = np.where(spiking, p.get("v_reset", zero), v)
        spikes.append(spiking)
        states.append(v)
    return np.array(spikes), np.array(states)


@pytest.mark.parametrize("integration", ["euler", "exponential"])
@pytest.mark.parametrize("kind", ["I", "IF", "LI", "LIF", "CubaLI", "CubaLIF", "Threshold"])
def test_a_neuron_does_what_its_equations_say(chain: Callable[..., Any], kind: str, integration: Integration) -> None:
    has_current = kind.startswith("Cuba")
    p = parameters(kind, 0)
    rng = np.random.default_rng(5)
    weight, bias = rng.normal(0.3, 0.4, (3, 4)), rng.uniform(-0.1, 0.1, 3) * (not has_current)
    graph = chain(
        i=nir.Input(np.array([4])), w=nir.Affine(weight, bias), n=getattr(nir, kind)(**p), o=nir.Output(np.array([3]))
    )
    network = nm.from_nir(graph, dt=DT, unit="s", integration=integration)
    variable = "v" if kind in ("I", "LI", "CubaLI") else "spikes"
    assert [(probe.target, probe.variable) for probe in network.probes] == [("n", variable)]
    program = nm.compile(network, dt=DT, integration=integration)
    program = program.with_probes([ProbeProgram(target="n", variable=v, every=1) for v in ("spikes", "v")])
    fed = rng.random((STEPS, 4)) < 0.3
    recording = nm.run(program, STEPS, inputs={"i": fed})
    sent = np.vstack([np.zeros((1, 4)), fed[:-1]])  # a spike of step t acts in step t + 1
    spikes, states = integrate(kind, p, sent @ weight.T + bias, integration)
    assert np.array_equal(np.asarray(recording.spikes["n"]), spikes)
    assert spikes.any() == (variable == "spikes")
    shift = p.get("v_reset", np.zeros(3))
    if kind == "Threshold":
        states = np.where(spikes, 0.0, states)  # ours is 0 in the step of its spike
    np.testing.assert_allclose(recording.states["n", "v"] + shift, states, rtol=0, atol=1e-9)  # rounding over 300 steps


def test_a_constant_input_of_a_current_is_a_bias_at_its_steady_value(chain: Callable[..., Any]) -> None:
    p = {name: values[:1] for name, values in parameters("CubaLI", 1).items()}
    graph = chain(i=nir.Input(np.array([1])), w=nir.Affine(np.zeros((1, 1)), np.array([0.7])), n=nir.CubaLI(**p))
    network = nm.from_nir(graph, dt=DT)
    assert any("acts in full from the first step" in s for s in network.metadata["nir"]["assumptions"])
    v = nm.run(network, 3000, dt=DT).states["n", "v"][-1]
    steady = p["v_leak"] + p["r"] * p["w_in"] * 0.7  # of the differential equations
    np.testing.assert_allclose(v, steady, rtol=1e-9)  # exp(-3 s / tau) is far below


@pytest.mark.parametrize("threshold", [0.0, -0.4])
def test_a_threshold_that_is_not_above_zero_fires_in_silence_where_it_is_below(
    chain: Callable[..., Any], threshold: float
) -> None:
    graph = chain(i=nir.Input(np.array([1])), w=nir.Linear(np.array([[-0.5]])), n=nir.Threshold(np.array([threshold])))
    network = nm.from_nir(graph, dt=DT)
    fed = np.array([[0], [1], [0], [0]], dtype=bool)
    spikes = np.asarray(nm.run(network, 4, inputs={"i": fed}, dt=DT).spikes["n"])[:, 0]
    assert spikes.tolist() == [threshold < 0, threshold < 0, False, threshold < 0]


def test_v_is_counted_from_v_reset_and_that_is_said(chain: Callable[..., Any]) -> None:
    one = np.ones(1)
    lif = nir.LIF(tau=0.01 * one, r=one, v_leak=-one, v_threshold=0.5 * one, v_reset=-0.75 * one)
    network = nm.from_nir(chain(i=nir.Input(np.array([1])), n=lif), dt=DT, integration="euler")
    neuron = network.populations[1].neuron  # type: ignore[union-attr]
    assert isinstance(neuron, nm.LIF)
    assert (neuron.v_threshold, neuron.bias) == (1.25, pytest.approx(-0.025, rel=1e-12))  # 0.1 * (-1 + 0.75), rounded
    assert "LIF node 'n' starts at its v_reset, and v is counted from there." in network.metadata["nir"]["assumptions"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau": -0.01}, "its tau must be >= 0"),
        ({"v_threshold": -1.0}, "its v_threshold must be above its v_reset"),
        ({"r": np.inf}, "its r must be finite"),
        ({"v_leak": np.nan}, "v_leak must not hold NaN"),
        ({"tau": 1e-4}, "shorter than dt = 0.001 s, which Euler steps cannot hold"),
    ],
)
def test_parameters_without_a_meaning_are_refused_by_node(chain: Callable[..., Any], change: Any, said: str) -> None:
    values = {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, **change}
    graph = chain(i=nir.Input(np.array([1])), bad=nir.LIF(**{name: np.array([v]) for name, v in values.items()}))
    with pytest.raises(InputError, match=f"LIF node 'bad'.*{said}"):
        nm.from_nir(graph, dt=DT, unit="s", integration="euler")


def test_a_neuron_without_memory_adds_up_what_arrives() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(tau_mem=0, tau_syn=0, v_threshold=0.5))],
        projections=[nm.Projection("in", "out", [[0.4]]), nm.Projection("in", "out", [[0.2]], delay=2e-3, name="late")],
    )
    program = nm.compile(net)
    assert program.populations[0].decay_v.tolist() == [0.0]
    program = program.with_probes([ProbeProgram(target="out", variable="spikes", every=1)])
    fed = np.array([[1], [0], [0], [1], [1], [0], [0]], dtype=bool)
    assert nm.run(program, 7, inputs={"in": fed}).spikes["out"].steps.tolist() == [5]
