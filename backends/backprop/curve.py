"""The learning curve: one record for each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass through the training part.

    Training figures are of the outputs that each minibatch had before its own update, so they lag behind the
    validation figures, which are of the weights at the end of the epoch.
    """

    number: int  # from 1
    samples_seen: int  # trained samples since the start, repeats counted
    loss: float
    accuracy: float | None  # share in [0, 1]; None where targets are not labels
    validation_loss: float | None  # None without a validation part
    validation_accuracy: float | None
    train_seconds: float  # of this epoch's updates, validation not counted
