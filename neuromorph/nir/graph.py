"""A NIR graph as plain nodes and edges, read from a file or from a graph object, with its sub-graphs dissolved.

Files are read without the constructors of the package ``nir``: those of 1.0.8 derive the wrong shape for a convolution
whose kernel is not square, and refuse the file for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuromorph.errors import InputError
from neuromorph.recording import FloatArray

# Parameters that a node of each kind must have.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": (),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "stride", "padding", "dilation", "groups"),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "IF": ("r", "v_threshold"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
    "Identity": (),  # what the ports of a dissolved sub-graph become
}
SPIKING = frozenset({"Threshold", "IF", "LIF", "CubaLIF"})
GRADED = frozenset({"I", "LI", "CubaLI"})
NEURONS = SPIKING | GRADED
# Numbers that a node may have beside.
_OPTIONAL = ("bias", "v_reset", "w_in", "input_shape", "input_type", "shape")
LINEAR = frozenset(PARAMETERS) - NEURONS - {"Input", "Output"}

Edge = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Node:
    """One node; a node of a sub-graph is named by its path, as in ``block/lif``."""

    name: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} node {self.name!r}"

    def has(self, key: str) -> bool:
        """Whether the parameter is there and says something."""
        return self.values.get(key) is not None

    def array(self, key: str) -> FloatArray:
        """A parameter as float64; :func:`read_graph` has found that it is made of numbers."""
        return np.asarray(self.values[key], dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Nodes in their order, identity edges between them, and what the file says beside."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    metadata: Mapping[str, Any]
    source: str  # the file's name; empty for an object

    def before(self, name: str) -> list[Node]:
        """Nodes with an edge to ``name``."""
        return [self.nodes[pre] for pre, post in self.edges if post == name]

    def after(self, name: str) -> list[Node]:
        """Nodes with an edge from ``name``."""
        return [self.nodes[post] for pre, post in self.edges if pre == name]


def read_graph(path_or_graph: Any, faults: list[str]) -> Graph:
    """Read a file or a ``nir.NIRGraph``; what has no counterpart here is added to ``faults``.

    Raises :class:`InputError` where nothing can be read at all.
    """
    if isinstance(path_or_graph, (str, os.PathLike)):
        plain, source = _read_file(Path(path_or_graph)), Path(path_or_graph).name
    else:
        plain, source = _read_object(path_or_graph), ""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    _dissolve(plain, "", nodes, edges, faults)
    for node in nodes.values():
        faults += _node_faults(node)
    repeated = sorted({edge for edge in edges if edges.count(edge) > 1}) if len(set(edges)) < len(edges) else []
    faults += [
        f"the edge {pre!r} -> {post!r} is there more than once: NIR adds what arrives once" for pre, post in repeated
    ]
    for pre, post in dict.fromkeys(edges):
        if nodes[pre].kind == "Output" or nodes[post].kind == "Input":
            faults.append(
                f"the edge {pre!r} -> {post!r} leaves an Output or leads to an Input, which stand at the ends"
            )
    metadata = plain.get("metadata")
    return Graph(
        nodes=nodes,
        edges=tuple(dict.fromkeys(edges)),
        metadata=metadata if isinstance(metadata, Mapping) else {},
        source=source,
    )


def missing_package(error: ImportError) -> InputError:
    """The one error for a machine without the package ``nir``."""
    return InputError(
        f"NIR graphs need the package nir, which cannot be imported ({error}): pip install 'neuromorph[nir]'"
    )


def _read_file(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise missing_package(error) from None
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get("node"), h5py.Group):
                raise InputError(f"{str(path)!r} holds no NIR graph: it has no group 'node'")
            return _plain(file["node"], h5py.Group)
    except OSError as error:
        raise InputError(f"{str(path)!r} is no HDF5 file, which NIR files are: {error}") from None


def _plain(group: Any, group_type: type) -> dict[str, Any]:
    """Groups as dictionaries, data sets as arrays, text as text."""
    found: dict[str, Any] = {}
    for key, item in group.items():
        if isinstance(item, group_type):
            found[key] = _plain(item, group_type)
            continue
        value = item[()]
        found[key] = value.decode("utf8") if isinstance(value, bytes) else value
    return found


def _read_object(graph: Any) -> dict[str, Any]:
    try:
        import nir
    except ImportError as error:
        raise missing_package(error) from None
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(f"from_nir takes a file's path or a nir.NIRGraph, got a {type(graph).__name__}")
    nodes = {}
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            nodes[name] = _read_object(node)
            continue
        values = {key: value for key, value in vars(node).items() if key not in ("input_type", "output_type")}
        if isinstance(node, (nir.Input, nir.Output)):
            values["shape"] = node.input_type["input"]
        elif isinstance(node, nir.Flatten):
            values["input_type"] = node.input_type["input"]
        nodes[name] = {**values, "type": type(node).__name__}
    return {"type": "NIRGraph", "nodes": nodes, "edges": graph.edges, "metadata": graph.metadata}


def _dissolve(
    plain: Mapping[str, Any], prefix: str, nodes: dict[str, Node], edges: list[Edge], faults: list[str]
) -> tuple[list[str], list[str]]:
    """Add the nodes and edges of a graph, sub-graphs in their place; the names of its inputs and outputs."""
    if plain.get("type") != "NIRGraph" or "nodes" not in plain or "edges" not in plain:
        raise InputError(
            f"a NIR graph has nodes and edges, got {plain.get('type', 'nothing')!r} at {prefix or 'the top'}"
        )
    if not isinstance(plain["nodes"], Mapping):
        raise InputError(f"the nodes of a NIR graph are a group of nodes by name, got {plain['nodes']!r}")
    ports: dict[str, tuple[list[str], list[str]]] = {}
    inputs: list[str] = []
    outputs: list[str] = []
    for key, values in plain["nodes"].items():
        name = prefix + str(key)
        if not isinstance(values, Mapping):
            raise InputError(f"the node {name!r} is no group with a type and parameters")
        kind = str(values.get("type"))
        if name in nodes or name in ports:
            faults.append(f"two nodes are called {name!r}, one of them by its path through sub-graphs: rename one")
            continue
        if kind == "NIRGraph":
            ports[name] = _dissolve(values, f"{name}/", nodes, edges, faults)
            continue
        if kind in ("Input", "Output"):
            (inputs if kind == "Input" else outputs).append(name)
        if prefix and kind in ("Input", "Output"):
            kind = "Identity"
        nodes[name] = Node(name, kind, {key: value for key, value in values.items() if key not in ("type", "metadata")})
    for edge in _pairs(plain["edges"], prefix):
        ends = [prefix + (end.decode("utf8") if isinstance(end, bytes) else str(end)) for end in edge]
        known = [end in nodes or end in ports for end in ends]
        if not all(known):
            lost = ends[known.index(False)]
            faults.append(f"the edge {ends[0]!r} -> {ends[1]!r} names a node {lost!r} that is not there")
            continue
        sources = ports[ends[0]][1] if ends[0] in ports else [ends[0]]
        targets = ports[ends[1]][0] if ends[1] in ports else [ends[1]]
        if len(sources) != 1 or len(targets) != 1:
            port, found = ("Output", sources) if len(sources) != 1 else ("Input", targets)
            faults.append(
                f"the edge {ends[0]!r} -> {ends[1]!r} needs a sub-graph with one {port} node, there are {len(found)}:"
                " put its nodes into the graph itself"
            )
            continue
        edges.append((sources[0], targets[0]))
    return inputs, outputs


def _pairs(edges: Any, prefix: str) -> list[Any]:
    """The edges of a graph; raises :class:`InputError` where one is no pair of names."""
    found = list(edges) if isinstance(edges, (list, tuple, np.ndarray)) else [edges]
    for edge in found:
        names = list(edge) if isinstance(edge, (list, tuple, np.ndarray)) else [edge]
        if len(names) != 2 or not all(isinstance(name, (str, bytes, int)) for name in names):
            raise InputError(f"an edge of a NIR graph is two names, from and to, got {edge!r} at {prefix or 'the top'}")
    return found


def _node_faults(node: Node) -> list[str]:
    if node.kind not in PARAMETERS:
        known = ", ".join(kind for kind in PARAMETERS if kind != "Identity")
        return [f"{node} has no counterpart in a spiking program; known kinds: {known}"]
    faults = []
    for key in dict.fromkeys((*PARAMETERS[node.kind], *_OPTIONAL)):
        if not node.has(key):
            faults += [f"{node} lacks its parameter {key}"] if key in PARAMETERS[node.kind] else []
        elif key != "padding":  # which may be a word
            faults += [f"{node}: its {key} {fault}" for fault in _number_faults(node.values[key])]
    return faults


def _number_faults(value: Any) -> list[str]:
    try:
        array = np.asarray(value)
    except ValueError:
        return ["must be an array of numbers, got lists of different lengths"]
    if array.dtype.kind not in "buif":
        return [f"must be real numbers, got values of type {array.dtype}"]
    return ["must not hold NaN"] if np.any(np.isnan(array)) else []
