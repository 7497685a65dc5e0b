import math

import numpy as np
import pytest

import neuromorph as nm

MS = 1e-3


def pair_change(rule: nm.LearningRule, pre_at: int, post_at: int, *, delay: int = 1, reward: dict[int, float] | None = None,
                steps: int = 100) -> float:  # fmt: skip
    """Weight change by one pre spike sent in step ``pre_at`` and one post spike in ``post_at`` (from 0), nothing else."""
    net = nm.Network(
        populations=[nm.Input("pre", 1), nm.Input("force", 1), nm.Population("post", 1, nm.IF(v_threshold=1.0))],
        projections=[
            nm.Projection("pre", "post", [[0.0]], delay=delay * MS, plasticity=rule, name="s"),
            nm.Projection("force", "post", [[1.5]]),
        ],
        modulators=[nm.Modulator(name) for name in rule.modulators],
        probes=[nm.Probe("post")],
    )
    rows = np.arange(steps)[:, np.newaxis]
    third = {name: np.array([(reward or {}).get(t, 0.0) for t in range(steps)]) for name in rule.modulators}
    # the learning synapse starts at 0 and its own weight stays far below the threshold in all of these tests
    with nm.open(net) as session:
        recording = session.run(steps, inputs={"pre": rows == pre_at, "force": rows == post_at - 1}, modulators=third)
        assert recording.spikes["post"].steps.tolist() == [post_at]
        return float(session.read("s.weight")[0, 0])


A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = 0.03, 0.04, 17.3, 31.7  # steps
WINDOW = nm.STDP(A_plus=A_PLUS, A_minus=A_MINUS, tau_plus=TAU_PLUS * MS, tau_minus=TAU_MINUS * MS)


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_the_window_is_its_formula_whatever_the_delay(delay: int) -> None:
    for lag in range(-40, 41):
        expected = 0.0
        if lag >= 0:
            expected += A_PLUS * math.exp(-lag / TAU_PLUS)
        if lag <= 0:
            expected -= A_MINUS * math.exp(lag / TAU_MINUS)
        assert pair_change(WINDOW, 50, 50 + lag, delay=delay) == pytest.approx(expected, rel=1e-12), lag


def test_all_pairs_add_up() -> None:
    rng = np.random.default_rng(3)
    steps = 120
    pre, force = (rng.random((steps, 1)) < 0.15 for _ in range(2))
    net = nm.Network(
        populations=[nm.Input("pre", 1), nm.Input("force", 1), nm.Population("post", 1, nm.IF(tau_syn=0.0))],
        projections=[
            nm.Projection("pre", "post", [[0.0]], plasticity=WINDOW, name="s"),
            nm.Projection("force", "post", [[99.0]]),
        ],
        probes=[nm.Probe("post"), nm.Probe("pre")],
    )
    with nm.open(net) as session:
        recording = session.run(steps, inputs={"pre": pre, "force": force})
        found = session.read("s.weight")[0, 0]
    lags = np.subtract.outer(recording.spikes["post"].steps, recording.spikes["pre"].steps)
    expected = A_PLUS * np.exp(-lags[lags >= 0] / TAU_PLUS).sum() - A_MINUS * np.exp(lags[lags <= 0] / TAU_MINUS).sum()
    assert lags.size > 100
    assert found == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("pre_at", "post_at"), [(10, 14), (14, 10), (12, 12)])
@pytest.mark.parametrize("late", [0, 1, 7, 40])
def test_late_reward_turns_the_decayed_tag_into_weight(pre_at: int, post_at: int, late: int) -> None:
    rule = nm.RewardModulatedSTDP(
        modulator="dopamine",
        learning_rate=0.5,
        A_plus=0.3,
        A_minus=0.2,
        tau_plus=15 * MS,
        tau_minus=25 * MS,
        tau_e=60 * MS,
    )
    lag = post_at - pre_at
    tag = (0.3 * math.exp(-lag / 15) if lag >= 0 else 0.0) - (0.2 * math.exp(lag / 25) if lag <= 0 else 0.0)
    paired = max(pre_at, post_at)
    # the tag of a step acts from the next one on, and has decayed once more in every step after that
    expected = 0.0 if late == 0 else 0.5 * -0.8 * tag * math.exp(-(late - 1) / 60)
    found = pair_change(rule, pre_at, post_at, reward={paired + late: -0.8})
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_without_reward_nothing_is_learned() -> None:
    assert pair_change(nm.RewardModulatedSTDP(modulator="dopamine"), 10, 12) == 0.0


def test_negative_amplitudes_turn_the_window_round() -> None:
    assert pair_change(nm.STDP(A_plus=-0.1, A_minus=-0.1), 10, 12) == pytest.approx(-0.1 * math.exp(-0.1), rel=1e-12)
    assert pair_change(nm.STDP(A_plus=-0.1, A_minus=-0.1), 12, 10) == pytest.approx(0.1 * math.exp(-0.1), rel=1e-12)


def test_named_rules_say_their_name() -> None:
    assert nm.STDP().name == "STDP"
    assert nm.RewardModulatedSTDP(modulator="a").name == "RewardModulatedSTDP"


def test_an_amplitude_of_zero_leaves_out_its_half() -> None:
    assert str(nm.STDP(A_plus=0.5, A_minus=0).dw_sum) == "0.5 * x1 * y0"
    assert list(nm.STDP(A_plus=0, A_minus=0.5).traces) == ["y1"]
    nothing = nm.STDP(A_plus=0, A_minus=0)
    assert pair_change(nothing, 10, 12) == 0.0
