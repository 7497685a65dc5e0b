"""Which synapses a projection has, and their initial weights; chance is drawn from a stated seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.errors import DescriptionError, is_count, is_number, raise_faults


@dataclass(frozen=True)
class Uniform:
    """Weights drawn uniformly from [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (is_number(self.low) and is_number(self.high) and self.low <= self.high):
            raise DescriptionError(f"Uniform needs finite low <= high, got {self.low!r} and {self.high!r}")

    def draw(self, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """``size`` values."""
        return rng.uniform(self.low, self.high, size)


@dataclass(frozen=True)
class Normal:
    """Weights drawn from a normal distribution."""

    mean: float
    standard_deviation: float

    def __post_init__(self) -> None:
        if not (is_number(self.mean) and is_number(self.standard_deviation) and self.standard_deviation >= 0):
            raise DescriptionError(
                f"Normal needs a finite mean and a standard_deviation >= 0, got {self.mean!r} and {self.standard_deviation!r}"
            )

    def draw(self, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """``size`` values."""
        return rng.normal(self.mean, self.standard_deviation, size)


Weight = float | Uniform | Normal


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses that exist, ordered by postsynaptic and then presynaptic neuron."""

    post: npt.NDArray[np.int64]
    pre: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]

    @classmethod
    def ordered(
        cls, post: npt.NDArray[np.int64], pre: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]
    ) -> Synapses:
        """The same synapses in canonical order."""
        order = np.lexsort((pre, post))
        return cls(post[order], pre[order], weight[order])


class Connector(ABC):
    """A way to connect ``pre_size`` neurons to ``post_size`` neurons."""

    seed: int | None

    @abstractmethod
    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """Why it cannot connect populations of these sizes; empty where it can."""

    @abstractmethod
    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """The synapses; ``rng`` is a generator from the connector's own seed, or from the program's."""


def _seed_faults(kind: str, seed: int | None) -> list[str]:
    if seed is not None and not is_count(seed):
        return [f"{kind}.seed must be None or a whole number >= 0, got {seed!r}"]
    return []


def _weight_faults(kind: str, weight: object) -> list[str]:
    if isinstance(weight, (Uniform, Normal)) or is_number(weight):
        return []
    return [
        f"{kind}.weight must be a finite number, Uniform(low, high) or Normal(mean, standard_deviation), got {weight!r}"
    ]


def _draw(weight: Weight, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if isinstance(weight, (Uniform, Normal)):
        return weight.draw(size, rng)
    return np.full(size, float(weight))


@dataclass(frozen=True, eq=False)
class Dense(Connector):
    """Every synapse exists, with the weights of an array of shape (post, pre); a zero weight exists and may grow.

    >>> Dense([[0.0, 1.0]]).weights.shape
    (1, 2)
    """

    weights: npt.NDArray[np.float64]
    seed: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _matrix(self.weights, "Dense.weights"))

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """The array must have shape (post, pre)."""
        return shape_faults(self.weights.shape, post_size, pre_size)

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """All of them."""
        del rng
        return _all(post_size, pre_size, self.weights.ravel())


@dataclass(frozen=True, eq=False)
class Sparse(Connector):
    """The stored entries of a sparse matrix of shape (post, pre) in CSR form; stored zeros exist and may grow.

    Build it from the three arrays of a CSR matrix, or with :meth:`from_scipy` from any SciPy sparse matrix.
    """

    data: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    indptr: npt.NDArray[np.int64]
    shape: tuple[int, int]  # (post, pre)
    seed: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.shape, tuple) and len(self.shape) == 2 and all(map(is_count, self.shape))):
            raise DescriptionError(f"Sparse.shape must be (post, pre), two whole numbers, got {self.shape!r}")
        try:
            data = np.array(self.data, dtype=np.float64)
            indices, indptr = (np.array(a).astype(np.int64, casting="safe") for a in (self.indices, self.indptr))
        except (TypeError, ValueError) as error:
            raise DescriptionError(
                f"Sparse needs numbers as data and whole numbers as indices and indptr: {error}"
            ) from None
        for name, array in (("data", data), ("indices", indices), ("indptr", indptr)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        raise_faults(DescriptionError, self._faults())

    @classmethod
    def from_scipy(cls, matrix: Any) -> Sparse:
        """The stored entries of ``matrix``, shape (post, pre)."""
        csr = matrix.tocsr()
        return cls(csr.data, csr.indices, csr.indptr, (int(csr.shape[0]), int(csr.shape[1])))

    def _faults(self) -> list[str]:
        rows, columns = self.shape
        if self.indptr.shape != (rows + 1,) or self.indices.shape != self.data.shape or self.data.ndim != 1:
            return [
                f"Sparse: indptr must have {rows + 1} entries for shape {self.shape}, and indices and data equal length;"
                f" got {self.indptr.shape}, {self.indices.shape}, {self.data.shape}"
            ]
        if self.indptr[0] != 0 or self.indptr[-1] != self.data.size or np.any(np.diff(self.indptr) < 0):
            return ["Sparse: indptr must rise from 0 to the number of entries"]
        if self.indices.size and (self.indices.min() < 0 or self.indices.max() >= columns):
            return [f"Sparse: indices must lie in 0..{columns - 1}, got {self.indices.min()}..{self.indices.max()}"]
        if not np.all(np.isfinite(self.data)):
            return ["Sparse: weights must be finite"]
        rows_of = np.repeat(np.arange(rows), np.diff(self.indptr))
        places = np.sort(rows_of * columns + self.indices)
        if np.any(places[1:] == places[:-1]):
            return ["Sparse: a synapse is stored twice; sum duplicates first (matrix.sum_duplicates())"]
        return []

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """The matrix must have shape (post, pre)."""
        return shape_faults(self.shape, post_size, pre_size)

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """The stored entries."""
        del pre_size, rng
        post = np.repeat(np.arange(post_size, dtype=np.int64), np.diff(self.indptr))
        return Synapses.ordered(post, self.indices, self.data)


@dataclass(frozen=True)
class AllToAll(Connector):
    """Every synapse exists, with one weight or with weights drawn from a distribution."""

    weight: Weight = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        raise_faults(DescriptionError, _weight_faults("AllToAll", self.weight) + _seed_faults("AllToAll", self.seed))

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """Any sizes will do."""
        del post_size, pre_size
        return []

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """All of them."""
        return _all(post_size, pre_size, _draw(self.weight, post_size * pre_size, rng))


@dataclass(frozen=True)
class OneToOne(Connector):
    """Neuron i connects to neuron i."""

    weight: Weight = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        raise_faults(DescriptionError, _weight_faults("OneToOne", self.weight) + _seed_faults("OneToOne", self.seed))

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """Sizes must be equal."""
        if post_size == pre_size:
            return []
        return [
            f"OneToOne needs populations of one size, got {pre_size} presynaptic and {post_size} postsynaptic neurons"
        ]

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """The diagonal."""
        del pre_size
        neurons = np.arange(post_size, dtype=np.int64)
        return Synapses(neurons, neurons, _draw(self.weight, post_size, rng))


@dataclass(frozen=True)
class FixedProbability(Connector):
    """Every synapse exists with probability ``probability``, independently of the others."""

    probability: float
    weight: Weight = 1.0
    allow_self: bool = True  # whether a neuron may connect to itself in a recurrent projection
    seed: int | None = None

    def __post_init__(self) -> None:
        faults = _weight_faults("FixedProbability", self.weight) + _seed_faults("FixedProbability", self.seed)
        if not (is_number(self.probability) and 0 <= self.probability <= 1):
            faults.append(f"FixedProbability.probability must lie in 0..1, got {self.probability!r}")
        raise_faults(DescriptionError, faults)

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """Any sizes will do, unless self connections are to be left out of unequal populations."""
        if not self.allow_self and post_size != pre_size:
            return ["FixedProbability.allow_self=False needs a population connected to itself"]
        return []

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """A binomial number of synapses for each postsynaptic neuron, drawn without replacement."""
        fan_in = rng.binomial(pre_size, self.probability, size=post_size)
        pre = [np.sort(rng.choice(pre_size, size=count, replace=False)) for count in fan_in]
        post = np.repeat(np.arange(post_size, dtype=np.int64), fan_in)
        flat = np.concatenate(pre).astype(np.int64) if pre else np.zeros(0, np.int64)
        if not self.allow_self:
            keep = post != flat
            post, flat = post[keep], flat[keep]
        return Synapses(post, flat, _draw(self.weight, post.size, rng))


def as_connector(weights: object) -> Connector:
    """A connector from what a user may write as ``weights``: a connector, an array (post, pre), or a SciPy matrix."""
    if isinstance(weights, Connector):
        return weights
    if type(weights).__module__.partition(".")[0] == "scipy":  # named, not imported: SciPy loads only where it is used
        return Sparse.from_scipy(weights)
    if isinstance(weights, (Uniform, Normal)):
        raise DescriptionError(f"a distribution needs a connector: write AllToAll({weights!r})")
    return Dense(weights)  # type: ignore[arg-type]


def shape_faults(shape: tuple[int, ...], post_size: int, pre_size: int) -> list[str]:
    """Why weights of ``shape`` do not fit."""
    if shape == (post_size, pre_size):
        return []
    hint = "; transpose them" if shape == (pre_size, post_size) else ""
    return [f"weights must have shape ({post_size}, {pre_size}) = (post, pre), got {shape}{hint}"]


def _matrix(values: object, name: str) -> npt.NDArray[np.float64]:
    try:
        array = np.array(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DescriptionError(
            f"{name} must be an array of shape (post, pre), a sparse matrix or a connector such as AllToAll(0.5), got {values!r}"
        ) from None
    if array.ndim != 2:
        raise DescriptionError(
            f"{name} must have shape (post, pre), got {array.shape}; for one value write AllToAll(value)"
        )
    if not np.all(np.isfinite(array)):
        post, pre = np.argwhere(~np.isfinite(array))[0]
        raise DescriptionError(f"{name} must be finite, got {array[post, pre]!r} at [{post}, {pre}]")
    array.flags.writeable = False
    return array


def _all(post_size: int, pre_size: int, weight: npt.NDArray[np.float64]) -> Synapses:
    post = np.repeat(np.arange(post_size, dtype=np.int64), pre_size)
    pre = np.tile(np.arange(pre_size, dtype=np.int64), post_size)
    return Synapses(post, pre, np.array(weight, dtype=np.float64))
