"""The nengo-loihi backend and its session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import nengo
import nengo_loihi
import numpy as np
import numpy.typing as npt

from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session
from neuromorph.backends.nengo_loihi.emulator import Emulator
from neuromorph.backends.nengo_loihi.lowering import Lowering, bias_faults
from neuromorph.errors import InputError, raise_faults, simulator_errors
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, SpikeTrain

COLLECT_STEPS = 1000  # probes keep a row for each step; they are emptied so often
VARIABLES: Mapping[str, str] = {
    "u": "current",
    "v": "voltage",
    "threshold_adaptation": "adaptation",
    "v_threshold": "vth",
    "bias": "bias",
}


@final
@dataclass(frozen=True)
class NengoLoihiBackend(Backend):
    """nengo-loihi's emulator with float64 state, or in fixed point with its own integers; never the chip."""

    name: ClassVar[str] = "nengo-loihi"
    capabilities: ClassVar[Capabilities] = Capabilities(
        agreement="exact",
        fixed_agreement="exact",
        note="emulator; delays beyond a step and learning rules are added to nengo-loihi's by a subclass of it; in fixed"
        " point an input accumulator of 21 bits, and u + bias of 23: a step that exceeds them is an error",
    )

    def availability(self) -> Availability:
        """Available wherever this module could be imported."""
        versions = {"nengo-loihi": nengo_loihi.__version__, "nengo": nengo.__version__, "numpy": np.__version__}
        return Availability(available=True, versions=versions)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return NengoLoihiSession(program, seed=seed, stall_second=stall_second)


@final
class NengoLoihiSession(Session):
    """A program in an emulator."""

    def __init__(self, program: Program, *, seed: int, stall_second: float) -> None:
        super().__init__(program, backend=NengoLoihiBackend.name, seed=seed, stall_second=stall_second)
        with simulator_errors(f"nengo-loihi could not build {program.name!r}"):
            lowering = Lowering(program, self.state_probes)
            self._probes = lowering.probes
            self._emulator = Emulator(lowering, seed)

    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        pieces: dict[tuple[str, str], list[npt.NDArray[Any]]] = {
            key: [np.zeros((0, self.program.sizes[key[0]]), dtype=np.bool_ if key[1] == "spikes" else np.float64)]
            for key in self._probes
        }
        with simulator_errors(f"nengo-loihi failed while it ran {self.program.name!r}"):
            self._emulator.feed(inputs, modulators)
            for start in range(0, steps, COLLECT_STEPS):
                for _ in range(start, min(start + COLLECT_STEPS, steps)):
                    self._emulator.step()
                    beat()
                for key, probe in self._probes.items():
                    pieces[key].append(self._emulator.collect_probe_output(probe))
        found = {key: np.concatenate(parts) for key, parts in pieces.items()}
        spikes = {p.name: SpikeTrain.from_dense(found.pop((p.name, "spikes"))) for p in self.program.populations}
        return Advance(spikes=spikes, states=found)

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        return self._array(owner, variable)

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        if variable == "bias" and self.program.arithmetic == "fixed":
            raise_faults(InputError, bias_faults(owner, values))
        self._array(owner, variable)[:] = values

    def _array(self, owner: str, variable: str) -> npt.NDArray[Any]:
        if owner in self._emulator.populations:
            every: npt.NDArray[Any] = getattr(self._emulator.compartment, VARIABLES[variable])
            return every[self._emulator.populations[owner]]
        if variable == "weight":
            return self._emulator.weights[owner]
        plastic = self._emulator.plastic[owner]
        return plastic.variable(variable)

    def _reset(self) -> None:
        self._emulator.reset()

    def _close(self) -> None:
        self._emulator.close()
        del self._emulator, self._probes
