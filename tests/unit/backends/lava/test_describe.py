"""A graph of stock Lava Processes, read as a description, gives the spikes that Lava itself gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

import neuromorph as nm
from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.lowering import lower
from neuromorph.discretise import time_constant
from neuromorph.errors import CompileError, InputError, UnsupportedError

STEPS = 120
LIF, Dense, Source, LearningDense = compat.LIF, compat.Dense, compat.SourceRingBuffer, compat.LearningDense


def source(size: int, seed: int = 0, rate: float = 0.2, steps: int = 50) -> Any:
    return Source(data=(np.random.default_rng(seed).random((size, steps)) < rate).astype(float))


def dyadic(seed: int, post: int, pre: int, low: float = -0.5, high: float = 1.0) -> Any:
    """Multiples of 1/1024: their sums are the same number in any order."""
    return np.round(np.random.default_rng(seed).uniform(low, high, (post, pre)) * 1024) / 1024


def chain(*processes: Any) -> Any:
    """Each one's output into the next one's input; returns the last."""
    for one, other in pairwise(processes):
        sending = one.a_out if isinstance(one, (Dense, compat.Sparse)) else one.s_out
        receiving = other.s_in if isinstance(other, (Dense, compat.Sparse)) else other.a_in
        sending.connect(receiving)
    return processes[-1]


def run_both(
    neurons: Mapping[str, Any],
    table: Mapping[type, type] = model_table.FLOAT_MODELS,
    steps: int = STEPS,
    reads: tuple[tuple[Any, str], ...] = (),
) -> tuple[Any, nm.Recording, list[Any]]:
    """Both sides of one graph: Lava's spikes by population, our recording, and ``reads`` of Lava's Vars at the end."""
    first = next(iter(neurons.values()))
    network = nm.from_lava(first)
    given, taught = nm.lava_inputs(first, steps), nm.lava_modulators(first, steps)
    recording = nm.run(network, steps, inputs=given, modulators=taught)
    sinks = {name: compat.SinkRingBuffer(shape=process.s_out.shape, buffer=steps) for name, process in neurons.items()}
    for name, process in neurons.items():
        process.s_out.connect(sinks[name].a_in)
    with InProcessRun(first, model_table.run_configuration(table)) as run:
        run.run(steps)
        spikes = {name: run.read(sink, "data").reshape(-1, steps).T != 0 for name, sink in sinks.items()}
        return spikes, recording, [run.read(process, variable) for process, variable in reads]


def assert_same(spikes: Mapping[str, Any], recording: nm.Recording) -> None:
    for name, dense in spikes.items():
        assert dense.sum() > 10, name  # otherwise the comparison says nothing
        assert not dense.all(), name
        np.testing.assert_array_equal(np.asarray(recording.spikes[name]), dense, err_msg=name)


def test_float_graph_gives_lava_s_spikes_and_voltages_to_the_bit() -> None:
    feed = source(6)
    a = LIF(shape=(7,), du=0.3, dv=0.07, vth=1.5, bias_mant=dyadic(1, 1, 7, 0, 0.2)[0], name="a")
    b = compat.LIFRefractory(shape=(5,), du=1.0, dv=0.2, vth=0.75, refractory_period=3, name="b")
    rng = np.random.default_rng(5)
    delays = rng.integers(0, 4, (5, 7))
    chain(feed, Dense(weights=dyadic(2, 7, 6)), a)
    chain(a, compat.DelayDense(weights=dyadic(3, 5, 7), delays=delays), b)
    chain(a, compat.DelaySparse(weights=csr_matrix(dyadic(6, 5, 7, 0, 0.25)), delays=csr_matrix(delays[::-1])), b)
    chain(b, compat.Sparse(weights=csr_matrix(np.where(rng.random((7, 5)) < 0.5, dyadic(4, 7, 5), 0))), a)
    voltage, current = compat.Monitor(), compat.Monitor()
    voltage.probe(a.v, STEPS)
    current.probe(b.u, STEPS)
    spikes, recording, (v, u) = run_both({"a": a, "b": b}, reads=((voltage, "var_read_0"), (current, "var_read_0")))
    assert_same(spikes, recording)
    np.testing.assert_array_equal(recording.states["a", "v"], v)
    np.testing.assert_array_equal(recording.states["b", "u"], u)


@pytest.mark.parametrize("epoch", [1, 4])
def test_learning_dense_gives_lava_s_spikes_and_weights(epoch: int) -> None:
    feed = source(8, seed=3, rate=0.3)
    rule = compat.STDPLoihi(learning_rate=1, A_plus=2**-7, A_minus=-(2**-6), tau_plus=8, tau_minus=5, t_epoch=epoch)
    plastic = LearningDense(weights=dyadic(9, 4, 8, 0.2, 0.6), learning_rule=rule, name="plastic")
    out = LIF(shape=(4,), du=0.5, dv=0.1, vth=1.2, name="out")
    chain(feed, plastic, out)
    out.s_out.connect(plastic.s_in_bap)
    watch = compat.Monitor()
    watch.probe(plastic.weights, STEPS)
    spikes, recording, (weights,) = run_both({"out": out}, reads=((plastic, "weights"),))
    assert_same(spikes, recording)
    ours = recording.states["plastic", "weight"][-1].reshape(4, 8)
    # Up to 120 updates, each rounded to 2^-53 of a value below 2 and summed in another order.
    np.testing.assert_allclose(ours, weights, rtol=0, atol=STEPS * 8 * 2.0**-52)
    assert np.abs(weights - plastic.weights.init).max() > 0.05


def reward_graph(dw: str, ports: Mapping[str, Any], epoch: int = 1) -> tuple[Any, Any]:
    feed = source(6, seed=4, rate=0.25)
    rule = compat.Loihi3FLearningRule(dw=dw, dt="2^-4*x1*y0 - 2^-5*u0*t", x1_impulse=1.0, x1_tau=6, t_epoch=epoch)
    plastic = LearningDense(weights=dyadic(7, 3, 6, 0.2, 0.7), learning_rule=rule, name="plastic")
    out = LIF(shape=(3,), du=0.4, dv=0.1, vth=1.0, name="out")
    chain(feed, plastic, out)
    out.s_out.connect(plastic.s_in_bap)
    for port, data in ports.items():
        Source(data=data).s_out.connect(getattr(plastic, f"s_in_{port}"))
    return out, plastic


def test_third_factor_becomes_a_modulator_with_its_data() -> None:
    out, plastic = reward_graph("2^-2*u0*t*y2", {"y2": np.random.default_rng(8).normal(0, 1, (3, 40))})
    spikes, recording, (weights,) = run_both({"out": out}, reads=((plastic, "weights"),))
    assert_same(spikes, recording)
    assert np.abs(weights - plastic.weights.init).max() > 0.02
    network = nm.from_lava(reward_graph("2^-2*u0*t*y2", {"y2": np.ones((3, 2))})[0])
    (modulator,) = network.modulators
    assert modulator.size == 3
    # Lava reads what it received after one step of decay with a time constant of 65535 steps.
    assert network.projections[0].plasticity.modulators == {modulator.name: np.exp(-1 / 65535)}


def test_reward_in_two_channels_becomes_one_third_factor() -> None:
    reward = np.random.default_rng(8).normal(0, 1, (3, 40))
    channels = {"y2": np.maximum(reward, 0), "y3": np.maximum(-reward, 0)}
    out, plastic = reward_graph("2^-2*u0*t*y2 - 2^-1*u0*t*y3", channels)
    probe = compat.Monitor()
    probe.probe(plastic.weights, STEPS)
    spikes, recording, (weights,) = run_both({"out": out}, reads=((plastic, "weights"),))
    assert_same(spikes, recording)
    assert np.abs(weights - plastic.weights.init).max() > 0.02
    np.testing.assert_allclose(recording.states["plastic", "weight"][-1].reshape(3, 6), weights, rtol=0, atol=1e-12)


def test_virtual_ports_that_rearrange_elements_are_followed() -> None:
    feed = Source(data=(np.random.default_rng(2).random((2, 3, 40)) < 0.3).astype(float))
    hidden = LIF(shape=(3, 2), du=0.5, dv=0.1, vth=0.9, name="hidden")
    into = Dense(weights=dyadic(1, 6, 6, 0, 0.8))
    # NumPy gives up an argument that Lava's own reshape needs, so that only transposing can be run here.
    feed.s_out.transpose((1, 0)).reshape((6,)).connect(into.s_in)
    into.a_out.reshape((2, 3)).transpose((1, 0)).connect(hidden.a_in)
    network = nm.from_lava(feed)
    (projection,) = network.projections
    order_in = np.arange(6).reshape(2, 3).T.ravel()
    order_out = np.arange(6).reshape(2, 3).T.ravel()
    expected = np.zeros((6, 6))
    for k in range(6):
        expected[:, order_in[k]] = into.weights.init[order_out, k]
    np.testing.assert_array_equal(projection.connector.weights, expected)
    assert nm.lava_inputs(feed, 41)["input1"].shape == (41, 6)
    np.testing.assert_array_equal(nm.lava_inputs(feed, 41)["input1"][40], feed.data.init[..., 0].ravel() != 0)


def test_fixed_point_without_leak_is_exact() -> None:
    """With du 4095 and dv 0 nothing is rounded in Loihi's arithmetic, so that its integers are real numbers too."""
    feed = source(6, seed=6, rate=0.4)
    neurons = LIF(shape=(5,), du=4095, dv=0, vth=100, bias_mant=3, bias_exp=6, name="n")
    weights = np.random.default_rng(0).integers(-90, 120, (5, 6))
    chain(feed, Dense(weights=weights, num_weight_bits=6, weight_exp=1), neurons)
    spikes, recording, _ = run_both({"n": neurons}, table=model_table.FIXED_MODELS)
    assert_same(spikes, recording)
    (projection,) = nm.from_lava(neurons).projections
    np.testing.assert_array_equal(projection.connector.weights, (weights >> 3 << 3) * 2**7)


