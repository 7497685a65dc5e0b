"""Which synapses a projection has, and their initial weights; chance is drawn from a stated seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.compact import INDEX_TYPES, Array, frozen, held, narrow_numbers, repeated
from neuromorph.connectivity import Connectivity, sorted_rows
from neuromorph.errors import DescriptionError, is_count, is_number, raise_faults
from neuromorph.random_connectivity import distinct_rows, with_probability


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

    connectivity: Connectivity
    weight: npt.NDArray[Any]  # (synapses,)

    @classmethod
    def ordered(cls, post: Array, pre: Array, weight: Array, post_size: int, pre_size: int) -> Synapses:
        """Synapses in any order, each given once, in canonical order."""
        connectivity, order = Connectivity.ordered(post, pre, post_size, pre_size)
        return cls(connectivity, frozen(weight[order]))

    @property
    def post(self) -> npt.NDArray[np.int64]:
        """Postsynaptic neuron of each."""
        return self.connectivity.post_index().astype(np.int64)

    @property
    def pre(self) -> npt.NDArray[np.int64]:
        """Presynaptic neuron of each."""
        return self.connectivity.pre_index().astype(np.int64)


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


def _draw(weight: Weight, size: int, rng: np.random.Generator) -> Array:
    if isinstance(weight, (Uniform, Normal)):
        return frozen(weight.draw(size, rng))
    return repeated(weight, size, np.float64)


@dataclass(frozen=True, eq=False)
class Dense(Connector):
    """Every synapse exists, with the weights of an array of shape (post, pre); a zero weight exists and may grow.

    >>> Dense([[0.0, 1.0]]).weights.shape
    (1, 2)
    """

    weights: npt.NDArray[Any]  # float32 where they were given in it, else float64
    seed: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _matrix(self.weights, "Dense.weights"))

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """The array must have shape (post, pre)."""
        return shape_faults(self.weights.shape, post_size, pre_size)

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """All of them."""
        del rng
        return Synapses(Connectivity.full(post_size, pre_size), self.weights.ravel())


@dataclass(frozen=True, eq=False)
class Sparse(Connector):
    """The stored entries of a sparse matrix of shape (post, pre) in CSR form; stored zeros exist and may grow.

    Build it from the three arrays of a CSR matrix, or with :meth:`from_scipy` from any SciPy sparse matrix. It holds the
    entries in rising order within each row, in as few bytes as hold them exactly; arrays that are read-only already are
    not copied.
    """

    data: npt.NDArray[Any]
    indices: npt.NDArray[Any]
    indptr: npt.NDArray[np.int64]
    shape: tuple[int, int]  # (post, pre)
    seed: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.shape, tuple) and len(self.shape) == 2 and all(map(is_count, self.shape))):
            raise DescriptionError(f"Sparse.shape must be (post, pre), two whole numbers, got {self.shape!r}")
        try:
            data = narrow_numbers(self.data)
            indices, indptr = (
                array if array.dtype in INDEX_TYPES else array.astype(np.int64, casting="safe")
                for array in map(np.asarray, (self.indices, self.indptr))
            )
        except (TypeError, ValueError) as error:
            raise DescriptionError(
                f"Sparse needs numbers as data and whole numbers as indices and indptr: {error}"
            ) from None
        raise_faults(DescriptionError, self._faults(data, indices, indptr))
        connectivity = Connectivity.of_rows(indptr, indices, self.shape[1])
        if connectivity is None:
            data, indices = sorted_rows(data, indices, indptr, self.shape[1])
            connectivity = Connectivity.of_rows(indptr, indices, self.shape[1])
        if connectivity is None:
            raise DescriptionError("Sparse: a synapse is stored twice; sum duplicates first (matrix.sum_duplicates())")
        for name, array in (("data", data), ("indices", connectivity.pre_index()), ("indptr", connectivity.pointer)):
            object.__setattr__(self, name, array)
        object.__setattr__(self, "_connectivity", connectivity)

    @classmethod
    def from_scipy(cls, matrix: Any) -> Sparse:
        """The stored entries of ``matrix``, shape (post, pre)."""
        csr = matrix.tocsr()
        if csr is not matrix and matrix.format in ("coo", "csc"):  # made here, so nobody else writes to it
            frozen(csr.data), frozen(csr.indices), frozen(csr.indptr)
        return cls(csr.data, csr.indices, csr.indptr, (int(csr.shape[0]), int(csr.shape[1])))

    def _faults(self, data: Array, indices: Array, indptr: Array) -> list[str]:
        rows, columns = self.shape
        if indptr.shape != (rows + 1,) or indices.shape != data.shape or data.ndim != 1:
            return [
                f"Sparse: indptr must have {rows + 1} entries for shape {self.shape}, and indices and data equal length;"
                f" got {indptr.shape}, {indices.shape}, {data.shape}"
            ]
        if indptr[0] != 0 or indptr[-1] != data.size or np.any(indptr[1:] < indptr[:-1]):
            return ["Sparse: indptr must rise from 0 to the number of entries"]
        if indices.size and (indices.min() < 0 or indices.max() >= columns):
            return [f"Sparse: indices must lie in 0..{columns - 1}, got {indices.min()}..{indices.max()}"]
        if data.size and not (np.isfinite(data.min()) and np.isfinite(data.max())):
            return ["Sparse: weights must be finite"]
        return []

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """The matrix must have shape (post, pre)."""
        return shape_faults(self.shape, post_size, pre_size)

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """The stored entries."""
        del post_size, pre_size, rng
        return Synapses(vars(self)["_connectivity"], self.data)


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
        return Synapses(Connectivity.full(post_size, pre_size), _draw(self.weight, post_size * pre_size, rng))


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
        connectivity = Connectivity.of_rows(np.arange(post_size + 1), np.arange(post_size), pre_size)
        assert connectivity is not None
        return Synapses(connectivity, _draw(self.weight, post_size, rng))


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
        """Each with the same probability: a binomial number for each neuron, or distances from one to the next."""
        connectivity = with_probability(post_size, pre_size, self.probability, rng, self.allow_self)
        return Synapses(connectivity, _draw(self.weight, connectivity.synapses, rng))


@dataclass(frozen=True)
class _FixedDegree(Connector):
    """The parameters of both connectors with a fixed number of partners for each neuron of one side."""

    degree: int
    weight: Weight = 1.0
    allow_self: bool = True  # whether a neuron may connect to itself in a recurrent projection
    seed: int | None = None

    def __post_init__(self) -> None:
        raise_faults(DescriptionError, _degree_faults(self))


@dataclass(frozen=True)
class FixedOutDegree(_FixedDegree):
    """Every presynaptic neuron connects to ``degree`` different postsynaptic ones, drawn at random.

    PyNN's FixedNumberPostConnector, NEST's fixed_outdegree without multapses.

    >>> drawn = FixedOutDegree(2).synapses(5, 3, np.random.default_rng(0))
    >>> drawn.connectivity.fan_out.tolist()
    [2, 2, 2]
    """

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """There must be enough postsynaptic neurons."""
        return _degree_size_faults(self, post_size, pre_size, post_size, "postsynaptic")

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """``degree`` for each presynaptic neuron, drawn without replacement."""
        post = distinct_rows(pre_size, self.degree, post_size, rng, self.allow_self)
        pointer = np.arange(pre_size + 1, dtype=np.int64) * self.degree
        connectivity = Connectivity.of_columns(pointer, post, post_size)
        del post
        return Synapses(connectivity, _draw(self.weight, connectivity.synapses, rng))


@dataclass(frozen=True)
class FixedInDegree(_FixedDegree):
    """Every postsynaptic neuron receives from ``degree`` different presynaptic ones, drawn at random.

    PyNN's FixedNumberPreConnector, NEST's fixed_indegree without multapses.
    """

    def size_faults(self, post_size: int, pre_size: int) -> list[str]:
        """There must be enough presynaptic neurons."""
        return _degree_size_faults(self, post_size, pre_size, pre_size, "presynaptic")

    def synapses(self, post_size: int, pre_size: int, rng: np.random.Generator) -> Synapses:
        """``degree`` for each postsynaptic neuron, drawn without replacement."""
        pre = distinct_rows(post_size, self.degree, pre_size, rng, self.allow_self)
        pointer = np.arange(post_size + 1, dtype=np.int64) * self.degree
        connectivity = Connectivity.of_rows(pointer, pre, pre_size)
        assert connectivity is not None
        return Synapses(connectivity, _draw(self.weight, connectivity.synapses, rng))


def _degree_faults(connector: _FixedDegree) -> list[str]:
    kind = type(connector).__name__
    faults = _weight_faults(kind, connector.weight) + _seed_faults(kind, connector.seed)
    if not is_count(connector.degree):
        faults.append(f"{kind}.degree must be a whole number >= 0, got {connector.degree!r}")
    return faults


def _degree_size_faults(connector: _FixedDegree, post_size: int, pre_size: int, choices: int, ends: str) -> list[str]:
    kind = type(connector).__name__
    if not connector.allow_self and post_size != pre_size:
        return [f"{kind}.allow_self=False needs a population connected to itself"]
    others = "" if connector.allow_self else "other "
    choices -= not connector.allow_self
    if connector.degree <= choices:
        return []
    return [f"{kind}.degree must be at most {choices}, the number of {others}{ends} neurons, got {connector.degree}"]


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


def _matrix(values: object, name: str) -> Array:
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
        if array.dtype not in (np.float32, np.float64):
            array = frozen(array.astype(np.float64))
    except (TypeError, ValueError):
        raise DescriptionError(
            f"{name} must be an array of shape (post, pre), a sparse matrix or a connector such as AllToAll(0.5), got {values!r}"
        ) from None
    if array.ndim != 2:
        raise DescriptionError(
            f"{name} must have shape (post, pre), got {array.shape}; for one value write AllToAll(value)"
        )
    if array.size and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        post, pre = np.argwhere(~np.isfinite(array))[0]
        raise DescriptionError(f"{name} must be finite, got {array[post, pre]!r} at [{post}, {pre}]")
    return held(array)
