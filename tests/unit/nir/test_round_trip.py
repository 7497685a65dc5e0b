from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import CompileError, InputError
from neuromorph.program import Integration

DT = 1e-3
SEEDS = 16


def small(plasticity: nm.LearningRule | None = None, **parameters: Any) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 3, nm.LIF(**{"refractory": 2e-3, **parameters}))],
        projections=[nm.Projection("in", "out", np.arange(6.0).reshape(3, 2) / 8, delay=3e-3, plasticity=plasticity)],
        probes=[nm.Probe("out")],
        name="small",
        metadata={"reader": {"bits": 8}},
    )


@pytest.mark.parametrize("integration", ["exponential", "euler"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_was_exported_compiles_to_the_same_program(
    random_network: Callable[..., nm.Network], tmp_path: Path, seed: int, integration: Integration
) -> None:
    network = random_network(seed)
    before = nm.compile(network, dt=DT, integration=integration, seed=seed)
    path = tmp_path / "net.nir"
    graph = nm.to_nir(network, path, dt=DT, integration=integration, seed=seed)
    for given in (graph, path, nir.read(path)):
        again = nm.from_nir(given, dt=DT, integration=integration)
        assert nm.compile(again, dt=DT, integration=integration, seed=seed).fingerprint == before.fingerprint
        assert {key: again.metadata[key] for key in network.metadata} == dict(network.metadata)


def test_random_networks_use_everything_that_travels(random_network: Callable[..., nm.Network]) -> None:
    networks = [random_network(seed) for seed in range(SEEDS)]
    rules = {p.plasticity.name for net in networks for p in net.projections if p.plasticity}
    assert rules == {"STDP", "RewardModulatedSTDP", "own", "custom"}
    graphs = [nm.to_nir(net, dt=DT) for net in networks]
    kinds = {type(node).__name__ for graph in graphs for node in graph.nodes.values()}
    assert kinds == {
        "Input",
        "Output",
        "Linear",
        "Scale",
        "Delay",
        "Threshold",
        "I",
        "IF",
        "LI",
        "LIF",
        "CubaLI",
        "CubaLIF",
    }


def test_other_tools_see_the_same_network_in_seconds(random_network: Callable[..., nm.Network]) -> None:
    rng = np.random.default_rng(0)
    compared = 0
    for seed in range(SEEDS):
        network = random_network(seed, plain=True)
        graph = nm.to_nir(network, dt=DT)
        graph.metadata = {}
        ours = nm.compile(network, dt=DT).with_all_spikes()
        theirs = nm.compile(nm.from_nir(graph, dt=DT, unit="s"), dt=DT).with_all_spikes()
        fed = {item.name: rng.random((100, item.size)) < 0.4 for item in ours.inputs}
        silent = {item.name: np.zeros((100, item.size)) for item in theirs.inputs if item.name not in fed}
        one, other = nm.run(ours, 100, inputs=fed), nm.run(theirs, 100, inputs=fed | silent)
        for population in network.populations:
            name = population.name
            spikes = np.asarray(one.spikes[name])
            assert np.array_equal(spikes, np.asarray(other.spikes[name.replace("/", "_")])), (seed, name)
            compared += int(spikes.sum())
    assert compared > 1000


def test_weights_stay_as_they_are_and_times_are_in_seconds(tmp_path: Path) -> None:
    graph = nm.to_nir(small(tau_mem=20e-3, tau_syn=5e-3, bias=0.1), tmp_path / "net.nir", dt=DT)
    read = nir.read(tmp_path / "net.nir")
    assert read.nodes["in->out"].weight.tolist() == (np.arange(6.0).reshape(3, 2) / 8).tolist()
    assert read.nodes["in->out delay"].delay.tolist() == [2e-3] * 3  # beside the one step of every connection
    node = read.nodes["out"]
    assert (node.tau_mem.tolist(), node.tau_syn.tolist()) == ([20e-3] * 3, [5e-3] * 3)
    lost, lost_syn = 1 - np.exp(-1 / 20), 1 - np.exp(-1 / 5)
    np.testing.assert_allclose(node.r * lost * node.w_in * lost_syn, 1.0, rtol=1e-12)  # 1 - exp cancels, ours does not
    np.testing.assert_allclose(node.v_leak * lost, 0.1, rtol=1e-12)
    assert json.loads(graph.metadata["neuromorph"])["conventions"]["reset"] == "zero"


def test_one_to_one_weights_are_a_scale() -> None:
    net = nm.Network(
        populations=[nm.Population("a", 4, nm.LIF())], projections=[nm.Projection("a", "a", nm.OneToOne(0.5))]
    )
    assert nm.to_nir(net, dt=DT).nodes["a->a"].scale.tolist() == [0.5] * 4


def test_changed_weights_count_and_the_rule_stays() -> None:
    rule = nm.STDP(w_min=0.0, w_max=2.0)
    graph = nm.to_nir(small(rule), dt=DT)
    graph.nodes["in->out"].weight = np.full((3, 2), 0.7, dtype=np.float32)
    projection = nm.compile(nm.from_nir(graph, dt=DT), dt=DT).projections[0]
    assert projection.weight.tolist() == [float(np.float32(0.7))] * 6
    assert projection.rule is not None and projection.rule.w_max == 2.0


def test_parameters_that_were_only_stored_in_single_precision_are_the_old_ones() -> None:
    network = small()
    graph = nm.to_nir(network, dt=DT)
    for name in ("tau_mem", "tau_syn", "r", "w_in"):
        setattr(graph.nodes["out"], name, getattr(graph.nodes["out"], name).astype(np.float32))
    assert nm.compile(nm.from_nir(graph, dt=DT), dt=DT).fingerprint == nm.compile(network, dt=DT).fingerprint


def test_changed_neurons_count_and_that_is_said() -> None:
    graph = nm.to_nir(small(), dt=DT)
    graph.nodes["out"].v_threshold = np.array([1.0, 2.0, 3.0])
    network = nm.from_nir(graph, dt=DT)
    program = nm.compile(network, dt=DT)
    assert program.populations[0].threshold.tolist() == [1, 2, 3]
    assert program.populations[0].refractory.tolist() == [2, 2, 2]
    assert "CubaLIF node 'out' was changed after neuromorph wrote it" in " ".join(
        network.metadata["nir"]["assumptions"]
    )


def test_another_time_step_rescales_what_does_not_learn() -> None:
    graph = nm.to_nir(small(tau_syn=0.0, bias=0.1), dt=DT)
    network = nm.from_nir(graph, dt=5e-4)
    program = nm.compile(network, dt=5e-4)
    factor = (1 - np.exp(-0.5 / 20)) / (1 - np.exp(-1 / 20))
    np.testing.assert_allclose(program.projections[0].weight, np.arange(6) / 8 * factor, rtol=1e-12)  # 1 - exp cancels
    np.testing.assert_allclose(program.populations[0].bias, 0.1 * factor, rtol=1e-12)
    assert program.projections[0].delay.tolist() == [6] * 6  # 3 ms, as the network says
    assert program.populations[0].refractory.tolist() == [4] * 3
    with pytest.raises(CompileError, match="hold for these only"):
        nm.compile(network, dt=DT)
    with pytest.raises(
        InputError, match=r"'in->out' learns.*read the graph with dt=0.001 and integration='exponential'"
    ):
        nm.from_nir(nm.to_nir(small(nm.STDP(w_min=-1.0, w_max=1.0)), dt=DT), dt=5e-4)


def test_other_nodes_or_edges_make_it_a_graph_of_another_tool() -> None:
    graph = nm.to_nir(small(nm.STDP()), dt=DT)
    graph.nodes["more"] = nir.Output(np.array([3]))
    graph.edges.append(("out", "more"))
    network = nm.from_nir(graph, dt=DT)
    assert nm.compile(network, dt=DT).projections[0].rule is None
    assert network.metadata["nir"]["assumptions"][0].startswith("Nodes or edges were changed after neuromorph wrote")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "neuromorph nir 2", "nodes": {}, "edges": []}', "null"])
def test_metadata_that_cannot_be_read_are_refused(text: str) -> None:
    graph = nm.to_nir(small(), dt=DT)
    graph.metadata["neuromorph"] = text
    with pytest.raises(InputError, match="the graph's metadata 'neuromorph'"):
        nm.from_nir(graph, dt=DT)


@pytest.mark.parametrize("part", ["populations", "projections", "modulators", "probes", "dt", "metadata"])
def test_metadata_that_lack_a_part_are_refused(part: str) -> None:
    graph = nm.to_nir(small(), dt=DT)
    record = json.loads(graph.metadata["neuromorph"])
    del record[part]
    graph.metadata["neuromorph"] = json.dumps(record)
    with pytest.raises(InputError, match="cannot be read"):
        nm.from_nir(graph, dt=DT)


def test_metadata_that_describe_something_unsound_are_refused() -> None:
    graph = nm.to_nir(small(), dt=DT)
    graph.metadata["neuromorph"] = graph.metadata["neuromorph"].replace('"target": "out"', '"target": "gone"')
    with pytest.raises(InputError, match="there is no such population or projection"):
        nm.from_nir(graph, dt=DT)


def test_our_graphs_are_in_seconds() -> None:
    graph = nm.to_nir(small(), dt=DT)
    with pytest.raises(InputError, match="written by neuromorph, in seconds"):
        nm.from_nir(graph, dt=DT, unit="ms")
    assert nm.from_nir(graph, dt=DT, name="other").name == "other"


def test_an_imported_network_can_be_exported_for_its_time_step(chain: Callable[..., Any]) -> None:
    one = np.ones(2)
    lif = nir.LIF(tau=0.01 * one, r=3 * one, v_leak=one, v_threshold=one, v_reset=-one)
    first = nm.from_nir(chain(i=nir.Input(np.array([2])), w=nir.Affine(np.eye(2), one), n=lif), dt=DT)
    with pytest.raises(CompileError, match=r"were read for dt=0.001"):
        nm.to_nir(first, dt=2e-3)
    second = nm.from_nir(nm.to_nir(first, dt=DT), dt=DT)
    assert nm.compile(second, dt=DT).fingerprint == nm.compile(first, dt=DT).fingerprint
    assert second.metadata["nir"]["before"]["assumptions"] == first.metadata["nir"]["assumptions"]
    with pytest.raises(CompileError, match=r"were read for dt=0.001"):
        nm.compile(second, dt=2e-3)


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        nm.to_nir(small(), tmp_path / "no" / "net.nir", dt=DT)
    with pytest.raises(CompileError, match="refractory"):
        nm.to_nir(small(refractory=0.5e-3), tmp_path / "net.nir", dt=DT)
    assert list(tmp_path.iterdir()) == []


def test_only_networks_are_exported() -> None:
    with pytest.raises(InputError, match="to_nir takes a Network"):
        nm.to_nir(nm.compile(small()), dt=DT)  # type: ignore[arg-type]


def test_bits_and_conventions_of_a_chip_travel_and_its_program_is_the_same(tmp_path: Path) -> None:
    network = small(nm.STDP(A_plus=0.125, A_minus=0.125, w_min=0.0, w_max=1.0))
    fixed = nm.compile(network, dt=DT, chip="loihi1")
    nm.to_nir(network, tmp_path / "net.nir", dt=DT, chip="loihi1")
    again = nm.from_nir(tmp_path / "net.nir", dt=DT)
    assert nm.compile(again, dt=DT, chip="loihi1").fingerprint == fixed.fingerprint
    said = again.metadata["nir"]
    assert said["conventions"]["arithmetic"] == "float"
    assert (said["fixed"]["chip"], said["fixed"]["conventions"]["rounding"]) == (fixed.chip, fixed.rounding)
    widths = said["fixed"]["projections"]["in->out"]
    projection = fixed.projections[0]
    assert widths == {
        "weight_bits": projection.weight_bits,
        "weight_exponent": projection.weight_exponent,
        "sign_mode": projection.sign_mode,
    }
    assert "fixed" not in nm.from_nir(nm.to_nir(network, dt=DT), dt=DT).metadata["nir"]


def test_our_graphs_know_their_time_step() -> None:
    network = small()
    again = nm.from_nir(nm.to_nir(network, dt=5e-4, integration="euler"))
    program = nm.compile(again)
    assert (program.dt, program.integration) == (5e-4, "euler")
    assert program.fingerprint == nm.compile(network, dt=5e-4, integration="euler").fingerprint


def test_a_delay_of_one_step_stays_one_however_long_a_step_is() -> None:
    network = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", [[1.0]])],
    )
    again = nm.from_nir(nm.to_nir(network, dt=DT))
    assert again.projections[0].delay is None
    assert nm.compile(again, dt=5e-4).fingerprint == nm.compile(network, dt=5e-4).fingerprint


def test_metadata_of_the_user_s_own_may_have_any_name() -> None:
    network = nm.Network(populations=[nm.Population("out", 1, nm.LIF())], metadata={"nir": 3, "nengo": "mine"})
    again = nm.from_nir(nm.to_nir(network))
    assert (again.metadata["nir"]["before"], again.metadata["nengo"]) == (3, "mine")
    assert nm.compile(again).fingerprint == nm.compile(network).fingerprint
