"""Consolidation: what task A needs is held while task B is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll
from neuromorph.host_rules import Chunk, SynapticIntelligence, joined
from neuromorph.host_rules.synaptic_intelligence import SynapticIntelligenceState
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import LIF
from neuromorph.plasticity import DeltaRule
from neuromorph.recording import BoolArray, FloatArray, IntArray, Recording
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLASTIC = "inputs->classes"
PLAIN, HELD = "plain", "consolidated"
Task = tuple[BoolArray, IntArray]  # patterns, shape (patterns, inputs), and the class of each


@final
@dataclass(frozen=True, kw_only=True)
class Consolidation(Experiment):
    """Random patterns, each of a class; the same neurons and synapses learn those of task A, then those of task B.

    Plain training moves all synapses that B's errors reach, and A's patterns share inputs with B's. With synaptic
    intelligence each synapse keeps an account of how far task A moved it and holds on to its weight in proportion, so
    that B is learned by those that A did not need.
    """

    name: ClassVar[str] = "consolidation"
    title: ClassVar[str] = "Consolidation of a task"
    sentence: ClassVar[str] = "Synapses that mattered for task A hold on, and half or less of what was lost is lost."
    source: ClassVar[str] = "Zenke, Poole and Ganguli, ICML 2017; Kirkpatrick et al., PNAS 114(13), 2017"
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"pairs": 2, "samples": 1000, "tests": 120})

    pairs: int = 4  # of tasks, each learned by a network of its own
    inputs: int = 60
    active: int = 20  # inputs of a pattern
    classes: int = 4
    patterns: int = 10  # of each task
    rate_on: float = 150.0  # Hz, of a pattern's inputs
    rate_off: float = 10.0  # Hz, of all others
    shown: int = 20  # steps of a sample
    spikes_per_target: float = 4.0
    samples: int = 1200  # of each task
    tests: int = 200
    learning_rate: float = 4e-3
    weight: float = 0.02  # at the start
    strength: float = 1.6  # 1/s, of consolidation
    damping: float = 1e-3  # of squared weight
    dt: float = 1e-3  # s

    def network(self) -> Network:
        """Inputs onto one neuron for each class."""
        rule = DeltaRule(error="error", learning_rate=self.learning_rate, tau_plus=20e-3)
        return Network(
            name="consolidation",
            populations=[
                Input("inputs", self.inputs),
                Population("classes", self.classes, LIF(tau_mem=20e-3, tau_syn=0.0)),
            ],
            projections=[Projection("inputs", "classes", AllToAll(self.weight), plasticity=rule)],
            modulators=[Modulator("error", self.classes)],
            probes=[Probe("classes", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Task A, then task B, both plainly and with consolidation; the same samples."""
        courses = {case: np.zeros((20, 2)) for case in (PLAIN, HELD)}
        for pair in range(self.pairs):
            tasks = [self._task(rig.rng), self._task(rig.rng)]
            rig.tell(f"pair {pair}", pair / self.pairs)
            for case, found in self._learn(rig, tasks).items():
                courses[case] += found / self.pairs
        learned = courses[PLAIN][9, 0]
        lost = {case: float(course[9, 0] - course[-1, 0]) for case, course in courses.items()}
        measures = [
            Measure(name="accuracy of A before B", value=float(learned), unit="", low=0.9, high=1.0,
                    source="the task is to be learned; a quarter by chance"),
            Measure(name="control: accuracy of A that plain training of B loses", value=lost[PLAIN], unit="", low=0.1,
                    high=0.75, source="the tasks share inputs: there must be something to keep"),
            Measure(name="share of that loss that is left with consolidation", value=lost[HELD] / max(lost[PLAIN], 1e-9),
                    unit="", low=-0.2, high=0.5, source="Zenke 2017: at least half is kept"),
            Measure(name="accuracy of B with consolidation", value=float(courses[HELD][-1, 1]), unit="", low=0.85, high=1.0,
                    source="what holds on must leave room for the new task"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=courses)

    def _task(self, rng: np.random.Generator) -> Task:
        patterns = np.zeros((self.patterns, self.inputs), dtype=np.bool_)
        for pattern in patterns:
            pattern[rng.choice(self.inputs, self.active, replace=False)] = True
        return patterns, rng.permutation(np.arange(self.patterns) % self.classes)

    def _learn(self, rig: Rig, tasks: Sequence[Task]) -> Mapping[str, FloatArray]:
        """Accuracy of A and B after each tenth of A's samples, then of B's, shape (20, 2), in both cases.

        Until A ends nothing is held, so that it is learned once, and B twice from the same weights by the same samples.
        """
        rule = SynapticIntelligence(projection=PLASTIC, strength=self.strength, damping=self.damping)
        seed = int(rig.rng.integers(1 << 31))
        with rig.open(self.network(), dt=self.dt) as session:
            state = rule.open(session)
            state.begin(session)
            first = self._lesson(session, tasks, 0, np.random.default_rng(seed), state)
            state.consolidate(session)
            weights = session.read(f"{PLASTIC}.weight")
            plain = self._lesson(session, tasks, 1, np.random.default_rng([seed, 1]), None)
            session.write(f"{PLASTIC}.weight", weights)
            held = self._lesson(session, tasks, 1, np.random.default_rng([seed, 1]), state)
        return {PLAIN: np.concatenate([first, plain]), HELD: np.concatenate([first, held])}

    def _lesson(
        self,
        session: Session,
        tasks: Sequence[Task],
        number: int,
        rng: np.random.Generator,
        state: SynapticIntelligenceState | None,
    ) -> FloatArray:
        """Accuracy of both tasks after each tenth of the samples of one of them, shape (10, 2)."""
        course = np.zeros((10, 2))
        for tenth in range(10):
            for _ in range(self.samples // 10):
                label, shown = self._show(session, tasks[number], rng)
                target = np.arange(self.classes) == label
                error = target - shown.spikes["classes"].counts() / self.spikes_per_target
                told = session.run(1, modulators={"error": error[np.newaxis]})
                if state is not None:
                    state.update(session, Chunk(recording=joined([shown, told])))
            tests = self.tests if tenth == 9 else self.tests // 8
            for place, tested in enumerate(tasks):
                course[tenth, place] = np.mean([self._is_right(session, tested, rng) for _ in range(tests)])
        return course

    def _show(self, session: Session, task: Task, rng: np.random.Generator) -> tuple[int, Recording]:
        """A sample from rest: its class, and what it made of the network."""
        patterns, labels = task
        number = int(rng.integers(self.patterns))
        rates = np.where(patterns[number], self.rate_on, self.rate_off)
        fed = rng.random((self.shown, self.inputs)) < rates * self.dt
        session.reset()
        return int(labels[number]), session.run(self.shown, inputs={"inputs": fed})

    def _is_right(self, session: Session, task: Task, rng: np.random.Generator) -> bool:
        label, shown = self._show(session, task, rng)
        counts = shown.spikes["classes"].counts()
        return int(np.argmax(counts + 0.5 * rng.random(self.classes))) == label

    def draw(self, results: Sequence[Result]) -> Figure:
        """Accuracy of both tasks over the samples, with and without."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, drawn = panels(["Plain training", "With consolidation"])
        seen = np.arange(1, 21) * (self.samples // 10)
        for axes, case in zip(drawn, (PLAIN, HELD), strict=True):
            for index, result in enumerate(results):
                for place, task in enumerate("AB"):
                    axes.plot(seen, result.arrays[case][:, place], "o-", color=SERIES[place], markersize=2.6,
                              linewidth=0.9, label=None if index else f"task {task}")  # fmt: skip
            axes.axvline(self.samples, color=INK, linewidth=0.8, linestyle=":")
            axes.axhline(1.0 / self.classes, color=MUTED, linewidth=0.8, linestyle="--", label="chance")
            axes.set_ylim(0.0, 1.05)
            ruled(axes, "y")
            small_legend(axes, "lower right")
            name_axes(axes, "samples: of A, then of B", "accuracy")
        return figure
