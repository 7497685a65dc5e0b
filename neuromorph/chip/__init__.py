"""A chip or board as data: its limits and cost coefficients, each number with unit, source and status, from TOML.

A hardware file has ``name``, ``kind`` and ``description``, tables ``[limits.<part>]`` and ``[costs.<set>]``, and that of
a board ``[board]`` with the chip it carries. Units stand in key names (``energy_joule``); each number is a table
``{ value | low, high | values | points, per, source, status }``. Reading is strict: all faults of a file are raised
together, each with its path, such as ``$.costs.davies2018.synaptic_operation.energy_joule``. What may be stated is
:mod:`neuromorph.chip.schema`.
"""

from neuromorph.chip.description import Board, Chip, CostSet
from neuromorph.chip.files import chip_names, load_chip
from neuromorph.chip.quantity import Quantity, Statement
from neuromorph.chip.schema import KINDS, LIMITS, OPERATIONS, QUANTITIES, ROLES, STATUSES
from neuromorph.chip.size import Size

__all__ = [
    "KINDS",
    "LIMITS",
    "OPERATIONS",
    "QUANTITIES",
    "ROLES",
    "STATUSES",
    "Board",
    "Chip",
    "CostSet",
    "Quantity",
    "Size",
    "Statement",
    "chip_names",
    "load_chip",
]
