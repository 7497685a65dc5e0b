import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3
BOUNDS = {"w_min": -0.5, "w_max": 1.0}


@pytest.mark.parametrize(("mu_plus", "mu_minus"), [(0, 0), (1, 1), (0, 1), (1, 0), (2, 3)])
def test_amplitudes_follow_the_power_of_the_distance_to_the_bound(learn, spikes, trace, mu_plus, mu_minus) -> None:
    pre, post = spikes(1, neurons=1), spikes(2, neurons=1)
    x, y = trace(pre, 15)[:, 0], trace(post, 40)[:, 0]
    weight, expected = 0.25, []
    for t in range(len(pre)):
        change = (
            0.1 * (1.0 - weight) ** mu_plus * x[t] * post[t, 0] - 0.08 * (weight + 0.5) ** mu_minus * y[t] * pre[t, 0]
        )
        weight = min(max(weight + change, -0.5), 1.0)
        expected.append(weight)
    rule = nm.STDP(A_plus=0.1, A_minus=0.08, tau_plus=15 * MS, tau_minus=40 * MS, mu_plus=mu_plus, mu_minus=mu_minus, **BOUNDS)  # fmt: skip
    found = learn(rule, pre, post, weight=0.25)[:, 0, 0]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def spread(mu: int) -> tuple[float, float]:
    """Mean distance of the weights to the nearer bound, and to the middle, under uncorrelated input."""
    rng = np.random.default_rng(5)
    rule = nm.STDP(A_plus=0.01, A_minus=0.0105, w_min=0.0, w_max=1.0, mu_plus=mu, mu_minus=mu)
    net = nm.Network(
        populations=[
            nm.Input("pre", 100),
            nm.Population("post", 1, nm.LIF(tau_mem=10 * MS, tau_syn=0.0, v_threshold=3.0)),
        ],
        projections=[nm.Projection("pre", "post", np.full((1, 100), 0.5), plasticity=rule, name="s")],
    )
    with nm.open(net, backend="emulator") as session:
        session.run(100_000, inputs={"pre": rng.random((100_000, 100)) < 0.02})
        weights = session.read("s.weight")[0]
    return float(np.minimum(weights, 1 - weights).mean()), float(np.abs(weights - 0.5).mean())


def test_additive_bounds_part_the_weights_and_multiplicative_ones_hold_them_together() -> None:
    to_bound, to_middle = spread(0)
    assert to_bound < 0.1 and to_middle > 0.4  # two peaks, at the bounds
    to_bound, to_middle = spread(1)
    assert to_bound > 0.3 and to_middle < 0.15  # one, in between


def test_a_power_that_no_product_holds_is_refused_with_the_reason() -> None:
    with pytest.raises(RuleError) as caught:
        nm.STDP(mu_plus=0.4, mu_minus=1)
    assert caught.value.faults == (
        "STDP.mu_plus must be a whole number >= 0, got 0.4: rules are sums of products, which hold whole powers of w"
        " only; 0 is additive, 1 multiplicative",
        "STDP.w_min must be finite where mu_minus is not 0, got -inf",
    )


def test_nearest_pairs_count_the_last_spike_only(learn, spikes) -> None:
    pre, post = spikes(1, neurons=1), spikes(2, neurons=1)
    when_pre, when_post = np.flatnonzero(pre), np.flatnonzero(post)
    expected = sum(0.1 * np.exp(-(t - when_pre[when_pre <= t].max(initial=-(10**6))) / 15) for t in when_post)
    expected -= sum(0.08 * np.exp(-(t - when_post[when_post <= t].max(initial=-(10**6))) / 40) for t in when_pre)
    rule = nm.STDP(A_plus=0.1, A_minus=0.08, tau_plus=15 * MS, tau_minus=40 * MS, pairing="nearest")
    assert learn(rule, pre, post)[-1, 0, 0] == pytest.approx(expected, rel=1e-10)
    all_pairs = nm.STDP(A_plus=0.1, A_minus=0.08, tau_plus=15 * MS, tau_minus=40 * MS)
    assert abs(learn(all_pairs, pre, post)[-1, 0, 0] - expected) > 0.1


def test_a_pairing_that_there_is_not_is_named() -> None:
    with pytest.raises(RuleError, match=r"pairing must be 'all-to-all' or 'nearest', got 'first'"):
        nm.STDP(pairing="first")