def test_fixed_point_parameters_follow_loihi_s_meaning() -> None:
    neurons = LIF(shape=(2,), du=410, dv=128, vth=200, bias_mant=-3, bias_exp=2)
    chain(source(3), Dense(weights=np.full((2, 3), -300), sign_mode=compat.SignMode.INHIBITORY), neurons)
    network = nm.from_lava(neurons, dt=2e-3)
    program = nm.compile(network, dt=2e-3)
    (population,) = program.populations
    assert population.decay_u.tolist() == [3685 / 4096] * 2
    assert population.decay_v.tolist() == [3968 / 4096] * 2
    assert population.threshold.tolist() == [12800.0] * 2
    assert population.bias.tolist() == [-12.0] * 2
    assert program.projections[0].weight.tolist() == [-255.0 * 64] * 6
    assert network.metadata["lava"]["fixed_point"] is True
    assert any("rounds u and v toward zero" in text for text in network.metadata["lava"]["assumptions"])


def test_fixed_point_rule_counts_as_much_as_in_lava() -> None:
    """Without the random rounding: x1*y1 is divided by 2^3, w by 2^0, and both count 64 at the neuron."""
    rule = compat.Loihi2FLearningRule(
        dw="2^1*x0*x1*y1 - 2^-2*y0*(w - 8)", x1_impulse=16, x1_tau=10, y1_impulse=16, y1_tau=20
    )
    plastic = LearningDense(weights=np.full((1, 1), 6), learning_rule=rule)
    neurons = LIF(shape=(1,), du=10, dv=10, vth=10, name="n")
    chain(source(1), plastic, neurons)
    neurons.s_out.connect(plastic.s_in_bap)
    (projection,) = nm.from_lava(neurons).projections
    assert projection.plasticity.dw == "16.0 * x1 * y1 * x0 - 0.25 * (w - 512.0) * y0"
    assert (projection.plasticity.w_min, projection.plasticity.w_max) == (-256.0 * 64, 255.0 * 64)
    assert projection.plasticity.traces["x1"].tau == pytest.approx(10e-3, rel=1e-14)


