"""How the weights of a dense layer are drawn before training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt


class Initialisation(ABC):
    """A distribution of initial weights."""

    @abstractmethod
    def draw(self, n_out: int, n_in: int, generator: np.random.Generator) -> npt.NDArray[np.floating[Any]]:
        """Draw a weight matrix of shape (n_out, n_in) in float64, so that every precision starts alike."""


@final
@dataclass(frozen=True, kw_only=True)
class He(Initialisation):
    """Normal weights that keep the variance through ReLU layers: w ~ N(0, 2 / n_in).

    He, Zhang, Ren and Sun 2015, Delving deep into rectifiers.
    """

    def draw(self, n_out: int, n_in: int, generator: np.random.Generator) -> npt.NDArray[np.floating[Any]]:
        """Draw a weight matrix of shape (n_out, n_in)."""
        return generator.standard_normal((n_out, n_in)) * math.sqrt(2.0 / n_in)


@final
@dataclass(frozen=True, kw_only=True)
class Glorot(Initialisation):
    """Uniform weights that keep the variance both ways: w ~ U(-r, r), r = sqrt(6 / (n_in + n_out)).

    Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
    """

    def draw(self, n_out: int, n_in: int, generator: np.random.Generator) -> npt.NDArray[np.floating[Any]]:
        """Draw a weight matrix of shape (n_out, n_in)."""
        bound = math.sqrt(6.0 / (n_in + n_out))
        return generator.uniform(-bound, bound, (n_out, n_in))
