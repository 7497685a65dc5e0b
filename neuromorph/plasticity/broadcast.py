"""How an error at the outputs becomes a learning signal of each neuron."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError, RuleError, is_count, is_number, raise_faults

FloatArray = npt.NDArray[np.float64]


@final
class Broadcast:
    """Feedback weights that tell every neuron its share of an output error: random ones, or learned with the readout's.

    ``signal = weights . error`` of shape (neurons,) is what :func:`EProp` takes as third factor. Random weights, normal
    with spread ``1 / sqrt(outputs)``, serve as they are (feedback alignment). :meth:`learn` gives them the very change
    that a readout makes of its own, ``-learning_rate * activity . error - decay * weights``, so that whatever both
    began with fades and they become the readout's transpose. It runs on the host between chunks of steps. Lillicrap et
    al., Nature Communications 7:13276, 2016; Kolen and Pollack, IEEE World Congress on Computational Intelligence 3,
    1994; Bellec et al., Nature Communications 11:3625, 2020.

    >>> Broadcast(neurons=4, outputs=2, seed=0).signal([[1.0, 0.0], [0.0, 0.0]]).shape
    (2, 4)
    """

    def __init__(
        self, *, neurons: int, outputs: int, seed: int, learning_rate: float = 0.0, decay: float = 0.0
    ) -> None:
        faults = [
            f"Broadcast.{name} must be a whole number >= {least}, got {value!r}"
            for name, value, least in (("neurons", neurons, 1), ("outputs", outputs, 1), ("seed", seed, 0))
            if not is_count(value, least=least)
        ]
        faults += [
            f"Broadcast.{name} must be a finite number >= 0, got {value!r}"
            for name, value in (("learning_rate", learning_rate), ("decay", decay))
            if not (is_number(value) and value >= 0)
        ]
        raise_faults(RuleError, faults)
        self.learning_rate, self.decay = float(learning_rate), float(decay)
        self.weights: FloatArray = np.random.default_rng(seed).normal(0, outputs**-0.5, (neurons, outputs))

    def signal(self, error: npt.ArrayLike) -> FloatArray:
        """Of an error of shape (outputs,) or (steps, outputs) each neuron's learning signal, in the same shape."""
        return self._checked("error", error, self.weights.shape[1]) @ self.weights.T

    def learn(self, activity: npt.ArrayLike, error: npt.ArrayLike) -> None:
        """Follow the readout, which reads ``activity``, (neurons,) or (steps, neurons), and is off by ``error``."""
        read = np.atleast_2d(self._checked("activity", activity, self.weights.shape[0]))
        made = np.atleast_2d(self._checked("error", error, self.weights.shape[1]))
        if len(read) != len(made):
            raise InputError(
                f"Broadcast.learn: activity has {len(read)} steps and error {len(made)}: they must be equal"
            )
        self.weights -= self.learning_rate * (read.T @ made) + self.decay * self.weights

    def _checked(self, name: str, values: npt.ArrayLike, last: int) -> FloatArray:
        array = np.asarray(values, dtype=np.float64)
        if array.ndim not in (1, 2) or array.shape[-1] != last or not np.all(np.isfinite(array)):
            raise InputError(
                f"Broadcast: {name} must be finite and of shape ({last},) or (steps, {last}), got {array.shape}"
            )
        return array
