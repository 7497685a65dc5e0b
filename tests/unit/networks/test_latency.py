from __future__ import annotations

from collections.abc import Callable

import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.latency import Latency

Conduct = Callable[..., Result]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("chip", [None, "loihi1"])
def test_first_spike_moves_to_the_onset(conduct: Conduct, seed: int, chip: str | None) -> None:
    result = conduct("latency", seed=seed, chip=chip)
    assert result.is_inside, result.to_json()


def test_without_learning_the_spike_stays() -> None:
    result = Latency(learning_rate=1e-9).run("emulator")
    assert not result.is_inside
    assert (
        abs(result.value("first spike in the first trial") - result.value("first spike in the last five trials")) < 1.0
    )


def test_figure_shows_every_trial(conduct: Conduct) -> None:
    figure = Latency().figure([conduct("latency")])
    line = figure.axes[0].lines[0]
    assert len(line.get_xdata()) == Latency().trials
