"""Host rules: plasticity beside the synapse, which acts between chunks of steps on any backend. One rule a file."""

from neuromorph.host_rules.cascade_consolidation import CascadeConsolidation
from neuromorph.host_rules.glial_gain import GlialGain
from neuromorph.host_rules.gliotransmission import Gliotransmission
from neuromorph.host_rules.host_rule import Chunk, HostRule, HostRuleState
from neuromorph.host_rules.intrinsic_excitability import IntrinsicExcitability
from neuromorph.host_rules.joining import joined
from neuromorph.host_rules.label_assignment import LabelAssignment
from neuromorph.host_rules.running import chunks_with_host_rules, run_with_host_rules
from neuromorph.host_rules.significance_gate import SignificanceGate
from neuromorph.host_rules.sleep_replay import SleepReplay
from neuromorph.host_rules.structural_plasticity import StructuralPlasticity
from neuromorph.host_rules.synaptic_intelligence import SynapticIntelligence
from neuromorph.host_rules.synaptic_scaling import SynapticScaling
from neuromorph.host_rules.tagging_and_capture import TaggingAndCapture
from neuromorph.host_rules.weight_normalisation import WeightNormalisation

__all__ = [
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
    "joined",
    "run_with_host_rules",
]
