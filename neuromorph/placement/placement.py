"""A program on the cores of a chip, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from neuromorph.errors import InputError
from neuromorph.placement.demand import Assignment, Demand
from neuromorph.placement.limits import Limits
from neuromorph.placement.messages import Messages, Traffic, exact_spikes, expected_spikes, flows, messages
from neuromorph.program import Program
from neuromorph.recording import IntArray, Recording

FORMAT = "neuromorph placement 1"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Neurons ``first`` to ``last``, both included, of a population."""

    population: str
    first: int
    last: int

    @property
    def size(self) -> int:
        """Neurons."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a core uses of a resource."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """Of the limit, 0 to 1."""
        return self.used / self.limit if self.limit else 0.0


@dataclass(frozen=True, kw_only=True)
class PlacedCore:
    """One core: where it is, what lies on it, what it uses, and what it sends under the traffic of the placement."""

    number: int  # in the placement, from 0
    chip: int
    core: int  # on its chip
    tile: tuple[int, int] | None  # column and row of its tile on the mesh; None: the hardware file has no mesh
    parts: Sequence[Part]
    use: Mapping[str, Use]  # by resource
    spikes_sent: float  # messages to other cores
    hops: float  # tiles that these pass, on this chip

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))

    @property
    def neurons(self) -> int:
        """Of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def fullest(self) -> str:
        """The resource of which the largest share is used."""
        return max(self.use, key=lambda name: self.use[name].share)

    @property
    def load(self) -> float:
        """Its share."""
        return self.use[self.fullest].share


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Populations of a program on cores; inputs lie on none and take input axons where they arrive.

    Two placements are equal when the same neurons lie on the same cores with the same use, under the same traffic.
    """

    program: Program = field(repr=False, compare=False)
    limits: Limits
    chip_fingerprint: str
    method: str
    seed: int
    traffic: str  # under which spikes were counted
    cores: Sequence[PlacedCore]
    messages: Messages  # under that traffic
    greedy_crossing: float  # spikes that cross cores in the greedy placement, under that traffic
    notes: Sequence[str] = ()  # limits that decided how it was cut, and what would help

    def __post_init__(self) -> None:
        object.__setattr__(self, "cores", tuple(self.cores))
        object.__setattr__(self, "notes", tuple(self.notes))

    @property
    def chip(self) -> str:
        """Name of the chip."""
        return self.limits.chip

    @property
    def chips(self) -> int:
        """Chips used."""
        return self.cores[-1].chip + 1 if self.cores else 0

    @cached_property
    def core_of(self) -> Assignment:
        """The core, by number in the placement, of every neuron of every population."""
        found = {item.name: np.full(item.size, -1, dtype=np.int64) for item in self.program.populations}
        for core in self.cores:
            for part in core.parts:
                found[part.population][part.first : part.last + 1] = core.number
        for values in found.values():
            values.flags.writeable = False
        return found

    def use(self, resource: str) -> IntArray:
        """Use of a resource by every core, shape (cores,)."""
        if resource not in self.limits.core:
            raise InputError(f"{self.chip} limits no {resource!r}; it limits: {', '.join(self.limits.core)}")
        return np.array([core.use[resource].used for core in self.cores], dtype=np.int64)

    def hops(self) -> IntArray:
        """Tile hops between every two cores, shape (cores, cores); -1 between chips.

        Without a mesh in the hardware file: the difference of their numbers on the chip.
        """
        places = [core.tile or (core.core, 0) for core in self.cores]
        column, row = np.array(places, dtype=np.int64).reshape(-1, 2).T
        chip = np.array([core.chip for core in self.cores], dtype=np.int64)
        distance = np.abs(column[:, None] - column) + np.abs(row[:, None] - row)
        return np.where(chip[:, None] == chip, distance, -1)

    def messages_of(self, traffic: Traffic) -> Messages:
        """Messages under other traffic; of populations that were not recorded the mean is taken."""
        demand = Demand(self.program, self.limits)
        reach = demand.reach(self.core_of, len(self.cores))
        spikes, _ = expected_spikes(demand, traffic)
        return messages(flows(demand, self.core_of, reach, spikes), self.limits, len(self.cores))

    def crossing(self, recording: Recording) -> Recording:
        """The recording with ``counts.spikes_crossing_cores``: every spike once for each projection and other core.

        Raises :class:`InputError` where spikes that it needs were not recorded.
        """
        demand = Demand(self.program, self.limits)
        reach = demand.reach(self.core_of, len(self.cores))
        spikes = exact_spikes(demand, recording, reach, self.core_of)
        crossing = round(demand.crossing(self.core_of, reach, spikes))
        return dataclasses.replace(
            recording, counts=dataclasses.replace(recording.counts, spikes_crossing_cores=crossing)
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "format": FORMAT,
            "program": self.program.name,
            "program_fingerprint": self.program.fingerprint,
            "chip": self.chip,
            "chip_fingerprint": self.chip_fingerprint,
            "method": self.method,
            "seed": self.seed,
            "chips": self.chips,
            "cores_used": len(self.cores),
            "cores_per_chip": self.limits.cores,
            "traffic": self.traffic,
            "messages": self.messages.to_json(),
            "greedy_crossing": self.greedy_crossing,
            "notes": list(self.notes),
            "cores": [
                {
                    "number": core.number,
                    "chip": core.chip,
                    "core": core.core,
                    "tile": None if core.tile is None else list(core.tile),
                    "neurons": core.neurons,
                    "parts": [dataclasses.asdict(part) for part in core.parts],
                    "use": {
                        name: {"used": use.used, "limit": use.limit, "share": use.share}
                        for name, use in core.use.items()
                    },
                    "load": core.load,
                    "fullest": core.fullest,
                    "spikes_sent": core.spikes_sent,
                    "hops": core.hops,
                }
                for core in self.cores
            ],
        }