@given(st.floats(0.0, 1.0), st.sampled_from([1e-3, 1e-4, 2.5e-3]))
@settings(max_examples=200, deadline=None)
def test_compiled_decay_is_one_minus_du(du: float, dt: float) -> None:
    neuron = nm.LIF(tau_mem=time_constant(1.0 - du, dt), tau_syn=0.0)
    network = nm.Network(populations=[nm.Population("n", 1, neuron)])
    # Decays are multiples of 2^-53, of which 1 - du is one; a tau that hits it, or its neighbour, is found.
    assert abs(nm.compile(network, dt=dt).populations[0].decay_v[0] - (1.0 - du)) <= 2.0**-53


def test_our_own_lowering_is_read_back() -> None:
    neuron = nm.LIF(tau_mem=[10e-3, 15e-3, 20e-3], tau_syn=3e-3, refractory=2e-3, bias=0.01)
    network = nm.Network(
        populations=[nm.Input("in", 4), nm.Population("p", 3, neuron)],
        projections=[
            nm.Projection("in", "p", dyadic(1, 3, 4, 0.2, 0.7), delay=3e-3),
            nm.Projection("p", "p", csr_matrix(np.eye(3) * -0.25)),
        ],
        probes=[nm.Probe("p")],
    )
    program = nm.compile(network)
    again = nm.from_lava(lower(program, seed=0).neurons["p"])
    spikes = np.random.default_rng(3).random((STEPS, 4)) < 0.2
    first = nm.run(program, STEPS, inputs={"in": spikes})
    (name,) = (p.name for p in again.populations if isinstance(p, nm.Input))
    second = nm.run(again, STEPS, inputs={name: spikes})
    (mine,) = (p.name for p in again.populations if isinstance(p, nm.Population))
    assert len(first.spikes["p"]) > 10
    assert second.spikes[mine].equals(first.spikes["p"])


