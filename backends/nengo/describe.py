"""From a Nengo model that a user has built to a description: neurons connected to neurons, and nothing else.

| Nengo | description |
|---|---|
| Ensemble of LIF | population of the nearest current-based LIF; each difference is a sentence in the metadata |
| Ensemble of our CubaLIF | the same neurons, to the bit |
| Connection between ``.neurons``, with a Lowpass or no synapse | projection |
| Connection with our Synapses transform | the same projection, with its delays and learning rule |
| Node without input: PresentInput, a function | input; a Node of one constant value becomes a bias |
| Probe of spikes, voltage, current or weights | probe |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import nengo
import numpy as np
from nengo.ensemble import Neurons
from nengo.processes import PresentInput

from neuromorph.backends.nengo.described_neurons import DescribedNeurons, read_neurons
from neuromorph.backends.nengo.described_weights import scaled, weights
from neuromorph.backends.nengo.synapses import Synapses
from neuromorph.connectors import Sparse
from neuromorph.discretise import exact_clock, time_constant
from neuromorph.errors import InputError, UnsupportedError, is_count, is_number, raise_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Probe, Projection
from neuromorph.parts import ProjectionProgram, RuleProgram
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.recording import BoolArray, FloatArray

NENGO_DT = 1e-3  # s, what nengo.Simulator takes where it is told nothing

RULES: Mapping[str, str] = {
    "PES": "it changes decoders by an error; here an error is a third factor:"
    ' LearningRule(dw="k * r * x1 * u0", x1=Trace(tau), modulators={"error": 1.0})',
    "RLS": "it changes decoders by least squares, which is not local: train the weights elsewhere and give them",
    "BCM": 'write LearningRule(dw="k * x1 * y1 * y1 * u0 - k * x1 * y1 * y2 * u0", x1=Trace(tau), y1=Trace(tau),'
    " y2=Trace(theta_tau))",
    "Oja": 'write LearningRule(dw="k * x1 * y1 * u0 - k * beta * w * y1 * y1 * u0", x1=Trace(tau), y1=Trace(tau))',
    "Voja": 'it changes encoders, which neurons do not have; the nearest is LearningRule(dw="k * x1 * y0 - k * w * y0",'
    " x1=Trace(tau))",
}
"""Learning rules without a counterpart, and ours that comes nearest."""


def describe(model: object, *, dt: float | None = None, spike_height: float = 1.0) -> Network:
    """The description of a ``nengo.Network``, or of one that a ``nengo.Simulator`` has built; nothing is run.

    ``dt``: seconds of a step; None takes the simulator's, or Nengo's own 1e-3. ``spike_height``: the value that a Node
    of the user's own puts out for one spike. Raises :class:`UnsupportedError` with every object that has no counterpart.
    """
    reader = _Reader(model, dt, spike_height)
    return reader.network()


def inputs(model: object, steps: int, *, dt: float | None = None, spike_height: float = 1.0) -> dict[str, BoolArray]:
    """What the input Nodes of a model put out in the first ``steps`` steps, for ``run(steps, inputs=...)``.

    Calls a Node's function once for every step. Raises :class:`UnsupportedError` where a Node is another process, or
    puts out other values than 0 and ``spike_height``.
    """
    if not is_count(steps):
        raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
    reader = _Reader(model, dt, spike_height)
    reader.network()
    found, faults = {}, []
    for node, name in reader.inputs.items():
        if isinstance(node.output, PresentInput):
            found[name] = node.output.run_steps(steps, dt=reader.dt) != 0
        elif callable(node.output):
            rows = [np.broadcast_to(node.output(step * reader.dt), (node.size_out,)) for step in range(1, steps + 1)]
            values = np.array(rows, dtype=np.float64).reshape(steps, node.size_out)
            found[name] = values != 0
            strange = values[found[name] & ~np.isclose(values, reader.heights[node], rtol=1e-9, atol=0)]
            if strange.size:
                faults.append(
                    f"Node {name!r}: it puts out {strange[0]:g}, where a spike is {reader.heights[node]:g}: give"
                    " spike_height here and to from_nengo, or encode the values as spikes of one height"
                )
        else:
            faults.append(
                f"Node {name!r}: its output is the process {node.output!r}, whose values are known only once it is built:"
                " record it with a nengo.Probe and give that as the input"
            )
    raise_faults(UnsupportedError, faults)
    return found


@final
class _Reader:
    """Goes through the objects of a model and notes faults and assumptions."""

    def __init__(self, model: object, dt: float | None, spike_height: float) -> None:
        if not isinstance(model, (nengo.Network, nengo.Simulator)):
            raise InputError(f"a Nengo model is a nengo.Network or a nengo.Simulator, got {model!r}")
        built = isinstance(model, nengo.Simulator)
        if dt is not None and not (is_number(dt) and dt > 0):
            raise InputError(f"dt must be > 0 s and finite, got {dt!r}")
        if built and dt is not None and dt != model.dt:
            raise InputError(f"dt is {dt!r} s, but the simulator was built for {model.dt!r} s: leave dt out")
        if not (is_number(spike_height) and spike_height > 0):
            raise InputError(f"spike_height must be > 0 and finite, got {spike_height!r}")
        self.top = model.model.toplevel if built else model
        self.data: Mapping[Any, Any] = model.data if built else {}
        self.dt = float(model.dt if built else NENGO_DT if dt is None else dt)
        self.spike_height = float(spike_height)
        self.faults: list[str] = []
        self.assumptions: list[str] = []
        self.inputs: dict[Any, str] = {}  # Node to name
        self.heights: dict[Any, float] = {}  # of the spikes of a Node
        self.constants: dict[Any, FloatArray] = {}
        self.modulators: dict[str, Modulator] = {}
        self.neurons: dict[Any, DescribedNeurons] = {}  # by ensemble
        self.projections: dict[Any, Projection] = {}  # by connection
        self._names: set[str] = set()
        self._name_of: dict[Any, str] = {}  # of ensembles and nodes

    def network(self) -> Network:
        """Everything, or one error with all faults."""
        own = [c.transform for c in self.top.all_connections if isinstance(c.transform, Synapses)]
        teaching = {id(node) for transform in own for node in transform.modulators.values()}
        junctions = {
            id(c.post_obj)
            for c in self.top.all_connections
            if isinstance(c.transform, Synapses) and isinstance(c.post_obj, nengo.Node)
        }
        for ensemble in self.top.all_ensembles:
            built = self.data[ensemble] if self.data else None
            name = self._name_of[ensemble] = self.name(ensemble.label, "ensemble")
            found = read_neurons(name, ensemble, built, self.dt, self.faults, self.assumptions)
            if found is not None:
                self.neurons[ensemble] = found
        for node in self.top.all_nodes:
            if id(node) not in teaching and id(node) not in junctions:
                self.node(node)
        for connection in self.top.all_connections:
            if id(connection.pre_obj) not in junctions:  # our own sum over projections is no connection by itself
                self.connection(connection)
        for neurons in self.neurons.values():
            self.faults += neurons.faults()
            self.assumptions += neurons.differences()
        if not self.neurons and not self.faults:
            self.faults.append("the model has no ensemble: there is nothing to simulate")
        raise_faults(UnsupportedError, self.faults)
        return Network(
            populations=[
                *(Input(name, node.size_out) for node, name in self.inputs.items()),
                *(neurons.population() for neurons in self.neurons.values()),
            ],
            projections=list(self.projections.values()),
            modulators=list(self.modulators.values()),
            probes=self.probes(),
            name=self.top.label or "nengo",
            metadata={
                "nengo": {"version": nengo.__version__, **exact_clock(self.dt), "assumptions": self.assumptions},
            },
        )

    def name(self, label: str | None, kind: str) -> str:
        """A name that is free and fit for addresses: the label, or the kind with a number."""
        wanted = "".join(sign if sign.isprintable() and sign != "." else "_" for sign in label or "").strip()
        number = 1
        name = wanted or f"{kind}1"
        while name in self._names:
            number += 1
            name = f"{wanted} {number}" if wanted else f"{kind}{number}"
        self._names.add(name)
        return name

    def label(self, item: Any) -> str:
        """How errors name an ensemble, a node or another object of the model."""
        owner = item.ensemble if isinstance(item, Neurons) else item
        return self._name_of.get(owner) or getattr(owner, "label", None) or repr(owner)

    def node(self, node: Any) -> None:
        """An input, a constant, or something that only listens."""
        name = self._name_of[node] = self.name(node.label, "node")
        where = f"Node {name!r}"
        output = node.output
        if node.size_in > 0:
            if any(connection.pre_obj is node for connection in self.top.all_connections):
                self.faults.append(
                    f"{where}: it passes signals on, and nothing here computes between neurons: connect them directly"
                )
            else:
                self.assumptions.append(f"{where} only listens and was left out")
        elif isinstance(output, np.ndarray):
            self.constants[node] = np.asarray(output, dtype=np.float64)
        elif output is not None:
            height = self.spike_height
            if isinstance(output, PresentInput):
                values = np.unique(output.inputs[output.inputs != 0])
                if values.size > 1:
                    self.faults.append(
                        f"{where}: it presents values {values[0]:g} to {values[-1]:g}, and an input is spikes of one"
                        " height: encode the values as spikes"
                    )
                height = float(values[0]) if values.size else height
            else:
                self.assumptions.append(
                    f"input {name!r}: its values are taken for spikes of height {height!r} (spike_height=...)"
                )
            self.inputs[node], self.heights[node] = name, height

    def connection(self, connection: Any) -> None:
        """A projection, or the reason why it is none."""
        pre, post = connection.pre_obj, connection.post_obj
        where = f"Connection {connection.label or f'{self.label(pre)} -> {self.label(post)}'!r}"
        if isinstance(connection.transform, Synapses):
            self.own_projection(connection)
            return
        faults = _connection_faults(connection)
        self.faults += [f"{where}: {fault}" for fault in faults]
        if faults or not isinstance(post, Neurons) or post.ensemble not in self.neurons:
            return
        target = self.neurons[post.ensemble]
        source = self.neurons.get(pre.ensemble) if isinstance(pre, Neurons) else None
        tau = 0.0 if connection.synapse is None else float(connection.synapse.tau)
        built = self.data[connection].weights if self.data else None
        try:
            matrix = weights(connection, built)
        except UnsupportedError as error:
            self.faults += [f"{where}: {fault}" for fault in error.faults]
            return
        if pre in self.constants:
            target.constant += matrix @ self.constants[pre]
            if tau > 0:
                self.assumptions.append(
                    f"{where}: the constant rises with tau {tau!r} s in Nengo, and is there at once here"
                )
            return
        if source is None and pre not in self.inputs:
            return
        if connection.synapse is None:
            self.assumptions.append(
                f"{where}: without a synapse Nengo delivers spikes in the same step, here one step later"
            )
        height = self.heights[pre] if source is None else source.height
        passed = 1.0 if tau == 0 else -math.expm1(-self.dt / tau)
        matrix = scaled(matrix, target.rows, height * passed)
        target.inhibited |= bool((matrix if isinstance(matrix, np.ndarray) else matrix.data).min(initial=0.0) < 0)
        target.taus.setdefault(tau, []).append(where)
        name = self.inputs[pre] if source is None else source.name
        edge = self.name(connection.label or f"{name}->{target.name}", "connection")
        self.projections[connection] = Projection(name, target.name, matrix, name=edge)

    def own_projection(self, connection: Any) -> None:
        """What our own transform holds: synapses with delays and a learning rule, in steps."""
        transform = connection.transform
        item: ProjectionProgram = transform.under_way.projection
        pre, post = connection.pre_obj, transform.post.ensemble
        source = self.neurons[pre.ensemble].name if isinstance(pre, Neurons) and pre.ensemble in self.neurons else None
        source = self.inputs.get(pre, source)
        if source is None or post not in self.neurons:
            return  # what it starts or ends on has a fault of its own
        for name, node in transform.modulators.items():
            self.modulators.setdefault(name, Modulator(name, node.size_out))
        delay: Any = None
        if not item.has_one_delay:
            delay = np.maximum(item.matrix(item.delay), 1) * self.dt
        elif item.max_delay > 1:
            delay = item.max_delay * self.dt
        target = self.neurons[post]
        if item.rule is not None and np.any(target.rows != 1):
            self.faults.append(
                f"Connection {item.name!r}: it learns onto neurons with a gain or of another type: use gain 1"
            )
        if target.kind is nengo.LIF:
            target.taus.setdefault(0.0, []).append(f"Connection {item.name!r}")
        shape = (item.post_size, item.pre_size)
        synapses = Sparse(item.weight * target.rows[item.post_index], item.pre_index, item.by_post, shape)
        edge = self.name(connection.label or f"{source}->{target.name}", "connection")
        self.projections[connection] = Projection(
            source,
            target.name,
            item.matrix(synapses.data) if item.is_full else synapses,
            delay=delay,
            plasticity=None if item.rule is None else learning_rule(item.rule, self.dt),
            name=edge,
        )

    def probes(self) -> list[Probe]:
        """The spikes of every population, and what the model's own probes record."""
        found = {(item.name, "spikes"): Probe(item.name) for item in self.neurons.values()}
        for probe in self.top.all_probes:
            target = probe.obj
            owner = ""
            known: Mapping[str, str] = {}
            if isinstance(target, Neurons) and target.ensemble in self.neurons:
                neurons = self.neurons[target.ensemble]
                owner, known = neurons.name, neurons.variables
            elif target in self.projections:
                owner, known = self.projections[target].name, {"weights": "weight"}
            if probe.attr not in known:
                self.assumptions.append(f"Probe of {probe.attr!r} of {self.label(target)} was left out")
                continue
            if probe.synapse is not None:
                self.assumptions.append(
                    f"Probe of {probe.attr!r} of {self.label(target)}: its synapse {probe.synapse!r} was left out"
                )
            if known[probe.attr] != "spikes":
                key = owner, known[probe.attr]
                found.setdefault(key, Probe(*key, every=probe.sample_every))
        return list(found.values())


