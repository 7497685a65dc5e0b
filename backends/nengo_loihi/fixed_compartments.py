"""nengo-loihi's compartments in a chip's integers: its stock update, with what it would wrap silently caught."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt
from nengo_loihi.builder.discretize import Q_BITS, overflow_signed
from nengo_loihi.emulator.interface import CompartmentState

from neuromorph.arithmetic import ALIGNMENT, STATE_LIMIT
from neuromorph.errors import NumericalLimit
from neuromorph.recording import FloatArray


@final
class FixedCompartments(CompartmentState):  # type: ignore[misc]
    """Compartments of all blocks in int32, updated by nengo-loihi's own code.

    Three things around that code are ours. The synaptic input and u + bias have 21 and 23 bits here and more in a
    program, so a step that would wrap one of them is an error. u wraps at 24 bits in both, but ``2^23`` stays in a
    program (as in Lava) and becomes ``-2^23`` here. And no noise is drawn: no compartment has any.
    """

    def __init__(self, block_info: Any, populations: dict[str, slice]) -> None:
        with np.errstate(invalid="ignore"):  # it fills integer arrays with NaN before it fills them with parameters
            super().__init__(block_info, strict=True)
        self.populations = populations  # the compartments of each
        self.time = 0  # steps taken
        silence = np.zeros(self.n_compartments, dtype=self.dtype)
        self.noise.sample = lambda rng: silence
        self._overflow = self._checked_overflow  # the stock constructor sets it, to a function of its own

    def receive(self, arriving: FloatArray) -> None:
        """The synaptic input of the next step, in weight units: summed mantissas with their exponents."""
        self.time += 1
        total = arriving * 2.0**ALIGNMENT  # it may exceed 32 bits too, hence the check before the conversion
        self._check("the sum of weights that arrive, shifted left by 6", total, Q_BITS)
        self.input[0] = total

    def reset(self) -> None:
        """Forget u, v, refractory counts and spikes."""
        for values in (self.input, self.current, self.voltage, self.ref_count, self.spiked, self.spike_count):
            values[:] = 0

    def _checked_overflow(self, values: npt.NDArray[Any], bits: int, name: str) -> None:
        """Wrap in place as the stock update does, where a program wraps too; elsewhere raise."""
        if name != "current":
            self._check({"q0": "the synaptic input", "u2": "u + bias"}[name], values, bits)
            return
        overflow_signed(values, bits=bits, out=values)
        values[values == -STATE_LIMIT] = STATE_LIMIT  # both 2^23 and -2^23 are 2^23 in a program

    def _check(self, what: str, values: npt.NDArray[Any], bits: int) -> None:
        beyond = (values >= 2**bits) | (values < -(2**bits))
        if not beyond.any():
            return
        index = int(np.flatnonzero(beyond)[0])
        name, first = next((name, part.start) for name, part in self.populations.items() if index < part.stop)
        raise NumericalLimit(
            f"step {self.time}, population {name!r}, neuron {index - first}: {what} is {int(values[index])}, and nengo-loihi"
            f" holds {-(2**bits)}..{2**bits - 1} ({bits} bits and a sign) and would wrap it: quantise with a larger"
            " busy_rate, or use a backend whose accumulators do not wrap; `neuromorph check` finds such programs"
        )
