"""Synapses as a Nengo transform with an operator: event-driven, with delays and learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from nengo.builder import Builder, Model, Operator, Signal
from nengo.params import Parameter
from nengo.transforms import Transform

from neuromorph.arithmetic import scaled
from neuromorph.backend import reward
from neuromorph.fixed_plastic_state import plastic_synapses
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray, IntArray


@final
class UnderWay:
    """One projection while it runs: its weights, and what was sent and has not arrived.

    In fixed point weights are mantissas; what is sent together and arrives together is summed, then shifted by the
    projection's exponent. In float the exponent is 0.
    """

    def __init__(self, projection: ProjectionProgram, program: Program, seed: int) -> None:
        self.projection, self.exponent = projection, projection.weight_exponent
        self.plastic = None if projection.rule is None else plastic_synapses(program, projection, seed)
        self.weight: FloatArray = projection.weight.copy() if self.plastic is None else self.plastic.weight
        self.arriving: FloatArray = np.zeros((projection.max_delay, projection.post_size))  # row t: arrives at step t
        self.step = 0  # steps that were taken
        # v of the postsynaptic neurons, which the session gives; spikes are of this step, so v is too
        self.membrane: FloatArray | None = None
        # One row is added to another only if there are two neurons: NumPy sums a single column in pairs.
        self._matrix = (
            self.weight.reshape(projection.post_size, projection.pre_size).T
            if projection.is_full and projection.has_one_delay and projection.post_size > 1
            else None
        )
        self._pointer, self._order = projection.by_pre
        self._moving = self.plastic if projection.learns_delays else None  # whose delays learn

    def send(self, pre: IntArray) -> None:
        """Enter spikes that are sent in this step, with the weights of now, where they arrive."""
        self.step += 1
        if pre.size == 0:
            return
        rows, size = self.arriving.shape
        if self._matrix is not None:
            # The row of ``step`` is free again, and comes up after ``rows`` steps: the delay that all synapses have.
            total = np.add.reduce(np.ascontiguousarray(self._matrix[pre]), axis=0)
            self.arriving[self.step % rows] = scaled(total, self.exponent)
            return
        synapse = np.concatenate([self._order[self._pointer[i] : self._pointer[i + 1]] for i in pre])
        post, weight = self.projection.post_index[synapse], self.weight[synapse]
        if rows == 1:
            self.arriving[0] = scaled(np.bincount(post, weights=weight, minlength=size), self.exponent)
            return
        delay = self.projection.delay[synapse] if self._moving is None else self._moving.steps_of(synapse)
        place = (self.step + delay) % rows * size + post
        total = np.bincount(place, weights=weight, minlength=rows * size)
        self.arriving += scaled(total, self.exponent).reshape(rows, size)

    def arrive(self, into: FloatArray) -> None:
        """Hand out what arrives at the next step; its row is free again."""
        row = self.arriving[(self.step + 1) % len(self.arriving)]
        into[...] = row
        row[...] = 0.0

    def reset(self) -> None:
        """Forget what is under way, traces and tags."""
        self.arriving[:] = 0.0
        if self.plastic is not None:
            self.plastic.reset()


@final
class Synapses(Transform):  # type: ignore[misc]
    """The synapses of one projection: spikes in, the current that arrives one step later or after longer delays out."""

    under_way = Parameter("under_way", readonly=True)
    post = Parameter("post", readonly=True)  # the neurons whose spikes a learning rule sees
    modulators = Parameter("modulators", readonly=True)  # name to Node

    def __init__(self, under_way: UnderWay, post: Any, modulators: Mapping[str, Any]) -> None:
        super().__init__()
        self.under_way, self.post, self.modulators = under_way, post, modulators

    @property
    def size_in(self) -> int:
        """Presynaptic neurons."""
        return int(self.under_way.projection.pre_size)

    @property
    def size_out(self) -> int:
        """Postsynaptic neurons."""
        return int(self.under_way.projection.post_size)

    def sample(self, rng: Any = np.random) -> FloatArray:
        """The weights of now as a matrix (post, pre)."""
        del rng
        matrix: FloatArray = self.under_way.projection.matrix(self.under_way.weight)
        return matrix


@final
class SimSynapses(Operator):  # type: ignore[misc]
    """Send the spikes of a step, learn from them, and set what arrives in the next step.

    1. sets ``[]``; 2. incs ``[]``; 3. reads ``[pre, post, *modulators]``; 4. updates ``[arriving]``.

    It is an update, so what it computes is seen one step later: the shortest delay there is, and no cycle in Nengo's
    graph whatever the projections.
    """

    def __init__(
        self, under_way: UnderWay, pre: Any, post: Any, modulators: Mapping[str, Any], arriving: Any, tag: str
    ) -> None:
        super().__init__(tag=tag)
        self.under_way, self.names = under_way, tuple(modulators)
        self.sets: list[Any] = []
        self.incs: list[Any] = []
        self.reads = [pre, post, *modulators.values()] if under_way.plastic is not None else [pre]
        self.updates = [arriving]

    def make_step(self, signals: Any, dt: float, rng: Any) -> Callable[[], None]:
        """The function that Nengo calls in every step; the optimizer may have exchanged signals in the lists."""
        del dt, rng
        under_way, plastic = self.under_way, self.under_way.plastic
        pre, arriving = signals[self.reads[0]], signals[self.updates[0]]

        def send() -> None:
            under_way.send(np.flatnonzero(pre))
            under_way.arrive(arriving)

        if plastic is None:
            return send
        post, weights = signals[self.reads[1]], plastic.rule.modulators
        factors = {name: signals[s][np.newaxis] for name, s in zip(self.names, self.reads[2:], strict=True)}

        def send_and_learn() -> None:
            spiking = np.flatnonzero(pre)
            under_way.send(spiking)
            under_way.arrive(arriving)
            r = reward(factors, weights, 0)
            plastic.learn(under_way.step, spiking, np.flatnonzero(post), r, under_way.membrane)

        return send_and_learn


def build_synapses(
    model: Model, synapses: Synapses, sig_in: Any, decoders: Any = None, encoders: Any = None, rng: Any = None
) -> tuple[Any, None]:
    """Build the transform; Nengo then adds the first result to the current of the postsynaptic neurons."""
    del decoders, encoders, rng
    projection = synapses.under_way.projection
    arriving = Signal(np.zeros(projection.post_size), name=f"{projection.name}.arriving")
    post = model.sig[synapses.post]["out"]
    modulators = {name: model.sig[node]["out"] for name, node in synapses.modulators.items()}
    model.add_op(SimSynapses(synapses.under_way, sig_in, post, modulators, arriving, tag=projection.name))
    return arriving, None


Builder.register(Synapses)(build_synapses)
