"""Glial regulation: astrocytes restore the rate of neurons that lost most of their synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.connectors import AllToAll, Uniform
from neuromorph.host_rules import GlialGain, HostRuleState, chunks_with_host_rules
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights, write_weights
from neuromorph.neurons import LIF
from neuromorph.recording import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SYNAPSES = "inputs->neurons"


@final
@dataclass(frozen=True, kw_only=True)
class Glia(Experiment):
    """Neurons under random input; at one time most synapses onto some of them fail for good.

    An astrocyte follows the mean rate of its territory and raises release at all synapses there; each neuron's own spikes
    lower release at its own. A neuron whose synapses failed loses its own brake and keeps the territory's drive, so that
    the synapses which are left release more. Without glia nothing comes back.
    """

    name: ClassVar[str] = "glia"
    title: ClassVar[str] = "Glial regulation"
    sentence: ClassVar[str] = (
        "Where most synapses of some neurons fail, the gain of an astrocyte restores part of their rate."
    )
    source: ClassVar[str] = (
        "Wade, McDaid, Harkin, Crunelli and Kelso, Frontiers in Computational Neuroscience 6:76, 2012; "
        "De Pitta et al., Frontiers in Computational Neuroscience 6:98, 2012"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"before": 20.0, "after": 40.0})

    inputs: int = 50
    neurons: int = 40
    damaged: int = 4  # neurons whose synapses fail
    fails: float = 0.8  # share of their synapses
    rate: float = 4.5  # Hz, of each input
    weight_low: float = 0.02  # at the release of the start
    weight_high: float = 0.05
    release_probability: float = 0.2  # so that release can grow fivefold
    rate_half: float = 8.0  # Hz
    strength: float = 10.0  # of the astrocyte's drive, and of the neuron's brake
    tau_calcium: float = 10.0  # s
    before: float = 30.0  # s
    after: float = 90.0  # s
    every: int = 500  # steps from one action of the host to the next
    dt: float = 1e-3  # s

    def network(self, seed: int) -> Network:
        """Random input onto neurons of one territory; weights of full release, so that a chip's integers reach as far."""
        neuron = LIF(tau_mem=20e-3, tau_syn=5e-3, refractory=2e-3)
        full = self.weight_low / self.release_probability, self.weight_high / self.release_probability
        return Network(
            name="glial regulation",
            populations=[Input("inputs", self.inputs), Population("neurons", self.neurons, neuron)],
            projections=[Projection("inputs", "neurons", AllToAll(Uniform(*full), seed))],
            probes=[Probe("neurons", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """The same input and the same failure, with and without the astrocyte."""
        seed = int(rig.rng.integers(1 << 31))
        failing = np.zeros((self.neurons, self.inputs), dtype=np.bool_)
        for own in failing[: self.damaged]:
            own[rig.rng.choice(self.inputs, round(self.fails * self.inputs), replace=False)] = True
        courses = {}
        for place, case in enumerate(("glia", "none")):
            rig.tell(case, place / 2)
            courses[case] = self._live(rig, failing, np.random.default_rng(seed), has_glia=case == "glia")
        split = round(self.before / self.dt) // self.every
        tail = round(0.5 * self.after / self.dt) // self.every
        hurt = {case: course[:, : self.damaged].mean(axis=1) for case, course in courses.items()}
        whole = {case: float(course[-tail:, self.damaged :].mean()) for case, course in courses.items()}
        start = {case: float(values[split // 2 : split].mean()) for case, values in hurt.items()}
        left = {case: float(values[-tail:].mean()) for case, values in hurt.items()}
        back = (left["glia"] - left["none"]) / max(start["none"] - left["none"], 1e-9)
        measures = [
            Measure(name="rate of the damaged neurons before", value=start["none"], unit="Hz", low=8.0, high=25.0,
                    source="the working point"),
            Measure(name="control: their rate afterwards, without glia", value=left["none"], unit="Hz", low=0.0,
                    high=0.3 * start["none"], source="most synapses are gone and nothing replaces them"),
            Measure(name="share of the loss that glia restores", value=back, unit="", low=0.35, high=1.0,
                    source="a third or more: where the neuron stays silent its brake is gone and release grows fivefold (Wade 2012)"),
            Measure(name="rate of the other neurons with glia, by that without", value=whole["glia"] / whole["none"],
                    unit="", low=0.75, high=1.25, source="they fire as their territory does: drive and brake are equal"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=courses)

    def _live(self, rig: Rig, failing: BoolArray, rng: np.random.Generator, *, has_glia: bool) -> FloatArray:
        """Rates in every chunk, shape (chunks, neurons)."""
        first, last = round(self.before / self.dt), round(self.after / self.dt)
        rule = GlialGain(
            projection=SYNAPSES,
            rate_half=self.rate_half,
            release_probability=self.release_probability,
            potentiation=self.strength,
            depression=self.strength,
            tau_calcium=self.tau_calcium,
        )

        def fed(start: int, count: int) -> dict[str, BoolArray]:
            del start
            return {"inputs": rng.random((count, self.inputs)) < self.rate * self.dt}

        rates: list[FloatArray] = []
        with rig.open(self.network(rig.seed), dt=self.dt) as session:
            write_weights(session, SYNAPSES, self.release_probability * read_weights(session, SYNAPSES))
            rules: list[HostRuleState] = [rule.open(session)] if has_glia else []
            for steps in (first, last):
                if rates:  # a weight of 0 has no release to raise
                    write_weights(session, SYNAPSES, np.where(failing, 0.0, read_weights(session, SYNAPSES)))
                for chunk in chunks_with_host_rules(session, steps, rules=rules, every=self.every, inputs=fed):
                    rates.append(chunk.counts("neurons") / chunk.seconds)
        return np.array(rates)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Rates of the damaged neurons over time, and of all neurons in the end."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, ends) = panels(["Damaged neurons", "All neurons at the end"], widths=(1.6, 1.0))
        tail = round(0.5 * self.after / self.dt) // self.every
        for index, result in enumerate(results):
            for place, (case, colour) in enumerate((("glia", SERIES[0]), ("none", MUTED))):
                found = result.arrays[case]
                whole = len(found) // 4 * 4
                smooth = found[:whole, : self.damaged].mean(axis=1).reshape(-1, 4).mean(axis=1)
                seconds = (np.arange(len(smooth)) + 0.5) * 4 * self.every * self.dt
                label = {"glia": "with glia", "none": "without"}[case]
                course.plot(seconds, smooth, color=colour, linewidth=1.1, label=None if index else label)
                last = found[-tail:].mean(axis=0)
                ends.plot(np.arange(self.neurons) + 0.3 * place, last, "o", color=colour, markersize=2.4)
        tail_before = round(self.before / self.dt) // self.every
        held = np.mean([result.arrays["none"][tail_before // 2 : tail_before, : self.damaged] for result in results])
        course.axhline(float(held), color=INK, linewidth=0.8, linestyle="--", label="before")
        course.axvline(self.before, color=INK, linewidth=0.8, linestyle=":")
        for axes in (course, ends):
            axes.set_ylim(bottom=0.0)
            ruled(axes, "y")
        small_legend(course, "upper right")
        name_axes(course, "time (s); synapses fail at the dotted line", "rate (Hz)")
        name_axes(ends, f"neuron; damaged: 0 to {self.damaged - 1}", "rate (Hz)")
        return figure
