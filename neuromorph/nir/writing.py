"""``to_nir``: a network as a NIR graph that other tools read, and that comes back whole."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.discretise import discretise
from neuromorph.errors import InputError
from neuromorph.inputs import Input
from neuromorph.network import Network
from neuromorph.nir.graph import missing_package
from neuromorph.nir.neuron_nodes import raised
from neuromorph.nir.record import KEY, write_record
from neuromorph.nir.units import Clock
from neuromorph.program import Integration, Program, ProjectionProgram
from neuromorph.quantisation import ChipLike, quantise
from neuromorph.whole_file import whole_file


def to_nir(
    network: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    dt: float | None = None,
    integration: Integration | None = None,
    seed: int = 0,
    chip: ChipLike | None = None,
) -> Any:
    """The network as a ``nir.NIRGraph`` in seconds, and as a file where ``path`` is given.

    Neurons become CubaLIF, LIF, IF or Threshold nodes (CubaLI, LI or I where they never spike), with ``r = 1 / (1 -
    decay)`` and ``w_in = 1 / (1 - decay_syn)`` for steps of ``dt`` seconds, so that weights stay as they are (``dt`` and
    ``integration`` as in :func:`neuromorph.compile`); projections become Linear nodes, or Scale where neuron i leads to neuron i, followed by a Delay where they take more than one
    step, one branch for each delay. ``seed`` draws connectors without a seed of their own, as :func:`neuromorph.compile`
    does. What NIR cannot say, learning rules first of all, travels in ``graph.metadata["neuromorph"]``:
    ``from_nir(to_nir(network, dt=dt), dt=dt)`` compiles to the same program. With ``chip`` the metadata also say which
    bits, exponents and conventions that chip gives to it; the nodes stay in floating point.

    Raises :class:`InputError` where ``network`` is none, the file cannot be written or the package ``nir`` is missing,
    and :class:`CompileError` where the network cannot be compiled for ``dt`` or for the chip.
    """
    try:
        import nir
    except ImportError as error:
        raise missing_package(error) from None
    if not isinstance(network, Network):
        raise InputError(
            f"to_nir takes a Network, got a {type(network).__name__}: what is compiled has lost its time constants"
        )
    program = discretise(network, dt=dt, integration=integration, seed=seed)
    fixed = None if chip is None else quantise(program, chip)
    writer = _Writer(network, program)
    writer.write()
    nodes = {name: _node(nir, kind, values) for name, (kind, values) in writer.nodes.items()}
    graph = nir.NIRGraph(
        nodes=nodes, edges=list(writer.edges)
    )  # it leads an Input to what has none, and out of what ends
    graph.metadata = {
        KEY: write_record(
            network,
            program,
            nodes={name: type(node).__name__ for name, node in graph.nodes.items()},
            edges=graph.edges,
            population_nodes=writer.population_nodes,
            branches=writer.branches,
            fixed=fixed,
        )
    }
    if path is not None:
        buffer = io.BytesIO()
        nir.write(buffer, graph)
        with whole_file(path, binary=True) as stream:
            stream.write(buffer.getvalue())
    return graph


class _Writer:
    """Collects nodes as (kind, parameters), edges, and where the network's parts are among them."""

    def __init__(self, network: Network, program: Program) -> None:
        self.network, self.program = network, program
        self.clock = Clock(dt=program.dt, integration=program.integration)
        self.nodes: dict[str, tuple[str, dict[str, Any]]] = {}
        self.edges: list[tuple[str, str]] = []
        self.population_nodes: dict[str, str] = {}
        self.branches: dict[str, list[dict[str, Any]]] = {}

    def write(self) -> None:
        """Everything, populations first."""
        sending = {projection.pre for projection in self.network.projections}
        for population in self.network.populations:
            if isinstance(population, Input):
                node = self.add(population.name, "Input", {"input_type": np.array([population.size])})
            else:
                neuron: Any = population.neuron
                kind, values = raised(neuron, population.size, self.clock, sends=population.name in sending)
                node = self.add(population.name, kind, dict(values))
            self.population_nodes[population.name] = node
        for projection in self.program.projections:
            self.branches[projection.name] = self.project(projection)
        if not any(self.nodes[pre][0] == "Input" for pre, _ in self.edges):  # NIR wants a way in, and a circle has none
            first = next(p for p in self.network.populations if not isinstance(p, Input))
            silent = self.add(f"input_{first.name}", "Input", {"input_type": np.array([first.size])})
            self.edges.append((silent, self.population_nodes[first.name]))
        self.write_outputs(sending)

    def write_outputs(self, sending: set[str]) -> None:
        """An Output for every population that is probed or leads nowhere, and for the last where there is none of these."""
        probed = {probe.target for probe in self.network.probes if probe.variable in ("spikes", "v")}
        neurons = [p for p in self.network.populations if not isinstance(p, Input)]
        ends = [p for p in neurons if p.name in probed or p.name not in sending] or neurons[-1:]
        for population in ends:
            name = self.add(f"output_{population.name}", "Output", {"output_type": np.array([population.size])})
            self.edges.append((self.population_nodes[population.name], name))

    def project(self, projection: ProjectionProgram) -> list[dict[str, Any]]:
        """Weights and, where it takes more than one step, a delay, for every delay of a projection."""
        pre, post = self.population_nodes[projection.pre], self.population_nodes[projection.post]
        is_diagonal = (
            projection.pre_size == projection.post_size > 1
            and projection.synapses > 0
            and bool(np.all(projection.pre_index == projection.post_index))
        )
        found = []
        for steps in np.unique(projection.delay).tolist() or [1]:
            chosen = projection.delay == steps
            weight: npt.NDArray[Any] = np.zeros((projection.post_size, projection.pre_size))
            exists: npt.NDArray[Any] = np.zeros(weight.shape, dtype=bool)
            place = projection.post_index[chosen], projection.pre_index[chosen]
            weight[place], exists[place] = projection.weight[chosen], True
            if is_diagonal:
                weight, exists = weight.diagonal().copy(), exists.diagonal()
                node = self.add(projection.name, "Scale", {"scale": weight})
            else:
                node = self.add(projection.name, "Linear", {"weight": weight})
            branch: dict[str, Any] = {"weights": node, "delay": None, "synapses": _existing(weight, exists)}
            self.edges.append((pre, node))
            if steps > 1:
                seconds = np.full(projection.post_size, (steps - 1) * self.program.dt)
                branch["delay"] = self.add(f"{projection.name} delay", "Delay", {"delay": seconds})
                self.edges.append((node, branch["delay"]))
                node = branch["delay"]
            self.edges.append((node, post))
            found.append(branch)
        return found

    def add(self, plain: str, kind: str, values: dict[str, Any]) -> str:
        """A node under a name that is free and that HDF5 does not take for a folder's."""
        base = plain.replace("/", "_")
        name, count = base, 1
        while name in self.nodes:
            count += 1
            name = f"{base} {count}"
        self.nodes[name] = (kind, values)
        return name


def _existing(weight: Any, exists: Any) -> Any:
    """Which weights are synapses: all, those that are not 0, or those and a list of places."""
    if exists.all():
        return "all"
    silent = np.flatnonzero(exists.ravel() & (weight.ravel() == 0))
    return silent.tolist() if silent.size else "nonzero"


def _node(nir: Any, kind: str, values: dict[str, Any]) -> Any:
    return getattr(nir, kind)(**{name: np.array(value) for name, value in values.items()})
