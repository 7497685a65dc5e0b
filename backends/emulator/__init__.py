"""The fast chip emulator: a kernel in C that gives the reference's spikes and states to the bit, float and fixed point.

Lowering stores weights as narrow as is lossless and in rows of presynaptic neurons, so that a step touches only what
spiked; many steps run inside one call. Results depend neither on the number of threads nor on the processor.
"""

from neuromorph.backends.emulator.session import EmulatorBackend

__all__ = ["EmulatorBackend"]
