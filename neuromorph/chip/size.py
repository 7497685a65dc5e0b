"""How large a chip or board is, as far as its file tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neuromorph.chip.description import Chip
from neuromorph.chip.quantity import Quantity

Ends = tuple[float, float]  # low and high
ONCE: Ends = (1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Low and high of all chips together; None where the file does not tell.

    >>> from neuromorph.chip import load_chip
    >>> Size.of(load_chip("nahuku32")).cores
    (4096.0, 4096.0)
    """

    chips: Ends
    cores: Ends | None
    neurons: Ends | None
    synapse_memory_byte: Ends | None

    @classmethod
    def of(cls, chip: Chip) -> Size:
        """What a board states of itself goes before its chips times what each of them holds."""
        stated = {} if chip.board is None else chip.board.quantities
        chips = _ends(stated, "chips") or ONCE
        cores = _ends(chip.limits, "chip.cores")
        neurons = _ends(chip.limits, "chip.compartments") or _product(cores, _ends(chip.limits, "core.compartments"))
        bits = _product(cores, _ends(chip.limits, "core.synapse_memory"))
        memory = _ends(chip.limits, "chip.synapse_memory") or _product(bits, (1 / 8, 1 / 8))
        return cls(
            chips=chips,
            cores=_ends(stated, "cores") or _product(chips, cores),
            neurons=_ends(stated, "compartments") or _product(chips, neurons),
            synapse_memory_byte=_product(chips, memory),
        )

    def to_json(self) -> dict[str, list[float] | None]:
        """Plain data."""
        return {name: None if ends is None else list(ends) for name, ends in vars(self).items()}


def _ends(stated: Mapping[str, Quantity], name: str) -> Ends | None:
    return (stated[name].low, stated[name].high) if name in stated else None


def _product(one: Ends | None, other: Ends | None) -> Ends | None:
    return None if one is None or other is None else (one[0] * other[0], one[1] * other[1])
