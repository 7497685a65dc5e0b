"""How many cores, tiles and chips some work takes, and how far its messages may go: what a hardware file tells of that."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from neuromorph.chip import Chip
from neuromorph.cost import ZERO, Range


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Cores of one chip and their mesh; 0 where the hardware file states none."""

    cores: int  # of a chip, at most
    compartments: int  # of a core, at most
    cores_per_tile: int
    tiles: int  # of a chip
    columns: int  # of tiles
    message_bits: Range

    @classmethod
    def of(cls, chip: Chip) -> Layout:
        """Raises :class:`ChipError` where cores or compartments are not stated."""

        def stated(name: str) -> int:
            return int(chip.limit(name).high) if name in chip.limits else 0

        bits = chip.limits.get("network.spike_message_bits")
        cores, per_tile = int(chip.limit("chip.cores").high), stated("chip.cores_per_tile")
        return cls(
            cores=cores,
            compartments=int(chip.limit("core.compartments").high),
            cores_per_tile=per_tile,
            tiles=stated("chip.tiles") or (math.ceil(cores / per_tile) if per_tile else 0),
            columns=stated("chip.mesh_columns") if per_tile else 0,
            message_bits=ZERO if bits is None else Range(bits.low, bits.high),
        )

    def chips_for(self, cores: Range) -> Range:
        """Chips that so many cores take."""
        return Range(*(float(math.ceil(end / self.cores)) for end in (cores.low, cores.high)))

    def tiles_for(self, cores: Range, chips: Range) -> Range | None:
        """Tiles in use on the fullest chip, cores filled in order of tiles."""
        if not self.cores_per_tile:
            return None
        fewest = math.ceil(math.ceil(cores.low / chips.high) / self.cores_per_tile)
        most = math.ceil(min(cores.high, self.cores) / self.cores_per_tile)
        return Range(float(min(fewest, self.tiles)), float(min(most, self.tiles)))

    def farthest(self, tiles: Range | None) -> tuple[float, float] | None:
        """Hops east-west and north-south between the corners of so many tiles; None without a mesh."""
        if tiles is None or not self.columns:
            return None
        return min(tiles.high, self.columns) - 1, math.ceil(tiles.high / self.columns) - 1.0


def cores_for(chip: Chip, compartments: float, synapses: float) -> Range:
    """Cores that compartments and synaptic memory take, packed as densely as both allow.

    The memory of a synapse is a range; limits of axons are left out, as counts do not tell how many a core would need.
    """
    neurons, memory = chip.limit("core.compartments"), chip.limit("core.synapse_memory")
    synapse = chip.limit("synapse.memory")
    fewest = math.ceil(compartments / neurons.high), math.ceil(synapses * synapse.low / memory.high)
    most = math.ceil(compartments / neurons.low), math.ceil(synapses * synapse.high / memory.low)
    return Range(float(max(1, *fewest)), float(max(1, *most)))


def cores_of_populations(chip: Chip, sizes: Iterable[int]) -> int:
    """Cores that populations of these sizes take where small ones stay whole, as a greedy placement cuts them.

    One that no core in use has room for begins a new one, and what is left of the others stays empty; larger ones than
    a core are cut, from the last core in use on.

    >>> from neuromorph.chip import load_chip
    >>> cores_of_populations(load_chip("loihi1"), [600, 600, 600]), cores_of_populations(load_chip("loihi1"), [1500, 500])
    (3, 2)
    """
    most = int(chip.limit("core.compartments").low)
    room: list[int] = []  # left on every core in use
    for size in sizes:
        fitting = (number for number, left in enumerate(room) if left >= size)
        number = next(fitting, None) if size <= most else None
        if number is not None:
            room[number] -= size
        elif size <= most:
            room.append(most - size)
        else:
            taken = room[-1] if room else 0
            room[-1:] = [0] if room else []
            full, rest = divmod(size - taken, most)
            room += [0] * full + ([most - rest] if rest else [])
    return max(1, len(room))
