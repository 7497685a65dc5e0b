"""From a program to a graph of stock Lava Processes.

| program | Processes |
|---|---|
| input | RingBuffer (source) |
| population | LIF, or LIFRefractory where a neuron has a refractory period, or AdaptiveLif where a threshold adapts |
| projection, one step of delay | Dense where every synapse exists, else Sparse |
| projection, longer delays | DelayDense |
| plastic projection | LearningDense; with a longer delay a DelayDense of weight 1 behind it |
| third factor | RingBuffer (source) into the connection's y port, and PostTraces for the rule's own y traces |
| the same in fixed point | two of these RingBuffers, for either sign; a LearningDense of our own where synapses are absent |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuromorph.backends.lava import compat, fixed_lowering, fixed_models, model_table, models, rules
from neuromorph.fixed_plastic_state import stream_seed
from neuromorph.program import PopulationProgram, Program, ProjectionProgram, RuleProgram
from neuromorph.recording import FloatArray

MODELS: Mapping[type, type] = {
    compat.LIF: models.RecordedLif,
    compat.LIFRefractory: models.RecordedRefractoryLif,
    models.AdaptiveLif: models.AdaptiveLifModel,
    compat.Dense: models.OrderedDense,
    compat.Sparse: models.OrderedSparse,
    compat.DelayDense: models.DelayedDense,
    compat.LearningDense: models.PlasticDense,
    compat.SourceRingBuffer: compat.PySendModelFloat,
    models.PostTraces: models.PostTracesModel,
}
"""Process class to ProcessModel class, for programs in floating point."""

FIXED_MODELS: Mapping[type, type] = {
    **model_table.FIXED_MODELS,
    compat.LIF: fixed_models.RecordedFixedLif,
    compat.LIFRefractory: fixed_models.RecordedFixedRefractoryLif,
    fixed_models.PartialLearningDense: fixed_models.PartialLearningDenseModel,
    models.PostTraces: fixed_models.FixedPostTracesModel,
}
"""The same in fixed point: Lava's own but for these four."""

TABLES: Mapping[str, Mapping[type, type]] = {"float": MODELS, "fixed": FIXED_MODELS}  # by Program.arithmetic


@dataclass(eq=False)
class Graph:
    """The Processes of a program, by the names of what they stand for."""

    sources: dict[str, Any] = field(default_factory=dict)  # input
    neurons: dict[str, Any] = field(default_factory=dict)  # population
    connections: dict[str, Any] = field(default_factory=dict)  # projection
    relays: dict[str, Any] = field(default_factory=dict)  # plastic projection with a longer delay
    rewards: dict[tuple[str, str], Any] = field(default_factory=dict)  # projection with a third factor, and its y port
    traces: dict[str, Any] = field(default_factory=dict)  # projection with a third factor and post traces

    def processes(self) -> list[Any]:
        """All of them, in the order in which they were made."""
        groups: tuple[Mapping[Any, Any], ...] = (
            self.sources,
            self.neurons,
            self.connections,
            self.relays,
            self.rewards,
            self.traces,
        )
        return [process for group in groups for process in group.values()]


def lower(program: Program, seed: int = 0) -> Graph:
    """The graph of a program; inputs that feed nothing get no Process. ``seed`` rounds traces in fixed point."""
    graph = Graph()
    is_fixed = program.arithmetic == "fixed"
    used = {projection.pre for projection in program.projections}
    for item in program.inputs:
        if item.name in used:
            graph.sources[item.name] = compat.SourceRingBuffer(data=np.zeros((item.size, 1)))
    for population in program.populations:
        graph.neurons[population.name] = (fixed_lowering.neurons if is_fixed else neurons)(population)
    for projection in program.projections:
        connect(graph, program, projection, seed)
    return graph


def neurons(population: PopulationProgram) -> Any:
    """LIF, LIFRefractory or AdaptiveLif, with arrays of parameters."""
    parameters = {
        "shape": (population.size,),
        "du": 1.0 - population.decay_u,
        "dv": 1.0 - population.decay_v,
        "vth": population.threshold.copy(),
        "bias_mant": population.bias.copy(),
    }
    if not np.any(population.refractory > 0) and not population.adapts:
        return compat.LIF(**parameters)
    process = models.AdaptiveLif(**parameters) if population.adapts else compat.LIFRefractory(**parameters)
    if population.threshold_increment is not None and population.decay_threshold is not None:
        process.proc_params["threshold_increment"] = population.threshold_increment.copy()
        process.proc_params["decay_threshold"] = population.decay_threshold.copy()
    process.proc_params.overwrite("refractory_period", population.refractory.copy())
    return process


