"""From Lava Processes that a user has built to a description; they are neither compiled nor run.

| Lava | description |
|---|---|
| LIF, LIFRefractory | population |
| RingBuffer (source) into a connection | input; into a y port of a LearningDense: modulator |
| Dense, Sparse, DelayDense, DelaySparse | projection |
| LearningDense | projection with a learning rule |
| RingBuffer (sink), Monitor | probe |
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from neuromorph.backends.lava import compat, models
from neuromorph.backends.lava.described_connections import delays, faults, spike_values, weights
from neuromorph.backends.lava.described_graph import Link, connected, links, port_text, watched
from neuromorph.backends.lava.described_neurons import Arithmetic, is_fixed, population
from neuromorph.backends.lava.described_rules import POST_TRACES, PostSignals, learning_rule, trace_of
from neuromorph.backends.lava.graph import label
from neuromorph.discretise import exact_clock
from neuromorph.errors import InputError, UnsupportedError, is_count, is_number, raise_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.recording import BoolArray, FloatArray

NEURONS = (compat.LIF, compat.LIFRefractory)
CONNECTIONS = (compat.Dense, compat.Sparse, compat.DelayDense, compat.DelaySparse, compat.LearningDense)
RECORDERS = (compat.SinkRingBuffer, compat.Monitor)
OTHERS = (compat.SourceRingBuffer, models.PostTraces)

REFUSED: Mapping[str, str] = {
    "LIFReset": "it resets all neurons at intervals: use LIF and Session.reset between runs",
    "TernaryLIF": "it sends negative spikes: use two populations, one for each sign",
    "LearningLIF": "it never sends on its learning ports: use LIF",
    "LearningSparse": "use LearningDense; weights of 0 exist there and may grow",
    "Conv": "write its kernel out as the weights of a Sparse",
    "Injector": "it feeds values while it runs: use a RingBuffer, and feed the network's input at run time",
}
"""Processes without a counterpart, by class, and what to do; all others are refused too."""


def describe(process: object, *, dt: float | None = None, arithmetic: Arithmetic = "infer") -> Network:
    """The description of the graph that a Process, or each of several, is connected to.

    ``dt``: seconds that a step stands for, None: 1e-3. Raises :class:`UnsupportedError` with everything that has no
    counterpart.
    """
    return _Reader(process, 1e-3 if dt is None else dt, arithmetic).network()


def inputs(process: object, steps: int) -> dict[str, BoolArray]:
    """What the sources of spikes of a graph send in its first ``steps`` steps, by the input's name."""
    reader = _sources(process, steps)
    return {name: _sent(source, steps) != 0 for source, name in reader.inputs.items()}


def modulators(process: object, steps: int) -> dict[str, FloatArray]:
    """What the sources of third factors send in the first ``steps`` steps, by the modulator's name."""
    reader = _sources(process, steps)
    sent = {name: _sent(source, steps) for source, name in reader.modulators.items()}
    return {name: values[:, 0] if values.shape[1] == 1 else values for name, values in sent.items()}


def _sources(process: object, steps: int) -> _Reader:
    if not is_count(steps):
        raise InputError(f"steps must be a whole number >= 0, got {steps!r}")
    return _Reader(process, 1e-3, "infer")


def _sent(source: Any, steps: int) -> FloatArray:
    """Step t = 1, 2, ... sends column t - 1, and the first again after the last."""
    columns = np.asarray(source.data.init, dtype=np.float64)
    columns = columns.reshape(-1, columns.shape[-1])
    return columns[:, np.arange(steps) % columns.shape[1]].T