def learning_rule(rule: RuleProgram, dt: float) -> LearningRule:
    """A rule in steps of ``dt`` as the description that compiles to it."""
    traces = {
        name: Trace(
            time_constant(item.decay, dt), item.impulse, "nearest" if item.nearest else "all-to-all", item.source
        )
        for name, item in rule.traces.items()
    }
    return LearningRule(
        name=rule.name,
        dw=str(rule.dw) or None,
        dt=None if rule.dt is None else str(rule.dt),
        dd=None if rule.dd is None else str(rule.dd),
        d_max=None if rule.d_max is None else rule.d_max * dt,
        w_min=rule.w_min,
        w_max=rule.w_max,
        modulators=dict(rule.modulators),
        epoch=None if rule.epoch == 1 else rule.epoch * dt,
        **traces,  # type: ignore[arg-type]
    )


def _connection_faults(connection: Any) -> list[str]:
    """Why a connection that is not ours is no projection."""
    pre, post = connection.pre_obj, connection.post_obj
    found = []
    if isinstance(pre, nengo.Ensemble):
        found.append("it is decoded from an ensemble; spikes go from neurons to neurons: connect ensemble.neurons")
    if isinstance(post, nengo.Ensemble):
        found.append("it ends on an ensemble, whose encoders have no counterpart: connect it to ensemble.neurons")
    rules = connection.learning_rule_type
    for rule in rules.values() if isinstance(rules, dict) else rules if isinstance(rules, (list, tuple)) else [rules]:
        if rule is not None:
            kind = type(rule).__name__
            found.append(f"learning rule {kind}: {RULES.get(kind, 'it has no counterpart: write a LearningRule')}")
    if isinstance(pre, nengo.Node) and connection.function is not None:
        found.append("it has a function, and nothing here computes on the way: apply it in the Node")
    if connection.synapse is not None and type(connection.synapse) is not nengo.Lowpass:
        found.append(f"synapse {connection.synapse!r}: only Lowpass and None have a counterpart")
    return found
