"""What both ways of running share: compiling a graph, naming its parts, and ending with one clear error."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuromorph.backends.lava import compat
from neuromorph.errors import NeuromorphError, SimulatorError

CHANNEL_SLOTS = 4
"""Messages a channel holds. Lava's default of 64 makes one Monitor of a 784 x 400 weight matrix take 322 MB."""

Processes = Any | Sequence[Any]
"""A Lava Process, or several; each stands for everything that is connected to it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledGraph:
    """Every connected part of a graph of Processes as a Lava Executable."""

    executables: tuple[Any, ...]
    processes: tuple[Any, ...]  # All of them, hierarchical parents included.


def compile_graph(
    processes: Processes, configuration: Any, compile_config: Mapping[str, Any] | None = None
) -> CompiledGraph:
    """Compile each connected part of the graph that ``processes`` belong to.

    Lava compiles what is connected to one Process; a part without a Process among ``processes`` is not run.
    """
    given = [processes] if isinstance(processes, compat.AbstractProcess) else list(processes)
    if not given:
        raise SimulatorError("no Lava Process was given: there is nothing to run")
    options = {"pypy_channel_size": CHANNEL_SLOTS} | dict(compile_config or {})
    executables: list[Any] = []
    found: list[Any] = []
    try:
        for process in given:
            if any(process is one for one in found):
                continue
            executable = process.compile(configuration, dict(options))
            _order(executable)
            executables.append(executable)
            found.extend(_with_parents(executable.process_list))
    except NeuromorphError:
        compat.forget([*given, *found])
        raise
    except Exception as error:
        compat.forget([*given, *found])
        raise SimulatorError(f"Lava could not compile the graph:\n{traceback_of(error)}") from error
    compat.strip_log_handlers()
    return CompiledGraph(executables=tuple(executables), processes=tuple(found))


def _order(executable: Any) -> None:
    """Put Processes and channels into the order in which the Processes were made.

    Lava finds them by way of sets, in an order that changes from run to run. A neuron sums its inputs in the order of
    its channels, so that without this the same graph gives floats that differ in the last bit.
    """
    executable.channel_builders.sort(
        key=lambda builder: (
            builder.src_process.id,
            builder.src_port_initializer.name,
            builder.dst_process.id,
            builder.dst_port_initializer.name,
        )
    )
    in_order = sorted(executable.proc_builders.items(), key=lambda item: item[0].id)
    executable.proc_builders.clear()
    executable.proc_builders.update(in_order)


def _with_parents(processes: Sequence[Any]) -> Iterator[Any]:
    seen: set[int] = set()
    for process in processes:
        while process is not None and id(process) not in seen:
            seen.add(id(process))
            yield process
            process = process.parent_proc


def label(process: Any) -> str:
    """How errors name a Process: its class and its name."""
    return f"{type(process).__name__} {process.name!r}"


def traceback_of(error: BaseException, without: Collection[str] = ()) -> str:
    """The traceback of ``error`` as text, from the first frame on that is not in one of the files ``without``."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename in without:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))
