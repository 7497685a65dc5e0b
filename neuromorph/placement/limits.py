"""What one core and one chip hold, read from a hardware file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neuromorph.chip import Chip
from neuromorph.errors import CompileError

# Resource of a core -> the limit of the hardware file. One that a file does not state binds nothing.
STATED: Mapping[str, str] = {
    "compartments": "core.compartments",
    "input_axons": "core.input_axons",
    "output_axons": "core.output_axons",
    "synapse_memory": "core.synapse_memory",
    "compartment_configurations": "core.compartment_configurations",
    "threshold_configurations": "core.threshold_configurations",
    "synapse_configurations": "core.synapse_configurations",
    "presynaptic_trace_configurations": "core.presynaptic_trace_configurations",
}
DELAY = "delay_memory"
WORDS: Mapping[str, str] = {  # as messages and tables name them
    "compartments": "compartments",
    "input_axons": "input axons",
    "output_axons": "output axons",
    "synapse_memory": "bits of synapse memory",
    "compartment_configurations": "compartment configurations",
    "threshold_configurations": "threshold configurations",
    "synapse_configurations": "synapse configurations",
    "presynaptic_trace_configurations": "presynaptic trace configurations",
    DELAY: "compartment steps of delay",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of every core of a chip, and how its cores lie.

    Where sources give a range, the lower end is kept: what fits then fits by every source. ``delay_memory`` is
    ``compartments x guaranteed delay``: longer delays onto a core leave room for fewer compartments there, at the same
    product; that it is constant is assumed, the published ends are 8 steps with all compartments and 62 with fewer.
    """

    chip: str
    core: Mapping[str, int]  # by resource
    cores: int  # of one chip
    chips: int  # that can be had
    guaranteed_delay: int  # steps beyond the one that every spike takes; 0: the file states none
    cores_per_tile: int  # 0: no mesh is stated
    columns: int  # tiles of a row; 0: no mesh is stated
    word: int  # bits: lists of synapses begin at a whole word
    weight_widths: tuple[int, ...]  # bits, rising
    index_widths: tuple[int, ...]  # bits, rising; empty: any
    tag_bits: int
    synapse_bits: int = 0  # of every synapse, with all that belongs to it; 0: it depends on how lists are encoded

    @classmethod
    def of(cls, chip: Chip, chips: int | None) -> Limits:
        """Of ``chips`` chips; unless given those of the board, else as many as were ever joined; raises :class:`ChipError` where cores are not stated."""
        if chip.kind != "neuromorphic":
            raise CompileError(
                f"chip {chip.name!r} is {chip.kind}: it has no cores of compartments to place populations on"
            )

        def stated(name: str, otherwise: int = 0) -> int:
            return int(chip.limit(name).low) if name in chip.limits else otherwise

        def widths(name: str) -> tuple[int, ...]:
            return tuple(sorted(int(value) for value in chip.limit(name).values)) if name in chip.limits else ()

        board = chip.board
        joined = stated("system.chips_built", 1) if board is None else int(board.chips.low)
        core = {resource: stated(name) for resource, name in STATED.items() if name in chip.limits}
        core["compartments"] = int(chip.limit("core.compartments").low)
        guaranteed = stated("synapse.delay_guaranteed")
        if guaranteed:
            core[DELAY] = core["compartments"] * guaranteed
        return cls(
            chip=chip.name,
            core=core,
            cores=int(chip.limit("chip.cores").low),
            chips=chips if chips is not None else joined,
            guaranteed_delay=guaranteed,
            cores_per_tile=stated("chip.cores_per_tile"),
            columns=stated("chip.mesh_columns") if "chip.cores_per_tile" in chip.limits else 0,
            word=stated("core.synapse_memory_word", 1),
            weight_widths=widths("synapse.weight_widths"),
            index_widths=widths("synapse.index_widths"),
            tag_bits=stated("learning.tag_bits"),
            synapse_bits=stated("synapse.memory") if _is_one_number(chip, "synapse.memory") else 0,
        )

    @property
    def all_cores(self) -> int:
        """Of all chips that can be had."""
        return self.cores * self.chips


def _is_one_number(chip: Chip, name: str) -> bool:
    return name in chip.limits and chip.limit(name).low == chip.limit(name).high
