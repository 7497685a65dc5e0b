"""Nengo 4: a program as ensembles of an exact current-based LIF neuron, joined by event-driven synapses.

Nothing of the Neural Engineering Framework is used: no decoders, no random initial state, no Nengo seed matters. The
network is an ordinary ``nengo.Network``, run by ``nengo.Simulator``; :class:`CubaLIF` and :class:`Synapses` are what
Nengo itself lacks. Arithmetic is float64, in the reference's order of operations.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="numpy.core is deprecated", category=DeprecationWarning)
    import nengo
    from nengo.builder import Builder, Model, Operator, Signal
    from nengo.cache import NoDecoderCache
    from nengo.dists import Choice
    from nengo.neurons import NeuronType
    from nengo.params import Parameter
    from nengo.transforms import Transform

from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session, reward
from neuromorph.errors import SimulatorError
from neuromorph.inputs import Input, Modulator
from neuromorph.plastic_state import PlasticState
from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.recording import BoolArray, FloatArray, IntArray, SpikeTrain

# The neurons' variables: their address in a session, and the signal of CubaLIF that holds them.
SIGNALS: Mapping[str, str] = {"u": "current", "v": "voltage", "v_threshold": "threshold", "bias": "drive"}


class Lowering:
    """A program as a ``nengo.Network``: one function for each kind of part, listed in ``table``."""

    def __init__(self, program: Program) -> None:
        table: Mapping[type, Callable[[Any], None]] = {
            Input: self.input,
            Modulator: self.modulator,
            PopulationProgram: self.population,
            ProjectionProgram: self.projection,
        }
        self.program = program
        self.sources: dict[str, Any] = {}  # inputs: Node; populations: Neurons
        self.modulators: dict[str, Any] = {}
        self.feeds: dict[tuple[type, str], Feed] = {}
        self.under_way: dict[str, UnderWay] = {}
        self.network = nengo.Network(label=program.name, seed=0)
        with self.network:
            for part in (*program.inputs, *program.modulators, *program.populations, *program.projections):
                table[type(part)](part)

    def input(self, item: Input) -> None:
        """A node that gives out the fed spikes, 0 or 1."""
        self.sources[item.name] = self._node(item)

    def modulator(self, item: Modulator) -> None:
        """A node that gives out the third factor."""
        self.modulators[item.name] = self._node(item)

    def population(self, item: PopulationProgram) -> None:
        """An ensemble used for its neurons alone: gain 1, bias 0, no evaluation points, so that nothing is solved."""
        n = item.size
        ensemble = nengo.Ensemble(
            n,
            dimensions=1,
            neuron_type=CubaLIF(
                {
                    "threshold": item.threshold,
                    "drive": item.bias,
                    "decay_u": item.decay_u,
                    "decay_v": item.decay_v,
                    "refractory": item.refractory,
                }
            ),
            gain=np.ones(n),
            bias=np.zeros(n),
            encoders=np.ones((n, 1)),
            eval_points=np.zeros((1, 1)),
            label=item.name,
        )
        self.sources[item.name] = ensemble.neurons
        self._dendrites(item.name, n)

    def projection(self, item: ProjectionProgram) -> None:
        """A connection without synapse: the transform delays by a step or more."""
        factors = {name: self.modulators[name] for name in (item.rule.modulators if item.rule else ())}
        self.under_way[item.name] = UnderWay(item)
        place = [p.name for p in self.program.projections if p.post == item.post].index(item.name)
        target = self._targets[item.post]
        nengo.Connection(
            self.sources[item.pre],
            target if target is self.sources[item.post] else target[place * item.post_size : (place + 1) * item.post_size],
            transform=Synapses(self.under_way[item.name], self.sources[item.post], factors),
            synapse=None,
            label=item.name,
        )

    def _dendrites(self, name: str, size: int) -> None:
        """Where a population's connections end.

        Nengo may add what arrives over several connections in any order. From three on the last bit depends on it, so a
        node adds them in the program's order.
        """
        self._targets: dict[str, Any] = getattr(self, "_targets", {})
        count = sum(projection.post == name for projection in self.program.projections)
        self._targets[name] = self.sources[name]
        if count > 2:
            node = nengo.Node(
                lambda t, x: reduce(np.add, x.reshape(count, size)), size_in=count * size, size_out=size, label=f"into {name}"
            )
            nengo.Connection(node, self.sources[name], synapse=None)
            self._targets[name] = node

    def _node(self, item: Input | Modulator) -> Any:
        feed = self.feeds[type(item), item.name] = Feed()
        return nengo.Node(feed, size_out=item.size, label=item.name)
