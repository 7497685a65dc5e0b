from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.experiment import Result
from neuromorph.networks.rewired_classifier import DENSE, RANDOM, REWIRED, RewiredClassifier

Conduct = Callable[..., Result]


def test_rewiring_recovers_what_random_places_lack(conduct: Conduct) -> None:
    result = conduct("rewiring")
    assert result.is_inside, result.to_json()


def test_the_budget_is_kept_in_both_sparse_cases(conduct: Conduct) -> None:
    result, trial = conduct("rewiring"), RewiredClassifier()
    for case in (REWIRED, RANDOM):
        assert np.mean(result.arrays[f"weights {case}"] != 0.0) <= trial.density + 1e-9
    assert np.mean(result.arrays[f"weights {DENSE}"] != 0.0) > 0.99


def test_synapses_that_never_move_do_not_find_what_tells() -> None:
    result = RewiredClassifier(samples=300, every=10**6, tests=100).run("emulator")
    assert result.value("share of the telling synapses that rewiring found") < 0.5


def test_figure_shows_accuracy_and_weights(conduct: Conduct) -> None:
    figure = RewiredClassifier().figure([conduct("rewiring")])
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy (shaded: expected)", "weight of those in use"]
