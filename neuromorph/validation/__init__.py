"""Published measurements of networks on chips, each predicted from its network: how far the estimates can be trusted."""

from neuromorph.validation.case import Case
from neuromorph.validation.catalogue import CASES
from neuromorph.validation.row import Row, Target

__all__ = ["CASES", "Case", "Row", "Target"]
