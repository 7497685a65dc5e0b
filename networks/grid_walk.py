"""A walk to a goal on a grid: an actor learns the way from the error of a critic."""

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
from neuromorph.neurons import LIF
from neuromorph.plasticity import RewardModulatedSTDP, TemporalDifference
from neuromorph.recording import FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOVES = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])  # of each action neuron, in rows and columns
NEAR = 2.0  # steps more than the shortest way, that walks may take in the end


@final
@dataclass(frozen=True, kw_only=True)
class GridWalk(Experiment):
    """Place cells drive four action neurons, of which the most active makes the next step; a reward waits at the goal.

    Dopamine is the error of a critic that learns how far the goal is, ``M = reward + discount V(here) - V(before)``. It
    reaches the neuron that made the step while its tag lasts. Random spikes make the neurons try other steps, fewer where
    the critic expects more. As control dopamine says the same at wrong times.
    """

    name: ClassVar[str] = "grid-walk"
    title: ClassVar[str] = "Walk on a grid"
    sentence: ClassVar[str] = "Steps to the goal fall from those of a random walk to near the shortest way."
    source: ClassVar[str] = (
        "Fremaux, Sprekeler and Gerstner, PLoS Computational Biology 9(4), 2013; "
        "Barto, Sutton and Anderson, IEEE Transactions on Systems, Man, and Cybernetics 13(5), 1983"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"walks": 100, "control_walks": 30})

    side: int = 6
    walks: int = 200
    control_walks: int = 60  # with dopamine of other steps: they stay as they are
    longest: int = 80  # steps, after which a walk is given up
    cells: int = 8  # of each place
    rate: float = 100.0  # Hz
    shown: int = 30  # time steps for each step of the walk
    weight: float = 0.1  # at the start
    w_max: float = 0.6
    noise: float = 60.0  # Hz: random spikes of each action neuron
    calm: float = 1.0  # share of them that is gone where a reward of 1 is expected
    noise_weight: float = 0.5
    inhibition: float = 0.5  # among action neurons
    learning_rate: float = 0.06
    discount: float = 0.9
    critic_rate: float = 0.3
    dt: float = 1e-3  # s

    def network(self) -> Network:
        """Places onto actions, which inhibit each other."""
        rule = RewardModulatedSTDP(
            modulator="dopamine",
            learning_rate=self.learning_rate,
            A_minus=0.0,
            tau_plus=10e-3,
            tau_e=0.1,
            w_min=0.0,
            w_max=self.w_max,
        )
        return Network(
            name="walk on a grid",
            populations=[
                Input("places", self.side**2 * self.cells),
                Input("noise", len(MOVES)),
                Population("actions", len(MOVES), LIF(tau_mem=20e-3, tau_syn=0.0)),
            ],
            projections=[
                Projection("places", "actions", AllToAll(self.weight), plasticity=rule),
                Projection("noise", "actions", OneToOne(self.noise_weight)),
                Projection("actions", "actions", self.inhibition * (np.eye(len(MOVES)) - 1.0)),
            ],
            modulators=[Modulator("dopamine", len(MOVES))],
            probes=[Probe("actions", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Walks from random places, with the critic's dopamine and with dopamine of other steps."""
        rig.tell("walks", 0.0)
        steps, shortest, values = self._walks(rig, self.walks, is_timed=True)
        rig.tell("control", 0.6)
        control, control_shortest, _ = self._walks(rig, self.control_walks, is_timed=False)
        last = slice(-30, None)
        measures = [
            Measure(name="steps more than the shortest way, first ten walks", value=float((steps - shortest)[:10].mean()),
                    unit="steps", low=8.0, high=self.longest, source="a random walk takes 36 or more"),
            Measure(name="steps more than the shortest way, last 30 walks", value=float((steps - shortest)[last].mean()),
                    unit="steps", low=0.0, high=NEAR,
                    source="near the shortest: one try in a walk costs two steps, as the way back is one more"),
            Measure(name="control: the same with dopamine of other steps",
                    value=float((control - control_shortest)[last].mean()), unit="steps", low=8.0, high=self.longest,
                    source="dopamine that does not know the step teaches nothing: it stays a random walk"),
        ]  # fmt: skip
        return Finding(
            measures=measures, arrays={"steps": steps, "shortest": shortest, "control": control, "values": values}
        )

    def _walks(self, rig: Rig, walks: int, *, is_timed: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Steps of each walk, those of the shortest, and the critic's value of each place."""
        goal = np.array([self.side - 1, self.side // 2])
        steps, shortest = np.zeros((2, walks))
        critic = TemporalDifference(
            features=self.side**2, discount=self.discount, learning_rate=self.critic_rate, trace_decay=0.5
        )
        errors = [0.0]
        with rig.open(self.network(), dt=self.dt) as session:
            for walk in range(walks):
                place = goal
                while np.array_equal(place, goal):
                    place = rig.rng.integers(self.side, size=2)
                shortest[walk] = np.abs(place - goal).sum()
                critic.reset()
                critic.update(0.0, self._at(place))
                while steps[walk] < self.longest and not np.array_equal(place, goal):
                    action = self._act(session, rig, place, float(critic.weights @ self._at(place)))
                    place = np.clip(place + MOVES[action], 0, self.side - 1)
                    steps[walk] += 1
                    is_there = np.array_equal(place, goal)
                    errors.append(critic.update(float(is_there), self._at(place) * (not is_there)))
                    told = errors[-1] if is_timed else errors[int(rig.rng.integers(len(errors)))]
                    session.run(1, modulators={"dopamine": told * (np.arange(len(MOVES)) == action)[np.newaxis]})
        return steps, shortest, critic.weights.reshape(self.side, self.side)

    def _at(self, place: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> FloatArray:
        """One feature for each place."""
        features: FloatArray = np.zeros((self.side, self.side))
        features[tuple(place)] = 1.0
        return features.ravel()

    def _act(
        self, session: Session, rig: Rig, place: np.ndarray[tuple[int, ...], np.dtype[np.int64]], expected: float
    ) -> int:
        """The action neuron that spikes most while the place's cells do; chance where they are equal."""
        calm = 1.0 - self.calm * min(max(expected, 0.0), 1.0)
        on = np.repeat(self._at(place), self.cells)
        fed = {
            "places": rig.rng.random((self.shown, on.size)) < on * self.rate * self.dt,
            "noise": rig.rng.random((self.shown, len(MOVES))) < self.noise * calm * self.dt,
        }
        session.reset()
        counts = session.run(self.shown, inputs=fed).spikes["actions"].counts()
        return int(np.argmax(counts + 0.5 * rig.rng.random(len(MOVES))))

    def draw(self, results: Sequence[Result]) -> Figure:
        """Steps of the walks, and what the critic expects of each place."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_band, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, values) = panels(
            ["Steps to the goal, mean of ten walks", "The critic's value (rewards)"], widths=(1.7, 1.0)
        )
        for index, result in enumerate(results):
            for name, colour in (("steps", SERIES[index % len(SERIES)]), ("control", MUTED)):
                label = {"steps": f"{result.backend}, seed {result.seed}", "control": None if index else "control"}[
                    name
                ]
                taken = result.arrays[name]
                means = taken[: len(taken) // 10 * 10].reshape(-1, 10).mean(axis=1)
                course.plot(
                    10 * np.arange(len(means)) + 5,
                    means,
                    "o-",
                    color=colour,
                    markersize=2.6,
                    linewidth=0.9,
                    label=label,
                )
        shortest = results[0].arrays["shortest"].mean()
        expected_band(course, shortest, shortest + NEAR)
        course.axhline(shortest, color=INK, linewidth=0.9, linestyle=":", label="shortest way")
        values.imshow(results[0].arrays["values"], cmap="Blues", vmin=0.0, vmax=1.0)
        for (row, column), value in np.ndenumerate(results[0].arrays["values"]):
            is_goal = (row, column) == (self.side - 1, self.side // 2)
            colour = "white" if value > 0.55 else INK
            text = "goal" if is_goal else f"{value:.1f}"
            values.text(column, row, text, color=colour, fontsize=7, ha="center", va="center")
        ruled(course, "y")
        course.set_ylim(0.0, 1.3 * self.longest)
        small_legend(course, "upper right")
        name_axes(course, "walk", "steps (shaded: expected in the end)")
        name_axes(values, "column", "row")
        return figure
