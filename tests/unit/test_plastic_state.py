import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.plastic_state import PlasticState


def state(rule: nm.LearningRule, weights: object = None, *, pre: int = 2, post: int = 3) -> PlasticState:
    net = nm.Network(
        populations=[nm.Input("in", pre), nm.Population("out", post, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5) if weights is None else weights, plasticity=rule)],  # type: ignore[arg-type]
        modulators=[nm.Modulator(name) for name in rule.modulators],
    )
    return PlasticState(nm.compile(net).projections[0])


def neurons(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int64)


X1 = nm.Trace(10e-3)
D = math.exp(-0.1)  # decay of that trace in a step


def test_all_targets_read_the_weights_and_tags_of_before_the_epoch() -> None:
    rule = nm.LearningRule(dw="t*u0", dt="w*x0")
    plastic = state(rule, [[2.0]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(), None)
    assert (plastic.weight[0], plastic.tag[0]) == (2.0, 2.0)
    plastic.learn(2, neurons(0), neurons(), None)
    assert (plastic.weight[0], plastic.tag[0]) == (4.0, 4.0)


def test_products_of_one_target_read_the_same_weight() -> None:
    plastic = state(nm.LearningRule(dw="w*x0 + w*x0"), [[1.0]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(), None)
    assert plastic.weight[0] == 3.0


def test_bounds_hold_after_all_products_and_not_between_them() -> None:
    plastic = state(nm.LearningRule(dw="5*x0 - 4.9*x0", w_min=0.0, w_max=1.0), [[0.5]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(), None)
    assert plastic.weight[0] == pytest.approx(0.6)
    for step in range(2, 20):
        plastic.learn(step, neurons(0), neurons(), None)
    assert plastic.weight[0] == 1.0


def test_spikes_of_one_step_see_each_other_s_full_impulse() -> None:
    plastic = state(nm.STDP(A_plus=3.0, A_minus=1.0), [[0.0]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(0), None)
    assert plastic.weight[0] == 2.0


@pytest.mark.parametrize(("k", "epochs"), [(0, [1, 2, 3, 4, 5, 6, 7, 8]), (1, [2, 4, 6, 8]), (3, [8])])
def test_u_k_acts_on_every_2_to_the_k_th_epoch(k: int, epochs: list[int]) -> None:
    plastic = state(nm.LearningRule(dw=f"1*u{k}", epoch=3e-3), [[0.0]], pre=1, post=1)
    changed, before = [], 0.0
    for step in range(1, 25):
        plastic.learn(step, neurons(), neurons(), None)
        if plastic.weight[0] != before:
            changed.append(step / 3)
            before = plastic.weight[0]
    assert changed == epochs


def test_only_the_last_spike_of_an_epoch_is_timed_and_earlier_ones_act_at_its_start() -> None:
    rule = nm.LearningRule(dw="x1*y0", x1=X1, epoch=4e-3)
    plastic = state(rule, [[0.0]], pre=1, post=1)
    for step, (pre, post) in enumerate(
        [(neurons(0), neurons()), (neurons(0), neurons()), (neurons(), neurons(0)), (neurons(),) * 2], 1
    ):
        plastic.learn(step, pre, post, None)
    # pre in steps 1 and 2, post in 3: the first is moved to the start (3 decays), the second is timed (1 decay)
    assert plastic.weight[0] == pytest.approx(D**3 + D, rel=1e-14)
    assert plastic.traces["x1"][0] == pytest.approx(D**4 + D**2, rel=1e-14)


def test_a_neuron_counts_once_in_an_epoch_however_often_it_spikes() -> None:
    plastic = state(nm.LearningRule(dw="1*x0", epoch=4e-3), [[0.0]], pre=1, post=1)
    for step in range(1, 9):
        plastic.learn(step, neurons(0), neurons(), None)
    assert plastic.weight[0] == 2.0


def test_the_third_factor_of_an_epoch_is_that_of_its_last_step() -> None:
    plastic = state(nm.LearningRule(dw="r*u0", epoch=2e-3, modulators={"m": 1.0}), [[0.0]], pre=1, post=1)
    for step, value in enumerate([5.0, 1.0, 7.0, 2.0], 1):
        plastic.learn(step, neurons(), neurons(), np.array([value]))
    assert plastic.weight[0] == 3.0


def test_the_third_factor_may_differ_between_postsynaptic_neurons() -> None:
    plastic = state(nm.LearningRule(dw="r*x0", modulators={"m": 1.0}), np.zeros((3, 2)))
    plastic.learn(1, neurons(1), neurons(), np.array([1.0, -2.0, 3.0]))
    assert plastic.projection.matrix(plastic.weight).tolist() == [[0.0, 1.0], [0.0, -2.0], [0.0, 3.0]]


def test_signs_are_minus_one_zero_or_one() -> None:
    plastic = state(nm.LearningRule(dw="1*sgn(w - 1)*u0"), [[0.5, 1.0], [1.5, 1.0], [0.0, 3.0]])
    plastic.learn(1, neurons(), neurons(), None)
    assert plastic.projection.matrix(plastic.weight).tolist() == [[-0.5, 1.0], [2.5, 1.0], [-1.0, 4.0]]


def test_reset_forgets_the_spikes_of_the_running_epoch() -> None:
    plastic = state(nm.LearningRule(dw="1*x0", epoch=4e-3), [[0.0]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(), None)
    plastic.reset()
    for step in range(2, 5):
        plastic.learn(step, neurons(), neurons(), None)
    assert plastic.weight[0] == 0.0


def test_a_projection_without_a_rule_has_no_plastic_state() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", [[1.0]])],
    )
    with pytest.raises(InputError, match="'in->out' has no learning rule"):
        PlasticState(nm.compile(net).projections[0])


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 2**20), st.floats(-1.0, 0.2), st.floats(0.2, 1.0))
def test_weights_stay_within_their_bounds_whatever_happens(seed: int, low: float, high: float) -> None:
    rng = np.random.default_rng(seed)
    rule = nm.LearningRule(
        dw="0.7*x1*y0 - 0.6*y1*x0 + 0.3*r*w*u0 - 2*sgn(w)*u2",
        x1=X1,
        y1=X1,
        w_min=low,
        w_max=high,
        modulators={"m": 1.0},
    )
    plastic = state(rule, np.full((3, 2), 0.2))
    for step in range(1, 40):
        pre, post = np.flatnonzero(rng.random(2) < 0.4), np.flatnonzero(rng.random(3) < 0.4)
        plastic.learn(step, pre, post, rng.normal(size=3))
        assert plastic.weight.min() >= low and plastic.weight.max() <= high


def test_a_synapse_that_does_not_exist_never_grows() -> None:
    rng = np.random.default_rng(0)
    connector = nm.FixedProbability(0.4, nm.Uniform(0.0, 1.0), seed=1)
    net = nm.Network(
        populations=[nm.Input("in", 6), nm.Population("out", 5, nm.LIF(v_threshold=0.5))],
        projections=[nm.Projection("in", "out", connector, plasticity=nm.STDP(A_plus=0.1))],
    )
    with nm.open(net) as session:
        before = session.read("in->out.weight")
        session.run(200, inputs={"in": rng.random((200, 6)) < 0.2})
        after = session.read("in->out.weight")
    assert after.nnz == before.nnz < 30
    assert np.all((after.toarray() != 0) <= (before.toarray() != 0))
    assert np.all(after.data != before.data)


def test_a_nearest_trace_remembers_the_last_spike_alone() -> None:
    """Whatever was before: y of k steps after the last spike is its impulse times d^k, of any spike train."""
    spikes = np.random.default_rng(5).random(200) < 0.3
    for epoch in (1, 4):
        traces = {"x1": nm.Trace(10e-3, 0.7, "nearest"), "y1": nm.Trace(10e-3)}
        plastic = state(nm.LearningRule(dw="x1*y0 + y1*x0", epoch=epoch * 1e-3, **traces), [[0.0]], pre=1, post=1)  # type: ignore[arg-type]
        last = None
        for step in range(1, 201):
            if spikes[step - 1]:
                last = step
            plastic.learn(step, neurons(0) if spikes[step - 1] else neurons(), neurons(), None)
            if step % epoch == 0 and last is not None:
                assert plastic.traces["x1"][0] == pytest.approx(0.7 * D ** (step - last), rel=1e-13)


def test_nearest_stdp_pairs_each_spike_with_the_last_one_of_the_other_side() -> None:
    """Two presynaptic spikes before a postsynaptic one count as the later one alone, also within an epoch."""
    for epoch in (1, 10):
        rule = nm.LearningRule(dw="x1*y0", x1=nm.Trace(10e-3, 1.0, "nearest"), epoch=epoch * 1e-3)
        plastic = state(rule, [[0.0]], pre=1, post=1)
        for step in range(1, 11):
            plastic.learn(
                step, neurons(0) if step in (2, 4) else neurons(), neurons(0) if step == 7 else neurons(), None
            )
        assert plastic.weight[0] == pytest.approx(D**3, rel=1e-14)


def test_a_trace_of_the_membrane_is_its_low_pass_with_the_impulse_at_spikes() -> None:
    rule = nm.LearningRule(
        dw="y1*x0 + y2*u0 + pos(y3 - 9)*u0",
        y1=nm.Trace(10e-3, 5.0, source="v"),
        y2=nm.Trace(0.0, 2.0, source="v"),
        y3=nm.Trace(10e-3, source="v"),
    )
    plastic = state(rule, [[0.0]] * 3, pre=1, post=3)
    rng = np.random.default_rng(7)
    low_pass, itself = np.zeros(3), np.zeros(3)
    for step in range(1, 51):
        membrane, spiking = rng.normal(size=3), rng.random(3) < 0.2
        plastic.learn(step, neurons(), np.flatnonzero(spiking), None, membrane)
        low_pass = D * low_pass + (1 - D) * np.where(spiking, 5.0, membrane)
        itself += np.where(spiking, 2.0, membrane)
        np.testing.assert_allclose(plastic.traces["y1"], low_pass, rtol=1e-13)
        np.testing.assert_array_equal(plastic.traces["y2"], np.where(spiking, 2.0, membrane))
        np.testing.assert_allclose(plastic.weight, itself, rtol=1e-13)


def test_voltage_based_plasticity_can_be_said() -> None:
    """Clopath et al. 2010: depression by the slow membrane at presynaptic spikes, potentiation by both thresholds."""
    from neuromorph.plasticity.variables import pos, u0, x0, x1, y1, y2, y3

    v = nm.Trace(0.0, impulse=4.0, source="v")
    rule = nm.LearningRule(
        dw=0.5 * x1 * pos(y1 - 1) * pos(y2 - 0.25) * u0 - 0.2 * pos(y3 - 0.25) * x0,
        x1=nm.Trace(15e-3),
        y1=v,
        y2=nm.Trace(7e-3, 4.0, source="v"),
        y3=nm.Trace(10e-3, 4.0, source="v"),
    )
    plastic = state(rule, [[0.0]], pre=1, post=1)
    plastic.learn(1, neurons(0), neurons(), None, np.array([0.9]))
    fast, slow = 0.9 * (1 - math.exp(-1 / 7)), 0.9 * (1 - math.exp(-1 / 10))
    assert plastic.weight[0] == -0.2 * max(slow - 0.25, 0)  # below both thresholds
    plastic.learn(2, neurons(), neurons(0), None, np.array([0.0]))
    fast = math.exp(-1 / 7) * fast + 4.0 * (1 - math.exp(-1 / 7))
    assert plastic.weight[0] == pytest.approx(0.5 * math.exp(-1 / 15) * 3.0 * (fast - 0.25), rel=1e-13)


def test_a_rule_that_reads_the_membrane_says_so_where_there_is_none() -> None:
    plastic = state(nm.LearningRule(dw="y1*u0", y1=nm.Trace(0.0, source="v")))
    with pytest.raises(InputError, match="needs the membrane of its neurons"):
        plastic.learn(1, neurons(), neurons(), None)
