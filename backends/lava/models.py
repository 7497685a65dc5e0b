"""Our ProcessModels for stock Lava Processes in floating point, and the one Process that Lava lacks.

They compute what Lava's own models compute and add what a program needs: a record of spikes and states, parameters for
each neuron, real coefficients, weight bounds, and synapses that do not exist. Discovery never sees this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.backends.lava import compat
from neuromorph.backends.lava.rules import ExactRule
from neuromorph.recording import BoolArray, FloatArray

implements, requires, tag = compat.implements, compat.requires, compat.tag
PyInPort, PyOutPort, LavaPyType = compat.PyInPort, compat.PyOutPort, compat.LavaPyType


class Record:
    """What a neuron model notes of every step; the arrays are given before each run."""

    spike_rows: npt.NDArray[np.bool_]
    u_rows: FloatArray
    v_rows: FloatArray
    threshold_adaptation_rows: FloatArray
    row: int

    def start_record(self) -> None:
        """Nothing is noted until arrays are given."""
        self.spike_rows = np.zeros((0, 0), dtype=np.bool_)
        self.u_rows, self.v_rows = np.zeros((0, 0)), np.zeros((0, 0))
        self.threshold_adaptation_rows = np.zeros((0, 0))
        self.row = 0

    def note(self, spikes: Any, u: FloatArray, v: FloatArray) -> None:
        """One step: spikes, and u and v after the reset."""
        row = self.row
        if row < len(self.spike_rows):
            self.spike_rows[row] = spikes
        if row < len(self.u_rows):
            self.u_rows[row] = u
        if row < len(self.v_rows):
            self.v_rows[row] = v
        self.row = row + 1


@implements(proc=compat.LIF, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class RecordedLif(compat.PyLifModelFloat, Record):  # type: ignore[misc]
    """Lava's LIF, with a record."""

    implements_process = None  # Lava takes an inherited mark for its own.

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.start_record()

    def run_spk(self) -> None:
        """One step."""
        super().run_spk()
        self.note(self.s_out_buff, self.u, self.v)


