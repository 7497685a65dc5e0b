"""A bandit that turns: surprise raises the learning rate when the better choice becomes the worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, OneToOne
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import IF
from neuromorph.plasticity import DeltaRule
from neuromorph.recording import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLOW, SURPRISE, FAST = "slow", "surprise", "fast"


@final
@dataclass(frozen=True, kw_only=True)
class Bandit(Experiment):
    """Agents choose between two arms by the spikes of two neurons each; halfway the arms change places.

    A neuron's spikes are what its arm is expected to pay, and the error of the chosen one moves its synapses. Slow agents
    cling to what was good; fast ones turn soon and believe every chance. In the third kind
    noradrenaline multiplies a slow rate when errors are larger than they have been: what is usual noise does not raise it.
    """

    name: ClassVar[str] = "bandit"
    title: ClassVar[str] = "Reversal of a bandit"
    sentence: ClassVar[str] = "Surprise lets a slow learner turn soon after the arms change places."
    source: ClassVar[str] = (
        "Yu and Dayan, Neuron 46(4), 2005; Doya, Neural Networks 15(4), 2002; "
        "Behrens, Woolrich, Walton and Rushworth, Nature Neuroscience 10(9), 2007"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"agents": 40})

    agents: int = 100  # of each kind
    before: int = 150  # choices
    after: int = 90  # choices, of which the first 30 are measured
    pays_good: float = 0.8  # chance of a reward of 1
    pays_bad: float = 0.2
    cells: int = 20  # that drive all neurons
    rate: float = 50.0  # Hz
    shown: float = 0.05  # s, of a choice
    spikes_per_reward: float = 5.0
    exploration: float = 60.0  # Hz: random spikes of each neuron's own
    exploration_weight: float = 0.4
    learning_rate: float = 5e-3  # slow: a share of 0.05 of the error
    w_max: float = 0.2  # twice what a sure reward needs
    gain: float = 8.0  # of fast agents, and of surprise
    surprise: float = 0.15  # by which the mean error must exceed the usual one
    forgetting: float = 0.9  # of noradrenaline, from choice to choice
    dt: float = 1e-3  # s

    def network(self) -> Network:
        """Cells onto two neurons for each agent, with noise of their own."""
        size = 2 * self.agents
        rule = DeltaRule(error="error", learning_rate=self.learning_rate, w_min=0.0, w_max=self.w_max)
        start = 0.5 * self.spikes_per_reward / (self.cells * self.rate * self.shown)
        return Network(
            name="bandit",
            populations=[Input("cells", self.cells), Input("noise", size), Population("arms", size, IF())],
            projections=[
                Projection("cells", "arms", AllToAll(start), plasticity=rule),
                Projection("noise", "arms", OneToOne(self.exploration_weight)),
            ],
            modulators=[Modulator("error", size)],
            probes=[Probe("arms", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """All agents of a kind side by side."""
        good = {}
        for place, kind in enumerate((SLOW, SURPRISE, FAST)):
            rig.tell(kind, place / 3)
            good[kind] = self._play(rig, kind)
        early = {kind: float(found[self.before : self.before + 30].mean()) for kind, found in good.items()}
        steady = {kind: float(found[self.before - 50 : self.before].mean()) for kind, found in good.items()}
        measures = [
            Measure(name="good choices in the 30 after reversal: slow", value=early[SLOW], unit="", low=0.03, high=0.3,
                    source="at a share of 0.05 the old arm stays the better one for about 20 choices"),
            Measure(name="good choices in the 30 after reversal: surprise", value=early[SURPRISE], unit="", low=0.35,
                    high=0.75, source="about as good as fast, a few choices later: errors must add up first"),
            Measure(name="good choices in the 30 after reversal: fast", value=early[FAST], unit="", low=0.45, high=0.8,
                    source="at a share of 0.4 three errors are enough; noise misleads"),
            Measure(name="gain of surprise over slow", value=early[SURPRISE] - early[SLOW], unit="", low=0.15, high=0.65,
                    source="what noradrenaline is for; the standard error of 40 agents is 0.02"),
            Measure(name="control: what surprise costs before reversal", value=steady[SLOW] - steady[SURPRISE], unit="",
                    low=-0.05, high=0.1, source="noise that is usual does not raise it: about as good as slow"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=good)

    def _play(self, rig: Rig, kind: str) -> FloatArray:
        """Whether each choice was good, shape (choices, agents)."""
        steps = round(self.shown / self.dt)
        choices = self.before + self.after
        good = np.zeros((choices, self.agents))
        everyone = np.arange(self.agents)
        recent, usual = np.full((2, self.agents), self.surprise)
        noradrenaline = np.zeros(self.agents)
        with rig.open(self.network(), dt=self.dt, third_factor_limit=self.gain) as session:
            for choice in range(choices):
                fed = {
                    "cells": rig.rng.random((steps, self.cells)) < self.rate * self.dt,
                    "noise": rig.rng.random((steps, 2 * self.agents)) < self.exploration * self.dt,
                }
                session.reset()
                spikes = session.run(steps, inputs=fed).spikes["arms"].counts().reshape(self.agents, 2)
                chosen = np.argmax(spikes + 0.5 * rig.rng.random(spikes.shape), axis=1)  # chance where they are equal
                good[choice] = chosen == (0 if choice < self.before else 1)
                chance = np.where(good[choice] == 1, self.pays_good, self.pays_bad)
                paid = (rig.rng.random(self.agents) < chance).astype(np.float64)
                noise = self.exploration * self.shown * self.exploration_weight
                error = paid - (spikes[everyone, chosen] - noise) / self.spikes_per_reward
                recent += 0.2 * (np.abs(error) - recent)
                usual += 0.02 * (np.abs(error) - usual)
                noradrenaline = np.maximum(self.forgetting * noradrenaline, recent > usual + self.surprise)
                gain = {SLOW: 1.0, FAST: self.gain, SURPRISE: 1.0 + (self.gain - 1.0) * noradrenaline}[kind]
                told = np.zeros((1, self.agents, 2))
                told[0, everyone, chosen] = gain * error
                session.run(1, modulators={"error": told.reshape(1, -1)})
        return good

    def draw(self, results: Sequence[Result]) -> Figure:
        """Good choices about the reversal, and in the 30 after it."""
        from neuromorph.networks.panels import INK, SERIES, expected_at, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, ends) = panels(["Good choices", "In the 30 choices after reversal"], widths=(1.6, 1.0))
        for place, kind in enumerate((SLOW, SURPRISE, FAST)):
            shares = np.mean([result.arrays[kind].mean(axis=1) for result in results], axis=0)
            course.plot(np.arange(len(shares)) - self.before, shares, color=SERIES[place], linewidth=1.1, label=kind)
            values = [float(result.arrays[kind][self.before : self.before + 30].mean()) for result in results]
            ends.plot([place] * len(values), values, "o", color=SERIES[place], markersize=3.5)
        course.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
        ends.set_xticks(range(3), [SLOW, SURPRISE, FAST])
        for axes in (course, ends):
            axes.set_ylim(0.0, 1.0)
            ruled(axes, "y")
        for place, kind in enumerate((SLOW, SURPRISE, FAST)):
            expected_at(ends, place, results[0], f"good choices in the 30 after reversal: {kind}")
        small_legend(course, "lower left")
        name_axes(course, "choices after reversal", "good choices (share of agents)")
        name_axes(ends, "learning rate (shaded: expected)", "good choices (share)")
        return figure
