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
        "the edge 'i' -> 'block' needs a sub-graph with one Input node, there are 2",
        "the edge 'block' -> 'o' needs a sub-graph with one Output node, there are 0",
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
