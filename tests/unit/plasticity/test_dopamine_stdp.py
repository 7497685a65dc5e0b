import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_the_third_factor_is_the_error_of_the_predicted_reward(learn, spikes) -> None:
    pre, post = spikes(1), spikes(2)
    rng = np.random.default_rng(4)
    reward, value, next_value = rng.normal(size=(3, len(pre)))
    told = {"reward": reward, "value": value, "next value": next_value}
    found = learn(nm.DopamineSTDP(discount=0.8, tau_e=200 * MS), pre, post, told)
    rule = nm.RewardModulatedSTDP(modulator="dopamine", tau_e=200 * MS)
    other = learn(rule, pre, post, {"dopamine": reward + 0.8 * next_value - value})
    assert np.any(found) and found == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_a_reward_that_was_predicted_teaches_nothing_and_its_omission_weakens(learn) -> None:
    steps = np.arange(100)
    pre, post = steps[:, np.newaxis] == 10, steps[:, np.newaxis] == 12
    at = (steps == 60).astype(float)
    rule = nm.DopamineSTDP(learning_rate=0.1)
    changes = [
        learn(rule, pre, post, {"reward": reward * at, "value": value * at})[-1, 0, 0]
        for reward, value in ((1, 0), (1, 1), (0, 1))
    ]
    # the pairing's tag (and that of the order reversed: none) decays from step 12 to the step before the reward
    assert changes == pytest.approx([0.1 * np.exp(-2 / 20) * np.exp(-47 / 1000) * sign for sign in (1, 0, -1)])


def test_what_is_wrong_is_named_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        nm.DopamineSTDP(discount=1.5, value="reward")
    assert len(caught.value.faults) == 2
    assert "DopamineSTDP.discount must be 0 to 1, got 1.5" in str(caught.value)
    assert "three modulators, got ('reward', 'next value', 'reward')" in str(caught.value)
