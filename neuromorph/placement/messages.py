"""Spike messages between cores under some traffic: how many, and how far over the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError
from neuromorph.placement.demand import Assignment, Demand, Reach
from neuromorph.placement.limits import Limits
from neuromorph.recording import FloatArray, IntArray, Recording

Traffic = Recording | Mapping[str, npt.ArrayLike]


@dataclass(frozen=True, kw_only=True)
class Messages:
    """A spike is one message for every projection and every core on which it has synapses."""

    within_cores: float  # to the core that it comes from
    crossing_cores: float  # to any other core
    crossing_chips: float  # of these, to another chip
    from_inputs: float  # from input populations, which lie on no core
    hops_east_west: float  # of messages that stay on their chip: tiles passed along a row
    hops_north_south: float  # and along a column

    @property
    def hops(self) -> float:
        """Tile hops of either direction."""
        return self.hops_east_west + self.hops_north_south

    def to_json(self) -> dict[str, float]:
        """A plain dictionary."""
        return asdict(self)


@dataclass(frozen=True)
class Flows:
    """Messages from core to core, one entry a pair that has some, and from inputs to each core."""

    sources: IntArray
    targets: IntArray
    spikes: FloatArray
    from_inputs: FloatArray  # (cores,)


def positions(limits: Limits, cores: int) -> tuple[IntArray, IntArray]:
    """Column and row of the tile of every core; where the hardware file has no mesh, its number on the chip and 0."""
    number = np.arange(cores) % limits.cores
    if not limits.columns:
        return number, np.zeros(cores, dtype=np.int64)
    return (number // limits.cores_per_tile) % limits.columns, (number // limits.cores_per_tile) // limits.columns


def flows(
    demand: Demand, assignment: Assignment, reach: Mapping[str, Reach], spikes: Mapping[str, FloatArray]
) -> Flows:
    """Under so many spikes of every neuron."""
    from scipy.sparse import coo_array, csr_array

    cores = max((lists.pointer.size - 1 for lists in reach.values()), default=0)
    total, outside = csr_array((cores, cores)), np.zeros(cores)
    for item in demand.projections:
        lists, sent = reach[item.name], spikes[item.pre]
        weights, target = sent[lists.pre], lists.cores
        if item.pre not in assignment:
            outside += np.bincount(target, weights, minlength=cores)
        else:
            total = (
                total + coo_array((weights, (assignment[item.pre][lists.pre], target)), shape=(cores, cores)).tocsr()
            )
    found = total.tocoo()
    some = found.data > 0
    return Flows(found.row[some].astype(np.int64), found.col[some].astype(np.int64), found.data[some], outside)


def messages(found: Flows, limits: Limits, cores: int) -> Messages:
    """Totals of flows between cores that lie in order on their chips."""
    column, row = positions(limits, cores)
    away = found.sources != found.targets
    same_chip = found.sources // limits.cores == found.targets // limits.cores
    near = np.where(same_chip, found.spikes, 0.0)
    return Messages(
        within_cores=float(found.spikes[~away].sum()),
        crossing_cores=float(found.spikes[away].sum()),
        crossing_chips=float(found.spikes[~same_chip].sum()),
        from_inputs=float(found.from_inputs.sum()),
        hops_east_west=float((near * np.abs(column[found.sources] - column[found.targets])).sum()),
        hops_north_south=float((near * np.abs(row[found.sources] - row[found.targets])).sum()),
    )


def expected_spikes(demand: Demand, traffic: Traffic | None) -> tuple[dict[str, FloatArray], str]:
    """Spikes of every neuron, and where that comes from: one of each unless measured or given.

    Of a population whose spikes were not recorded the mean is taken, which the counts tell.
    """
    sizes = demand.program.sizes
    if traffic is None:
        return {name: np.ones(size) for name, size in sizes.items()}, "one spike of every neuron"
    if isinstance(traffic, Recording):
        return {name: _recorded(traffic, name, size) for name, size in sizes.items()}, (
            f"{traffic.steps} recorded steps on {traffic.backend}"
        )
    if not isinstance(traffic, Mapping):
        raise InputError(f"traffic must be a Recording or spikes by population, got {traffic!r}")
    faults = [
        f"traffic names {name!r}, which is no population; known: {', '.join(sizes)}"
        for name in traffic
        if name not in sizes
    ]
    found: dict[str, FloatArray] = {name: np.ones(size) for name, size in sizes.items()}
    for name, given in traffic.items():
        if name not in sizes:
            continue
        try:
            values = np.asarray(given, dtype=np.float64)
            found[name] = np.broadcast_to(values, (sizes[name],))
        except (TypeError, ValueError):
            faults.append(f"traffic of {name!r} must be one number or shape ({sizes[name]},), got {given!r}")
            continue
        if not np.all(np.isfinite(values) & (values >= 0)):
            faults.append(f"traffic of {name!r} must be finite and >= 0, got {values.min():g} to {values.max():g}")
    if faults:
        raise InputError(faults)
    return found, "spikes given by population"


def _recorded(recording: Recording, name: str, size: int) -> FloatArray:
    train = recording.spikes.get(name)
    if train is None and name not in recording.counts.populations:
        known = ", ".join(recording.counts.populations) or "none"
        raise InputError(f"traffic: the recording is of another program, without {name!r}; it has: {known}")
    found = size if train is None else train.shape[1]
    if found != size or (train is None and recording.counts.populations[name].neurons != size):
        raise InputError(
            f"traffic: the recording is of another program: {name!r} has {size} neurons here, {found} there"
        )
    if train is None:
        return np.full(size, recording.counts.populations[name].spikes / max(size, 1))
    return train.counts().astype(np.float64)


def exact_spikes(
    demand: Demand, recording: Recording, reach: Mapping[str, Reach], assignment: Assignment
) -> dict[str, Any]:
    """Spikes of every neuron, or an error where the recording does not tell what is needed."""
    spikes, _ = expected_spikes(demand, recording)
    faults = []
    for item in demand.projections:
        if item.pre in recording.spikes or item.pre not in assignment or not spikes[item.pre].any():
            continue
        lists, own = reach[item.name], assignment[item.pre]
        away = np.bincount(lists.pre[own[lists.pre] != lists.cores], minlength=own.size)
        if away.size and away.min() != away.max():  # else every spike of the population crosses as often
            faults.append(
                f"spikes of {item.pre!r} were not recorded, and its neurons reach different numbers of cores through"
                f" {item.name!r}: run program.with_all_spikes(), or probe them"
            )
    if faults:
        raise InputError(faults)
    return spikes
