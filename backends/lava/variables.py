"""Where Lava keeps the variables of a session, and in which form: in fixed point as mantissas and exponents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import ALIGNMENT, bias_parts
from neuromorph.backends.lava import fixed_lowering
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.lowering import Graph
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.program import Program, ProjectionProgram

POST_TRACES = ("y1", "y2", "y3")
NEURON_VARIABLES: Mapping[str, str] = {
    "u": "u",
    "v": "v",
    "threshold_adaptation": "threshold_adaptation",
    "v_threshold": "vth",
    "bias": "bias_mant",
}
SYNAPSE_VARIABLES: Mapping[str, str] = {"weight": "weights", "tag": "tag_1"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Variables:
    """The variables of :meth:`neuromorph.session.Session.variables`, in a graph that runs."""

    program: Program
    graph: Graph
    run: InProcessRun | MultiProcessRun

    @property
    def is_fixed(self) -> bool:
        """Whether the graph computes in integers."""
        return self.program.arithmetic == "fixed"

    def prepare(self) -> None:
        """Keep Lava from cutting the first weights of plastic connections to multiples of two and more."""
        for name, process in self.graph.connections.items() if self.is_fixed else ():
            if self.program.projection(name).rule is not None:
                self.run.write(process, "weights_set", True)

    def read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        """A variable as a vector; synapses in the program's order."""
        if owner in self.graph.neurons:
            return self._read_neurons(owner, variable)
        if variable in POST_TRACES and owner in self.graph.traces:
            return np.asarray(self.run.read(self.graph.traces[owner], variable))
        projection = self.program.projection(owner)
        values = self.run.read(self.graph.connections[owner], SYNAPSE_VARIABLES.get(variable, variable))
        if variable not in SYNAPSE_VARIABLES:
            return np.asarray(values)
        if _is_sparse(projection):
            return np.asarray(values.toarray()[projection.post_index, projection.pre_index])
        return np.asarray(values[projection.post_index, projection.pre_index])

    def write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        """Set a variable from a full vector; it acts from the next step on."""
        if owner in self.graph.neurons:
            self._write_neurons(owner, variable, values)
            return
        if variable in POST_TRACES and owner in self.graph.traces:
            self.run.write(self.graph.traces[owner], variable, values)
            return
        projection, connection = self.program.projection(owner), self.graph.connections[owner]
        if variable not in SYNAPSE_VARIABLES:
            self.run.write(connection, variable, values)
        elif _is_sparse(projection):
            # in fixed point whole, since the zeros among the weights are stored no more
            held = fixed_lowering.sparse_weights(projection, values) if self.is_fixed else values
            self.run.write(connection, "weights", held)
        else:
            self.run.write(connection, SYNAPSE_VARIABLES[variable], projection.matrix(values))

    def reset(self) -> None:
        """Forget u, v, refractory counts, spikes under way, traces and tags."""
        for name, process in self.graph.neurons.items():
            population = self.program.population(name)
            rests = np.any(population.refractory > 0)
            for variable in (*population.states, *(["refractory_period_end"] if rests else [])):
                self._zero(process, variable)
        for process in (*self.graph.connections.values(), *self.graph.relays.values()):
            self._zero(process, "a_buff")
        for name, process in self.graph.connections.items():
            if self.program.projection(name).rule is not None:
                for variable in ("tag_1", "x1", "x2", *POST_TRACES, "tx", "ty"):
                    self._zero(process, variable)
        for process in self.graph.traces.values():
            for variable in POST_TRACES:
                self._zero(process, variable)

    def _read_neurons(self, owner: str, variable: str) -> npt.NDArray[Any]:
        process = self.graph.neurons[owner]
        values = np.asarray(self.run.read(process, NEURON_VARIABLES[variable]), dtype=np.float64)
        if self.is_fixed and variable == "bias":
            values = values * 2.0 ** self.run.read(process, "bias_exp")
        elif self.is_fixed and variable == "v_threshold":
            values = values * 2.0**ALIGNMENT
        return np.broadcast_to(values, (self.program.sizes[owner],))

    def _write_neurons(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        process = self.graph.neurons[owner]
        if self.is_fixed and variable == "bias":
            values, exponent = bias_parts(values)
            self.run.write(process, "bias_exp", exponent)
        elif self.is_fixed and variable == "v_threshold":
            values = values / 2.0**ALIGNMENT
            self.run.write(process, "isthrscaled", False)  # else Lava goes on with the threshold of its first step
        self.run.write(process, NEURON_VARIABLES[variable], values)

    def _zero(self, process: Any, name: str) -> None:
        self.run.write(process, name, np.zeros_like(self.run.read(process, name)))


def _is_sparse(projection: ProjectionProgram) -> bool:
    return projection.rule is None and projection.max_delay == 1 and not projection.is_full
