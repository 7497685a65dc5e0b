"""The reference interpreter: one readable loop over time steps, in NumPy. It defines what a program means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session, reward
from neuromorph.plastic_state import PlasticState
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray, IntArray, SpikeTrain


@final
@dataclass(frozen=True)
class ReferenceBackend(Backend):
    """NumPy, float64, one process; supports everything that a program can say."""

    name: ClassVar[str] = "reference"
    capabilities: ClassVar[Capabilities] = Capabilities(agreement="exact", note="the definition")

    def availability(self) -> Availability:
        """Always available."""
        return Availability(available=True, versions={"numpy": np.__version__})

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return ReferenceSession(program, backend=self.name, seed=seed, stall_second=stall_second)


class Neurons:
    """State of one population."""

    def __init__(self, population: PopulationProgram) -> None:
        self.population = population
        self.threshold, self.bias = population.threshold.copy(), population.bias.copy()
        self.u, self.v = np.zeros(population.size), np.zeros(population.size)
        self.waiting: IntArray = np.zeros(population.size, dtype=np.int64)  # refractory steps that are left
        self.has_refractory = bool(np.any(population.refractory > 0))

    def step(self, current: FloatArray) -> IntArray:
        """One time step with the current that arrives; the neurons that spike."""
        self.u *= self.population.decay_u
        self.u += current
        self.v *= self.population.decay_v
        self.v += self.u
        self.v += self.bias
        if self.has_refractory:
            self.v[self.waiting > 0] = 0.0
            self.waiting -= self.waiting > 0
        spiking: IntArray = np.flatnonzero(self.v > self.threshold)
        self.v[spiking] = 0.0
        if self.has_refractory:
            self.waiting[spiking] = self.population.refractory[spiking]
        return spiking


class Synapses:
    """One projection: its weights, and what is under way to the postsynaptic neurons."""

    def __init__(self, projection: ProjectionProgram) -> None:
        self.projection = projection
        self.plastic = None if projection.rule is None else PlasticState(projection)
        self.weight = projection.weight.copy() if self.plastic is None else self.plastic.weight
        # Weights add up in the order of their presynaptic neurons; NumPy would sum the row of a single neuron in pairs.
        self.is_matrix = projection.is_full and projection.has_one_delay and projection.post_size > 1
        self.pointer, self.order = projection.by_pre
        self.under_way = np.zeros((projection.max_delay + 1, projection.post_size))  # row t: what arrives at step t

    def arriving(self, step: int) -> FloatArray:
        """The current of this step; its row is free again."""
        row = step % len(self.under_way)
        current: FloatArray = self.under_way[row].copy()
        self.under_way[row] = 0.0
        return current

    def send(self, step: int, pre: IntArray) -> None:
        """Spikes sent in this step enter, with the weights of now, the steps in which they arrive."""
        if pre.size == 0:
            return
        rows, size = self.under_way.shape
        if self.is_matrix:
            columns = np.ascontiguousarray(self.weight.reshape(size, -1).T[pre])  # (spiking, post)
            self.under_way[(step + self.projection.max_delay) % rows] += np.add.reduce(columns, axis=0)
            return
        synapse = np.concatenate([self.order[self.pointer[i] : self.pointer[i + 1]] for i in pre])
        place = (step + self.projection.delay[synapse]) % rows * size + self.projection.post_index[synapse]
        arriving = np.bincount(place, weights=self.weight[synapse], minlength=rows * size)
        self.under_way += arriving.reshape(rows, size)


@final
class ReferenceSession(Session):
    """A program in memory."""

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float) -> None:
        super().__init__(program, backend=backend, seed=seed, stall_second=stall_second)
        self._neurons = {population.name: Neurons(population) for population in program.populations}
        self._synapses = {projection.name: Synapses(projection) for projection in program.projections}
        self._step = 0

    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        events: dict[str, list[IntArray]] = {name: [] for name in self._neurons}
        states = {key: np.zeros((steps, self.program.sizes[key[0]])) for key in self.state_probes}
        incoming = {name: [s for s in self._synapses.values() if s.projection.post == name] for name in self._neurons}
        for row in range(steps):
            self._step += 1
            # 1. currents that were sent delay steps ago; 2. neurons
            spiking = {name: np.flatnonzero(spikes[row]) for name, spikes in inputs.items()}
            for name, neurons in self._neurons.items():
                current = np.zeros(neurons.population.size)
                for synapses in incoming[name]:
                    current += synapses.arriving(self._step)
                spiking[name] = neurons.step(current)
                events[name].append(spiking[name])
            # 3. spikes are sent with the weights of before learning, then rules learn from the spikes of this step
            for synapses in self._synapses.values():
                pre, post = spiking[synapses.projection.pre], spiking[synapses.projection.post]
                synapses.send(self._step, pre)
                if synapses.plastic is not None:
                    r = reward(modulators, synapses.plastic.rule.modulators, row)
                    synapses.plastic.learn(self._step, pre, post, r)
            # 4. probes see the state after learning and reset
            for (name, variable), samples in states.items():
                samples[row] = self._neurons[name].v if variable == "v" else self._neurons[name].u
            beat()
        trains = {
            name: SpikeTrain.from_steps(found, self._neurons[name].population.size) for name, found in events.items()
        }
        return Advance(spikes=trains, states=states)

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        return self._array(owner, variable)

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        self._array(owner, variable)[:] = values

    def _array(self, owner: str, variable: str) -> npt.NDArray[Any]:
        if owner in self._neurons:
            neurons = self._neurons[owner]
            return {"u": neurons.u, "v": neurons.v, "v_threshold": neurons.threshold, "bias": neurons.bias}[variable]
        synapses = self._synapses[owner]
        if variable == "weight":
            return synapses.weight
        assert synapses.plastic is not None
        return synapses.plastic.tag if variable == "tag" else synapses.plastic.traces[variable]

    def _reset(self) -> None:
        for neurons in self._neurons.values():
            neurons.u[:] = 0.0
            neurons.v[:] = 0.0
            neurons.waiting[:] = 0
        for synapses in self._synapses.values():
            synapses.under_way[:] = 0.0
            if synapses.plastic is not None:
                synapses.plastic.reset()

    def _close(self) -> None:
        self._neurons.clear()
        self._synapses.clear()
