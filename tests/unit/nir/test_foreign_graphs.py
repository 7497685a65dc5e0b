from __future__ import annotations

from collections.abc import Callable
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


def threshold(shape: Any, level: float = 0.5) -> Any:
    return nir.Threshold(np.full(shape, level))


def graph(edges: str, **nodes: Any) -> Any:
    """Edges as text: ``a>b>c d>c``."""
    pairs = [pair for part in edges.split() for pair in zip(part.split(">"), part.split(">")[1:], strict=False)]
    return nir.NIRGraph(nodes=nodes, edges=pairs, type_check=False)


def matrix(network: nm.Network, name: str) -> np.ndarray:
    projection = nm.compile(network, dt=DT).projection(name)
    return projection.matrix(projection.weight)


def assumptions(network: nm.Network) -> str:
    return "\n".join(network.metadata["nir"]["assumptions"])


def faults(graph: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        nm.from_nir(graph, dt=DT)
    return list(caught.value.faults)


def test_all_kinds_of_nodes_of_one_file_become_one_network(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    block = graph(
        "input>w>inner>output inner>back>inner",
        input=nir.Input(np.array([3])),
        w=nir.Linear(rng.normal(size=(4, 3))),
        inner=lif(4),
        back=nir.Affine(rng.normal(size=(4, 4)), np.ones(4)),
        output=nir.Output(np.array([4])),
    )
    one = np.ones(3)
    nodes = {
        "input": nir.Input(np.array([2, 8, 8])),
        "conv": nir.Conv2d((8, 8), rng.normal(size=(4, 1, 3, 2)), 1, "valid", 1, 2, rng.normal(size=4)),
        "spikes": nir.IF(r=np.full((4, 6, 7), 1 / DT), v_threshold=np.ones((4, 6, 7))),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 1])),
        "mean": nir.AvgPool2d(np.array([3, 2]), np.array([1, 1]), np.array([0, 0])),
        "flat": nir.Flatten(np.array([4, 1, 3]), 0, -1),
        "line": nir.Linear(rng.normal(size=(3, 12))),
        "cuba": nir.CubaLIF(tau_syn=5e-3 * one, tau_mem=0.02 * one, r=one, v_leak=0 * one, v_threshold=one),
        "scale": nir.Scale(np.array([1.0, 2.0, 3.0])),
        "wait": nir.Delay(np.array([0.0, 1e-3, 2e-3])),
        "block": block,
        "step": threshold(4),
        "audio": nir.Input(np.array([1, 6])),
        "conv1d": nir.Conv1d(6, rng.normal(size=(4, 1, 6)), 1, 0, 1, 1, np.zeros(4)),
        "i": nir.I(np.ones(4)),
        "li": nir.LI(0.01 * np.ones(4), np.ones(4), np.zeros(4)),
        "cubali": nir.CubaLI(0.01 * np.ones(4), 0.01 * np.ones(4), np.ones(4), np.zeros(4)),
        "flat4": nir.Flatten(np.array([4, 1]), 0, 1),
        "output": nir.Output(np.array([4])),
        "state": nir.Output(np.array([4])),
    }
    edges = (
        "input>conv>spikes>sum>mean>flat>line>cuba>scale>wait>block>step>output"
        " audio>conv1d>flat4>i flat4>li>state flat4>cubali"
    )
    path = tmp_path / "all.nir"
    nir.write(path, graph(edges, **nodes))
    network = nm.from_nir(path, dt=DT)
    kinds = {type(node).__name__ for node in (*nodes.values(), *block.nodes.values())}
    assert kinds == {"NIRGraph", *(set(nir.ir.__all__) - {"NIRGraph", "NIRNode", "str2NIRNode", "dict2NIRNode"})}
    assert {projection.name for projection in network.projections} == {
        "input->spikes",
        "spikes->cuba",
        "cuba->block/inner",
        "block/inner->block/inner",
        "block/inner->step",
        "audio->i",
        "audio->li",
        "audio->cubali",
    }
    assert {(probe.target, probe.variable) for probe in network.probes} == {
        ("step", "spikes"),
        ("i", "v"),
        ("li", "v"),
        ("cubali", "v"),
    }
    program = nm.compile(network, dt=DT)
    assert sorted(set(program.projection("cuba->block/inner").delay.tolist())) == [1, 2, 3]
    recording = nm.run(program, 50, inputs={"input": rng.random((50, 128)) < 0.2, "audio": rng.random((50, 6)) < 0.2})
    assert recording.states["li", "v"].any()
    assert "Recurrent connections are delayed by one step too: block/inner->block/inner." in assumptions(network)
    assert "AvgPool2d" not in assumptions(network)  # no padding, nothing to say


