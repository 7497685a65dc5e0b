"""Cerebellar timing: a blink that comes when the puff does, learned from the climbing fibre."""

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
from neuromorph.neurons import LIF
from neuromorph.plasticity import CerebellarLTD
from neuromorph.recording import BoolArray, FloatArray
from neuromorph.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEAR = 10e-3  # s, within which the peak must be of the interval
SMOOTH = 15e-3  # s, standard deviation of the window in which rates are read


@final
@dataclass(frozen=True, kw_only=True)
class CerebellarTiming(Experiment):
    """Granule cells spike each at its own time after a tone and drive Purkinje cells, which hold the eyelid open.

    The puff comes ``interval`` after the tone and makes the climbing fibre burst, less the more the eye is closed by then.
    Parallel fibres that were active just before its spikes are weakened, all others recover, so that Purkinje cells come to pause at
    the time of the puff. The response is ``1 - rate / rate before learning``. As control puffs come at random times.
    """

    name: ClassVar[str] = "cerebellar-timing"
    title: ClassVar[str] = "Cerebellar adaptive timing"
    sentence: ClassVar[str] = "The conditioned response comes to peak at the trained interval."
    source: ClassVar[str] = (
        "Medina, Garcia, Nores, Taylor and Mauk, Journal of Neuroscience 20(14), 2000; "
        "Ito and Kano, Neuroscience Letters 33, 1982"
    )
    quick_fields: ClassVar[Mapping[str, float]] = MappingProxyType({"trials": 80})

    trials: int = 200
    interval: float = 0.3  # s, from tone to puff
    puff: float = 30e-3  # s, that it lasts
    burst: int = 4  # spikes of a climbing fibre in that time
    late: int = 30  # trials at the end, of which the mean is measured
    bank: float = 0.7  # s after the tone, over which granule cells are spread
    lead: float = 0.1  # s before it, in which others are active
    cells: int = 80
    spread: float = 25e-3  # s, standard deviation of the time at which a granule cell spikes
    spikes: int = 4  # of a granule cell in a trial
    purkinje: int = 20
    bias: float = 0.03  # of Purkinje cells, in every step: below threshold
    w_max: float = 0.03  # and the weight at the start
    A_plus: float = 1e-4
    A_minus: float = 8e-3  # of a whole burst
    tau_plus: float = 20e-3  # s
    dt: float = 1e-3  # s

    def network(self, rng: np.random.Generator) -> Network:
        """Granule cells onto Purkinje cells that differ in threshold."""
        rule = CerebellarLTD(
            climbing_fibre="climbing fibre",
            A_plus=self.A_plus,
            A_minus=self.A_minus,
            tau_plus=self.tau_plus,
            w_min=0.0,
            w_max=self.w_max,
        )
        neuron = LIF(tau_mem=20e-3, tau_syn=5e-3, v_threshold=rng.uniform(0.8, 1.2, self.purkinje), bias=self.bias)
        return Network(
            name="cerebellar timing",
            populations=[Input("granule", self.cells), Population("purkinje", self.purkinje, neuron)],
            projections=[Projection("granule", "purkinje", AllToAll(self.w_max), plasticity=rule)],
            modulators=[Modulator("climbing fibre")],
            probes=[Probe("purkinje", "spikes")],
        )

    def conduct(self, rig: Rig) -> Finding:
        """Trials with the puff at its time, and as many with it at random times."""
        rig.tell("puffs at their time", 0.0)
        early, trained, _ = self._learn(rig, is_paired=True)
        rig.tell("puffs at random times", 0.5)
        _, _, control = self._learn(rig, is_paired=False)
        top = np.flatnonzero(
            trained >= 0.8 * trained.max()
        )  # its middle: chance does not move it as it moves a maximum
        peak = float(top.mean()) * self.dt
        at = round(self.interval / self.dt)
        span = slice(len(control) // 10, None)  # in which puffs come at random
        begin = trained[round(0.03 / self.dt) : round(0.1 / self.dt)]
        measures = [
            Measure(name="time of the peak", value=1e3 * peak, unit="ms", low=1e3 * (self.interval - NEAR),
                    high=1e3 * (self.interval + NEAR),
                    source="the interval; granule cells are 11 ms apart, and what learns is one trace before a burst's middle"),
            Measure(name="response at the peak", value=float(trained.max()), unit="", low=0.85, high=1.0,
                    source="the climbing fibre falls silent as the response nears 1"),
            Measure(name="response within 0.1 s of the tone", value=float(begin.mean()), unit="", low=-0.3, high=0.3,
                    source="too early a response is unlearned: parallel fibres active then recover"),
            Measure(name="response at that time before learning", value=float(early[at]), unit="", low=-0.3, high=0.3,
                    source="the tone means nothing yet"),
            Measure(name="response at that time less its mean over all", value=float(trained[at] - trained.mean()), unit="",
                    low=0.4, high=1.0, source="the response is a peak: 0.1 s of 0.7"),
            Measure(name="control: the same, puffs at random times", value=float(control[at] - control[span].mean()), unit="",
                    low=-0.3, high=0.3, source="no time is better than another; the latest puffs leave waves"),
        ]  # fmt: skip
        return Finding(measures=measures, arrays={"early": early, "trained": trained, "control": control})

    def _learn(self, rig: Rig, *, is_paired: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Response over time before learning, late, and in the second half; all from the tone on, shape (steps,)."""
        length = round(self.bank / self.dt)
        with rig.open(self.network(rig.rng), dt=self.dt) as session:
            naive = np.stack([self._rates(self._show(session, rig, length, puff=None)[1]) for _ in range(10)])
            open_rate = float(naive[:, length // 10 : -length // 10].mean())  # away from the ends of the bank
            responses = np.zeros((self.trials, length))
            for trial in range(self.trials):
                puff = round(self.interval / self.dt) if is_paired else int(rig.rng.integers(length // 10, length))
                _, spikes = self._show(session, rig, length, puff=puff, open_rate=open_rate)
                responses[trial] = 1.0 - self._rates(spikes) / open_rate
        half = self.trials // 2
        early, late = 1.0 - naive.mean(axis=0) / open_rate, responses[-self.late :].mean(axis=0)
        return early, late, responses[half:].mean(axis=0)

    def _show(
        self, session: Session, rig: Rig, length: int, *, puff: int | None, open_rate: float = 1.0
    ) -> tuple[float, BoolArray]:
        """A trial from rest; how far the eye is closed when the puff comes, and all spikes, shape (length, neurons)."""
        session.reset()
        lead = round(self.lead / self.dt)
        fed = self._granules(rig.rng, lead + length)
        session.run(lead, inputs={"granule": fed[:lead]})
        fed = fed[lead:]
        if puff is None:
            return 0.0, np.asarray(session.run(length, inputs={"granule": fed}).spikes["purkinje"])
        first = np.asarray(session.run(puff, inputs={"granule": fed[:puff]}).spikes["purkinje"])
        closed = 1.0 - float(self._rates(first)[-1]) / open_rate
        fibre = np.zeros(length - puff)
        burst = np.rint(np.linspace(0.0, self.puff / self.dt, self.burst)).astype(np.int64)
        fibre[burst[burst < len(fibre)]] = max(1.0 - closed, 0.0) / self.burst
        rest = session.run(length - puff, inputs={"granule": fed[puff:]}, modulators={"climbing fibre": fibre})
        return closed, np.concatenate([first, np.asarray(rest.spikes["purkinje"])])

    def _rates(self, spikes: BoolArray) -> FloatArray:
        """Rate of a Purkinje cell in every step, in spikes a step, in a window about it that is cut at the ends."""
        reach = np.arange(-round(3 * SMOOTH / self.dt), round(3 * SMOOTH / self.dt) + 1)
        window = np.exp(-0.5 * (reach * self.dt / SMOOTH) ** 2)
        share = np.convolve(np.ones(len(spikes)), window, mode="same")
        rates: FloatArray = np.convolve(spikes.mean(axis=1), window, mode="same") / share
        return rates

    def _granules(self, rng: np.random.Generator, steps: int) -> BoolArray:
        """Every cell spikes a few times about its own time after the tone."""
        centres = np.linspace(-self.spread, self.lead + self.bank + self.spread, self.cells)
        times = centres + self.spread * rng.standard_normal((self.spikes, self.cells))
        rows, cells = np.rint(times / self.dt).astype(np.int64), np.broadcast_to(np.arange(self.cells), times.shape)
        shown = (rows >= 0) & (rows < steps)
        spikes = np.zeros((steps, self.cells), dtype=np.bool_)
        spikes[rows[shown], cells[shown]] = True
        return spikes

    def draw(self, results: Sequence[Result]) -> Figure:
        """Responses over time, before and after, and with puffs at random times."""
        from neuromorph.networks.panels import INK, MUTED, SERIES, expected_band, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (paired, random) = panels(["Puff at its time (shaded: expected peak)", "Puffs at random times"])
        for index, result in enumerate(results):
            colour, found = SERIES[index % len(SERIES)], result.arrays
            milliseconds = 1e3 * self.dt * np.arange(len(found["trained"]))
            label = f"{result.backend}, seed {result.seed}"
            paired.plot(
                milliseconds, found["early"], color=MUTED, linewidth=0.8, label=None if index else "before learning"
            )
            paired.plot(milliseconds, found["trained"], color=colour, linewidth=1.2, label=label)
            random.plot(milliseconds, found["control"], color=colour, linewidth=1.0)
        paired.axvline(1e3 * self.interval, color=INK, linewidth=0.9, linestyle=":", label="puff")
        expected_band(paired, 1e3 * (self.interval - NEAR), 1e3 * (self.interval + NEAR), axis="x")
        for axes in (paired, random):
            axes.set_ylim(-0.6, 1.1)
            ruled(axes, "y")
            name_axes(axes, "time after the tone (ms)", "response (1: silent, eye closed)")
        small_legend(paired, "upper right")
        return figure