def test_a_rule_that_was_rounded_for_lava_is_not_taken_for_the_rule() -> None:
    network = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("p", 2, nm.LIF())],
        projections=[nm.Projection("in", "p", np.full((2, 2), 0.5), plasticity=nm.STDP(A_plus=0.013))],
    )
    with pytest.raises(UnsupportedError, match="its rule was compiled here"):
        nm.from_lava(lower(nm.compile(network), seed=0).neurons["p"])


def test_nothing_is_compiled_and_names_are_free() -> None:
    a, b = LIF(shape=(2,), vth=1, name="same.name"), LIF(shape=(2,), vth=1, name="same.name")
    chain(a, Dense(weights=np.eye(2), name="edge"), b)
    chain(b, Dense(weights=np.eye(2), name="edge"), a)
    network = nm.from_lava(a)
    assert [p.name for p in network.populations] == ["same_name", "same_name 2"]
    assert [p.name for p in network.projections] == ["edge", "edge 2"]
    assert not a.is_compiled
    assert network.metadata["lava"]["assumptions"] == ["read in floating point: no decay is above 1 (arithmetic=...)"]


def neurons_with(**parameters: Any) -> Any:
    return LIF(**{"shape": (2,), "vth": 1, "name": "n", **parameters})


def fed(connection: Any, neurons: Any | None = None, data: Any = None) -> Any:
    feed = Source(data=np.eye(2) if data is None else data)
    return chain(feed, connection, neurons_with() if neurons is None else neurons)


def learning(rule: Any, bap: bool = True, **options: Any) -> Any:
    connection = LearningDense(weights=np.full((2, 2), 0.5), learning_rule=rule, name="plastic", **options)
    neurons = fed(connection)
    if bap:
        neurons.s_out.connect(connection.s_in_bap)
    return neurons


def rule(dw: str = "x1*y0", **options: Any) -> Any:
    return compat.Loihi2FLearningRule(dw=dw, **{"x1_impulse": 1, "x1_tau": 5, "y1_impulse": 1, "y1_tau": 5, **options})


def direct_current() -> Any:
    neurons = neurons_with()
    Source(data=np.eye(2)).s_out.connect(neurons.a_in)
    return neurons


def two_senders() -> Any:
    connection = Dense(weights=np.eye(2), name="shared")
    Source(data=np.eye(2)).s_out.connect(connection.s_in)
    return fed(connection)


def current_into_connection() -> Any:
    first = Dense(weights=np.eye(2), name="first")
    second = Dense(weights=np.eye(2), name="second")
    first.a_out.connect(second.s_in)
    second.a_out.connect(neurons_with().a_in)
    Source(data=np.eye(2)).s_out.connect(first.s_in)
    return first


