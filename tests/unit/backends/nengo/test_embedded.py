"""A whole program in a user's Nengo model: the spikes and weights of the program alone, in the same steps."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nengo", reason="Nengo is not installed: uv sync --extra nengo")

import nengo

import neuromorph as nm
from neuromorph.errors import InputError, SimulatorError, UnsupportedError
from neuromorph.testing import feature_cases

STEPS = 150
MS = 1e-3  # s


@pytest.fixture(autouse=True)
def _no_cache_on_disk() -> Iterator[None]:
    """Test processes side by side would wait for the lock of Nengo's decoder cache, and Nengo warns when it gives up."""
    kept = nengo.rc.get("decoder_cache", "enabled")
    nengo.rc.set("decoder_cache", "enabled", "False")
    yield
    nengo.rc.set("decoder_cache", "enabled", kept)


def program(chip: str | None = None) -> nm.Program:
    rng = np.random.default_rng(0)
    net = nm.Network(
        name="lesson",
        populations=[
            nm.Input("left", 9),
            nm.Input("right", 4),
            nm.Population("a", 7, nm.LIF(refractory=2 * MS)),
            nm.Population("b", 5, nm.LIF()),
        ],
        projections=[
            nm.Projection("left", "a", rng.uniform(0, 0.3, (7, 9)), plasticity=nm.STDP(w_max=1.0)),
            nm.Projection("right", "a", rng.uniform(0, 0.3, (7, 4)), delay=3 * MS),
            nm.Projection(
                "a",
                "b",
                nm.FixedProbability(0.7, nm.Uniform(0.1, 0.5), seed=2),
                plasticity=nm.RewardModulatedSTDP(modulator="reward", learning_rate=0.02, tau_e=0.05, w_max=1.0),
            ),
        ],
        modulators=[nm.Modulator("reward", 5)],
        probes=[nm.Probe("a", "v")],
    )
    return nm.compile(net, chip=chip)


def fed() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    inputs = {"left": rng.random((STEPS, 9)) < 0.25, "right": rng.random((STEPS, 4)) < 0.25}
    return {"inputs": inputs, "modulators": {"reward": rng.uniform(-0.9, 0.9, (STEPS, 5))}}


def present(rows: Any) -> Any:
    """A Node that puts out row k in the k-th step."""
    return nengo.Node(nengo.processes.PresentInput(np.asarray(rows, dtype=float), MS))


