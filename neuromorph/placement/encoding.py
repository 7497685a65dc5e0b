"""How the synapses of a projection lie in the memory of a core: bits of a list, by its length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuromorph.placement.limits import Limits
from neuromorph.program import ProjectionProgram
from neuromorph.recording import IntArray

# nengo-loihi, nengo_loihi/block.py, SynapseConfig.bits_per_axon: at most 64 synapses a block, each block with 4 bits for
# its format and 6 for its length, rounded up to whole words.
BLOCK, HEADER = 64, 10
WEIGHT_BITS = 8  # of a program in float: what quantisation gives unless told otherwise


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Bits of the lists that every presynaptic neuron of a projection has on every core that it reaches.

    A sparse list holds its ``k`` synapses, each with the number of its compartment; a dense one holds a weight for every
    neuron of the population on that core and no numbers. Which is smaller for the projection as a whole is taken::

        bits(k) = sum over blocks of 64 of ceil((n bits_per_synapse + 10) / word) word

    after nengo-loihi (nengo_loihi/block.py). A chip whose synapses take one number of bits each, as a crossbar's do, has no
    more than these.
    """

    dense: bool
    weight_bits: int
    index_bits: int  # 0 where dense
    delay_bits: int
    tag_bits: int
    word: int
    header: int = HEADER  # of a block

    @classmethod
    def of(cls, projection: ProjectionProgram, limits: Limits) -> Encoding:
        """The smaller one of the two."""
        if limits.synapse_bits:
            return cls(
                dense=False,
                weight_bits=limits.synapse_bits,
                index_bits=0,
                delay_bits=0,
                tag_bits=0,
                word=1,
                header=0,
            )
        compartments = limits.core["compartments"]
        index = (compartments - 1).bit_length()
        index = next((width for width in limits.index_widths if width >= index), index)
        asked = projection.weight_bits if projection.sign_mode != "none" and projection.rule is None else WEIGHT_BITS
        weight = next((width for width in limits.weight_widths if width >= asked), asked)
        delay = 0 if projection.max_delay == 1 else (projection.max_delay - 1).bit_length()
        tag = limits.tag_bits if projection.rule is not None and projection.rule.dt is not None else 0
        each = weight + delay + tag
        senders = int(np.count_nonzero(projection.fan_out))
        dense = senders * projection.post_size * each <= projection.synapses * (each + index)
        return cls(
            dense=dense,
            weight_bits=weight,
            index_bits=0 if dense else index,
            delay_bits=delay,
            tag_bits=tag,
            word=limits.word,
        )

    @property
    def bits_per_synapse(self) -> int:
        """Of one entry of a list."""
        return self.weight_bits + self.index_bits + self.delay_bits + self.tag_bits

    def bits(self, length: IntArray) -> IntArray:
        """Bits of lists of these lengths, any shape.

        >>> Encoding(dense=True, weight_bits=8, index_bits=0, delay_bits=0, tag_bits=0, word=64).bits(np.array([0, 6, 7, 64]))
        array([  0,  64, 128, 576])
        """
        whole, rest = np.divmod(np.asarray(length, dtype=np.int64), BLOCK)
        blocks = self._block(np.arange(BLOCK + 1))
        bits: IntArray = whole * blocks[BLOCK] + np.where(rest > 0, blocks[rest], 0)
        return bits

    def _block(self, length: IntArray) -> IntArray:
        words: IntArray = -(-(length * self.bits_per_synapse + self.header) // self.word)
        return words * self.word
