from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.stdp_window import STDPWindow

Conduct = Callable[..., Result]


@pytest.mark.parametrize("backend", ["reference", "emulator", "nengo", "nengo-loihi", "lava"])
@pytest.mark.parametrize("chip", [None, "loihi1"])
def test_window_is_the_formulas_on_every_backend(conduct: Conduct, backend: str, chip: str | None) -> None:
    result = conduct("stdp-window", backend=backend, chip=chip)
    assert result.is_inside, result.to_json()


def test_spikes_of_one_step_count_for_both_halves() -> None:
    result = STDPWindow(reach=3).run()
    change = dict(zip(result.arrays["distance"], result.arrays["change"], strict=True))
    assert change[0.0] == pytest.approx(0.86 - 0.25, rel=1e-12)
    assert change[1e-3] == pytest.approx(0.86 * np.exp(-1 / 19), rel=1e-12)
    assert change[-2e-3] == pytest.approx(-0.25 * np.exp(-2 / 34), rel=1e-12)


def test_figure_has_the_formula_and_a_point_for_every_pair(conduct: Conduct) -> None:
    figure = STDPWindow().figure([conduct("stdp-window")])
    window = figure.axes[0]
    points = [line for line in window.lines if line.get_marker() == "o"]
    assert len(points) == 1 and len(points[0].get_xdata()) == 161
