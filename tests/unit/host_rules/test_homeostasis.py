"""Scaling, excitability and normalisation do what their equations say, and bring activity back."""

from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.host_rules.weights import Weights, unit

BACKENDS = ["reference", "emulator"]
CHIPS = [None, "loihi1"]


def network(weights: Any, **options: Any) -> nm.Network:
    post, pre = np.shape(weights)
    return nm.Network(
        populations=[nm.Input("in", pre), nm.Population("out", post, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, **options)],
        probes=[nm.Probe("out")],
    )


def poisson(steps: int, neurons: int, chance: float) -> np.ndarray:
    return np.random.default_rng(3).random((steps, neurons)) < chance


def rates(recording: nm.Recording, steps: int) -> np.ndarray:
    return recording.spikes["out"].last(steps).counts() / (steps * recording.dt)


@pytest.mark.parametrize(("backend", "chip"), [("reference", None), ("emulator", None), ("emulator", "loihi1")])
@pytest.mark.parametrize(
    "rule",
    [
        nm.SynapticScaling(projection="in->out", rate_target=5.0, tau=2.0, tau_rate=0.5),
        nm.IntrinsicExcitability(population="out", rate_target=5.0, eta=0.02),
    ],
    ids=["scaling", "excitability"],
)
def test_rates_return_to_their_target_after_the_input_has_tripled(
    rule: nm.HostRule, backend: str, chip: str | None
) -> None:
    weights = np.random.default_rng(0).uniform(0.02, 0.06, (4, 20))
    fed = np.concatenate([poisson(20_000, 20, 0.02), poisson(40_000, 20, 0.06)])
    with nm.open(network(weights), backend=backend, dt=1e-3, chip=chip) as session:
        state = rule.open(session)
        before = nm.run_with_host_rules(session, 20_000, rules=[state], inputs={"in": fed[:20_000]})
        just_after = session.run(2000, inputs={"in": fed[20_000:22_000]})
        after = nm.run_with_host_rules(session, 38_000, rules=[state], inputs={"in": fed[22_000:]})
    # 10,000 steps of 5 Hz are 50 spikes of a neuron, and the controllers err by a few of them
    np.testing.assert_allclose(rates(before, 10_000), 5.0, atol=1.0)
    assert np.all(rates(just_after, 2000) > 25.0)
    np.testing.assert_allclose(rates(after, 10_000), 5.0, atol=1.0)


def test_scaling_is_one_factor_for_each_neuron_and_keeps_signs() -> None:
    weights = np.array([[0.5, -0.2, 0.1], [3.0, -0.2, 0.1]])
    rule = nm.SynapticScaling(projection="in->out", rate_target=10.0, tau=5.0, tau_rate=0.0)
    with nm.open(network(weights)) as session:
        recording = nm.run_with_host_rules(session, 100, rules=[rule], inputs={"in": poisson(100, 3, 0.1)})
        found = session.read("in->out.weight")
    rate = recording.spikes["out"].counts() / 0.1
    assert rate[1] > rate[0]
    factor = 1 + np.clip(0.1 / 5.0 * (10.0 - rate) / 10.0, -0.5, 0.5)
    np.testing.assert_allclose(found, weights * factor[:, np.newaxis], rtol=1e-14)