@implements(proc=compat.LIFRefractory, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class RecordedRefractoryLif(compat.PyLifRefractoryModelFloat, Record):  # type: ignore[misc]
    """Lava's LIFRefractory, with a record and a refractory period for each neuron."""

    implements_process = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.start_record()

    def subthr_dynamics(self, activation_in: FloatArray) -> None:
        """u goes on, v rests for the refractory period; decays may differ from neuron to neuron."""
        self.u[:] = self.u * (1 - self.du)
        self.u[:] += activation_in
        moving = self.v * (1 - self.dv) + self.u + self.bias_mant
        self.v[:] = np.where(self.refractory_period_end < self.time_step, moving, 0.0)

    def process_spikes(self, spike_vector: npt.NDArray[np.bool_]) -> None:
        """Reset, and note until when each neuron rests."""
        rest_until = self.time_step + self.refractory_period[spike_vector]
        self.refractory_period_end[spike_vector] = rest_until
        self.reset_voltage(spike_vector)
        self.note(spike_vector, self.u, self.v)


class AdaptiveLif(compat.LIFRefractory):  # type: ignore[misc]
    """A LIFRefractory whose threshold adapts, for Lava has none: ``decay_threshold`` and ``threshold_increment`` in its
    parameters have one entry for each neuron, and a refractory period may be 0.
    """


@implements(proc=AdaptiveLif, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class AdaptiveLifModel(RecordedRefractoryLif):
    """``h = decay_threshold h``; a spike where ``v > vth + h``, and then ``h += threshold_increment``."""

    implements_process = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.keep, self.increment = proc_params["decay_threshold"], proc_params["threshold_increment"]
        self.threshold_adaptation = np.zeros(self.increment.size)

    def spiking_activation(self) -> BoolArray:
        """Called once a step."""
        self.threshold_adaptation *= self.keep
        spikes: BoolArray = self.v > self.vth + self.threshold_adaptation
        return spikes

    def process_spikes(self, spike_vector: npt.NDArray[np.bool_]) -> None:
        """Raise the thresholds of neurons that spiked; the rest as without."""
        self.threshold_adaptation[spike_vector] += self.increment[spike_vector]
        if self.row < len(self.threshold_adaptation_rows):
            self.threshold_adaptation_rows[self.row] = self.threshold_adaptation
        super().process_spikes(spike_vector)


class PostTraces(compat.AbstractProcess):  # type: ignore[misc]
    """Post traces of a rule with a third factor: Lava's neurons do not send them, and its connections then expect them.

    A spike of this step is in the traces of this step.
    """

    def __init__(
        self, *, size: int, decays: FloatArray, impulses: FloatArray, nearest: BoolArray, **options: Any
    ) -> None:
        super().__init__(size=size, decays=decays, impulses=impulses, nearest=nearest, **options)
        self.s_in = compat.InPort(shape=(size,))
        self.y1_out, self.y2_out, self.y3_out = (compat.OutPort(shape=(size,)) for _ in range(3))
        self.y1, self.y2, self.y3 = (compat.Var(shape=(size,), init=0) for _ in range(3))


@implements(proc=PostTraces, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class PostTracesModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    """``y = decay y + impulse spike``, or the impulse in the place of both where the trace is a nearest one."""

    s_in = LavaPyType(PyInPort.VEC_DENSE, float)
    y1_out = LavaPyType(PyOutPort.VEC_DENSE, float)
    y2_out = LavaPyType(PyOutPort.VEC_DENSE, float)
    y3_out = LavaPyType(PyOutPort.VEC_DENSE, float)
    y1 = LavaPyType(np.ndarray, float)
    y2 = LavaPyType(np.ndarray, float)
    y3 = LavaPyType(np.ndarray, float)

    def run_spk(self) -> None:
        """One step."""
        spikes = self.s_in.recv().astype(bool)
        decays, impulses, nearest = (self.proc_params[name] for name in ("decays", "impulses", "nearest"))
        for index, (values, port) in enumerate(
            ((self.y1, self.y1_out), (self.y2, self.y2_out), (self.y3, self.y3_out))
        ):
            values *= decays[index]
            if nearest[index]:
                values[spikes] = 0.0
            values[spikes] += impulses[index]
            port.send(values.copy())


class Change:
    """Compiled expressions in the place of Lava's evaluator of rule strings; names and numbers in them are our own."""

    def __init__(self, terms: Sequence[tuple[str, str]]) -> None:
        self.terms: list[tuple[str, CodeType]] = [
            (dependency, compile(text, "<learning rule>", "eval")) for dependency, text in terms
        ]

    def apply(self, init_accumulator: FloatArray, **values: Any) -> FloatArray:
        """The synapse variable after the change."""
        changed = init_accumulator
        for dependency, code in self.terms:
            gate = values[dependency]
            if np.any(gate):  # elsewhere nothing is added: 0 times an infinite weight would be no number
                with np.errstate(invalid="ignore"):
                    changed = changed + np.where(gate, eval(code, {"__builtins__": {}}, values), 0.0)
        return changed


def total(columns: FloatArray) -> FloatArray:
    """Sum of the rows of (spiking, post), one after the other: floats then add up as they do in the reference."""
    columns = np.ascontiguousarray(columns)
    if len(columns) == 0:
        return np.zeros(columns.shape[1])
    if columns.shape[1] == 1:  # NumPy would add a single column in pairs
        return np.asarray(np.add.accumulate(columns, axis=0)[-1])
    return np.asarray(np.add.reduce(columns, axis=0))


@implements(proc=compat.Dense, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class OrderedDense(compat.PyDenseModelFloat):  # type: ignore[misc]
    """Lava's Dense, which adds in pairs, with weights added in the order of their presynaptic neurons."""

    implements_process = None
    a_buff: Any

    def run_spk(self) -> None:
        """Send what was computed in the step before, then take in the spikes of this one."""
        self.a_out.send(self.a_buff)
        self.a_buff = total(self.weights.T[self.s_in.recv().astype(bool)])


@implements(proc=compat.Sparse, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class OrderedSparse(compat.PySparseModelFloat):  # type: ignore[misc]
    """Lava's Sparse, with weights added in the order of their presynaptic neurons, and only those of spiking ones."""

    implements_process = None
    a_buff: Any

    def run_spk(self) -> None:
        """Send what was computed in the step before, then take in the spikes of this one."""
        self.a_out.send(self.a_buff)
        spiking = np.flatnonzero(self.s_in.recv())
        if "_order" not in self.__dict__:  # the structure never changes, weights do
            self._order = np.argsort(self.weights.indices, kind="stable")
            counts = np.bincount(self.weights.indices, minlength=self.weights.shape[1])
            self._pointer = np.concatenate([[0], np.cumsum(counts)])
            self._post = np.repeat(np.arange(self.weights.shape[0]), np.diff(self.weights.indptr))
        parts = [self._order[self._pointer[i] : self._pointer[i + 1]] for i in spiking]
        chosen = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        size = self.weights.shape[0]
        self.a_buff = np.bincount(self._post[chosen], weights=self.weights.data[chosen], minlength=size)


@implements(proc=compat.DelayDense, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class DelayedDense(compat.PyDelayDenseModelFloat):  # type: ignore[misc]
    """Lava's DelayDense, without building a matrix for every delay in every step: only spiking columns are touched."""

    implements_process = None

    def calc_act(self, s_in: Any) -> FloatArray:
        """What arrives after each delay, shape (post, longest delay + 1)."""
        arriving = np.zeros(self.a_buff.shape)
        columns = np.flatnonzero(s_in)
        if columns.size:
            weights = self.weights[:, columns] * np.asarray(s_in, dtype=np.float64)[columns]
            delays = self.delays[:, columns]
            for delay in np.unique(delays):
                arriving[:, delay] = total(np.where(delays == delay, weights, 0.0).T)
        return arriving


@implements(proc=compat.LearningDense, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("floating_pt")
class PlasticDense(compat.PyLearningDenseModelFloat):  # type: ignore[misc]
    """Lava's LearningDense with real coefficients, weight bounds and absent synapses.

    Spikes, epochs, traces and the order of updates are Lava's own. Only the traces that the rule reads are gathered,
    by index where Lava takes the diagonal of a matrix, which is the same and several times faster.
    """

    implements_process = None
    a_buff: Any

    def run_spk(self) -> None:
        """As Lava's own, with weights added in the order of their presynaptic neurons."""
        self.a_out.send(self.a_buff)
        spikes = self.s_in.recv().astype(bool)
        self.a_buff = total(self.weights.T[spikes])
        self.recv_traces(spikes)

    def _decay_trace(self, trace_values: FloatArray, t: Any, taus: FloatArray) -> FloatArray:
        """One step of decay, with the factor of the program and not that of a rounded time constant."""
        del t
        decays = np.array([self._exact.decays.get(float(tau), 1.0) for tau in taus[:, 0]])
        return np.asarray(trace_values * decays[:, np.newaxis])

    def _process_pre_spikes(self, s_in: FloatArray) -> None:
        """As Lava's own; of a nearest trace nothing is left that an earlier spike of the epoch could add to."""
        self._forget("x", self.tx, s_in)
        super()._process_pre_spikes(s_in)

    def _process_post_spikes(self, s_in_bap: FloatArray) -> None:
        self._forget("y", self.ty, s_in_bap)
        super()._process_post_spikes(s_in_bap)

    def _forget(self, side: str, times: Any, spikes: FloatArray) -> None:
        again = (times > 0) & spikes.astype(bool)
        for name in self._exact.nearest:
            if name[0] == side:
                getattr(self, name)[again] = 0.0

    def _compute_trace_histories(self) -> tuple[FloatArray, FloatArray]:
        """As Lava's own; a nearest trace is its impulse in the step of a spike, whatever it was."""
        histories: tuple[FloatArray, FloatArray] = super()._compute_trace_histories()
        for name, trace in self._exact.nearest.items():
            history, times = (histories[0], self.tx) if name[0] == "x" else (histories[1], self.ty)
            values = history[:, int(name[1]) - 1]  # (epoch + 1, neurons)
            for step in range(1, len(values)):
                values[step] = np.where(times == step, trace.impulse, trace.decay * values[step - 1])
        return histories

    def _build_learning_rule_appliers(self) -> None:
        exact: ExactRule = self._learning_rule.exact
        self._exact = exact
        self._learning_rule_appliers = {name: Change(text) for name, text in exact.expressions.items()}

    def _extract_applier_evaluated_traces(self, x_history: FloatArray, y_history: FloatArray) -> dict[str, FloatArray]:
        found = {}
        for trace, dependency in self._exact.traces:
            is_pre = trace[0] == "x"
            history = (x_history if is_pre else y_history)[:, int(trace[1]) - 1]  # (epoch + 1, neurons)
            if dependency == "u":
                values = history[-1][np.newaxis, :] if is_pre else history[-1][:, np.newaxis]
            elif dependency == "x0":
                own = history[self.tx, np.arange(len(self.tx))] if is_pre else None
                values = history[self.tx].T if own is None else own[np.newaxis, :]
            else:
                own = None if is_pre else history[self.ty, np.arange(len(self.ty))]
                values = history[self.ty] if own is None else own[:, np.newaxis]
            found[f"{trace}_{dependency}"] = values
        return found

    def _saturate_synaptic_variable(self, name: str, values: FloatArray) -> FloatArray:
        if name != "weights":
            return values
        bounded: FloatArray = np.minimum(np.maximum(values, self._exact.w_min), self._exact.w_max)
        return bounded if self._exact.exists is None else np.where(self._exact.exists, bounded, 0.0)
