import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_eligibility_is_the_low_pass_of_trace_times_pseudo_derivative(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    signal = np.random.default_rng(4).normal(size=(len(pre), 2))
    products = np.einsum("tj,ti->tji", trace(post, 5), trace(pre, 20))
    eligibility = trace(products.reshape(len(pre), -1), 30).reshape(products.shape)
    expected = np.zeros_like(products)
    expected[1:] = -0.01 * signal[1:, :, np.newaxis] * eligibility[:-1]  # the tag of the step before
    rule = nm.EProp(learning_rate=0.01, tau_mem=20 * MS, tau_psi=5 * MS, tau_e=30 * MS)
    found = learn(rule, pre, post, {"learning signal": signal})
    assert found == pytest.approx(expected.cumsum(axis=0), rel=1e-9, abs=1e-12)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"EProp\.tau_psi must be > 0 s, got 0"):
        nm.EProp(tau_psi=0)


def test_the_membrane_gives_the_papers_pseudo_derivative() -> None:
    """Of a LIF neuron with threshold 2, stepped by hand: psi = damping / threshold * max(0, 1 - |v - threshold| / threshold)."""
    rng = np.random.default_rng(3)
    steps, threshold = 300, 2.0
    pre, drive = rng.random((2, steps, 1)) < 0.3
    signal = rng.normal(size=steps)
    rule = nm.EProp(
        learning_rate=0.01, pseudo_derivative="membrane", tau_mem=20 * MS, tau_e=30 * MS, v_threshold=threshold
    )
    net = nm.Network(
        populations=[
            nm.Input("pre", 1),
            nm.Input("drive", 2),
            nm.Population("post", 1, nm.LIF(tau_mem=20 * MS, tau_syn=0.0, v_threshold=threshold)),
        ],
        projections=[
            nm.Projection("pre", "post", [[0.3]], plasticity=rule, name="s"),
            nm.Projection("drive", "post", [[0.9, -0.6]]),
        ],
        modulators=[nm.Modulator("learning signal")],
        probes=[nm.Probe("post"), nm.Probe("s", "weight")],
    )
    both = np.hstack([drive, rng.random((steps, 1)) < 0.15])
    recording = nm.run(
        net, steps, dt=1 * MS, inputs={"pre": pre, "drive": both}, modulators={"learning signal": signal}
    )
    v = x = eligibility = current = 0.0
    weight, expected, spikes = 0.3, [], 0
    for t in range(steps):
        v = np.exp(-1 / 20) * v + current
        seen = threshold if v > threshold else v
        spikes += v > threshold
        v = 0.0 if v > threshold else v
        current = weight * pre[t, 0] + both[t] @ (0.9, -0.6)
        x = np.exp(-1 / 20) * x + pre[t, 0]
        psi = 0.3 / threshold * max(0.0, 1 - abs(seen - threshold) / threshold)
        weight += -0.01 * signal[t] * eligibility
        eligibility = np.exp(-1 / 30) * eligibility + psi * x
        expected.append(weight)
    assert spikes > 5 and len(recording.spikes["post"]) == spikes
    assert recording.states["s", "weight"].ravel() == pytest.approx(expected, rel=1e-9)


def test_a_pseudo_derivative_that_there_is_not_is_named() -> None:
    with pytest.raises(RuleError, match=r"must be 'spikes' or 'membrane', got 'u'"):
        nm.EProp(pseudo_derivative="u")


def curve_error(learning_rate: float) -> float:
    """Mean square error in the last of 16 trials of a curve that a layer of LIF neurons draws from a fixed spike pattern.

    The readout learns by PES in both; the hidden layer by e-prop, told by random weights.
    """
    rng = np.random.default_rng(0)
    length, cells, chunk = 300, 40, 10
    pattern = rng.random((length, cells)) < 0.03
    time = 2 * np.pi * np.arange(length) / length
    target = 0.8 * np.sin(time) + 0.4 * np.sin(2 * time)
    rule = nm.EProp(learning_rate=learning_rate, pseudo_derivative="membrane", tau_mem=20 * MS, tau_e=20 * MS)
    net = nm.Network(
        populations=[
            nm.Input("pre", cells),
            nm.Population("hidden", cells, nm.LIF(tau_mem=20 * MS, tau_syn=0.0)),
            nm.Population("out", 1, nm.LIF(tau_mem=20 * MS, tau_syn=0.0, v_threshold=np.inf)),
        ],
        projections=[
            nm.Projection("pre", "hidden", rng.normal(0.1, 0.25, (cells, cells)), plasticity=rule),
            nm.Projection(
                "hidden", "out", np.zeros((1, cells)), plasticity=nm.PES(learning_rate=1e-4, tau_plus=20 * MS)
            ),
        ],
        modulators=[nm.Modulator("learning signal", cells), nm.Modulator("error")],
        probes=[nm.Probe("out", "v")],
    )
    broadcast, squares = nm.Broadcast(neurons=cells, outputs=1, seed=1), []
    with nm.open(net, dt=1 * MS) as session:
        for _ in range(16):
            session.reset()
            error, squares = 0.0, []
            for rows in np.split(np.arange(length), length // chunk):
                told = {
                    "error": np.full(chunk, error),
                    "learning signal": broadcast.signal(np.full((chunk, 1), error)),
                }
                drawn = session.run(chunk, inputs={"pre": pattern[rows]}, modulators=told).states["out", "v"][:, 0]
                squares.append(np.mean((drawn - target[rows]) ** 2))
                error = float(drawn[-1] - target[rows][-1])
    return float(np.mean(squares))


def test_a_hidden_layer_learns_from_a_random_broadcast() -> None:
    assert curve_error(1e-3) < 0.3 * curve_error(0.0)
