"""Early stopping on a validation part, and the memory of the best weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.curve import Epoch
from neuromorph.backends.backprop.parameters import Parameters
from neuromorph.backends.backprop.requirements import require_between, require_choice, require_count
from neuromorph.errors import DescriptionError, raise_faults


@final
@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Stop when the validation figure has not improved for ``patience`` epochs, and restore the best weights.

    Prechelt 1998, Early stopping - but when? Raises DescriptionError for a value out of range.
    """

    validation_fraction: float = 0.1  # of the training samples, where no validation set is passed; in (0, 1)
    patience: int = 20  # epochs without improvement
    min_improvement: float = 0.0  # an improvement must be larger than this
    monitor: Literal["loss", "accuracy"] = "loss"  # the validation figure watched

    def __post_init__(self) -> None:
        """Check every field."""
        faults = require_between(
            "EarlyStopping.validation_fraction",
            self.validation_fraction,
            0.0,
            1.0,
            low_allowed=False,
            remedy="use 0.1, or early_stopping=None for no validation part",
        )
        faults += require_count(
            "EarlyStopping.patience", self.patience, at_least=1, remedy="give a number of epochs, such as 20"
        )
        faults += require_between(
            "EarlyStopping.min_improvement",
            self.min_improvement,
            0.0,
            math.inf,
            low_allowed=True,
            remedy="use 0.0",
        )
        faults += require_choice("EarlyStopping.monitor", self.monitor, ("loss", "accuracy"))
        raise_faults(DescriptionError, faults)


@final
class BestWeights:
    """Remembers the parameters of the best epoch so far."""

    def __init__(self, options: EarlyStopping, parameters: Parameters) -> None:
        """Watch ``parameters``, which the training changes in place."""
        self._options = options
        self._parameters = parameters
        self._saved = parameters.flat.copy()
        self._best_score = -math.inf
        self._last_epoch = 0
        self.epoch = 0

    def observe(self, record: Epoch) -> None:
        """Look at a finished epoch, and save the weights if it is the best."""
        figure = record.validation_loss if self._options.monitor == "loss" else record.validation_accuracy
        if figure is None:
            raise ValueError(f"epoch {record.number} has no validation {self._options.monitor} to watch")
        score = -figure if self._options.monitor == "loss" else figure
        self._last_epoch = record.number
        if score > self._best_score + self._options.min_improvement:
            self._best_score = score
            self.epoch = record.number
            np.copyto(self._saved, self._parameters.flat)

    @property
    def patience_is_spent(self) -> bool:
        """Whether the best epoch is ``patience`` epochs ago."""
        return self._last_epoch - self.epoch >= self._options.patience

    def restore(self) -> None:
        """Write the saved weights back into the parameters."""
        np.copyto(self._parameters.flat, self._saved)


def split_samples(
    samples: int,
    labels: npt.NDArray[np.integer[Any]] | None,
    *,
    fraction: float,
    generator: np.random.Generator,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Part sample numbers into training and validation at random, with the same shares of every label.

    The validation part has round(fraction * samples) samples; each label gets its share to within one sample.
    """
    order = generator.permutation(samples)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    count = round(fraction * samples)
    is_validation = np.zeros(samples, dtype=bool)
    # Evenly spaced places in an order sorted by label: no loop over classes, and the total is exact.
    is_validation[((np.arange(count) + 0.5) * (samples / max(count, 1))).astype(np.intp)] = True
    return order[~is_validation], order[is_validation]
