"""Rewiring: a sparse classifier moves its synapses to where they are worth something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import Dense
from neuromorph.host_rules import Chunk, StructuralPlasticity, joined
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.neurons import LIF
from neuromorph.plasticity import DeltaRule
from neuromorph.recording import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLASTIC = "inputs->classes"
DENSE, REWIRED, RANDOM = "dense", "rewired", "random"
LACK = 0.02  # accuracy, of the dense network's, that a rewired one may lack


@final
@dataclass(frozen=True, kw_only=True)
class RewiredClassifier(Experiment):
    """Classes are known by a few of many inputs; a neuron for each learns by the delta rule which.

    With one synapse of five at random places most neurons see hardly any of their inputs. Where the weakest synapses
    go again and again and others grow where errors and inputs coincide, those that matter are found and kept. In the
    second half of the samples none moves, and the few come to do as well as all.
    """

    name: ClassVar[str] = "rewiring"
    title: ClassVar[str] = "Structural plasticity"
    sentence: ClassVar[str] = (
        "Rewiring brings a network with one synapse of five back to the accuracy of the dense one."
    )
    source: ClassVar[str] = (
        "Mocanu et al., Nature Communications 9:2383, 2018; Evci et al., ICML 2020; Bellec, Kappel, Maass and Legenstein, ICLR 2018; "
        "Butz, Woergoetter and van Ooyen, Brain Research Reviews 60(2), 2009"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"samples": 1500, "tests": 300})

    inputs: int = 200
    classes: int = 10
    known_by: int = 10  # inputs of each class
    rate_on: float = 200.0  # Hz, of those
    rate_off: float = 30.0  # Hz, of all others
    absent: float = 0.3  # share of a class's inputs that a sample lacks
    shown: int = 20  # steps of a sample
    spikes_per_target: float = 4.0
    density: float = 0.2  # share of synapses that are used, but for the dense case
    samples: int = 4000  # for learning
    tests: int = 500
    learning_rate: float = 8e-3
    every: int = 60  # samples, from one rewiring to the next
    settle_from: int = 5  # tenth of the samples from which on no synapse moves
    fraction: float = 0.3  # of the synapses go each time
    weight: float = 0.02  # of a synapse that grows
    dt: float = 1e-3  # s

    def network(self, used: BoolArray) -> Network:
        """All synapses exist, and those that are not used weigh 0."""
        rule = DeltaRule(error="error", learning_rate=self.learning_rate, tau_plus=20e-3)
        return Network(
            name="rewiring",
            populations=[
                Input("inputs", self.inputs),
                Population("classes", self.classes, LIF(tau_mem=20e-3, tau_syn=0.0)),
            ],
            projections=[Projection("inputs", "classes", Dense(self.weight * used), plasticity=rule)],
            modulators=[Modulator("error", self.classes)],
            probes=[Probe("classes", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Dense; sparse and rewired; sparse as it is: the same task, the same samples."""
        shape = (self.classes, self.inputs)
        prototypes = np.zeros(shape, dtype=np.bool_)
        for own in prototypes:
            own[rig.rng.choice(self.inputs, self.known_by, replace=False)] = True
        places = rig.rng.permutation(prototypes.size) < round(self.density * prototypes.size)
        seed = int(rig.rng.integers(1 << 31))
        arrays = {"prototypes": prototypes.astype(np.float64)}
        for place, case in enumerate((DENSE, REWIRED, RANDOM)):
            rig.tell(case, place / 3)
            used = np.ones(shape, dtype=np.bool_) if case == DENSE else places.reshape(shape)
            course, weights = self._learn(rig, case, prototypes, used, np.random.default_rng(seed))
            arrays |= {case: course, f"weights {case}": weights}
        last = {case: float(arrays[case][-1]) for case in (DENSE, REWIRED, RANDOM)}
        found = float(np.mean(arrays[f"weights {REWIRED}"][prototypes] != 0.0))
        measures = [
            Measure(name="accuracy, dense", value=last[DENSE], unit="", low=0.85, high=1.0,
                    source="the task is to be learnable"),
            Measure(name="accuracy that rewiring lacks", value=last[DENSE] - last[REWIRED], unit="", low=-0.1, high=LACK,
                    source="Mocanu 2018, Evci 2020: as good as dense with one synapse of five; the same tests for both"),
            Measure(name="control: accuracy that random places lack", value=last[DENSE] - last[RANDOM], unit="", low=0.1,
                    high=0.9, source="one in five of the inputs that tell the classes apart is seen"),
            Measure(name="share of the telling synapses that rewiring found", value=found, unit="", low=0.5, high=1.0,
                    source=f"{self.density:g} by chance"),
            Measure(name="synapses in use after rewiring", value=float(np.mean(arrays[f"weights {REWIRED}"] != 0.0)),
                    unit="", low=0.0, high=self.density + 1e-9, source="the budget"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=arrays)

    def _learn(
        self, rig: Rig, case: str, prototypes: BoolArray, used: BoolArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Accuracy after each tenth of the samples, and the weights at the end."""
        rule = StructuralPlasticity(
            projection=PLASTIC,
            interval=self.every * (self.shown + 1) * self.dt if case == REWIRED else 1e9,
            weight_new=self.weight,
            fraction=self.fraction,
            within="neuron",
            candidates="declared",
            grow="error",
            modulator="error",
            seed=rig.seed,
        )
        course = []
        with rig.open(self.network(used), dt=self.dt) as session:
            for tenth in range(10):
                if tenth in (0, self.settle_from):  # from then on what is unused stays so
                    state = (rule if tenth == 0 else replace(rule, interval=1e9)).open(session)
                for _ in range(self.samples // 10):
                    label, fed = self._sample(prototypes, rng)
                    session.reset()
                    shown = session.run(self.shown, inputs={"inputs": fed})
                    target = np.arange(self.classes) == label
                    error = target - shown.spikes["classes"].counts() / self.spikes_per_target
                    told = session.run(1, modulators={"error": error[np.newaxis]})
                    known = {"inputs": {"inputs": fed}, "modulators": {"error": error[np.newaxis]}}
                    state.update(session, Chunk(recording=joined([shown, told]), **known))
                right = 0
                for _ in range(self.tests if tenth == 9 else self.tests // 6):
                    label, fed = self._sample(prototypes, rng)
                    session.reset()
                    counts = session.run(self.shown, inputs={"inputs": fed}).spikes["classes"].counts()
                    right += int(np.argmax(counts + 0.5 * rng.random(self.classes))) == label
                course.append(right / (self.tests if tenth == 9 else self.tests // 6))
            return np.array(course), np.asarray(session.read(f"{PLASTIC}.weight"))

    def _sample(self, prototypes: BoolArray, rng: np.random.Generator) -> tuple[int, BoolArray]:
        """A class, and spikes of all inputs."""
        label = int(rng.integers(self.classes))
        on = prototypes[label] & (rng.random(self.inputs) >= self.absent)
        rates = np.where(on, self.rate_on, self.rate_off)
        return label, rng.random((self.shown, self.inputs)) < rates * self.dt

    def draw(self, results: Sequence[Result]) -> Figure:
        """Accuracy while learning, and where the synapses are in the end."""
        from neuromorph.networks.panels import MUTED, SERIES, expected_band, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, weights) = panels(["Accuracy while learning", "Weights of telling and other synapses"])
        seen = np.arange(1, 11) * (self.samples // 10)
        for index, result in enumerate(results):
            for case, colour in ((DENSE, SERIES[0]), (REWIRED, SERIES[1]), (RANDOM, MUTED)):
                course.plot(seen, result.arrays[case], "o-", color=colour, markersize=2.6, linewidth=0.9,
                            label=None if index else case)  # fmt: skip
        ends = [result.arrays[DENSE][-1] for result in results]
        expected_band(course, max(ends) - LACK, max(ends))
        telling = results[0].arrays["prototypes"] > 0
        for place, case in enumerate((DENSE, REWIRED, RANDOM)):
            values = results[0].arrays[f"weights {case}"]
            for offset, chosen, colour in ((-0.15, telling, SERIES[2]), (0.15, ~telling, MUTED)):
                shown = values[chosen & (values != 0.0)]
                spread = np.linspace(-0.1, 0.1, len(shown)) if len(shown) else np.zeros(0)
                weights.plot(place + offset + spread, shown, ".", color=colour, markersize=1.8,
                             label=None if place else ("telling" if offset < 0 else "others"))  # fmt: skip
        weights.set_xticks(range(3), [DENSE, REWIRED, RANDOM])
        ruled(course, "y")
        small_legend(course, "lower right")
        small_legend(weights, "upper left")
        name_axes(course, "samples", "accuracy (shaded: expected)")
        name_axes(weights, "synapses", "weight of those in use")
        return figure
