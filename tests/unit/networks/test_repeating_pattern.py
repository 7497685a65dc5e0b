from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.experiment import Result
from neuromorph.networks.repeating_pattern import RepeatingPattern

Conduct = Callable[..., Result]


def test_pattern_is_found(conduct: Conduct) -> None:
    result = conduct("repeating-pattern")
    assert result.is_inside, result.to_json()


def test_pattern_is_as_dense_as_the_noise() -> None:
    """Nothing but coincidences may tell it: rates inside and outside of patterns are equal."""
    trial = RepeatingPattern(seconds=20.0, noise=0.0)
    counts = [trial.spikes(np.random.default_rng(seed)) for seed in range(6)]
    length = round(trial.length / trial.dt)
    inside, outside = [], []
    for spikes, starts in counts:
        mask = np.zeros(len(spikes), dtype=np.bool_)
        for start in starts:
            mask[start : start + length] = True
        inside.append(spikes[mask, : trial.in_pattern].mean() / trial.dt)
        outside.append(spikes[~mask, : trial.in_pattern].mean() / trial.dt)
    # a pattern is one draw of 625 spikes, standard deviation 4 %, of which jitter merges a few
    assert abs(np.mean(inside) / np.mean(outside) - 1.0) < 0.1


def test_a_pattern_that_never_comes_back_is_not_found() -> None:
    """Jitter as long as the pattern leaves no coincidences that repeat."""
    result = RepeatingPattern(jitter=1.0, seconds=40.0, neurons=2).run("emulator")
    assert not result.is_inside


def test_hits_and_false_alarms_are_told_apart() -> None:
    trial = RepeatingPattern()
    latency, rest = trial._hits(np.array([5, 104, 110, 159, 160, 300]), np.array([100, 200]))
    assert latency[0] == 0.004 and np.isnan(latency[1])
    assert rest.tolist() == [5, 160, 300]


def test_figure_shows_latency_and_weights(conduct: Conduct) -> None:
    figure = RepeatingPattern().figure([conduct("repeating-pattern")])
    assert [axes.get_ylabel() for axes in figure.axes] == ["latency (ms)", "share", "inputs"]
