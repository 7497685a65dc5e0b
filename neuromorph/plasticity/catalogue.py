"""Every named rule, in the order of the documentation: from Hebb to third factors."""

from __future__ import annotations

from collections.abc import Callable

from neuromorph.plasticity.anti_hebbian_stdp import AntiHebbianSTDP
from neuromorph.plasticity.bcm import BCM
from neuromorph.plasticity.cerebellar_ltd import CerebellarLTD
from neuromorph.plasticity.clopath_stdp import ClopathSTDP
from neuromorph.plasticity.delta_rule import DeltaRule
from neuromorph.plasticity.dopamine_stdp import DopamineSTDP
from neuromorph.plasticity.e_prop import EProp
from neuromorph.plasticity.gated_stdp import GatedSTDP
from neuromorph.plasticity.hebbian import Hebbian
from neuromorph.plasticity.inhibitory_stdp import InhibitorySTDP
from neuromorph.plasticity.oja import Oja
from neuromorph.plasticity.opponent_stdp import OpponentSTDP
from neuromorph.plasticity.perceptron import Perceptron
from neuromorph.plasticity.pes import PES
from neuromorph.plasticity.reward_modulated_stdp import RewardModulatedSTDP
from neuromorph.plasticity.rule import LearningRule
from neuromorph.plasticity.spike_trace_prototype import SpikeTracePrototype
from neuromorph.plasticity.stdp import STDP
from neuromorph.plasticity.supervised_stdp import SupervisedSTDP
from neuromorph.plasticity.symmetric_stdp import SymmetricSTDP
from neuromorph.plasticity.triplet_stdp import TripletSTDP

# Functions of keyword-only parameters, all with defaults, each named as the rule that it returns.
NAMED_RULES: tuple[Callable[..., LearningRule], ...] = (
    Hebbian,
    Oja,
    BCM,
    STDP,
    TripletSTDP,
    ClopathSTDP,
    SymmetricSTDP,
    AntiHebbianSTDP,
    InhibitorySTDP,
    SpikeTracePrototype,
    DeltaRule,
    Perceptron,
    SupervisedSTDP,
    PES,
    CerebellarLTD,
    EProp,
    RewardModulatedSTDP,
    DopamineSTDP,
    OpponentSTDP,
    GatedSTDP,
)
