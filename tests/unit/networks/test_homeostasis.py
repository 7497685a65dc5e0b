from __future__ import annotations

from collections.abc import Callable

from neuromorph.networks.experiment import Result
from neuromorph.networks.homeostasis import NONE, Homeostasis

Conduct = Callable[..., Result]


def test_fast_homeostasis_holds_and_slow_loses(conduct: Conduct) -> None:
    result = conduct("homeostasis")
    assert result.is_inside, result.to_json()


def test_time_constants_part_into_stable_and_not(conduct: Conduct) -> None:
    """All that are faster than the edge hold the rate; none that are slower do."""
    result, trial = conduct("homeostasis"), Homeostasis()
    edge = result.value("slowest scaling that is stable")
    for tau in trial.time_constants:
        last = result.arrays[f"scaling {tau:g} s"][-40:].mean()
        assert (last < 2 * trial.target) == (tau <= edge)


def test_without_a_rule_the_host_does_nothing() -> None:
    trial = Homeostasis()
    assert trial.cases[NONE] is None
    assert all(rule is not None for name, rule in trial.cases.items() if name != NONE)


def test_figure_shows_the_edge(conduct: Conduct) -> None:
    figure = Homeostasis().figure([conduct("homeostasis")])
    assert figure.axes[1].get_xlabel() == "time constant of scaling (s)"
