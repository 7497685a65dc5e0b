"""The Processes that are connected to one, and what is wired to what; nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.graph import label
from neuromorph.errors import InputError

Order = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """One connection between ports: element k of ``receiving`` hears element ``order[k]`` of ``sending``."""

    sending: Any
    receiving: Any
    order: Order | None  # None: the ports between them cannot be followed

    def text(self) -> str:
        """How errors name it."""
        return f"{port_text(self.sending)} -> {port_text(self.receiving)}"


def port_text(port: Any) -> str:
    """How errors name a port."""
    return f"{label(port.process)}.{port.name}"


def connected(processes: Any | Sequence[Any]) -> list[Any]:
    """Every Process that one of ``processes`` is connected to, in the order in which they were made."""
    given: list[Any] = list(processes) if isinstance(processes, (list, tuple)) else [processes]
    wrong = [one for one in given if not isinstance(one, compat.AbstractProcess)]
    if wrong or not given:
        raise InputError(f"a Lava model is a Process, or a list of them, got {wrong[0] if wrong else given!r}")
    found: dict[int, Any] = {}
    while given:
        process = given.pop()
        if process.id in found:
            continue
        found[process.id] = process
        for port in _ports(process):
            given += [other.process for other in (*port.get_src_ports(), *port.get_dst_ports())]
    return [found[number] for number in sorted(found)]


def links(processes: Sequence[Any]) -> list[Link]:
    """All connections that carry messages, in the order of their Processes."""
    return [
        Link(sending=port, receiving=receiving, order=order)
        for process in processes
        for port in process.out_ports.members
        for receiving, order in _follow(port, np.arange(port.size).reshape(port.shape))
    ]


def watched(process: Any) -> list[Any]:
    """The Vars of other Processes that a Process reads in every step."""
    return [variable for port in process.ref_ports.members for variable in port.get_dst_vars()]


def _ports(process: Any) -> list[Any]:
    groups = (process.in_ports, process.out_ports, process.ref_ports, process.var_ports)
    return [port for group in groups for port in group.members]


def _follow(port: Any, order: npt.NDArray[np.int64] | None) -> Iterator[tuple[Any, Order | None]]:
    """The InPorts behind a port, through the virtual ports that rearrange elements."""
    for following in port.out_connections:
        if isinstance(following, compat.InPort):
            yield following, None if order is None else order.ravel()
        elif isinstance(following, compat.OutPort):  # of a Process that contains this one
            yield from _follow(following, order)
        else:
            yield from _follow(following, _rearranged(following, order))


def _rearranged(port: Any, order: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64] | None:
    if order is None:
        return None
    try:
        transform = port.get_transform_func_fwd()
    except NotImplementedError:  # a ConcatPort, which Lava cannot run either
        return None
    if transform.func is np.transpose:
        return order.transpose(transform.keywords["axes"])
    # Called by its function, the other kind names an argument that NumPy is giving up.
    return order.reshape(port.shape) if transform.func is np.reshape else None
