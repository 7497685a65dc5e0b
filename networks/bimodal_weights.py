"""Weights under random input: additive STDP parts them into strong and weak, multiplicative STDP keeps one heap."""

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
from neuromorph.recording import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHUNK = 1000  # steps whose input spikes are drawn at once


@final
@dataclass(frozen=True, kw_only=True)
class BimodalWeights(Experiment):
    """One neuron hears independent random spikes; excitatory weights learn by STDP in which depression outweighs.

    Additive: inputs compete for the control of the spikes' times, and most weights come to lie at either bound, whatever
    the input's rate; output stays irregular at a rate that depends little on the input's. Multiplicative: strong
    weights are depressed more, and there is one heap of weights. The measure is Sarle's coefficient ``(skewness^2 + 1) /
    kurtosis``: 1/3 of a normal distribution, 5/9 of a uniform one, 1 of two points.
    """

    name: ClassVar[str] = "bimodal-weights"
    title: ClassVar[str] = "Bimodal weights by competition"
    sentence: ClassVar[str] = "Additive STDP drives weights to both bounds and balances the output; soft bounds do not."
    source: ClassVar[str] = (
        "Song, Miller and Abbott, Nature Neuroscience 3(9), 2000; van Rossum, Bi and Turrigiano, Journal of "
        "Neuroscience 20(23), 2000"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"seconds": 120.0})

    inputs: int = 1000
    inhibitory_inputs: int = 200
    inhibitory_rate: float = 10.0  # Hz
    low_rate: float = 10.0  # Hz, of excitatory inputs
    high_rate: float = 20.0
    w_max: float = 0.065
    inhibition: float = 0.11
    learning_rate: float = 0.01  # of w_max, potentiation of one pair at no delay
    depression: float = 1.05  # of potentiation, additive
    seconds: float = 300.0
    dt: float = 1e-3  # s

    def network(self, seed: int, *, is_additive: bool) -> Network:
        """Excitatory and inhibitory inputs of one neuron."""
        amplitude, power = self.learning_rate * self.w_max, 0 if is_additive else 1
        scale = 1.0 if is_additive else 1.0 / self.w_max
        rule = STDP(
            A_plus=amplitude * scale,
            A_minus=amplitude * scale * self.depression,
            w_min=0.0,
            w_max=self.w_max,
            mu_plus=power,
            mu_minus=power,
        )
        return Network(
            name=f"{'additive' if is_additive else 'multiplicative'} STDP",
            populations=[
                Input("excitation", self.inputs),
                Input("inhibition", self.inhibitory_inputs),
                Population("post", 1, LIF(tau_mem=20e-3, tau_syn=0.0)),
            ],
            projections=[
                Projection("excitation", "post", AllToAll(Uniform(0.0, self.w_max), seed), plasticity=rule),
                Projection("inhibition", "post", AllToAll(-self.inhibition)),
            ],
            probes=[Probe("post", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Additive at two input rates, multiplicative at the lower one."""
        cases = {"low": (True, self.low_rate), "high": (True, self.high_rate), "soft": (False, self.low_rate)}
        arrays: dict[str, FloatArray] = {}
        for done, (name, (is_additive, rate)) in enumerate(cases.items()):
            arrays |= self._learn(rig, name, rate, is_additive=is_additive, share=done / len(cases))
        measures = [
            Measure(
                name=f"bimodality, additive, input {rate:g} Hz",
                value=bimodality(arrays[name]),
                unit="",
                low=5 / 9,
                high=1.0,
                source="above 5/9 of a uniform distribution, as the weights begin; 0.67 to 0.90 are typical",
            )
            for name, rate in (("low", self.low_rate), ("high", self.high_rate))
        ]
        measures += [
            Measure(
                name=f"weights near a bound, {kind}",
                value=near_a_bound(arrays[name]),
                unit="",
                low=low,
                high=high,
                source="0.4 at the start, when weights are uniform; a bound is near within a fifth of the range",
            )
            for name, kind, low, high in (("low", "additive", 0.55, 1.0), ("soft", "multiplicative", 0.0, 0.1))
        ]
        measures.append(
            Measure(
                name="bimodality, multiplicative",
                value=bimodality(arrays["soft"]),
                unit="",
                low=0.0,
                high=0.45,
                source="1/3 of a normal distribution, less with heavier tails; below the middle between it and a uniform one",
            )
        )
        intervals = arrays["intervals"]
        measures += [
            Measure(
                name="output rate, additive",
                value=float(1.0 / intervals.mean()) if len(intervals) else 0.0,
                unit="Hz",
                low=7.0,
                high=25.0,
                source="of the order of 10 Hz in the paper, held by competition",
            ),
            Measure(
                name="irregularity of the output (CV)",
                value=float(intervals.std() / intervals.mean()) if len(intervals) else 0.0,
                unit="",
                low=0.7,
                high=1.1,
                source="near that of random spikes: 1",
            ),
        ]
        return Finding(measures=measures, arrays=arrays)

    def _learn(self, rig: Rig, name: str, rate: float, *, is_additive: bool, share: float) -> dict[str, FloatArray]:
        """Weights after, as parts of w_max; of the case ``low`` also intervals of the output's last third."""
        chunks = round(self.seconds / self.dt / CHUNK)
        late: list[FloatArray] = []
        with rig.open(self.network(rig.seed, is_additive=is_additive), dt=self.dt) as session:
            for chunk in range(chunks):
                if chunk % 10 == 0:
                    rig.tell(f"{name} case", share + chunk / chunks / 3)
                spikes = {
                    "excitation": rig.rng.random((CHUNK, self.inputs), dtype=np.float32) < rate * self.dt,
                    "inhibition": rig.rng.random((CHUNK, self.inhibitory_inputs)) < self.inhibitory_rate * self.dt,
                }
                recording = session.run(CHUNK, inputs=spikes)
                if chunk >= chunks * 2 // 3:
                    late.append(self.dt * (recording.spikes["post"].steps + chunk * CHUNK).astype(np.float64))
            weights = np.asarray(read_weights(session, "excitation->post"))[0] / self.w_max
        return {name: weights} | ({"intervals": np.diff(np.concatenate(late))} if name == "low" else {})

    def draw(self, results: Sequence[Result]) -> Figure:
        """Histograms of the weights of the first run, and of the intervals between output spikes."""
        from neuromorph.networks.panels import INK, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        arrays = results[0].arrays
        figure, (additive, soft, intervals) = panels(
            ["Additive STDP", "Multiplicative STDP", "Intervals of the output"]
        )
        edges = np.linspace(0.0, 1.0, 31).tolist()
        for name, colour, label in (
            ("low", SERIES[0], f"input {self.low_rate:g} Hz"),
            ("high", SERIES[1], f"input {self.high_rate:g} Hz"),
        ):
            additive.hist(arrays[name], edges, color=colour, alpha=0.55, label=label)
        soft.hist(arrays["soft"], edges, color=SERIES[0], alpha=0.55, label=f"input {self.low_rate:g} Hz")
        for axes in (additive, soft):
            axes.axhline(self.inputs / 30, color=INK, linewidth=0.9, linestyle=":", label="at the start")
            ruled(axes, "y")
            name_axes(axes, "weight / largest weight", "synapses")
            axes.margins(y=0.25)
            small_legend(axes, "upper right")
        intervals.hist(arrays["intervals"] * 1e3, np.linspace(0.0, 500.0, 41).tolist(), color=SERIES[2], alpha=0.6)
        name_axes(intervals, "interval (ms)", "count")
        return figure


def near_a_bound(values: FloatArray) -> float:
    """Share of values, of a range from 0 to 1, below 0.2 or above 0.8."""
    return float(np.mean((values < 0.2) | (values > 0.8)))


def bimodality(values: FloatArray) -> float:
    """Sarle's coefficient ``(skewness^2 + 1) / kurtosis``; NaN where all values are equal.

    >>> round(bimodality(np.array([0.0, 0.0, 1.0, 1.0])), 6)
    1.0
    """
    deviation = values - values.mean()
    variance = float(np.mean(deviation**2))
    if variance == 0:
        return float("nan")
    skewness, kurtosis = np.mean(deviation**3) / variance**1.5, np.mean(deviation**4) / variance**2
    return float((skewness**2 + 1.0) / kurtosis)
