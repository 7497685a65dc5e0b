from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuromorph.networks.experiment import Result
from neuromorph.networks.glia import Glia

Conduct = Callable[..., Result]


def test_glia_restores_part_of_the_rate(conduct: Conduct) -> None:
    result = conduct("glia")
    assert result.is_inside, result.to_json()


def test_an_astrocyte_without_strength_restores_nothing() -> None:
    result = Glia(strength=1e-300, before=5.0, after=10.0).run("emulator")
    assert np.array_equal(result.arrays["glia"], result.arrays["none"])
    assert not result.is_inside


def test_where_nothing_fails_nothing_is_lost() -> None:
    trial = Glia(fails=1e-9, before=10.0, after=20.0)
    rates = trial.run("emulator").arrays["none"][:, : trial.damaged]
    assert rates[-20:].mean() > 0.7 * rates[:20].mean()  # chance of 10 s


def test_figure_shows_rates(conduct: Conduct) -> None:
    assert Glia().figure([conduct("glia")]).axes[0].get_ylabel() == "rate (Hz)"
