"""From a program to a ``nengo.Network``: what each part becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, final

import nengo
import numpy as np
import numpy.typing as npt

from neuromorph.backends.nengo.neurons import neuron_type
from neuromorph.backends.nengo.synapses import Synapses, UnderWay
from neuromorph.inputs import Input, Modulator
from neuromorph.program import PopulationProgram, Program, ProjectionProgram


@final
class Feed:
    """The function of a node: row after row of what a run was given."""

    def __init__(self) -> None:
        self._rows: npt.NDArray[Any] = np.zeros((0, 0))
        self._next = 0

    def give(self, rows: npt.NDArray[Any]) -> None:
        """Rows of the next steps, shape (steps, size)."""
        self._rows, self._next = rows, 0

    def __call__(self, t: float) -> npt.NDArray[Any]:
        """The row of this step."""
        del t
        row: npt.NDArray[Any] = self._rows[self._next]
        self._next += 1
        return row


@final
class Lowering:
    """A program as a ``nengo.Network``; ``table`` says which function makes each kind of part.

    ``seed`` is the session's: the rounding noise of fixed-point learning is drawn from it.
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        table: Mapping[type, Callable[[Any], None]] = {
            Input: self.input,
            Modulator: self.modulator,
            PopulationProgram: self.population,
            ProjectionProgram: self.projection,
        }
        self.program, self.seed = program, seed
        self.feeds: dict[str, Feed] = {}  # by input
        self.modulator_feeds: dict[str, Feed] = {}
        self.neurons: dict[str, Any] = {}  # by population
        self.under_way: dict[str, UnderWay] = {}  # by projection
        self._sources: dict[str, Any] = {}  # where the spikes of an input or population come from
        self._dendrites: dict[str, list[Any]] = {}  # by population: where its connections end, in order
        self._modulators: dict[str, Any] = {}
        self.network = nengo.Network(label=program.name, seed=0, add_to_container=False)
        with self.network:
            for part in (*program.inputs, *program.modulators, *program.populations, *program.projections):
                table[type(part)](part)

    def input(self, item: Input) -> None:
        """A node that gives out the spikes that a run was given, 0 or 1."""
        self.feeds[item.name] = Feed()
        self._sources[item.name] = nengo.Node(self.feeds[item.name], size_out=item.size, label=item.name)

    def modulator(self, item: Modulator) -> None:
        """A node that gives out the third factor."""
        self.modulator_feeds[item.name] = Feed()
        self._modulators[item.name] = nengo.Node(self.modulator_feeds[item.name], size_out=item.size, label=item.name)

    def population(self, item: PopulationProgram) -> None:
        """An ensemble of which only the neurons are used: gain 1, bias 0, and nothing for Nengo to draw or solve."""
        size = item.size
        ensemble = nengo.Ensemble(
            size,
            dimensions=1,
            neuron_type=neuron_type(item, self.program.arithmetic),
            gain=np.ones(size),
            bias=np.zeros(size),
            encoders=np.ones((size, 1)),
            eval_points=np.zeros((1, 1)),
            label=item.name,
        )
        self.neurons[item.name] = self._sources[item.name] = ensemble.neurons
        incoming = sum(projection.post == item.name for projection in self.program.projections)
        self._dendrites[item.name] = [ensemble.neurons] * incoming
        if incoming > 2:
            # Nengo adds what arrives over connections in no certain order. With three the order shows in the last bit.
            node = nengo.Node(
                lambda t, x: reduce(np.add, x.reshape(incoming, size)),
                size_in=incoming * size,
                size_out=size,
                label=f"dendrites of {item.name}",
            )
            nengo.Connection(node, ensemble.neurons, synapse=None)
            self._dendrites[item.name] = [node[start : start + size] for start in range(0, incoming * size, size)]

    def projection(self, item: ProjectionProgram) -> None:
        """A connection between neurons; its transform holds the delays too, so it has no Nengo synapse."""
        self.under_way[item.name] = UnderWay(item, self.program, self.seed)
        names = () if item.rule is None else item.rule.modulators
        nengo.Connection(
            self._sources[item.pre],
            self._dendrites[item.post].pop(0),
            transform=Synapses(
                self.under_way[item.name], self.neurons[item.post], {name: self._modulators[name] for name in names}
            ),
            synapse=None,
            label=item.name,
        )
