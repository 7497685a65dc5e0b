"""Learning rules: the language, the rule object, and the named rules."""

from neuromorph.plasticity.anti_hebbian_stdp import AntiHebbianSTDP
from neuromorph.plasticity.bcm import BCM
from neuromorph.plasticity.broadcast import Broadcast
from neuromorph.plasticity.catalogue import NAMED_RULES
from neuromorph.plasticity.cerebellar_ltd import CerebellarLTD
from neuromorph.plasticity.clopath_stdp import ClopathSTDP
from neuromorph.plasticity.delta_rule import DeltaRule
from neuromorph.plasticity.dopamine_stdp import DopamineSTDP
from neuromorph.plasticity.e_prop import EProp
from neuromorph.plasticity.expression import Expression
from neuromorph.plasticity.gated_stdp import GatedSTDP
from neuromorph.plasticity.hebbian import Hebbian
from neuromorph.plasticity.inhibitory_stdp import InhibitorySTDP
from neuromorph.plasticity.language import Factor, Product, SumOfProducts, parse
from neuromorph.plasticity.oja import Oja
from neuromorph.plasticity.opponent_stdp import OpponentSTDP
from neuromorph.plasticity.perceptron import Perceptron
from neuromorph.plasticity.pes import PES
from neuromorph.plasticity.reward_modulated_stdp import RewardModulatedSTDP
from neuromorph.plasticity.rule import LearningRule, Trace
from neuromorph.plasticity.spike_trace_prototype import SpikeTracePrototype
from neuromorph.plasticity.stdp import STDP
from neuromorph.plasticity.supervised_stdp import SupervisedSTDP
from neuromorph.plasticity.symmetric_stdp import SymmetricSTDP
from neuromorph.plasticity.temporal_difference import TemporalDifference
from neuromorph.plasticity.triplet_stdp import TRIPLET_PARAMETERS, TripletSTDP

__all__ = [
    "BCM",
    "NAMED_RULES",
    "PES",
    "STDP",
    "TRIPLET_PARAMETERS",
    "AntiHebbianSTDP",
    "Broadcast",
    "CerebellarLTD",
    "ClopathSTDP",
    "DeltaRule",
    "DopamineSTDP",
    "EProp",
    "Expression",
    "Factor",
    "GatedSTDP",
    "Hebbian",
    "InhibitorySTDP",
    "LearningRule",
    "Oja",
    "OpponentSTDP",
    "Perceptron",
    "Product",
    "RewardModulatedSTDP",
    "SpikeTracePrototype",
    "SumOfProducts",
    "SupervisedSTDP",
    "SymmetricSTDP",
    "TemporalDifference",
    "Trace",
    "TripletSTDP",
    "parse",
]
