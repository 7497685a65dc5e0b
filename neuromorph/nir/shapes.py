"""The shape of what enters and leaves every node, derived from the graph itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from neuromorph.errors import InputError
from neuromorph.nir.graph import NEURONS, PARAMETERS, Graph, Node
from neuromorph.nir.linear_maps import Shape, shape_in, shape_out

_NOT_PER_NEURON = ("shape",)


def derive_shapes(graph: Graph, faults: list[str], assumptions: list[str]) -> dict[str, tuple[Shape, Shape]]:
    """By node, the shapes of its input and output; what does not fit is added to ``faults``.

    Parameters of neurons give their shape; where all of them are one number, the shape that arrives does.
    """
    before = {name: [node.name for node in graph.before(name)] for name in graph.nodes}
    wrong: set[str] = set()
    out: dict[str, Shape] = {}

    def settle(node: Node, shape: Shape | None) -> bool:
        try:
            found = _shape_of_neurons(node) if node.kind in (*NEURONS, "Scale", "Delay") else shape_out(node, shape)
            if node.kind == "Input":
                found = _shape_of_input(node)
            elif found == () and shape is not None:
                found = shape
        except InputError as error:
            wrong.add(node.name)
            faults.extend(f"{node}: {fault}" for fault in error.faults)
            return False
        if found is None or (found == () and node.kind != "Input"):
            return False
        out[node.name] = found
        return True

    waiting = list(graph.nodes.values())
    while waiting:
        left = [
            node
            for node in waiting
            if node.name not in wrong
            and not settle(node, next((out[name] for name in before[node.name] if name in out), None))
            and node.name not in wrong
        ]
        if len(left) == len(waiting):
            one = next((node for node in left if node.kind in (*NEURONS, "Scale", "Delay")), None)
            if one is None:
                break
            out[one.name] = (1,)
            left.remove(one)
        waiting = left
    faults += [
        f"{node}: its shape cannot be derived from what leads to it; give an Input with a shape"
        for node in waiting
        if node.kind != "Output" or before[node.name]
    ]
    shapes = {name: (shape, shape) for name, shape in out.items()}
    for node in graph.nodes.values():
        if node.name in out:
            arriving = [(name, out[name]) for name in before[node.name] if name in out]
            shapes[node.name] = (_shape_that_arrives(node, arriving, out[node.name], faults, assumptions), out[node.name])
    return shapes


def _shape_of_neurons(node: Node) -> Shape:
    """The shape of the largest parameter; () where all are one number."""
    arrays = [node.array(key) for key in PARAMETERS[node.kind]]
    largest = max(arrays, key=np.size)
    return () if largest.size == 1 else largest.shape


def _shape_of_input(node: Node) -> Shape:
    shape = tuple(int(size) for size in node.array("shape").ravel())
    if any(size < 1 for size in shape):
        raise InputError(f"its shape must have sizes >= 1, got {shape}")
    return shape


def _shape_that_arrives(
    node: Node, arriving: list[tuple[str, Shape]], own: Shape, faults: list[str], assumptions: list[str]
) -> Shape:
    """What the node reads: what it asks for where it says so, else what arrives first; all must have as many elements."""
    wanted = shape_in(node)
    if wanted is None:
        wanted = own if node.kind in NEURONS or not arriving else arriving[0][1]
    for name, shape in arriving:
        if math.prod(shape) != math.prod(wanted):
            faults.append(f"the edge {name!r} -> {node.name!r}: shape {shape} leaves, and {node} reads shape {wanted}")
        elif shape != wanted:
            assumptions.append(f"{node} reads the array of shape {shape} from {name!r} as one of shape {wanted}, in C order.")
    return wanted


def sizes(shapes: Mapping[str, tuple[Shape, Shape]]) -> dict[str, int]:
    """Elements that leave each node."""
    return {name: math.prod(out) for name, (_, out) in shapes.items()}
