"""The STDP window: one pairing of a pre- and a postsynaptic spike at every distance in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from neuromorph.network import Network
from neuromorph.networks.experiment import Experiment, Finding, Measure, Result, Rig
from neuromorph.networks.pairing import changes, pairing_network
from neuromorph.plasticity import STDP
from neuromorph.recording import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
@dataclass(frozen=True, kw_only=True)
class STDPWindow(Experiment):
    """One synapse for each distance in time between a presynaptic and a postsynaptic spike; each sees one pair.

    ``dw = A_plus exp(-Dt / tau_plus)`` for ``Dt = t_post - t_pre > 0`` and ``-A_minus exp(Dt / tau_minus)`` for
    ``Dt < 0``; both where the spikes are of the same step. A teacher makes the postsynaptic neuron spike, so that the
    plastic weight, which starts at 0, does nothing but learn.
    """

    name: ClassVar[str] = "stdp-window"
    title: ClassVar[str] = "STDP window"
    sentence: ClassVar[str] = "Weight change against the time between a pre- and a postsynaptic spike is the formula's."
    source: ClassVar[str] = (
        "Bi and Poo, Journal of Neuroscience 18(24), 1998 (its exponential fit); "
        "Gerstner et al., Nature 383, 1996; Song, Miller and Abbott, Nature Neuroscience 3(9), 2000"
    )

    A_plus: float = 0.86
    A_minus: float = 0.25
    tau_plus: float = 19e-3  # s
    tau_minus: float = 34e-3  # s
    dt: float = 1e-3  # s
    reach: int = 80  # steps to either side

    @property
    def distances(self) -> FloatArray:
        """t_post - t_pre of each synapse, s."""
        return self.dt * np.arange(-self.reach, self.reach + 1, dtype=np.float64)

    def formula(self, distance: FloatArray) -> FloatArray:
        """The window at ``t_post - t_pre`` in seconds."""
        potentiation = np.where(distance >= 0, self.A_plus * np.exp(-np.abs(distance) / self.tau_plus), 0.0)
        depression = np.where(distance <= 0, self.A_minus * np.exp(-np.abs(distance) / self.tau_minus), 0.0)
        return potentiation - depression

    def network(self) -> Network:
        """As many pairs of neurons as there are distances."""
        rule = STDP(A_plus=self.A_plus, A_minus=self.A_minus, tau_plus=self.tau_plus, tau_minus=self.tau_minus)
        largest = abs(self.A_plus) + abs(self.A_minus)
        return pairing_network(rule, size=2 * self.reach + 1, weight=0.0, largest=largest, name="STDP window")

    def conduct(self, rig: Rig) -> Finding:
        """One run of all pairs; on a chip also on the reference, which draws the same chance."""
        network = self.network()
        rig.tell("pairings", 0.1)  # with one pair a synapse, a trace holds one impulse at most
        with rig.open(network, dt=self.dt, trace_headroom=1.0) as session:
            learned = changes(session, *self._spikes())
        rig.tell("the reference", 0.6)
        with rig.open(network, dt=self.dt, backend="reference", trace_headroom=1.0) as session:
            expected = changes(session, *self._spikes())
        formula = self.formula(self.distances)
        residual, spread = learned - formula, formula - formula.mean()
        explained = 1.0 - float(np.sum(residual**2) / np.sum(spread**2))
        fit = "fit of Bi and Poo 1998; one pairing a point, so 7-bit traces with stochastic rounding leave up to 1 %"
        measures = [
            Measure(name="R2 against the fit", value=explained, unit="", low=0.99, high=1.0, source=fit),
            Measure(
                name="largest difference from the reference",
                value=float(np.max(np.abs(learned - expected))),
                unit="",
                low=0.0,
                high=0.0 if rig.chip else 1e-9,
                source="fixed point is exact" if rig.chip else "float: order of operations",
            ),
        ]
        if rig.chip is None:
            measures.append(
                Measure(
                    name="largest difference from the formula",
                    value=float(np.max(np.abs(residual))),
                    unit="",
                    low=0.0,
                    high=1e-9,
                    source="the formula; rounding of repeated decay in float64 stays below 1e-13",
                )
            )
        return Finding(measures=measures, arrays={"distance": self.distances, "change": learned})

    def _spikes(self) -> tuple[BoolArray, BoolArray]:
        """One pre- and one postsynaptic spike for each distance, shape (steps, distances)."""
        lags = np.arange(-self.reach, self.reach + 1)
        pre = np.zeros((self.reach + 3, len(lags)), dtype=np.bool_)
        post = np.zeros_like(pre)
        pre[1 + np.maximum(-lags, 0), np.arange(len(lags))] = True
        post[1 + np.maximum(lags, 0), np.arange(len(lags))] = True
        return pre, post

    def draw(self, results: Sequence[Result]) -> Figure:
        """The window, and what is left of it after the formula is taken away."""
        from neuromorph.networks.panels import INK, SERIES, panels, small_legend
        from neuromorph.report.canvas import name_axes, ruled

        figure, (window, rest) = panels(["Weight change of one pair", "Measured less formula"], widths=(1.5, 1.0))
        fine = np.linspace(self.distances[0], self.distances[-1], 2001)
        for half in (fine[fine < 0], fine[fine > 0]):
            window.plot(
                half * 1e3, self.formula(half), color=INK, linewidth=1.2, label="formula" if half[0] < 0 else None
            )
        for index, result in enumerate(results):
            distance, change = result.arrays["distance"], result.arrays["change"]
            colour = SERIES[index % len(SERIES)]
            where = f"{result.backend}{f' on {result.chip}' if result.chip else ''}, seed {result.seed}"
            window.plot(distance * 1e3, change, "o", color=colour, markersize=2.6, label=where, zorder=3 + index)
            rest.plot(distance * 1e3, change - self.formula(distance), "o", color=colour, markersize=2.2)
        for axes in (window, rest):
            axes.axhline(0.0, color=INK, linewidth=0.6)
            ruled(axes, "y")
            name_axes(axes, "t_post - t_pre (ms)", "change of weight")
        small_legend(window, "upper left")
        return figure
