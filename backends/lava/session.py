"""A program on Lava, in one process or on Lava's own runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from neuromorph.backend import Advance, Session, reward
from neuromorph.backends.lava import lowering
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.model_table import run_configuration
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, SpikeTrain

RUNTIMES: Mapping[str, type[InProcessRun] | type[MultiProcessRun]] = {
    "in-process": InProcessRun,
    "multi-process": MultiProcessRun,
}
PIECE_ENTRIES = 1_000_000  # spikes and states of a piece of a run, in numbers: what passes between processes at once

NEURON_VARIABLES: Mapping[str, str] = {"u": "u", "v": "v", "v_threshold": "vth", "bias": "bias_mant"}


class LavaSession(Session):
    """The graph of a program, compiled and built once, run in pieces."""

    supervises_itself: ClassVar[bool] = True

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float, runtime: str) -> None:
        super().__init__(program, backend=backend, seed=seed, stall_second=stall_second)
        self._graph = lowering.lower(program)
        self._run = RUNTIMES[runtime](
            self._graph.processes(), run_configuration(lowering.MODELS), stall_second=stall_second
        )
        self._size = sum(population.size for population in program.populations)

    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        probed = 1 + len(self.state_probes)
        piece = max(
            1, min(steps, PIECE_ENTRIES // (self._size * probed + sum(item.size for item in self.program.inputs)))
        )
        spikes: dict[str, list[BoolArray]] = {name: [] for name in self._graph.neurons}
        states: dict[tuple[str, str], list[FloatArray]] = {key: [] for key in self.state_probes}
        for start in range(0, steps, piece):
            stop = min(start + piece, steps)
            self._feed(
                stop - start,
                {name: values[start:stop] for name, values in inputs.items()},
                {name: values[start:stop] for name, values in modulators.items()},
            )
            self._run.run(stop - start)
            for name, process in self._graph.neurons.items():
                spikes[name].append(self._run.read(process, "spike_rows"))
            for name, variable in self.state_probes:
                states[name, variable].append(self._run.read(self._graph.neurons[name], f"{variable}_rows"))
            beat()
        empty = np.zeros(0, np.int64)
        return Advance(
            spikes={
                name: SpikeTrain.from_dense(np.concatenate(rows))
                if rows
                else SpikeTrain(empty, empty, (0, self.program.sizes[name]))
                for name, rows in spikes.items()
            },
            states={
                key: np.concatenate(rows) if rows else np.zeros((0, self.program.sizes[key[0]]))
                for key, rows in states.items()
            },
        )

    def _feed(self, steps: int, inputs: Mapping[str, BoolArray], modulators: Mapping[str, FloatArray]) -> None:
        """Hand over what the next steps need. A RingBuffer reads column (t - 1) mod length: its data is turned to fit."""
        turn = self._run.steps % steps
        for name, process in self._graph.sources.items():
            data = np.roll(inputs[name].astype(np.float64), turn, axis=0).T
            self._run.write(process, "data", data, resize=True)
        for name, process in self._graph.rewards.items():
            projection = self.program.projection(name)
            assert projection.rule is not None
            rows = [reward(modulators, projection.rule.modulators, row) for row in range(steps)]
            values = np.stack([np.broadcast_to(np.asarray(r), (projection.post_size,)) for r in rows])
            self._run.write(process, "data", np.roll(values, turn, axis=0).T, resize=True)
        for name, process in self._graph.neurons.items():
            size = self.program.sizes[name]
            self._run.write(process, "row", 0)
            self._run.write(process, "spike_rows", np.zeros((steps, size), dtype=np.bool_), resize=True)
            for variable in ("u", "v"):
                if (name, variable) in self.state_probes:
                    self._run.write(process, f"{variable}_rows", np.zeros((steps, size)), resize=True)

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        if owner in self._graph.neurons:
            values = self._run.read(self._graph.neurons[owner], NEURON_VARIABLES[variable])
            return np.broadcast_to(np.asarray(values, dtype=np.float64), (self.program.sizes[owner],))
        if variable in ("y1", "y2", "y3") and owner in self._graph.traces:
            return np.asarray(self._run.read(self._graph.traces[owner], variable))
        projection = self.program.projection(owner)
        name = {"weight": "weights", "tag": "tag_1"}.get(variable, variable)
        values = self._run.read(self._graph.connections[owner], name)
        if variable not in ("weight", "tag"):
            return np.asarray(values)
        if projection.rule is None and projection.max_delay == 1 and not projection.is_full:
            return np.asarray(values.data)
        return np.asarray(values[projection.post_index, projection.pre_index])

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        if owner in self._graph.neurons:
            self._run.write(self._graph.neurons[owner], NEURON_VARIABLES[variable], values)
            return
        if variable in ("y1", "y2", "y3") and owner in self._graph.traces:
            self._run.write(self._graph.traces[owner], variable, values)
            return
        projection, connection = self.program.projection(owner), self._graph.connections[owner]
        if variable not in ("weight", "tag"):
            self._run.write(connection, variable, values)
        elif projection.rule is None and projection.max_delay == 1 and not projection.is_full:
            self._run.write(connection, "weights", values)
        else:
            self._run.write(connection, {"weight": "weights", "tag": "tag_1"}[variable], projection.matrix(values))

    def _reset(self) -> None:
        for name, process in self._graph.neurons.items():
            zero = np.zeros(self.program.sizes[name])
            self._run.write(process, "u", zero)
            self._run.write(process, "v", zero)
            if np.any(self.program.population(name).refractory > 0):
                self._run.write(process, "refractory_period_end", zero)
        for name, process in [*self._graph.connections.items(), *self._graph.relays.items()]:
            self._zero(process, "a_buff")
            if name in self._graph.relays and process is self._graph.relays[name]:
                continue
            rule = self.program.projection(name).rule
            if rule is not None:
                for variable in ("tag_1", "x1", "x2", "y1", "y2", "y3", "tx", "ty"):
                    self._zero(process, variable)
        for process in self._graph.traces.values():
            for variable in ("y1", "y2", "y3"):
                self._zero(process, variable)

    def _zero(self, process: Any, name: str) -> None:
        self._run.write(process, name, np.zeros_like(self._run.read(process, name)))

    def _close(self) -> None:
        self._run.close()
