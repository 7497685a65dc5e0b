"""Optimisers: frozen options, and the state that moves parameters down a gradient."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from neuromorph.backends.backprop.activations import Array
from neuromorph.backends.backprop.parameters import Parameters
from neuromorph.backends.backprop.requirements import require_between
from neuromorph.errors import DescriptionError, raise_faults

BLOCK_VALUES = 1 << 18  # parameters updated at a time, so that the passes of one update meet in the cache


@final
@dataclass(frozen=True, kw_only=True)
class UpdateCost:
    """Operations and memory of one update, for each parameter."""

    multiply_accumulates: int  # a lone multiplication counts as one
    additions: int
    divisions: int
    square_roots: int
    state_values: int  # numbers kept from one update to the next


class OptimiserState(ABC):
    """What an optimiser remembers of one training."""

    @property
    @abstractmethod
    def state_bytes(self) -> int:
        """Bytes kept from one update to the next."""

    @abstractmethod
    def step(self, gradient: Parameters) -> None:
        """Update the parameters in place; the gradient is only read."""


class Optimiser(ABC):
    """How a gradient becomes a change of the parameters."""

    @property
    @abstractmethod
    def cost(self) -> UpdateCost:
        """Operations and memory of one update for each parameter, weight decay not counted."""

    @property
    @abstractmethod
    def decays_weights(self) -> bool:
        """Whether an update also shrinks the weights: one multiplication more for each weight."""

    @abstractmethod
    def open(self, parameters: Parameters) -> OptimiserState:
        """Start a training of ``parameters``, which the state will update in place."""


def _require_rates(name: str, learning_rate: float, weight_decay: float) -> list[str]:
    faults = require_between(
        f"{name}.learning_rate", learning_rate, 0.0, math.inf, low_allowed=False, remedy="try 0.001 to 0.1"
    )
    faults += require_between(
        f"{name}.weight_decay", weight_decay, 0.0, math.inf, low_allowed=True, remedy="use 0.0 for none"
    )
    if not faults and learning_rate * weight_decay >= 1.0:
        faults.append(
            f"{name}.learning_rate * weight_decay must be < 1, got {learning_rate * weight_decay}, which "
            "would turn every weight's sign at each step; lower weight_decay"
        )
    return faults


def _shrink_weights(parameters: Parameters, factor: float) -> None:
    if factor != 1.0:
        weights = parameters.flat[: parameters.weight_count]
        np.multiply(weights, factor, out=weights)


def _blocks(*vectors: Array) -> Iterator[tuple[Array, ...]]:
    count = len(vectors[0])
    if count <= BLOCK_VALUES:
        yield vectors
        return
    for start in range(0, count, BLOCK_VALUES):
        yield tuple(vector[start : start + BLOCK_VALUES] for vector in vectors)


@final
@dataclass(frozen=True, kw_only=True)
class SGD(Optimiser):
    """Stochastic gradient descent with heavy-ball momentum and decoupled weight decay.

    v <- momentum v + g, p <- p - learning_rate v, and before it w <- (1 - learning_rate weight_decay) w for
    weights, not biases (Polyak 1964; Loshchilov and Hutter 2019).

    Raises DescriptionError for a value out of range.
    """

    learning_rate: float = 0.1
    momentum: float = 0.9  # in [0, 1)
    weight_decay: float = 0.0  # >= 0

    def __post_init__(self) -> None:
        """Check every field."""
        faults = _require_rates("SGD", self.learning_rate, self.weight_decay)
        faults += require_between(
            "SGD.momentum", self.momentum, 0.0, 1.0, low_allowed=True, remedy="use 0.9, or 0.0 for none"
        )
        raise_faults(DescriptionError, faults)

    @property
    def cost(self) -> UpdateCost:
        """One multiply-accumulate, and with momentum another and one value of state."""
        with_momentum = int(self.momentum > 0.0)
        return UpdateCost(
            multiply_accumulates=1 + with_momentum,
            additions=0,
            divisions=0,
            square_roots=0,
            state_values=with_momentum,
        )

    @property
    def decays_weights(self) -> bool:
        """Whether weight_decay is above zero."""
        return self.weight_decay > 0.0

    def open(self, parameters: Parameters) -> OptimiserState:
        """Start at rest: v = 0."""
        return _SGDState(self, parameters)


@final
class _SGDState(OptimiserState):
    def __init__(self, options: SGD, parameters: Parameters) -> None:
        count, dtype = len(parameters.flat), parameters.flat.dtype
        self._options = options
        self._parameters = parameters
        self._velocity = np.zeros(count if options.momentum > 0.0 else 0, dtype)
        self._scratch = np.empty(min(count, BLOCK_VALUES), dtype)

    @property
    def state_bytes(self) -> int:
        return self._velocity.nbytes

    def step(self, gradient: Parameters) -> None:
        rate, momentum = self._options.learning_rate, self._options.momentum
        _shrink_weights(self._parameters, 1.0 - rate * self._options.weight_decay)
        direction = gradient.flat
        if momentum > 0.0:
            for velocity, slope in _blocks(self._velocity, gradient.flat):
                np.multiply(velocity, momentum, out=velocity)
                np.add(velocity, slope, out=velocity)
            direction = self._velocity
        for value, towards in _blocks(self._parameters.flat, direction):
            change = self._scratch[: len(value)]
            np.multiply(towards, rate, out=change)
            np.subtract(value, change, out=value)


@final
@dataclass(frozen=True, kw_only=True)
class Adam(Optimiser):
    """Adam with decoupled weight decay (AdamW).

    m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, p <- p - learning_rate m' / (sqrt(v') + epsilon) with
    m' = m / (1 - b1^t), v' = v / (1 - b2^t), and before it w <- (1 - learning_rate weight_decay) w for
    weights, not biases (Kingma and Ba 2015; Loshchilov and Hutter 2019).

    Raises DescriptionError for a value out of range.
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.9  # in [0, 1)
    beta_2: float = 0.999  # in [0, 1)
    epsilon: float = 1e-8  # > 0
    weight_decay: float = 0.0  # >= 0

    def __post_init__(self) -> None:
        """Check every field."""
        faults = _require_rates("Adam", self.learning_rate, self.weight_decay)
        faults += require_between("Adam.beta_1", self.beta_1, 0.0, 1.0, low_allowed=True, remedy="use 0.9")
        faults += require_between("Adam.beta_2", self.beta_2, 0.0, 1.0, low_allowed=True, remedy="use 0.999")
        faults += require_between("Adam.epsilon", self.epsilon, 0.0, math.inf, low_allowed=False, remedy="use 1e-8")
        raise_faults(DescriptionError, faults)

    @property
    def cost(self) -> UpdateCost:
        """Four multiply-accumulates (m, g^2, v, p), an addition, a division, a root; two values of state."""
        return UpdateCost(multiply_accumulates=4, additions=1, divisions=1, square_roots=1, state_values=2)

    @property
    def decays_weights(self) -> bool:
        """Whether weight_decay is above zero."""
        return self.weight_decay > 0.0

    def open(self, parameters: Parameters) -> OptimiserState:
        """Start with both moments at zero."""
        return _AdamState(self, parameters)