def model_of(node_of: Any, given: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """A network that feeds a program by name, its Node, and a probe of each population."""
    with nengo.Network() as model:
        node = node_of.node()
        for kind in ("inputs", "modulators"):
            for name, rows in given[kind].items():
                nengo.Connection(present(rows), getattr(node, kind)[name], synapse=None)
        probes = {name: nengo.Probe(view) for name, view in node.outputs.items()}
    return model, node, probes


def dense(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else value.toarray()


@pytest.mark.parametrize("chip", [None, "loihi2"], ids=["float", "fixed"])
@pytest.mark.parametrize("optimize", [True, False])
def test_spikes_and_learned_weights_are_those_of_the_program_alone(chip: str | None, optimize: bool) -> None:
    given = fed()
    with nm.open(program(chip).with_all_spikes()) as alone:
        recording = alone.run(STEPS, **given)
        learned = {name: alone.read(name) for name in alone.variables()}
    model, node, probes = model_of(nm.to_nengo(program(chip)), given)
    with nengo.Simulator(model, dt=MS, progress_bar=False, optimize=optimize) as simulator:
        simulator.run_steps(40)
        simulator.run_steps(STEPS - 40)
        for name, probe in probes.items():
            spikes = simulator.data[probe]
            assert 20 < np.count_nonzero(spikes) < 0.8 * spikes.size
            np.testing.assert_array_equal(spikes, 1000.0 * np.asarray(recording.spikes[name]))  # 1 / dt, as Nengo's
        for name, value in learned.items():
            np.testing.assert_array_equal(dense(node.session(simulator).read(name)), dense(value), err_msg=name)
    before = program(chip).projection("left->a")
    assert not np.array_equal(learned["left->a.weight"], before.matrix(before.weight))


def test_a_spike_enters_and_leaves_in_the_step_in_which_nengo_sends_it() -> None:
    relay = nm.compile(
        nm.Network(
            populations=[nm.Input("in", 1), nm.Population("out", 1, nm.IF(v_threshold=0.5))],
            projections=[nm.Projection("in", "out", [[1.0]])],  # a delay of one step
        )
    )
    row = np.zeros((6, 1))
    row[2] = 1
    model, node, probes = model_of(nm.to_nengo(relay, amplitude=0.5), {"inputs": {"in": row}, "modulators": {}})
    with model:
        after = nengo.Node(size_in=1)
        nengo.Connection(node.outputs["out"], after, synapse=None)
        seen = nengo.Probe(after)
        source = nengo.Probe(node.inputs["in"].obj, "output")
    with nengo.Simulator(model, dt=MS, progress_bar=False) as simulator:
        simulator.run_steps(6)
        assert simulator.data[probes["out"]].ravel().tolist() == [0, 0, 0, 500, 0, 0]
        assert simulator.data[seen].ravel().tolist() == [0, 0, 0, 500, 0, 0]
        assert simulator.data[source].shape == (6, 1)


@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")  # Nengo 4.1, NumPy 2.5
def test_between_nengo_s_own_neurons_it_sees_their_spikes_and_they_see_its() -> None:
    embedded = nm.to_nengo(program(), populations=["b"])
    with nengo.Network(seed=3) as model:
        before, after = nengo.Ensemble(9, 1), nengo.Ensemble(5, 1)
        node = embedded.node()
        drive = nengo.Node(0.8)
        nengo.Connection(drive, before)
        nengo.Connection(before.neurons, node.inputs["left"], synapse=None)
        nengo.Connection(node.outputs["b"], after.neurons, synapse=0.005, transform=0.01)
        sent, spikes = nengo.Probe(before.neurons), nengo.Probe(node.outputs["b"])
        arrived = nengo.Probe(after.neurons, "input")
    with nengo.Simulator(model, dt=MS, progress_bar=False) as simulator:
        simulator.run_steps(STEPS)
    fired = simulator.data[sent] != 0
    alone = nm.run(program().with_all_spikes(), STEPS, inputs={"left": fired}, backend="reference")
    np.testing.assert_array_equal(simulator.data[spikes] != 0, np.asarray(alone.spikes["b"]))
    assert np.ptp(simulator.data[arrived], axis=0).min() > 0


def test_each_simulator_has_a_session_that_begins_anew_with_a_reset_and_ends_with_it() -> None:
    model, node, probes = model_of(nm.to_nengo(program(), backend="reference"), fed())
    with nengo.Simulator(model, dt=MS, progress_bar=False) as one:
        with nengo.Simulator(model, dt=MS, progress_bar=False) as other:
            one.run_steps(80)
            first = one.data[probes["a"]].copy()
            assert (node.session(one).steps_run, node.session(other).steps_run) == (80, 0)
            node.session(other).write("a.v_threshold", 1e6)
            other.run_steps(80)
            assert not other.data[probes["a"]].any() and first.any()
            sessions = [node.session(one), node.session(other)]
        with pytest.raises(SimulatorError, match="was closed, and its session with it"):
            node.session(other)
        one.reset()
        sessions.append(node.session(one))
        one.run_steps(80)
        np.testing.assert_array_equal(one.data[probes["a"]], first)
    gc.collect()
    for session in sessions:
        with pytest.raises(SimulatorError, match="was closed"):
            session.run(1)
    assert node.process._sessions == {}


def test_processes_of_equal_size_are_kept_apart_and_copies_are_whole() -> None:
    given = fed()
    strong = program().with_parameters("a", threshold=0.1)
    with nengo.Network() as model:
        nodes = [nm.to_nengo(each).node() for each in (program(), strong)]
        for name, rows in given["inputs"].items():
            source = present(rows)
            for node in nodes:
                nengo.Connection(source, node.inputs[name], synapse=None)
        probes = [nengo.Probe(node.outputs["a"]) for node in nodes]
    with nengo.Simulator(pickle.loads(pickle.dumps(model)), dt=MS, progress_bar=False) as copied:
        copied.run_steps(50)
        found = [copied.data[probe] for probe in copied.model.probes]
    with nengo.Simulator(model, dt=MS, progress_bar=False) as simulator:
        simulator.run_steps(50)
        for node, probe, other in zip(nodes, probes, found, strict=True):
            np.testing.assert_array_equal(simulator.data[probe], other)
            assert node.session(simulator).program.population("a").threshold[0] in (0.1, 1.0)
        assert np.count_nonzero(found[1]) > np.count_nonzero(found[0]) > 0


def test_a_program_without_inputs_is_a_source() -> None:
    driven = nm.compile(nm.Network(populations=[nm.Population("clock", 3, nm.LIF(bias=0.3))]))
    model, _, probes = model_of(nm.to_nengo(driven), {"inputs": {}, "modulators": {}})
    with nengo.Simulator(model, dt=MS, progress_bar=False) as simulator:
        simulator.run_steps(40)
    expected = np.asarray(nm.run(driven.with_all_spikes(), 40).spikes["clock"])
    np.testing.assert_array_equal(simulator.data[probes["clock"]] != 0, expected)
    assert nm.to_nengo(driven).run_steps(40).shape == (40, 3)  # as any nengo.Process, without a simulator


def test_what_cannot_be_is_said_before_the_run() -> None:
    with pytest.raises(InputError) as caught:
        nm.to_nengo(program(), populations=["b", "c", "b"])
    assert caught.value.faults == (
        "populations: there is no population 'c'; known: a, b",
        "populations: 'b' is named 2 times",
    )
    with pytest.raises(InputError, match=r"write \['a'\]"):
        nm.to_nengo(program(), populations="a")
    with pytest.raises(InputError, match="name at least one"):
        nm.to_nengo(program(), populations=[])
    with pytest.raises(InputError, match=r"is a Program \(neuromorph.compile makes one\), got 7"):
        nm.to_nengo(7)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="amplitude must be a number other than 0, got 0"):
        nm.to_nengo(program(), amplitude=0)
    with pytest.raises(InputError, match="backend 'reference' has no option threads"):
        nm.to_nengo(program(), backend="reference", threads=2)
    later = feature_cases()["delay"].program
    with pytest.raises(UnsupportedError, match="cannot run"):
        nm.to_nengo(later, backend="backprop")


def test_wrong_names_sizes_and_steps_are_said_when_the_simulator_is_built() -> None:
    embedded = nm.to_nengo(program())
    with nengo.Network() as model:
        node = embedded.node()
    with pytest.raises(InputError, match="there is no input 'up'; known: left, right"):
        node.inputs["up"]
    with pytest.raises(InputError, match="there is no population that sends 'c'; known: a, b"):
        node.outputs["c"]
    with pytest.raises(InputError, match=r"compiled for steps of 0.001 s, and the simulator's are 0.002 s"):
        nengo.Simulator(model, dt=2 * MS, progress_bar=False)
    with nengo.Network() as wrong:
        nengo.Node(embedded, size_in=5)
    with pytest.raises(InputError, match="'lesson' in a Node: size_in must be 18, got 5"):
        nengo.Simulator(wrong, dt=MS, progress_bar=False)
    with nengo.Network() as twice:
        embedded.node()
        embedded.node()
    simulator = nengo.Simulator(twice, dt=MS, progress_bar=False)
    with simulator, pytest.raises(InputError, match="'lesson' is in 2 Nodes"):
        embedded.session(simulator)


def test_an_input_that_is_no_number_ends_the_run() -> None:
    with nengo.Network() as model:
        node = nm.to_nengo(program()).node()
        nengo.Connection(present([[1.0] * 9, [np.nan] * 9]), node.inputs["left"], synapse=None)
    with nengo.Simulator(model, dt=MS, progress_bar=False) as simulator:
        simulator.run_steps(1)
        with pytest.raises(InputError, match=r"inputs\['left'\] must be finite"):
            simulator.run_steps(1)
