"""Our ProcessModels in Loihi's integers: recorders of stock neurons, and what Lava has in floating point only.

Static connections, and plastic ones where every synapse exists, run on Lava's own ProcessModels. Discovery never sees
this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuromorph.arithmetic import LARGEST_TRACE
from neuromorph.backends.lava import compat
from neuromorph.backends.lava.models import PostTraces, Record

implements, requires, tag = compat.implements, compat.requires, compat.tag
PyInPort, PyOutPort, LavaPyType = compat.PyInPort, compat.PyOutPort, compat.LavaPyType


@implements(proc=compat.LIF, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class RecordedFixedLif(compat.PyLifModelBitAcc, Record):  # type: ignore[misc]
    """Lava's bit-accurate LIF, with a record."""

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
@tag("fixed_pt")
class RecordedFixedRefractoryLif(compat.PyLifModelBitAcc, Record):  # type: ignore[misc]
    """Lava's bit-accurate LIF with the refractory period of its LIFRefractory, one for each neuron, and a record."""

    implements_process = None
    refractory_period_end = LavaPyType(np.ndarray, int)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.refractory_period = proc_params["refractory_period"]
        self.start_record()

    def subthr_dynamics(self, activation_in: npt.NDArray[np.int32]) -> None:
        """u goes on, v rests for the refractory period."""
        super().subthr_dynamics(activation_in)
        self.v[self.refractory_period_end >= self.time_step] = 0

    def reset_voltage(self, spike_vector: npt.NDArray[np.bool_]) -> None:
        """Reset, and note until when each neuron rests."""
        super().reset_voltage(spike_vector)
        self.refractory_period_end[spike_vector] = self.time_step + self.refractory_period[spike_vector]

    def run_spk(self) -> None:
        """One step."""
        super().run_spk()
        self.note(self.s_out_buff, self.u, self.v)


@implements(proc=PostTraces, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("fixed_pt")
class FixedPostTracesModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    """The 7-bit post traces of a LearningDense with epochs of one step, its random numbers included.

    ``y = floor(z) + (random < frac(z))``, ``z = decay y``; then the impulse, whose fraction is rounded at random too.
    """

    s_in = LavaPyType(PyInPort.VEC_DENSE, bool, precision=1)
    y1_out = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=7)
    y2_out = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=7)
    y3_out = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=7)
    y1 = LavaPyType(np.ndarray, np.int32, precision=7)
    y2 = LavaPyType(np.ndarray, np.int32, precision=7)
    y3 = LavaPyType(np.ndarray, np.int32, precision=7)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        stream = proc_params["stream"]
        self._random = compat.TraceRandom(seed_trace_decay=stream + 2, seed_impulse_addition=stream + 3)
        impulses = proc_params["impulses"]
        self._whole = np.floor(impulses)
        self._fraction = np.round((impulses - self._whole) * 256)

    def run_spk(self) -> None:
        """One step; a connection draws once before and once after the postsynaptic spikes, and learns from the latter."""
        spikes = self.s_in.recv().astype(bool)
        self._random.advance()
        self._random.advance()
        for index, (values, port) in enumerate(
            ((self.y1, self.y1_out), (self.y2, self.y2_out), (self.y3, self.y3_out))
        ):
            exact = self.proc_params["decays"][index] * values
            held = np.floor(exact)
            held += self._random.random_trace_decay < exact - held
            impulse = self._whole[index] + (self._random.random_impulse_addition < self._fraction[index])
            held[spikes] = np.minimum(held[spikes] + impulse, LARGEST_TRACE)
            values[:] = held
            port.send(values.copy())


class PartialLearningDense(compat.LearningDense):  # type: ignore[misc]
    """A LearningDense in which synapses are absent: ``exists`` of shape (post, pre) says where there is one."""


@implements(proc=PartialLearningDense, protocol=compat.LoihiProtocol)
@requires(compat.CPU)
@tag("bit_approximate_loihi", "fixed_pt")
class PartialLearningDenseModel(compat.PyLearningDenseModelBitApproximate):  # type: ignore[misc]
    """Lava's fixed-point LearningDense; absent synapses keep the weight zero."""

    implements_process = None

    def _saturate_synaptic_variable(self, name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        held: npt.NDArray[Any] = super()._saturate_synaptic_variable(name, values)
        return np.where(self.proc_params["exists"], held, 0) if name == "weights" else held
