from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuromorph.networks.bimodal_weights import BimodalWeights, bimodality
from neuromorph.networks.experiment import Result

Conduct = Callable[..., Result]


@pytest.mark.slow
def test_additive_is_bimodal_and_multiplicative_is_not(conduct: Conduct) -> None:
    result = conduct("bimodal-weights")
    assert result.is_inside, result.to_json()


def test_bimodality_tells_heaps_apart() -> None:
    rng = np.random.default_rng(0)
    assert bimodality(rng.normal(size=100_000)) == pytest.approx(1 / 3, abs=0.01)
    assert bimodality(rng.uniform(size=100_000)) == pytest.approx(5 / 9, abs=0.01)
    assert np.isnan(bimodality(np.ones(4)))


def test_weights_begin_even_and_are_not_bimodal() -> None:
    """Without time to learn the measure must fail: it is learning that it sees."""
    result = BimodalWeights(seconds=3.0, learning_rate=1e-5).run("emulator")
    assert not result.is_inside


def test_figure_shows_the_weights() -> None:
    figure = BimodalWeights().figure([BimodalWeights(seconds=6.0).run("emulator")])
    assert figure.axes[0].get_xlabel() == "weight / largest weight"
