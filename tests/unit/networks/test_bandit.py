from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.bandit import FAST, SLOW, SURPRISE, Bandit
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


def test_surprise_turns_sooner_than_a_slow_rate(conduct: Conduct) -> None:
    result = conduct("bandit")
    assert result.is_inside, result.to_json()


def test_without_a_gain_all_kinds_are_slow() -> None:
    result = Bandit(agents=20, gain=1.0).run("emulator")
    assert abs(result.value("gain of surprise over slow")) < 0.1  # chance of 600 choices
    assert not result.is_inside


def test_arms_that_pay_alike_give_no_better_choice() -> None:
    result = Bandit(agents=40, before=60, after=30, pays_good=0.5, pays_bad=0.5).run("emulator")
    for kind in (SLOW, SURPRISE, FAST):
        assert 0.25 < result.arrays[kind].mean() < 0.75


def test_figure_shows_the_reversal(conduct: Conduct) -> None:
    assert Bandit().figure([conduct("bandit")]).axes[0].get_xlabel() == "choices after reversal"
