"""What a run leaves behind: spikes, probed states, counts of work done, wall time."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError
from neuromorph.whole_file import whole_file

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """Spikes of one population as events, in order of step and then neuron.

    ``steps`` counts from 0 within the recording (row ``k`` is the ``k``-th step that was run); ``ids`` are neurons.

    >>> train = SpikeTrain.from_dense(np.array([[False, True], [True, True]]))
    >>> train.steps.tolist(), train.ids.tolist()
    ([0, 1, 1], [1, 0, 1])
    >>> np.asarray(train).shape
    (2, 2)
    """

    steps: IntArray
    ids: IntArray
    shape: tuple[int, int]  # (time steps, neurons)

    def __post_init__(self) -> None:
        for name in ("steps", "ids"):
            values = np.array(getattr(self, name), dtype=np.int64)
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def owning(cls, steps: npt.NDArray[Any], ids: npt.NDArray[Any], shape: tuple[int, int]) -> SpikeTrain:
        """From arrays that nobody changes any more: where they are int64 they are not copied, and become read-only."""
        train = object.__new__(cls)
        for name, given in (("steps", steps), ("ids", ids)):
            values = given if given.dtype == np.int64 else given.astype(np.int64)
            values.flags.writeable = False
            train.__dict__[name] = values
        train.__dict__["shape"] = shape
        return train

    @classmethod
    def from_dense(cls, spikes: npt.NDArray[Any]) -> SpikeTrain:
        """Events of a (steps, neurons) array; any nonzero entry is a spike."""
        rows, size = spikes.shape
        place = spikes.ravel().nonzero()[0]  # one index is found faster than two
        if rows == 1:
            return cls.owning(np.zeros(place.size, dtype=np.int64), place, (rows, size))
        steps = place // size
        place -= steps * size
        return cls.owning(steps, place, (rows, size))

    @classmethod
    def from_steps(cls, spiking: Sequence[IntArray], size: int) -> SpikeTrain:
        """From the neurons that spiked in each step, in rising order, of a population of ``size``.

        >>> SpikeTrain.from_steps([np.array([1]), np.array([0, 1])], 2).steps.tolist()
        [0, 1, 1]
        """
        ids = np.concatenate(spiking) if spiking else np.zeros(0, np.int64)
        steps = np.repeat(np.arange(len(spiking)), [neurons.size for neurons in spiking])
        return cls.owning(steps, ids, (len(spiking), size))

    @classmethod
    def joined(cls, trains: Sequence[SpikeTrain]) -> SpikeTrain:
        """Trains of one population, one after the other in time; at least one."""
        if len(trains) == 1:
            return trains[0]
        starts = np.cumsum([0, *(train.shape[0] for train in trains)])
        steps = [train.steps + start for train, start in zip(trains, starts, strict=False)]
        ids = [train.ids for train in trains]
        return cls.owning(np.concatenate(steps), np.concatenate(ids), (int(starts[-1]), trains[0].shape[1]))

    def last(self, steps: int) -> SpikeTrain:
        """What happened in the last ``steps`` steps, or in all of them where there are fewer.

        >>> SpikeTrain.from_dense(np.eye(3, dtype=bool)).last(2).steps.tolist()
        [0, 1]
        """
        return self.between(max(self.shape[0] - steps, 0), self.shape[0])

    def between(self, start: int, stop: int) -> SpikeTrain:
        """What happened in rows ``start`` to ``stop``.

        >>> SpikeTrain.from_dense(np.eye(3, dtype=bool)).between(1, 2).ids.tolist()
        [1]
        """
        if (start, stop) == (0, self.shape[0]):
            return self
        begin, end = np.searchsorted(self.steps, [start, stop])
        # a copy of the ids, so that a few events do not keep the whole train in memory
        return SpikeTrain.owning(
            self.steps[begin:end] - start, self.ids[begin:end].copy(), (stop - start, self.shape[1])
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        dense = np.zeros(self.shape, dtype=np.bool_)
        dense[self.steps, self.ids] = True
        return dense if dtype is None else dense.astype(dtype)

    def __len__(self) -> int:
        return int(self.steps.size)

    def equals(self, other: SpikeTrain) -> bool:
        """Whether both hold the same events over the same steps and neurons."""
        return (
            self.shape == other.shape
            and np.array_equal(self.steps, other.steps)
            and np.array_equal(self.ids, other.ids)
        )

    def counts(self) -> IntArray:
        """Spikes of each neuron, shape (neurons,)."""
        return np.bincount(self.ids, minlength=self.shape[1]).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class PopulationCounts:
    """Work of one population over a run."""

    neurons: int
    is_input: bool  # input populations are fed from outside: they have spikes and no neuron updates
    spikes: int
    neuron_updates: int  # neurons x steps
    active_updates: int  # updates that received at least one synaptic event or spiked; the rest are idle updates


@dataclass(frozen=True, kw_only=True)
class ProjectionCounts:
    """Work of one projection over a run."""

    synapses: int
    plastic: bool
    synaptic_events: int  # spikes x synapses of the neuron that sent them
    learning_updates: int  # synapses that a rule's product touched, summed over epochs (x0, y0: event; u: every one)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Work of a run, by population and projection; the cost model reads nothing else about activity."""

    steps: int
    populations: Mapping[str, PopulationCounts]
    projections: Mapping[str, ProjectionCounts]
    spikes_crossing_cores: int | None = None  # known once a placement is

    @property
    def spikes(self) -> int:
        """Spikes sent by all populations, inputs included."""
        return sum(population.spikes for population in self.populations.values())

    @property
    def synaptic_events(self) -> int:
        """Synaptic operations of all projections."""
        return sum(projection.synaptic_events for projection in self.projections.values())

    @property
    def neuron_updates(self) -> int:
        """Neuron updates of all populations."""
        return sum(population.neuron_updates for population in self.populations.values())

    @property
    def learning_updates(self) -> int:
        """Synapses touched by learning rules."""
        return sum(projection.learning_updates for projection in self.projections.values())

    @property
    def synapses(self) -> int:
        """Synapses that exist."""
        return sum(projection.synapses for projection in self.projections.values())

    def __add__(self, other: Counts) -> Counts:
        """Counts of two runs of the same program, one after the other."""
        populations = {
            name: PopulationCounts(
                neurons=mine.neurons,
                is_input=mine.is_input,
                spikes=mine.spikes + other.populations[name].spikes,
                neuron_updates=mine.neuron_updates + other.populations[name].neuron_updates,
                active_updates=mine.active_updates + other.populations[name].active_updates,
            )
            for name, mine in self.populations.items()
        }
        projections = {
            name: ProjectionCounts(
                synapses=mine.synapses,
                plastic=mine.plastic,
                synaptic_events=mine.synaptic_events + other.projections[name].synaptic_events,
                learning_updates=mine.learning_updates + other.projections[name].learning_updates,
            )
            for name, mine in self.projections.items()
        }
        return Counts(steps=self.steps + other.steps, populations=populations, projections=projections)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary with totals."""
        return {
            **asdict(self),
            "spikes": self.spikes,
            "synaptic_events": self.synaptic_events,
            "neuron_updates": self.neuron_updates,
            "learning_updates": self.learning_updates,
        }


class OnFirstUse(Generic[Value]):
    """A field of a frozen dataclass: given as a value, or as a function that is called when the field is first read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type | None = None) -> Value:
        if instance is None:
            raise AttributeError(self.name)  # so that the dataclass sees no default
        value = vars(instance)[self.name]
        if callable(value):
            value = vars(instance)[self.name] = value()
        result: Value = value
        return result

    def __set__(self, instance: object, value: Value | Callable[[], Value]) -> None:
        vars(instance)[self.name] = value


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Spikes and states of the probed objects, the counts, and the wall time of one ``Session.run``.

    ``spikes[population]`` is a :class:`SpikeTrain`; ``states[population, variable]`` has shape (samples, neurons) and
    row k is the state after step ``state_steps[population, variable][k]`` (counted from 0 within the recording).

    A session gives counts and fingerprint as functions: they are found when they are first read, saved or pickled, and
    until then the recording holds the program and the spikes that they follow from.
    """

    program_fingerprint: OnFirstUse[str] = OnFirstUse()
    backend: str
    seed: int
    dt: float  # s
    first_step: int  # time steps that the session had run before
    steps: int
    spikes: Mapping[str, SpikeTrain]
    states: Mapping[tuple[str, str], FloatArray] = field(default_factory=dict)
    state_steps: Mapping[tuple[str, str], IntArray] = field(default_factory=dict)
    counts: OnFirstUse[Counts] = OnFirstUse()
    wall_second: float

    def __post_init__(self) -> None:
        for name in ("spikes", "states", "state_steps"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        plain: dict[str, Any] = {
            name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()
        }
        return partial(Recording, **plain), ()  # read-only mappings do not pickle

    @property
    def steps_per_second(self) -> float:
        """Time steps simulated per second of wall time."""
        return self.steps / self.wall_second if self.wall_second > 0 else float("inf")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one file, through a temporary file that is renamed when complete."""
        header = {
            "format": "neuromorph recording 1",
            "program_fingerprint": self.program_fingerprint,
            "backend": self.backend,
            "seed": self.seed,
            "dt": self.dt,
            "first_step": self.first_step,
            "steps": self.steps,
            "wall_second": self.wall_second,
            "counts": asdict(self.counts),
            "spikes": [[name, *train.shape] for name, train in self.spikes.items()],
            "states": [list(key) for key in self.states],
        }
        arrays: dict[str, npt.NDArray[Any]] = {}
        for index, train in enumerate(self.spikes.values()):
            arrays[f"spikes{index}.steps"], arrays[f"spikes{index}.ids"] = train.steps, train.ids
        for index, key in enumerate(self.states):
            arrays[f"states{index}"], arrays[f"states{index}.steps"] = self.states[key], self.state_steps[key]
        write_archive(path, header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """Read what :meth:`save` wrote; raises :class:`InputError` for any other file."""
        header, arrays = read_archive(path, "neuromorph recording 1")
        raw = header["counts"]
        counts = Counts(
            steps=raw["steps"],
            populations={name: PopulationCounts(**values) for name, values in raw["populations"].items()},
            projections={name: ProjectionCounts(**values) for name, values in raw["projections"].items()},
            spikes_crossing_cores=raw["spikes_crossing_cores"],
        )
        spikes = {
            name: SpikeTrain(arrays[f"spikes{index}.steps"], arrays[f"spikes{index}.ids"], (steps, size))
            for index, (name, steps, size) in enumerate(header["spikes"])
        }
        keys = [(key[0], key[1]) for key in header["states"]]
        return cls(
            program_fingerprint=header["program_fingerprint"],
            backend=header["backend"],
            seed=header["seed"],
            dt=header["dt"],
            first_step=header["first_step"],
            steps=header["steps"],
            wall_second=header["wall_second"],
            counts=counts,
            spikes=spikes,
            states={key: arrays[f"states{index}"] for index, key in enumerate(keys)},
            state_steps={key: arrays[f"states{index}.steps"] for index, key in enumerate(keys)},
        )


def write_archive(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    compressed: bool = True,
) -> None:
    """Write a JSON header and arrays as one npz file, atomically."""
    blob = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    with whole_file(path, binary=True) as stream:
        save = np.savez_compressed if compressed else np.savez
        save(stream, header=blob, **arrays)  # type: ignore[arg-type]  # names are ours


def read_archive(
    path: str | os.PathLike[str], expected_format: str
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Header and arrays of a file made by :func:`write_archive`; pickled content is refused."""
    try:
        with open(path, "rb") as stream:
            if not zipfile.is_zipfile(stream):  # np.load would read other kinds too
                raise ValueError("it is no zip archive, or not a whole one")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        header: dict[str, Any] = json.loads(arrays.pop("header").tobytes().decode())
    except FileNotFoundError:
        raise InputError(f"there is no file {os.fspath(path)!r}") from None
    except Exception as error:  # a damaged file, at which zip, zlib, NumPy and JSON each raise their own
        raise InputError(f"{os.fspath(path)!r} is not a {expected_format!r} file: {error}") from None
    if not isinstance(header, dict) or header.get("format") != expected_format:
        header = header if isinstance(header, dict) else {}
        raise InputError(f"{os.fspath(path)!r} holds {header.get('format')!r}, not {expected_format!r}")
    return header, arrays
