"""What a learning rule does to a projection's synapses, in float: the definition that backends are held to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.errors import InputError
from neuromorph.parts import SYNAPSE_STATES, ProjectionProgram, TraceProgram
from neuromorph.plasticity.language import Factor, Product
from neuromorph.recording import FloatArray, IntArray

PRE_TRACES = ("x1", "x2")


class PlasticSynapses(ABC):
    """Weights, tags and traces of one plastic projection, and :meth:`learn`, which is called once per time step.

    A synapse that does not exist is not stored, so it never grows.
    """

    def __init__(self, projection: ProjectionProgram, *, sees_coincidence: bool = True) -> None:
        if projection.rule is None:
            raise InputError(f"projection {projection.name!r} has no learning rule")
        self.projection, self.rule = projection, projection.rule
        self.sees_coincidence = sees_coincidence  # pre and post spikes of one step see each other's full impulse
        self.weight: FloatArray = projection.weight.copy()
        self.tag: FloatArray = np.zeros_like(self.weight)
        self.delay: FloatArray = projection.delay.astype(np.float64)  # steps, real where they learn
        self.traces: dict[str, FloatArray] = {name: np.zeros(self._size(name)) for name in self.rule.traces}
        self._pre_pointer, self._pre_order = projection.by_pre
        self._post_pointer = projection.by_post
        self.reset()

    @abstractmethod
    def learn(
        self,
        step: int,
        pre: IntArray,
        post: IntArray,
        reward: FloatArray | None,
        membrane: FloatArray | None = None,
    ) -> None:
        """Take in the neurons that sent spikes in ``step`` (1, 2, ...), and learn if the step ends an epoch.

        ``reward`` is r: shape (1,) or (post_size,), or None where the rule has none. ``membrane`` is v of the
        postsynaptic neurons after the reset, for rules with traces that follow it.
        """

    def reset(self) -> None:
        """Forget traces, tags and the spikes of the running epoch; weights and delays stay."""
        self.tag[:] = 0.0
        for values in self.traces.values():
            values[:] = 0.0
        self._pre_time: IntArray = np.zeros(self.projection.pre_size, dtype=np.int64)  # 0: no spike in this epoch
        self._post_time: IntArray = np.zeros(self.projection.post_size, dtype=np.int64)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Everything but the weights, as :func:`neuromorph.checkpoint.state_layout` names it; the arrays themselves."""
        own = {name: self.variable(name) for name in self.rule.targets if name != "weight"}
        return {**own, **self.traces, "pre_time": self._pre_time, "post_time": self._post_time}

    def variable(self, name: str) -> FloatArray:
        """``weight``, ``tag``, ``delay`` or a trace: the array itself."""
        if name in SYNAPSE_STATES:
            return {"weight": self.weight, "tag": self.tag, "delay": self.delay}[name]
        return self.traces[name]

    def steps_of(self, synapses: IntArray) -> IntArray:
        """After how many whole steps spikes that are sent now over these synapses arrive: halves go to the even number."""
        return np.rint(self.delay[synapses]).astype(np.int64)

    def go_on(self, state: Mapping[str, npt.NDArray[Any]], steps: int) -> None:
        """Take over what :meth:`state` gave after ``steps`` steps."""
        del steps
        for name, values in self.state().items():
            values[:] = state[name]

    def _touched(self, dependency: str, number: int, pre: IntArray, post: IntArray) -> IntArray | slice:
        """Synapses for which the dependency is 1."""
        if dependency == "x0":
            parts = [self._pre_order[self._pre_pointer[i] : self._pre_pointer[i + 1]] for i in pre]
            return np.concatenate(parts) if parts else np.zeros(0, np.int64)
        if dependency == "y0":
            ranges = [np.arange(self._post_pointer[j], self._post_pointer[j + 1]) for j in post]
            return np.concatenate(ranges) if ranges else np.zeros(0, np.int64)
        return slice(None) if number % 2 ** int(dependency[1:]) == 0 else np.zeros(0, np.int64)

    def _size(self, trace: str) -> int:
        return self.projection.pre_size if trace in PRE_TRACES else self.projection.post_size


