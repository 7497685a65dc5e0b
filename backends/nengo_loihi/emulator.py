"""nengo-loihi's emulator with float64 or integer state, delays, learning rules and third factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from nengo_loihi.emulator.interface import CompartmentState, EmulatorInterface

from neuromorph.arithmetic import scaled
from neuromorph.backend import reward
from neuromorph.backends.nengo_loihi.fixed_compartments import FixedCompartments
from neuromorph.backends.nengo_loihi.lowering import BlockSynapse, Lowering
from neuromorph.fixed_plastic_state import plastic_synapses
from neuromorph.plastic_state import PlasticSynapses
from neuromorph.recording import BoolArray, FloatArray, IntArray


@final
class DoubleCompartments(CompartmentState):  # type: ignore[misc]
    """Compartments of all blocks in float64; stock ones are float32 or int32, by what a block holds."""

    def __init__(self, block_info: Any, lowering: Lowering) -> None:
        super().__init__(block_info, strict=True)
        populations = lowering.program.populations
        for name in ("input", "current", "voltage"):
            setattr(self, name, getattr(self, name).astype(np.float64))
        self.keep_u = np.concatenate([population.decay_u for population in populations])
        self.keep_v = np.concatenate([population.decay_v for population in populations])
        self.decay_u, self.decay_v = 1.0 - self.keep_u, 1.0 - self.keep_v
        self.vth = np.concatenate([population.threshold for population in populations])
        self.bias = np.concatenate([population.bias for population in populations])
        self.adapts = any(population.adapts for population in populations)
        nothing = {population.name: np.zeros(population.size) for population in populations}
        self.increment = np.concatenate(
            [nothing[p.name] if p.threshold_increment is None else p.threshold_increment for p in populations]
        )
        self.keep_adaptation = np.concatenate(
            [nothing[p.name] if p.decay_threshold is None else p.decay_threshold for p in populations]
        )
        self.adaptation = np.zeros_like(self.vth)  # what spikes have added to thresholds; 0 where they do not adapt

    def receive(self, arriving: FloatArray) -> None:
        """The synaptic input of the next step."""
        self.input[0] = arriving

    def update(self, rng: Any) -> None:
        """One step of all compartments: the stock float update, with u added to v before the bias and not after it."""
        del rng
        self.current *= self.keep_u
        self.current += self.input[0]
        self.voltage *= self.keep_v
        self.voltage += self.current
        self.voltage += self.bias
        self.voltage[self.ref_count > 0] = 0.0
        threshold = self.vth
        if self.adapts:
            self.adaptation *= self.keep_adaptation
            threshold = self.vth + self.adaptation
        np.greater(self.voltage, threshold, out=self.spiked)
        if self.adapts:
            self.adaptation[self.spiked] += self.increment[self.spiked]
        self.voltage[self.spiked] = 0.0
        self.ref_count[self.spiked] = self.ref[self.spiked]
        np.maximum(self.ref_count - 1, 0, out=self.ref_count)
        self.spike_count[self.spiked] += 1

    def reset(self) -> None:
        """Forget u, v, threshold adaptation, refractory counts and spikes."""
        states = (self.input, self.current, self.voltage, self.adaptation)
        for values in (*states, self.ref_count, self.spiked, self.spike_count):
            values[:] = 0


@final
class Arrivals:
    """What is under way over the synapses of one projection onto one block.

    In fixed point weights are mantissas; what is sent together and arrives together is summed and then shifted by the
    projection's exponent. nengo-loihi would shift weight by weight: with a negative exponent it has fractions of a unit
    where a program rounds down, and at -7 it rounds every weight.
    """

    def __init__(
        self, synapse: BlockSynapse, weight: FloatArray, block: slice, plastic: PlasticSynapses | None
    ) -> None:
        self.synapse, self.block = synapse, block  # the compartments of the block among all
        self.moving = plastic if synapse.projection.learns_delays else None  # whose delays learn
        self.exponent = synapse.projection.weight_exponent
        self.weight = weight  # of the whole projection, in the program's order; learning changes it in place
        self.target = np.concatenate([indices[0] for indices in synapse.indices]).astype(np.int64)
        self.delay: IntArray = synapse.projection.delay[synapse.entries]
        self.under_way: FloatArray = np.zeros(
            (synapse.projection.max_delay, synapse.block_size)
        )  # row t: arrives at step t

    def take(self, step: int) -> FloatArray:
        """The current of this step. Its row stays until spikes of the step are sent."""
        row: FloatArray = self.under_way[step % len(self.under_way)]
        return row

    def send(self, step: int, axons: IntArray) -> None:
        """Enter spikes that are sent in this step, with the weights of now, where they arrive."""
        rows, size = self.under_way.shape
        self.under_way[step % rows] = 0.0
        if axons.size == 0:
            return
        pointer = self.synapse.pointer
        here = np.concatenate([np.arange(pointer[axon], pointer[axon + 1]) for axon in axons])
        weight = self.weight[self.synapse.entries[here]]
        if rows == 1:
            total = np.bincount(self.target[here], weights=weight, minlength=size)
            self.under_way[0] = scaled(total, self.exponent)
            return
        delay = self.delay[here]
        if self.moving is not None:
            delay = self.moving.steps_of(self.synapse.entries[here])
        place = (step + delay) % rows * size + self.target[here]
        total = np.bincount(place, weights=weight, minlength=rows * size)
        self.under_way += scaled(total, self.exponent).reshape(rows, size)


@final
class Emulator(EmulatorInterface):  # type: ignore[misc]
    """Steps in the stock order: input, compartments, probes; and learning between the last two."""

    strict = True

    def __init__(self, lowering: Lowering, seed: int = 0) -> None:
        with np.errstate(invalid="ignore"):  # the stock constructor fills arrays with NaN first, integer ones too
            super().__init__(lowering.model, seed=0)
        program = lowering.program
        slices = self.block_info.slices
        self.populations = {
            name: slice(slices[blocks[0][1]].start, slices[blocks[-1][1]].stop)
            for name, blocks in lowering.blocks.items()
        }
        self.compartment = (
            FixedCompartments(self.block_info, self.populations)
            if program.arithmetic == "fixed"
            else DoubleCompartments(self.block_info, lowering)
        )
        self.sources: dict[str, Any] = lowering.inputs
        self.plastic = {p.name: plastic_synapses(program, p, seed) for p in program.projections if p.rule is not None}
        self.weights = {
            p.name: self.plastic[p.name].weight if p.rule is not None else p.weight.copy() for p in program.projections
        }
        block_of = {synapse: block for block in self.block_info.blocks for synapse in block.synapses}
        self.arrivals = [
            Arrivals(s, self.weights[s.projection.name], slices[block_of[s]], self.plastic.get(s.projection.name))
            for s in lowering.synapses
        ]
        self._modulators: Mapping[str, FloatArray] = {}
        self._fed_from = 0

    def feed(self, inputs: Mapping[str, BoolArray], modulators: Mapping[str, FloatArray]) -> None:
        """Spikes and third factors of the next steps, shape (steps, size)."""
        self._modulators, self._fed_from = modulators, self.t + 1
        for name, spikes in inputs.items():
            for row in np.flatnonzero(spikes.any(axis=1)):
                self.sources[name].add_spikes(self._fed_from + int(row), np.flatnonzero(spikes[row]))

    def step(self) -> None:
        """Advance by one time step."""
        self.t += 1
        arriving = np.zeros(self.block_info.n_compartments)
        for arrivals in self.arrivals:
            arriving[arrivals.block] += arrivals.take(self.t)
        self.compartment.receive(arriving)
        self.compartment.update(self.rng)
        spiking = {name: np.flatnonzero(self.compartment.spiked[part]) for name, part in self.populations.items()}
        for name, source in self.sources.items():
            spiking[name] = np.asarray(source.spike_idxs(self.t), dtype=np.int64)
        for arrivals in self.arrivals:
            arrivals.send(self.t, spiking[arrivals.synapse.projection.pre])
        for plastic in self.plastic.values():
            projection = plastic.projection
            factor = reward(self._modulators, plastic.rule.modulators, self.t - self._fed_from)
            membrane = self.compartment.voltage[self.populations[projection.post]]
            plastic.learn(self.t, spiking[projection.pre], spiking[projection.post], factor, membrane)
        self.probes.update(self.t, self.compartment)

    def reset(self) -> None:
        """Forget everything but time, weights, thresholds and bias."""
        self.compartment.reset()
        for arrivals in self.arrivals:
            arrivals.under_way[:] = 0.0
        for plastic in self.plastic.values():
            plastic.reset()

    def close(self) -> None:
        """Free the state."""
        super().close()
        self.arrivals, self.plastic, self.weights, self.sources = [], {}, {}, {}
