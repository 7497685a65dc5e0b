"""NIR, the exchange format of the field: networks in and out.

>>> from neuromorph import LIF, Input, Network, Population, Projection, compile
>>> net = Network(populations=[Input("in", 1), Population("out", 1, LIF())], projections=[Projection("in", "out", [[0.5]])])
>>> graph = to_nir(net, dt=1e-3)
>>> [type(node).__name__ for node in graph.nodes.values()]
['Input', 'CubaLIF', 'Linear', 'Output']
>>> compile(from_nir(graph, dt=1e-3)).fingerprint == compile(net).fingerprint
True
"""

from neuromorph.nir.reading import from_nir
from neuromorph.nir.writing import to_nir

__all__ = ["from_nir", "to_nir"]
