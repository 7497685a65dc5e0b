"""State of ProcessModels is read and written by name between runs, the same way on both runtimes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.errors import InputError, SimulatorError


def test_state_can_be_read_and_written_before_and_between_runs(
    open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any
) -> None:
    graph = plastic_graph("fixed")
    with open_run(graph.first, graph.configuration) as run:
        before = run.read(graph["plastic"], "weights")
        assert before.dtype == np.int32
        run.write(graph["plastic"], "weights", np.zeros((8, 12)))
        assert run.read(graph["plastic"], "weights").tolist() == np.zeros((8, 12)).tolist()
        run.run(3)
        run.write(graph["plastic"], "weights", before)
        run.write(graph["hidden"], "v", np.arange(8))
        assert np.array_equal(run.read(graph["plastic"], "weights"), before)
        assert run.read(graph["hidden"], "v").dtype == np.int32
        assert run.read(graph["hidden"], "v").tolist() == list(range(8))
        assert run.read(graph["hidden"], "time_step") == 3


def test_reading_gives_a_copy(open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any) -> None:
    graph = plastic_graph("float")
    with open_run(graph.first, graph.configuration) as run:
        run.read(graph["plastic"], "weights")[:] = -1
        assert run.read(graph["plastic"], "weights").min() >= 0


def test_sparse_weights_are_written_whole_or_by_entry(
    open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any
) -> None:
    graph = plastic_graph("float")
    with open_run(graph.first, graph.configuration) as run:
        weights = run.read(graph["sparse"], "weights")
        run.write(graph["sparse"], "weights", weights.data * 2)
        assert (run.read(graph["sparse"], "weights") != weights * 2).nnz == 0
        run.write(graph["sparse"], "weights", sparse.csr_matrix((8, 5)))
        assert run.read(graph["sparse"], "weights").nnz == 0
        with pytest.raises(InputError, match=r"weights stores 0 entries"):
            run.write(graph["sparse"], "weights", [1.0])
        run.run(1)


def test_wrong_names_and_shapes_are_refused_and_the_run_goes_on(
    open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any
) -> None:
    graph = plastic_graph("float")
    with open_run(graph.first, graph.configuration) as run:
        with pytest.raises(InputError, match=r"PyLifModelFloat has no attribute 'w'; its Vars are .*bias_mant"):
            run.read(graph["hidden"], "w")
        with pytest.raises(InputError, match=r"PyLifModelFloat.v has shape \(8,\), got \(3,\)"):
            run.write(graph["hidden"], "v", np.zeros(3))
        stranger = compat.LIF(shape=(1,))
        with pytest.raises(InputError, match=r"LIF .* is not part of this run"):
            run.read(stranger, "v")
        assert run.run(2) == 2
    compat.forget([stranger])


def test_array_of_another_shape_replaces_on_request(open_run: Any, faulty_graph: Any, leftovers: Any) -> None:
    graph = faulty_graph("none")
    with open_run(graph.first, graph.configuration) as run:
        run.write(graph["source"], "data", np.array([[1, 2, 3], [4, 5, 6]]), resize=True)
        run.run(4)
        assert run.read(graph["sink"], "data")[:, :4].tolist() == [[1, 2, 3, 1], [4, 5, 6, 4]]


def test_notify_lets_a_model_rebuild_its_rule(open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any) -> None:
    graph = plastic_graph("float")
    with open_run(graph.first, graph.configuration) as run:
        run.write(graph["plastic"], "dw", "0*x0*y1", notify=True)
        before = run.read(graph["plastic"], "weights")
        run.run(20)
        assert np.array_equal(run.read(graph["plastic"], "weights"), before)


def test_lavas_own_access_works(open_run: Any, plastic_graph: Callable[..., Any], leftovers: Any) -> None:
    graph = plastic_graph("float", 20)
    with open_run(graph.first, graph.configuration) as run:
        run.run(20)
        assert np.array_equal(graph["plastic"].weights.get(), run.read(graph["plastic"], "weights"))
        assert (graph["sparse"].weights.get() != run.read(graph["sparse"], "weights")).nnz == 0
        assert graph["plastic"].dw.get() == run.read(graph["plastic"], "dw")
        monitored = graph["voltage"].get_data()["hidden"]["v"]
        assert np.array_equal(monitored[-1], run.read(graph["hidden"], "v"))
        graph["hidden"].v.set(np.arange(8.0))
        assert run.read(graph["hidden"], "v").tolist() == list(range(8))


def test_letter_larger_than_the_mailbox_is_refused(faulty_graph: Any, leftovers: Any) -> None:
    graph = faulty_graph("none")
    with MultiProcessRun(graph.first, graph.configuration, mailbox_byte=4096) as run:
        with pytest.raises(InputError, match="open the run with a larger mailbox_byte"):
            run.write(graph["source"], "data", np.zeros((2, 1000)), resize=True)
        assert run.run(1) == 1


def test_model_is_live_in_process(faulty_graph: Any, leftovers: Any) -> None:
    graph = faulty_graph("none")
    with InProcessRun(graph.first, graph.configuration) as run:
        run.model(graph["source"]).data[:, :] = 9
        run.run(1)
        assert run.model(graph["culprit"]).value.tolist() == [9, 9]
    assert run.model(graph["culprit"]).value.tolist() == [9, 9]


def test_models_do_not_share_what_their_processes_were_given(leftovers: Any) -> None:
    rule = compat.Loihi2FLearningRule(dw="x0*y1", y1_impulse=16, y1_tau=10, t_epoch=1)
    weights = np.ones((2, 3))
    plastic = compat.LearningDense(weights=weights, learning_rule=rule)
    with InProcessRun(plastic, model_table.run_configuration(model_table.FLOAT_MODELS)) as run:
        run.write(plastic, "dw", "2*x0*y1", notify=True)
        run.write(plastic, "weights", weights + 1)
    assert rule.dw_str == "x0*y1"
    assert weights.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize(("mode", "closed"), [("pause", False), ("stop", True)])
def test_model_may_ask_to_pause_or_stop(
    mode: str, closed: bool, open_run: Any, faulty_graph: Any, leftovers: Any
) -> None:
    graph = faulty_graph(mode)
    with open_run(graph.first, graph.configuration) as run:
        assert run.run(10) == 5
        assert run.steps == 5
        assert run.closed is closed
        if not closed:
            assert run.run(3) == 3
            assert run.read(graph["culprit"], "time_step") == 8


def test_run_may_be_used_from_several_threads(open_run: Any, faulty_graph: Any, leftovers: Any) -> None:
    graph = faulty_graph("none")
    done: list[int] = []
    with open_run(graph.first, graph.configuration) as run:
        done.append(run.run(3))
        for _ in range(3):
            worker = threading.Thread(target=lambda: done.append(run.run(2)))
            worker.start()
            worker.join()
        done.append(run.run(1))
        assert run.read(graph["culprit"], "time_step") == 10
    assert done == [3, 2, 2, 2, 1]


def test_model_cannot_run_its_own_run(faulty_graph: Any, leftovers: Any) -> None:
    graph = faulty_graph("none")
    with InProcessRun(graph.first, graph.configuration) as run:
        run.model(graph["culprit"]).run_spk = lambda: run.run(1)
        with pytest.raises(SimulatorError, match="cannot run it from inside"):
            run.run(1)
