"""From a program to nengo-loihi's model of a chip: what each part becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from nengo_loihi.block import MAX_COMPARTMENTS, Axon, LoihiBlock, Synapse
from nengo_loihi.builder import Model
from nengo_loihi.inputs import SpikeInput
from nengo_loihi.probe import LoihiProbe
from scipy.sparse import csr_matrix

from neuromorph.inputs import Input
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import IntArray

# What a probe records: the program's name of a variable, and the attribute of nengo-loihi's compartments.
PROBES: Mapping[str, str] = {"spikes": "spiked", "u": "current", "v": "voltage"}


@final
class BlockSynapse(Synapse):  # type: ignore[misc]
    """The synapses of one projection onto one block: axon i is presynaptic neuron i."""

    def __init__(self, projection: ProjectionProgram, first: int, size: int) -> None:
        super().__init__(projection.pre_size, label=projection.name)
        self.projection = projection
        self.first = first  # the block's first neuron in its population
        self.size = size  # neurons in the block
        pointer, order = projection.by_pre
        post = projection.post_index[order]
        inside = (post >= first) & (post < first + size)
        self.entries: IntArray = order[inside]  # the program's synapses, axon after axon
        # the entries of axon i are pointer[i]:pointer[i + 1]
        self.pointer: IntArray = np.concatenate([[0], np.cumsum(inside)])[pointer]
        weights = projection.weight[self.entries].astype(np.float32)
        targets = (projection.post_index[self.entries] - first).astype(np.int32)
        rows = (weights, targets, self.pointer.astype(np.int32))
        self.set_weights(csr_matrix(rows, shape=(projection.pre_size, size)))


@final
class Lowering:
    """A program as a ``nengo_loihi.builder.Model``; ``table`` says which function makes each kind of part.

    Parameters and weights in it are float32, as nengo-loihi wants them before they are discretised; delays and learning
    rules are in the synapses' programs, since nengo-loihi's own objects have no place for them.
    """

    def __init__(self, program: Program, states: list[tuple[str, str]]) -> None:
        table: Mapping[type, Callable[[Any], None]] = {
            Input: self.input,
            PopulationProgram: self.population,
            ProjectionProgram: self.projection,
        }
        self.program = program
        self.model = Model(dt=program.dt, label=program.name)
        self.inputs: dict[str, Any] = {}
        self.blocks: dict[str, list[tuple[int, Any]]] = {}  # by population: first neuron and block
        self.synapses: list[BlockSynapse] = []
        for part in (*program.inputs, *program.populations, *program.projections):
            table[type(part)](part)
        wanted = [*((population.name, "spikes") for population in program.populations), *states]
        self.probes = {key: self._probe(*key) for key in wanted}

    def input(self, item: Input) -> None:
        """Spikes that the host sends."""
        self.inputs[item.name] = SpikeInput(item.size, label=item.name)
        self.model.add_input(self.inputs[item.name])

    def population(self, item: PopulationProgram) -> None:
        """Blocks of as many neurons as a core has compartments, or fewer."""
        self.blocks[item.name] = []
        for first in range(0, item.size, MAX_COMPARTMENTS):
            part = slice(first, min(first + MAX_COMPARTMENTS, item.size))
            block = LoihiBlock(part.stop - first, label=f"{item.name}[{first}:{part.stop}]")
            compartment = block.compartment
            compartment.decay_u[:] = 1.0 - item.decay_u[part]
            compartment.decay_v[:] = 1.0 - item.decay_v[part]
            compartment.vth[:] = item.threshold[part]
            compartment.bias[:] = item.bias[part]
            compartment.refract_delay[:] = item.refractory[part] + 1  # counted from the step of the spike
            compartment.scale_u = compartment.scale_v = False
            compartment.vmin, compartment.vmax = -np.inf, np.inf
            self.model.add_block(block)
            self.blocks[item.name].append((first, block))

    def projection(self, item: ProjectionProgram) -> None:
        """Synapses in every block that it reaches, and axons to them from every block or input that sends."""
        for first, block in self.blocks[item.post]:
            if not np.any((item.post_index >= first) & (item.post_index < first + block.n_neurons)):
                continue  # nengo-loihi has no synapses without weights
            synapse = BlockSynapse(item, first, block.n_neurons)
            block.add_synapse(synapse, name=item.name)
            self.synapses.append(synapse)
            if item.pre in self.inputs:
                self._axon(self.inputs[item.pre], synapse, 0, item.pre_size)
            else:
                for sender_first, sender in self.blocks[item.pre]:
                    self._axon(sender, synapse, sender_first, sender.n_neurons)

    def _axon(self, sender: Any, synapse: BlockSynapse, first: int, size: int) -> None:
        axon = Axon(size, label=synapse.label)
        axon.target = synapse
        axon.set_compartment_axon_map(np.arange(first, first + size))
        sender.add_axon(axon)

    def _probe(self, population: str, variable: str) -> Any:
        probe = LoihiProbe(target=[block for _, block in self.blocks[population]], key=PROBES[variable])
        self.model.add_probe(probe)
        return probe
