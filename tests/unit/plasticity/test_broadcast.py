import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError, RuleError


def test_each_neuron_is_told_its_own_mix_of_the_errors() -> None:
    broadcast = nm.Broadcast(neurons=30, outputs=3, seed=1)
    errors = np.random.default_rng(0).normal(size=(5, 3))
    assert broadcast.signal(errors) == pytest.approx(np.array([broadcast.weights @ error for error in errors]))
    assert broadcast.signal(errors[2]) == pytest.approx(broadcast.signal(errors)[2])
    assert np.array_equal(broadcast.weights, nm.Broadcast(neurons=30, outputs=3, seed=1).weights)
    assert not np.array_equal(broadcast.weights, nm.Broadcast(neurons=30, outputs=3, seed=2).weights)


def test_learned_weights_become_the_readouts_transpose() -> None:
    """Kolen and Pollack: equal changes and decay; fixed ones stay as far from it as they began."""
    rng = np.random.default_rng(4)
    angles = {}
    for rate in (0.0, 0.01):
        broadcast = nm.Broadcast(neurons=20, outputs=3, seed=0, learning_rate=rate, decay=rate)
        readout, teacher = rng.normal(size=(3, 20)), rng.normal(size=(3, 20))
        for _ in range(800):
            activity = rng.random((4, 20))
            error = activity @ (readout - teacher).T
            broadcast.learn(activity, error)
            readout -= 0.01 * error.T @ activity + 0.01 * readout
        cosine = np.sum(broadcast.weights.T * readout) / np.linalg.norm(broadcast.weights) / np.linalg.norm(readout)
        angles[rate] = np.degrees(np.arccos(min(cosine, 1.0)))
    assert angles[0.0] > 60 and angles[0.01] < 1


def test_what_is_wrong_is_named_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        nm.Broadcast(neurons=0, outputs=2.5, seed=-1, learning_rate=-1, decay=None)
    assert len(caught.value.faults) == 5
    broadcast = nm.Broadcast(neurons=4, outputs=2, seed=0)
    with pytest.raises(InputError, match=r"error must be finite and of shape \(2,\) or \(steps, 2\), got \(4,\)"):
        broadcast.signal(np.zeros(4))
    with pytest.raises(InputError, match="activity has 3 steps and error 1: they must be equal"):
        broadcast.learn(np.zeros((3, 4)), np.zeros(2))
