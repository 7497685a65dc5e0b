"""nengo-loihi 1.1: a program as Loihi blocks, synapses, axons, inputs and probes, run by a subclass of its emulator.

Its Nengo-level builder is not used: that one rescales weights and thresholds, and has no delays and no learning between
neurons. Its objects are built directly instead, in float or in the chip's integers, so any part of the model that stock
nengo-loihi can run (no learning, delays of one step, no negative weight exponents) runs unchanged in its stock emulator.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="numpy.core is deprecated", category=DeprecationWarning)
    warnings.filterwarnings("ignore", message="This version of `nengo_loihi` has not been tested", category=UserWarning)
    import nengo_loihi  # noqa: F401  (here first, so that what it warns about is silenced once for all files)

from neuromorph.backends.nengo_loihi.session import NengoLoihiBackend

__all__ = ["NengoLoihiBackend"]