def test_a_chain_of_linear_nodes_is_one_projection_with_their_product() -> None:
    rng = np.random.default_rng(1)
    first, second, scale = rng.normal(size=(3, 4)), rng.normal(size=(2, 3)), rng.normal(size=3)
    b1, b2 = rng.normal(size=3), rng.normal(size=2)
    network = nm.from_nir(
        graph(
            "i>a>s>b>n",
            i=nir.Input(np.array([4])),
            a=nir.Affine(first, b1),
            s=nir.Scale(scale),
            b=nir.Affine(second, b2),
            n=threshold(2),
        ),
        dt=DT,
    )
    np.testing.assert_allclose(matrix(network, "i->n"), second @ np.diag(scale) @ first, rtol=1e-12)  # order of sums
    np.testing.assert_allclose(nm.compile(network, dt=DT).populations[0].bias, second @ (scale * b1) + b2, rtol=1e-12)


def test_what_arrives_on_several_edges_is_added() -> None:
    w = np.array([[0.25, 0.5]])
    network = nm.from_nir(
        graph(
            "i>a>n i>b>n m>n i>c>m",
            i=nir.Input(np.array([2])),
            a=nir.Linear(w),
            b=nir.Affine(w, 3 * ONE),
            c=nir.Linear(w),
            m=threshold(1),
            n=threshold(1),
        ),
        dt=DT,
    )
    assert matrix(network, "i->n").tolist() == (2 * w).tolist()
    assert matrix(network, "m->n").tolist() == [[1.0]]
    assert nm.compile(network, dt=DT).population("n").bias.tolist() == [3.0]


def test_delays_of_branches_are_one_projection_where_no_synapse_has_two() -> None:
    left, right = np.diag([1.0, 0.0]), np.diag([0.0, 2.0])
    nodes = {"i": nir.Input(np.array([2])), "d": nir.Delay(np.full(2, 3e-3)), "n": threshold(2)}
    edges = "i>a>n i>b>d>n"
    apart = nm.from_nir(graph(edges, a=nir.Linear(left), b=nir.Linear(right), **nodes), dt=DT)
    (projection,) = nm.compile(apart, dt=DT).projections
    assert projection.weight.tolist() == [1.0, 2.0] and projection.delay.tolist() == [1, 4]
    both = nm.from_nir(graph(edges, a=nir.Linear(left + right), b=nir.Linear(right), **nodes), dt=DT)
    program = nm.compile(both, dt=DT)
    assert [(p.name, p.weight.tolist(), p.delay.tolist()) for p in program.projections] == [
        ("i->n", [1.0, 2.0], [1, 1]),
        ("i->n 2", [2.0], [4]),
    ]


def test_delays_before_a_matrix_belong_to_its_columns() -> None:
    network = nm.from_nir(
        graph(
            "i>d>a>n",
            i=nir.Input(np.array([2])),
            d=nir.Delay(np.array([0.0, 2e-3])),
            a=nir.Linear(np.ones((2, 2))),
            n=threshold(2),
        ),
        dt=DT,
    )
    (projection,) = nm.compile(network, dt=DT).projections
    assert projection.matrix(projection.delay).tolist() == [[1, 3], [1, 3]]
    assert "comes on top of that step" in assumptions(network)


def test_every_layer_adds_one_step_and_that_is_said() -> None:
    network = nm.from_nir(
        graph(
            "i>a>b>c>o",
            i=nir.Input(ONE.astype(int)),
            a=threshold(1),
            b=threshold(1),
            c=threshold(1),
            o=nir.Output(ONE.astype(int)),
        ),
        dt=DT,
    )
    spikes = nm.run(network, 6, inputs={"i": np.eye(6, 1)}, dt=DT).spikes["c"]
    assert spikes.steps.tolist() == [3]
    assert "each layer adds one step" in assumptions(network)


def test_a_weighted_output_is_v_of_neurons_that_never_spike() -> None:
    w = np.array([[0.5, -2.0], [1.0, 0.0], [0.0, 3.0]])
    network = nm.from_nir(
        graph(
            "i>n>w>o",
            i=nir.Input(np.array([2])),
            n=threshold(2),
            w=nir.Affine(w, np.arange(3.0)),
            o=nir.Output(np.array([3])),
        ),
        dt=DT,
    )
    recording = nm.run(network, 4, inputs={"i": np.eye(4, 2)}, dt=DT)
    assert recording.states["o", "v"].tolist() == [[0, 1, 2], [0, 1, 2], [0.5, 2, 2], [-2, 1, 5]]
    assert "Output node 'o' is v of the population 'o'" in assumptions(network)


