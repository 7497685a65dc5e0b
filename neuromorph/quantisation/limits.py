"""What a chip can hold, read from its hardware file."""

from __future__ import annotations

from dataclasses import dataclass

from neuromorph.arithmetic import DECAY_UNITY, STATE_LIMIT
from neuromorph.chip import Chip
from neuromorph.errors import CompileError


@dataclass(frozen=True, kw_only=True)
class ChipLimits:
    """Ranges of a chip's integers; every number comes from the chip's hardware file."""

    chip: str
    decay_unity: int  # decays are multiples of one over this
    state: int  # u and v lie within -state .. state
    threshold_shift: int
    threshold_mantissa: int  # the largest
    bias_mantissa: tuple[int, int]
    bias_exponent: int  # the largest
    refractory: int  # steps after a spike in which v stays 0, at most
    extra_delay: int  # steps beyond the one that every spike takes, at most
    weight_exponent: tuple[int, int]
    weight_widths: tuple[int, ...]  # bits without the sign
    epoch: int  # steps, at most
    trace: int  # the largest value of a trace
    trace_impulse: int  # the largest
    tag: int  # the largest
    third_factor: int  # the largest, of either sign
    coefficient_mantissa: tuple[int, int]
    coefficient_exponent: tuple[int, int]

    @property
    def largest_threshold(self) -> int:
        """In units of v."""
        return self.threshold_mantissa << self.threshold_shift

    @property
    def largest_bias(self) -> int:
        """In units of v, of either sign."""
        return min(-self.bias_mantissa[0], self.bias_mantissa[1]) << self.bias_exponent

    @property
    def smallest_coefficient(self) -> float:
        """Of a learning rule: 2^-7 on Loihi 1."""
        return float(2.0 ** self.coefficient_exponent[0])

    @classmethod
    def of(cls, chip: Chip) -> ChipLimits:
        """Raises :class:`ChipError` where the chip states too little, and :class:`CompileError` where it is another machine."""

        def largest(name: str) -> int:
            return int(chip.limit(name).high)

        def both(name: str) -> tuple[int, int]:
            return int(chip.limit(name).low), int(chip.limit(name).high)

        widths = chip.limit("synapse.weight_widths").values
        limits = cls(
            chip=chip.name,
            decay_unity=2 ** largest("neuron.decay_bits"),
            state=2 ** (largest("neuron.membrane_bits") - 1),
            threshold_shift=largest("neuron.threshold_shift"),
            threshold_mantissa=2 ** largest("neuron.threshold_mantissa_bits") - 1,
            bias_mantissa=both("neuron.bias_mantissa"),
            bias_exponent=2 ** largest("neuron.bias_exponent_bits") - 1,
            refractory=largest("neuron.refractory") - int(chip.limit("neuron.refractory").low),
            extra_delay=largest("synapse.delay"),
            weight_exponent=both("synapse.weight_exponent"),
            weight_widths=tuple(int(width) for width in widths),
            epoch=largest("learning.epoch"),
            trace=2 ** largest("learning.trace_bits") - 1,
            trace_impulse=largest("learning.trace_impulse"),
            tag=2 ** (largest("learning.tag_bits") - 1) - 1,
            third_factor=2 ** (largest("learning.reward_bits") - 1) - 1,
            coefficient_mantissa=both("learning.coefficient_mantissa"),
            coefficient_exponent=both("learning.coefficient_exponent"),
        )
        if limits.decay_unity > DECAY_UNITY or limits.state != STATE_LIMIT:
            raise CompileError(
                f"chip {chip.name!r}: programs have 24-bit states and decays of at most 12 bits,"
                f" got {chip.limit('neuron.membrane_bits').high:g} and {chip.limit('neuron.decay_bits').high:g}"
            )
        return limits
