"""Weights in the description's units, in float and in fixed point, dense and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.networks.pairing import changes, pairing_network
from neuromorph.networks.units import read_weights, weight_unit, write_weights


def network(weights: Any) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, plasticity=nm.STDP(w_min=0.0, w_max=1.0))],
    )


@pytest.mark.parametrize("chip", [None, "loihi1"])
@pytest.mark.parametrize("weights", [np.linspace(0.0, 1.0, 6).reshape(2, 3), nm.FixedProbability(0.6, 0.5, seed=1)])
def test_weights_come_back_as_they_were_described(weights: object, chip: str | None) -> None:
    described = np.asarray(weights) if isinstance(weights, np.ndarray) else None
    with nm.open(network(weights), chip=chip) as session:
        found = read_weights(session, "in->out")
        dense = found if isinstance(found, np.ndarray) else found.toarray()
        step = 1.0 / weight_unit(session, "in->out") if chip else 1e-12
        if described is not None:
            assert np.max(np.abs(dense - described)) <= step
        write_weights(session, "in->out", found * 0.5)
        halved = read_weights(session, "in->out")
        halved = halved if isinstance(halved, np.ndarray) else halved.toarray()
        assert np.max(np.abs(halved - dense / 2)) <= step


def test_a_weight_beyond_the_range_of_a_chip_is_held_at_its_end() -> None:
    with nm.open(network(np.full((2, 3), 0.5)), chip="loihi1") as session:
        write_weights(session, "in->out", np.full((2, 3), 1e6))
        assert np.all(session.read("in->out.weight") == 255.0)


def test_the_teacher_and_not_the_plastic_synapse_makes_spikes() -> None:
    rule = nm.STDP(A_plus=0.5, A_minus=0.25, w_max=1.0)
    pre, post = np.zeros((6, 1), dtype=np.bool_), np.zeros((6, 1), dtype=np.bool_)
    pre[1:3] = True
    with nm.open(pairing_network(rule, size=1, weight=1.0, largest=1.0, name="pair")) as session:
        assert changes(session, pre, post)[0] == 0.0  # no postsynaptic spike, no trace of one: nothing to learn
    with (
        pytest.raises(ValueError, match="first step"),
        nm.open(pairing_network(rule, size=1, weight=0.0, largest=1.0, name="pair")) as session,
    ):
        changes(session, pre, np.ones((6, 1), dtype=np.bool_))
