"""The Lava backend: what it can, what it lacks, and opening a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from neuromorph.backend import Availability, Backend, Capabilities, Gap, Session
from neuromorph.backends.lava import compat, fixed_lowering, rules
from neuromorph.backends.lava.describe import describe
from neuromorph.backends.lava.described_neurons import Arithmetic
from neuromorph.backends.lava.session import RUNTIMES, LavaSession
from neuromorph.errors import InputError
from neuromorph.network import Network
from neuromorph.program import Program


@final
@dataclass(frozen=True)
class LavaBackend(Backend):
    """Lava 0.10.0 on CPU, in floating point and in Loihi's integers.

    ``runtime`` "in-process" (default) runs the graph in this process; "multi-process" runs it on Lava's own runtime, one
    operating system process for each Lava Process, under a supervisor. Both give the same numbers.
    """

    runtime: Literal["in-process", "multi-process"] = "in-process"

    name: ClassVar[str] = "lava"
    capabilities: ClassVar[Capabilities] = Capabilities(
        gaps={
            "membrane_traces": Gap(
                "Lava's learning connections receive spikes of their neurons, no membranes", "theirs"
            ),
            "learned_delays": Gap(
                "Lava's learning connections compute dd into a variable of its own (tag_2), and deliver without it",
                "theirs",
            ),
        },
        note=(
            "refuses: a third factor with epochs of several steps or beside y1, y2 and y3, several kinds of u in a rule,"
            " learning with delays that differ; in fixed point also a third factor beside y2 or y3, and delays of more than"
            " 64 steps (65 with learning); delayed and plastic projections are held dense"
        ),
        fixed_agreement="exact",
    )

    def __post_init__(self) -> None:
        if self.runtime not in RUNTIMES:
            raise InputError(f"lava has no runtime {self.runtime!r}; known: {', '.join(RUNTIMES)}")

    def availability(self) -> Availability:
        """Available once this module could be imported."""
        return Availability(available=True, versions=compat.version_report())

    def faults(self, program: Program) -> list[str]:
        """Gaps, and combinations that Lava cannot hold."""
        found = self.capabilities.faults(program)
        for projection in program.projections:
            found += rules.faults(projection, program.arithmetic)
            if program.arithmetic == "fixed":
                found += fixed_lowering.faults(projection)
        return found

    def describe(self, model: object, *, dt: float | None = None, arithmetic: Arithmetic = "infer") -> Network:
        """See :func:`neuromorph.from_lava`."""
        return describe(model, dt=dt, arithmetic=arithmetic)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return LavaSession(program, backend=self.name, seed=seed, stall_second=stall_second, runtime=self.runtime)
