"""What a program becomes in Nengo, and that nothing of Nengo's own surroundings can change it."""

import numpy as np
import pytest

nengo = pytest.importorskip("nengo")

from neuromorph import registry  # noqa: E402
from neuromorph.backends.nengo import NengoBackend  # noqa: E402
from neuromorph.backends.nengo.lowering import Lowering  # noqa: E402
from neuromorph.backends.nengo.neurons import CubaLIF  # noqa: E402
from neuromorph.discretise import discretise  # noqa: E402
from neuromorph.inputs import Input  # noqa: E402
from neuromorph.network import Network, Population, Probe, Projection  # noqa: E402
from neuromorph.neurons import LIF  # noqa: E402

STEPS = 300


@pytest.fixture(scope="module")
def program():
    """Four equal populations, so that Nengo's optimizer merges them, and five projections onto the last."""
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    return discretise(
        Network(
            populations=[Input("in", 9), *(Population(name, 5, LIF()) for name in names)],
            projections=[
                *(Projection("in", name, rng.uniform(0, 0.5, (5, 9))) for name in names),
                *(Projection(name, "d", rng.uniform(-0.1, 0.2, (5, 5))) for name in names),
            ],
            probes=[*(Probe(name) for name in names), *(Probe(name, "v") for name in names)],
        )
    )


@pytest.fixture(scope="module")
def spikes():
    return np.random.default_rng(1).random((STEPS, 9)) < 0.1


@pytest.fixture(scope="module")
def expected(program, spikes):
    with registry.get("reference").open(program) as session:
        return session.run(STEPS, inputs={"in": spikes})


def assert_as_expected(session, spikes, expected):
    recording = session.run(STEPS, inputs={"in": spikes})
    assert len(expected.spikes["d"]) > 10
    for name, train in expected.spikes.items():
        assert recording.spikes[name].equals(train)
    for key, values in expected.states.items():
        np.testing.assert_array_equal(recording.states[key], values)


def test_populations_become_ensembles_and_projections_connections(program):
    network = Lowering(program).network
    assert [ensemble.label for ensemble in network.ensembles] == ["a", "b", "c", "d"]
    assert all(isinstance(ensemble.neuron_type, CubaLIF) for ensemble in network.ensembles)
    labels = [connection.label for connection in network.connections if connection.label]
    assert labels == [projection.name for projection in program.projections]
    weights = {
        connection.label: connection.transform.sample() for connection in network.connections if connection.label
    }
    np.testing.assert_array_equal(weights["a->d"], program.projection("a->d").matrix(program.projection("a->d").weight))


@pytest.mark.parametrize("optimize", [True, False])
def test_nengo_s_optimizer_changes_no_bit(program, spikes, expected, optimize):
    with NengoBackend(optimize=optimize).open(program) as session:
        assert_as_expected(session, spikes, expected)


def test_a_configured_single_precision_is_not_obeyed(program, spikes, expected):
    before = nengo.rc.get("precision", "bits")
    nengo.rc.set("precision", "bits", "32")
    try:
        with NengoBackend().open(program) as session:
            assert_as_expected(session, spikes, expected)
        assert nengo.rc.get("precision", "bits") == "32"
    finally:
        nengo.rc.set("precision", "bits", before)


def test_a_network_that_a_user_is_building_stays_as_it_is(program, spikes, expected):
    with nengo.Network() as theirs, NengoBackend().open(program) as session:
        assert_as_expected(session, spikes, expected)
    assert theirs.all_objects == []


def test_no_decoder_cache_is_opened(program, monkeypatch):
    def refuse(*arguments, **named):
        raise AssertionError("the decoder cache was opened")

    monkeypatch.setattr("nengo.cache.DecoderCache.__init__", refuse)
    with NengoBackend().open(program) as session:
        session.run(3)
