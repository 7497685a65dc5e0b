import pickle

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import DescriptionError


def faults(**changes: object) -> tuple[str, ...]:
    """Faults of a sound network with some of its parts exchanged."""
    parts: dict[str, object] = {
        "populations": [nm.Input("in", 2), nm.Population("out", 3, nm.LIF())],
        "projections": [nm.Projection("in", "out", np.ones((3, 2)))],
        "modulators": [nm.Modulator("reward")],
        "probes": [nm.Probe("out")],
    }
    with pytest.raises(DescriptionError) as caught:
        nm.Network(**{**parts, **changes})  # type: ignore[arg-type]
    return caught.value.faults


def one(**changes: object) -> str:
    (fault,) = faults(**changes)
    return fault


PLASTIC = nm.RewardModulatedSTDP(modulator="reward")


def test_everything_that_is_wrong_is_named_in_one_error() -> None:
    found = faults(
        populations=[nm.Input("in", 2), nm.Population("out", 3, nm.LIF()), nm.Population("out", 3, nm.LIF())],
        projections=[
            nm.Projection("in", "nowhere", np.ones((3, 2))),
            nm.Projection("in", "out", np.ones((2, 3)), name="second"),
            nm.Projection("in", "out", nm.AllToAll(1.0), plasticity=nm.RewardModulatedSTDP(modulator="dopamine")),
        ],
        probes=[nm.Probe("ghost"), nm.Probe("in", "v")],
    )
    for part in ("'out' is used 2 times", "'nowhere'", "transpose", "'dopamine'", "'ghost'", "input has spikes only"):
        assert sum(part in fault for fault in found) == 1, part


@pytest.mark.parametrize(
    ("projection", "says"),
    [
        (nm.Projection("nowhere", "out", nm.AllToAll()), "there is no population 'nowhere'; known: in, out"),
        (nm.Projection("out", "in", nm.AllToAll()), "'in' is an input and receives nothing"),
        (nm.Projection("in", "out", nm.OneToOne()), "OneToOne needs populations of one size"),
        (
            nm.Projection("in", "out", np.ones((2, 3))),
            "must have shape (3, 2) = (post, pre), got (2, 3); transpose them",
        ),
        (
            nm.Projection("in", "out", nm.AllToAll(), delay=np.ones((2, 2))),
            "delay must be one number or have shape (3, 2)",
        ),
    ],
)
def test_a_projection_that_does_not_fit_is_named(projection: nm.Projection, says: str) -> None:
    fault = one(projections=[projection])
    assert says in fault and repr(projection.name) in fault


def test_modulators_are_known_and_fit_the_projection() -> None:
    projection = nm.Projection("in", "out", nm.AllToAll(), plasticity=PLASTIC)
    assert "there is no modulator 'reward'; known: none; add Modulator" in one(projections=[projection], modulators=[])
    wrong = one(projections=[projection], modulators=[nm.Modulator("reward", 2)])
    assert "modulator 'reward' has size 2; a projection onto 3 neurons takes 1 or 3" in wrong


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        (nm.Probe("ghost"), "there is no such population or projection; known: in, out, in->out"),
        (nm.Probe("in->out", "v"), "a projection has weight and tag, not 'v'"),
        (nm.Probe("out", "weight"), "a population has spikes, u, v, not 'weight'"),
        (nm.Probe("in", "u"), "an input has spikes only, not 'u'"),
        (nm.Probe("in->out", "tag"), "its learning rule has no tag"),
    ],
)
def test_a_probe_of_what_is_not_there_is_named(probe: nm.Probe, says: str) -> None:
    assert says in one(probes=[probe])


def test_names_differ() -> None:
    twice = [nm.Projection("in", "out", nm.AllToAll())] * 2
    assert "'in->out' is used 2 times" in one(projections=twice)
    assert "modulator name 'reward' is used 2 times" in one(modulators=[nm.Modulator("reward")] * 2)
    assert "probe name 'out.spikes' is used 2 times" in one(probes=[nm.Probe("out")] * 2)


def test_a_network_without_neurons_is_refused() -> None:
    assert "nothing to simulate" in one(populations=[nm.Input("in", 2)], projections=[], probes=[])


def test_things_in_the_wrong_list_are_named() -> None:
    assert "Network.projections must hold Projection objects" in one(projections=[nm.Probe("out")])
    assert "Network.populations must hold Population or Input objects" in one(populations=["out"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nm.Population("a", 2, "LIF"), "neuron must be a neuron model such as LIF"),
        (lambda: nm.Population("a", 2, nm.LIF(bias=[1.0, 2.0, 3.0])), "'a': LIF.bias has length 3 for 2 neurons"),
        (lambda: nm.Projection("a", "b", [[1.0]], delay=0.0), "delay must be finite and > 0 s"),
        (lambda: nm.Projection("a", "b", [[1.0]], delay=-1e-3), "delay must be finite and > 0 s"),
        (lambda: nm.Projection("a", "b", [[1.0]], delay="1 ms"), "delay must be seconds"),
        (lambda: nm.Projection("a", "b", [[1.0]], delay=[1e-3]), "shape"),
        (lambda: nm.Projection("a", "b", [[1.0]], plasticity="stdp"), "plasticity must be a learning rule"),
        (lambda: nm.Projection("a", "b", [1.0]), "Projection 'a->b': Dense.weights must have shape"),
        (
            lambda: nm.Probe("a", "w"),
            "variable must be one of spikes, u, v, threshold_adaptation, weight, tag, delay, got 'w'",
        ),
        (lambda: nm.Probe("a", "v", every=0.0), "every must be > 0 s"),
        (lambda: nm.Probe("a", "spikes", every=1e-3), "leave out every"),
    ],
)
def test_a_part_that_is_wrong_alone_is_refused_when_it_is_made(make: object, says: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        make()  # type: ignore[operator]
    assert says in str(caught.value)


def test_an_unnamed_projection_is_called_after_its_ends() -> None:
    assert nm.Projection("a", "b", [[1.0]]).name == "a->b"


def test_networks_travel_to_other_processes() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 3, nm.LIF(bias=[0.1, 0.2, 0.3]))],
        projections=[nm.Projection("in", "out", nm.AllToAll(nm.Uniform(0.0, 1.0)), delay=2e-3, plasticity=PLASTIC)],
        modulators=[nm.Modulator("reward")],
    )
    assert nm.compile(pickle.loads(pickle.dumps(net))).fingerprint == nm.compile(net).fingerprint
