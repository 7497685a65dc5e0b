"""Activation functions f, and their derivatives written by the value f(z) so that z need not be kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.initialisation import Glorot, He, Initialisation

Array = npt.NDArray[np.floating[Any]]


class Activation(ABC):
    """A function of one unit's preactivation, applied to arrays of any shape."""

    @property
    @abstractmethod
    def initialisation(self) -> Initialisation:
        """The initialisation that suits layers of this activation."""

    @abstractmethod
    def apply(self, preactivation: Array, out: Array) -> None:
        """Write f(z) into ``out``, which may be ``preactivation`` itself."""

    @abstractmethod
    def differentiate(self, value: Array, out: Array) -> None:
        """Write f'(z) into ``out``, given ``value`` = f(z); ``out`` must be another array."""


@final
@dataclass(frozen=True, kw_only=True)
class Identity(Activation):
    """f(z) = z: linear units, and the logits below a softmax.

    >>> z = np.array([-2.0, 3.0])
    >>> Identity().apply(z, out=z); z.tolist()
    [-2.0, 3.0]
    """

    @property
    def initialisation(self) -> Initialisation:
        """Glorot."""
        return Glorot()

    def apply(self, preactivation: Array, out: Array) -> None:
        """Write z into ``out``."""
        if out is not preactivation:
            np.copyto(out, preactivation)

    def differentiate(self, value: Array, out: Array) -> None:
        """Write 1 into ``out``."""
        out.fill(1.0)


@final
@dataclass(frozen=True, kw_only=True)
class ReLU(Activation):
    """f(z) = max(z, 0), with f'(0) = 0 (Nair and Hinton 2010).

    >>> z = np.array([-2.0, 3.0])
    >>> ReLU().apply(z, out=z); z.tolist()
    [0.0, 3.0]
    """

    @property
    def initialisation(self) -> Initialisation:
        """He."""
        return He()

    def apply(self, preactivation: Array, out: Array) -> None:
        """Write max(z, 0) into ``out``."""
        np.maximum(preactivation, 0.0, out=out)

    def differentiate(self, value: Array, out: Array) -> None:
        """Write 1 where f > 0 and 0 elsewhere into ``out``."""
        np.greater(value, 0.0, out=out)


@final
@dataclass(frozen=True, kw_only=True)
class Tanh(Activation):
    """f(z) = tanh(z), f' = 1 - f^2.

    >>> z = np.array([0.0])
    >>> Tanh().apply(z, out=z); z.tolist()
    [0.0]
    """

    @property
    def initialisation(self) -> Initialisation:
        """Glorot."""
        return Glorot()

    def apply(self, preactivation: Array, out: Array) -> None:
        """Write tanh(z) into ``out``."""
        np.tanh(preactivation, out=out)

    def differentiate(self, value: Array, out: Array) -> None:
        """Write 1 - f^2 into ``out``."""
        np.multiply(value, value, out=out)
        np.subtract(1.0, out, out=out)


@final
@dataclass(frozen=True, kw_only=True)
class Sigmoid(Activation):
    """f(z) = 1 / (1 + exp(-z)), f' = f (1 - f).

    >>> z = np.array([0.0])
    >>> Sigmoid().apply(z, out=z); z.tolist()
    [0.5]
    """

    @property
    def initialisation(self) -> Initialisation:
        """Glorot."""
        return Glorot()

    def apply(self, preactivation: Array, out: Array) -> None:
        """Write the sigmoid into ``out``, as (1 + tanh(z / 2)) / 2: it cannot overflow and runs in SIMD."""
        np.multiply(preactivation, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)

    def differentiate(self, value: Array, out: Array) -> None:
        """Write f (1 - f) into ``out``."""
        np.subtract(1.0, value, out=out)
        np.multiply(out, value, out=out)
