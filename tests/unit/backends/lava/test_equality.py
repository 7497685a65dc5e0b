"""Both ways of running a stock graph give the same numbers to the bit, in whatever chunks it is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun

STATES = {
    "plastic": ["weights", "x1", "x2", "y1", "y2", "y3", "tag_1", "tag_2", "tx", "ty", "a_buff"],
    "hidden": ["u", "v"],
    "output": ["u", "v"],
    "recurrent": ["weights", "a_buff"],
    "sparse": ["weights", "a_buff"],
    "sink": ["data"],
    "voltage": ["var_read_0"],
    "weights": ["var_read_0"],
}
STEPS = 64


def states_after(run_class: Any, graph: Any, chunks: list[int]) -> dict[str, Any]:
    states = {}
    with run_class(graph.first, graph.configuration) as run:
        for steps in chunks:
            assert run.run(steps) == steps
        assert run.steps == sum(chunks)
        for name, attributes in STATES.items():
            for attribute in attributes:
                value = run.read(graph[name], attribute)
                states[f"{name}.{attribute}"] = value.toarray() if sparse.issparse(value) else value
    return states


def assert_identical(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert first.keys() == second.keys()
    differing = [
        name
        for name, value in first.items()
        if value.dtype != second[name].dtype or not np.array_equal(value, second[name], equal_nan=True)
    ]
    assert differing == []


@pytest.mark.parametrize("arithmetic", ["float", "fixed"])
def test_in_process_equals_the_stock_runtime(
    arithmetic: str, plastic_graph: Callable[..., Any], leftovers: Any
) -> None:
    here = states_after(InProcessRun, plastic_graph(arithmetic), [STEPS])
    there = states_after(MultiProcessRun, plastic_graph(arithmetic), [STEPS])
    assert_identical(here, there)
    # The graph must do something for the comparison to mean anything.
    assert here["sink.data"].any()
    assert (here["weights.var_read_0"][0] != here["weights.var_read_0"][-1]).any()
    assert np.unique(here["voltage.var_read_0"]).size > 50


@pytest.mark.parametrize("chunks", [[1] * STEPS, [1, 7, 0, 56], [63, 1]], ids=str)
def test_chunks_equal_one_run_in_process(chunks: list[int], plastic_graph: Callable[..., Any], leftovers: Any) -> None:
    whole = states_after(InProcessRun, plastic_graph("fixed"), [STEPS])
    assert_identical(whole, states_after(InProcessRun, plastic_graph("fixed"), chunks))


def test_chunks_equal_one_run_on_the_stock_runtime(plastic_graph: Callable[..., Any], leftovers: Any) -> None:
    whole = states_after(InProcessRun, plastic_graph("float"), [STEPS])
    assert_identical(whole, states_after(MultiProcessRun, plastic_graph("float"), [1, 7, 0, 56]))


def test_refractory_neurons_are_equal(leftovers: Any) -> None:
    voltages = []
    for run_class in (InProcessRun, MultiProcessRun):
        source = compat.SourceRingBuffer(data=np.random.default_rng(3).random((6, 10)))
        neurons = compat.LIFRefractory(shape=(6,), vth=1, dv=0.1, du=0.3, refractory_period=3)
        source.s_out.connect(neurons.a_in)
        with run_class(neurons, model_table.run_configuration(model_table.FLOAT_MODELS)) as run:
            run.run(25)
            voltages.append(run.read(neurons, "v"))
    assert np.array_equal(*voltages)


def test_disconnected_parts_run_in_step(open_run: Any, leftovers: Any) -> None:
    parts = [compat.LIF(shape=(1,), bias_mant=bias, vth=1000) for bias in (1, 2)]
    configuration = model_table.run_configuration(model_table.FLOAT_MODELS)
    with open_run(parts, configuration) as run:
        assert run.run(3) == 3
        assert run.run(2) == 2
        assert [run.read(part, "v").item() for part in parts] == [5.0, 10.0]


def test_message_is_taken_when_it_is_sent(open_run: Any, leftovers: Any) -> None:
    # A Dense sends the buffer that it overwrites afterwards in place when delayed; the receiver must not see that.
    source = compat.SourceRingBuffer(data=np.eye(3, 12))
    delayed = compat.DelayDense(weights=np.full((3, 3), 2.0), delays=np.full((3, 3), 2), max_delay=2)
    sink = compat.SinkRingBuffer(shape=(3,), buffer=12)
    source.s_out.connect(delayed.s_in)
    delayed.a_out.connect(sink.a_in)
    with open_run(sink, model_table.run_configuration(model_table.FLOAT_MODELS)) as run:
        run.run(12)
        assert run.read(sink, "data")[0].tolist() == [0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0]