@final
class _Reader:
    """Goes through the Processes of a graph and notes faults and assumptions."""

    def __init__(self, process: object, dt: float, arithmetic: Arithmetic) -> None:
        if not (is_number(dt) and dt > 0):
            raise InputError(f"dt must be > 0 s and finite, got {dt!r}")
        self.dt = float(dt)
        self.processes = connected(process)
        self.links = links(self.processes)
        self.faults: list[str] = []
        self.assumptions: list[str] = []
        neurons = self._of(NEURONS)
        self.fixed = is_fixed(neurons, arithmetic, self.assumptions)
        self.inputs: dict[Any, str] = {}  # source to name
        self.modulators: dict[Any, str] = {}
        self.populations: dict[Any, Population | None] = {}
        self.projections: dict[Any, list[Projection]] = {}
        self._names: set[str] = set()
        self._name_of = {process: self.name(process, type(process).__name__) for process in neurons}
        for process in self._of((compat.SourceRingBuffer,)):
            ports = {link.receiving.name for link in self._from(process)}
            if "s_in" in ports:
                self.inputs[process] = self.name(process, "input")
            if ports & {f"s_in_{name}" for name in POST_TRACES}:
                self.modulators[process] = self.name(process, "modulator")

    def network(self) -> Network:
        """Everything, or one error with all faults."""
        for process in self.processes:
            if type(process) not in (*NEURONS, *CONNECTIONS, *RECORDERS, *OTHERS):
                known = ", ".join(sorted(kind.__name__ for kind in (*NEURONS, *CONNECTIONS)))
                reason = REFUSED.get(type(process).__name__, f"it has no counterpart; these have: {known}, RingBuffer")
                self.faults.append(f"{label(process)}: {reason}")
        self._wires()
        for process in self._of(NEURONS):
            name = self._name_of[process]
            made, found, assumptions = population(process, name, dt=self.dt, fixed=self.fixed)
            self.populations[process] = made
            self.faults += found
            self.assumptions += assumptions
        for source in (*self.inputs, *self.modulators):
            values = np.asarray(source.data.init, dtype=np.float64)
            if self.fixed and np.any(values % 1 != 0):
                self.faults.append(
                    f"{label(source)}: data must be whole in fixed point, got {float(values[values % 1 != 0][0])!r}"
                )
        for process in self._of(CONNECTIONS):
            self.connection(process)
        if not self.populations and not self.faults:
            self.faults.append(f"{label(self.processes[0])} is connected to no LIF: there is nothing to simulate")
        raise_faults(UnsupportedError, self.faults)
        sizes = {source: math.prod(source.s_out.shape) for source in (*self.inputs, *self.modulators)}
        return Network(
            populations=[
                *(Input(name, sizes[source]) for source, name in self.inputs.items()),
                *(made for made in self.populations.values() if made is not None),
            ],
            projections=[made for several in self.projections.values() for made in several],
            modulators=[Modulator(name, sizes[source]) for source, name in self.modulators.items()],
            probes=self.probes(),
            name="lava",
            metadata={
                "lava": {**exact_clock(self.dt), "fixed_point": self.fixed, "assumptions": self.assumptions},
            },
        )

    def name(self, process: Any, kind: str) -> str:
        """A free name fit for addresses: the Process's own, or where Lava gave it one, the kind with a number."""
        given = process.name != f"Process_{process.id}"
        wanted = "".join(sign if sign.isprintable() and sign != "." else "_" for sign in process.name).strip()
        return self._free(wanted if given and wanted else f"{kind}1", wanted + " {}" if given else kind + "{}")

    def connection(self, process: Any) -> None:
        """A projection for each population that a connection ends on."""
        where = label(process)
        sending = [link for link in self.links if link.receiving is process.s_in]
        ending = [link for link in self._from(process) if type(link.receiving.process) in NEURONS]
        if not sending or not ending:
            what = "nothing is sent to it" if not sending else "it ends on no neurons"
            self.assumptions.append(f"{where} was left out: {what}")
            return
        if len(sending) > 1:
            ends = ", ".join(port_text(link.sending) for link in sending)
            self.faults.append(f"{where}: {ends} all send to its s_in: give each a connection of its own")
            return
        (link,) = sending
        source = link.sending.process
        if type(source) not in (*NEURONS, compat.SourceRingBuffer):
            return  # a fault already
        found = faults(process, source, fixed=self.fixed)
        self.faults += [f"{where}: {fault}" for fault in found]
        if found or link.order is None:
            return
        # Column k of the weights belongs to the sender's element order[k].
        columns = np.argsort(link.order)
        values = spike_values(process, source)
        matrix = weights(process, fixed=self.fixed)[:, columns] * (values[0] if values.size else 1.0)
        if self.fixed and process.proc_params.get("weight_exp", 0) < 0:
            self.assumptions.append(
                f"{where}: Lava rounds the sum of its weights down to whole numbers, which is not done here"
            )
        steps = delays(process, columns)
        rule = self._rule(process, ending) if type(process) is compat.LearningDense else None
        pre = self.inputs.get(source) or self._population_name(source)
        for end in ending:
            if end.order is None:
                continue
            post = self._population_name(end.receiving.process)
            delay = None if steps is None else (steps if isinstance(steps, int) else steps[end.order]) * self.dt
            if pre and post:
                fallback = f"{pre}->{post}"
                given = process.name if process.name != f"Process_{process.id}" else fallback
                name = self._free(given.replace(".", "_"), given.replace(".", "_") + " {}")
                made = Projection(pre, post, matrix[end.order], delay=delay, plasticity=rule, name=name)
                self.projections.setdefault(process, []).append(made)

    def probes(self) -> list[Probe]:
        """The spikes of every population, and the Vars that a Monitor reads."""
        found = {(made.name, "spikes"): Probe(made.name) for made in self.populations.values() if made is not None}
        for monitor in self._of((compat.Monitor,)):
            for variable in watched(monitor):
                owner, name = variable.process, variable.name
                key = {"weights": "weight", "tag_1": "tag"}.get(name, name)
                targets = [made.name for made in self.projections.get(owner, ()) if key == "weight" or made.plasticity]
                if owner in self.populations and key in ("u", "v"):
                    targets = [self._population_name(owner)]
                elif key not in ("weight", "tag"):
                    targets = []
                found |= {(target, key): Probe(target, key) for target in targets}
                if not targets:
                    self.assumptions.append(f"{label(monitor)} of {label(owner)}.{name} was left out")
        for link in self.links:
            if type(link.receiving.process) in RECORDERS and type(link.sending.process) not in NEURONS:
                self.assumptions.append(f"{link.text()} was left out: only the spikes of neurons are recorded")
        return list(found.values())

    def _free(self, first: str, pattern: str) -> str:
        name, number = first, 1
        while name in self._names:
            number += 1
            name = pattern.format(number)
        self._names.add(name)
        return name

    def _of(self, kinds: Sequence[type]) -> list[Any]:
        return [process for process in self.processes if type(process) in kinds]

    def _from(self, process: Any) -> list[Link]:
        return [link for link in self.links if link.sending.process is process]

    def _population_name(self, process: Any) -> str:
        made = self.populations.get(process)
        return "" if made is None else made.name

    def _wires(self) -> None:
        """Wires between Processes that each have a counterpart, and that have none themselves."""
        for link in self.links:
            sending, receiving = link.sending.process, link.receiving.process
            kinds = type(sending), type(receiving)
            if kinds[1] in RECORDERS or not all(kind in (*NEURONS, *CONNECTIONS, *OTHERS) for kind in kinds):
                continue
            if link.order is None:
                self.faults.append(
                    f"{link.text()}: the virtual port between them has no counterpart: connect them directly"
                )
            elif kinds[0] in CONNECTIONS and kinds[1] in CONNECTIONS:
                self.faults.append(
                    f"{link.text()}: a current goes into a connection: put a LIF between, or multiply the weights"
                )
            elif kinds[1] in NEURONS and kinds[0] not in CONNECTIONS:
                self.faults.append(
                    f"{link.text()}: nothing but a connection may end on neurons: put a Dense of weights np.eye(n) between,"
                    " which delivers one step later"
                )

    def _rule(self, process: Any, ending: Sequence[Link]) -> Any:
        """The learning rule of a connection, where its wires say what ours would do."""
        where = label(process)
        wrong: list[str] = []
        posts = {id(link.receiving.process) for link in ending}
        bap = [link for link in self.links if link.receiving is process.s_in_bap]
        if len(ending) > 1:
            wrong.append("it learns and ends on several populations: give each a LearningDense of its own")
        elif {id(link.sending.process) for link in bap} != posts:
            from_where = ", ".join(port_text(link.sending) for link in bap) or "nothing"
            wrong.append(
                f"its s_in_bap hears {from_where}, and a rule here sees the spikes of {label(ending[0].receiving.process)},"
                " on which it ends: connect their s_out"
            )
        elif [list(link.order) for link in bap if link.order is not None] != [
            list(np.argsort(link.order)) for link in ending if link.order is not None
        ]:
            wrong.append("its a_out and s_in_bap put the neurons into different orders: use the same")
        signals = None
        if isinstance(process.proc_params["learning_rule"], compat.Loihi3FLearningRule):
            signals = self._signals(process, wrong)
        rule, more, assumptions = learning_rule(process, signals, dt=self.dt, fixed=self.fixed)
        wrong += more
        if rule is not None:
            held = weights(process, fixed=self.fixed)
            outside = held[(held < rule.w_min) | (held > rule.w_max)]
            if outside.size:
                wrong.append(
                    f"weight {float(outside.flat[0]):g} is outside {rule.w_min:g}..{rule.w_max:g}, which its sign_mode allows:"
                    " clip the weights or change the mode"
                )
        self.faults += [f"{where}: {fault}" for fault in wrong]
        self.assumptions += [f"{where}: {text}" for text in assumptions]
        return rule

    def _signals(self, process: Any, wrong: list[str]) -> PostSignals:
        """What is connected to the y ports of a rule with three factors."""
        signals = PostSignals()
        readers: Mapping[type, Callable[[str, Link], None]] = {
            compat.SourceRingBuffer: lambda name, link: signals.modulators.update(
                {name: self.modulators[link.sending.process]}
            ),
            models.PostTraces: lambda name, link: signals.traces.update({name: self._post_trace(link)}),
        }
        for name in POST_TRACES:
            heard = [link for link in self.links if link.receiving is getattr(process, f"s_in_{name}")]
            if len(heard) > 1:
                wrong.append(f"several ports send to s_in_{name}: add them up before, in one RingBuffer")
            for link in heard:
                kind = type(link.sending.process)
                if link.order is None or np.any(np.diff(link.order) != 1):
                    wrong.append(
                        f"{link.text()}: the virtual port between them has no counterpart: connect them directly"
                    )
                elif kind in readers:
                    readers[kind](name, link)
                elif kind in (*NEURONS, *CONNECTIONS):
                    wrong.append(
                        f"{port_text(link.sending)} sends to s_in_{name}: only a RingBuffer can be a third factor"
                    )
        return signals

    def _post_trace(self, link: Link) -> Any:
        parameters = link.sending.process.proc_params
        index = ("y1_out", "y2_out", "y3_out").index(link.sending.name)
        return trace_of(float(parameters["decays"][index]), float(parameters["impulses"][index]), self.dt)
