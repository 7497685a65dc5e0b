"""From a program in float to one in a chip's integers, with every rounding told."""

from neuromorph.quantisation.conversion import ChipLike, Quantisation, Quantised, quantise, rounding_report
from neuromorph.quantisation.report import Rounding, RoundingReport

__all__ = ["ChipLike", "Quantisation", "Quantised", "Rounding", "RoundingReport", "quantise", "rounding_report"]
