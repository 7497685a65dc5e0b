from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.cerebellar_timing import CerebellarTiming
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


def test_response_peaks_at_the_trained_interval(conduct: Conduct) -> None:
    result = conduct("cerebellar-timing")
    assert result.is_inside, result.to_json()


@pytest.mark.parametrize("interval", [0.2, 0.45])
def test_the_peak_follows_the_interval(interval: float) -> None:
    result = CerebellarTiming(interval=interval, trials=100).run("emulator")
    assert result.value("time of the peak") == pytest.approx(1e3 * interval, abs=35)  # the range of the measure


def test_without_the_climbing_fibre_nothing_is_learned() -> None:
    result = CerebellarTiming(A_minus=1e-12, trials=20).run("emulator")
    assert np.abs(result.arrays["trained"]).max() < 0.5  # noise of ten trials


def test_figure_shows_the_response_over_time(conduct: Conduct) -> None:
    figure = CerebellarTiming().figure([conduct("cerebellar-timing")])
    assert figure.axes[0].get_xlabel() == "time after the tone (ms)"
