"""A critic that predicts reward; its error is what dopamine says."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError, RuleError, is_count, is_number, raise_faults


@final
class TemporalDifference:
    """A linear critic of features: ``update`` gives the error of its prediction and learns from it.

    ``M = reward + discount * V(now) - V(before)`` with ``V = weights . features``, then
    ``weights += learning_rate * M * e`` with ``e = discount * trace_decay * e + features before`` (TD(lambda)). It runs
    on the host between chunks of steps: features are what is read from a session or an environment, of shape
    (features,), and M is the next chunk's third factor, as in ``session.run(1, modulators={"dopamine":
    [critic.update(reward, features)]})``. Sutton, Machine Learning 3, 1988; Schultz, Dayan and Montague, Science 275,
    1997.

    >>> critic = TemporalDifference(features=2, discount=1.0, learning_rate=0.5)
    >>> critic.update(0.0, [1.0, 0.0]), critic.update(1.0, [0.0, 1.0])  # a cue, then a reward that nobody predicted
    (0.0, 1.0)
    >>> critic.value([1.0, 0.0])
    0.5
    """

    def __init__(
        self, *, features: int, discount: float = 0.95, learning_rate: float = 0.1, trace_decay: float = 0.0
    ) -> None:
        faults = []
        if not is_count(features, least=1):
            faults.append(f"TemporalDifference.features must be a whole number >= 1, got {features!r}")
        for name, value in (("discount", discount), ("trace_decay", trace_decay)):
            if not (is_number(value) and 0 <= value <= 1):
                faults.append(f"TemporalDifference.{name} must be 0 to 1, got {value!r}")
        if not is_number(learning_rate):
            faults.append(f"TemporalDifference.learning_rate must be a finite number, got {learning_rate!r}")
        raise_faults(RuleError, faults)
        self.discount, self.learning_rate, self.trace_decay = float(discount), float(learning_rate), float(trace_decay)
        self.weights: npt.NDArray[np.float64] = np.zeros(features)
        self.reset()

    def reset(self) -> None:
        """Begin an episode: nothing was predicted before it, and what was learned stays."""
        self._before = np.zeros_like(self.weights)
        self._eligibility = np.zeros_like(self.weights)

    def value(self, features: npt.ArrayLike) -> float:
        """The reward that is predicted from here on; 0 of no features, as at an episode's end."""
        return float(self.weights @ self._checked(features))

    def update(self, reward: float, features: npt.ArrayLike) -> float:
        """Take in the reward that came with these features; gives M, how much better than predicted that is."""
        if not is_number(reward):
            raise InputError(f"TemporalDifference.update: reward must be a finite number, got {reward!r}")
        now = self._checked(features)
        error = float(reward + self.discount * (self.weights @ now) - self.weights @ self._before)
        self._eligibility = self.discount * self.trace_decay * self._eligibility + self._before
        self.weights += self.learning_rate * error * self._eligibility
        self._before = now
        return error

    def _checked(self, features: npt.ArrayLike) -> npt.NDArray[np.float64]:
        values = np.array(features, dtype=np.float64)
        if values.shape != self.weights.shape or not np.all(np.isfinite(values)):
            raise InputError(
                f"TemporalDifference: features must be {self.weights.size} finite numbers, got shape {values.shape}:"
                f" {features!r}"
            )
        return values
