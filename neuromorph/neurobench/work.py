"""NeuroBench's algorithm metrics of some samples, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from neuromorph.recording import IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionWork:
    """One layer of connections: its weights, and its operations in each sample, shape (samples,)."""

    weights: int  # zeros included
    zero_weights: int
    effective_acs: IntArray
    effective_macs: IntArray
    dense: IntArray

    def to_json(self) -> dict[str, int]:
        """Totals."""
        return {
            "weights": self.weights,
            "zero_weights": self.zero_weights,
            "effective_acs": int(self.effective_acs.sum()),
            "effective_macs": int(self.effective_macs.sum()),
            "dense": int(self.dense.sum()),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationWork:
    """One population of neurons, no input: its outputs and membranes in each sample, shape (samples,)."""

    neurons: int
    outputs: IntArray  # neurons x steps
    nonzero_outputs: IntArray  # spikes
    membrane_updates: IntArray | None  # None: v was not recorded

    def to_json(self) -> dict[str, int | None]:
        """Totals."""
        return {
            "neurons": self.neurons,
            "outputs": int(self.outputs.sum()),
            "nonzero_outputs": int(self.nonzero_outputs.sum()),
            "membrane_updates": None if self.membrane_updates is None else int(self.membrane_updates.sum()),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Metrics:
    """What NeuroBench reports of a model, from a recorded run.

    Counts without ``per_sample`` are totals of all samples; NeuroBench gives means over samples (:attr:`per_sample`,
    :meth:`neurobench`). What could not be known is ``None`` and ``missing`` says why; it is never 0 for that.
    """

    program: str
    steps: IntArray  # of each sample, shape (samples,)
    footprint: Mapping[str, int]  # bytes, by what they hold
    projections: Mapping[str, ProjectionWork]
    populations: Mapping[str, PopulationWork]
    missing: Mapping[str, str] = field(default_factory=dict)  # name of a metric to the reason and the remedy
    notes: tuple[str, ...] = ()  # where a figure is a bound, or rests on something assumed

    def __post_init__(self) -> None:
        for name in ("footprint", "projections", "populations", "missing"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def samples(self) -> int:
        """How many samples were run."""
        return len(self.steps)

    @property
    def footprint_byte(self) -> int:
        """Bytes of parameters and buffers, zero weights included."""
        return sum(self.footprint.values())

    @property
    def connection_sparsity(self) -> float | None:
        """Zero weights over all weights, 0 to 1; None without any."""
        weights = sum(projection.weights for projection in self.projections.values())
        return sum(p.zero_weights for p in self.projections.values()) / weights if weights else None

    @property
    def activation_sparsity(self) -> float | None:
        """Outputs of neurons that are zero over all of them, inputs left out, 0 to 1; None without any."""
        outputs = sum(int(population.outputs.sum()) for population in self.populations.values())
        nonzero = sum(int(population.nonzero_outputs.sum()) for population in self.populations.values())
        return (outputs - nonzero) / outputs if outputs else None

    @property
    def effective_acs(self) -> int:
        """Accumulates: a nonzero input of -1 or 1 met a nonzero weight."""
        return int(self.by_sample["effective_acs"].sum())

    @property
    def effective_macs(self) -> int:
        """Multiply-accumulates: the same in calls with graded inputs."""
        return int(self.by_sample["effective_macs"].sum())

    @property
    def dense_operations(self) -> int:
        """Operations if every input and every weight counted."""
        return int(self.by_sample["dense_operations"].sum())

    @property
    def membrane_updates(self) -> int | None:
        """All neurons in the first step of a sample, then those whose membrane changed; None: v was not recorded."""
        updates = self.by_sample.get("membrane_updates")
        return None if updates is None else int(updates.sum())

    @property
    def by_sample(self) -> dict[str, IntArray]:
        """Counts of each sample, shape (samples,); without membrane updates where they are not known."""
        layers, none = list(self.projections.values()), np.zeros(self.samples, dtype=np.int64)
        found = {
            "effective_acs": sum((layer.effective_acs for layer in layers), none),
            "effective_macs": sum((layer.effective_macs for layer in layers), none),
            "dense_operations": sum((layer.dense for layer in layers), none),
        }
        updates = [population.membrane_updates for population in self.populations.values()]
        known = [values for values in updates if values is not None]
        if len(known) == len(updates):
            found["membrane_updates"] = sum(known, none)
        return found

    @property
    def per_sample(self) -> dict[str, float | None]:
        """Means over samples of the counts."""
        found = self.by_sample
        names = ("effective_acs", "effective_macs", "dense_operations", "membrane_updates")
        return {name: float(found[name].mean()) if name in found and self.samples else None for name in names}

    def neurobench(self) -> dict[str, Any]:
        """The figures under the names, and in the units, in which NeuroBench reports them: means over samples."""
        mean = self.per_sample
        return {
            "Footprint": self.footprint_byte,
            "ConnectionSparsity": self.connection_sparsity,
            "ActivationSparsity": self.activation_sparsity,
            "SynapticOperations": {
                "Effective_MACs": mean["effective_macs"],
                "Effective_ACs": mean["effective_acs"],
                "Dense": mean["dense_operations"],
            },
            "MembraneUpdates": mean["membrane_updates"],
        }

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "program": self.program,
            "samples": self.samples,
            "steps": int(self.steps.sum()),
            "footprint_byte": self.footprint_byte,
            "footprint": dict(self.footprint),
            "connection_sparsity": self.connection_sparsity,
            "activation_sparsity": self.activation_sparsity,
            "effective_acs": self.effective_acs,
            "effective_macs": self.effective_macs,
            "dense_operations": self.dense_operations,
            "membrane_updates": self.membrane_updates,
            "per_sample": self.per_sample,
            "by_sample": {name: values.tolist() for name, values in self.by_sample.items()},
            "neurobench": self.neurobench(),
            "projections": {name: layer.to_json() for name, layer in self.projections.items()},
            "populations": {name: layer.to_json() for name, layer in self.populations.items()},
            "missing": dict(self.missing),
            "notes": list(self.notes),
        }
