"""Who runs the workloads: our backends, other tools, and how each is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from neuromorph.bench.programs import Arithmetic
from neuromorph.bench.runner import Runner
from neuromorph.bench.workloads import Workload
from neuromorph.errors import BackendUnavailable, InputError

Family = Literal["suite", "numpy", "brian2 cython", "brian2 C++", "nest"]
PEERS_REMEDY = "uv sync --no-default-groups --group peers in a checkout of neuromorph"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One row of the table."""

    name: str
    kind: Literal["ours", "tool", "numpy"]  # a ratio to the best peer is one to the best tool
    family: Family = "suite"
    backend: str = ""  # of this suite
    arithmetic: Arithmetic = "float"
    options: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    needs: str = ""  # a module that must be there
    most_synapses: int = 200_000_000  # more are left out unless it is asked for by name
    note: str = ""

    @property
    def pair(self) -> str:
        """The row of ours that is run in turns with this one; empty for ours."""
        if self.kind == "ours":
            return ""
        return "emulator" if self.arithmetic == "float" else "emulator fixed"

    def lacking(self) -> str:
        """Why it cannot run here as far as can be told without importing it; empty where nothing speaks against it."""
        if self.needs and find_spec(self.needs) is None:
            return f"{self.needs} is not installed: {PEERS_REMEDY}"
        return ""


def contenders() -> tuple[Contender, ...]:
    """All, in the order of the table."""
    small, middle = 12_000_000, 25_000_000
    return (
        Contender(name="emulator", kind="ours", backend="emulator", options={"threads": 1}),
        Contender(name="emulator fixed", kind="ours", backend="emulator", arithmetic="fixed", options={"threads": 1}),
        Contender(name="emulator 2 threads", kind="ours", backend="emulator", options={"threads": 2}, threads=2),
        Contender(name="emulator fixed 2 threads", kind="ours", backend="emulator", arithmetic="fixed", options={"threads": 2}, threads=2),
        Contender(name="reference", kind="ours", backend="reference", most_synapses=middle),
        Contender(name="reference fixed", kind="ours", backend="reference", arithmetic="fixed", most_synapses=small),
        Contender(name="numpy", kind="numpy", family="numpy", note="event-driven, one file"),
        Contender(name="lava", kind="tool", backend="lava", most_synapses=small, note="stock float processes in one operating system process"),
        Contender(name="lava fixed", kind="tool", backend="lava", arithmetic="fixed", most_synapses=small, note="stock fixed-point processes in one operating system process"),
        Contender(name="nengo", kind="tool", backend="nengo", most_synapses=middle, note="own neuron type, and own operators where it learns"),
        Contender(name="nengo-loihi", kind="tool", backend="nengo-loihi", arithmetic="fixed", most_synapses=middle, note="its emulator, our blocks"),
        Contender(name="nest", kind="tool", family="nest", needs="nest", most_synapses=middle),
        Contender(name="brian2 C++", kind="tool", family="brian2 C++", needs="brian2", note="standalone; compiling is apart"),
        Contender(name="brian2 cython", kind="tool", family="brian2 cython", needs="brian2", most_synapses=middle),
    )  # fmt: skip


def contender(name: str) -> Contender:
    """The contender called ``name``."""
    found = {item.name: item for item in contenders()}
    if name not in found:
        raise InputError(f"there is no contender {name!r}; known: {', '.join(found)}")
    return found[name]


def make(
    item: Contender, workload: Workload, folder: Path, *, check_steps: int, second: float, steps: int | None = None
) -> Runner:
    """A runner of the workload, not yet built; ``folder`` takes what it writes."""
    if lacking := item.lacking():
        raise BackendUnavailable(lacking)
    if item.family == "numpy":
        from neuromorph.bench.peers.numpy_events import NumpyRunner

        return NumpyRunner(workload)
    if item.family == "nest":
        from neuromorph.bench.peers.nest_network import NestRunner

        return NestRunner(workload)
    if item.family == "brian2 cython":
        from neuromorph.bench.peers.brian import BrianCythonRunner

        return BrianCythonRunner(workload, folder)
    if item.family == "brian2 C++":
        from neuromorph.bench.peers.brian import BrianStandaloneRunner

        return BrianStandaloneRunner(workload, folder, check_steps=check_steps, second=second, steps=steps)
    from neuromorph.bench.peers.suite import SuiteRunner

    return SuiteRunner(
        workload,
        backend=item.backend,
        arithmetic=item.arithmetic,
        options=item.options,
        whole_call=item.kind == "ours",
    )
