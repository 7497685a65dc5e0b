"""Latency: repeated volleys of input spikes teach a neuron to answer at their onset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights
from neuromorph.neurons import LIF
from neuromorph.plasticity import STDP

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
@dataclass(frozen=True, kw_only=True)
class Latency(Experiment):
    """Inputs spike once a trial, each at its own time after the onset, with jitter; STDP strengthens those of before.

    What comes before the neuron's spike is strengthened, what comes after weakened, so the spike moves towards the
    onset, until the earliest inputs make it.
    """

    name: ClassVar[str] = "latency"
    title: ClassVar[str] = "Latency shortening"
    sentence: ClassVar[str] = "Within 50 trials the first spike moves to the onset of a repeated volley of spikes."
    source: ClassVar[str] = "Song, Miller and Abbott, Nature Neuroscience 3(9), 2000"

    inputs: int = 200
    onset: float = 10e-3  # s after the start of a trial
    spread: float = 20e-3  # s, inputs spike evenly over so long
    jitter: float = 0.3e-3  # s, standard deviation
    trials: int = 50
    duration: float = 0.1  # s, of a trial
    weight: float = 0.018  # of the start
    w_max: float = 0.15
    learning_rate: float = 0.08  # of w_max
    dt: float = 0.1e-3  # s

    def network(self) -> Network:
        """All inputs onto one neuron."""
        amplitude = self.learning_rate * self.w_max
        rule = STDP(A_plus=amplitude, A_minus=1.05 * amplitude, w_min=0.0, w_max=self.w_max)
        neuron = LIF(tau_mem=20e-3, tau_syn=0.0, refractory=5e-3)
        return Network(
            name="latency",
            populations=[Input("volley", self.inputs), Population("post", 1, neuron)],
            projections=[Projection("volley", "post", AllToAll(self.weight), plasticity=rule)],
            probes=[Probe("post", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Trial after trial; the neuron is at rest at the start of each."""
        times = self.onset + self.spread * np.arange(self.inputs) / self.inputs
        steps = round(self.duration / self.dt)
        first = np.full(self.trials, np.nan)
        history = np.zeros((self.trials, self.inputs))
        with rig.open(self.network(), dt=self.dt) as session:
            for trial in range(self.trials):
                rig.tell(f"trial {trial + 1}", trial / self.trials)
                jittered = np.maximum(times + rig.rng.normal(0.0, self.jitter, self.inputs), self.onset)
                spikes = np.zeros((steps, self.inputs), dtype=np.bool_)
                spikes[np.rint(jittered / self.dt).astype(np.int64), np.arange(self.inputs)] = True
                sent = session.run(steps, inputs={"volley": spikes}).spikes["post"].steps
                if len(sent):
                    first[trial] = sent[0] * self.dt
                history[trial] = np.asarray(read_weights(session, "volley->post"))[0]
        last = float(np.mean(first[-5:]))
        return Finding(
            measures=[
                Measure(
                    name="first spike in the first trial",
                    value=1e3 * float(first[0]),
                    unit="ms",
                    low=14.0,
                    high=20.0,
                    source="the start is chosen so that a third of the volley makes the spike: it has far to go",
                ),
                Measure(
                    name="first spike in the last five trials",
                    value=1e3 * last,
                    unit="ms",
                    low=1e3 * self.onset,
                    high=1e3 * self.onset + 1.5,
                    source="the onset, and the time in which the largest weights together reach threshold",
                ),
            ],
            arrays={"first": first, "weights": history, "times": times},
        )

    def draw(self, results: Sequence[Result]) -> Figure:
        """The first spike of every trial; weights before, amid and after."""
        from neuromorph.networks.panels import INK, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (spikes, weights) = panels(["First spike of the neuron", "Weights by the time of their input"])
        for index, result in enumerate(results):
            trials = np.arange(1, len(result.arrays["first"]) + 1)
            spikes.plot(trials, 1e3 * result.arrays["first"], "o-", color=SERIES[index % 6], markersize=2.5, linewidth=0.8, label=f"{result.backend}, seed {result.seed}")  # fmt: skip
        spikes.axhline(1e3 * self.onset, color=INK, linewidth=0.9, linestyle=":", label="onset of the volley")
        history, times = results[0].arrays["weights"], results[0].arrays["times"]
        for colour, trial in zip(SERIES, (0, 4, 14, len(history) - 1), strict=False):
            weights.plot(1e3 * times, history[trial], color=colour, linewidth=1.1, label=f"after trial {trial + 1}")
        spikes.set_ylim(bottom=1e3 * self.onset - 0.5)
        for axes in (spikes, weights):
            ruled(axes, "y")
            small_legend(axes)
        name_axes(spikes, "trial", "time in the trial (ms)")
        name_axes(weights, "time of the input's spike (ms)", "weight")
        return figure
