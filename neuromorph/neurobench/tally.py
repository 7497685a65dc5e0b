"""Operations and outputs added up sample by sample, from recordings that follow one another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from neuromorph.neurobench.footprint import footprint
from neuromorph.neurobench.layer_calls import is_graded, row_operations
from neuromorph.neurobench.layers import Layer
from neuromorph.neurobench.work import Metrics, PopulationWork, ProjectionWork
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray, Recording, SpikeTrain

Graded = Mapping[str, npt.NDArray[np.generic]]


class Tally:
    """What was counted so far: :meth:`begin` a sample, :meth:`add` parts of recordings to it."""

    def __init__(self, program: Program, layers: tuple[Layer, ...]) -> None:
        self.program, self.layers = program, layers
        self.steps: list[int] = []
        self._acs: dict[str, list[int]] = {layer.projection.name: [] for layer in layers}
        self._macs: dict[str, list[int]] = {layer.projection.name: [] for layer in layers}
        self._outputs: dict[str, list[int]] = {population.name: [] for population in program.populations}
        self._updates: dict[str, list[int]] = {population.name: [] for population in program.populations}
        self._membrane: dict[str, FloatArray] = {}  # as the sample's part before left it
        self._weights: dict[str, FloatArray] = {}  # plastic ones, as the recording before left them
        self._unseen: dict[str, str] = {}  # populations whose v was not recorded, and why not
        self._bounds: dict[str, None] = {}  # plastic projections whose weights were not recorded

    def begin(self) -> None:
        """A new sample, whose first step has no step before it."""
        self.steps.append(0)
        self._membrane.clear()
        for lists in (self._acs, self._macs, self._outputs, self._updates):
            for counts in lists.values():
                counts.append(0)

    def add(self, recording: Recording, start: int, stop: int, graded: Graded) -> None:
        """Rows ``start`` to ``stop`` of a recording; ``graded`` holds the same rows of graded inputs."""
        self.steps[-1] += stop - start
        for layer in self.layers:
            name, pre = layer.projection.name, layer.projection.pre
            if pre in graded:
                self._add_graded(layer, graded[pre], self._plastic(layer, recording, start, stop))
            elif pre in recording.spikes:
                train = recording.spikes[pre].between(start, stop)
                self._acs[name][-1] += self._events(layer, train, self._plastic(layer, recording, start, stop))
            else:  # checked before: the whole recording is this sample, and every synapse counts
                if layer.projection.rule is not None:
                    self._bounds[name] = None
                self._acs[name][-1] += recording.counts.projections[name].synaptic_events
        for population in self.program.populations:
            if population.name in recording.spikes:
                self._outputs[population.name][-1] += len(recording.spikes[population.name].between(start, stop))
            else:
                self._outputs[population.name][-1] += recording.counts.populations[population.name].spikes
            self._add_membranes(population.name, recording, start, stop)
        if stop == recording.steps:
            self._remember_weights(recording)

    def metrics(self, *, value_byte: int) -> Metrics:
        """Of everything that was added."""
        steps = np.array(self.steps, dtype=np.int64)
        weights = {layer.projection.name: layer.weights for layer in self.layers}
        missing = {"membrane_updates": "; ".join(self._unseen.values())} if self._unseen else {}
        return Metrics(
            program=self.program.name,
            steps=steps,
            footprint=footprint(self.program, weights, value_byte=value_byte),
            projections={
                layer.projection.name: ProjectionWork(
                    weights=layer.weights,
                    zero_weights=layer.zero_weights,
                    effective_acs=_counts(self._acs[layer.projection.name]),
                    effective_macs=_counts(self._macs[layer.projection.name]),
                    dense=steps * layer.dense_per_call,
                )
                for layer in self.layers
            },
            populations={
                population.name: PopulationWork(
                    neurons=population.size,
                    outputs=steps * population.size,
                    nonzero_outputs=_counts(self._outputs[population.name]),
                    membrane_updates=None
                    if population.name in self._unseen
                    else _counts(self._updates[population.name]),
                )
                for population in self.program.populations
            },
            missing=missing,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        plastic = [layer.projection.name for layer in self.layers if layer.projection.rule is not None]
        masked = [layer.projection.name for layer in self.layers if layer.weights > layer.projection.synapses]
        found = []
        if masked:
            found.append(
                f"synapses that {', '.join(masked)} could have and does not are zero weights, as behind a mask; with absent"
                " 'none' they are no weights"
            )
        if plastic:
            found.append(
                f"weights of {', '.join(plastic)} change in the run: the connection sparsity is that of the program,"
                " before it"
            )
        if self._bounds:
            found.append(
                f"weights of {', '.join(self._bounds)} were not recorded in every step: every synapse that exists counts"
                " in the effective operations, which are an upper bound"
            )
        return found

    def _add_graded(self, layer: Layer, values: npt.NDArray[np.generic], readers: list[IntArray] | None) -> None:
        name = layer.projection.name
        if readers is None:
            by_row = row_operations(values, self._bounded(layer))
        else:
            by_row = np.array(
                [row_operations(row[np.newaxis], now)[0] for row, now in zip(values, readers, strict=True)]
            )
        macs = int(by_row[is_graded(values)].sum()) if len(values) else 0
        self._macs[name][-1] += macs
        self._acs[name][-1] += int(by_row.sum()) - macs

    def _events(self, layer: Layer, train: SpikeTrain, readers: list[IntArray] | None) -> int:
        if readers is None:
            return int(self._bounded(layer)[train.ids].sum())
        return sum(int(readers[step][neuron]) for step, neuron in zip(train.steps, train.ids, strict=True))

    def _bounded(self, layer: Layer) -> IntArray:
        if layer.projection.rule is None:
            return layer.readers
        self._bounds[layer.projection.name] = None
        return layer.projection.fan_out

    def _plastic(self, layer: Layer, recording: Recording, start: int, stop: int) -> list[IntArray] | None:
        """Nonzero weights that read each input, of every row; None where they are fixed, or were not recorded.

        Spikes of a step carry the weights that the step before left.
        """
        key = (layer.projection.name, "weight")
        if layer.projection.rule is None or not _is_every_step(recording, key):
            return None
        rows = recording.states[key]
        if start > 0:
            first = rows[start - 1]
        elif recording.first_step == 0:
            first = layer.projection.weight
        else:  # where nothing was recorded before, what the first step left is as near as can be known
            first = self._weights.get(key[0], rows[0] if len(rows) else layer.projection.weight)
        before = [first, *rows[start : max(stop - 1, start)]][: stop - start]
        return [layer.readers_now(weights != 0) for weights in before]

    def _remember_weights(self, recording: Recording) -> None:
        for layer in self.layers:
            key = (layer.projection.name, "weight")
            if layer.projection.rule is not None and key in recording.states and len(recording.states[key]):
                self._weights[key[0]] = recording.states[key][-1]

    def _add_membranes(self, name: str, recording: Recording, start: int, stop: int) -> None:
        if not _is_every_step(recording, (name, "v")):
            self._unseen[name] = (
                f"v of {name!r} was not recorded in every step: add Probe({name!r}, 'v'), or let measure() run the"
                " program"
            )
            return
        if stop == start:
            return
        rows = recording.states[name, "v"][start:stop]
        before = self._membrane.get(name)
        first = rows.shape[1] if before is None else int(np.count_nonzero(rows[0] != before))
        self._updates[name][-1] += first + int(np.count_nonzero(rows[1:] != rows[:-1]))
        self._membrane[name] = rows[-1]


def _is_every_step(recording: Recording, key: tuple[str, str]) -> bool:
    steps = recording.state_steps.get(key)
    return steps is not None and np.array_equal(steps, np.arange(recording.steps))


def _counts(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
