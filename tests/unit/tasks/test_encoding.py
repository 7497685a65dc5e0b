from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromorph.errors import InputError
from neuromorph.tasks.encoding import latency_code, rate_code, unit_length


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(1, 40), st.floats(0.01, 1))
def test_rate_code_counts_are_the_rate_times_the_steps_to_half_a_spike(
    values: list[float], steps: int, rate: float
) -> None:
    counts = rate_code(np.array(values), steps=steps, rate=rate).sum(axis=0)
    assert np.all(np.abs(counts - rate * np.array(values) * steps) <= 0.5 + 1e-9)


def test_rate_code_is_regular() -> None:
    spikes = rate_code(np.array([0.25]), steps=40, rate=1.0)[:, 0]
    assert set(np.diff(np.flatnonzero(spikes)).tolist()) == {4}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(1, 40))
def test_latency_code_spikes_once_and_brighter_is_never_later(values: list[float], steps: int) -> None:
    intensities = np.array(values)
    spikes = latency_code(intensities, steps=steps)
    assert np.array_equal(spikes.sum(axis=0), (intensities > 0).astype(int))
    lit = np.flatnonzero(intensities > 0)
    when = spikes.argmax(axis=0)[lit]
    order = np.argsort(-intensities[lit], kind="stable")
    assert np.all(np.diff(when[order]) >= 0)


def test_batches_are_encoded_image_by_image() -> None:
    images = np.random.default_rng(0).random((3, 5))
    for code in (lambda x: rate_code(x, steps=7, rate=0.5), lambda x: latency_code(x, steps=7)):
        assert np.array_equal(code(images), np.stack([code(image) for image in images]))


def test_unit_length_leaves_an_empty_image_empty() -> None:
    scaled = unit_length(np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert scaled[0].tolist() == [0.0, 0.0]
    assert np.linalg.norm(scaled[1]) == pytest.approx(1.0)


def test_wrong_intensities_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        rate_code(np.array([np.nan]), steps=3, rate=1.0)
    with pytest.raises(InputError, match=r"0\.\.1"):
        latency_code(np.array([1.5]), steps=3)
    with pytest.raises(InputError, match="steps"):
        latency_code(np.array([0.5]), steps=0)
