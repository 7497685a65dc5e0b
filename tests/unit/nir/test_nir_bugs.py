"""What nir 1.0.8 gets wrong: that it does, so that a work-around can go when it no longer does, and that we do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nir
import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError

DT = 1e-3
STRICT = pytest.mark.xfail(strict=True, raises=Exception, reason="a bug of nir 1.0.8: when this passes, it is mended")


def scalar_graph() -> Any:
    zero = np.array(0.0)  # 0-d
    nodes = {
        "i": nir.Input(np.array([2])),
        "w": nir.Linear(np.eye(2)),
        "n": nir.LIF(tau=zero + 0.01, r=zero + 1, v_leak=zero, v_threshold=zero + 0.5),
    }
    return nir.NIRGraph(nodes=nodes, edges=[("i", "w"), ("w", "n")], type_check=False)


def convolution_graph() -> Any:
    nodes = {
        "i": nir.Input(np.array([1, 5, 5])),
        "c": nir.Conv2d((5, 5), np.arange(6.0).reshape(1, 1, 2, 3), 1, 0, 1, 1, np.zeros(1)),
        "n": nir.Threshold(np.ones((1, 4, 3))),
    }
    return nir.NIRGraph(nodes=nodes, edges=[("i", "c"), ("c", "n")], type_check=False)


@dataclass(eq=False)
class Custom(nir.NIRNode):
    strength: np.ndarray

    def __post_init__(self) -> None:
        self.input_type, self.output_type = {"input": np.array([1])}, {"output": np.array([1])}


@STRICT
def test_nir_writes_arrays_without_dimensions(tmp_path: Any) -> None:
    nir.write(tmp_path / "scalar.nir", scalar_graph())


def test_parameters_without_dimensions_are_spread_over_what_arrives() -> None:
    network = nm.from_nir(scalar_graph(), dt=DT)
    assert network.size("n") == 2
    assert isinstance(network.populations[1], nm.Population)


def test_what_is_exported_has_no_array_without_dimensions(
    tmp_path: Any, random_network: Callable[..., nm.Network]
) -> None:
    for seed in range(5):
        graph = nm.to_nir(random_network(seed), tmp_path / "net.nir", dt=DT)
        for node in graph.nodes.values():
            assert all(value.ndim >= 1 for value in vars(node).values() if isinstance(value, np.ndarray))


@STRICT
def test_nir_keeps_the_order_of_nodes(tmp_path: Any) -> None:
    nodes = {"z": nir.Input(np.array([1])), "a": nir.Scale(np.ones(1)), "m": nir.Output(np.array([1]))}
    nir.write(tmp_path / "order.nir", nir.NIRGraph(nodes=nodes, edges=[("z", "a"), ("a", "m")]))
    assert list(nir.read(tmp_path / "order.nir").nodes) == ["z", "a", "m"]


def test_the_order_of_populations_comes_back(tmp_path: Any) -> None:
    names = ["z", "a", "m", "b"]
    net = nm.Network(populations=[nm.Population(name, 1, nm.LIF()) for name in names])
    nm.to_nir(net, tmp_path / "order.nir", dt=DT)
    again = nm.from_nir(nir.read(tmp_path / "order.nir"), dt=DT)
    assert [population.name for population in again.populations] == names


@STRICT
def test_nir_writes_data_of_graphs_in_graphs(tmp_path: Any) -> None:
    nir.write_data(tmp_path / "data.nir", nir.NIRGraphData(nodes={"inner": nir.NIRGraphData(nodes={})}))  # for ever


def test_data_are_refused_as_no_graph() -> None:
    inner = nir.NIRGraphData(nodes={})
    with pytest.raises(InputError, match="got a NIRGraphData"):
        nm.from_nir(nir.NIRGraphData(nodes={"inner": inner}), dt=DT)


@STRICT
def test_nir_reads_a_custom_node(tmp_path: Any) -> None:
    nir.write(tmp_path / "own.nir", nir.NIRGraph({"own": Custom(np.ones(1))}, [], type_check=False))
    nir.read(tmp_path / "own.nir", type_check=False)


def test_a_custom_node_is_named_beside_all_others(tmp_path: Any) -> None:
    nodes = {"i": nir.Input(np.array([1])), "own": Custom(np.ones(1)), "other": Custom(np.ones(1))}
    graph = nir.NIRGraph(nodes, [("i", "own"), ("own", "other")], type_check=False)
    nir.write(tmp_path / "own.nir", graph)
    for given in (graph, tmp_path / "own.nir"):
        with pytest.raises(InputError) as caught:
            nm.from_nir(given, dt=DT)
        assert sorted(fault.partition(";")[0] for fault in caught.value.faults) == [
            "Custom node 'other' has no counterpart in a spiking program",
            "Custom node 'own' has no counterpart in a spiking program",
        ]


@STRICT
def test_nir_derives_the_shape_of_a_kernel_that_is_not_square(tmp_path: Any) -> None:
    nir.write(tmp_path / "conv.nir", convolution_graph())
    nir.read(tmp_path / "conv.nir")


def test_a_kernel_that_is_not_square_is_read(tmp_path: Any) -> None:
    nir.write(tmp_path / "conv.nir", convolution_graph())
    network = nm.from_nir(tmp_path / "conv.nir", dt=DT)
    assert nm.compile(network, dt=DT).projections[0].synapses == 12 * 5  # six taps, one of them 0
