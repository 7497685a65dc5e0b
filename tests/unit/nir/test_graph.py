from __future__ import annotations

from typing import Any

import nir
import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError

DT = 1e-3
ONE = np.ones(1)


def lif(size: int = 1, threshold: float = 1.0) -> Any:
    one = np.ones(size)
    return nir.LIF(tau=0.01 * one, r=one, v_leak=0 * one, v_threshold=threshold * one)


def graph(edges: str, **nodes: Any) -> Any:
    """Edges as text: ``a>b>c d>c``."""
    pairs = [pair for part in edges.split() for pair in zip(part.split(">"), part.split(">")[1:], strict=False)]
    return nir.NIRGraph(nodes=nodes, edges=pairs, type_check=False)


def faults(graph: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        nm.from_nir(graph, dt=DT)
    return list(caught.value.faults)


def test_linear_nodes_that_feed_themselves_are_refused() -> None:
    found = faults(graph("i>a>b>a b>n", i=nir.Input(np.array([1])), a=nir.Scale(ONE), b=nir.Scale(ONE), n=lif()))
    assert len(found) == 1 and "feed themselves without a neuron between" in found[0]
    assert "a -> b -> a" in found[0] or "b -> a -> b" in found[0]


def test_shapes_that_do_not_fit_name_the_edge() -> None:
    found = faults(graph("i>w>n", i=nir.Input(np.array([3])), w=nir.Linear(np.ones((2, 4))), n=lif(5)))
    assert found == [
        "the edge 'i' -> 'w': shape (3,) leaves, and Linear node 'w' reads shape (4,)",
        "the edge 'w' -> 'n': shape (2,) leaves, and LIF node 'n' reads shape (5,)",
    ]


def test_what_a_file_lacks_is_said_in_one_error() -> None:
    plain = graph(
        "i>n n>gone n>o",
        i=nir.Input(np.array([1])),
        n=lif(),
        o=nir.Output(np.array([1])),
        lost=nir.Output(np.array([1])),
    )
    plain.edges.append(("i", "n"))
    del plain.nodes["n"].tau
    assert faults(plain) == [
        "the edge 'n' -> 'gone' names a node 'gone' that is not there",
        "LIF node 'n' lacks its parameter tau",
        "the edge 'i' -> 'n' is there more than once: NIR adds what arrives once",
    ]


def test_sub_graphs_need_one_way_in_and_out() -> None:
    block = graph("x>n y>n", x=nir.Input(np.array([1])), y=nir.Input(np.array([1])), n=lif())
    found = faults(graph("i>block>o", i=nir.Input(np.array([1])), block=block, o=nir.Output(np.array([1]))))
    assert found == [
        "the edge 'i' -> 'block' needs a sub-graph with one Input node, there are 2: put its nodes into the graph itself",
        "the edge 'block' -> 'o' needs a sub-graph with one Output node, there are 0: put its nodes into the graph itself",
    ]


@pytest.mark.parametrize("given", [3, None, lif()])
def test_other_objects_are_refused(given: Any) -> None:
    with pytest.raises(InputError, match=f"takes a file's path or a nir.NIRGraph, got a {type(given).__name__}"):
        nm.from_nir(given, dt=DT)


def test_files_that_are_no_graphs_are_refused(tmp_path: Any) -> None:
    import h5py

    (tmp_path / "text.nir").write_text("hello")
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["x"] = 1
    nir.write(tmp_path / "node.nir", lif())
    for name, said in (
        ("none.nir", "there is no file"),
        ("text.nir", "is no HDF5 file"),
        ("other.nir", "no group 'node'"),
        ("node.nir", "got 'LIF' at the top"),
    ):
        with pytest.raises(InputError, match=said):
            nm.from_nir(tmp_path / name, dt=DT)


def test_edges_at_the_wrong_end_and_wrong_sizes_of_outputs_are_refused() -> None:
    nodes = {"i": nir.Input(np.array([1])), "n": lif(), "o": nir.Output(np.array([1]))}
    found = faults(graph("i>n>o>n n>i", **nodes))
    assert [fault.partition(" leaves")[0] for fault in found] == ["the edge 'o' -> 'n'", "the edge 'n' -> 'i'"]
    (found_size,) = faults(graph("i>n>o", **{**nodes, "o": nir.Output(np.array([2]))}))
    assert found_size == "the edge 'n' -> 'o': shape (1,) leaves, and Output node 'o' reads shape (2,)"


def write_group(path: Any, **values: Any) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("node")
        for name, value in {"type": "NIRGraph", **values}.items():
            group[name] = value
        if "nodes" not in values:
            group.create_group("nodes/a")["type"] = "Input"


def test_files_of_another_structure_are_refused_without_a_traceback(tmp_path: Any) -> None:
    import h5py

    with h5py.File(tmp_path / "data.nir", "w") as file:
        file["node"] = 1
    write_group(tmp_path / "nodes.nir", nodes=3, edges=[1])
    write_group(tmp_path / "edges.nir", edges=[1, 2])
    write_group(tmp_path / "edge.nir", edges=4)
    for name, said in (
        ("data.nir", "no group 'node'"),
        ("nodes.nir", "nodes of a NIR graph are a group"),
        ("edges.nir", "an edge of a NIR graph is two names"),
        ("edge.nir", "an edge of a NIR graph is two names"),
    ):
        with pytest.raises(InputError, match=said):
            nm.from_nir(tmp_path / name, dt=DT)


@pytest.mark.parametrize("edge", [1, "in", ("i", "n", "n"), ("i",), (None, "n")])
def test_an_edge_that_is_no_pair_is_refused(edge: Any) -> None:
    plain = graph("i>n", i=nir.Input(np.array([1])), n=lif())
    plain.edges.append(edge)
    with pytest.raises(InputError, match="an edge of a NIR graph is two names, from and to, got"):
        nm.from_nir(plain, dt=DT)


def test_values_that_are_no_real_numbers_are_named_together_and_once() -> None:
    found = faults(
        graph(
            "i>a>n i>b>n i>c>n",
            i=nir.Input(np.array([1])),
            a=nir.Linear(np.array([[1j]])),
            b=nir.Linear(np.array([["x"]])),
            c=nir.Affine(np.array([[np.nan]]), np.array([np.nan])),
            n=nir.LIF(ONE, np.nan * ONE, ONE, 2 * ONE),
        )
    )
    assert found == [
        "Linear node 'a': its weight must be real numbers, got values of type complex128",
        "Linear node 'b': its weight must be real numbers, got values of type <U1",
        "Affine node 'c': its weight must not hold NaN",
        "Affine node 'c': its bias must not hold NaN",
        "LIF node 'n': its r must not hold NaN",
    ]


def test_shapes_and_neurons_are_named_together() -> None:
    bad = nir.LIF(-ONE, ONE, ONE, 2 * ONE)
    found = faults(graph("i>w>n", i=nir.Input(np.array([3])), w=nir.Linear(np.ones((1, 4))), n=bad))
    assert found == [
        "the edge 'i' -> 'w': shape (3,) leaves, and Linear node 'w' reads shape (4,)",
        "LIF node 'n': its tau must be >= 0, got -1.0",
    ]


def test_two_nodes_of_one_path_are_refused() -> None:
    block = graph("x>n>y", x=nir.Input(np.array([1])), n=lif(), y=nir.Output(np.array([1])))
    plain = nir.NIRGraph({"i": nir.Input(np.array([1])), "block": block, "block/n": lif()}, [], type_check=False)
    (found,) = faults(plain)
    assert found == "two nodes are called 'block/n', one of them by its path through sub-graphs: rename one"


def test_parameters_that_leave_all_numbers_name_their_node() -> None:
    huge = nir.LIF(0.01 * ONE, 1e300 * ONE, 0 * ONE, ONE)
    weights, bias = np.array([[1e300]]), np.array([1e300])
    (weight_fault,) = faults(graph("i>w>n", i=nir.Input(np.array([1])), w=nir.Linear(weights), n=huge))
    assert weight_fault.startswith("LIF node 'n': weights from 'i' times")
    (bias_fault,) = faults(graph("i>w>n", i=nir.Input(np.array([1])), w=nir.Affine(0 * weights, bias), n=huge))
    assert bias_fault == "LIF node 'n': LIF.bias must be finite, got inf"


def test_a_graph_states_no_time_step() -> None:
    with pytest.raises(InputError, match=r"states no time step: give dt in seconds, such as dt=1e-4"):
        nm.from_nir(graph("i>n", i=nir.Input(np.array([1])), n=lif()))
