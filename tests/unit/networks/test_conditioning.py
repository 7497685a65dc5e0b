from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.conditioning import BEFORE, Conditioning
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


def test_error_moves_to_the_cue_and_blocks_another(conduct: Conduct) -> None:
    result = conduct("conditioning")
    assert result.is_inside, result.to_json()


def test_without_learning_the_reward_stays_a_surprise() -> None:
    result = Conditioning(learning_rate=1e-12, trials=12).run("emulator")
    assert result.value("error at the reward, last ten trials") == 1.0
    assert result.value("error at the cue, last ten trials") == 0.0


def test_errors_of_a_trial_sum_to_its_reward(conduct: Conduct) -> None:
    """With discount 1 the predictions cancel: what is left is the reward, as nothing is predicted at either end."""
    acquired = conduct("conditioning").arrays["acquired"]
    assert abs(acquired.sum(axis=1) - 1.0).max() < 1e-9
    assert abs(acquired[:, :BEFORE]).max() == 0.0


def test_figure_shows_the_error_in_seconds(conduct: Conduct) -> None:
    assert Conditioning().figure([conduct("conditioning")]).axes[0].get_xlabel() == "time after the cue (s)"
