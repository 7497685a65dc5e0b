"""Learning rules: the language, the rule object, and the named rules."""

from neuromorph.plasticity.language import Factor, Product, SumOfProducts, parse
from neuromorph.plasticity.rule import LearningRule, Trace
from neuromorph.plasticity.stdp import STDP, RewardModulatedSTDP

__all__ = [
    "STDP",
    "Factor",
    "LearningRule",
    "Product",
    "RewardModulatedSTDP",
    "SumOfProducts",
    "Trace",
    "parse",
]
