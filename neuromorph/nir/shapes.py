"""The shape of what enters and leaves every node, derived from the graph itself."""

from __future__ import annotations

import math

import numpy as np

from neuromorph.errors import InputError
from neuromorph.nir.graph import NEURONS, PARAMETERS, Graph, Node
from neuromorph.nir.linear_maps import Shape, shape_in, shape_out

_ELEMENTWISE = NEURONS | {"Scale", "Delay"}  # what leaves has the shape of what arrives, and of the parameters


def derive_shapes(graph: Graph, faults: list[str], assumptions: list[str]) -> dict[str, tuple[Shape, Shape]]:
    """By node, the shapes of its input and output; what does not fit is added to ``faults``.

    Parameters of neurons give their shape; where they are one number, or one along a dimension, what arrives does.
    """
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for pre, post in graph.edges:
        before[post].append(pre)
    out: dict[str, Shape] = {}
    unsound = False
    waiting = list(graph.nodes.values())
    while waiting:
        left = []
        for node in waiting:
            try:
                shape = _shape_out(node, next((out[name] for name in before[node.name] if name in out), None))
            except InputError as error:
                faults += [f"{node}: {fault}" for fault in error.faults]
                unsound = True
                continue
            if shape is None:
                left.append(node)
            else:
                out[node.name] = shape
        if len(left) == len(waiting):  # circles, and neurons that nothing leads to
            one = next((node for node in left if node.kind in _ELEMENTWISE), None)
            if one is None:
                break
            out[one.name] = _largest(one) or (1,)
            left.remove(one)
        waiting = left
    if not unsound:  # else it follows from that
        faults += [f"{node}: its shape cannot be derived from what leads to it" for node in waiting]
    shapes = {}
    for name, shape in out.items():
        arriving = [(pre, out[pre]) for pre in before[name] if pre in out]
        shapes[name] = (_shape_in(graph.nodes[name], arriving, shape, faults, assumptions), shape)
    return shapes


def _shape_out(node: Node, arriving: Shape | None) -> Shape | None:
    if node.kind == "Input":
        shape = tuple(int(size) for size in node.array("shape").ravel())
        if any(size < 1 for size in shape):
            raise InputError(f"its shape must have sizes >= 1, got {shape}")
        return shape
    if node.kind not in _ELEMENTWISE:
        return shape_out(node, arriving)
    own = _largest(node)
    if arriving is None:
        return own if own and 1 not in own else None
    spreads = len(own) == len(arriving) and all(a in (1, b) for a, b in zip(own, arriving, strict=True))
    return arriving if own == () or spreads else own


def _largest(node: Node) -> Shape:
    """The shape of the largest parameter; () where all are one number."""
    largest = max((node.array(key) for key in PARAMETERS[node.kind]), key=np.size)
    return () if largest.size == 1 else largest.shape


def _shape_in(
    node: Node, arriving: list[tuple[str, Shape]], own: Shape, faults: list[str], assumptions: list[str]
) -> Shape:
    """What the node reads: what it asks for where it says so, else what arrives first; all must have as many elements."""
    wanted = shape_in(node)
    if wanted is None:
        wanted = own if node.kind in _ELEMENTWISE or not arriving else arriving[0][1]
    for name, shape in arriving:
        if math.prod(shape) != math.prod(wanted):
            faults.append(f"the edge {name!r} -> {node.name!r}: shape {shape} leaves, and {node} reads shape {wanted}")
        elif shape != wanted:
            assumptions.append(
                f"{node} reads the array of shape {shape} from {name!r} as one of shape {wanted}, in C order."
            )
    return wanted
