"""Nengo 4: a program as ensembles of an exact current-based LIF neuron, joined by event-driven synapses.

A program becomes an ordinary ``nengo.Network`` that ``nengo.Simulator`` runs. Nothing of the Neural Engineering
Framework is used: no decoders, no random initial state, and no seed of Nengo's matters. The neuron types and the
transform are ours, because Nengo has neither a synaptic current in its neurons nor delays or event-driven learning
between them.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="numpy.core is deprecated", category=DeprecationWarning)
    import nengo  # noqa: F401  (here first, so that its warning about NumPy 2 is silenced once for all files)

from neuromorph.backends.nengo.session import NengoBackend

__all__ = ["NengoBackend"]
