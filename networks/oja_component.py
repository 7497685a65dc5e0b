"""Hebb's rule grows without bound; Oja's finds the first principal component of its input and keeps its norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from scipy.signal import lfilter

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights
from neuromorph.neurons import IF
from neuromorph.plasticity import Hebbian, LearningRule, Oja
from neuromorph.recording import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHUNK = 1000  # steps


@final
@dataclass(frozen=True, kw_only=True)
class OjaComponent(Experiment):
    """Inputs whose rates move together by hidden amounts come to one linear spiking neuron, with either rule.

    The neuron integrates without leak, so that its rate is ``sum(w * rate) / v_threshold`` and its trace
    ``y1 = gain * sum(w * x1)``: the rule's theory says that the weights turn to the first eigenvector of the mean
    of ``x1 x1'``, with norm ``1 / sqrt(gain)``.
    """

    name: ClassVar[str] = "oja-component"
    title: ClassVar[str] = "First principal component by Oja's rule"
    sentence: ClassVar[str] = (
        "Oja's rule finds the first principal component and keeps its norm; Hebb's grows without end."
    )
    source: ClassVar[str] = "Oja, Journal of Mathematical Biology 15, 1982"
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"seconds": 120.0})

    inputs: int = 20
    base_rate: float = 10.0  # Hz
    swing: float = 80.0  # Hz, more by the hidden amount
    hidden_time: float = 0.2  # s, for which a hidden amount stays
    threshold: float = 4.0
    learning_rate: float = 3e-6
    tau: float = 50e-3  # s, of both traces
    seconds: float = 240.0
    dt: float = 1e-3  # s

    def network(self, rule: LearningRule, seed: int) -> Network:
        """All inputs onto one neuron."""
        return Network(
            name=rule.name,
            populations=[Input("inputs", self.inputs), Population("post", 1, IF(v_threshold=self.threshold))],
            projections=[
                Projection("inputs", "post", AllToAll(Uniform(0.1, 0.4), seed), plasticity=rule),
            ],
        )

    def spikes(self, rng: np.random.Generator) -> BoolArray:
        """Input spikes, shape (steps, inputs): half of the inputs follow a hidden amount, in falling measure."""
        steps, stay = round(self.seconds / self.dt), round(self.hidden_time / self.dt)
        hidden = np.repeat(rng.random(-(-steps // stay)), stay)[:steps, np.newaxis]
        follows = np.maximum(0.0, 1.0 - 2.0 * np.arange(self.inputs) / self.inputs)
        return np.asarray(rng.random((steps, self.inputs)) < (self.base_rate + self.swing * hidden * follows) * self.dt)

    def conduct(self, rig: Rig) -> Finding:
        """The same spikes for both rules."""
        spikes = self.spikes(rig.rng)
        rules = {
            "oja": Oja(learning_rate=self.learning_rate, tau_plus=self.tau, tau_minus=self.tau),
            "hebb": Hebbian(learning_rate=self.learning_rate, form="rates", tau_plus=self.tau, tau_minus=self.tau),
        }
        history = {}
        for done, (name, rule) in enumerate(rules.items()):
            rig.tell(name, done / 2)
            rows = []
            with rig.open(self.network(rule, rig.seed), dt=self.dt) as session:
                for first in range(0, len(spikes), CHUNK):
                    session.run(len(spikes[first : first + CHUNK]), inputs={"inputs": spikes[first : first + CHUNK]})
                    rows.append(np.asarray(read_weights(session, "inputs->post"))[0])
                    rig.tell(name, (done + first / len(spikes)) / 2)
            history[name] = np.array(rows)
        component = principal(self.traces(spikes))
        last = history["oja"][-len(history["oja"]) // 5 :].mean(axis=0)
        norms = {name: np.linalg.norm(rows, axis=1) for name, rows in history.items()}
        expected = np.sqrt(self.threshold)
        measures = [
            Measure(
                name="cosine to the first component",
                value=float(abs(last @ component) / np.linalg.norm(last)),
                unit="",
                low=0.98,
                high=1.0,
                source="theory: 1; mean of the last fifth, at a learning rate that leaves some noise",
            ),
            Measure(
                name="norm by Oja's rule / theory",
                value=float(np.linalg.norm(last) / expected),
                unit="",
                low=0.9,
                high=1.1,
                source="1 / sqrt(gain); the neuron counts whole spikes, whose chance adds to y1 squared",
            ),
            Measure(
                name="norm by Hebb's rule / Oja's",
                value=float(norms["hebb"][-1] / norms["oja"][-1]),
                unit="",
                low=2.0,
                high=float("inf"),
                source="without a bound it grows as long as one waits",
            ),
        ]
        arrays = {"component": component, "weights": last, "norm_oja": norms["oja"], "norm_hebb": norms["hebb"]}
        return Finding(measures=measures, arrays=arrays)

    def traces(self, spikes: BoolArray) -> FloatArray:
        """The presynaptic traces of spikes, as the rule reads them; shape (steps, inputs)."""
        decay = np.exp(-self.dt / self.tau)
        return np.asarray(lfilter([1.0], [1.0, -decay], spikes.astype(np.float64), axis=0), dtype=np.float64)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Norms over time; weights against the component."""
        from neuromorph.networks.panels import INK, SERIES, logarithmic, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (norms, weights) = panels(["Norm of the weights", "Weights and the first principal component"])
        for index, result in enumerate(results):
            for name, colour, label in (("norm_hebb", SERIES[1], "Hebb"), ("norm_oja", SERIES[0], "Oja")):
                found = result.arrays[name]
                seconds = np.arange(1, len(found) + 1, dtype=np.float64) * CHUNK * self.dt
                norms.plot(seconds, found, color=colour, linewidth=1.2, label=label if index == 0 else None)
            own = result.arrays["weights"]
            where = f"{result.backend}, seed {result.seed}"
            weights.plot(own / np.linalg.norm(own), "o", color=SERIES[index % 6], markersize=3.5, label=where)
        norms.axhline(float(np.sqrt(self.threshold)), color=INK, linewidth=0.9, linestyle=":", label="theory")
        weights.plot(np.abs(results[0].arrays["component"]), color=INK, linewidth=1.1, label="first component")
        logarithmic(norms, "y")
        for axes in (norms, weights):
            ruled(axes, "y")
            small_legend(axes)
        name_axes(norms, "time (s)", "norm")
        name_axes(weights, "input", "weight / norm")
        return figure


def principal(samples: FloatArray) -> FloatArray:
    """First eigenvector of the mean of x x', the mean not taken away; shape (inputs,)."""
    _, vectors = np.linalg.eigh(samples.T @ samples / len(samples))
    return np.asarray(vectors[:, -1], dtype=np.float64)
