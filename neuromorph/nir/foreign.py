"""Graphs of other tools: every path of linear nodes between two populations becomes one sparse projection."""

from __future__ import annotations

import math
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from neuromorph.connectors import Sparse
from neuromorph.errors import DescriptionError, InputError, raise_faults
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.neurons import LIF
from neuromorph.nir.graph import GRADED, LINEAR, NEURONS, SPIKING, Graph, Node
from neuromorph.nir.linear_maps import Matrix, Shape, linear_map, spread
from neuromorph.nir.neuron_nodes import Lowered, lower
from neuromorph.nir.shapes import derive_shapes
from neuromorph.nir.signals import Signal
from neuromorph.nir.units import Clock
from neuromorph.recording import FloatArray, IntArray

_LARGEST_TABLE = 10**7  # entries; a delay for each synapse is an array over all pairs of neurons, 80 MB


def build_network(graph: Graph, clock: Clock, name: str, faults: list[str], assumptions: list[str]) -> Network:
    """The network of a graph; raises :class:`InputError` with every node and edge that has no counterpart."""
    raise_faults(InputError, faults)
    shapes = derive_shapes(graph, faults, assumptions)
    if faults:  # the rest needs all shapes; what is wrong within neurons can be said now
        for node in graph.nodes.values():
            if node.kind in NEURONS and node.name in shapes:
                faults += _faults_within(node, shapes[node.name][1], clock)
        raise InputError(faults)
    reader = _Reader(graph, clock, shapes, faults, assumptions)
    reader.follow_linear_nodes()
    for node in graph.nodes.values():
        if node.kind in NEURONS:
            reader.lower(node)
    raise_faults(InputError, faults)
    reader.connect()
    reader.read_outputs()
    raise_faults(InputError, faults)
    if not any(isinstance(population, Population) for population in reader.populations.values()):
        raise InputError("the graph holds no neurons and no output that weights lead to: there is nothing to simulate")
    reader.state_the_timing()
    return Network(
        populations=list(reader.populations.values()),
        projections=reader.projections,
        probes=list(reader.probes.values()),
        name=name,
    )


