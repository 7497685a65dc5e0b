import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_spikes_add_the_presynaptic_trace_at_each_postsynaptic_spike(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    found = learn(nm.Hebbian(learning_rate=0.1, tau_plus=15 * MS), pre, post)
    products = post[:, :, np.newaxis] * trace(pre, 15)[:, np.newaxis, :]
    assert found == pytest.approx(0.1 * products.cumsum(axis=0), rel=1e-11)


def test_rates_add_the_product_of_both_traces_in_every_step(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    found = learn(nm.Hebbian(learning_rate=0.1, form="rates", tau_plus=15 * MS, tau_minus=40 * MS), pre, post)
    products = trace(post, 40)[:, :, np.newaxis] * trace(pre, 15)[:, np.newaxis, :]
    assert found == pytest.approx(0.1 * products.cumsum(axis=0), rel=1e-11)


def closed_loop(rule: nm.LearningRule, steps: int) -> list[float]:
    """Norms of the weights of a neuron that is driven through them, after each of three parts."""
    rng = np.random.default_rng(3)
    net = nm.Network(
        populations=[nm.Input("pre", 8), nm.Population("post", 1, nm.IF(v_threshold=2.0))],
        projections=[nm.Projection("pre", "post", np.full((1, 8), 0.2), plasticity=rule, name="s")],
    )
    with nm.open(net) as session:
        norms = []
        for _ in range(3):
            session.run(steps, inputs={"pre": rng.random((steps, 8)) < 0.05})
            norms.append(float(np.linalg.norm(session.read("s.weight"))))
        return norms


def test_weights_grow_without_end_unless_bounded() -> None:
    norms = closed_loop(nm.Hebbian(learning_rate=0.01), 1000)
    assert norms[1] > 1.9 * norms[0] and norms[2] - norms[1] > 0.9 * (norms[1] - norms[0])  # no slower in the end
    assert closed_loop(nm.Hebbian(learning_rate=0.01, w_max=0.7), 1000)[-1] == pytest.approx(0.7 * np.sqrt(8))


def test_what_is_wrong_is_named_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        nm.Hebbian(learning_rate="fast", form="both", tau_plus=0.0)
    assert [fault.partition(" must")[0] for fault in caught.value.faults] == [
        "Hebbian.learning_rate",
        "Hebbian.tau_plus",
        "Hebbian.form",
    ]