def connect(graph: Graph, program: Program, projection: ProjectionProgram, seed: int) -> None:
    """The connection of a projection, wired to its neurons."""
    is_fixed, rule = program.arithmetic == "fixed", projection.rule
    sending = graph.sources.get(projection.pre) or graph.neurons[projection.pre]
    receiving = graph.neurons[projection.post]
    stream = stream_seed(program, projection.name, seed)
    if rule is None:
        connection = fixed_lowering.static(projection) if is_fixed else static(projection)
    else:
        connection = fixed_lowering.plastic(projection, rule, stream) if is_fixed else plastic(projection, rule)
    graph.connections[projection.name] = connection
    sending.s_out.connect(connection.s_in)
    if rule is not None:
        teach(graph, projection, rule, stream)
        if rule.modulators:
            none = np.zeros((1, projection.post_size))
            for port, row in third_factor_rows(program, rule, none).items():
                source = graph.rewards[projection.name, port] = compat.SourceRingBuffer(data=row.T)
                source.s_out.connect(getattr(connection, f"s_in_{port}"))
        if projection.max_delay > 1:
            relay = fixed_lowering.relay(projection) if is_fixed else _relay(projection)
            graph.relays[projection.name] = relay
            connection.a_out.connect(relay.s_in)
            connection = relay
    connection.a_out.connect(receiving.a_in)


def third_factor_rows(program: Program, rule: RuleProgram, values: FloatArray) -> dict[str, FloatArray]:
    """What carries the third factor of a rule, given r of each step and neuron, by Lava's name of the post trace."""
    if program.arithmetic == "fixed":
        return fixed_lowering.third_factor_rows(rule, values)
    return {str(rules.reward_port(rule)): values}


def static(projection: ProjectionProgram) -> Any:
    """A connection whose weights do not change by themselves."""
    if projection.max_delay > 1:
        return compat.DelayDense(
            weights=projection.matrix(projection.weight),
            delays=np.maximum(projection.matrix(projection.delay) - 1, 0),
            max_delay=projection.max_delay - 1,
        )
    if projection.is_full:
        return compat.Dense(weights=projection.matrix(projection.weight))
    from scipy.sparse import csr_matrix

    shape = (projection.post_size, projection.pre_size)
    weights = csr_matrix((projection.weight, projection.pre_index, projection.by_post), shape=shape)
    return compat.Sparse(weights=weights)


def plastic(projection: ProjectionProgram, rule: RuleProgram) -> Any:
    """A LearningDense whose rule object also carries the exact expressions."""
    port = rules.reward_port(rule)
    options: dict[str, Any] = {
        "dw": rules.lava_string(rule.dw, port),
        "dt": None if rule.dt is None else rules.lava_string(rule.dt, port),
        "t_epoch": rule.epoch,
    }
    for name, trace in rule.traces.items():
        if port is None or name[0] == "x":
            options |= {f"{name}_impulse": abs(trace.impulse), f"{name}_tau": rules.tau_in_steps(trace)}
    learning_rule = compat.Loihi2FLearningRule(**options) if port is None else compat.Loihi3FLearningRule(**options)
    for name, trace in rule.traces.items():
        if port is None or name[0] == "x":  # Lava's check refuses negative impulses, its arithmetic does not
            setattr(learning_rule, f"_{name}_impulse", trace.impulse)
    if port is not None:
        for name in ("y1", "y2", "y3"):  # held as received; Lava's own stand-in for "no decay" is 65535 steps
            setattr(learning_rule, f"_{name}_tau", math.inf)
    learning_rule.exact = rules.exact_rule(projection)
    return compat.LearningDense(weights=projection.matrix(projection.weight), learning_rule=learning_rule)


def teach(graph: Graph, projection: ProjectionProgram, rule: RuleProgram, stream: int) -> None:
    """Give a plastic connection the spikes of its postsynaptic neurons, and the post traces beside a third factor."""
    connection, receiving = graph.connections[projection.name], graph.neurons[projection.post]
    receiving.s_out.connect(connection.s_in_bap)
    own = [name for name in ("y1", "y2", "y3") if name in rule.traces]
    if own and rule.modulators:
        every = [rule.traces.get(name) for name in ("y1", "y2", "y3")]
        traces = models.PostTraces(
            size=projection.post_size,
            decays=np.array([0.0 if trace is None else trace.decay for trace in every]),
            impulses=np.array([0.0 if trace is None else trace.impulse for trace in every]),
            nearest=np.array([trace is not None and trace.nearest for trace in every]),
            stream=stream,
        )
        graph.traces[projection.name] = traces
        receiving.s_out.connect(traces.s_in)
        for name in own:
            getattr(traces, f"{name}_out").connect(getattr(connection, f"s_in_{name}"))


def _relay(projection: ProjectionProgram) -> Any:
    """Carries currents on, one step and ``delay - 2`` more after the connection's own step."""
    size, extra = projection.post_size, projection.max_delay - 2
    return compat.DelayDense(
        weights=np.eye(size), delays=np.full((size, size), extra), max_delay=max(extra, 1), num_message_bits=8
    )
