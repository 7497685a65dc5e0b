"""Design rules: every limit of a chip that a network or program breaks, found before anything runs.

A rule is a named function of a :class:`Design` that says how much it found in each place and how much may be there.
All of them stand in :data:`RULES`; :func:`check` runs them all and makes one :class:`CheckReport`.
"""

from neuromorph.design_rules.accumulator import accumulator_faults
from neuromorph.design_rules.catalogue import RULES, UNCHECKED
from neuromorph.design_rules.checking import check
from neuromorph.design_rules.finding import Fault, Finding
from neuromorph.design_rules.report import CheckReport, Outcome
from neuromorph.design_rules.rule import DesignRule

__all__ = [
    "RULES",
    "UNCHECKED",
    "CheckReport",
    "DesignRule",
    "Fault",
    "Finding",
    "Outcome",
    "accumulator_faults",
    "check",
]
