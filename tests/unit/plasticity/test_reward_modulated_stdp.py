import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_the_tag_low_passes_the_window_and_reward_turns_it_into_weight(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    reward = np.random.default_rng(4).normal(size=(len(pre), 2))
    window = 0.1 * np.einsum("tj,ti->tji", post, trace(pre, 15)) - 0.08 * np.einsum("tj,ti->tji", trace(post, 40), pre)
    tag = trace(window, 200)
    expected = np.zeros_like(tag)
    expected[1:] = 0.5 * reward[1:, :, np.newaxis] * tag[:-1]  # the tag of the step before
    rule = nm.RewardModulatedSTDP(
        learning_rate=0.5, A_plus=0.1, A_minus=0.08, tau_plus=15 * MS, tau_minus=40 * MS, tau_e=200 * MS
    )
    found = learn(rule, pre, post, {"reward": reward})
    assert found == pytest.approx(expected.cumsum(axis=0), rel=1e-9, abs=1e-12)


def test_a_late_reward_finds_the_synapse_that_earned_it(learn_long) -> None:
    """Izhikevich's distal reward: among all synapses that spike at random the one whose pairing is rewarded 1 s later grows."""
    rng = np.random.default_rng(0)
    steps, inputs, late = 60_000, 20, 1000
    pre, post = rng.random((steps, inputs)) < 0.002, rng.random((steps, 1)) < 0.002
    post[0] = False
    reward = np.zeros(steps)
    for at in np.flatnonzero(pre[: steps - late - 20, 0])[::2]:  # every second spike of the first is made to succeed
        post[at + 3] = True
        reward[at + late] += 1.0
    rule = nm.RewardModulatedSTDP(learning_rate=0.01, A_plus=1.0, A_minus=1.5, tau_e=1.0)
    weights = learn_long(rule, pre, post, {"reward": reward})[0]
    assert weights[0] > 0
    assert weights[0] > weights[1:].mean() + 5 * weights[1:].std()


def test_what_is_wrong_is_named_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        nm.RewardModulatedSTDP(learning_rate=None, A_plus="a", tau_e=0)
    assert [fault.partition(" must")[0] for fault in caught.value.faults] == [
        "RewardModulatedSTDP.learning_rate",
        "RewardModulatedSTDP.A_plus",
        "RewardModulatedSTDP.tau_e",
    ]
