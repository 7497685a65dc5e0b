"""One neuron finds a spike pattern that comes back at unknown times in noise of the same rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights
from neuromorph.neurons import LIF
from neuromorph.plasticity import STDP
from neuromorph.recording import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
@dataclass(frozen=True, kw_only=True)
class RepeatingPattern(Experiment):
    """Inputs spike at random all the time; at random times half of them repeat the same 50 ms, jittered, at the same rate.

    Nothing but coincidences tells the pattern from the noise. STDP, depression outweighing potentiation, silences a
    neuron but where inputs come together again and again, and then moves its spike towards the pattern's start. Several
    neurons, with other weights at the start and without any connection, each try alone. The last fifth of the
    time counts: a hit is a pattern with at least one spike from its start to 10 ms after its end, a false alarm a
    spike outside of these windows, the latency that of the first spike of a hit. A neuron has found the pattern where it
    hits 0.9 of them with less than one false alarm in a second.

    Whether neurons fall silent before they find the pattern, or never stop answering to noise, hangs on the ratio of
    depression to potentiation to a few per cent. In a chip's integers both are rounded by up to 2 % and traces of 7 bits
    at random, so that about four lessons of five end inside the ranges there; in floating point all do.
    """

    name: ClassVar[str] = "repeating-pattern"
    title: ClassVar[str] = "Detection of a repeating pattern"
    sentence: ClassVar[str] = "By STDP alone a neuron finds a repeating spike pattern in equally dense noise."
    source: ClassVar[str] = "Masquelier, Guyonneau and Thorpe, PLoS ONE 3(1): e1377, 2008"
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"seconds": 60.0})

    neurons: int = 6
    inputs: int = 1000
    in_pattern: int = 500
    rate: float = 50.0  # Hz
    noise: float = 5.0  # Hz, added in patterns
    jitter: float = 1e-3  # s, standard deviation, of each spike of a pattern
    length: float = 50e-3  # s
    gap: float = 100e-3  # s, mean time from the end of a pattern to the next beyond the least of 50 ms
    weight_low: float = 0.2  # of the start; the largest is 1
    weight_high: float = 0.75
    threshold: float = 610.0
    A_plus: float = 5e-3
    depression: float = 0.535  # of A_plus; all pairs count, of which there are more than nearest ones
    tau_plus: float = 16.8e-3  # s
    tau_minus: float = 33.7e-3  # s
    tau_mem: float = 10e-3  # s
    tau_syn: float = 2.5e-3  # s
    seconds: float = 100.0
    dt: float = 1e-3  # s

    def network(self, seed: int) -> Network:
        """All inputs onto every neuron."""
        rule = STDP(
            A_plus=self.A_plus,
            A_minus=self.depression * self.A_plus,
            tau_plus=self.tau_plus,
            tau_minus=self.tau_minus,
            w_min=0.0,
            w_max=1.0,
        )
        neuron = LIF(tau_mem=self.tau_mem, tau_syn=self.tau_syn, v_threshold=self.threshold, refractory=5e-3)
        start = Uniform(self.weight_low, self.weight_high)
        return Network(
            name="repeating pattern",
            populations=[Input("afferents", self.inputs), Population("post", self.neurons, neuron)],
            projections=[Projection("afferents", "post", AllToAll(start, seed), plasticity=rule)],
            probes=[Probe("post", "spikes")],
        )

    def spikes(self, rng: np.random.Generator) -> tuple[BoolArray, IntArray]:
        """Input spikes, shape (steps, inputs), and the steps at which patterns start."""
        steps, length = round(self.seconds / self.dt), round(self.length / self.dt)
        spikes = rng.random((steps, self.inputs), dtype=np.float32) < self.rate * self.dt
        when, who = np.nonzero(rng.random((length, self.in_pattern)) < self.rate * self.dt)
        starts = []
        start = length
        while start + 2 * length < steps:
            starts.append(start)
            window = spikes[start : start + length, : self.in_pattern]
            window[:] = rng.random(window.shape) < self.noise * self.dt
            moved = np.rint(when + rng.normal(0.0, self.jitter / self.dt, len(when))).astype(np.int64)
            spikes[start + np.clip(moved, 0, length - 1), who] = True
            start += round(2 * length + rng.exponential(self.gap) / self.dt)
        return spikes, np.array(starts, dtype=np.int64)

    def conduct(self, rig: Rig) -> Finding:
        """One long lesson."""
        spikes, starts = self.spikes(rig.rng)
        steps = len(spikes)
        trains: list[list[IntArray]] = [[] for _ in range(self.neurons)]
        with rig.open(self.network(rig.seed), dt=self.dt) as session:
            for first in range(0, steps, 2000):
                rig.tell("listening", first / steps)
                fed = spikes[first : first + 2000]
                sent = session.run(len(fed), inputs={"afferents": fed}).spikes["post"]
                for neuron, train in enumerate(trains):
                    train.append(sent.steps[sent.ids == neuron].astype(np.int64) + first)
            weights = np.asarray(read_weights(session, "afferents->post"))
        late = starts[starts >= 0.8 * steps]
        noise_time = 0.2 * self.seconds - len(late) * (self.length + 10e-3)
        hits, alarms, latencies = np.zeros((3, self.neurons))
        for neuron, train in enumerate(trains):
            post = np.concatenate(train)
            latency, rest = self._hits(post[post >= 0.8 * steps], late)
            hits[neuron], alarms[neuron] = np.isfinite(latency).mean(), len(rest) / noise_time
            latencies[neuron] = np.nanmean(latency) if hits[neuron] else np.nan
        found = (hits >= 0.9) & (alarms < 1.0)
        best = int(np.argmax(hits - alarms))
        measures = [
            Measure(
                name="neurons that found the pattern",
                value=float(found.mean()),
                unit="",
                low=0.5,
                high=1.0,
                source="nearly all in the paper, with twice as many inputs and nearest pairs; at least half",
            ),
            Measure(
                name="hits of the best neuron",
                value=float(hits[best]),
                unit="",
                low=0.95,
                high=1.0,
                source="nearly all patterns in the paper, of neurons that found it",
            ),
            Measure(
                name="false alarms of the best neuron",
                value=float(alarms[best]),
                unit="Hz",
                low=0.0,
                high=0.5,
                source="hardly any in the paper; half as many inputs carry more noise",
            ),
            Measure(
                name="latency of the best neuron",
                value=1e3 * float(latencies[best]),
                unit="ms",
                low=0.0,
                high=0.5e3 * self.length,
                source="a few ms in the paper, after longer; on its way to the start the spike is in the first half",
            ),
        ]
        post = np.concatenate(trains[best])
        history, _ = self._hits(post, starts)
        times = {
            "start": self.dt * starts.astype(np.float64),
            "latency": history,
            "post": self.dt * post.astype(np.float64),
        }
        return Finding(measures=measures, arrays=times | {"weights": weights[best], "hits": hits, "alarms": alarms})

    def _hits(self, post: IntArray, starts: IntArray) -> tuple[FloatArray, IntArray]:
        """Latency in s of the first spike in each pattern (NaN: none), and the spikes outside of all patterns."""
        reach = round((self.length + 10e-3) / self.dt)
        latency = np.full(len(starts), np.nan)
        inside = np.zeros(len(post), dtype=np.bool_)
        for index, start in enumerate(starts):
            first, last = np.searchsorted(post, (start, start + reach))
            inside[first:last] = True
            if last > first:
                latency[index] = (post[first] - start) * self.dt
        return latency, post[~inside]

    def draw(self, results: Sequence[Result]) -> Figure:
        """Latency of every spike in a pattern, over time; hits; weights of both halves of the inputs."""
        from neuromorph.networks.panels import INK, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        arrays = results[0].arrays
        figure, (latency, rates, weights) = panels(
            ["First spike after each start, best neuron", "Hits and false alarms", "Weights after"]
        )
        latency.plot(arrays["start"], 1e3 * arrays["latency"], ".", color=SERIES[0], markersize=2.5)
        edges = np.linspace(0.0, self.seconds, 31)
        hit = np.isfinite(arrays["latency"]).astype(np.float64)
        count = np.maximum(np.histogram(arrays["start"], edges)[0], 1)
        rates.plot(
            edges[1:],
            np.histogram(arrays["start"], edges, weights=hit)[0] / count,
            color=SERIES[0],
            label="patterns hit (share)",
        )
        window = self.length + 10e-3
        inside = np.zeros(len(arrays["post"]), dtype=np.bool_)
        for start in arrays["start"]:
            first, last = np.searchsorted(arrays["post"], (start, start + window))
            inside[first:last] = True
        outside = np.histogram(arrays["post"][~inside], edges)[0] / (np.diff(edges) - count * window)
        rates.plot(
            edges[1:],
            outside / max(outside.max(), 1e-9),
            color=SERIES[1],
            label=f"false alarms (of {outside.max():.0f} Hz)",
        )
        weights.hist(
            [arrays["weights"][: self.in_pattern], arrays["weights"][self.in_pattern :]],
            np.linspace(0.0, 1.0, 21).tolist(),
            color=[SERIES[0], SERIES[1]],
            label=["inputs in the pattern", "other inputs"],
        )
        for axes in (latency, rates):
            ruled(axes, "y")
        latency.axhline(1e3 * self.length, color=INK, linewidth=0.8, linestyle=":")
        name_axes(latency, "time (s)", "latency (ms)")
        name_axes(rates, "time (s)", "share")
        name_axes(weights, "weight", "inputs")
        small_legend(rates)
        small_legend(weights)
        return figure
