import numpy as np
import pytest

import neuromorph as nm
from neuromorph.capabilities import FEATURES, Capabilities, Gap, requirements
from neuromorph.errors import InputError
from neuromorph.testing import feature_cases, fixed_feature_cases, minimal_cases

# features that another one brings with it
IMPLIED = {
    "delay_per_synapse": {"delay"},
    "several_delays": {"delay"},
    "learning_sparse": {"learning", "sparse"},
    "learning_delay": {"learning", "delay"},
    "learned_delays": {"learning", "learning_delay", "delay_per_synapse"},
    "third_factor_per_neuron": {"third_factor"},
    "several_modulators": {"third_factor"},
    **{name: {"learning"} for name in ("tag", "third_factor", "epoch", "sparse_dependency")},
    **{name: {"learning"} for name in ("second_traces", "non_decaying_trace", "factors", "weight_bounds")},
    **{name: {"learning"} for name in ("nearest_traces", "membrane_traces", "rectified_factors")},
}


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_a_case_that_uses_it_and_only_what_it_implies(feature: str) -> None:
    allowed, frontier = {feature}, [feature]
    while frontier:
        new = IMPLIED.get(frontier.pop(), set()) - allowed
        allowed |= new
        frontier += new
    for cases, more in ((feature_cases(), set()), (fixed_feature_cases(), {"fixed_point", "weight_bounds"})):
        if feature in cases:
            assert {feature} <= cases[feature].features <= allowed | more


def test_a_plain_network_requires_nothing() -> None:
    assert requirements(minimal_cases()[0].program) == []


def test_requirements_say_where() -> None:
    found = dict(requirements(feature_cases()["several_delays"].program))
    assert found == {"delay": "projection 'second'", "several_delays": "population 'out'"}


def network(*projections: nm.Projection) -> nm.Program:
    populations = [nm.Input("in", 3), *(nm.Population(name, 3, nm.LIF()) for name in "abc")]
    return nm.compile(nm.Network(populations=populations, projections=projections))


def test_loops_of_any_length_are_recurrent_and_feedforward_paths_are_not() -> None:
    ahead = [nm.Projection(pre, post, nm.AllToAll()) for pre, post in [("in", "a"), ("a", "b"), ("b", "c"), ("a", "c")]]
    assert requirements(network(*ahead)) == []
    back = nm.Projection("c", "a", nm.AllToAll())
    where = dict(requirements(network(*ahead, back)))["recurrent"]
    assert where == "projection 'a->b', projection 'b->c', projection 'a->c', projection 'c->a'"
    assert "recurrent" in dict(requirements(network(nm.Projection("b", "b", nm.OneToOne()))))


def test_an_empty_projection_has_no_delay() -> None:
    empty = nm.Projection("in", "a", nm.FixedProbability(0.0), name="empty")
    late = nm.Projection("in", "a", nm.AllToAll(), delay=3e-3)
    assert set(dict(requirements(network(late, empty)))) == {"sparse", "delay"}


def test_gaps_become_sentences_with_feature_place_and_reason() -> None:
    capabilities = Capabilities(gaps={"delay": Gap("a wire has no length", "never"), "tag": Gap("unused", "ours")})
    program = network(nm.Projection("in", "a", nm.AllToAll(), delay=2e-3))
    assert capabilities.faults(program) == [
        "delay (delays of more than one step) in projection 'in->a': a wire has no length"
    ]


def test_gaps_are_features_that_exist() -> None:
    with pytest.raises(InputError, match=r"unknown features \['magic'\]; known: fixed_point, per_neuron_parameters"):
        Capabilities(gaps={"magic": Gap("", "ours")})


def test_one_modulator_per_neuron_of_one_neuron_is_a_scalar() -> None:
    rule = nm.LearningRule(dw="r*x0", modulators={"m": 1.0})
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("a", 1, nm.LIF())],
        projections=[nm.Projection("in", "a", np.ones((1, 3)), plasticity=rule)],
        modulators=[nm.Modulator("m", 1)],
    )
    assert set(dict(requirements(nm.compile(net)))) == {"learning", "third_factor"}