def test_states_that_would_flow_through_edges_are_all_named_at_once() -> None:
    li, cuba = nir.LI(0.01 * ONE, ONE, 0 * ONE), nir.CubaLI(0.01 * ONE, 0.01 * ONE, ONE, 0 * ONE)
    line, bad = nir.Linear(np.eye(1)), nir.LIF(-ONE, ONE, ONE, 2 * ONE)
    found = faults(graph("i>li>w>n i>c>n i>bad", i=nir.Input(np.array([1])), li=li, c=cuba, w=line, n=lif(), bad=bad))
    assert [fault.partition(",")[0] for fault in found] == [
        "CubaLI node 'c' does not spike",
        "LI node 'li' does not spike",
        "LIF node 'bad': its tau must be >= 0",
    ]
    assert all("leads to LIF node 'n'" in fault for fault in found[:2])
    (found,) = faults(graph("i>li>w>o", i=nir.Input(np.array([1])), li=li, w=line, o=nir.Output(np.array([1]))))
    assert "LI node 'li' does not spike, and its state leads to Output node 'o'" in found


def test_an_array_that_is_read_flat_without_a_flatten_is_said() -> None:
    network = nm.from_nir(
        graph("i>w>n", i=nir.Input(np.array([2, 2])), w=nir.Linear(np.arange(4.0)[np.newaxis]), n=threshold(1)), dt=DT
    )
    assert matrix(network, "i->n").tolist() == [[0, 1, 2, 3]]
    assert "reads the array of shape (2, 2) from 'i' as one of shape (4,)" in assumptions(network)


def test_parameters_of_one_number_or_one_per_channel_are_spread() -> None:
    shape = np.array([2, 3])
    nodes = {"i": nir.Input(shape), "n": lif(), "m": nir.Threshold(np.array([[1.0], [2.0]]))}
    network = nm.from_nir(graph("i>n i>m", **nodes), dt=DT)
    assert (network.size("n"), network.size("m")) == (6, 6)
    assert nm.compile(network, dt=DT).population("m").threshold.tolist() == [1, 1, 1, 2, 2, 2]


def test_names_that_addresses_cannot_hold_are_changed_and_said() -> None:
    nodes = {"a.b": threshold(1), "a_b": threshold(1), "i": nir.Input(np.array([1]))}
    network = nm.from_nir(nir.NIRGraph(nodes=nodes, edges=[("i", "a.b"), ("a.b", "a_b")], type_check=False), dt=DT)
    assert [population.name for population in network.populations] == ["i", "a_b", "a_b 2"] or [
        population.name for population in network.populations
    ] == ["a_b", "a_b 2", "i"]
    assert "The node 'a.b' is called" in assumptions(network)


def test_padding_that_an_average_counts_is_said() -> None:
    network = nm.from_nir(
        graph(
            "i>p>n",
            i=nir.Input(np.array([1, 2, 2])),
            p=nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 1])),
            n=threshold((1, 2, 2)),
        ),
        dt=DT,
    )
    assert matrix(network, "i->n").tolist() == (np.eye(4) / 4).tolist()
    assert "AvgPool2d node 'p' averages over its whole kernel" in assumptions(network)


def test_the_weights_hold_for_their_time_step_only() -> None:
    network = nm.from_nir(graph("i>n", i=nir.Input(np.array([1])), n=lif()), dt=DT, integration="euler")
    for arguments in ({"dt": 2e-3, "integration": "euler"}, {"dt": DT, "integration": "exponential"}):
        with pytest.raises(nm.errors.CompileError, match=r"were read for dt=0.001 and integration='euler'"):
            nm.compile(network, **arguments)  # type: ignore[arg-type]
    assert nm.compile(network, dt=DT, integration="euler").projections[0].weight.item() == pytest.approx(0.1, rel=1e-15)


def test_nothing_to_simulate_is_said() -> None:
    with pytest.raises(InputError, match="holds no neurons"):
        nm.from_nir(graph("i>o", i=nir.Input(np.array([1])), o=nir.Output(np.array([1]))), dt=DT)


def test_weights_of_zero_are_no_synapses(chain: Callable[..., Any]) -> None:
    network = nm.from_nir(
        chain(i=nir.Input(np.array([2])), w=nir.Linear(np.array([[0.0, 1.0]])), n=threshold(1)), dt=DT
    )
    assert nm.compile(network, dt=DT).projections[0].synapses == 1
    assert "A weight of exactly 0 is no synapse." in assumptions(network)