@final
class _AdamState(OptimiserState):
    def __init__(self, options: Adam, parameters: Parameters) -> None:
        count, dtype = len(parameters.flat), parameters.flat.dtype
        self._options = options
        self._parameters = parameters
        # Sums without the factors (1 - b1) and (1 - b2), which `step` puts into two scalars: fewer passes.
        self._first_sum = np.zeros(count, dtype)
        self._second_sum = np.zeros(count, dtype)
        self._scratch = np.empty(min(count, BLOCK_VALUES), dtype)
        self._steps = 0

    @property
    def state_bytes(self) -> int:
        return self._first_sum.nbytes + self._second_sum.nbytes

    def step(self, gradient: Parameters) -> None:
        options = self._options
        self._steps += 1
        _shrink_weights(self._parameters, 1.0 - options.learning_rate * options.weight_decay)
        first_scale = (1.0 - options.beta_1) / (1.0 - options.beta_1**self._steps)
        root_scale = math.sqrt((1.0 - options.beta_2) / (1.0 - options.beta_2**self._steps))
        rate = options.learning_rate * first_scale / root_scale
        epsilon = options.epsilon / root_scale
        for value, slope, first, second in _blocks(
            self._parameters.flat, gradient.flat, self._first_sum, self._second_sum
        ):
            change = self._scratch[: len(value)]
            np.multiply(first, options.beta_1, out=first)
            np.add(first, slope, out=first)
            np.multiply(slope, slope, out=change)
            np.multiply(second, options.beta_2, out=second)
            np.add(second, change, out=second)
            np.sqrt(second, out=change)
            np.add(change, epsilon, out=change)
            np.divide(first, change, out=change)
            np.multiply(change, rate, out=change)
            np.subtract(value, change, out=value)
