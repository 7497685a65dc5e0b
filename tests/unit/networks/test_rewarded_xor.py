from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.experiment import Result
from neuromorph.networks.rewarded_xor import RewardedXOR

Conduct = Callable[..., Result]


def test_a_hidden_layer_learns_and_none_does_not(conduct: Conduct) -> None:
    result = conduct("rewarded-xor")
    assert result.is_inside, result.to_json()


def test_without_learning_answers_stay_chance() -> None:
    result = RewardedXOR(networks=2, trials=120, learning_rate=1e-12).run("emulator")
    assert result.value("networks that learn, with a hidden layer") == 0.0


def test_figure_marks_the_most_that_one_layer_can_do(conduct: Conduct) -> None:
    figure = RewardedXOR().figure([conduct("rewarded-xor")])
    assert figure.axes[0].get_ylabel() == "right answers (share)"
