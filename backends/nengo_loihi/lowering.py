"""From a program to nengo-loihi's model of a chip: what each part becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from nengo_loihi.block import MAX_COMPARTMENTS, Axon, LoihiBlock, Synapse, SynapseConfig
from nengo_loihi.builder import Model
from nengo_loihi.builder.discretize import BIAS_EXP_MAX, BIAS_MAN_MAX, BIAS_MAX, shift
from nengo_loihi.inputs import SpikeInput
from nengo_loihi.probe import LoihiProbe
from scipy.sparse import csr_matrix

from neuromorph.arithmetic import DECAY_UNITY, STATE_LIMIT, SignMode
from neuromorph.errors import UnsupportedError, raise_faults
from neuromorph.inputs import Input
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray

# What a probe records: the program's name of a variable, and the attribute of nengo-loihi's compartments.
PROBES: Mapping[str, str] = {
    "spikes": "spiked",
    "u": "current",
    "v": "voltage",
    "threshold_adaptation": "adaptation",  # of our own compartments
}
# The chip's register that says which signs the weights of some synapses have.
FANOUT_TYPES: Mapping[SignMode, int] = {"mixed": 1, "excitatory": 2, "inhibitory": 3}


@final
class BlockSynapse(Synapse):  # type: ignore[misc]
    """The synapses of one projection onto one block: axon i is presynaptic neuron i.

    In fixed point it holds integers as nengo-loihi does: mantissas times ``2^(6 + exponent)``.
    """

    def __init__(self, projection: ProjectionProgram, first: int, size: int, *, fixed: bool = False) -> None:
        super().__init__(projection.pre_size, label=projection.name)
        self.projection = projection
        self.first = first  # the block's first neuron in its population
        self.block_size = size  # neurons in the block
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
        if fixed:
            self._discretise()

    def _discretise(self) -> None:
        """What nengo-loihi's own discretisation would do to the weights, without its rescaling."""
        projection = self.projection
        bits = next(i for i, bits in enumerate(SynapseConfig.WEIGHT_BITS_MAP) if bits >= projection.weight_bits)
        fanout = FANOUT_TYPES[projection.sign_mode]
        self.format(weight_exp=projection.weight_exponent, fanout_type=fanout, weight_bits=bits)
        for axon, mantissas in enumerate(self.weights):
            self.weights[axon] = shift(mantissas.astype(np.int32), self.synapse_cfg.real_weight_exp)


@final
class Lowering:
    """A program as a ``nengo_loihi.builder.Model``; ``table`` says which function makes each kind of part.

    Of a float program parameters and weights in it are float32, as nengo-loihi wants them before they are discretised;
    of a fixed-point one they are the int32 that it makes of them, as they go to the chip. Delays and learning rules are
    in the synapses' programs, since nengo-loihi's own objects have no place for them.
    """

    def __init__(self, program: Program, states: list[tuple[str, str]]) -> None:
        table: Mapping[type, Callable[[Any], None]] = {
            Input: self.input,
            PopulationProgram: self.population,
            ProjectionProgram: self.projection,
        }
        self.program, self.fixed = program, program.arithmetic == "fixed"
        self.model = Model(dt=program.dt, label=program.name)
        self.inputs: dict[str, Any] = {}
        self.blocks: dict[str, list[tuple[int, Any]]] = {}  # by population: first neuron and block
        self.synapses: list[BlockSynapse] = []
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite in the model; the emulator has float64
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
        if self.fixed:
            raise_faults(UnsupportedError, bias_faults(item.name, item.bias))
        self.blocks[item.name] = []
        for first in range(0, item.size, MAX_COMPARTMENTS):
            part = slice(first, min(first + MAX_COMPARTMENTS, item.size))
            block = LoihiBlock(part.stop - first, label=f"{item.name}[{first}:{part.stop}]")
            compartment = block.compartment
            if self.fixed:
                _set_integers(compartment, item, part)
            else:
                compartment.decay_u[:] = 1.0 - item.decay_u[part]
                compartment.decay_v[:] = 1.0 - item.decay_v[part]
                compartment.vth[:] = item.threshold[part]
                compartment.bias[:] = item.bias[part]
                compartment.vmin, compartment.vmax = -np.inf, np.inf
            compartment.refract_delay[:] = item.refractory[part] + 1  # counted from the step of the spike
            compartment.scale_u = compartment.scale_v = False
            self.model.add_block(block)
            self.blocks[item.name].append((first, block))

    def projection(self, item: ProjectionProgram) -> None:
        """Synapses in every block that it reaches, and axons to them from every block or input that sends."""
        for first, block in self.blocks[item.post]:
            if not np.any((item.post_index >= first) & (item.post_index < first + block.n_neurons)):
                continue  # nengo-loihi has no synapses without weights
            synapse = BlockSynapse(item, first, block.n_neurons, fixed=self.fixed)
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


def bias_faults(population: str, bias: FloatArray) -> list[str]:
    """Why nengo-loihi's registers cannot hold biases of a fixed-point program, as sentences: only -4096 << 7 it lacks."""
    beyond = np.abs(bias) > BIAS_MAX
    if not beyond.any():
        return []
    return [
        f"population {population!r}: nengo-loihi holds a bias as a mantissa of -{BIAS_MAN_MAX}..{BIAS_MAN_MAX} and an"
        f" exponent of 0..{BIAS_EXP_MAX}, not {int(bias[beyond][0])}"
    ]


def _set_integers(compartment: Any, item: PopulationProgram, part: slice) -> None:
    """A fixed-point program's parameters in the units of the chip's registers, but for thresholds and biases as they act."""
    parameters = {
        "decay_u": DECAY_UNITY - 1 - np.rint(item.decay_u[part] * DECAY_UNITY),
        "decay_v": DECAY_UNITY - np.rint(item.decay_v[part] * DECAY_UNITY),
        "vth": item.threshold[part],
        "bias": item.bias[part],
    }
    for name, values in parameters.items():
        setattr(compartment, name, values.astype(np.int32))  # float32 until nengo-loihi or we put integers there
    compartment.vmin, compartment.vmax = 1 - STATE_LIMIT, STATE_LIMIT - 1
    compartment.noise_exp = 7  # no noise is enabled; 0 would be -1 in the chip's register
