"""Distal reward: which of all synapses earned a reward that comes seconds later."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, OneToOne
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights
from neuromorph.neurons import LIF
from neuromorph.plasticity import RewardModulatedSTDP
from neuromorph.recording import FloatArray, IntArray, SpikeTrain
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure
LATE = 0.2  # share of the time, at its end, of which weights are averaged: each goes up and down by chance


@final
@dataclass(frozen=True, kw_only=True)
class DistalReward(Experiment):
    """Inputs and neurons spike at random; a reward follows, 1 to 3 s late, whenever neuron 0 spikes soon after input 0.

    By then the pair is long over and hundreds of others have come. Only a tag that decays over seconds still knows of it,
    and of many others by chance; the chance averages out, the cause does not. Dopamine counts against the level that is
    expected. As control a tag that lasts a tenth of a second: it has forgotten when the reward comes.
    """

    name: ClassVar[str] = "distal-reward"
    title: ClassVar[str] = "Distal reward"
    sentence: ClassVar[str] = "Of all synapses the one that earns a reward, seconds before it comes, grows the largest."
    source: ClassVar[str] = "Izhikevich, Cerebral Cortex 17(10), 2007, figure 1 and 2"
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType(
        {"seconds": 2500.0, "control_seconds": 400.0, "neurons": 2, "learning_rate": 2e-4}
    )

    inputs: int = 50
    neurons: int = 6
    input_rate: float = 4.0  # Hz
    background_rate: float = 4.0  # Hz: spikes of each neuron that come from elsewhere
    window: float = 10e-3  # s, in which neuron 0 must follow input 0
    delay_low: float = 1.0  # s, of the reward
    delay_high: float = 3.0  # s
    tau_e: float = 2.0  # s, of the tag
    tau_e_control: float = 0.1  # s, of one that does not last
    tau_reward: float = 0.2  # s, of dopamine
    tau_mean: float = 60.0  # s, over which the level that is expected follows dopamine
    A_plus: float = 1.0
    A_minus: float = 2.0  # depression outweighs potentiation, so that pairs by chance weaken
    learning_rate: float = 1.5e-4
    weight: float = 0.2  # at the start
    w_max: float = 0.8
    seconds: float = 3000.0
    control_seconds: float = 1000.0  # in which nothing happens to the synapse
    dt: float = 5e-3  # s

    def network(self, tau_e: float) -> Network:
        """Random inputs onto neurons that also spike by themselves."""
        rule = RewardModulatedSTDP(
            modulator="dopamine",
            learning_rate=self.learning_rate,
            A_plus=self.A_plus,
            A_minus=self.A_minus,
            tau_plus=20e-3,
            tau_minus=20e-3,
            tau_e=tau_e,
            w_min=0.0,
            w_max=self.w_max,
        )
        return Network(
            name="distal reward",
            populations=[
                Input("inputs", self.inputs),
                Input("background", self.neurons),
                Population("neurons", self.neurons, LIF(tau_mem=10e-3, tau_syn=0.0)),
            ],
            projections=[
                Projection("inputs", "neurons", AllToAll(self.weight), plasticity=rule),
                Projection("background", "neurons", OneToOne(2.0)),
            ],
            modulators=[Modulator("dopamine")],
            probes=[Probe("neurons", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Once with a tag that lasts, once with one that does not."""
        rig.tell("a tag that lasts", 0.0)
        with rig.open(self.network(self.tau_e), dt=self.dt) as session:
            weights, history, rewards = self._live(session, rig, self.seconds)
        rig.tell("a tag that does not", 0.5)
        with rig.open(self.network(self.tau_e_control), dt=self.dt) as session:
            control, _, _ = self._live(session, rig, self.control_seconds)
        others = np.delete(weights.ravel(), 0)
        rank = 1 + int(np.sum(others >= weights[0, 0]))
        half = self.seconds / 2
        gain = float(np.sum(rewards >= half)) / max(float(np.sum(rewards < half)), 1.0)
        measures = [
            Measure(name="rank of the rewarded synapse", value=rank, unit="", low=1, high=1,
                    source=f"the largest of all {weights.size}"),
            Measure(name="its weight by the largest possible", value=float(weights[0, 0] / self.w_max), unit="", low=0.7,
                    high=1.0, source="every reward pulls the same way, so that it comes to its bound and stays near"),
            Measure(name="mean of the others by the largest possible", value=float(others.mean() / self.w_max), unit="",
                    low=0.0, high=1.5 * self.weight / self.w_max,
                    source="pairs by chance weaken on the whole: no growth beyond the start"),
            Measure(name="rewards in the second half by those in the first", value=gain, unit="", low=1.0, high=math.inf,
                    source="the synapse makes the pair that earns: rewards become more frequent"),
            Measure(name="control: its weight where the tag does not last", value=float(control[0, 0] / self.w_max),
                    unit="", low=0.0, high=0.5, source="the pair is forgotten when the reward comes: nothing distinguishes the synapse"),
        ]  # fmt: skip
        arrays = {"weights": weights, "control": control, "history": history, "rewards": rewards}
        return Finding(measures=measures, arrays=arrays)

    def _live(self, session: Session, rig: Rig, seconds: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean weights of the last fifth, weight 0 and the mean of the rest second by second, and times of rewards.

        A reward is never less than ``delay_low`` late, so that steps of so much time can be run at once.
        """
        chunk = round(self.delay_low / self.dt)
        chunks = round(seconds / self.dt / chunk)
        due: list[int] = []
        rewards: list[int] = []
        history, late = np.zeros((chunks, 2)), max(1, round(LATE * chunks))
        mean_late = np.zeros((self.neurons, self.inputs))
        last_input = -10 * chunk
        decay, dopamine = math.exp(-self.dt / self.tau_reward), 0.0
        share, expected = -math.expm1(-self.delay_low / self.tau_mean), 0.0
        for number in range(chunks):
            begin = number * chunk
            fed = {
                "inputs": _poisson(rig.rng, chunk, self.inputs, self.input_rate * self.dt),
                "background": _poisson(rig.rng, chunk, self.neurons, self.background_rate * self.dt),
            }
            now = [step for step in due if step < begin + chunk]
            due = [step for step in due if step >= begin + chunk]
            level = np.zeros(chunk)
            np.add.at(level, np.array(now, dtype=np.int64) - begin, 1.0)
            for step in range(chunk):
                dopamine = dopamine * decay + level[step]
                level[step] = dopamine
            mean, level = float(level.mean()), level - expected
            expected += share * (mean - expected)
            recording = session.run(chunk, inputs=fed, modulators={"dopamine": level})
            rewards += now
            weights = np.asarray(read_weights(session, "inputs->neurons"))
            history[number] = _one_and_rest(weights)
            if number >= chunks - late:
                mean_late += weights / late
            pre = begin + fed["inputs"].steps[fed["inputs"].ids == 0]
            train = recording.spikes["neurons"]
            pairs, last_input = self._pairs(pre, begin + train.steps[train.ids == 0], last_input)
            span = (self.delay_low / self.dt, self.delay_high / self.dt)
            due += [int(step + late) for step, late in zip(pairs, rig.rng.uniform(*span, len(pairs)), strict=True)]
        return mean_late, history, np.array(rewards) * self.dt

    def _pairs(self, pre: IntArray, post: IntArray, last: int) -> tuple[list[int], int]:
        """Steps at which neuron 0 followed input 0 within the window, and the last step in which input 0 spiked."""
        known = np.concatenate([[last], pre])
        before = known[np.searchsorted(known, post, side="left") - 1]  # the last that is earlier than the spike
        window = round(self.window / self.dt)
        return [int(step) for step, cause in zip(post, before, strict=True) if 0 < step - cause <= window], int(
            known[-1]
        )

    def draw(self, results: Sequence[Result]) -> Figure:
        """The rewarded synapse against the mean of the rest over time, and all weights at the end."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_band, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, ends) = panels(
            ["Rewarded synapse and the rest", "All weights, mean of the last fifth"], widths=(1.3, 1.0)
        )
        for index, result in enumerate(results):
            seconds = np.arange(1, len(result.arrays["history"]) + 1)
            one, rest = result.arrays["history"].T
            course.plot(seconds, one, color=SERIES[index % len(SERIES)], linewidth=1.2,
                        label=f"rewarded, {result.backend}, seed {result.seed}")  # fmt: skip
            course.plot(seconds, rest, color=MUTED, linewidth=0.8, label=None if index else "mean of the others")
        bins = np.linspace(0.0, self.w_max, 31).tolist()
        weights = results[0].arrays["weights"]
        ends.hist(weights.ravel()[1:], bins=bins, color=MUTED, label="the others")
        ends.axvline(weights[0, 0], color=SERIES[0], linewidth=1.6, label="rewarded")
        ends.axvline(results[0].arrays["control"][0, 0], color=INK, linewidth=1.2, linestyle=":",
                     label="the same, tag that does not last")  # fmt: skip
        ends.set_yscale("log")
        expected_band(course, 0.7 * self.w_max, self.w_max)
        course.set_ylim(0.0, 1.25 * self.w_max)
        ruled(course, "y")
        name_axes(course, "time (s)", "weight (shaded: expected of the rewarded)")
        name_axes(ends, "weight", "synapses")
        for axes in (course, ends):
            small_legend(axes)
        return figure


def _poisson(rng: np.random.Generator, steps: int, size: int, chance: float) -> SpikeTrain:
    """Spikes of so many neurons that are independent, each step of each neuron one with ``chance``."""
    count = rng.binomial(steps * size, chance)
    place = np.sort(rng.choice(steps * size, count, replace=False))
    return SpikeTrain(place // size, place % size, (steps, size))


def _one_and_rest(weights: FloatArray) -> tuple[float, float]:
    return float(weights[0, 0]), float(weights.ravel()[1:].mean())
