"""Bytes of parameters and buffers, added up by hand."""

from __future__ import annotations

import numpy as np

import neuromorph as nm
from neuromorph.neurobench import measure
from neuromorph.program import Program


def network(plastic: bool) -> nm.Network:
    rule = nm.RewardModulatedSTDP(w_min=0.0, w_max=1.0) if plastic else None
    return nm.Network(
        populations=[nm.Input("in", 10), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", np.full((4, 10), 0.25), plasticity=rule)],
        modulators=[nm.Modulator("reward")] if plastic else [],
    )


def bytes_of(program: Program, **options: int) -> dict[str, int]:
    return dict(measure(program, 1, **options).footprint)


def test_a_static_network_holds_weights_shared_constants_and_two_states_a_neuron() -> None:
    assert bytes_of(nm.compile(network(False))) == {
        "weights": 40 * 4,
        "delays": 0,
        "neuron parameters": 4 * 4,  # decays of u and v, threshold and bias, shared by all
        "neuron state": 4 * 2 * 4,
    }


def test_numbers_may_have_another_width() -> None:
    assert bytes_of(nm.compile(network(False)), value_byte=8)["weights"] == 40 * 8


def test_zero_weights_take_their_bytes() -> None:
    zeros = nm.compile(network(False)).with_weights({"in->out": np.zeros((4, 10))})
    assert bytes_of(zeros) == bytes_of(nm.compile(network(False)))


def test_learning_adds_its_traces_and_tags() -> None:
    plastic = bytes_of(nm.compile(network(True)))
    static = bytes_of(nm.compile(network(False)))
    assert {name: plastic[name] for name in static} == static
    assert plastic["traces"] == (10 + 4) * 4
    assert plastic["tags"] == 40 * 4


def test_in_fixed_point_a_weight_is_one_byte() -> None:
    fixed = bytes_of(nm.compile(network(False), chip="loihi1"))
    assert fixed["weights"] == 40
    assert fixed["neuron state"] == 4 * 2 * 4


def test_constants_of_single_neurons_and_delays_of_single_synapses_are_held_one_by_one() -> None:
    different = nm.Network(
        populations=[
            nm.Input("in", 2),
            nm.Population("out", 3, nm.LIF(v_threshold=np.array([1.0, 2.0, 3.0]), refractory=5e-3)),
        ],
        projections=[nm.Projection("in", "out", np.ones((3, 2)), delay=np.array([[1e-3, 2e-3]] * 3))],
    )
    found = bytes_of(nm.compile(different, dt=1e-3))
    assert found["neuron parameters"] == (2 + 1 + 3) * 4 + 1  # decays, bias, thresholds; one refractory period
    assert found["neuron state"] == 3 * (2 * 4 + 1)  # u, v and a refractory count
    assert found["delays"] == 6


def test_thresholds_that_adapt_are_one_state_more() -> None:
    adapting = nm.Network(populations=[nm.Population("out", 3, nm.LIF(threshold_increment=0.1))])
    found = bytes_of(nm.compile(adapting))
    assert found["neuron state"] == 3 * 3 * 4
    assert found["neuron parameters"] == 6 * 4


def test_delays_that_learn_are_a_number_for_every_synapse() -> None:
    rule = nm.LearningRule(dd="0.1 * x0", d_max=5e-3)
    learning = nm.Network(
        populations=[nm.Input("in", 10), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", np.full((4, 10), 0.25), plasticity=rule)],
    )
    assert bytes_of(nm.compile(learning))["delays"] == 40 * 4
