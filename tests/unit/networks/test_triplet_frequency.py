from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.triplet_frequency import LAGS, RATES, TripletFrequency

Conduct = Callable[..., Result]


@pytest.mark.parametrize("chip", [None, "loihi1"])
def test_triplets_follow_the_data_and_pairs_do_not(conduct: Conduct, chip: str | None) -> None:
    result = conduct("triplet-frequency", chip=chip)
    assert result.is_inside, result.to_json()


def test_pairs_without_triplets_fail() -> None:
    """What the measure is for: amplitudes of a pair rule in the place of the triplet's are found out."""
    from neuromorph.networks.triplet_frequency import normalised_error

    trial = TripletFrequency()
    sums = np.array([[trial.closed_form(1.0 / rate, lag)[1:] @ (0.005, -0.005) for rate in RATES] for lag in LAGS])
    assert normalised_error(sums) > 5.0


def test_rate_turns_depression_into_potentiation(conduct: Conduct) -> None:
    post_first = conduct("triplet-frequency").arrays["triplet"][1]
    assert post_first[0] < 0 < post_first[-1]


def test_figure_shows_both_orders(conduct: Conduct) -> None:
    figure = TripletFrequency().figure([conduct("triplet-frequency")])
    assert [axes.get_xlabel() for axes in figure.axes] == ["rate of pairs (Hz)"] * 2
