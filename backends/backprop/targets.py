"""Targets of a training, whatever the form they were given in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.activations import Array
from neuromorph.backends.backprop.losses import Loss


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """One row for each sample, and the class labels where there are any."""

    rows: Array  # (samples, outputs)
    labels: npt.NDArray[np.integer[Any]] | None  # (samples,), in [0, outputs)

    def select(self, samples: npt.NDArray[np.integer[Any]]) -> Targets:
        """Give the targets of some samples, in their order."""
        return Targets(rows=self.rows[samples], labels=None if self.labels is None else self.labels[samples])

    def accuracy(self, outputs: Array) -> float | None:
        """Give the share of samples whose largest output is their label's; None without labels."""
        if self.labels is None:
            return None
        return float(np.mean(outputs.argmax(axis=1) == self.labels))


def target_faults(where: str, targets: npt.NDArray[Any], samples: int, outputs: int) -> list[str]:
    """Say what is wrong with targets: integer labels (samples,) or numbers (samples, outputs)."""
    if targets.ndim == 1 and targets.dtype.kind in "iu":
        if outputs < 2:
            return [f"{where} must be floats of shape (samples, 1) for a network of one output, got labels"]
        if len(targets) != samples:
            return [f"{where} must have one label for each of the {samples} inputs, got {len(targets)}"]
        if len(targets) and (targets.min() < 0 or targets.max() >= outputs):
            return [
                f"{where} must be labels from 0 to {outputs - 1}, got {targets.min()} to {targets.max()}; "
                "number the classes from 0 or give the network more outputs"
            ]
        return []
    if targets.dtype.kind not in "iufb" or targets.shape != (samples, outputs):
        return [
            f"{where} must be integer labels of shape ({samples},) or numbers of shape ({samples}, "
            f"{outputs}), got {targets.dtype} of shape {targets.shape}"
        ]
    if not np.isfinite(targets).all():
        return [f"{where} must be finite, got nan or infinity"]
    return []


def encode_targets(targets: npt.NDArray[Any], outputs: int, dtype: npt.DTypeLike) -> Targets:
    """Turn labels into rows with a one in the label's place; rows of numbers stay as they are.

    >>> encode_targets(np.array([2, 0]), 3, np.float32).rows.tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if targets.ndim == 2:
        return Targets(rows=np.ascontiguousarray(targets, dtype=dtype), labels=None)
    rows = np.zeros((len(targets), outputs), dtype=dtype)
    rows[np.arange(len(targets)), targets] = 1.0
    return Targets(rows=rows, labels=targets)


def measure(outputs: Array, targets: Targets, loss: Loss) -> tuple[float, float | None]:
    """Give the loss and the accuracy of ``outputs``."""
    return loss.value(outputs, targets.rows), targets.accuracy(outputs)
