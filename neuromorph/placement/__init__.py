"""Populations cut onto the cores of a chip, under all of its limits at once."""

from neuromorph.placement.limits import Limits
from neuromorph.placement.messages import Messages
from neuromorph.placement.placement import Part, PlacedCore, Placement, Use
from neuromorph.placement.placing import place

__all__ = ["Limits", "Messages", "Part", "PlacedCore", "Placement", "Use", "place"]
