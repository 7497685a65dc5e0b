"""Synapses in pairing protocols: a teacher makes each postsynaptic neuron spike when the protocol says so."""

from __future__ import annotations

import numpy as np

from neuromorph.connectors import OneToOne
from neuromorph.inputs import Input
from neuromorph.network import Network, Population, Projection
from neuromorph.networks.units import read_weights
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule
from neuromorph.recording import BoolArray, FloatArray
from neuromorph.session import Session

PLASTIC = "pre->post"


def pairing_network(rule: LearningRule, *, size: int, weight: float, largest: float, name: str) -> Network:
    """``size`` plastic synapses of ``weight``, each with a neuron of its own at both ends, and a teacher for each.

    ``largest`` is a weight that learning does not reach; a plastic synapse alone never makes its neuron spike.
    """
    threshold = 20.0 * largest
    return Network(
        name=name,
        populations=[
            Input("pre", size),
            Input("teacher", size),
            Population("post", size, LIF(tau_mem=0.0, tau_syn=0.0, v_threshold=threshold)),
        ],
        projections=[
            Projection("pre", "post", OneToOne(weight), plasticity=rule),
            Projection("teacher", "post", OneToOne(2.0 * threshold)),
        ],
    )


def changes(session: Session, pre: BoolArray, post: BoolArray) -> FloatArray:
    """Change of every weight, shape (size,), after the spikes ``pre`` and ``post``, shape (steps, size), none in step 0."""
    if np.any(post[0]):
        raise ValueError("the teacher acts one step later: no postsynaptic spike can be in the first step")
    teacher = np.concatenate([post[1:], np.zeros_like(post[:1])])
    before = read_weights(session, PLASTIC).diagonal()
    session.run(len(pre), inputs={"pre": pre, "teacher": teacher})
    return np.asarray(read_weights(session, PLASTIC).diagonal() - before, dtype=np.float64)
