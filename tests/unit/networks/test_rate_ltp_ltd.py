from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.experiment import Result
from neuromorph.networks.rate_ltp_ltd import RateLTPLTD

Conduct = Callable[..., Result]


def test_sign_turns_at_the_threshold_and_one_answer_is_left(conduct: Conduct) -> None:
    result = conduct("rate-ltp-ltd")
    assert result.is_inside, result.to_json()


def test_formula_turns_at_theta_less_a_half_by_tau() -> None:
    trial = RateLTPLTD()
    for theta in (1.0, 2.0, 3.0):
        assert trial.sign_change(theta) == pytest.approx((theta - 0.5) / trial.tau_minus, rel=0.02)  # dt is not 0


def test_curve_is_the_formulas(conduct: Conduct) -> None:
    result, trial = conduct("rate-ltp-ltd"), RateLTPLTD()
    for name, theta in (("low", trial.low_theta), ("high", trial.high_theta)):
        formula = trial.curve(trial.rates, theta)
        residual = result.arrays[name] - formula
        assert 1.0 - np.var(residual) / np.var(formula) > 0.98  # 30 random synapses a point: errors of a few per cent


def test_without_a_sliding_threshold_the_largest_answer_is_not_left(conduct: Conduct) -> None:
    """A threshold that hardly moves lets every answer grow, which the measures see."""
    trial = RateLTPLTD(seconds=0.1, lesson=20.0, tau_theta=1e4)
    measured = {m.name: m for m in trial.run("emulator").measures}
    assert not (measured["second largest answer by the largest"].is_inside and measured["largest answer"].is_inside)


def test_figure_draws_the_curve_the_answers_and_the_weights(conduct: Conduct) -> None:
    figure = RateLTPLTD().figure([conduct("rate-ltp-ltd")])
    assert [axes.get_ylabel() for axes in figure.axes][1:] == ["rate of the neuron (Hz)", "weight"]
