"""Fear conditioning: extinction is a memory of its own, bound to its context, and fear returns elsewhere and later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
import numpy.typing as npt

from neuromorph.connectors import AllToAll, Dense
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.units import read_weights, write_weights
from neuromorph.neurons import IF, LIF
from neuromorph.plasticity import DeltaRule
from neuromorph.recording import FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INHIBITION = "intercalated->amygdala"
CONTEXTS = "AB"


@final
@dataclass(frozen=True, kw_only=True)
class Fear(Experiment):
    """A cue drives the amygdala; intercalated cells, which only cue and context together make spike, inhibit it.

    What the amygdala's rate expects is held against the shock: ``error = shock - response``. Errors above 0 strengthen
    the cue's excitation, errors of both signs move the inhibition, and nothing weakens the excitation. So extinction in
    context B hides the fear and keeps it: it is back in context A, and in B when the inhibition has faded. As control
    errors of both signs move the excitation alone: what is extinguished then is gone.
    """

    name: ClassVar[str] = "fear"
    title: ClassVar[str] = "Fear: acquisition, extinction, renewal"
    sentence: ClassVar[str] = (
        "Extinguished fear returns in another context and with time, as extinction is new learning."
    )
    source: ClassVar[str] = (
        "Bouton, Learning and Memory 11(5), 2004; Vlachos, Herry, Luethi, Aertsen and Kumar, PLoS Computational Biology "
        "7(3), 2011; Rescorla and Wagner, in Classical Conditioning II, 1972"
    )

    trials: int = 10  # of a phase
    cells: int = 40  # of the cue, and of each context
    rate: float = 60.0  # Hz, of a cell that is on
    neurons: int = 20  # of the amygdala
    gates: int = 20  # intercalated cells of each context
    shown: float = 0.4  # s, of the cue
    spikes_per_fear: float = 8.0  # of an amygdala neuron in that time, for a response of 1
    rate_danger: float = 6.8e-4  # learning rate of excitation
    rate_safety: float = 3.0e-3  # and of inhibition
    w_max: float = 0.04  # of either, and far from it in the end
    tau: float = 0.1  # s, of the presynaptic traces
    rest: float = 14.0  # days, for spontaneous recovery
    tau_forget: float = 10.0  # days, in which inhibition fades
    dt: float = 1e-3  # s

    def network(self, rng: np.random.Generator) -> Network:
        """Cue onto the amygdala; cue and contexts onto the gates, which inhibit it."""
        excitation = DeltaRule(
            error="danger", learning_rate=self.rate_danger, tau_plus=self.tau, w_min=0.0, w_max=self.w_max
        )
        inhibition = DeltaRule(
            error="safety", learning_rate=self.rate_safety, tau_plus=self.tau, w_min=-self.w_max, w_max=0.0
        )
        gates = len(CONTEXTS) * self.gates
        tau_gate = 20e-3
        alone = 0.7 / (
            self.cells * self.rate * tau_gate
        )  # cue or context lifts a gate to 0.7, both beyond its threshold
        to_their_gates = np.kron(np.eye(len(CONTEXTS)), np.ones((self.gates, self.cells)))
        return Network(
            name="fear conditioning",
            populations=[
                Input("cue", self.cells),
                Input("context", len(CONTEXTS) * self.cells),
                Population("intercalated", gates, LIF(tau_mem=tau_gate, tau_syn=0.0)),
                Population("amygdala", self.neurons, IF(v_threshold=rng.uniform(0.8, 1.2, self.neurons))),
            ],
            projections=[
                Projection("cue", "intercalated", AllToAll(alone)),
                Projection("context", "intercalated", Dense(alone * to_their_gates)),
                Projection("cue", "amygdala", AllToAll(0.0), plasticity=excitation),
                Projection("intercalated", "amygdala", AllToAll(0.0), plasticity=inhibition),
            ],
            modulators=[Modulator("danger"), Modulator("safety")],
            probes=[Probe("amygdala", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Acquisition in A, extinction in B, tests in both, a rest, and acquisition again; and the control."""
        with rig.open(self.network(rig.rng), dt=self.dt, trace_headroom=15.0) as session:
            rig.tell("acquisition in A", 0.0)
            acquired = self._phase(session, rig, "A", shock=1.0)
            rig.tell("extinction in B", 0.25)
            extinguished = self._phase(session, rig, "B", shock=0.0)
            renewed = self._phase(session, rig, "A", shock=0.0, learns=False, trials=5)
            held = read_weights(session, INHIBITION)
            write_weights(session, INHIBITION, held * math.exp(-self.rest / self.tau_forget))
            recovered = self._phase(session, rig, "B", shock=0.0, learns=False, trials=5)
            write_weights(session, INHIBITION, held)
            rig.tell("acquisition again in B", 0.5)
            again = self._phase(session, rig, "B", shock=1.0)
        with rig.open(self.network(rig.rng), dt=self.dt, trace_headroom=15.0) as session:
            rig.tell("control", 0.7)
            for context, shock in (("A", 1.0), ("B", 0.0)):
                self._phase(session, rig, context, shock=shock, is_erasing=True)
            erased = self._phase(session, rig, "A", shock=0.0, learns=False, trials=5)
        measures = [
            Measure(name="trial at which fear is acquired (0.8)", value=_first(acquired >= 0.8), unit="", low=2, high=5,
                    source="Rescorla-Wagner: 1 - 0.6^4 = 0.87 after four shocks of which each takes 0.4 of the error"),
            Measure(name="trial at which it is extinguished (0.2)", value=_first(extinguished <= 0.2), unit="", low=2,
                    high=7, source="Rescorla-Wagner: 0.65^5 = 0.12 where a trial takes a third of the error, and faster here"),
            Measure(name="renewal: response in A after extinction in B", value=renewed.mean(), unit="", low=0.75,
                    high=1.15, source="the inhibition is bound to B; 960 random cue spikes vary by 0.03"),
            Measure(name="spontaneous recovery: response in B after the rest", value=recovered.mean(), unit="", low=0.5,
                    high=0.95, source="exp(-14 / 10) = 0.25 of the inhibition is left"),
            Measure(name="trial at which it is acquired again (0.8)", value=_first(again >= 0.8), unit="", low=2, high=3,
                    source="the excitation is still there and the inhibition goes: sooner than at first"),
            Measure(name="control: response in A where extinction erases", value=erased.mean(), unit="", low=-0.1,
                    high=0.2, source="nothing is left to be renewed"),
        ]  # fmt: skip
        tests = {"renewed": renewed, "recovered": recovered, "erased": erased}
        courses = {"acquired": acquired, "extinguished": extinguished, "again": again}
        return Finding(measures=measures, arrays=courses | tests)

    def _phase(
        self,
        session: Session,
        rig: Rig,
        context: str,
        *,
        shock: float,
        trials: int | None = None,
        learns: bool = True,
        is_erasing: bool = False,
    ) -> FloatArray:
        """Responses to the cue, before the shock comes or does not, shape (trials,)."""
        steps = round(self.shown / self.dt)
        on = np.arange(len(CONTEXTS) * self.cells) // self.cells == CONTEXTS.index(context)
        responses = np.zeros(self.trials if trials is None else trials)
        for trial in range(len(responses)):
            session.reset()
            chance = self.rate * self.dt
            cue = rig.rng.random((steps, self.cells)) < chance
            around = (rig.rng.random((steps, on.size)) < chance) & on
            spikes = session.run(steps, inputs={"cue": cue, "context": around}).spikes["amygdala"]
            responses[trial] = len(spikes) / (self.neurons * self.spikes_per_fear)
            error = shock - responses[trial] if learns else 0.0
            danger, safety = (error, 0.0) if is_erasing else (max(error, 0.0), error)
            session.run(1, modulators={"danger": [danger], "safety": [safety]})
        return responses

    def draw(self, results: Sequence[Result]) -> Figure:
        """Responses trial by trial, and the tests."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_at, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (course, tests) = panels(["Response to the cue", "Tests after extinction in B"], widths=(1.6, 1.0))
        for index, result in enumerate(results):
            begin = 1
            for name in ("acquired", "extinguished", "again"):
                values = result.arrays[name]
                label = f"{result.backend}, seed {result.seed}" if name == "acquired" else None
                course.plot(np.arange(begin, begin + len(values)), values, "o-", color=SERIES[index % len(SERIES)],
                            markersize=2.6, linewidth=0.9, label=label)  # fmt: skip
                begin += len(values)
        for number, what in enumerate(("shock, in A", "none, in B", "shock, in B")):
            course.axvline(number * self.trials + 0.5, color=INK, linewidth=0.7)
            course.text(number * self.trials + 0.8, 1.22, what, fontsize=8, color=INK)
        names = {
            "renewed": "A: renewal",
            "recovered": "B: after the rest",
            "erased": "A: erased",
        }
        for place, name in enumerate(names):
            values = np.concatenate([result.arrays[name] for result in results])
            tests.bar(place, values.mean(), width=0.6, color=MUTED if name == "erased" else SERIES[0])
            tests.plot(np.full(len(values), place), values, ".", color=INK, markersize=3)
        tests.set_xticks(range(len(names)), list(names.values()), fontsize=7.5)
        for axes in (course, tests):
            axes.set_ylim(0.0, 1.3)
            ruled(axes, "y")
        for place, name in enumerate(
            (
                "renewal: response in A after extinction in B",
                "spontaneous recovery: response in B after the rest",
                "control: response in A where extinction erases",
            )
        ):
            expected_at(tests, place, results[0], name)
        small_legend(course, "lower right")
        name_axes(course, "trial", "response (of the shock's size)")
        name_axes(tests, "test (shaded: expected)", "response (of the shock's size)")
        return figure


def _first(reached: npt.NDArray[np.bool_]) -> float:
    """The first trial, from 1, at which it is reached; NaN where it never is."""
    return float(np.argmax(reached) + 1) if reached.any() else math.nan
