"""Networks whose rates were not published, run at a stated activity: their structure and the run give the counts.

Weights say nothing about rates where the trained ones are not known, so they are as good as zero here, and a bias of its own
drives every neuron to a rate drawn evenly between 0 and twice the stated activity. Structure, fan-out and placement are
those of the network; the activity is a range, and its two ends are run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuromorph.connectors import AllToAll, Connector, Sparse
from neuromorph.cost import ZERO, Range
from neuromorph.execution import compile as compile_network
from neuromorph.execution import open as open_session
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import IF
from neuromorph.placement import Placement, place
from neuromorph.program import Program
from neuromorph.recording import FloatArray, IntArray, Recording

# A converted network codes a value in the rate of a neuron, scaled so that the strongest one of a layer spikes in (almost)
# every step (Rueckauer et al., Front. Neurosci. 11:682, 2017). The mean of rectified values is a small part of that.
RATE_CODE = Range(0.05, 0.25)  # spikes a neuron and step, mean of a network: assumed, for every conversion alike
WARM_UP = 50  # steps before those that count, so that neurons are out of step with each other
SILENT = 1e-9  # a weight that exists and does nothing


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Populations of a network by size, inputs from outside apart, and its synapses by their two ends."""

    name: str
    inputs: Mapping[str, int]
    layers: Mapping[str, int]
    synapses: Sequence[tuple[str, str, Connector]]  # pre, post

    @property
    def size(self) -> int:
        """Synapses: products of a dense pass."""
        return sum(item.synapses for item in self.program(0.0).projections)

    def program(self, activity: float, *, seed: int = 0) -> Program:
        """The network with every neuron driven to ``activity`` on average, recording all spikes."""
        rng = np.random.default_rng(seed)
        populations: list[Input | Population] = [Input(name, size) for name, size in self.inputs.items()]
        for name, size in self.layers.items():
            populations.append(Population(name, size, IF(bias=driving(rng.uniform(0.0, 2.0 * activity, size), rng))))
        projections = [Projection(pre, post, connector) for pre, post, connector in self.synapses]
        network = Network(name=self.name, populations=populations, projections=projections)
        return compile_network(network, dt=1e-3).with_all_spikes()

    def run(self, activity: float, *, steps: int, input_activity: float = 0.0, seed: int = 0) -> Recording:
        """A run on the emulator; an input spikes with probability ``input_activity`` in a step."""
        rng = np.random.default_rng(seed + 1)

        def drawn(rows: int) -> dict[str, Any]:
            return {name: rng.random((rows, size)) < input_activity for name, size in self.inputs.items()}

        with open_session(self.program(activity, seed=seed), backend="emulator", seed=seed) as session:
            session.run(WARM_UP, inputs=drawn(WARM_UP))
            return session.run(steps, inputs=drawn(steps))

    def counted(
        self, chip: str, *, steps: int, activity: Range, input_activity: Range = ZERO, runs: int = 1
    ) -> dict[str, Any]:
        """What :func:`neuromorph.costs.stated_work` asks, from a quiet and a busy run of ``runs`` x ``steps`` steps.

        Counts are of ``steps`` steps; messages, hops and the share of the busiest core come from a greedy placement.
        """
        ends = []
        for neurons, inputs in ((activity.low, input_activity.low), (activity.high, input_activity.high)):
            recording = self.run(neurons, steps=steps * runs, input_activity=inputs)
            program = self.program(neurons)
            placement = place(program, chip, traffic=recording)
            ends.append(_counts(recording, placement, program, runs))
        quiet, busy = ends
        return {name: Range(*sorted((quiet[name], busy[name]))) for name in quiet}


