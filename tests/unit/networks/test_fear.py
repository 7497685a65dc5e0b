from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.experiment import Result
from neuromorph.networks.fear import Fear

Conduct = Callable[..., Result]


def test_fear_is_hidden_by_extinction_and_returns(conduct: Conduct) -> None:
    result = conduct("fear")
    assert result.is_inside, result.to_json()


def test_inhibition_that_does_not_fade_keeps_fear_away() -> None:
    result = Fear(rest=1e-6).run("emulator")
    assert result.value("spontaneous recovery: response in B after the rest") < 0.2


def test_without_the_inhibition_nothing_is_extinguished() -> None:
    result = Fear(rate_safety=1e-12).run("emulator")
    assert result.arrays["extinguished"].min() > 0.8


def test_figure_shows_trials_and_tests(conduct: Conduct) -> None:
    assert [axes.get_xlabel() for axes in Fear().figure([conduct("fear")]).axes] == ["trial", "test (shaded: expected)"]
