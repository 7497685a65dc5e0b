"""The backends of this suite: ours, and Lava, Nengo and nengo-loihi by way of ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from neuromorph import registry
from neuromorph.bench.programs import REWARD, Arithmetic, program
from neuromorph.bench.runner import Lap, Runner, digest_of
from neuromorph.bench.workloads import Workload
from neuromorph.program import ProbeProgram
from neuromorph.recording import SpikeTrain
from neuromorph.session_variables import as_matrix


@final
class SuiteRunner(Runner):
    """A program in a session. ``whole_call``: time all of ``Session.run``, else only the simulation inside of it."""

    def __init__(
        self,
        workload: Workload,
        *,
        backend: str,
        arithmetic: Arithmetic,
        options: Mapping[str, Any] | None = None,
        whole_call: bool = False,
    ) -> None:
        super().__init__(workload)
        self.backend, self.arithmetic, self.options, self.whole_call = backend, arithmetic, options or {}, whole_call

    def build(self) -> None:
        """Import the simulator, then make the program and open a session."""
        backend = registry.get(self.backend, **self.options)
        self._versions = dict(backend.availability().versions)
        began = time.perf_counter()
        made = program(self.workload, self.arithmetic)
        probes = [ProbeProgram(target=layer.name, variable="spikes", every=1) for layer in self.workload.layers]
        self._session = backend.open(made.with_probes(probes), seed=self.workload.seed, stall_second=600.0)
        self._begin()
        self.build_second = time.perf_counter() - began

    def restart(self) -> None:
        """Reset, and the first weights where they learn."""
        self._session.reset()
        for projection in self._session.program.projections:
            if projection.rule is not None:
                first = as_matrix(projection.weight.astype(np.float64), projection)
                self._session.write(f"{projection.name}.weight", first)
        self._begin()

    def _begin(self) -> None:
        for layer in self.workload.layers:
            self._session.write(f"{layer.name}.u", layer.u.astype(np.float64))
            self._session.write(f"{layer.name}.v", layer.v.astype(np.float64))

    def versions(self) -> dict[str, str]:
        """The backend's."""
        return self._versions

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _run(self, first: int, steps: int) -> Lap:
        inputs = {
            name: SpikeTrain(step, neuron, (steps, self.workload.inputs[name].shape[1]))
            for name, (step, neuron) in self.workload.input_events(first, steps).items()
        }
        reward = self.workload.rewards(first, steps)
        modulators = {REWARD: reward} if self.workload.reward is not None else {}
        began = time.perf_counter()
        recording = self._session.run(steps, inputs=inputs, modulators=modulators)
        second = time.perf_counter() - began
        if not self.whole_call:
            second = recording.wall_second
        spikes = {layer.name: len(recording.spikes[layer.name]) for layer in self.workload.layers}
        trains = {name: (train.steps, train.ids) for name, train in recording.spikes.items()}
        return Lap(steps=steps, second=second, spikes=spikes, digest=digest_of(trains))
