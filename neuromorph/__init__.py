"""neuromorph: one description of a spiking network, the same spikes on every neuromorphic backend."""

from neuromorph.compare import compare
from neuromorph.connectors import AllToAll, Dense, FixedProbability, Normal, OneToOne, Sparse, Uniform
from neuromorph.costs import estimate
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.neurons import IF, LIF
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP, Trace
from neuromorph.program import Program
from neuromorph.recording import Recording, SpikeTrain
from neuromorph.run import compile, open, run

__version__ = "0.1.0"

__all__ = [
    "IF",
    "LIF",
    "STDP",
    "AllToAll",
    "Dense",
    "FixedProbability",
    "Input",
    "LearningRule",
    "Modulator",
    "Network",
    "Normal",
    "OneToOne",
    "Population",
    "Probe",
    "Program",
    "Projection",
    "Recording",
    "RewardModulatedSTDP",
    "Sparse",
    "SpikeTrain",
    "Trace",
    "Uniform",
    "compare",
    "compile",
    "estimate",
    "open",
    "run",
]