def test_a_chunk_never_changes_weights_by_more_than_it_may() -> None:
    rule = nm.SynapticScaling(projection="in->out", rate_target=1.0, tau=0.01, tau_rate=0.0, max_change=0.25)
    with nm.open(network([[3.0]])) as session:
        nm.run_with_host_rules(session, 100, rules=[rule], inputs={"in": np.ones((100, 1))})
        assert session.read("in->out.weight").tolist() == [[2.25]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_changes_too_small_for_an_integer_add_up(backend: str) -> None:
    """A silent neuron's weights grow by 1 in 1,000 each time: in whole mantissas of 25 and more no single step shows."""
    weights = np.array([[0.1, 0.4, 1.0]])
    rule = nm.SynapticScaling(projection="in->out", rate_target=5.0, tau=10.0, tau_rate=0.0)
    with nm.open(network(weights), backend=backend, dt=1e-3, chip="loihi1") as session:
        projection = session.program.projection("in->out")
        one, start = unit(session.program, projection), session.read("in->out.weight")
        states = [rule.open(session)]
        nm.run_with_host_rules(session, 40, rules=states, every=10)
        moved = session.read("in->out.weight") - start
        assert np.all((moved >= 0) & (moved <= 2))
        nm.run_with_host_rules(session, 1000, rules=states, every=10)
        found = session.read("in->out.weight")
    # half a grain of 2 mantissa units, which mixed signs leave
    grown = np.minimum(start * 1.001**104, 254)
    np.testing.assert_allclose(found, grown, rtol=0, atol=1.0 + 1e-9)
    np.testing.assert_allclose(start * one, weights, rtol=0, atol=1.0 * one)


@pytest.mark.parametrize("chip", CHIPS, ids=["float", "fixed"])
def test_a_threshold_moves_by_eta_for_each_spike_too_many_and_stays_in_its_bounds(chip: str | None) -> None:
    rule = nm.IntrinsicExcitability(population="out", rate_target=20.0, eta=0.1, threshold_min=0.9, threshold_max=1.5)
    with nm.open(network([[0.0], [3.0], [0.08]]), dt=1e-3, chip=chip) as session:
        scale = session.program.population("out").scale
        recording = nm.run_with_host_rules(session, 100, rules=[rule], inputs={"in": poisson(100, 1, 0.2)})
        found = session.read("out.v_threshold") / scale
    counts = recording.spikes["out"].counts()
    assert counts[0] == 0 and counts[1] > 10 and 2 < counts[2] < 7
    wanted = np.clip(1.0 + 0.1 * (counts - 2.0), 0.9, 1.5)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.0 if chip is None else 32.0 / scale)


STDP = nm.STDP(A_plus=0.02, A_minus=0.02, w_min=0.0, w_max=1.0)


@pytest.mark.parametrize("chip", CHIPS, ids=["float", "fixed"])
@pytest.mark.parametrize("method", ["multiplicative", "subtractive"])
def test_incoming_weights_keep_their_sum_under_learning(method: Any, chip: str | None) -> None:
    weights = np.random.default_rng(0).uniform(0.1, 0.3, (3, 10))
    rule = nm.WeightNormalisation(projection="in->out", method=method)
    with nm.open(network(weights, plasticity=STDP), dt=1e-3, chip=chip) as session:
        seen = Weights(session.program, "in->out")
        before = seen.read(session)
        nm.run_with_host_rules(session, 2000, rules=[rule], inputs={"in": poisson(2000, 10, 0.05)})
        after = seen.read(session)
        one = unit(session.program, session.program.projection("in->out"))
    assert np.abs(after - before).max() > 0.02
    # each of ten weights is rounded to the nearest mantissa
    tolerance = 1e-12 if chip is None else 10 * 0.5 * one
    np.testing.assert_allclose(seen.sums(after), seen.sums(before), rtol=0, atol=tolerance)


def test_norms_are_those_asked_for_and_silent_rows_are_left_alone() -> None:
    weights = np.array([[0.3, -0.1, 0.6], [0.0, 0.0, 0.0]])

    def once(**options: Any) -> np.ndarray:
        with nm.open(network(weights)) as session:
            rule = nm.WeightNormalisation(projection="in->out", total=0.5, **options)
            nm.run_with_host_rules(session, 1, rules=[rule])
            found: np.ndarray = session.read("in->out.weight")
            return found

    np.testing.assert_allclose(once(), weights / 2, rtol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(once(norm="L2")[0]), 0.5, rtol=1e-15)
    # 0.5 too much: 1/6 from each, of which the second has 0.1; the rest is shared by the other two
    np.testing.assert_allclose(once(method="subtractive"), [[0.1, 0.0, 0.4], [0.0, 0.0, 0.0]], atol=1e-15)
