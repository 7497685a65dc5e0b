"""``from_nir``: a NIR graph as a network, with everything that was assumed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from neuromorph.errors import InputError, raise_faults
from neuromorph.network import Network
from neuromorph.nir.foreign import build_network
from neuromorph.nir.graph import read_graph
from neuromorph.nir.record import find_record
from neuromorph.nir.restoring import restore
from neuromorph.nir.units import Unit, make_clock
from neuromorph.program import Integration


def from_nir(
    path_or_graph: str | os.PathLike[str] | Any,
    *,
    dt: float | None = None,
    unit: Unit = "infer",
    integration: Integration | None = None,
    name: str | None = None,
) -> Network:
    """A network from a NIR file or a ``nir.NIRGraph``, for time steps of ``dt`` seconds.

    NIR states no time step, no unit of time and no delays. In one step, a membrane that loses ``q = 1 - decay`` goes to
    ``(1 - q) v + q (v_leak + r I)``, so weights are multiplied by ``q r`` (and ``q_syn w_in``): they hold for this ``dt``
    and ``integration`` only ("exponential" if not given), which :func:`neuromorph.compile` and :func:`neuromorph.run`
    take by themselves; compiling for others is refused. Every connection adds one step. All that was assumed is in
    ``network.metadata["nir"]["assumptions"]``, a list of sentences.

    ``unit`` is the graph's unit of time: "s", "ms", "steps", or "infer" to choose by its values. A graph that
    :func:`to_nir` wrote comes back as it was, learning rules included, without ``dt`` and ``integration`` for those that
    it was written for, and ``metadata["nir"]`` says the conventions and the bits of the chip that it was written with.
    Pedersen et al., Nature Communications 15:8122, 2024.

    Raises :class:`InputError` with every node and edge that has no counterpart in a spiking program, where the unit
    cannot be inferred, and where the package ``nir`` is missing.
    """
    faults: list[str] = []
    assumptions: list[str] = []
    graph = read_graph(path_or_graph, faults)
    record = find_record(graph, assumptions)
    raise_faults(InputError, faults)
    if record is not None and unit not in ("s", "infer"):
        raise InputError(f"the graph was written by neuromorph, in seconds: leave out unit={unit!r}")
    if record is not None:
        dt = record.get("dt") if dt is None else dt
        integration = record.get("integration") if integration is None else integration
    clock = make_clock(
        graph,
        dt=dt,
        unit=unit if record is None else "s",
        integration="exponential" if integration is None else integration,
        assumptions=assumptions,
        why="as asked" if record is None else "neuromorph wrote the graph",
    )
    said: dict[str, Any] = {}
    if record is None:
        network = build_network(graph, clock, PurePath(graph.source).stem or "nir", faults, assumptions)
        holds: Any = {"dt": clock.dt, "integration": clock.integration}
    else:
        network, rescaled = restore(graph, record, clock, assumptions)
        ours = network.metadata.get("nir")
        said = {name: record[name] for name in ("conventions", "fixed") if record.get(name) is not None}
        holds = ours.get("weights_hold_for") if isinstance(ours, Mapping) else None
        if rescaled:
            holds = {"dt": clock.dt, "integration": clock.integration}
    known: dict[str, Any] = {
        "file": graph.source,
        "unit": clock.unit,
        "dt": clock.dt,
        "integration": clock.integration,
        "assumptions": assumptions,
        **said,
    }
    if holds is not None:
        known["weights_hold_for"] = holds
    if "nir" in network.metadata:
        known["before"] = network.metadata["nir"]
    metadata = {**network.metadata, "nir": known}
    return Network(
        populations=network.populations,
        projections=network.projections,
        modulators=network.modulators,
        probes=network.probes,
        name=network.name if name is None else name,
        metadata=metadata,
    )
