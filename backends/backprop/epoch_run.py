"""One pass through the training part, minibatch by minibatch, with buffers that every epoch reuses."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.activations import Array
from neuromorph.backends.backprop.credit import GradientSource
from neuromorph.backends.backprop.optimisers import OptimiserState
from neuromorph.backends.backprop.targets import Targets


@final
class EpochRun:
    """Runs epochs over ``samples`` of ``inputs`` and ``targets`` in a new random order each time."""

    def __init__(
        self,
        inputs: Array,
        targets: Targets,
        samples: npt.NDArray[np.integer[Any]],
        source: GradientSource,
        optimiser: OptimiserState,
        batch_size: int,
    ) -> None:
        """Allocate the minibatch and the outputs of an epoch."""
        self._inputs = inputs
        self._targets = targets
        self._samples = samples
        self._source = source
        self._optimiser = optimiser
        self._batch_size = batch_size
        self._batch = np.empty((batch_size, inputs.shape[1]), inputs.dtype)
        self._outputs = np.empty((len(samples), targets.rows.shape[1]), inputs.dtype)

    def run(self, generator: np.random.Generator) -> tuple[Array, Targets]:
        """Train one epoch; give the outputs before each update and their targets, in the order of this epoch.

        Loss and accuracy are left to be computed once from these, not once for every minibatch. The next run
        overwrites the outputs.
        """
        order = generator.permutation(self._samples)
        targets = self._targets.select(order)
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            stop = start + len(chosen)
            batch = self._batch[: len(chosen)]
            # mode="clip": the default would gather into a temporary first; the numbers are known to be valid.
            np.take(self._inputs, chosen, axis=0, out=batch, mode="clip")
            self._outputs[start:stop] = self._source.compute(batch, targets.rows[start:stop])
            self._optimiser.step(self._source.gradient)
        return self._outputs, targets
