from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.oja_component import OjaComponent, principal

Conduct = Callable[..., Result]


def test_oja_finds_the_component_and_hebb_grows(conduct: Conduct) -> None:
    result = conduct("oja-component")
    assert result.is_inside, result.to_json()


def test_norm_follows_the_gain() -> None:
    result = OjaComponent(threshold=2.25, seconds=120.0).run("emulator")
    assert np.linalg.norm(result.arrays["weights"]) == pytest.approx(1.5, rel=0.1)  # chance of spikes adds to y1^2


def test_traces_are_those_of_the_rule() -> None:
    trial = OjaComponent(inputs=2)
    spikes = np.zeros((4, 2), dtype=np.bool_)
    spikes[1, 0] = spikes[2, 0] = True
    decay = np.exp(-trial.dt / trial.tau)
    assert trial.traces(spikes)[:, 0] == pytest.approx([0.0, 1.0, 1.0 + decay, decay + decay**2])
    assert not trial.traces(spikes)[:, 1].any()


def test_principal_is_the_direction_of_most_power() -> None:
    samples = np.outer(np.array([1.0, -2.0, 3.0]), np.array([0.6, 0.8]))
    assert abs(principal(samples) @ np.array([0.6, 0.8])) == pytest.approx(1.0)


def test_figure_shows_norms_and_weights(conduct: Conduct) -> None:
    figure = OjaComponent().figure([conduct("oja-component")])
    assert figure.axes[0].get_ylabel() == "norm"
