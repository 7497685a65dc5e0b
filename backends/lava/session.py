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
from neuromorph.backends.lava.variables import Variables
from neuromorph.parts import NEURON_STATES
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, SpikeTrain

RUNTIMES: Mapping[str, type[InProcessRun] | type[MultiProcessRun]] = {
    "in-process": InProcessRun,
    "multi-process": MultiProcessRun,
}
PIECE_ENTRIES = 1_000_000  # spikes and states of a piece of a run, in numbers: what passes between processes at once


class LavaSession(Session):
    """The graph of a program, compiled and built once, run in pieces."""

    supervises_itself: ClassVar[bool] = True

    def __init__(self, program: Program, *, backend: str, seed: int, stall_second: float, runtime: str) -> None:
        super().__init__(program, backend=backend, seed=seed, stall_second=stall_second)
        self._graph = lowering.lower(program, seed)
        self._run = RUNTIMES[runtime](
            self._graph.processes(), run_configuration(lowering.TABLES[program.arithmetic]), stall_second=stall_second
        )
        self._variables = Variables(program=program, graph=self._graph, run=self._run)
        self._variables.prepare()
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
        for projection in self.program.projections:
            if projection.rule is None or not projection.rule.modulators:
                continue
            rows = [reward(modulators, projection.rule.modulators, row) for row in range(steps)]
            values = np.stack([np.broadcast_to(np.asarray(r), (projection.post_size,)) for r in rows])
            for port, carried in lowering.third_factor_rows(self.program, projection.rule, values).items():
                process = self._graph.rewards[projection.name, port]
                self._run.write(process, "data", np.roll(carried, turn, axis=0).T, resize=True)
        for name, process in self._graph.neurons.items():
            size = self.program.sizes[name]
            self._run.write(process, "row", 0)
            self._run.write(process, "spike_rows", np.zeros((steps, size), dtype=np.bool_), resize=True)
            for variable in NEURON_STATES:
                if (name, variable) in self.state_probes:
                    self._run.write(process, f"{variable}_rows", np.zeros((steps, size)), resize=True)

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        return self._variables.read(owner, variable)

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        self._variables.write(owner, variable, values)

    def _reset(self) -> None:
        self._variables.reset()

    def _close(self) -> None:
        self._run.close()
