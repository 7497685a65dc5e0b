"""A recurrent network that is kept at its target rate by plastic inhibition, neuron by neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import FixedProbability, Uniform
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import LIF
from neuromorph.plasticity import InhibitorySTDP
from neuromorph.recording import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHUNK = 1000  # steps


@final
@dataclass(frozen=True, kw_only=True)
class InhibitoryBalance(Experiment):
    """Excitatory and inhibitory neurons, connected at random; synapses of inhibition on excitation are plastic.

    At the start inhibition is weak and excitatory neurons spike at many different rates far above the target. The rule
    strengthens a synapse onto a neuron that spikes too much and weakens one onto a neuron that spikes too little, so
    that each comes to its target by itself, with inhibition in balance with its own excitation and irregular spikes.
    """

    name: ClassVar[str] = "inhibitory-balance"
    title: ClassVar[str] = "Balance by inhibitory plasticity"
    sentence: ClassVar[str] = (
        "Plastic inhibition brings every excitatory neuron of a recurrent network to its target rate."
    )
    source: ClassVar[str] = "Vogels, Sprekeler, Zenke, Clopath and Gerstner, Science 334, 2011"
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"seconds": 60.0})

    excitatory: int = 200
    inhibitory: int = 50
    external: int = 200
    external_rate: float = 20.0  # Hz
    external_low: float = 0.04  # weights are uniform between these
    external_high: float = 0.12
    excitation: float = 0.03  # among excitatory neurons
    drive: float = 0.08  # of excitatory on inhibitory neurons
    inhibition: float = 0.005  # at the start
    target: float = 5.0  # Hz
    learning_rate: float = 4e-4
    tau: float = 20e-3  # s
    seconds: float = 120.0
    dt: float = 1e-3  # s

    def network(self, seed: int) -> Network:
        """External input onto excitatory neurons, recurrent excitation, and plastic inhibition."""
        rule = InhibitorySTDP(
            learning_rate=self.learning_rate, target_rate=self.target, tau=self.tau, w_min=-1.0, w_max=0.0
        )

        def random(weight: float | Uniform, probability: float, number: int) -> FixedProbability:
            return FixedProbability(probability, weight, seed=5 * seed + number)

        external = Uniform(self.external_low, self.external_high)
        neuron = LIF(tau_mem=20e-3, tau_syn=5e-3, refractory=5e-3)
        return Network(
            name="balance by inhibitory plasticity",
            populations=[
                Input("external", self.external),
                Population("excitatory", self.excitatory, neuron),
                Population("inhibitory", self.inhibitory, neuron),
            ],
            projections=[
                Projection("external", "excitatory", random(external, 0.1, 0)),
                Projection("excitatory", "excitatory", random(self.excitation, 0.1, 1)),
                Projection("excitatory", "inhibitory", random(self.drive, 0.2, 2)),
                Projection("inhibitory", "excitatory", random(-self.inhibition, 0.4, 3), plasticity=rule),
            ],
            probes=[Probe("excitatory", "spikes"), Probe("inhibitory", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """One run; rates in its first second and in its last third."""
        chunks = round(self.seconds / self.dt / CHUNK)
        rates = np.zeros((chunks, self.excitatory))
        steps: list[FloatArray] = []
        ids: list[FloatArray] = []
        with rig.open(self.network(rig.seed), dt=self.dt) as session:
            for chunk in range(chunks):
                rig.tell("learning", chunk / chunks)
                fed = rig.rng.random((CHUNK, self.external)) < self.external_rate * self.dt
                train = session.run(CHUNK, inputs={"external": fed}).spikes["excitatory"]
                rates[chunk] = train.counts() / (CHUNK * self.dt)
                steps.append((train.steps + chunk * CHUNK).astype(np.float64))
                ids.append(train.ids.astype(np.float64))
        late = rates[2 * chunks // 3 :].mean(axis=0)
        times, who = np.concatenate(steps) * self.dt, np.concatenate(ids)
        after = times >= self.seconds * 2 / 3
        measures = [
            Measure(
                name="mean rate in the first second",
                value=float(rates[0].mean()),
                unit="Hz",
                low=3.0 * self.target,
                high=1.0 / 5e-3,
                source="inhibition is weak: the network is to start far from its target; the refractory period bounds it",
            ),
            Measure(
                name="mean rate after learning",
                value=float(late.mean()),
                unit="Hz",
                low=0.85 * self.target,
                high=1.15 * self.target,
                source="the rule's fixed point, moved by the correlation of inhibition and spikes within tau",
            ),
            Measure(
                name="spread of the neurons' rates by the target",
                value=float(late.std() / self.target),
                unit="",
                low=0.0,
                high=0.2,
                source="each neuron has the same target; counts in 20 s vary by 0.1",
            ),
            Measure(
                name="irregularity of spikes (CV)",
                value=variation(times[after], who[after]),
                unit="",
                low=0.7,
                high=1.3,
                source="near that of random spikes: 1",
            ),
        ]
        shown = who < 60
        raster = {"times": times[shown], "ids": who[shown]}
        return Finding(measures=measures, arrays={"rates": rates} | raster)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Rates of all neurons over time, and spikes before and after."""
        from neuromorph.networks.panels import INK, SERIES, logarithmic, panels
        from neuromorph.report.canvas import name_axes, ruled

        figure, (rates, before, after) = panels(
            ["Rates: mean, 50 % and 90 % of neurons", "Spikes at first", "Spikes at last"], widths=(1.3, 1.0, 1.0)
        )
        found = results[0].arrays["rates"]
        seconds = np.arange(1, len(found) + 1)
        for low, high, alpha in ((5, 95, 0.18), (25, 75, 0.3)):
            edges = np.percentile(found, (low, high), axis=1)
            rates.fill_between(seconds, edges[0], edges[1], color=SERIES[0], alpha=alpha, linewidth=0)
        rates.plot(seconds, found.mean(axis=1), color=SERIES[0], linewidth=1.3)
        rates.axhline(self.target, color=INK, linewidth=0.9, linestyle=":")
        logarithmic(rates, "x")
        ruled(rates, "y")
        name_axes(rates, "time (s)", "rate (Hz)")
        times, ids = results[0].arrays["times"], results[0].arrays["ids"]
        for axes, start in ((before, 0.0), (after, self.seconds - 1.0)):
            chosen = (times >= start) & (times < start + 1.0)
            axes.plot(times[chosen] - start, ids[chosen], "|", color=SERIES[1], markersize=2.6, markeredgewidth=0.7)
            axes.set_xlim(0.0, 1.0)
            name_axes(axes, f"time after {start:g} s (s)", "neuron")
        return figure


def variation(times: FloatArray, ids: FloatArray) -> float:
    """Mean over neurons with ten intervals or more of the coefficient of variation of their intervals; NaN without any."""
    order = np.lexsort((times, ids))
    times, ids = times[order], ids[order]
    found = []
    for own in np.split(times, np.flatnonzero(np.diff(ids)) + 1):
        intervals = np.diff(own)
        if len(intervals) >= 10:
            found.append(intervals.std() / intervals.mean())
    return float(np.mean(found)) if found else float("nan")
