"""A whole backend in one file: a simulator of Python lists that runs static networks in floating point.

It imports nothing of neuromorph but the contract, declares what it lacks with the reason, and lets the conformance kit
prove the rest.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neuromorph.backend import FEATURES, Advance, Availability, Backend, Capabilities, Gap, Session
from neuromorph.program import Program
from neuromorph.recording import SpikeTrain

NO_LEARNING = Gap("its weights are constants", "ours")
LEARNING = [
    name
    for name in FEATURES
    if name.startswith("learn")
    or name in ("tag", "epoch", "sparse_dependency", "second_traces", "weight_bounds")
    or "trace" in name
    or "factor" in name
    or name == "several_modulators"
]


@dataclass(frozen=True)
class PlainPythonBackend(Backend):
    """Neurons and synapses in Python lists."""

    name: ClassVar[str] = "plain-python"
    capabilities: ClassVar[Capabilities] = Capabilities(
        gaps={
            "fixed_point": Gap("it computes in floating point only", "ours"),
            "adaptive_threshold": Gap("its thresholds stay where they are", "ours"),
            **dict.fromkeys(LEARNING, NO_LEARNING),
        },
        agreement="tolerance",  # it adds weights synapse by synapse, in another order than the reference
        note="an example: short, not fast",
    )

    def availability(self) -> Availability:
        """Wherever there is Python."""
        return Availability(available=True, versions={"python": platform.python_version()})

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return PlainPythonSession(program, backend=self.name, seed=seed, stall_second=stall_second)


class PlainPythonSession(Session):
    """A program as lists; checks, chunks, probes, counts and time are the base class's work."""

    def __init__(self, program: Program, **options: Any) -> None:
        super().__init__(program, **options)
        self.step = 0
        self.values: dict[tuple[str, str], list[float]] = {}
        for population in program.populations:
            self.values[population.name, "v_threshold"] = population.threshold.tolist()
            self.values[population.name, "bias"] = population.bias.tolist()
        for projection in program.projections:
            self.values[projection.name, "weight"] = projection.weight.tolist()
        self._reset()

    def _reset(self) -> None:
        self.under_way: dict[tuple[str, int], list[float]] = {}  # what arrives at a population in a step
        for population in self.program.populations:
            self.values[population.name, "u"] = [0.0] * population.size
            self.values[population.name, "v"] = [0.0] * population.size
        self.rest = {population.name: [0] * population.size for population in self.program.populations}

    def _advance(
        self, steps: int, inputs: Mapping[str, Any], modulators: Mapping[str, Any], beat: Callable[[], None]
    ) -> Advance:
        spikes: dict[str, list[Any]] = {population.name: [] for population in self.program.populations}
        states = {key: np.zeros((steps, self.program.sizes[key[0]])) for key in self.state_probes}
        for row in range(steps):
            self.step += 1
            spiking = {name: np.flatnonzero(rows[row]).tolist() for name, rows in inputs.items()}
            for population in self.program.populations:
                spiking[population.name] = self._neurons(population)
                spikes[population.name].append(np.array(spiking[population.name], dtype=np.int64))
            for projection in self.program.projections:
                self._send(projection, set(spiking[projection.pre]))
            for (name, variable), rows in states.items():
                rows[row] = self.values[name, variable]
            beat()
        trains = {name: SpikeTrain.from_steps(found, self.program.sizes[name]) for name, found in spikes.items()}
        return Advance(spikes=trains, states=states)

    def _neurons(self, population: Any) -> list[int]:
        """One step of a population; the neurons that spike."""
        name, spiking = population.name, []
        u, v = self.values[name, "u"], self.values[name, "v"]
        threshold, bias = self.values[name, "v_threshold"], self.values[name, "bias"]
        arriving = self.under_way.pop((name, self.step), [0.0] * population.size)
        for i in range(population.size):
            u[i] = population.decay_u[i] * u[i] + arriving[i]
            v[i] = population.decay_v[i] * v[i] + u[i] + bias[i]
            if self.rest[name][i] > 0:
                self.rest[name][i] -= 1
                v[i] = 0.0
            if v[i] > threshold[i]:
                v[i] = 0.0
                self.rest[name][i] = int(population.refractory[i])
                spiking.append(i)
        return spiking

    def _send(self, projection: Any, spiking: set[int]) -> None:
        """Enter the weights of spiking neurons where and when they arrive."""
        weights = self.values[projection.name, "weight"]
        for synapse in range(projection.synapses):
            if int(projection.pre_index[synapse]) in spiking:
                when = (projection.post, self.step + int(projection.delay[synapse]))
                row = self.under_way.setdefault(when, [0.0] * projection.post_size)
                row[int(projection.post_index[synapse])] += weights[synapse]

    def _read(self, owner: str, variable: str) -> Any:
        return np.array(self.values[owner, variable])

    def _write(self, owner: str, variable: str, values: Any) -> None:
        self.values[owner, variable] = values.tolist()

    def _close(self) -> None:
        self.values.clear()
