"""What NIR cannot say about a network, as text in the graph's metadata.

Names, order, learning rules, third factors, refractory periods, adaptive thresholds, probes, exact parameters, which synapses exist although
their weight is 0, and the conventions of a program: one JSON text under the key ``neuromorph``. Node metadata and numbers
would do as well, but only text in the graph's own metadata survives every way of reading a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuromorph.conventions import ARITHMETIC_CONVENTIONS, CONVENTIONS
from neuromorph.errors import InputError
from neuromorph.inputs import Input
from neuromorph.network import Network
from neuromorph.neurons import LIF
from neuromorph.nir.graph import Graph
from neuromorph.plasticity import LearningRule, Trace
from neuromorph.program import Program

KEY = "neuromorph"
FORMAT = "neuromorph nir 1"
ADAPTATION = ("threshold_increment", "tau_threshold")  # said of neurons whose threshold adapts only


def write_record(
    network: Network,
    program: Program,
    *,
    nodes: Mapping[str, str],
    edges: list[tuple[str, str]],
    population_nodes: Mapping[str, str],
    branches: Mapping[str, list[dict[str, Any]]],
    fixed: Program | None = None,
) -> str:
    """The record of ``network`` as exported: ``nodes`` by name and kind, and where its parts are among them.

    ``branches`` gives for every projection the nodes of its weights and delays, and which of the weights are synapses;
    ``fixed`` is the same program in a chip's integers.
    """
    populations = []
    for population in network.populations:
        entry: dict[str, Any] = {"name": population.name, "node": population_nodes[population.name]}
        if not isinstance(population, Input):
            neuron = population.neuron
            unused = ADAPTATION if isinstance(neuron, LIF) and not neuron.adapts else ()
            entry["neuron"] = {name: _plain(v) for name, v in neuron.parameters().items() if name not in unused}
        populations.append(entry)
    record = {
        "format": FORMAT,
        "name": network.name,
        "dt": program.dt,
        "integration": program.integration,
        "seed": program.seed,
        "conventions": _conventions(program),
        "fixed": None if fixed is None else _widths(fixed),
        "populations": populations,
        "projections": [
            {
                "name": projection.name,
                "pre": projection.pre,
                "post": projection.post,
                "one_step": projection.delay is None,
                "branches": branches[projection.name],
                "rule": None if projection.plasticity is None else _plain_rule(projection.plasticity),
            }
            for projection in network.projections
        ],
        "modulators": [{"name": modulator.name, "size": modulator.size} for modulator in network.modulators],
        "probes": [
            {"target": probe.target, "variable": probe.variable, "every": probe.every} for probe in network.probes
        ],
        "metadata": dict(network.metadata),
        "nodes": dict(nodes),
        "edges": [list(edge) for edge in edges],
    }
    return json.dumps(record, ensure_ascii=False)


def find_record(graph: Graph, assumptions: list[str]) -> dict[str, Any] | None:
    """The record in a graph that :func:`to_nir` wrote; None where there is none, or where nodes or edges were changed.

    Raises :class:`InputError` where there is one that cannot be read.
    """
    text = graph.metadata.get(KEY)
    if text is None:
        return None
    try:
        record = json.loads(text)
        form = record["format"]
        nodes, edges = dict(record["nodes"]), {(str(pre), str(post)) for pre, post in record["edges"]}
    except (TypeError, ValueError, KeyError) as error:
        raise unreadable(error) from None
    if form != FORMAT:
        raise InputError(f"the graph's metadata {KEY!r} has the format {form!r}, and {FORMAT!r} can be read here")
    if nodes != {name: node.kind for name, node in graph.nodes.items()} or edges != set(graph.edges):
        assumptions.append(
            "Nodes or edges were changed after neuromorph wrote the graph: it is read as one of another tool, without the"
            " names, learning rules, refractory periods, adaptive thresholds and probes that its metadata hold."
        )
        return None
    assert isinstance(record, dict)
    return record


def unreadable(error: Exception) -> InputError:
    """The error for a record that someone changed by hand."""
    return InputError(
        f"the graph's metadata {KEY!r} cannot be read ({error!r}): delete them to read the graph as one of another tool"
    )


def read_neuron(plain: Mapping[str, Any]) -> LIF:
    """A neuron from the record."""
    return LIF(**{name: _number(value) for name, value in plain.items()})


def read_rule(plain: Mapping[str, Any] | None) -> LearningRule | None:
    """A learning rule from the record."""
    if plain is None:
        return None
    values = dict(plain)
    for name, trace in values.pop("traces").items():
        values[name] = Trace(**{**trace, "tau": _number(trace["tau"]), "impulse": _number(trace["impulse"])})
    for name in ("tau_tag", "w_min", "w_max", "epoch", "d_max"):
        values[name] = None if values.get(name) is None else _number(values[name])
    return LearningRule(**values)


def _conventions(program: Program) -> dict[str, str]:
    return {name: getattr(program, name) for name in (*CONVENTIONS, *ARITHMETIC_CONVENTIONS[program.arithmetic])}


def _widths(fixed: Program) -> dict[str, Any]:
    """The chip, its conventions, and the bits and scales that it gives to weights and membranes."""
    return {
        "chip": fixed.chip,
        "conventions": _conventions(fixed),
        "populations": {population.name: {"scale": population.scale} for population in fixed.populations},
        "projections": {
            projection.name: {
                "weight_bits": projection.weight_bits,
                "weight_exponent": projection.weight_exponent,
                "sign_mode": projection.sign_mode,
            }
            for projection in fixed.projections
        },
    }


def _plain_rule(rule: LearningRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "dw": rule.dw,
        "dt": rule.dt,
        **({} if rule.dd is None else {"dd": rule.dd, "d_max": _plain(rule.d_max)}),
        "traces": {
            name: {
                "tau": _plain(trace.tau),
                "impulse": _plain(trace.impulse),
                **({"pairing": trace.pairing} if trace.pairing != "all-to-all" else {}),
                **({"source": trace.source} if trace.source != "spikes" else {}),
            }
            for name, trace in rule.traces.items()
        },
        "tau_tag": None if rule.tau_tag is None else _plain(rule.tau_tag),
        "w_min": _plain(rule.w_min),
        "w_max": _plain(rule.w_max),
        "modulators": dict(rule.modulators),
        "epoch": None if rule.epoch is None else _plain(rule.epoch),
    }


def _plain(value: Any) -> Any:
    """Numbers to the last bit; JSON has no infinity, so it is text."""
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    number = float(value)
    return number if math.isfinite(number) else repr(number)


def _number(value: Any) -> Any:
    return [_number(item) for item in value] if isinstance(value, list) else float(value)
