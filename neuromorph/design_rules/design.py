"""A program on a chip as the rules see it: in the chip's integers where they hold it, and cut onto its cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from neuromorph.chip import Chip, Quantity
from neuromorph.design_rules.accumulator import LargestInput, largest_inputs
from neuromorph.design_rules.mending import mended
from neuromorph.errors import ChipError, CompileError
from neuromorph.placement.demand import Demand, Reach
from neuromorph.placement.greedy import Cut, alone, cut_greedily
from neuromorph.placement.limits import Limits
from neuromorph.program import Program, ProjectionProgram
from neuromorph.quantisation import Quantisation, RoundingReport
from neuromorph.quantisation.limits import ChipLimits
from neuromorph.recording import IntArray

UNBOUNDED = 1 << 62  # in place of a limit that no cut can keep, so that the others can still be looked at


@dataclass(frozen=True, kw_only=True)
class AloneInNeed:
    """What the worst neuron of a population takes of a resource, though it had a core to itself."""

    population: str
    neuron: int
    needed: int
    breaking: int  # neurons of the population above the limit


@dataclass(frozen=True, kw_only=True)
class Design:
    """A program, the chip that is to hold it, and what was found on the way; what is costly is found once."""

    given: Program  # in float, or in the integers of a chip
    chip: Chip
    chips: int  # that may be used
    quantisation: Quantisation
    spike_bits: int = 0  # that spikes are to carry
    fixed: Program | None = None  # in the integers of this chip; of times that are too long, at their limits
    roundings: RoundingReport | None = None
    complaints: tuple[str, ...] = ()  # why it is not
    foreign: str = ""  # why the suite's integers are not those of this chip

    @classmethod
    def of(cls, program: Program, chip: Chip, chips: int, quantisation: Quantisation, spike_bits: int = 0) -> Design:
        """Quantises what is in float, and keeps the reasons where that fails."""
        plain = cls(given=program, chip=chip, chips=chips, quantisation=quantisation, spike_bits=spike_bits)
        if program.arithmetic == "fixed" and program.chip != chip.name:
            return replace(plain, fixed=program if plain.is_of_chip else None)
        try:
            limits = ChipLimits.of(chip)
        except (ChipError, CompileError) as error:
            foreign = " and ".join(fault.partition(", needed here")[0] for fault in error.faults)
            return replace(plain, foreign=foreign, fixed=program if program.arithmetic == "fixed" else None)
        try:
            made = quantisation(program)
        except CompileError as error:
            plain = replace(plain, complaints=error.faults)
            if program.arithmetic == "fixed":
                return replace(plain, fixed=program)
            try:
                made = quantisation(mended(program, limits))
            except CompileError:
                return plain
        return replace(plain, fixed=made.program, roundings=made.report)

    @property
    def is_of_chip(self) -> bool:
        """Whether a fixed-point program was made for this chip; a board has the arithmetic of its chip."""
        names = {self.chip.name, "" if self.chip.board is None else self.chip.board.chip}
        return self.given.chip.partition(".")[0] in {name.partition(".")[0] for name in names if name}

    @property
    def shares_kernels(self) -> bool:
        """Whether synapses may take no memory of their own, as those of a kernel that many positions share."""
        return self.states("synapse.memory") and self.limit("synapse.memory").low == 0

    @property
    def program(self) -> Program:
        """In the chip's integers where there is one, else as it was given."""
        return self.given if self.fixed is None else self.fixed

    def states(self, *names: str) -> bool:
        """Whether the hardware file states these limits."""
        return all(name in self.chip.limits for name in names)

    def limit(self, name: str) -> Quantity:
        """A limit that is stated."""
        return self.chip.limit(name)

    def least(self, name: str) -> int:
        """The lower end of a stated limit: what keeps it fits by every source."""
        return int(self.chip.limit(name).low)

    def onto(self, population: str) -> list[ProjectionProgram]:
        """Projections with synapses onto a population."""
        return [item for item in self.program.projections if item.post == population and item.synapses]

    @cached_property
    def limits(self) -> Limits | None:
        """Of its cores; None where the file does not state how many there are and how many neurons each holds."""
        if not self.states("chip.cores", "core.compartments"):
            return None
        return Limits.of(self.chip, self.chips)

    @cached_property
    def largest_inputs(self) -> tuple[LargestInput, ...]:
        """Of every population of a program in integers; empty where there is none."""
        return () if self.fixed is None else tuple(largest_inputs(self.fixed))

    @cached_property
    def alone(self) -> Mapping[str, list[AloneInNeed]]:
        """By resource: the worst neuron of every population, alone on a core."""
        assert self.limits is not None
        demand, found = Demand(self.program, self.limits), dict[str, list[AloneInNeed]]()
        for population in self.program.populations:
            for resource, needed in alone(demand, population).items():
                worst = int(np.argmax(needed))
                breaking = int(np.count_nonzero(needed > self.limits.core[resource]))
                entry = AloneInNeed(
                    population=population.name, neuron=worst, needed=int(needed[worst]), breaking=breaking
                )
                found.setdefault(resource, []).append(entry)
        return found

    @cached_property
    def all_to_all(self) -> list[ProjectionProgram]:
        """Populations connected all-to-all with themselves that no cut can hold.

        n of N neurons on a core reach at least N / n cores each, so that core needs at least N output axons.
        """
        limits = self.limits
        if limits is None or "output_axons" not in limits.core:
            return []
        most = limits.core["output_axons"]
        return [
            item
            for item in self.program.projections
            if item.synapses and item.pre == item.post and item.is_full and item.pre_size > most
        ]

    @cached_property
    def demand(self) -> Demand:
        """Under the limits of its cores, but those that a single neuron or an all-to-all projection breaks anyway."""
        assert self.limits is not None
        core = dict(self.limits.core)
        for resource, entries in self.alone.items():
            if any(entry.breaking for entry in entries):
                core[resource] = UNBOUNDED
        if self.all_to_all:
            core["output_axons"] = UNBOUNDED
        return Demand(self.program, replace(self.limits, core=core))

    @cached_property
    def one_core(self) -> bool:
        """Whether all of it must lie on one core."""
        return self.limits is not None and self.limits.all_cores == 1

    @cached_property
    def cuts(self) -> tuple[Cut, Cut]:
        """The first cut, without a look at output axons, and the last; on a chip of one core the whole of it there."""
        if not self.one_core:
            return cut_greedily(self.demand)
        assignment: dict[str, IntArray] = {
            item.name: np.zeros(item.size, dtype=np.int64) for item in self.program.populations
        }
        reach: dict[str, Reach] = self.demand.reach(assignment, 1)
        cut = Cut(assignment, 1, {}, reach, self.demand.use(assignment, 1, reach))
        return cut, cut

    @property
    def cores_short(self) -> int:
        """Cores that are needed beyond those there are."""
        assert self.limits is not None
        return max(self.cuts[1].cores - self.limits.all_cores, 0)

    @cached_property
    def short_of(self) -> str:
        """The resource of which most cores were full, where there are too few of them; empty where none was."""
        filled = self.cuts[1].filled_by
        return max(filled, key=lambda name: filled[name]) if self.cores_short and filled else ""
