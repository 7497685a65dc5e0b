"""The Nengo backend and its session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, final

import nengo
import numpy as np
import numpy.typing as npt
from nengo.builder import Model
from nengo.builder.network import seed_network
from nengo.cache import NoDecoderCache

from neuromorph.backend import Advance, Availability, Backend, Capabilities, Session
from neuromorph.backends.nengo.describe import describe
from neuromorph.backends.nengo.lowering import Lowering
from neuromorph.backends.nengo.neurons import VARIABLES
from neuromorph.errors import simulator_errors
from neuromorph.network import Network
from neuromorph.program import Program
from neuromorph.recording import BoolArray, FloatArray, IntArray, SpikeTrain


@final
@dataclass(frozen=True)
class NengoBackend(Backend):
    """Nengo's reference simulator in float64."""

    name: ClassVar[str] = "nengo"
    capabilities: ClassVar[Capabilities] = Capabilities(
        agreement="exact",
        fixed_agreement="exact",
        note="the reference's operations in the reference's order, scheduled by nengo.Simulator",
    )

    optimize: bool = True  # let Nengo merge operators: faster steps, slower start

    def availability(self) -> Availability:
        """Available wherever this module could be imported."""
        return Availability(available=True, versions={"nengo": nengo.__version__, "numpy": np.__version__})

    def describe(self, model: object, *, dt: float | None = None, spike_height: float = 1.0) -> Network:
        """See :func:`neuromorph.from_nengo`."""
        return describe(model, dt=dt, spike_height=spike_height)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return NengoSession(program, seed=seed, stall_second=stall_second, optimize=self.optimize)


@final
class NengoSession(Session):
    """A program in a ``nengo.Simulator``."""

    def __init__(self, program: Program, *, seed: int, stall_second: float, optimize: bool) -> None:
        super().__init__(program, backend=NengoBackend.name, seed=seed, stall_second=stall_second)
        with simulator_errors(f"Nengo could not build {program.name!r}"), _double_precision():
            self._lowering = Lowering(program, seed)
            network = self._lowering.network
            # A model of our own: Nengo would open a decoder cache on disk, and draw from NumPy's global generator.
            model = Model(dt=program.dt, label=program.name, decoder_cache=NoDecoderCache())
            model.toplevel = network
            seed_network(network, seeds=model.seeds, seeded=model.seeded, base_rng=np.random.RandomState(0))
            self._simulator = nengo.Simulator(network, model=model, seed=0, progress_bar=False, optimize=optimize)
        signals = self._simulator.signals
        self._neurons: dict[tuple[str, str], FloatArray] = {
            (name, variable): signals[model.sig[neurons][signal]]
            for name, neurons in self._lowering.neurons.items()
            for variable, signal in {**VARIABLES, "waiting": "waiting", "spikes": "out"}.items()
        }
        for population in program.populations:
            if population.adapts:
                signal = model.sig[self._lowering.neurons[population.name]]["adaptation"]
                self._neurons[population.name, "threshold_adaptation"] = signals[signal]
        for under_way in self._lowering.under_way.values():
            under_way.membrane = self._neurons[under_way.projection.post, "v"]
        self._arriving: list[FloatArray] = [
            signals[model.sig[connection]["weighted"]]
            for connection in network.connections
            if connection.label in self._lowering.under_way
        ]

    def _advance(
        self,
        steps: int,
        inputs: Mapping[str, BoolArray],
        modulators: Mapping[str, FloatArray],
        beat: Callable[[], None],
    ) -> Advance:
        for name, feed in self._lowering.feeds.items():
            feed.give(inputs[name])
        for name, feed in self._lowering.modulator_feeds.items():
            feed.give(modulators[name])
        outputs = {item.name: self._neurons[item.name, "spikes"] for item in self.program.populations}
        events: dict[str, list[IntArray]] = {name: [] for name in outputs}
        states = {key: np.zeros((steps, self.program.sizes[key[0]])) for key in self.state_probes}
        with simulator_errors(f"Nengo failed while it ran {self.program.name!r}"):
            for row in range(steps):
                self._simulator.step()
                for name, output in outputs.items():
                    events[name].append(np.flatnonzero(output))
                for key, samples in states.items():
                    samples[row] = self._neurons[key]
                beat()
        trains = {name: SpikeTrain.from_steps(found, outputs[name].size) for name, found in events.items()}
        return Advance(spikes=trains, states=states)

    def _read(self, owner: str, variable: str) -> npt.NDArray[Any]:
        return self._array(owner, variable)

    def _write(self, owner: str, variable: str, values: npt.NDArray[Any]) -> None:
        self._array(owner, variable)[:] = values

    def _array(self, owner: str, variable: str) -> FloatArray:
        if (owner, variable) in self._neurons:
            return self._neurons[owner, variable]
        under_way = self._lowering.under_way[owner]
        if under_way.plastic is None or variable == "weight":
            return under_way.weight
        return under_way.plastic.variable(variable)

    def _reset(self) -> None:
        for population in self.program.populations:
            for variable in (*population.states, "waiting"):
                self._neurons[population.name, variable][:] = 0.0
        for arriving in self._arriving:
            arriving[:] = 0.0
        for under_way in self._lowering.under_way.values():
            under_way.reset()

    def _close(self) -> None:
        self._simulator.close()
        del self._simulator, self._lowering, self._neurons, self._arriving


@contextmanager
def _double_precision() -> Iterator[None]:
    """Build in float64 whatever Nengo's configuration file says."""
    before = nengo.rc.get("precision", "bits")
    nengo.rc.set("precision", "bits", "64")
    try:
        yield
    finally:
        nengo.rc.set("precision", "bits", before)