class _Reader:
    """Collects the parts of the network."""

    def __init__(
        self,
        graph: Graph,
        clock: Clock,
        shapes: dict[str, tuple[Shape, Shape]],
        faults: list[str],
        assumptions: list[str],
    ) -> None:
        self.graph, self.clock, self.shapes = graph, clock, shapes
        self.faults, self.assumptions = faults, assumptions
        self.size = {name: math.prod(out) for name, (_, out) in shapes.items()}
        self.before: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for pre, post in graph.edges:
            self.before[post].append(pre)
        self.leaves = set(graph.nodes) - {pre for pre, _ in graph.edges}
        self.signals: dict[str, Signal] = {}
        self.lowered: dict[str, Lowered] = {}
        self.names: dict[str, str] = {}  # node to population
        self.populations: dict[str, Population | Input] = {}
        self.projections: list[Projection] = []
        self.probes: dict[tuple[str, str], Probe] = {}
        for node in graph.nodes.values():
            if node.kind == "Input":
                self.populations[node.name] = Input(self.named(node.name), self.size[node.name])
            if node.kind in NEURONS:
                self.named(node.name)
            if node.kind == "Input" or node.kind in NEURONS:
                make = Signal.of_state if node.kind in GRADED else Signal.of_spikes
                self.signals[node.name] = make(node.name, self.size[node.name])

    def named(self, node: str) -> str:
        """A population's name: the node's, without the signs that addresses use, and new."""
        plain = "".join(sign if sign.isprintable() and sign != "." else "_" for sign in node).strip() or "node"
        name = _new(plain, self.names.values())
        self.names[node] = name
        if name != node:
            self.assumptions.append(f"The node {node!r} is called {name!r} here.")
        return name

    def arriving(self, name: str) -> Signal:
        """Everything that an edge leads to a node."""
        return Signal.sum([self.signals[pre] for pre in self.before[name]], math.prod(self.shapes[name][0]))

    def follow_linear_nodes(self) -> None:
        """What leaves every linear node, in an order in which all that it reads is known."""
        linear = {name: node for name, node in self.graph.nodes.items() if node.kind in LINEAR}
        order = TopologicalSorter({name: [pre for pre in self.before[name] if pre in linear] for name in linear})
        try:
            names = list(order.static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            self.faults.append(
                f"the linear nodes {circle} feed themselves without a neuron between: that recurrence has no counterpart"
            )
            raise InputError(self.faults) from None
        for name in names:
            node, shape = linear[name], self.shapes[name][0]
            if not self.before[name]:
                self.faults.append(f"{node} receives nothing: lead an Input to it")
            signal = self.arriving(name)
            try:
                if node.kind == "Delay":
                    steps = self.clock.steps(spread(node.array("delay"), shape, "delay"), "its delay")
                    self.signals[name] = signal.delayed(steps)
                else:
                    matrix, constant, _ = linear_map(node, shape)
                    self.signals[name] = signal.mapped(matrix, constant)
            except InputError as error:
                self.faults += [f"{node}: {fault}" for fault in error.faults]
                self.signals[name] = Signal({}, np.zeros(self.size[name]))
            if node.kind == "AvgPool2d" and np.any(np.asarray(node.values["padding"]) != 0):
                self.assumptions.append(f"{node} averages over its whole kernel, zeros of the padding included.")

    def lower(self, node: Node) -> None:
        """Note a neuron in our terms, and what it cannot receive."""
        try:
            self.lowered[node.name] = found = lower(node, self.shapes[node.name][1], self.clock)
        except InputError as error:
            self.faults += error.faults
            return
        self.refuse_states(node)
        if found.is_shifted:
            self.assumptions.append(f"{node} starts at its v_reset, and v is counted from there.")
        if node.kind == "Threshold" and np.any(found.bias):
            self.assumptions.append(
                f"{node} has thresholds that are not above 0: both sides of them are lifted by a bias."
            )

    def refuse_states(self, node: Node) -> None:
        """An edge that would carry a membrane is no connection of spikes."""
        for state in sorted(self.arriving(node.name).graded):
            self.faults.append(
                f"{self.graph.nodes[state]} does not spike, and its state leads to {node}: a program carries spikes only."
                f" Lead it to an Output and read its v there, or make it spike"
            )

    def connect(self) -> None:
        """Populations, and the projections that lead to them."""
        for name, found in self.lowered.items():
            node = self.graph.nodes[name]
            signal = self.arriving(name)
            try:
                neuron = found.neuron(signal.constant)
            except DescriptionError as error:
                self.faults += [f"{node}: {fault}" for fault in error.faults]
                continue
            self.add(node, neuron, signal, found.gain)
            if np.any(signal.constant) and np.any(found.tau_syn > 0):
                self.assumptions.append(
                    f"The constant input of {node} acts in full from the first step; NIR's rises with tau_syn."
                )

    def add(self, node: Node, neuron: LIF, signal: Signal, gain: FloatArray) -> None:
        """One population with its incoming projections."""
        name = self.names[node.name]
        self.populations[node.name] = Population(name, gain.size, neuron)
        for sender, delayed in signal.by_sender().items():
            for steps, matrix in _disjoint(delayed):
                scaled = (scipy.sparse.diags(gain, format="csr") @ matrix).tocsr()
                scaled.eliminate_zeros()
                if not np.all(np.isfinite(scaled.data)):
                    self.faults.append(
                        f"{node}: weights from {sender!r} times {np.abs(gain).max():.6g}, which its r and time constants make,"
                        " are above all numbers: check its parameters"
                    )
                    continue
                self.project(self.names[sender], name, scaled, steps)

    def project(self, pre: str, post: str, matrix: Matrix, steps: int | IntArray) -> None:
        """One projection; ``steps`` are those of Delay nodes, to which every connection adds one."""
        taken = [*(projection.name for projection in self.projections), *self.names.values()]
        delay: FloatArray = np.asarray((np.asarray(steps) + 1) * self.clock.dt, dtype=np.float64)
        self.projections.append(
            Projection(
                pre,
                post,
                Sparse.from_scipy(matrix),
                delay=None if np.all(np.asarray(steps) == 0) else delay if delay.ndim else float(delay),
                name=_new(f"{pre}->{post}", taken),
            )
        )

    def read_outputs(self) -> None:
        """Probes for what leads to an Output or to nothing; weights on the way become neurons of which v is read."""
        ends = [node for node in self.graph.nodes.values() if node.kind == "Output" or node.name in self.leaves]
        for node in ends:
            if node.kind == "Output" and not self.before[node.name]:
                self.faults.append(f"{node} receives nothing: lead a neuron to it, or leave it out")
                continue
            origins = self.before[node.name] if node.kind == "Output" else [node.name]
            origin = self.origin(origins[0]) if len(origins) == 1 else None
            if origin is not None and origin.kind == "Input":
                self.probe(self.names[origin.name], "spikes")
            elif origin is not None and origin.kind in NEURONS:
                self.probe(self.names[origin.name], "v" if origin.kind in GRADED else "spikes")
            else:
                self.add_readout(node)

    def origin(self, name: str) -> Node:
        """The node that a name stands for, through ports and Flatten nodes, which change no value."""
        while self.graph.nodes[name].kind in ("Identity", "Flatten") and len(self.before[name]) == 1:
            name = self.before[name][0]
        return self.graph.nodes[name]

    def add_readout(self, node: Node) -> None:
        """A weighted sum of spikes that is read and not sent on: v of neurons without memory that never spike."""
        signal = self.arriving(node.name) if node.kind == "Output" else self.signals[node.name]
        if signal.graded:
            self.refuse_states(node)
            return
        name = self.named(node.name)
        neuron = LIF(tau_mem=0.0, tau_syn=0.0, v_threshold=math.inf, bias=signal.constant)
        self.add(node, neuron, signal, np.ones(signal.constant.size))
        self.probe(name, "v")
        self.assumptions.append(
            f"{node} is v of the population {name!r}, which never spikes: the weighted sum of the spikes of one step before."
        )

    def probe(self, name: str, variable: str) -> None:
        """A probe, once."""
        self.probes[name, variable] = Probe(name, variable)

    def state_the_timing(self) -> None:
        """What a program does and NIR leaves open."""
        kinds = {node.kind for node in self.graph.nodes.values()}
        if kinds & (SPIKING - {"Threshold"}):
            self.assumptions.append(
                "A neuron spikes in a step in which v > v_threshold (strictly) and is set to v_reset in the same step."
            )
        if "Input" in kinds:
            self.assumptions.append(
                "An Input sends spikes, 0 or 1 in each step: other values have to be encoded as spikes."
            )
        if self.projections:
            self.assumptions.append(
                "Every connection adds one step: a spike sent in step t acts in step t + 1, so each layer adds one step to"
                " what NIR says nothing of."
            )
        if "Delay" in kinds:
            self.assumptions.append("The time of a Delay node comes on top of that step.")
        if loops := self.recurrent():
            self.assumptions.append(f"Recurrent connections are delayed by one step too: {', '.join(loops)}.")
        if any(node.has("weight") and np.any(node.array("weight") == 0) for node in self.graph.nodes.values()):
            self.assumptions.append("A weight of exactly 0 is no synapse.")

    def recurrent(self) -> list[str]:
        """Projections that close a circle of populations."""
        index = {name: k for k, name in enumerate(self.names.values())}
        ends = [(index[projection.pre], index[projection.post]) for projection in self.projections]
        if not ends:
            return []
        rows, columns = zip(*ends, strict=True)
        links = scipy.sparse.coo_matrix((np.ones(len(ends)), (rows, columns)), shape=(len(index), len(index)))
        _, group = scipy.sparse.csgraph.connected_components(links, directed=True, connection="strong")
        return [
            projection.name
            for projection, (pre, post) in zip(self.projections, ends, strict=True)
            if group[pre] == group[post]
        ]


def _faults_within(node: Node, shape: Shape, clock: Clock) -> tuple[str, ...]:
    try:
        lower(node, shape, clock)
    except InputError as error:
        return error.faults
    return ()


def _disjoint(delayed: list[tuple[int, Matrix]]) -> list[tuple[int | IntArray, Matrix]]:
    """One matrix with a delay for each synapse where no synapse has two; else one matrix for each delay."""
    if len(delayed) == 1 or math.prod(delayed[0][1].shape) > _LARGEST_TABLE:
        return [*delayed]
    patterns = [(matrix != 0).astype(np.int64) for _, matrix in delayed]
    if sum(patterns[1:], patterns[0]).max() > 1:
        return [*delayed]
    steps = np.zeros(patterns[0].shape, dtype=np.int64)
    for (delay, _), pattern in zip(delayed, patterns, strict=True):
        steps[pattern.nonzero()] = delay
    return [(steps, sum((matrix for _, matrix in delayed[1:]), delayed[0][1]))]


def _new(plain: str, taken: Collection[str]) -> str:
    """``plain``, or with a number behind it where it is taken."""
    name, count = plain, 1
    while name in taken:
        count += 1
        name = f"{plain} {count}"
    return name
