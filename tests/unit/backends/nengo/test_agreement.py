"""The Nengo and nengo-loihi backends give the reference's bits: spikes, states, weights, tags and traces."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuromorph import registry
from neuromorph.backend import FEATURES
from neuromorph.connectors import FixedProbability, Uniform
from neuromorph.discretise import discretise
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.neurons import IF, LIF
from neuromorph.plasticity import STDP, LearningRule, RewardModulatedSTDP, Trace
from neuromorph.testing import check, random_case

MS = 1e-3  # s
STEPS = 500


def weights(seed, post, pre, low=0.0, high=0.5):
    return np.random.default_rng(seed).uniform(low, high, (post, pre))


def feed_forward():
    return Network(
        populations=[
            Input("in", 10),
            Input("silent", 2),
            Population("a", 7, LIF()),
            Population("b", 4, LIF(v_threshold=0.5)),
        ],
        projections=[
            Projection("in", "a", weights(0, 7, 10)),
            Projection("silent", "a", weights(0, 7, 2)),
            Projection("a", "b", weights(1, 4, 7, 0.2, 0.9)),
        ],
    )


def recurrent_with_bias_and_refractory():
    neuron = LIF(tau_mem=15 * MS, tau_syn=4 * MS, bias=0.03, refractory=3 * MS)
    return Network(
        populations=[Input("in", 8), Population("a", 12, neuron)],
        projections=[Projection("in", "a", weights(2, 12, 8)), Projection("a", "a", weights(3, 12, 12, -0.3, 0.3))],
    )


def parameters_of_each_neuron():
    rng = np.random.default_rng(4)
    neuron = LIF(
        tau_mem=rng.uniform(5, 30, 9) * MS,
        tau_syn=rng.choice([0.0, 2 * MS, 8 * MS], 9),
        v_threshold=rng.uniform(0.6, 1.5, 9),
        bias=rng.uniform(-0.02, 0.08, 9),
        refractory=rng.integers(0, 5, 9) * MS,
    )
    return Network(
        populations=[Input("in", 8), Population("a", 9, neuron)], projections=[Projection("in", "a", weights(5, 9, 8))]
    )


def integrate_and_fire_with_round_numbers():
    """Sums that meet the threshold but for the last bit, so any other order of additions shows."""
    return Network(
        populations=[
            Input("in", 12),
            Population("a", 6, IF(bias=0.1)),
            Population("b", 6, IF(bias=0.2, v_threshold=1.2)),
        ],
        projections=[
            Projection("in", "a", np.full((6, 12), 0.1), name="one"),
            Projection("in", "a", np.full((6, 12), 0.3), delay=2 * MS, name="two"),
            Projection("in", "a", np.full((6, 12), -0.2), delay=3 * MS, name="three"),
            Projection("a", "a", np.full((6, 6), 0.1), name="four"),
            Projection("a", "b", np.full((6, 6), 0.3), delay=2 * MS, name="five"),
            Projection("b", "a", np.full((6, 6), -0.7), name="six"),
        ],
    )


def delays_of_every_kind():
    rng = np.random.default_rng(6)
    return Network(
        populations=[
            Input("in", 8),
            Population("a", 9, LIF()),
            Population("quiet", 3, LIF()),
            Population("driven", 2, LIF(bias=0.2)),
        ],
        projections=[
            Projection("in", "a", weights(7, 9, 8), delay=4 * MS, name="uniform"),
            Projection(
                "in",
                "a",
                FixedProbability(0.4, Uniform(0, 0.6), seed=1),
                delay=rng.integers(1, 9, (9, 8)) * MS,
                name="each",
            ),
            Projection("a", "a", weights(8, 9, 9, -0.2, 0.2), delay=rng.integers(1, 5, (9, 9)) * MS, name="self"),
            Projection("in", "a", FixedProbability(0.0, 0.5, seed=1), name="empty"),
            Projection("driven", "a", weights(9, 9, 2)),
        ],
    )


def one_neuron():
    """NumPy sums a single column in pairs, which is another order."""
    return Network(
        populations=[Input("in", 60), Population("a", 1, LIF(v_threshold=6.0))],
        projections=[
            Projection("in", "a", weights(10, 1, 60)),
            Projection(
                "in", "a", weights(11, 1, 60), delay=3 * MS, name="late", plasticity=STDP(A_plus=0.02, w_max=1.0)
            ),
        ],
    )


def stdp_on_several_projections():
    return Network(
        populations=[Input("in", 10), Input("other", 5), Population("a", 8, LIF(refractory=2 * MS))],
        projections=[
            Projection("in", "a", weights(12, 8, 10), plasticity=STDP(A_plus=0.02, A_minus=0.02, w_min=0.0, w_max=0.7)),
            Projection("other", "a", FixedProbability(0.5, 0.4, seed=3), delay=3 * MS, plasticity=STDP(A_minus=0.02)),
            Projection("a", "a", weights(13, 8, 8, -0.1, 0.1), plasticity=STDP(A_plus=0.005, w_min=-0.2, w_max=0.2)),
        ],
    )


def rewards():
    mixed = LearningRule(
        dw="0.02 * t * r * u0",
        dt="x1 * y0 - 0.5 * y1 * x0",
        x1=Trace(20 * MS),
        y1=Trace(10 * MS),
        tau_tag=0.05,
        modulators={"reward": 1.0, "teacher": -0.5},
        w_min=-1.0,
        w_max=1.0,
    )
    scalar = RewardModulatedSTDP(modulator="reward", learning_rate=0.01, tau_e=0.1)
    return Network(
        populations=[Input("in", 10), Population("a", 6, LIF())],
        projections=[
            Projection("in", "a", weights(14, 6, 10), plasticity=mixed, name="mixed"),
            Projection("in", "a", FixedProbability(0.5, 0.3, seed=2), plasticity=scalar, delay=2 * MS, name="scalar"),
        ],
        modulators=[Modulator("reward"), Modulator("teacher", 6), Modulator("unused", 3)],
    )


def rules_of_ones_own():
    rule = LearningRule(
        dw="0.01 * x1 * y2 * x0 - 0.008 * (w - 0.5) * y3 * y0 + 0.002 * sgn(w - 0.4) * u1 - 0.01 * (x2 + 0.1) * y1 * y0",
        x1=Trace(20 * MS),
        x2=Trace(math.inf, 0.01),
        y1=Trace(5 * MS, 0.5),
        y2=Trace(30 * MS),
        y3=Trace(8 * MS, 2.0),
        epoch=3 * MS,
        w_min=-0.2,
        w_max=0.9,
    )
    rng = np.random.default_rng(15)
    return Network(
        populations=[Input("in", 9), Population("a", 6, LIF())],
        projections=[Projection("in", "a", weights(16, 6, 9), delay=rng.integers(1, 4, (6, 9)) * MS, plasticity=rule)],
    )


NETWORKS: list[Callable[[], Network]] = [
    feed_forward,
    recurrent_with_bias_and_refractory,
    parameters_of_each_neuron,
    integrate_and_fire_with_round_numbers,
    delays_of_every_kind,
    one_neuron,
    stdp_on_several_projections,
    rewards,
    rules_of_ones_own,
]


@pytest.fixture(params=["nengo", "nengo-loihi"])
def backend(request):
    found = registry.availability(request.param)
    if not found.available:
        pytest.skip(found.reason)
    return registry.get(request.param)


@pytest.fixture(params=NETWORKS, ids=lambda make: make.__name__)
def network(request):
    made = request.param()
    probes = [
        Probe(p.name, variable)
        for p in made.populations
        if isinstance(p, Population)
        for variable in ("spikes", "u", "v")
    ]
    probes += [Probe(p.name, "weight", every=7 * MS) for p in made.projections if p.plasticity]
    return Network(
        populations=made.populations, projections=made.projections, modulators=made.modulators, probes=probes
    )


def everything(backend, program, chunks):
    """Spikes, states and final variables of a run in chunks of these lengths, fed by chance."""
    rng = np.random.default_rng(17)
    steps = sum(chunks)
    inputs = {item.name: rng.random((steps, item.size)) < 0.06 for item in program.inputs if item.name != "silent"}
    factors = {item.name: rng.normal(0.2, 1.0, (steps, item.size)) for item in program.modulators}
    pieces, start = [], 0
    with backend.open(program) as session:
        for length in chunks:
            rows = slice(start, start + length)
            pieces.append(
                session.run(
                    length,
                    inputs={name: values[rows] for name, values in inputs.items()},
                    modulators={name: values[rows] for name, values in factors.items()},
                )
            )
            start += length
        variables = {name: session.read(name) for name in session.variables()}
    spikes = {name: np.concatenate([np.asarray(p.spikes[name]) for p in pieces]) for name in pieces[0].spikes}
    states = {key: np.concatenate([p.states[key] for p in pieces]) for key in pieces[0].states}
    dense = {name: value if isinstance(value, np.ndarray) else value.toarray() for name, value in variables.items()}
    return spikes, states, dense


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for key, values in one.items():
            np.testing.assert_array_equal(values, other[key], err_msg=str(key))


def test_whole_run_gives_the_reference_s_bits(backend, network):
    program = discretise(network)
    expected = everything(registry.get("reference"), program, [STEPS])
    assert sum(train.sum() for train in expected[0].values()) > 50
    assert_same(everything(backend, program, [STEPS]), expected)


def test_chunked_run_equals_the_whole_run(backend, network):
    program = discretise(network)
    assert_same(everything(backend, program, [1, 0, 99, 2, 198]), everything(backend, program, [300]))


def test_euler_integration_agrees(backend):
    program = discretise(recurrent_with_bias_and_refractory(), integration="euler").with_all_spikes()
    assert_same(everything(backend, program, [STEPS]), everything(registry.get("reference"), program, [STEPS]))


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("name", ["nengo", "nengo-loihi"])
def test_random_networks_agree(name, seed):
    found = registry.availability(name)
    if not found.available:
        pytest.skip(found.reason)
    verdict = check(registry.get(name), random_case(seed, features_allowed=frozenset(FEATURES), steps=200))
    assert verdict.status == "agrees", verdict
    assert verdict.sentence == ""  # not even a spike within rounding of its threshold differs


def test_no_feature_is_a_gap(backend):
    assert backend.capabilities.gaps == {}
    assert backend.capabilities.agreement == "exact"
