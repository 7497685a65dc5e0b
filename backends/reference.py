"""The reference interpreter: one readable loop over time steps, in NumPy. It defines what a program means.

Float programs run in float64. Fixed-point programs run in integers, which are held in float64 arrays: all of them are
below 2^53, and decays round as the program says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import DECAY_UNITY, down, nearest, saturated, scaled, toward_zero, with_input, wrapped_once
from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session, reward
from neuromorph.fixed_plastic_state import WEIGHT_ROUNDING_SEED, plastic_synapses
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray, IntArray, SpikeTrain


@final
@dataclass(frozen=True)
class ReferenceBackend(Backend):
    """NumPy, one process; supports everything that a program can say, and conventions of other tools."""

    name: ClassVar[str] = "reference"
    capabilities: ClassVar[Capabilities] = Capabilities(
        agreement="exact", any_convention=True, checkpoints=True, rewiring=True, note="the definition"
    )
    rounding_seed: int = WEIGHT_ROUNDING_SEED  # of weights in fixed point; another one gives another sample of chance

    def availability(self) -> Availability:
        """Always available."""
        return Availability(available=True, versions={"numpy": np.__version__})

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return ReferenceSession(
            program, backend=self.name, seed=seed, stall_second=stall_second, rounding_seed=self.rounding_seed
        )


Rounding = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
Overflow = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
ROUNDING: Mapping[str, Rounding] = {"toward zero": toward_zero, "down": down, "nearest": nearest}
OVERFLOW: Mapping[str, Overflow] = {"wrap": wrapped_once, "saturate": saturated, "none": np.asarray}


class Neurons(ABC):
    """State of one population; what :meth:`integrate` does is a matter of the arithmetic."""

    def __init__(self, population: PopulationProgram, program: Program) -> None:
        self.population, self.program = population, program
        self.threshold, self.bias = population.threshold.copy(), population.bias.copy()
        self.u, self.v = np.zeros(population.size), np.zeros(population.size)
        self.adaptation = np.zeros(population.size)  # h: what spikes have added to the threshold, and is not forgotten
        self.waiting: IntArray = np.zeros(population.size, dtype=np.int64)  # refractory steps that are left
        self.held = np.zeros(population.size)  # v in those steps: what the reset left
        self.has_refractory = bool(np.any(population.refractory > 0))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays themselves, by the names of :func:`neuromorph.checkpoint.state_layout`."""
        found = {"u": self.u, "v": self.v, "v_threshold": self.threshold, "bias": self.bias, "held": self.held}
        if self.population.adapts:
            found["threshold_adaptation"] = self.adaptation
        return {**found, "waiting": self.waiting}

    @abstractmethod
    def integrate(self, current: FloatArray) -> None:
        """Decay of u and v, the current that arrives, and bias."""

    def adapted(self) -> FloatArray:
        """The threshold of this step, with what is left of what earlier spikes have added: ``h = decay_threshold h``."""
        if self.population.decay_threshold is None:
            return self.threshold
        self.adaptation *= self.population.decay_threshold
        if self.program.rounding == "single":
            self.adaptation[:] = self.adaptation.astype(np.float32)
        return self.threshold + self.adaptation

    def step(self, current: FloatArray) -> IntArray:
        """One time step with the current that arrives; the neurons that spike."""
        self.integrate(current)
        reaches = np.greater_equal if self.program.threshold_comparison == ">=" else np.greater
        threshold = self.adapted()
        above: BoolArray = reaches(self.v, threshold)
        if self.has_refractory:
            resting = self.waiting > 0
            self.v[resting] = self.held[resting]
            self.waiting -= resting
            above &= ~resting
        spiking: IntArray = np.flatnonzero(above)
        if self.program.reset == "zero":
            self.v[spiking] = 0.0
        elif self.program.reset == "subtract":
            self.v[spiking] -= threshold[spiking]
        if self.has_refractory:
            self.waiting[spiking] = self.population.refractory[spiking]
            self.held[spiking] = self.v[spiking]
        if self.population.threshold_increment is not None:
            self.adaptation[spiking] += self.population.threshold_increment[spiking]
        return spiking


@final
class FloatNeurons(Neurons):
    """``u = decay_u u + a; v = decay_v v + u + bias``."""

    def integrate(self, current: FloatArray) -> None:
        """In float64; with the convention "single", u and v are rounded to float32."""
        self.u *= self.population.decay_u
        self.u += current
        self._round(self.u)
        self.v *= self.population.decay_v
        self.v += self.u
        self.v += self.bias
        self._round(self.v)

    def _round(self, values: FloatArray) -> None:
        if self.program.rounding == "single":
            values[:] = values.astype(np.float32)


