"""Neurons are given the class to which they respond, and vote."""

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_neurons_stand_for_what_they_respond_to_and_vote_for_it(backend: str) -> None:
    weights = np.zeros((4, 4))
    weights[0, 0] = weights[1, 0] = weights[2, 1] = 3.0  # neuron 3 hears nothing
    net = nm.Network(
        populations=[nm.Input("in", 4), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.Dense(weights))],
        probes=[nm.Probe("out")],
    )
    labels = (1, 0, 1, 0)
    fed = np.zeros((40, 4), dtype=bool)
    for sample, label in enumerate(labels):
        fed[10 * sample : 10 * sample + 5, 1 - label] = True  # input 0 is class 1, input 1 is class 0
    with nm.open(net, backend=backend) as session:
        state = nm.LabelAssignment(population="out", labels=labels).open(session)
        with pytest.raises(InputError, match="has seen no sample yet"):
            _ = state.neuron_labels
        nm.run_with_host_rules(session, 40, rules=[state], every=10, inputs={"in": fed}, from_rest=True)
        assert state.neuron_labels.tolist() == [1, 1, 0, -1]
        assert state.predict(np.stack(state.counts)).tolist() == list(labels)
        assert state.predict(np.zeros((1, 4))).tolist() == [-1]
        with pytest.raises(InputError, match="has 4 labels, and more chunks were run"):
            nm.run_with_host_rules(session, 10, rules=[state], every=10)
