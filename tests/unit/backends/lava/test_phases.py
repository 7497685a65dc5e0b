"""Every phase runs in process as the stock runtime runs it, however unusual the ProcessModels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.errors import SimulatorStalled


class Curious(compat.AbstractProcess):  # type: ignore[misc]
    """Asks for every phase now and then, and counts what it was asked and told."""

    def __init__(self, eager: tuple[int, int, int]) -> None:
        super().__init__(eager=eager)
        self.calls = compat.Var(shape=(7,), init=0)


@compat.implements(proc=Curious, protocol=compat.LoihiProtocol)
@compat.requires(compat.CPU)
class CuriousModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    calls = compat.LavaPyType(np.ndarray, int)

    def asked(self, number: int) -> bool:
        self.calls[number] += 1
        # With the counts in the answer, a question too many or too few changes everything after it.
        return bool((7 * self.time_step + 5 * self.calls[number]) % 11 < self.proc_params["eager"][number])

    def pre_guard(self) -> bool:
        return self.asked(0)

    def lrn_guard(self) -> bool:
        return self.asked(1)

    def post_guard(self) -> bool:
        return self.asked(2)

    def run_spk(self) -> None:
        self.calls[3] += 1

    def run_pre_mgmt(self) -> None:
        self.calls[4] += 1

    def run_lrn(self) -> None:
        self.calls[5] += 1

    def run_post_mgmt(self) -> None:
        self.calls[6] += 1


class Writer(compat.AbstractProcess):  # type: ignore[misc]
    """Reads a Var of another Process and writes it back, one larger."""

    def __init__(self, neurons: Any) -> None:
        super().__init__()
        self.port = compat.RefPort(shape=(2,))
        self.seen = compat.Var(shape=(2,), init=0)
        self.port.connect_var(neurons.v)


@compat.implements(proc=Writer, protocol=compat.LoihiProtocol)
@compat.requires(compat.CPU)
class WriterModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    port = compat.LavaPyType(compat.PyRefPort.VEC_DENSE, float)
    seen = compat.LavaPyType(np.ndarray, float)

    def post_guard(self) -> bool:
        return True

    def run_post_mgmt(self) -> None:
        self.seen = self.port.read()
        self.port.write(self.seen + 1)
        self.port.wait()


class Poller(compat.AbstractProcess):  # type: ignore[misc]
    """Looks for a message again and again instead of waiting for one."""

    def __init__(self) -> None:
        super().__init__()
        self.a_in = compat.InPort(shape=(2,))
        self.total = compat.Var(shape=(2,), init=0)


@compat.implements(proc=Poller, protocol=compat.LoihiProtocol)
@compat.requires(compat.CPU)
class PollerModel(compat.PyLoihiProcessModel):  # type: ignore[misc]
    a_in = compat.LavaPyType(compat.PyInPort.VEC_DENSE, float)
    total = compat.LavaPyType(np.ndarray, float)

    def run_spk(self) -> None:
        while not self.a_in.probe():
            pass
        self.total += self.a_in.recv()


CONFIGURATION = {**model_table.FLOAT_MODELS, Curious: CuriousModel, Writer: WriterModel, Poller: PollerModel}


def configuration() -> Any:
    return model_table.run_configuration(CONFIGURATION)


@pytest.mark.parametrize("eager", [(8, 8, 6), (11, 11, 11), (7, 8, 8)], ids=str)
def test_guards_are_asked_as_often_as_by_the_stock_runtime(
    eager: tuple[int, int, int], both_runs: Any, leftovers: Any
) -> None:
    counts = []
    for run_class in both_runs:
        curious = Curious(eager)
        with run_class(curious, configuration()) as run:
            run.run(20)
            run.run(11)
            counts.append(run.read(curious, "calls").tolist())
    assert counts[0] == counts[1]
    assert counts[0][3] == 31
    assert all(counts[0])


def test_variables_are_read_and_written_by_other_models(open_run: Any, leftovers: Any) -> None:
    neurons = compat.LIF(shape=(2,), vth=1000, bias_mant=10)
    writer = Writer(neurons)
    with open_run(writer, configuration()) as run:
        run.run(3)
        assert run.read(writer, "seen").tolist() == [32, 32]
        assert run.read(neurons, "v").tolist() == [33, 33]


def test_model_that_polls_lets_others_run(open_run: Any, leftovers: Any) -> None:
    poller = Poller()
    source = compat.SourceRingBuffer(data=np.ones((2, 1)))
    source.s_out.connect(poller.a_in)
    with open_run(poller, configuration()) as run:
        run.run(5)
        assert run.read(poller, "total").tolist() == [5, 5]


def test_models_that_poll_for_ever_are_ended(leftovers: Any) -> None:
    poller = Poller()
    neurons = compat.LIF(shape=(2,))
    neurons.s_out.connect(poller.a_in)
    with InProcessRun(poller, configuration(), stall_second=3.0) as run:
        run.model(neurons).run_spk = lambda: None
        with pytest.raises(SimulatorStalled, match=r"Poller .* spiking phase of step 1|the scheduler"):
            run.run(1)


def test_full_channel_makes_the_sender_wait(open_run: Any, leftovers: Any) -> None:
    # Two slots hold what a source that is never kept waiting would send in two steps.
    sink = compat.SinkRingBuffer(shape=(2,), buffer=50)
    source = compat.SourceRingBuffer(data=np.arange(20.0).reshape(2, 10))
    source.s_out.connect(sink.a_in)
    with open_run(sink, configuration(), compile_config={"pypy_channel_size": 1}) as run:
        run.run(50)
        assert np.array_equal(run.read(sink, "data"), np.tile(np.arange(20.0).reshape(2, 10), 5))
