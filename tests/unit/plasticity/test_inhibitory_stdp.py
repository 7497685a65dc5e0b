import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_the_size_of_the_weight_follows_the_published_equation(learn, spikes) -> None:
    pre, post = spikes(1, neurons=1), spikes(2, neurons=1)
    eta, tau, alpha = 0.01, 20.0, 2 * 8.0 * 20 * MS
    size, x, y, expected = 5.0, 0.0, 0.0, []
    for t in range(len(pre)):  # the supplement's event-driven form
        x, y = x * np.exp(-1 / tau) + pre[t, 0], y * np.exp(-1 / tau) + post[t, 0]
        size += eta * (y - alpha) * pre[t, 0] + eta * x * post[t, 0]
        expected.append(-size)
    found = learn(nm.InhibitorySTDP(learning_rate=eta, target_rate=8.0, tau=20 * MS), pre, post, weight=-5.0)
    assert found[:, 0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target", [5.0, 20.0])
def test_inhibition_holds_a_neuron_at_its_target_rate(target: float) -> None:
    rng = np.random.default_rng(0)
    steps = 120_000
    rule = nm.InhibitorySTDP(learning_rate=1e-4, target_rate=target)
    net = nm.Network(
        populations=[nm.Input("exc", 80), nm.Input("inh", 100), nm.Population("cell", 4, nm.LIF())],
        projections=[
            nm.Projection("exc", "cell", np.full((4, 80), 0.02)),
            nm.Projection("inh", "cell", np.zeros((4, 100)), plasticity=rule),
        ],
        probes=[nm.Probe("cell")],
    )
    fed = {"exc": rng.random((steps, 80)) < 0.02, "inh": rng.random((steps, 100)) < 0.02}
    spikes = np.asarray(nm.run(net, steps, backend="emulator", inputs=fed).spikes["cell"])
    early, late = 1000 * spikes[:1000].mean(), 1000 * spikes[-20_000:].mean()
    assert early > 1.5 * target
    assert late == pytest.approx(target, rel=0.15)  # 80 s of neurons at 5 Hz are 400 spikes, and their spread 5 %


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"InhibitorySTDP\.tau must be a finite number > 0, got 0"):
        nm.InhibitorySTDP(tau=0)
