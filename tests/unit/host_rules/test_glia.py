"""Astrocytes restore a neuron whose synapses fail, and change a territory for many seconds."""

from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError

BACKENDS = ["reference", "emulator"]
NEURONS, INPUTS = 6, 60


def network(*, weight: float = 0.05) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", INPUTS), nm.Population("out", NEURONS, nm.LIF())],
        projections=[nm.Projection("in", "out", np.full((NEURONS, INPUTS), weight))],
        probes=[nm.Probe("out")],
    )


def poisson(seconds: float, rate: float = 20.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((int(seconds * 1000), INPUTS)) < rate * 1e-3


def run(session: Any, rules: list[Any], fed: np.ndarray) -> np.ndarray:
    """Rates of the second half, in Hz."""
    recording = nm.run_with_host_rules(session, len(fed), rules=rules, inputs={"in": fed})
    half: np.ndarray = recording.spikes["out"].last(len(fed) // 2).counts() / (len(fed) // 2 * 1e-3)
    return half


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_neuron_whose_synapses_fail_is_restored_in_part_by_its_neighbours(backend: str) -> None:
    rates = {}
    for name, rules in {"alone": [], "with glia": [nm.GlialGain(projection="in->out", rate_half=5.0)]}.items():
        with nm.open(network(weight=0.2), backend=backend) as session:
            states = [rule.open(session) for rule in rules]
            healthy = run(session, states, poisson(20, rate=0.7))
            weights = session.read("in->out.weight")
            weights[0, : INPUTS * 8 // 10] = 0.0  # 80 % of the synapses of neuron 0
            session.write("in->out.weight", weights)
            rates[name] = healthy[0], run(session, states, poisson(40, rate=0.7, seed=1))[0]
    healthy, failed = rates["alone"]
    assert failed < healthy / 5
    # where all fire alike, glia is neutral
    assert abs(rates["with glia"][0] - healthy) < healthy / 10
    restored = rates["with glia"][1]
    assert failed + (healthy - failed) / 4 < restored <= healthy


def test_release_is_the_written_equation_and_weights_carry_it() -> None:
    rule = nm.GlialGain(
        projection="in->out", rate_half=10.0, potentiation=2.0, depression=1.0, territories=(0, 0, 0, 1, 1, 1)
    )
    gains = np.array([0.6, 0.8, 1.0, 1.2, 1.4, 1.6])[:, np.newaxis]
    with nm.open(network()) as session:
        start = session.read("in->out.weight") * gains
        session.write("in->out.weight", start)
        state = rule.open(session)
        recording = nm.run_with_host_rules(session, 1000, rules=[state], every=1000, inputs={"in": poisson(1)})
        found = session.read("in->out.weight")
    rate = recording.spikes["out"].counts().astype(float)  # Hz, of one second
    calcium = np.repeat(rate.reshape(2, 3).mean(axis=1), 3)
    change = 2.0 * calcium**2 / (calcium**2 + 100.0) - rate**2 / (rate**2 + 100.0)
    np.testing.assert_allclose(state.release, np.clip(0.3 * (1 + change), 0.01, 1.0), rtol=1e-12)
    np.testing.assert_allclose(found, start * (state.release / 0.3)[:, np.newaxis], rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gliotransmission_outlasts_what_set_it_off_and_stays_in_its_territory(backend: str) -> None:
    rule = nm.Gliotransmission(
        projection="in->out", calcium_threshold=5.0, tau_glio=4.0, territories=(0, 0, 0, 1, 1, 1)
    )
    with nm.open(network(), backend=backend) as session:
        weights = session.read("in->out.weight")
        weights[3:] = 0.0  # the other territory hears nothing
        session.write("in->out.weight", weights)
        state = rule.open(session)
        nm.run_with_host_rules(session, 5000, rules=[state], inputs={"in": poisson(5, rate=40.0)})
        assert state.releases[0] > 0 == state.releases[1]
        after, level = session.read("in->out.weight"), state.transmitter[0]
        np.testing.assert_allclose(after[:3], weights[:3] * (0.3 + level * 0.5) / 0.3, rtol=1e-12)
        assert np.all(after[:3] > 1.5 * weights[:3]) and np.all(after[3:] == 0.0)
        nm.run_with_host_rules(session, 4_000, rules=[state])
        np.testing.assert_allclose(state.transmitter[0], level * np.exp(-1), rtol=1e-12)
        nm.run_with_host_rules(session, 80_000, rules=[state], every=1000)
        np.testing.assert_allclose(session.read("in->out.weight"), weights, rtol=1e-6)


def test_gliotransmission_lowers_release_where_alpha_is_low() -> None:
    rule = nm.Gliotransmission(projection="in->out", calcium_threshold=5.0, alpha=0.0)
    with nm.open(network()) as session:
        nm.run_with_host_rules(session, 3000, rules=[rule], inputs={"in": poisson(3, rate=40.0)})
        assert np.all(session.read("in->out.weight") < 0.03)


def test_territories_must_fit_the_neurons() -> None:
    with nm.open(network()) as session:
        for rule in (
            nm.GlialGain(projection="in->out", rate_half=1.0, territories=(0, 1)),
            nm.Gliotransmission(projection="in->out", calcium_threshold=1.0, territories=(0, 1)),
        ):
            with pytest.raises(InputError, match="one number for each of the 6 neurons, got 2"):
                rule.open(session)