REFUSED: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "reset": (
        lambda: fed(Dense(weights=np.eye(2)), compat.LIFReset(shape=(2,), name="r")),
        ["LIFReset 'r'", "Session.reset"],
    ),
    "unknown": (
        lambda: type("Mine", (LIF,), {})(shape=(2,), name="odd"),
        ["Mine 'odd'", "it has no counterpart", "LIFRefractory"],
    ),
    "negative threshold": (lambda: neurons_with(vth=-1), ["LIF 'n'", "vth must be > 0, got -1"]),
    "negative threshold in fixed": (lambda: neurons_with(vth=-1, du=7), ["LIF 'n'", "vth must be > 0, got -1:"]),
    "du in float": (lambda: (neurons_with(du=7), "float"), ["LIF 'n'", "du must lie in 0..1", "arithmetic='fixed'"]),
    "du in fixed": (lambda: neurons_with(du=0.5, dv=7), ["LIF 'n'", "du must be whole", "0.5", "arithmetic='float'"]),
    "refractory in fixed": (
        lambda: compat.LIFRefractory(shape=(2,), du=7, vth=1, refractory_period=2, name="r"),
        ["LIFRefractory 'r'", "no LIFRefractory in fixed point"],
    ),
    "initial state": (lambda: neurons_with(v=0.5), ["LIF 'n'", "v starts at 0.5", "write n.v in the session"]),
    "graded": (
        lambda: fed(Dense(weights=np.eye(2), num_message_bits=8, name="g"), data=np.array([[1.0, 5], [0, 0]])),
        ["Dense 'g'", "graded spikes, 1 to 5"],
    ),
    "sign mode": (lambda: fed(Dense(weights=np.eye(2), sign_mode=1, name="g")), ["Dense 'g'", "give a SignMode"]),
    "lost delays": (
        lambda: fed(compat.DelayDense(weights=np.eye(2), delays=np.full((2, 2), 5), max_delay=2, name="g")),
        ["DelayDense 'g'", "delays of 5 steps and a max_delay of 2"],
    ),
    "direct current": (direct_current, ["-> LIF 'n'.a_in", "nothing but a connection", "np.eye"]),
    "two senders": (two_senders, ["Dense 'shared'", "all send to its s_in"]),
    "current into connection": (current_into_connection, ["Dense 'first'.a_out -> Dense 'second'.s_in", "a current"]),
    "no bap": (lambda: learning(rule(), bap=False), ["LearningDense 'plastic'", "s_in_bap hears nothing", "LIF 'n'"]),
    "learned delay": (lambda: learning(rule("x1*y0*d", dd="x1*y0")), ["LearningDense 'plastic'", "learned delays"]),
    "two dependencies": (lambda: learning(rule("x0*y0*w")), ["LearningDense 'plastic'", "x0 and y0 in one product"]),
    "tag without dt": (lambda: learning(rule("u0*t")), ["LearningDense 'plastic'", "nothing changes it: give dt"]),
    "no time constant": (lambda: learning(rule(x1_tau=0)), ["LearningDense 'plastic'", "x1_tau is 0"]),
    "graded learning": (
        lambda: learning(rule(), graded_spike_cfg=compat.GradedSpikeCfg.OVERWRITE),
        ["LearningDense 'plastic'", "OVERWRITE"],
    ),
    "initial tag": (lambda: learning(rule(), tag_1=np.ones((2, 2))), ["LearningDense 'plastic'", "tag_1 starts"]),
    "bounds": (
        lambda: learning(rule(), sign_mode=compat.SignMode.INHIBITORY),
        ["LearningDense 'plastic'", "weight 0.5 is outside -inf..0"],
    ),
    "silent third factor": (
        lambda: learning(compat.Loihi3FLearningRule(dw="x0*y2")),
        ["LearningDense 'plastic'", "reads y2, and nothing is sent to s_in_y2"],
    ),
    "different third factors": (
        lambda: reward_graph("u0*t*y2 - u0*w*y3", {"y2": np.ones((3, 1)), "y3": np.ones((3, 1))})[0],
        ["LearningDense 'plastic'", "y2 and y3 in different products"],
    ),
    "no neurons": (lambda: Source(data=np.eye(2)), ["RingBuffer", "connected to no LIF"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_counterpart_is_named(case: str) -> None:
    build, fragments = REFUSED[case]
    built = build()
    process, arithmetic = built if isinstance(built, tuple) else (built, "infer")
    with pytest.raises(UnsupportedError) as raised:
        nm.from_lava(process, arithmetic=arithmetic)
    for fragment in fragments:
        assert fragment in str(raised.value)


def test_all_faults_come_in_one_error() -> None:
    fed(Dense(weights=np.eye(2), sign_mode=1, name="odd"), first := neurons_with(vth=-1))
    chain(first, Dense(weights=np.eye(2), name="on"), compat.LIFReset(shape=(2,), name="r"))
    with pytest.raises(UnsupportedError) as raised:
        nm.from_lava(first)
    assert len(raised.value.faults) == 3
    for name in ("LIF 'n'", "Dense 'odd'", "LIFReset 'r'"):
        assert name in str(raised.value)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match="a Lava model is a Process"):
        nm.from_lava(3)
    with pytest.raises(InputError, match="dt must be > 0"):
        nm.from_lava(neurons_with(), dt=0.0)
    with pytest.raises(InputError, match="arithmetic must be 'infer', 'float', 'fixed', got 'integer'"):
        nm.from_lava(neurons_with(), arithmetic="integer")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="steps must be a whole number"):
        nm.lava_inputs(neurons_with(), -1)


def test_a_network_compiles_for_the_time_step_it_was_read_for() -> None:
    network = nm.from_lava(neurons_with(dv=0.1, bias_mant=0.2), dt=1e-4)
    assert nm.compile(network).dt == 1e-4
    for arguments in ({"dt": 1e-3}, {"integration": "euler"}):
        with pytest.raises(CompileError, match=r"were read for dt=0.0001 and integration='exponential'"):
            nm.compile(network, **arguments)  # type: ignore[arg-type]
