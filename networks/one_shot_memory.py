"""One-shot memory: a pattern that was seen once is recalled from a part of it."""

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
from neuromorph.plasticity import GatedSTDP
from neuromorph.recording import BoolArray, FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECURRENT = "memory->memory"


@final
@dataclass(frozen=True, kw_only=True)
class OneShotMemory(Experiment):
    """Neurons that all connect to each other, each driven by an input of its own; some sparse patterns are shown once.

    While a pattern is shown, acetylcholine lets pairs of spikes strengthen their synapses to the bound at once; while it
    is recalled, there is none. Then half of a pattern's inputs are enough to make the other half spike. Inhibition grows
    with the number of spikes, so that others stay silent. As control the patterns are shown without acetylcholine.
    """

    name: ClassVar[str] = "one-shot-memory"
    title: ClassVar[str] = "One-shot memory"
    sentence: ClassVar[str] = "A pattern that was seen once is completed from half of it."
    source: ClassVar[str] = (
        "Willshaw, Buneman and Longuet-Higgins, Nature 222, 1969; Marr, Philosophical Transactions B 262, 1971; "
        "Hasselmo, Current Opinion in Neurobiology 16(6), 2006"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"patterns": 10})

    neurons: int = 200
    active: int = 12  # of a pattern
    patterns: int = 20
    cue: float = 0.5  # share of a pattern that is shown for recall
    shown: int = 6  # steps that a pattern is shown
    recalled: int = 30  # steps of recall, in the first third of which the cue is shown
    period: int = 3  # steps between spikes of an input that is on
    jitter: int = 2  # steps by which inputs differ
    w_max: float = 0.3
    inhibition: float = 0.12  # of each spike on every neuron
    learning_rate: float = 1.0
    dt: float = 1e-3  # s

    def network(self) -> Network:
        """Inputs onto neurons, all of which connect to each other, plastic, and inhibit each other."""
        rule = GatedSTDP(
            A_plus=self.learning_rate, A_minus=0.0, tau_plus=5e-3, tau_minus=5e-3, w_min=0.0, w_max=self.w_max
        )
        return Network(
            name="one-shot memory",
            populations=[
                Input("inputs", self.neurons),
                Population("memory", self.neurons, LIF(tau_mem=10e-3, tau_syn=0.0, refractory=2e-3)),
            ],
            projections=[
                Projection("inputs", "memory", OneToOne(2.5)),
                Projection("memory", "memory", AllToAll(0.0), plasticity=rule, name=RECURRENT),
                Projection("memory", "memory", AllToAll(-self.inhibition), name="inhibition"),
            ],
            modulators=[Modulator("acetylcholine")],
            probes=[Probe("memory", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Patterns shown once each, then halves of them; with acetylcholine while they were shown, and without."""
        patterns = np.zeros((self.patterns, self.neurons), dtype=np.bool_)
        cues = np.zeros_like(patterns)
        for pattern, cue in zip(patterns, cues, strict=True):
            chosen = rig.rng.choice(self.neurons, self.active, replace=False)
            pattern[chosen] = True
            cue[chosen[: round(self.cue * self.active)]] = True
        missing = patterns & ~cues
        arrays, found, wrong = {"patterns": patterns.astype(np.float64), "cues": cues.astype(np.float64)}, {}, {}
        for place, acetylcholine in enumerate((1.0, 0.0)):
            rig.tell("with acetylcholine" if acetylcholine else "control", place / 2)
            spikes = self._recall(rig, patterns, cues, acetylcholine)
            found[acetylcholine] = float((spikes[missing] > 0).mean())
            wrong[acetylcholine] = float((spikes[~patterns] > 0).mean())
            arrays["recalled" if acetylcholine else "control"] = spikes
        measures = [
            Measure(name="share of the missing half that is recalled", value=found[1.0], unit="", low=0.95, high=1.0,
                    source="each neuron hears of all others of its pattern: half of them are beyond its threshold"),
            Measure(name="share of other neurons that spike", value=wrong[1.0], unit="", low=0.0, high=0.02,
                    source="a neuron shares several others with the cue in one pattern of thousands (Willshaw 1969)"),
            Measure(name="control: share recalled of what was shown without acetylcholine", value=found[0.0], unit="",
                    low=0.0, high=0.05, source="nothing was stored"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays=arrays)

    def _recall(self, rig: Rig, patterns: BoolArray, cues: BoolArray, acetylcholine: float) -> FloatArray:
        """Spikes of every neuron in the recall of each pattern, shape (patterns, neurons)."""
        spikes = np.zeros(patterns.shape)
        with rig.open(self.network(), dt=self.dt) as session:
            for pattern in patterns:
                self._show(session, rig, pattern, self.shown, self.shown, acetylcholine)
            for number, cue in enumerate(cues):
                spikes[number] = self._show(session, rig, cue, self.recalled, self.recalled // 3, 0.0)
        return spikes

    def _show(
        self, session: Session, rig: Rig, on: BoolArray, steps: int, cued: int, acetylcholine: float
    ) -> FloatArray:
        """Spikes of every neuron in so many steps from rest, in the first ``cued`` of which inputs are on."""
        phase = rig.rng.integers(self.jitter, size=self.neurons)
        when = np.arange(steps)[:, np.newaxis]
        fed = on & ((when - phase) % self.period == 0) & (when < cued)
        session.reset()
        given = np.full(steps, acetylcholine)
        recording = session.run(steps, inputs={"inputs": fed}, modulators={"acetylcholine": given})
        return recording.spikes["memory"].counts().astype(np.float64)

    def draw(self, results: Sequence[Result]) -> Figure:
        """Who spikes in the recall of each pattern, pattern by pattern, and how much of the missing half comes back."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_at, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (raster, ends) = panels(["Recall of each pattern", "Missing half that is recalled"], widths=(1.7, 1.0))
        found = results[0].arrays
        in_any = found["patterns"].any(axis=0)
        first = np.where(in_any, np.argmax(found["patterns"], axis=0), len(found["patterns"]))
        order = np.argsort(first, kind="stable")  # those of no pattern last
        cued, shown = found["cues"] > 0, found["patterns"] > 0
        for what, colour, label in (
            (cued, MUTED, "cue"),
            (shown & ~cued & (found["recalled"] > 0), SERIES[0], "completed"),
            (~shown & (found["recalled"] > 0), SERIES[1], "wrong"),
        ):
            number, neuron = np.nonzero(what[:, order])
            raster.plot(number + 1, neuron, "s", color=colour, markersize=2.2, label=label)
        for place, (case, colour) in enumerate((("recalled", SERIES[0]), ("control", MUTED))):
            for result in results:
                missing = (result.arrays["patterns"] > 0) & ~(result.arrays["cues"] > 0)
                share = ((result.arrays[case] > 0) & missing).sum(axis=1) / missing.sum(axis=1)
                ends.plot(place + np.linspace(-0.2, 0.2, len(share)), share, "o", color=colour, markersize=2.6)
        ends.axhline(1.0, color=INK, linewidth=0.7, linestyle=":")
        ends.set_xticks([0, 1], ["acetylcholine", "none (control)"])
        ends.set_ylim(-0.05, 1.1)
        expected_at(ends, 0, results[0], "share of the missing half that is recalled")
        expected_at(ends, 1, results[0], "control: share recalled of what was shown without acetylcholine")
        ruled(ends, "y")
        raster.set_ylim(-2.0, 1.35 * in_any.sum())
        small_legend(raster, "upper right")
        name_axes(raster, "pattern", "neuron (sorted by pattern)")
        name_axes(ends, "when it was shown (shaded: expected)", "share of neurons, each pattern")
        return figure
