"""What a chip can hold, read from its hardware file."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neuromorph.chip import Chip
from neuromorph.errors import CompileError, raise_faults

# What fixed-point programs are, by the number a chip's file states: a chip of other numbers computes otherwise.
ARITHMETIC = {
    "neuron.membrane_bits": 24,
    "learning.trace_bits": 7,
    "learning.tag_bits": 9,
    "learning.reward_bits": 8,
    "learning.weight_bits": 9,
}
MOST_DECAY_BITS = 12
ACCUMULATOR = "synapse.accumulator_bits"  # without the sign
# What fixed-point programs can say at most; of a chip that holds more, no more is used.
RANGES = {
    "neuron.bias_mantissa": (-4096, 4095),
    "synapse.weight_exponent": (-7, 7),
    "learning.coefficient_mantissa": (-8, 7),
    "learning.coefficient_exponent": (-7, 8),
}
LEAST_THRESHOLD_SHIFT, THRESHOLD_BITS = 6, 23  # a threshold is a multiple of 2^6 below 2^23
MOST_BIAS_EXPONENT, MOST_TRACE_IMPULSE, MOST_WEIGHT_BITS = 7, 127, 8


@dataclass(frozen=True, kw_only=True)
class ChipLimits:
    """Ranges of a chip's integers; every number comes from the chip's hardware file."""

    chip: str
    decay_unity: int  # decays are multiples of one over this
    state: int  # u and v lie within -state .. state
    accumulator: float  # the input of one step lies below this, of either sign; infinite where the chip states none
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
        raise_faults(CompileError, [f"chip {chip.name!r}: {fault}" for fault in _foreign(chip)])

        def largest(name: str) -> int:
            return int(chip.limit(name).high)

        def both(name: str) -> tuple[int, int]:
            low, high = RANGES[name]
            return max(low, int(chip.limit(name).low)), min(high, largest(name))

        widest = min(MOST_WEIGHT_BITS, largest("synapse.weight_bits") - 1)  # the chip counts the sign
        widths = sorted({int(width) for width in chip.limit("synapse.weight_widths").values if 1 <= width <= widest})
        if not widths:
            raise CompileError(f"chip {chip.name!r}: it has no weights of 1 to {widest} bits beside the sign")
        shift = largest("neuron.threshold_shift")
        return cls(
            chip=chip.name,
            decay_unity=2 ** largest("neuron.decay_bits"),
            state=2 ** (largest("neuron.membrane_bits") - 1),
            accumulator=2.0 ** largest(ACCUMULATOR) if ACCUMULATOR in chip.limits else math.inf,
            threshold_shift=shift,
            threshold_mantissa=2 ** min(largest("neuron.threshold_mantissa_bits"), THRESHOLD_BITS - shift) - 1,
            bias_mantissa=both("neuron.bias_mantissa"),
            bias_exponent=min(MOST_BIAS_EXPONENT, 2 ** largest("neuron.bias_exponent_bits") - 1),
            refractory=largest("neuron.refractory") - int(chip.limit("neuron.refractory").low),
            extra_delay=min(largest("synapse.delay"), 2 ** largest("synapse.delay_bits") - 1),
            weight_exponent=both("synapse.weight_exponent"),
            weight_widths=tuple(widths),
            epoch=largest("learning.epoch"),
            trace=2 ** largest("learning.trace_bits") - 1,
            trace_impulse=min(MOST_TRACE_IMPULSE, largest("learning.trace_impulse")),
            tag=2 ** (largest("learning.tag_bits") - 1) - 1,
            third_factor=2 ** (largest("learning.reward_bits") - 1) - 1,
            coefficient_mantissa=both("learning.coefficient_mantissa"),
            coefficient_exponent=both("learning.coefficient_exponent"),
        )


def _foreign(chip: Chip) -> list[str]:
    """Numbers that fixed-point programs cannot keep to."""
    stated = {name: int(chip.limit(name).high) for name in ARITHMETIC}
    found = [
        f"fixed-point programs need {name} = {bits}, got {stated[name]}"
        for name, bits in ARITHMETIC.items()
        if stated[name] != bits
    ]
    if (decay := int(chip.limit("neuron.decay_bits").high)) > MOST_DECAY_BITS:
        found.append(f"fixed-point programs need neuron.decay_bits of at most {MOST_DECAY_BITS}, got {decay}")
    if not LEAST_THRESHOLD_SHIFT <= (shift := int(chip.limit("neuron.threshold_shift").high)) < THRESHOLD_BITS:
        found.append(
            f"fixed-point programs need neuron.threshold_shift of {LEAST_THRESHOLD_SHIFT} to {THRESHOLD_BITS - 1}, got {shift}"
        )
    return found
