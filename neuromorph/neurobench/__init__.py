"""NeuroBench's algorithm metrics of a recorded run, in NumPy: what it holds, how sparse it is, what it computes."""

from neuromorph.neurobench.counting import metrics, metrics_of_chunks
from neuromorph.neurobench.layer_calls import SynapticOperations, layer_operations
from neuromorph.neurobench.measuring import measure
from neuromorph.neurobench.work import Metrics, PopulationWork, ProjectionWork

__all__ = [
    "Metrics",
    "PopulationWork",
    "ProjectionWork",
    "SynapticOperations",
    "layer_operations",
    "measure",
    "metrics",
    "metrics_of_chunks",
]