@final
class FixedNeurons(Neurons):
    """``u = wrap(round(u keep_u / 4096) + (a << 6)); v = saturate(round(v keep_v / 4096) + u + bias)``."""

    def integrate(self, current: FloatArray) -> None:
        """In integers; both keeps are whole: 4095 - du and 4096 - dv."""
        rounded, population = ROUNDING[self.program.rounding], self.population
        keep_u, keep_v = (np.rint(decay * DECAY_UNITY) for decay in (population.decay_u, population.decay_v))
        u = with_input(rounded((self.u * keep_u).astype(np.int64), 12), current)
        self.u[:] = OVERFLOW[self.program.u_overflow](u)
        v = rounded((self.v * keep_v).astype(np.int64), 12) + self.u + self.bias
        self.v[:] = OVERFLOW[self.program.v_overflow](v)


class Synapses:
    """One projection: its weights, and what is under way to the postsynaptic neurons."""

    def __init__(
        self, projection: ProjectionProgram, program: Program, seed: int, rounding_seed: int = WEIGHT_ROUNDING_SEED
    ) -> None:
        self.projection, self.plastic = projection, None
        if projection.rule is not None:
            self.plastic = plastic_synapses(program, projection, seed, rounding_seed=rounding_seed)
        self.weight = projection.weight.copy() if self.plastic is None else self.plastic.weight
        # Weights add up in the order of their presynaptic neurons; NumPy would sum the row of a single neuron in pairs.
        self.is_matrix = projection.is_full and projection.has_one_delay and projection.post_size > 1
        self.pointer, self.order = projection.by_pre
        self.shift = {"arrival": 0, "one step later": 1, "one step sooner": -1}[program.delay_convention]
        order = list(program.sizes)
        self.least = 0 if order.index(projection.pre) < order.index(projection.post) else 1
        self.delay: IntArray = np.maximum(projection.delay + self.shift, self.least)
        self.acts_at_once = bool(np.any(self.delay == 0))  # only with a delay convention of another tool
        self.longest = int(self.delay.max()) if projection.synapses else 1
        self.moving = self.plastic if projection.learns_delays else None  # whose delays learn
        if self.moving is not None:
            self.acts_at_once |= self.shift < 0 and self.least == 0
            self.longest = max(projection.max_delay + self.shift, self.least)
        self.is_reversed = program.summation == "last to first"
        self.under_way = np.zeros((self.longest + 1, projection.post_size))  # row t: what arrives at step t
        self.learns_late = self.plastic is not None and program.plasticity_timing == "arrived"
        self.sent: list[IntArray] = []  # for rules that see spikes when they arrive

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
        pre = pre[::-1] if self.is_reversed else pre
        rows, size = self.under_way.shape
        if self.is_matrix:
            columns = np.ascontiguousarray(self.weight.reshape(size, -1).T[pre])  # (spiking, post)
            self.under_way[(step + self.longest) % rows] += scaled(
                np.add.reduce(columns, axis=0), self.projection.weight_exponent
            )
            return
        synapse = np.concatenate([self.order[self.pointer[i] : self.pointer[i + 1]] for i in pre])
        delay = self.delay[synapse]
        if self.moving is not None:
            delay = np.maximum(self.moving.steps_of(synapse) + self.shift, self.least)
        place = (step + delay) % rows * size + self.projection.post_index[synapse]
        arriving = np.bincount(place, weights=self.weight[synapse], minlength=rows * size)
        # what was sent together and arrives together is summed and then shifted
        self.under_way += scaled(arriving, self.projection.weight_exponent).reshape(rows, size)

    def learn(
        self, step: int, pre: IntArray, post: IntArray, reward: FloatArray | None, membrane: FloatArray, timing: str
    ) -> None:
        """The rule sees the spikes of this step; with the timing "arrived", presynaptic ones when they arrive."""
        if self.plastic is None:
            return
        if timing == "arrived":
            self.sent.append(pre)
            pre = self.sent.pop(0) if len(self.sent) > self.longest else np.zeros(0, dtype=np.int64)
        self.plastic.learn(step, pre, post, reward, membrane)

    def state(self, step: int) -> dict[str, npt.NDArray[Any]]:
        """After ``step``, by the names of :func:`neuromorph.checkpoint.state_layout`."""
        found: dict[str, npt.NDArray[Any]] = {"weight": self.weight}
        found["under_way"] = self.under_way[self._rows_after(step)]
        if self.plastic is not None:
            found |= self.plastic.state()
        if self.learns_late:
            sent = np.zeros((len(self.sent), self.projection.pre_size), dtype=np.bool_)
            for row, pre in zip(sent, self.sent, strict=True):
                row[pre] = True
            found["sent"] = sent
        return found

    def go_on(self, state: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what :meth:`state` gave after ``step``."""
        self.weight[:] = state["weight"]
        self.under_way[:] = 0.0
        self.under_way[self._rows_after(step)] = state["under_way"]
        if self.plastic is not None:
            self.plastic.go_on(state, step)
        if self.learns_late:
            self.sent = [np.flatnonzero(row) for row in state["sent"]]

    def _rows_after(self, step: int) -> IntArray:
        """Rows of what arrives 1, 2, ... steps after ``step``."""
        return (step + 1 + np.arange(self.longest)) % len(self.under_way)


@final
class ReferenceSession(Session):
    """A program in memory."""

    def __init__(
        self,
        program: Program,
        *,
        backend: str,
        seed: int,
        stall_second: float,
        rounding_seed: int = WEIGHT_ROUNDING_SEED,
    ) -> None:
        super().__init__(program, backend=backend, seed=seed, stall_second=stall_second)
        self._rounding_seed = rounding_seed
        self._step = 0
        self._replace_program(program)

    def _replace_program(self, program: Program) -> None:
        kind = FixedNeurons if program.arithmetic == "fixed" else FloatNeurons
        self._neurons: dict[str, Neurons] = {p.name: kind(p, program) for p in program.populations}
        self._synapses = {p.name: Synapses(p, program, self.seed, self._rounding_seed) for p in program.projections}

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
        if self.program.summation == "last to first":
            incoming = {name: synapses[::-1] for name, synapses in incoming.items()}
        learns_first = self.program.weight_timing == "after learning"
        for row in range(steps):
            self._step += 1
            # 1. currents that were sent delay steps ago; 2. neurons
            spiking = {name: np.flatnonzero(spikes[row]) for name, spikes in inputs.items()}
            for name, neurons in self._neurons.items():
                current = np.zeros(neurons.population.size)
                for synapses in incoming[name]:
                    if synapses.acts_at_once:  # nothing can be learned before: the postsynaptic spikes are not known
                        synapses.send(self._step, spiking[synapses.projection.pre])
                    current += synapses.arriving(self._step)
                spiking[name] = neurons.step(current)
                events[name].append(spiking[name])
            # 3. spikes are sent with the weights of before learning, then rules learn from the spikes of this step
            for synapses in self._synapses.values():
                pre, post = spiking[synapses.projection.pre], spiking[synapses.projection.post]
                rule = synapses.projection.rule
                r = None if rule is None else reward(modulators, rule.modulators, row)
                v = self._neurons[synapses.projection.post].v
                if learns_first:
                    synapses.learn(self._step, pre, post, r, v, self.program.plasticity_timing)
                if not synapses.acts_at_once:
                    synapses.send(self._step, pre)
                if not learns_first:
                    synapses.learn(self._step, pre, post, r, v, self.program.plasticity_timing)
            # 4. probes see the state after learning and reset
            for (name, variable), samples in states.items():
                samples[row] = self._neurons[name].state()[variable]
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
            return self._neurons[owner].state()[variable]
        synapses = self._synapses[owner]
        if variable == "weight":
            return synapses.weight
        assert synapses.plastic is not None
        return synapses.plastic.variable(variable)

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        parts = {name: neurons.state() for name, neurons in self._neurons.items()}
        parts |= {name: synapses.state(self._step) for name, synapses in self._synapses.items()}
        return {f"{name}.{variable}": values for name, part in parts.items() for variable, values in part.items()}

    def _set_state(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        self._step = self.steps_run
        for name, neurons in self._neurons.items():
            for variable, values in neurons.state().items():
                values[:] = state[f"{name}.{variable}"]
        for name, synapses in self._synapses.items():
            variables = synapses.state(self._step)
            synapses.go_on({variable: state[f"{name}.{variable}"] for variable in variables}, self._step)

    def _reset(self) -> None:
        for neurons in self._neurons.values():
            neurons.u[:] = 0.0
            neurons.v[:] = 0.0
            neurons.adaptation[:] = 0.0
            neurons.waiting[:] = 0
        for synapses in self._synapses.values():
            synapses.under_way[:] = 0.0
            synapses.sent.clear()
            if synapses.plastic is not None:
                synapses.plastic.reset()

    def _close(self) -> None:
        self._neurons.clear()
        self._synapses.clear()
