"""From intensities to spikes."""

from __future__ import annotations

import numpy as np

from neuromorph.errors import InputError
from neuromorph.recording import BoolArray, FloatArray


def rate_code(intensities: FloatArray, *, steps: int, rate: float, phase: float = 0.5) -> BoolArray:
    """Regular spikes at a rate proportional to intensity, from phase accumulators; no chance is involved.

    Neuron i spikes in step k where ``floor(phase + (k + 1) p_i)`` exceeds ``floor(phase + k p_i)``, with
    ``p_i = min(1, rate * intensity_i)`` spikes a step: ``round(steps * p_i)`` spikes for a phase of one half, where
    Poisson spikes would add their own variance. ``intensities`` (..., n) in [0, 1] or scaled; the result has shape
    (..., steps, n).

    >>> rate_code(np.array([1.0, 0.5, 0.0]), steps=4, rate=1.0).sum(axis=0).tolist()
    [4, 2, 0]
    """
    if steps < 1:
        raise InputError(f"steps must be >= 1, got {steps!r}")
    if not np.all(np.isfinite(intensities)) or np.any(np.asarray(intensities) < 0):
        raise InputError("intensities must be finite and >= 0")
    probability = np.minimum(1.0, rate * np.asarray(intensities, dtype=np.float64))[..., np.newaxis, :]
    time = np.arange(steps + 1, dtype=np.float64)[:, np.newaxis]
    passed = np.floor(phase + time * probability)
    return np.asarray(np.diff(passed, axis=-2) > 0)


def latency_code(intensities: FloatArray, *, steps: int, threshold: float = 0.0) -> BoolArray:
    """One spike a neuron, the earlier the higher its intensity; at or below ``threshold`` none.

    Intensity 1 spikes in the first step, the lowest above threshold in the last: step ``floor((1 - intensity) steps)``.
    ``intensities`` (..., n) in [0, 1]; the result has shape (..., steps, n).

    >>> latency_code(np.array([1.0, 0.5, 0.0]), steps=4).argmax(axis=0).tolist()
    [0, 2, 0]
    """
    values = np.asarray(intensities, dtype=np.float64)
    if steps < 1:
        raise InputError(f"steps must be >= 1, got {steps!r}")
    if not np.all(np.isfinite(values)) or np.any(values < 0) or np.any(values > 1):
        raise InputError("intensities must lie in 0..1")
    when = np.minimum(np.floor((1.0 - values) * steps), steps - 1)[..., np.newaxis, :]
    return np.asarray((np.arange(steps)[:, np.newaxis] == when) & (values[..., np.newaxis, :] > threshold))


def unit_length(images: FloatArray) -> FloatArray:
    """Images (samples, pixels) scaled to unit Euclidean length; an empty image stays empty.

    >>> unit_length(np.array([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]
    """
    length = np.linalg.norm(images, axis=1, keepdims=True)
    return np.asarray(images / np.where(length > 0, length, 1.0))
