"""The BCM rule: depression below a threshold rate, potentiation above it, and one pattern of four is left with an answer."""

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
from neuromorph.networks.pairing import PLASTIC, changes, pairing_network
from neuromorph.networks.units import read_weights
from neuromorph.neurons import LIF
from neuromorph.plasticity import BCM
from neuromorph.recording import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PATTERNS = 4


@final
@dataclass(frozen=True, kw_only=True)
class RateLTPLTD(Experiment):
    """First, the curve: both neurons spike at random, the postsynaptic one at many rates, with a threshold held still.

    The mean change is ``eta <x> (<y^2> - theta <y>)`` where y is the postsynaptic trace of random spikes at rate r:
    with ``m = r tau``, ``<y^2> = m^2 + m / 2``, so that the sign turns at ``r = (theta - 1/2) / tau``, for each theta.
    Second, four overlapping patterns of rates come in turn to one neuron whose threshold slides with its activity:
    all but one lose their answer.
    """

    name: ClassVar[str] = "rate-ltp-ltd"
    title: ClassVar[str] = "Depression and potentiation by rate (BCM)"
    sentence: ClassVar[str] = (
        "Weights fall below the threshold rate and grow above it; sliding, it leaves one answer to four patterns."
    )
    source: ClassVar[str] = (
        "Bienenstock, Cooper and Munro, Journal of Neuroscience 2(1), 1982; Intrator and Cooper, Neural Networks 5, 1992"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"seconds": 10.0})

    replicates: int = 30  # synapses of each rate
    seconds: float = 20.0  # of the curve
    pre_rate: float = 20.0  # Hz
    low_theta: float = 2.0  # in units of the trace y1: spikes in tau_minus
    high_theta: float = 3.0
    tau_plus: float = 20e-3  # s
    tau_minus: float = 100e-3  # s
    inputs: int = 40
    lesson: float = 120.0  # s, of the patterns
    shown: float = 0.2  # s, each pattern
    learning_rate: float = 6e-6  # of the patterns
    target: float = 0.15
    tau_answer: float = 50e-3  # s, of the trace y1
    tau_theta: float = 2.0  # s
    w_min: float = 0.0
    w_max: float = 0.05
    dt: float = 1e-3  # s

    @property
    def rates(self) -> FloatArray:
        """Postsynaptic rates of the curve, Hz."""
        return np.linspace(2.5, 40.0, 16)

    def conduct(self, rig: Rig) -> Finding:
        """The curve at two thresholds, then the patterns."""
        arrays: dict[str, FloatArray] = {}
        measures = []
        for share, (name, theta) in enumerate({"low": self.low_theta, "high": self.high_theta}.items()):
            rig.tell(f"curve at theta {theta:g}", 0.2 * share)
            curve = self._curve(rig, theta)
            quadratic = np.linalg.lstsq(np.stack([self.rates, self.rates**2], axis=1), curve, rcond=None)[0]
            arrays[name] = curve
            expected = self.sign_change(theta)
            measures.append(
                Measure(
                    name=f"rate of no change at theta {theta:g}",
                    value=float(-quadratic[0] / quadratic[1]),
                    unit="Hz",
                    low=0.92 * expected,
                    high=1.08 * expected,
                    source="formula; three standard errors of 2.5 %, spikes being random",
                )
            )
        rig.tell("patterns", 0.4)
        arrays |= self._lesson(rig)
        answers = np.sort(arrays["answers"])
        left = self.last_answer
        measures += [
            Measure(
                name="second largest answer by the largest",
                value=float(answers[-2] / answers[-1]) if answers[-1] > 0 else float("nan"),
                unit="",
                low=0.0,
                high=0.25,
                source="theory: 0; overlapping patterns leave a few spikes (0.1 with rates in place of spikes)",
            ),
            Measure(
                name="largest answer",
                value=float(answers[-1]),
                unit="Hz",
                low=0.5 * left,
                high=1.2 * left,
                source="fixed point of long patterns; of short ones the trace sees less than the whole rate",
            ),
        ]
        return Finding(measures=measures, arrays=arrays)

    @property
    def last_answer(self) -> float:
        """Rate at which ``theta = (m / 4)^2 / target`` equals ``m + 1/2``, one pattern of four being answered; Hz."""
        scale = PATTERNS**2 * self.target
        return float((scale + np.sqrt(scale**2 + 2.0 * scale)) / 2.0 / self.tau_answer)

    def moments(self, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and mean square of the trace of random spikes, in steps of dt."""
        probability, decay = rate * self.dt, np.exp(-self.dt / self.tau_minus)
        mean = probability / (1.0 - decay)
        return mean, mean**2 + probability * (1.0 - probability) / (1.0 - decay**2)

    def curve(self, rate: FloatArray, theta: float) -> FloatArray:
        """Mean weight change in a second, by the formula, at a learning rate of 1 a step."""
        mean, square = self.moments(rate)
        presynaptic = self.pre_rate * self.dt / (1.0 - np.exp(-self.dt / self.tau_plus))
        return np.asarray(presynaptic * (square - theta * mean) / self.dt, dtype=np.float64)

    def sign_change(self, theta: float) -> float:
        """Rate at which the formula is 0, Hz."""
        rate = np.linspace(0.1, 100.0, 20000)
        return float(rate[np.argmax(self.curve(rate, theta) > 0)])

    def _curve(self, rig: Rig, theta: float) -> FloatArray:
        """Mean weight change in a second at each rate, divided by the learning rate."""
        learning_rate, size = 1e-6, len(self.rates) * self.replicates
        rule = BCM(
            learning_rate=learning_rate, target=1.0, tau_plus=self.tau_plus, tau_minus=self.tau_minus, tau_theta=1e6
        )
        network = pairing_network(rule, size=size, weight=0.0, largest=10.0, name="BCM curve")
        steps = round(self.seconds / self.dt)
        pre = rig.rng.random((steps, size)) < self.pre_rate * self.dt
        post = rig.rng.random((steps, size)) < np.repeat(self.rates, self.replicates) * self.dt
        post[0] = False
        with rig.open(network, dt=self.dt) as session:
            session.write(f"{PLASTIC}.y2", np.sqrt(theta))
            change = changes(session, pre, post)
        return np.asarray(change.reshape(-1, self.replicates).mean(axis=1) / (learning_rate * self.seconds))

    def patterns(self) -> FloatArray:
        """Rates of every input in each pattern, Hz, shape (patterns, inputs): bumps on a ring that overlap."""
        place = np.arange(self.inputs) / self.inputs
        centre = np.arange(PATTERNS)[:, np.newaxis] / PATTERNS
        distance = np.abs((place - centre + 0.5) % 1.0 - 0.5)
        return np.asarray(2.0 + 60.0 * np.exp(-0.5 * (distance / 0.1) ** 2), dtype=np.float64)

    def _lesson(self, rig: Rig) -> dict[str, FloatArray]:
        """Answers to every pattern over time, in the last quarter, and the weights after."""
        rule = BCM(
            learning_rate=self.learning_rate,
            target=self.target,
            tau_plus=self.tau_plus,
            tau_minus=self.tau_answer,
            tau_theta=self.tau_theta,
            w_min=self.w_min,
            w_max=self.w_max,
        )
        network = Network(
            name="BCM selectivity",
            populations=[Input("pre", self.inputs), Population("post", 1, LIF(tau_mem=20e-3, tau_syn=5e-3))],
            projections=[Projection("pre", "post", AllToAll(Uniform(0.008, 0.012), rig.seed), plasticity=rule)],
            probes=[Probe("post", "spikes")],
        )
        shown, rates = round(self.shown / self.dt), self.patterns()
        rounds = round(self.lesson / self.shown) // PATTERNS
        answers = np.zeros((rounds, PATTERNS))
        with rig.open(network, dt=self.dt) as session:
            for turn in range(rounds):
                for pattern in rig.rng.permutation(PATTERNS):
                    spikes = rig.rng.random((shown, self.inputs)) < rates[pattern] * self.dt
                    recording = session.run(shown, inputs={"pre": spikes})
                    answers[turn, pattern] = len(recording.spikes["post"]) / self.shown
                rig.tell("patterns", 0.4 + 0.6 * (turn + 1) / rounds)
            weights = np.asarray(read_weights(session, PLASTIC))[0]
        last = answers[-max(1, rounds // 4) :].mean(axis=0)
        return {"history": answers, "answers": last, "weights": weights}

    def draw(self, results: Sequence[Result]) -> Figure:
        """The curve; answers while the neuron learns."""
        from neuromorph.networks.panels import INK, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (curve, answers, weights) = panels(
            ["BCM curve", "Answers to four patterns", "Weights after; patterns shaded"]
        )
        fine = np.linspace(0.0, 42.0, 200)
        for colour, (name, theta) in zip(
            SERIES, {"low": self.low_theta, "high": self.high_theta}.items(), strict=False
        ):
            curve.plot(fine, self.curve(fine, theta), color=colour, linewidth=1.2, label=f"theta {theta:g}, formula")
            curve.axvline(self.sign_change(theta), color=colour, linewidth=0.8, linestyle=":")
            for result in results:
                curve.plot(self.rates, result.arrays[name], "o", color=colour, markersize=3)
        curve.axhline(0.0, color=INK, linewidth=0.6)
        history = results[0].arrays["history"]
        seconds = PATTERNS * self.shown * np.arange(1, len(history) + 1)
        for pattern in range(PATTERNS):
            smooth = np.convolve(history[:, pattern], np.ones(3) / 3, mode="same")
            answers.plot(seconds, smooth, color=SERIES[pattern], linewidth=1.2, label=f"pattern {pattern + 1}")
            bump = self.patterns()[pattern] * results[0].arrays["weights"].max() / self.patterns().max()
            weights.fill_between(np.arange(self.inputs), bump, color=SERIES[pattern], alpha=0.22, linewidth=0)
        weights.plot(results[0].arrays["weights"], color=INK, linewidth=1.2)
        for axes in (curve, answers, weights):
            ruled(axes, "y")
        name_axes(curve, "postsynaptic rate (Hz)", "change in a second / learning rate")
        name_axes(answers, "time (s)", "rate of the neuron (Hz)")
        name_axes(weights, "input", "weight")
        small_legend(curve, "upper left")
        small_legend(answers)
        return figure
