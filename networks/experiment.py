"""An experiment: a network and its protocol, the numbers it must give, and the figure that shows them."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from neuromorph import execution, registry
from neuromorph.errors import BackendUnavailable, DescriptionError, InputError, is_count, is_number, raise_faults
from neuromorph.network import Network
from neuromorph.quantisation import quantise
from neuromorph.recording import FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from typing_extensions import Self

Progress = Callable[[str, float], None]  # what is being done, and the share of the whole that is done, 0 to 1


@final
@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of an experiment, and the range that it must lie in.

    >>> Measure(name="rate", value=5.2, unit="Hz", low=4.5, high=5.5, source="target rate of 5 Hz").is_inside
    True
    """

    name: str
    value: float
    unit: str  # "" for a number without one
    low: float
    high: float
    source: str  # where the expectation comes from, and why the range is as wide as it is

    def __post_init__(self) -> None:
        for name in (
            "value",
            "low",
            "high",
        ):  # NumPy's numbers compare to its own truth values, which JSON does not know
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def is_inside(self) -> bool:
        """Whether the value is within the range, its ends included; NaN never is."""
        return self.low <= self.value <= self.high

    def to_json(self) -> dict[str, Any]:
        """Plain data; what JSON cannot say (an open end, NaN) is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        finite = {name: float(number) if math.isfinite(number) else None for name, number in numbers.items()}
        return {"measure": self.name, "unit": self.unit, **finite, "inside": self.is_inside, "source": self.source}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What one run of an experiment gave."""

    experiment: str
    parameters: Mapping[str, Any]
    backend: str
    chip: str | None
    seed: int
    program_fingerprint: str  # of several programs: of the list of theirs
    wall_second: float
    measures: Sequence[Measure]
    arrays: Mapping[str, FloatArray]  # what the figure shows

    @property
    def is_inside(self) -> bool:
        """Whether every number is in its range."""
        return all(measure.is_inside for measure in self.measures)

    def value(self, name: str) -> float:
        """The number of this name."""
        values = {measure.name: measure.value for measure in self.measures}
        if name not in values:
            raise InputError(f"{self.experiment} has no measure {name!r}; known: {', '.join(values)}")
        return values[name]

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the arrays."""
        return {
            "experiment": self.experiment,
            "parameters": dict(self.parameters),
            "backend": self.backend,
            "chip": self.chip,
            "seed": self.seed,
            "program_fingerprint": self.program_fingerprint,
            "wall_second": self.wall_second,
            "inside": self.is_inside,
            "measures": [measure.to_json() for measure in self.measures],
        }


@final
class Rig:
    """Where an experiment runs: it opens sessions on one backend, draws chance from one seed, and tells how far it is."""

    def __init__(self, *, backend: str, seed: int, chip: str | None, progress: Progress | None) -> None:
        self.backend, self.seed, self.chip = backend, seed, chip
        self.rng = np.random.default_rng([seed, 0])
        self.fingerprints: list[str] = []
        self._progress = progress

    def open(self, network: Network, *, dt: float = 1e-3, backend: str | None = None, **quantisation: float) -> Session:
        """A session on the rig's backend, or on another one to compare with; in the chip's integers where one is set.

        ``quantisation`` says what :func:`neuromorph.quantise` is to leave room for, such as ``trace_headroom``.
        """
        program = execution.compile(network, dt=dt, seed=self.seed)
        if self.chip is not None:
            program = quantise(program, self.chip, **quantisation)
        self.fingerprints.append(program.fingerprint)
        return execution.open(program, backend=self.backend if backend is None else backend, seed=self.seed)

    @property
    def fingerprint(self) -> str:
        """Of the program that was opened; of several, of the list of their fingerprints."""
        different = list(dict.fromkeys(self.fingerprints))
        return different[0] if len(different) == 1 else hashlib.sha256("\n".join(different).encode()).hexdigest()

    def tell(self, what: str, share: float) -> None:
        """Report that ``share`` of the whole (0 to 1) is done, and what comes now."""
        if self._progress is not None:
            self._progress(what, share)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """What :meth:`Experiment.conduct` hands back."""

    measures: Sequence[Measure]
    arrays: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """A network, a protocol and what must come of it; the fields of a concrete one are its parameters, all numbers.

    A concrete experiment is a final frozen dataclass in a file of its own, and stands in
    :data:`neuromorph.networks.catalogue.EXPERIMENTS`.
    """

    name: ClassVar[str]  # on the command line
    title: ClassVar[str]
    sentence: ClassVar[str]  # what it shows
    source: ClassVar[str]  # the papers
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({})  # what a short run does with less of

    def __post_init__(self) -> None:
        faults = []
        for item in dataclasses.fields(self):
            value, where = getattr(self, item.name), f"{type(self).__name__}.{item.name}"
            if item.type == "int" and not is_count(value, least=1):
                faults.append(f"{where} must be a whole number >= 1, got {value!r}")
            if item.type == "float" and not is_number(value):
                faults.append(f"{where} must be a finite number, got {value!r}")
        raise_faults(DescriptionError, faults)

    @abstractmethod
    def conduct(self, rig: Rig) -> Finding:
        """The protocol: open sessions of ``rig``, run them, and measure."""

    @abstractmethod
    def draw(self, results: Sequence[Result]) -> Figure:
        """The figure of one or more runs; matplotlib is there."""

    @final
    def run(
        self, backend: str = "reference", *, seed: int = 0, chip: str | None = None, progress: Progress | None = None
    ) -> Result:
        """Conduct the experiment on a backend; ``seed`` decides all chance of it, of the network and of the backend.

        Raises :class:`BackendUnavailable` or :class:`UnsupportedError` where the backend cannot run it.
        """
        registry.require_declared([backend])
        rig = Rig(backend=backend, seed=seed, chip=chip, progress=progress)
        began = time.perf_counter()
        finding = self.conduct(rig)
        wall = time.perf_counter() - began
        return Result(
            experiment=self.name,
            parameters=dataclasses.asdict(self),
            backend=backend,
            chip=chip,
            seed=seed,
            program_fingerprint=rig.fingerprint,
            wall_second=wall,
            measures=tuple(finding.measures),
            arrays={name: np.asarray(values, dtype=np.float64) for name, values in finding.arrays.items()},
        )

    @final
    def figure(self, results: Sequence[Result]) -> Figure:
        """The figure of one or more runs of this experiment.

        Raises :class:`BackendUnavailable` without matplotlib, :class:`InputError` without a run or with another's.
        """
        require_matplotlib()
        strange = sorted({result.experiment for result in results} - {self.name})
        if strange or not results:
            raise InputError(f"a figure of {self.name} needs its own runs, got {', '.join(strange) or 'none'}")
        return type(self)(**results[0].parameters).draw(results)  # what was run, quick or with other parameters

    @final
    def quick(self) -> Self:
        """The same with less of everything: for a first look, and for tests."""
        return dataclasses.replace(self, **dict(self.quick_fields))

    @final
    def changed(self, values: Mapping[str, str]) -> Self:
        """The same with other parameters, given as text.

        Raises :class:`InputError` with every name or value that does not fit.
        """
        kinds = {item.name: item.type for item in dataclasses.fields(self)}
        faults, numbers = [], {}
        for name, text in values.items():
            if name not in kinds:
                faults.append(f"{self.name} has no parameter {name!r}; known: {', '.join(kinds) or 'none'}")
                continue
            try:
                numbers[name] = int(text) if kinds[name] == "int" else float(text)
            except ValueError:
                wanted = "a whole number" if kinds[name] == "int" else "a number"
                faults.append(f"{self.name}: {name} must be {wanted}, got {text!r}")
        raise_faults(InputError, faults)
        return dataclasses.replace(self, **numbers)


def require_matplotlib() -> None:
    """Raise :class:`BackendUnavailable`, with the remedy, where no figure can be drawn."""
    if find_spec("matplotlib") is None:
        raise BackendUnavailable("figures need matplotlib. Remedy: pip install 'neuromorph[plot]'")
