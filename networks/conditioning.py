"""Classical conditioning: dopamine as the error of a spiking critic's prediction of reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import IF
from neuromorph.plasticity import LearningRule, TemporalDifference, Trace
from neuromorph.recording import FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEFORE, AFTER = 2, 4  # states before the cue, and from the reward on


@final
@dataclass(frozen=True, kw_only=True)
class Conditioning(Experiment):
    """Cells that each spike at their own time after a cue drive a population whose rate is the reward to be expected.

    A trial is a chain of states of ``state`` seconds. In the last step of each, dopamine is the error of the prediction,
    ``M = reward + discount V(now) - V(before)`` with V read from the critic's spikes, and changes the synapses of the
    states before, which their tags know: ``dw = learning_rate M t`` and ``dt = x1`` once a state, which is TD(lambda). Cue A
    comes to be followed by reward, then is not; a cue B that is added to A afterwards brings no error and is not learned.
    """

    name: ClassVar[str] = "conditioning"
    title: ClassVar[str] = "Classical conditioning by dopamine"
    sentence: ClassVar[str] = (
        "The error of prediction moves from the reward to its cue, is negative at omission, and blocks a second cue."
    )
    source: ClassVar[str] = (
        "Schultz, Dayan and Montague, Science 275, 1997; Sutton, Machine Learning 3, 1988; "
        "blocking: Waelti, Dickinson and Schultz, Nature 412, 2001"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"trials": 30})

    trials: int = 60  # of each phase
    interval: int = 8  # states from cue to reward
    state: float = 0.1  # s
    cells: int = 10  # for each state of each cue
    cell_rate: float = 100.0  # Hz, in its state, regular and each cell at its own phase
    critics: int = 10
    spikes_per_value: float = 10.0  # of a critic in a state where a reward of 1 is expected
    learning_rate: float = 0.03
    discount: float = 1.0
    trace_decay: float = 0.9  # lambda
    dt: float = 2e-3  # s

    @property
    def states(self) -> int:
        """States of a trial."""
        return BEFORE + self.interval + AFTER

    def network(self, rng: np.random.Generator) -> Network:
        """Cells of both cues onto the critic, whose neurons differ in threshold so that they do not spike together."""
        rule = LearningRule(
            name="TD(lambda) of presynaptic activity",
            dw=f"{self.learning_rate!r} * r * t * u0",
            dt="x1 * u0",
            x1=Trace(tau=self.state / 5),
            tau_tag=-self.state / float(np.log(self.discount * self.trace_decay)),
            modulators={"dopamine": 1.0},
            epoch=self.state,
            w_min=0.0,
        )
        size = 2 * self.cells * (self.interval + AFTER)
        neuron = IF(v_threshold=rng.uniform(0.8, 1.2, self.critics))
        return Network(
            name="classical conditioning",
            populations=[Input("cells", size), Population("critic", self.critics, neuron)],
            projections=[Projection("cells", "critic", AllToAll(0.0), plasticity=rule)],
            modulators=[Modulator("dopamine")],
            probes=[Probe("critic", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Acquisition, omission, blocking and extinction; then both cues together from the start, as control."""
        cue, reward = BEFORE, BEFORE + self.interval
        with rig.open(self.network(rig.rng), dt=self.dt) as session:
            rig.tell("acquisition", 0.0)
            acquired = self._phase(session, rig, "A", reward=1.0)
            omitted = self._phase(session, rig, "A", reward=0.0, trials=5, learning=False)
            rig.tell("blocking", 0.3)
            self._phase(session, rig, "AB", reward=1.0)
            blocked = self._phase(session, rig, "B", reward=0.0, trials=5, learning=False)
            rig.tell("extinction", 0.6)
            extinguished = self._phase(session, rig, "A", reward=0.0)
        with rig.open(self.network(rig.rng), dt=self.dt) as session:
            rig.tell("control", 0.8)
            self._phase(session, rig, "AB", reward=1.0)
            control = self._phase(session, rig, "B", reward=0.0, trials=5, learning=False)
        last = acquired[-10:].mean(axis=0)
        noise = "what is left after so many trials at this learning rate, and spikes are whole"
        theory = "TD learning with discount 1 (Sutton 1988)"

        def measure(name: str, value: float, low: float, high: float, source: str) -> Measure:
            return Measure(name=name, value=float(value), unit="rewards", low=low, high=high, source=source)

        measures = [
            measure("error at the reward, first trial", acquired[0, reward], 0.99, 1.01, "nothing is expected: exactly 1"),
            measure("error at the reward, last ten trials", last[reward], -0.15, 0.15, f"{theory}: 0; {noise}"),
            measure("error at the cue, last ten trials", last[cue], 0.8, 1.15, f"{theory}: 1; {noise}"),
            measure("error at the omitted reward", omitted[:, reward].mean(), -1.2, -0.8, f"{theory}: -1; {noise}"),
            measure("error at the blocked cue", blocked[:, cue].mean(), 0.0, 0.2, "A leaves no error for B to learn by"),
            measure("control: error at the same cue, both trained at once", control[:, cue].mean(), 0.35, 0.65,
                    "cues that share all errors share the prediction: one half each"),
            measure("error at the cue after extinction", extinguished[-10:, cue].mean(), 0.0, 0.15, f"{theory}: 0"),
        ]  # fmt: skip
        arrays = {"acquired": acquired, "omitted": omitted, "blocked": blocked, "control": control}
        return Finding(measures=measures, arrays={**arrays, "extinguished": extinguished})

    def _phase(
        self, session: Session, rig: Rig, cues: str, *, reward: float, trials: int | None = None, learning: bool = True
    ) -> FloatArray:
        """Errors in every state of every trial, shape (trials, states)."""
        steps = round(self.state / self.dt)
        count = self.trials if trials is None else trials
        errors = np.zeros((count, self.states))
        critic = TemporalDifference(features=1, discount=self.discount, learning_rate=0.0)  # the synapses learn
        critic.weights[:] = 1.0 / (self.spikes_per_value * self.critics)
        for trial in range(count):
            session.reset()
            critic.reset()
            for state in range(self.states):
                fed = {"cells": self._cells(rig, cues, state, steps)}
                early = {"cells": fed["cells"][:-1]}
                spikes = len(session.run(steps - 1, inputs=early).spikes["critic"])
                received = reward if state == BEFORE + self.interval else 0.0
                error = critic.update(received, [spikes])
                errors[trial, state] = error
                dopamine = [error if learning else 0.0]
                session.run(1, inputs={"cells": fed["cells"][-1:]}, modulators={"dopamine": dopamine})
        return errors

    def _cells(self, rig: Rig, cues: str, state: int, steps: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Spikes of the cells whose time it is, shape (steps, cells)."""
        spikes = np.zeros((steps, 2, self.interval + AFTER, self.cells), dtype=np.bool_)
        if state >= BEFORE:
            for cue in cues:
                period = round(1.0 / (self.cell_rate * self.dt))
                phase = rig.rng.integers(period, size=self.cells)
                spikes[:, "AB".index(cue), state - BEFORE] = (np.arange(steps)[:, np.newaxis] - phase) % period == 0
        return spikes.reshape(steps, -1)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Errors over the trial before and after learning, over trials, and of the blocked cue."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_at, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, trials, cue_b) = panels(
            ["Error in a trial (shaded: expected)", "Error over trials", "Error of cue B alone"]
        )
        found = results[0].arrays
        seconds = (np.arange(self.states) - BEFORE) * self.state
        for values, colour, label in (
            (found["acquired"][0], MUTED, "first trial"),
            (found["acquired"][-10:].mean(axis=0), SERIES[0], "after learning"),
            (found["omitted"].mean(axis=0), SERIES[1], "reward omitted"),
        ):
            course.plot(seconds, values, "o-", color=colour, markersize=2.6, linewidth=1.0, label=label)
        for index, result in enumerate(results):
            both = np.concatenate([result.arrays["acquired"], result.arrays["extinguished"]])
            for state, style, label in ((BEFORE, "-", "at the cue"), (BEFORE + self.interval, ":", "at the reward")):
                trials.plot(both[:, state], style, color=SERIES[index % len(SERIES)], linewidth=0.9,
                            label=None if index else label)  # fmt: skip
        trials.axvline(len(found["acquired"]), color=INK, linewidth=0.7)
        cue_b.plot(
            seconds, found["blocked"].mean(axis=0), "o-", color=SERIES[0], markersize=2.6, label="after A: blocked"
        )
        cue_b.plot(
            seconds, found["control"].mean(axis=0), "o-", color=MUTED, markersize=2.6, label="with A from the start"
        )
        for axes in (course, trials, cue_b):
            ruled(axes, "y")
            axes.set_ylim(-1.4, 1.4)
            small_legend(axes, "lower left")
            is_course = axes is not trials
            if is_course:
                axes.set_xlim(seconds[0] - self.state, seconds[-1] + self.state)
            name_axes(axes, "time after the cue (s)" if is_course else "trial: reward, then none", "error (rewards)")
        paid = self.interval * self.state
        for axes, place, name in (
            (course, 0.0, "error at the cue, last ten trials"),
            (course, paid, "error at the reward, last ten trials"),
            (course, paid, "error at the omitted reward"),
            (cue_b, 0.0, "error at the blocked cue"),
            (cue_b, 0.0, "control: error at the same cue, both trained at once"),
        ):
            expected_at(axes, place, results[0], name, width=self.state)
        return figure