@final
class PlasticState(PlasticSynapses):
    """Synapses that learn in float.

    Within an epoch of T steps only the last spike of a neuron is timed; an earlier one acts at the epoch's start. At
    the epoch's end a product reads each trace at the time of its dependency (x0: the presynaptic spike, y0: the
    postsynaptic spike, u: the epoch's end), with the impulse of a spike in that very step included. All targets read
    the weights and tags of before the epoch.
    """

    def __init__(self, projection: ProjectionProgram, *, sees_coincidence: bool = True) -> None:
        super().__init__(projection, sees_coincidence=sees_coincidence)
        self._powers = {
            name: trace.decay ** np.arange(self.rule.epoch + 1, dtype=np.float64)
            for name, trace in self.rule.traces.items()
        }
        self._membrane: FloatArray | None = None  # v of the step that is learned from

    def learn(
        self,
        step: int,
        pre: IntArray,
        post: IntArray,
        reward: FloatArray | None,
        membrane: FloatArray | None = None,
    ) -> None:
        """Take in the spikes of a step, and learn if it ends an epoch."""
        epoch = self.rule.epoch
        offset = step % epoch or epoch
        self._membrane = membrane
        for neurons, time, names in ((pre, self._pre_time, "x"), (post, self._post_time, "y")):
            if epoch > 1 and neurons.size:
                again = neurons[time[neurons] > 0]
                for name, trace in self.rule.traces.items():
                    if name.startswith(names):
                        kept = 0.0 if trace.nearest else self.traces[name][again]
                        self.traces[name][again] = kept + trace.impulse
            time[neurons] = offset
        if offset == epoch:
            self._end_epoch(step // epoch, pre if epoch == 1 else np.flatnonzero(self._pre_time),
                            post if epoch == 1 else np.flatnonzero(self._post_time), reward)  # fmt: skip

    def _end_epoch(self, number: int, pre: IntArray, post: IntArray, reward: FloatArray | None) -> None:
        start = self.traces
        self.traces = {}
        for name, trace in self.rule.traces.items():
            time, spiked = (self._pre_time, pre) if name in PRE_TRACES else (self._post_time, post)
            if trace.follows_membrane:
                self.traces[name] = self._following(trace, start[name], post)
                continue
            end = self._powers[name][self.rule.epoch] * start[name]
            if trace.nearest:
                end[spiked] = 0.0
            end[spiked] += trace.impulse * self._powers[name][self.rule.epoch - time[spiked]]
            self.traces[name] = end
        changes = []
        for target, total in self.rule.targets.items():
            for product in total.products:
                touched = self._touched(product.dependency, number, pre, post)
                if isinstance(touched, slice) or touched.size:
                    changes.append((target, touched, self._value(product, touched, start, reward)))
        for target, touched, change in changes:
            self.variable(target)[touched] += change
        for target, touched, _ in changes:
            if target == "weight":
                self.weight[touched] = np.minimum(np.maximum(self.weight[touched], self.rule.w_min), self.rule.w_max)
            elif target == "delay":
                # what is no number becomes one step: spikes must arrive
                self.delay[touched] = np.fmin(np.fmax(self.delay[touched], 1.0), float(self.rule.d_max or 1))
        self._pre_time[pre] = 0
        self._post_time[post] = 0

    def _value(
        self, product: Product, touched: IntArray | slice, start: dict[str, FloatArray], reward: FloatArray | None
    ) -> FloatArray:
        pre, post = self.projection.pre_index[touched], self.projection.post_index[touched]
        value: FloatArray = np.full(pre.shape, product.coefficient)
        for factor in product.factors:
            value *= self._factor(factor, product.dependency, touched, pre, post, start, reward)
        return value

    def _factor(
        self,
        factor: Factor,
        dependency: str,
        touched: IntArray | slice,
        pre: IntArray,
        post: IntArray,
        start: dict[str, FloatArray],
        reward: FloatArray | None,
    ) -> FloatArray:
        name = factor.variable
        if name == "w":
            value = self.weight[touched]
        elif name == "t":
            value = self.tag[touched]
        elif name == "d":
            value = self.delay[touched]
        elif name == "r":
            if reward is None:
                raise InputError(f"rule {self.rule.name!r} of {self.projection.name!r} needs a third factor")
            value = reward if reward.size == 1 else reward[post]
        else:
            neuron = pre if name in PRE_TRACES else post
            is_now = dependency[0] == "u" or self.rule.traces[name].follows_membrane
            if is_now or (self.rule.epoch == 1 and self.sees_coincidence):
                value = self.traces[name][neuron]
            else:
                when = self._pre_time[pre] if dependency == "x0" else self._post_time[post]
                value = self._trace_at(name, neuron, when, start[name])
        if factor.constant:
            value = value + factor.constant
        if factor.positive:
            return np.maximum(value, 0.0)
        return np.sign(value) if factor.sign else value

    def _following(self, trace: TraceProgram, start: FloatArray, post: IntArray) -> FloatArray:
        """A trace of the membrane after this step."""
        if self._membrane is None:
            raise InputError(f"rule {self.rule.name!r} of {self.projection.name!r} needs the membrane of its neurons")
        membrane = self._membrane.copy()
        membrane[post] = trace.impulse
        return trace.decay * start + (1.0 - trace.decay) * membrane

    def _trace_at(self, name: str, neuron: IntArray, when: IntArray, start: FloatArray) -> FloatArray:
        """A trace ``when`` steps into the epoch, impulses of that step included."""
        spike = (self._pre_time if name in PRE_TRACES else self._post_time)[neuron]
        value: FloatArray = self._powers[name][when] * start[neuron]
        seen = (spike > 0) & (spike <= when if self.sees_coincidence else spike < when)
        if self.rule.traces[name].nearest:
            value[seen] = 0.0
        value[seen] += self.rule.traces[name].impulse * self._powers[name][(when - spike)[seen]]
        return value
