import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_every_postsynaptic_spike_goes_a_part_of_the_way_to_the_trace(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    x, weight, expected = trace(pre, 15), np.full((2, 2), 0.8), []
    for t in range(len(pre)):
        weight = weight + 0.2 * post[t][:, np.newaxis] * (0.3 * x[t] - weight)
        expected.append(weight)
    rule = nm.SpikeTracePrototype(learning_rate=0.2, trace_scale=0.3, tau_plus=15 * MS)
    assert learn(rule, pre, post, weight=0.8) == pytest.approx(np.array(expected), rel=1e-10)


def test_weights_come_to_rest_at_the_mean_trace(learn_long) -> None:
    """Whatever they begin with: a weighted mean over the last spikes, so that the beginning is forgotten."""
    rng = np.random.default_rng(0)
    rates = np.array([0.02, 0.1, 0.3])
    pre, post = rng.random((5000, 3)) < rates, rng.random((5000, 1)) < 0.2
    post[0] = False
    rule = nm.SpikeTracePrototype(learning_rate=0.02, trace_scale=0.1, tau_plus=10 * MS)
    ends = [learn_long(rule, pre, post, weight=weight)[0] for weight in (0.0, 5.0)]
    assert ends[0] == pytest.approx(ends[1], abs=5 * 0.98 ** post.sum() * 1.01)
    mean = 0.1 * rates / (1 - np.exp(-1 / 10))
    assert ends[0] == pytest.approx(mean, rel=0.35)  # over some 50 spikes: traces spread by their own size at low rates


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"SpikeTracePrototype\.trace_scale must be a finite number, got inf"):
        nm.SpikeTracePrototype(trace_scale=float("inf"))