@pytest.mark.parametrize("delay", [np.inf, -1e-3])
def test_delays_that_no_program_has_are_refused(delay: float) -> None:
    (found,) = faults(graph("i>d>n", i=nir.Input(np.array([1])), d=nir.Delay(np.array([delay])), n=lif()))
    assert found.startswith("Delay node 'd': its delay must be a whole number of steps")


def by_euler(spikes_in: np.ndarray, w: np.ndarray, back: np.ndarray, node: Any, wait: np.ndarray) -> np.ndarray:
    """NIR's equations of one recurrent CubaLIF, a step at a time: (steps, neurons) of what it sends.

    Written from NIR's page and from nothing here; every connection takes one step, and ``wait`` more for the way back.
    """
    steps, size = len(spikes_in), node.r.size
    sent, current, v = np.zeros((steps, size)), np.zeros(size), node.v_reset.copy()
    for t in range(steps):
        arriving = w @ spikes_in[t - 1] if t >= 1 else np.zeros(size)
        for j in range(size):
            for k in range(size):
                if (at := t - 1 - wait[k]) >= 0:
                    arriving[j] += back[j, k] * sent[at, k]
        current = current + DT / node.tau_syn * (-current + node.w_in * arriving)
        v = v + DT / node.tau_mem * (node.v_leak - v + node.r * current)
        sent[t] = v > node.v_threshold
        v = np.where(sent[t] > 0, node.v_reset, v)
    return sent


@pytest.mark.parametrize("seed", range(3))
def test_a_recurrent_graph_spikes_when_the_equations_of_nir_say(seed: int, tmp_path: Any) -> None:
    rng = np.random.default_rng(seed)
    w, back, size = rng.uniform(0, 9, (4, 3)), rng.normal(0, 9, (4, 4)), 4
    cuba = nir.CubaLIF(
        tau_syn=rng.uniform(5e-3, 2e-2, size),
        tau_mem=rng.uniform(5e-3, 2e-2, size),
        r=rng.uniform(1, 3, size),
        v_leak=rng.normal(0, 0.2, size),
        v_threshold=np.ones(size),
        v_reset=rng.uniform(-0.5, 0.3, size),
        w_in=rng.uniform(0.5, 2, size),
    )
    nodes = {
        "o": nir.Output(np.array([size])),
        "back": nir.Linear(back),
        "c": cuba,
        "wait": nir.Delay(np.array([0, 1, 2, 5]) * DT),
        "i": nir.Input(np.array([3])),
        "w": nir.Linear(w),
    }
    nir.write(tmp_path / "g.nir", graph("back>c w>c c>o c>wait>back i>w", **nodes))
    inputs = (rng.random((200, 3)) < 0.3).astype(float)
    expected = by_euler(inputs, w, back, cuba, np.array([0, 1, 2, 5]))
    network = nm.from_nir(tmp_path / "g.nir", dt=DT, integration="euler")
    assert 50 < expected.sum() < 700
    np.testing.assert_array_equal(np.asarray(nm.run(network, 200, inputs={"i": inputs}).spikes["c"]), expected)


def test_inputs_are_spikes_and_that_is_said() -> None:
    network = nm.from_nir(graph("i>n", i=nir.Input(np.array([1])), n=lif()), dt=DT)
    assert "An Input sends spikes, 0 or 1 in each step" in assumptions(network)


def test_an_imported_network_runs_for_its_time_step_by_itself() -> None:
    network = nm.from_nir(graph("i>n", i=nir.Input(np.array([1])), n=lif()), dt=1e-4, integration="euler")
    inputs = {"i": np.ones((20, 1))}
    program = nm.compile(network)
    assert (program.dt, program.integration) == (1e-4, "euler")
    assert nm.run(network, 20, inputs=inputs).dt == 1e-4
    assert nm.compare(network, 20, inputs=inputs).program_fingerprint == program.fingerprint
    for call in (nm.run, nm.compare):
        with pytest.raises(nm.errors.CompileError, match="hold for these only"):
            call(network, 20, inputs=inputs, integration="exponential")


def test_many_delays_between_large_populations_take_no_array_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {"i": nir.Input(np.array([2])), "d": nir.Delay(np.array([0.0, 2e-3])), "n": threshold(2)}
    together = nm.compile(nm.from_nir(graph("i>d>n", **nodes), dt=DT))
    monkeypatch.setattr("neuromorph.nir.foreign._LARGEST_TABLE", 3)
    apart = nm.compile(nm.from_nir(graph("i>d>n", **nodes), dt=DT))
    assert [p.delay.tolist() for p in together.projections] == [[1, 3]]
    assert [p.delay.tolist() for p in apart.projections] == [[1], [3]]
