"""Homeostasis stops the runaway of Hebbian plasticity, if it is fast enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.host_rules import HostRule, IntrinsicExcitability, SynapticScaling, chunks_with_host_rules
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import LIF
from neuromorph.plasticity import TripletSTDP
from neuromorph.recording import BoolArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE, EXCITABILITY = "none", "excitability"


@final
@dataclass(frozen=True, kw_only=True)
class Homeostasis(Experiment):
    """Neurons with triplet STDP, of which the rate is an unstable equilibrium; at one time all inputs grow.

    Above the rate at which potentiation and depression are equal, more spikes bring more potentiation. Alone, neurons
    run away until their weights are at the bound. Synaptic scaling that is fast brings the rate back, and so does a
    threshold that follows the rate; scaling that is slower than learning does not.
    """

    name: ClassVar[str] = "homeostasis"
    title: ClassVar[str] = "Homeostasis against runaway"
    sentence: ClassVar[str] = "Fast homeostasis returns the rate to its target, slow homeostasis loses to plasticity."
    source: ClassVar[str] = (
        "Zenke, Hennequin and Gerstner, PLoS Computational Biology 9(11), 2013; Turrigiano et al., Nature 391, 1998; "
        "Desai, Rutherford and Turrigiano, Nature Neuroscience 2(6), 1999"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"neurons": 5, "before": 30.0, "after": 80.0})
    time_constants: ClassVar[tuple[float, ...]] = (10.0, 25.0, 50.0, 100.0, 200.0)  # s, of scaling

    neurons: int = 10  # of each case
    inputs: int = 100
    low_rate: float = 10.0  # Hz, of the inputs before
    high_rate: float = 16.0  # Hz, and after
    weight_low: float = 0.006
    weight_high: float = 0.010
    w_max: float = 0.03
    target: float = 5.0  # Hz
    learning_rate: float = 2e-5  # A3_plus
    tau_rate: float = 2.0  # s, over which scaling knows the rate
    eta: float = 0.005  # of threshold for each spike above the target
    before: float = 100.0  # s
    after: float = 200.0  # s
    every: int = 500  # steps from one action of the host to the next
    dt: float = 1e-3  # s

    @property
    def cases(self) -> Mapping[str, HostRule[Any] | None]:
        """Population name to the host rule that holds it."""
        scaling = {
            f"scaling {tau:g} s": SynapticScaling(
                projection=f"inputs->scaling {tau:g} s", rate_target=self.target, tau=tau, tau_rate=self.tau_rate
            )
            for tau in self.time_constants
        }
        threshold = IntrinsicExcitability(
            population=EXCITABILITY, rate_target=self.target, eta=self.eta, tau_rate=self.tau_rate
        )
        return {NONE: None, EXCITABILITY: threshold, **scaling}

    def network(self, seed: int) -> Network:
        """The same inputs onto one population for each case."""
        tau_plus, tau_minus, tau_y = 16.8e-3, 33.7e-3, 114e-3
        rule = TripletSTDP(
            A3_plus=self.learning_rate,
            A2_minus=self.learning_rate * tau_plus * tau_y * self.target / tau_minus,  # no change at the target
            tau_plus=tau_plus,
            tau_minus=tau_minus,
            tau_y=tau_y,
            w_min=0.0,
            w_max=self.w_max,
        )
        start = AllToAll(Uniform(self.weight_low, self.weight_high), seed)
        neuron = LIF(tau_mem=20e-3, tau_syn=5e-3, refractory=5e-3, v_threshold=np.ones(self.neurons))
        return Network(
            name="homeostasis",
            populations=[
                Input("inputs", self.inputs),
                *(Population(name, self.neurons, neuron) for name in self.cases),
            ],
            projections=[Projection("inputs", name, start, plasticity=rule) for name in self.cases],
            probes=[Probe(name, "spikes") for name in self.cases],
        )

    def conduct(self, rig: Rig) -> Finding:
        """All cases side by side in one session."""
        first = round(self.before / self.dt)
        steps = first + round(self.after / self.dt)

        def fed(start: int, count: int) -> dict[str, BoolArray]:
            rate = self.low_rate if start < first else self.high_rate
            return {"inputs": rig.rng.random((count, self.inputs)) < rate * self.dt}

        rates: dict[str, list[float]] = {name: [] for name in self.cases}
        with rig.open(self.network(rig.seed), dt=self.dt) as session:
            rules = [rule for rule in self.cases.values() if rule is not None]
            for chunk in chunks_with_host_rules(session, steps, rules=rules, every=self.every, inputs=fed):
                rig.tell("learning", len(rates[NONE]) * self.every / steps)
                for name, found in rates.items():
                    found.append(len(chunk.recording.spikes[name]) / (self.neurons * chunk.seconds))
        arrays = {name: np.array(found) for name, found in rates.items()}
        tail = round(0.25 * self.after / self.dt / self.every)
        last = {name: float(values[-tail:].mean()) for name, values in arrays.items()}
        split = first // self.every
        fastest = f"scaling {self.time_constants[0]:g} s"
        stable = [tau for tau in self.time_constants if last[f"scaling {tau:g} s"] < 2.0 * self.target]
        near = "the target; learning pulls away from it, and the rate is known with a delay"
        measures = [
            Measure(name="without homeostasis, at the end", value=last[NONE], unit="Hz", low=8.0 * self.target, high=math.inf,
                    source="weights at their bound: far from the target"),
            Measure(name="largest rate with the fastest scaling", value=float(arrays[fastest][split:].max()), unit="Hz",
                    low=2.0 * self.target, high=math.inf, source="the step must ask for homeostasis"),
            Measure(name="with the fastest scaling, at the end", value=last[fastest], unit="Hz", low=0.8 * self.target,
                    high=1.2 * self.target, source=near),
            Measure(name="with intrinsic excitability, at the end", value=last[EXCITABILITY], unit="Hz", low=0.8 * self.target,
                    high=1.2 * self.target, source=near),
            Measure(name="slowest scaling that is stable", value=max(stable, default=math.nan), unit="s", low=25.0, high=100.0,
                    source="there is an edge: stable up to 50 s, runaway at 100 s or 200 s at this learning rate"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=arrays)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Rates over time, and the last rate against the time constant of scaling."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_band, logarithmic, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (rates, edge) = panels(
            ["Rates; inputs grow at the dotted line", "The edge of stability"], widths=(1.6, 1.0)
        )
        for index, (name, values) in enumerate(results[0].arrays.items()):
            smooth = values[: len(values) // 10 * 10].reshape(-1, 10).mean(axis=1)
            seconds = (np.arange(len(smooth), dtype=np.float64) + 0.5) * 10 * self.every * self.dt
            colour = {NONE: INK, EXCITABILITY: MUTED}.get(name, SERIES[(index - 2) % len(SERIES)])
            rates.plot(seconds, np.maximum(smooth, 0.1), color=colour, linewidth=1.2, label=name)
        rates.axvline(self.before, color=INK, linewidth=0.8, linestyle=":")
        for result in results:
            ends = [result.arrays[f"scaling {tau:g} s"] for tau in self.time_constants]
            last = [float(values[-len(values) // 6 :].mean()) for values in ends]
            edge.plot(self.time_constants, np.maximum(last, 0.1), "o-", color=SERIES[0], markersize=3.5, linewidth=0.9)
        logarithmic(edge, "x")
        expected_band(edge, 0.8 * self.target, 1.2 * self.target)
        for axes in (rates, edge):
            logarithmic(axes, "y")
            axes.set_ylim(1.0, 200.0)
            ruled(axes, "y")
        name_axes(rates, "time (s)", "rate (Hz)")
        name_axes(edge, "time constant of scaling (s)", "rate at the end (Hz)")
        small_legend(rates, "upper left")
        return figure
