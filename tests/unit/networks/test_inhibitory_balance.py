from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.inhibitory_balance import InhibitoryBalance, variation

Conduct = Callable[..., Result]


@pytest.mark.parametrize("chip", [None, "loihi1"])
def test_every_neuron_comes_to_the_target_rate(conduct: Conduct, chip: str | None) -> None:
    result = conduct("inhibitory-balance", chip=chip)
    assert result.is_inside, result.to_json()


@pytest.mark.parametrize("target", [4.0, 8.0])
def test_the_rate_follows_the_target(target: float) -> None:
    result = InhibitoryBalance(target=target, seconds=120.0).run("emulator")
    assert result.value("mean rate after learning") == pytest.approx(target, rel=0.2)  # network fluctuations


def test_without_learning_the_rate_stays_high() -> None:
    result = InhibitoryBalance(learning_rate=1e-9, seconds=6.0).run("emulator")
    assert result.value("mean rate after learning") > 3 * InhibitoryBalance().target


def test_variation_is_0_for_a_clock_and_1_for_chance() -> None:
    clock = np.tile(np.arange(50.0), 2)
    assert variation(clock, np.repeat([0.0, 1.0], 50)) == pytest.approx(0.0, abs=1e-12)
    chance = np.cumsum(np.random.default_rng(0).exponential(size=20_000))
    assert variation(chance, np.zeros(20_000)) == pytest.approx(1.0, abs=0.05)
    assert np.isnan(variation(np.arange(5.0), np.zeros(5)))


def test_figure_shows_rates_and_spikes(conduct: Conduct) -> None:
    assert len(InhibitoryBalance().figure([conduct("inhibitory-balance")]).axes) == 3
