"""Losses: the mean over samples, and its derivative by the network's outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.backends.backprop.activations import Array


class Loss(ABC):
    """A scalar to be made small. Outputs y and targets t have shape (samples, outputs)."""

    @abstractmethod
    def target_faults(self, targets: Array) -> list[str]:
        """Say what makes ``targets`` unfit for this loss; an empty list if nothing does."""

    @abstractmethod
    def value(self, outputs: Array, targets: Array) -> float:
        """Give the loss, the mean over samples."""

    @abstractmethod
    def differentiate(self, outputs: Array, targets: Array, out: Array) -> None:
        """Write dL/dy into ``out``, shape (samples, outputs), for the mean over these samples."""


@final
@dataclass(frozen=True, kw_only=True)
class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of the softmax of the outputs, which are logits.

    L = -1/B sum_bk t_bk log p_bk, p_bk = exp(y_bk) / sum_j exp(y_bj), dL/dy = (p - t) / B, in nats; every row
    of t is a distribution (Bridle 1990, Probabilistic interpretation of feedforward classification networks).

    >>> SoftmaxCrossEntropy().value(np.zeros((1, 2)), np.array([[1.0, 0.0]]))  # log 2
    0.6931471805599453
    """

    def target_faults(self, targets: Array) -> list[str]:
        """Require rows that are distributions."""
        if bool((targets >= 0).all()) and np.allclose(targets.sum(axis=1), 1.0, atol=1e-4):
            return []
        return [
            "targets of SoftmaxCrossEntropy must be labels or rows of probabilities that sum to 1, got a row "
            "that is not; pass integer labels of shape (samples,) or use MeanSquaredError"
        ]

    def value(self, outputs: Array, targets: Array) -> float:
        """Give the mean cross-entropy in nats."""
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return float((log_sum - np.einsum("bk,bk->b", shifted, targets)).mean(dtype=np.float64))

    def differentiate(self, outputs: Array, targets: Array, out: Array) -> None:
        """Write (p - t) / B into ``out``."""
        np.subtract(outputs, np.maximum.reduce(outputs, axis=1, keepdims=True), out=out)
        np.exp(out, out=out)
        np.divide(out, np.add.reduce(out, axis=1, keepdims=True), out=out)
        np.subtract(out, targets, out=out)
        np.multiply(out, 1.0 / len(out), out=out)


@final
@dataclass(frozen=True, kw_only=True)
class MeanSquaredError(Loss):
    """Half the squared error, summed over outputs and averaged over samples.

    L = 1/(2B) sum_bk (y_bk - t_bk)^2, dL/dy = (y - t) / B.

    >>> MeanSquaredError().value(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    2.5
    """

    def target_faults(self, targets: Array) -> list[str]:
        """Accept any targets."""
        return []

    def value(self, outputs: Array, targets: Array) -> float:
        """Give the mean over samples of half the squared error."""
        difference = outputs - targets
        return 0.5 * float(np.einsum("bk,bk->b", difference, difference).mean(dtype=np.float64))

    def differentiate(self, outputs: Array, targets: Array, out: Array) -> None:
        """Write (y - t) / B into ``out``."""
        np.subtract(outputs, targets, out=out)
        np.multiply(out, 1.0 / len(out), out=out)
