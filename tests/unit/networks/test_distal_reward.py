from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.distal_reward import DistalReward
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


def test_the_synapse_that_earns_becomes_the_largest(conduct: Conduct) -> None:
    result = conduct("distal-reward")
    assert result.is_inside, result.to_json()


def test_rewards_of_no_weight_teach_nothing() -> None:
    result = DistalReward(learning_rate=1e-12, seconds=20.0).run("emulator")
    assert not result.is_inside
    weights = result.arrays["weights"]
    assert abs(weights - DistalReward().weight).max() < 1e-6


def test_a_reward_comes_after_its_pair_and_not_before_the_shortest_delay() -> None:
    trial = DistalReward(seconds=30.0)
    rewards = trial.run("emulator").arrays["rewards"]
    assert len(rewards) and rewards.min() >= trial.delay_low


def test_figure_shows_weights_over_time(conduct: Conduct) -> None:
    figure = DistalReward().figure([conduct("distal-reward")])
    assert [axes.get_xlabel() for axes in figure.axes] == ["time (s)", "weight"]
