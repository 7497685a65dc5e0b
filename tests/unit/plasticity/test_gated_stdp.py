import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3
WINDOW = {"A_plus": 0.1, "A_minus": 0.08, "tau_plus": 15 * MS, "tau_minus": 40 * MS}


def test_the_whole_update_is_multiplied_by_the_mix_of_modulators(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    rng = np.random.default_rng(4)
    levels = {"acetylcholine": rng.random(len(pre)), "noradrenaline": rng.random((len(pre), 2))}
    rule = nm.GatedSTDP(modulators={"acetylcholine": 0.5, "noradrenaline": 2.0}, baseline=0.25, **WINDOW)
    found = learn(rule, pre, post, levels)
    gain = 0.25 + 0.5 * levels["acetylcholine"][:, np.newaxis] + 2.0 * levels["noradrenaline"]
    window = 0.1 * np.einsum("tj,ti->tji", post, trace(pre, 15)) - 0.08 * np.einsum("tj,ti->tji", trace(post, 40), pre)
    assert found == pytest.approx((gain[:, :, np.newaxis] * window).cumsum(axis=0), rel=1e-9, abs=1e-12)


def test_without_the_modulator_nothing_is_learned_and_with_one_of_1_it_is_stdp(learn, spikes) -> None:
    pre, post = spikes(1), spikes(2)
    assert not np.any(learn(nm.GatedSTDP(**WINDOW), pre, post))
    gated = learn(nm.GatedSTDP(**WINDOW), pre, post, {"acetylcholine": np.ones(len(pre))})
    assert gated == pytest.approx(learn(nm.STDP(**WINDOW), pre, post), rel=1e-12)
    with_baseline = learn(nm.GatedSTDP(baseline=1.0, **WINDOW), pre, post)
    assert with_baseline == pytest.approx(learn(nm.STDP(**WINDOW), pre, post), rel=1e-12)


def test_a_rare_event_is_kept_only_where_it_was_significant(learn) -> None:
    """Two inputs are paired once each, among many pairings of a third; only one of them under a high gain."""
    steps = 2000
    pre, post = np.zeros((steps, 3), dtype=bool), np.zeros((steps, 1), dtype=bool)
    gain = np.full(steps, 0.1)
    pre[100::200, 2] = True
    post[102::200] = True
    for neuron, at in ((0, 450), (1, 1050)):
        pre[at, neuron] = post[at + 2] = True
    gain[1040:1060] = 5.0
    rule = nm.GatedSTDP(A_plus=0.1, A_minus=0.0)
    common, significant = learn(rule, pre, post, {"acetylcholine": gain})[-1, 0, :2]
    assert significant > 20 * common > 0


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"GatedSTDP\.baseline must be a finite number, got None"):
        nm.GatedSTDP(baseline=None)
    with pytest.raises(RuleError, match=r"no modulator is named"):
        nm.GatedSTDP(modulators={})