def driving(rates: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Biases that make integrate-and-fire neurons of threshold 1 spike at rates of 0 to 1 a step, shape (n,).

    A neuron spikes every k steps for a bias of 1 / (k - 1/2); of the two k around a rate one is drawn, so that the mean of
    many neurons is the mean of their rates.

    >>> driving(np.array([1.0, 0.5, 0.0]), np.random.default_rng(0)).tolist()
    [2.0, 0.6666666666666666, 0.0]
    """
    spiking = rates > 1e-6  # less often than once in a million steps: not at all
    period = 1.0 / np.where(spiking, rates, 1.0)
    short = np.floor(period)
    share = np.where(period > short, (rates - 1.0 / (short + 1.0)) * short * (short + 1.0), 1.0)
    chosen = np.where(rng.random(rates.size) < share, short, short + 1.0)
    biases: FloatArray = np.where(spiking, 1.0 / (chosen - 0.5), 0.0)
    return biases


def _counts(recording: Recording, placement: Placement, program: Program, runs: int) -> dict[str, float]:
    counts, messages = recording.counts, placement.messages
    own = [population for population in counts.populations.values() if not population.is_input]
    totals = {
        "synaptic_operations": counts.synaptic_events,
        "active_updates": sum(population.active_updates for population in own),
        "spikes": sum(population.spikes for population in own),
        "input_spikes": sum(p.spikes for p in counts.populations.values() if p.is_input),
        "messages": messages.within_cores + messages.crossing_cores + messages.from_inputs,
        "axons_out": messages.within_cores + messages.crossing_cores,
        "hops_east_west": messages.hops_east_west,
        "hops_north_south": messages.hops_north_south,
    }
    return {
        **{name: count / runs for name, count in totals.items()},
        "busiest_share": busiest_share(recording, placement, program),
    }


def busiest_share(recording: Recording, placement: Placement, program: Program) -> float:
    """Part of all synaptic operations that the busiest core of a placement does, over a whole run."""
    by_core = np.zeros(len(placement.cores))
    for projection in program.projections:
        pointer, pre = projection.csr
        sent = np.bincount(recording.spikes[projection.pre].ids, minlength=program.sizes[projection.pre])
        arrived = np.concatenate([[0], np.cumsum(sent[pre])])
        onto: IntArray = arrived[pointer[1:]] - arrived[pointer[:-1]]
        by_core += np.bincount(placement.core_of[projection.post], onto, minlength=by_core.size)
    return float(by_core.max() / by_core.sum()) if by_core.sum() else 1.0 / by_core.size


def convolution(
    image: tuple[int, int, int], *, filters: int, kernel: int, stride: int = 1
) -> tuple[Connector, tuple[int, int, int]]:
    """Synapses of a convolution without padding, and the shape of its output.

    Shapes are (rows, columns, channels), and neurons are numbered in that order.

    >>> connector, shape = convolution((28, 28, 1), filters=16, kernel=5, stride=2)
    >>> shape, connector.synapses(12 * 12 * 16, 28 * 28, np.random.default_rng(0)).post.size == 12 * 12 * 16 * 25
    ((12, 12, 16), True)
    """
    from scipy.sparse import csr_array

    rows, columns, channels = image
    out = (rows - kernel) // stride + 1, (columns - kernel) // stride + 1
    corner = np.add.outer(np.arange(out[0]) * stride * columns, np.arange(out[1]) * stride).ravel()
    inside = np.add.outer(np.arange(kernel) * columns, np.arange(kernel)).ravel()
    pixel = np.add.outer(corner, inside)  # (outputs of a filter, pixels of the kernel)
    field = (pixel[:, :, None] * channels + np.arange(channels)).reshape(corner.size, -1)
    pre = np.repeat(field, filters, axis=0)
    pointer = np.arange(pre.shape[0] + 1) * pre.shape[1]
    weights = csr_array(
        (np.full(pre.size, SILENT), pre.ravel(), pointer), shape=(pre.shape[0], rows * columns * channels)
    )
    return Sparse.from_scipy(weights), (*out, filters)


def every() -> Connector:
    """Synapses of a full layer."""
    return AllToAll(SILENT)


def so_many(count: int, post: int, pre: int, *, seed: int) -> Connector:
    """``count`` synapses between neurons drawn by chance, none twice."""
    from scipy.sparse import csr_array

    post_index, pre_index = np.divmod(np.random.default_rng(seed).choice(post * pre, count, replace=False), pre)
    return Sparse.from_scipy(csr_array((np.full(count, SILENT), (post_index, pre_index)), shape=(post, pre)))
