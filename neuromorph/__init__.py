"""neuromorph: one description of a spiking network, the same spikes on every neuromorphic backend.

Names are loaded from their modules when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuromorph.comparison import compare
    from neuromorph.connectors import (
        AllToAll,
        Dense,
        FixedInDegree,
        FixedOutDegree,
        FixedProbability,
        Normal,
        OneToOne,
        Sparse,
        Uniform,
    )
    from neuromorph.costs import estimate
    from neuromorph.design_rules import CheckReport, check
    from neuromorph.execution import compile, open, resume, run
    from neuromorph.host_rules import (
        CascadeConsolidation,
        Chunk,
        GlialGain,
        Gliotransmission,
        HostRule,
        HostRuleState,
        IntrinsicExcitability,
        LabelAssignment,
        SignificanceGate,
        SleepReplay,
        StructuralPlasticity,
        SynapticIntelligence,
        SynapticScaling,
        TaggingAndCapture,
        WeightNormalisation,
        chunks_with_host_rules,
        run_with_host_rules,
    )
    from neuromorph.inputs import Input, Modulator
    from neuromorph.live import (
        from_lava,
        from_nengo,
        lava_inputs,
        lava_modulators,
        nengo_inputs,
        to_lava,
        to_nengo,
    )
    from neuromorph.network import Network, Population, Probe, Projection
    from neuromorph.neurobench import metrics
    from neuromorph.neurons import IF, LIF
    from neuromorph.nir import from_nir, to_nir
    from neuromorph.placement import Placement, place
    from neuromorph.plasticity import (
        BCM,
        PES,
        STDP,
        AntiHebbianSTDP,
        Broadcast,
        CerebellarLTD,
        ClopathSTDP,
        DeltaRule,
        DopamineSTDP,
        EProp,
        GatedSTDP,
        Hebbian,
        InhibitorySTDP,
        LearningRule,
        Oja,
        OpponentSTDP,
        Perceptron,
        RewardModulatedSTDP,
        SpikeTracePrototype,
        SupervisedSTDP,
        SymmetricSTDP,
        TemporalDifference,
        Trace,
        TripletSTDP,
    )
    from neuromorph.program import Program
    from neuromorph.quantisation import quantise, rounding_report
    from neuromorph.recording import Recording, SpikeTrain

__version__ = "0.1.0"

_MODULES = {
    "comparison": ("compare",),
    "connectors": (
        "AllToAll",
        "Dense",
        "FixedInDegree",
        "FixedOutDegree",
        "FixedProbability",
        "Normal",
        "OneToOne",
        "Sparse",
        "Uniform",
    ),
    "costs": ("estimate",),
    "design_rules": ("CheckReport", "check"),
    "execution": ("compile", "open", "resume", "run"),
    "host_rules": (
        "CascadeConsolidation",
        "Chunk",
        "GlialGain",
        "Gliotransmission",
        "HostRule",
        "HostRuleState",
        "IntrinsicExcitability",
        "LabelAssignment",
        "SignificanceGate",
        "SleepReplay",
        "StructuralPlasticity",
        "SynapticIntelligence",
        "SynapticScaling",
        "TaggingAndCapture",
        "WeightNormalisation",
        "chunks_with_host_rules",
        "run_with_host_rules",
    ),
    "inputs": ("Input", "Modulator"),
    "live": ("from_lava", "from_nengo", "lava_inputs", "lava_modulators", "nengo_inputs", "to_lava", "to_nengo"),
    "network": ("Network", "Population", "Probe", "Projection"),
    "neurobench": ("metrics",),
    "neurons": ("IF", "LIF"),
    "nir": ("from_nir", "to_nir"),
    "placement": ("Placement", "place"),
    "plasticity": (
        "AntiHebbianSTDP",
        "BCM",
        "Broadcast",
        "CerebellarLTD",
        "ClopathSTDP",
        "DeltaRule",
        "DopamineSTDP",
        "EProp",
        "GatedSTDP",
        "Hebbian",
        "InhibitorySTDP",
        "LearningRule",
        "Oja",
        "OpponentSTDP",
        "PES",
        "Perceptron",
        "RewardModulatedSTDP",
        "STDP",
        "SpikeTracePrototype",
        "SupervisedSTDP",
        "SymmetricSTDP",
        "TemporalDifference",
        "Trace",
        "TripletSTDP",
    ),
    "program": ("Program",),
    "quantisation": ("quantise", "rounding_report"),
    "recording": ("Recording", "SpikeTrain"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BCM",
    "IF",
    "LIF",
    "PES",
    "STDP",
    "AllToAll",
    "AntiHebbianSTDP",
    "Broadcast",
    "CascadeConsolidation",
    "CerebellarLTD",
    "CheckReport",
    "Chunk",
    "ClopathSTDP",
    "DeltaRule",
    "Dense",
    "DopamineSTDP",
    "EProp",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "GatedSTDP",
    "GlialGain",
    "Gliotransmission",
    "Hebbian",
    "HostRule",
    "HostRuleState",
    "InhibitorySTDP",
    "Input",
    "IntrinsicExcitability",
    "LabelAssignment",
    "LearningRule",
    "Modulator",
    "Network",
    "Normal",
    "Oja",
    "OneToOne",
    "OpponentSTDP",
    "Perceptron",
    "Placement",
    "Population",
    "Probe",
    "Program",
    "Projection",
    "Recording",
    "RewardModulatedSTDP",
    "SignificanceGate",
    "SleepReplay",
    "Sparse",
    "SpikeTracePrototype",
    "SpikeTrain",
    "StructuralPlasticity",
    "SupervisedSTDP",
    "SymmetricSTDP",
    "SynapticIntelligence",
    "SynapticScaling",
    "TaggingAndCapture",
    "TemporalDifference",
    "Trace",
    "TripletSTDP",
    "Uniform",
    "WeightNormalisation",
    "check",
    "chunks_with_host_rules",
    "compare",
    "compile",
    "estimate",
    "from_lava",
    "from_nengo",
    "from_nir",
    "lava_inputs",
    "lava_modulators",
    "metrics",
    "nengo_inputs",
    "open",
    "place",
    "quantise",
    "resume",
    "rounding_report",
    "run",
    "run_with_host_rules",
    "to_lava",
    "to_nengo",
    "to_nir",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'neuromorph' has no attribute {name!r}; known: {', '.join(__all__)}")
    value = getattr(import_module(f"neuromorph.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
