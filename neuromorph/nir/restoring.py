"""A network from a graph that :func:`to_nir` wrote: parameters and weights from the nodes, the rest from the record."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuromorph.connectors import Sparse, Synapses
from neuromorph.errors import FaultList, InputError
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.nir.graph import Graph, Node
from neuromorph.nir.linear_maps import spread
from neuromorph.nir.neuron_nodes import lower, raised
from neuromorph.nir.record import ADAPTATION, read_neuron, read_rule, unreadable
from neuromorph.nir.units import Clock
from neuromorph.recording import FloatArray

_STORED = 1e-6  # relative; other tools keep parameters in float32


def restore(graph: Graph, record: Mapping[str, Any], clock: Clock, assumptions: list[str]) -> tuple[Network, bool]:
    """The network that was exported, and whether weights were rescaled; what was changed in the nodes since then counts.

    Raises :class:`InputError` where the record is unsound, or where weights that learn would have to be rescaled.
    """
    try:
        restorer = _Restorer(graph, record, clock, assumptions)
        return restorer.network(), bool(restorer.gains)
    except InputError:
        raise
    except FaultList as error:
        raise InputError(f"the graph does not hold a sound network any more: {error}") from None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise unreadable(error) from None


class _Restorer:
    """Puts nodes and record together."""

    def __init__(self, graph: Graph, record: Mapping[str, Any], clock: Clock, assumptions: list[str]) -> None:
        self.graph, self.record, self.clock, self.assumptions = graph, record, clock, assumptions
        self.written = Clock(dt=float(record["dt"]), integration=record["integration"])
        self.same_clock = (
            math.isclose(self.written.dt, clock.dt, rel_tol=1e-9) and self.written.integration == clock.integration
        )
        self.gains: dict[str, FloatArray] = {}  # by population, where weights have to be rescaled
        if not self.same_clock:
            assumptions.append(
                f"The graph was written for steps of {self.written.dt!r} s ({self.written.integration}): weights and biases are"
                f" rescaled to steps of {clock.dt!r} s ({clock.integration}), and delays last as long as they did."
            )

    def network(self) -> Network:
        """All parts, in their old order."""
        record = self.record
        populations = [self.population(entry) for entry in record["populations"]]
        projections = [self.projection(entry) for entry in record["projections"]]
        return Network(
            populations=populations,
            projections=projections,
            modulators=[Modulator(**entry) for entry in record["modulators"]],
            probes=[Probe(**entry) for entry in record["probes"]],
            name=record["name"],
            metadata=record["metadata"],
        )

    def population(self, entry: Mapping[str, Any]) -> Population | Input:
        """One population or input."""
        node, name = self.graph.nodes[entry["node"]], entry["name"]
        if "neuron" not in entry:
            return Input(name, math.prod(int(size) for size in node.array("shape").ravel()))
        size = max(array.size for array in _arrays(node).values())
        neuron = read_neuron(entry["neuron"])
        sends = any(projection["pre"] == name for projection in self.record["projections"])
        kind, wanted = raised(neuron, size, self.written, sends=sends)
        unchanged = kind == node.kind and all(
            np.allclose(spread(node.array(key), (size,), key), values, rtol=_STORED, atol=0)
            for key, values in wanted.items()
        )
        if unchanged and self.same_clock:
            return Population(name, size, neuron)
        if not unchanged:
            self.assumptions.append(
                f"{node} was changed after neuromorph wrote it: its parameters count, not the record's."
            )
        lowered = lower(node, (size,), self.clock)
        self.gains[name] = lowered.gain
        restored = lowered.neuron(np.zeros(size), neuron.refractory)
        adaptation: dict[str, Any] = {parameter: getattr(neuron, parameter) for parameter in ADAPTATION}
        return Population(name, size, dataclasses.replace(restored, **adaptation))

    def projection(self, entry: Mapping[str, Any]) -> Projection:
        """One projection, its branches of different delays put together."""
        rows, columns, weights, delays = [], [], [], []
        shape = (0, 0)
        for branch in entry["branches"]:
            row, column, weight, shape = _synapses(self.graph.nodes[branch["weights"]], branch["synapses"])
            steps = 0
            if branch["delay"] is not None:
                node = self.graph.nodes[branch["delay"]]
                every = np.unique(self.written.steps(node.array("delay"), f"{node}: its delay"))
                if every.size > 1:
                    raise InputError(f"{node} has several delays, where neuromorph wrote one: {every.tolist()} steps")
                steps = int(every[0])
            rows.append(row)
            columns.append(column)
            weights.append(weight)
            delays.append(np.full(row.size, (1 + steps) * self.written.dt))
        found = Synapses.ordered(np.concatenate(rows), np.concatenate(columns), np.concatenate(weights), *shape)
        delay = np.full(shape, self.written.dt)
        delay[np.concatenate(rows), np.concatenate(columns)] = np.concatenate(delays)
        pointer = np.concatenate([[0], np.cumsum(np.bincount(found.post, minlength=shape[0]))])
        rule = read_rule(entry["rule"])
        scaled = found.weight
        if entry["post"] in self.gains:
            gain = self.gains[entry["post"]][found.post]
            if rule is not None and not np.allclose(gain, 1.0, rtol=_STORED, atol=0):
                raise InputError(
                    f"projection {entry['name']!r} learns, and its weights would have to be rescaled, which its rule would not"
                    f" survive: read the graph with dt={self.written.dt!r} and integration={self.written.integration!r}, and do"
                    f" not change the neurons that it leads to"
                )
            scaled = found.weight * gain
        one = float(delays[0][0]) if all(item.size and item[0] == delays[0][0] for item in delays) else None
        return Projection(
            entry["pre"],
            entry["post"],
            Sparse(scaled, found.pre, pointer, shape),
            delay=None if entry.get("one_step") else delay if one is None else one,
            plasticity=rule,
            name=entry["name"],
        )


def _arrays(node: Node) -> dict[str, FloatArray]:
    return {key: node.array(key) for key in node.values}


def _synapses(node: Node, which: Any) -> tuple[Any, Any, FloatArray, tuple[int, int]]:
    """(post, pre, weight) of the synapses that exist, and the shape (post, pre)."""
    if node.kind == "Scale":
        weight = node.array("scale").ravel()
        shape = (weight.size, weight.size)
        places = np.arange(weight.size, dtype=np.int64) * (weight.size + 1)
    else:
        array = node.array("weight")
        shape = (array.shape[0], array.shape[1])
        weight = array.ravel()
        places = np.arange(weight.size, dtype=np.int64)
    if which == "nonzero":
        kept = weight != 0
    elif which == "all":
        kept = np.ones(weight.size, dtype=bool)
    else:
        kept = np.zeros(weight.size, dtype=bool)
        kept[np.asarray(which, dtype=np.int64)] = True
        kept |= weight != 0
    post, pre = np.divmod(places[kept], shape[1])
    return post, pre, weight[kept], shape
