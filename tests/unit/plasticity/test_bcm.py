import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_the_threshold_is_the_square_of_the_slow_trace_over_the_target(learn, spikes, trace) -> None:
    pre, post = spikes(1), spikes(2)
    x, y = trace(pre, 15), trace(post, 40)
    theta = trace(post, 300, impulse=40 / 300) ** 2 / 0.25
    change = (y * (y - theta))[:, :, np.newaxis] * x[:, np.newaxis, :]
    rule = nm.BCM(learning_rate=0.01, target=0.25, tau_plus=15 * MS, tau_minus=40 * MS, tau_theta=300 * MS)
    found = learn(rule, pre, post)
    assert found == pytest.approx(0.01 * change.cumsum(axis=0), rel=1e-10, abs=1e-13)
    assert change.min() < 0 < change.max()


def test_the_slow_trace_has_the_mean_of_the_fast_one(learn) -> None:
    """At a steady activity y on the target the rule rests, above it weakens, and below it strengthens, as theta = y^2 / target."""
    steps, tau = 3000, 20
    post = np.zeros((steps, 1), dtype=bool)
    post[5::5] = True
    activity = 1 / (5 * (1 - np.exp(-1 / tau)))  # of a sum of a spike each 5 steps, on average
    for target, sign in ((0.5 * activity, -1), (2 * activity, 1)):
        rule = nm.BCM(learning_rate=1e-3, target=target, tau_plus=tau * MS, tau_minus=tau * MS, tau_theta=300 * MS)
        weights = learn(rule, post, post)[:, 0, 0]
        assert np.sign(weights[-1] - weights[steps // 2]) == sign


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_four_overlapping_patterns_one_response_stays(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps, shown, tau = 400_000, 50, 10
    rates = np.full((4, 16), 0.02)
    for pattern in range(4):
        rates[pattern, (4 * pattern + np.arange(6)) % 16] = 0.2  # a third of them is the neighbour's too
    which = np.repeat(np.arange(steps // shown) % 4, shown)
    net = nm.Network(
        populations=[nm.Input("pre", 16), nm.Population("post", 1, nm.IF())],
        projections=[
            nm.Projection(
                "pre",
                "post",
                rng.uniform(0.05, 0.15, (1, 16)),
                plasticity=nm.BCM(learning_rate=3e-5, target=0.1, tau_plus=tau * MS, tau_minus=tau * MS),
            )
        ],
        probes=[nm.Probe("post")],
    )
    recording = nm.run(net, steps, backend="emulator", inputs={"pre": rng.random((steps, 16)) < rates[which]})
    spikes = np.asarray(recording.spikes["post"])[:, 0]
    first, last = (
        np.array([tau * spikes[part][which[part] == pattern].mean() for pattern in range(4)])
        for part in (slice(0, 20_000), slice(steps - 50_000, steps))
    )
    assert first.max() < 4 * first.min()
    assert last.max() > 10 * np.sort(last)[-2]
    # the theory's fixed point: one of four responses, y = theta = (y / 4)^2 / target, that is 16 targets
    assert last.max() == pytest.approx(1.6, rel=0.4)


@pytest.mark.parametrize("name", ["target", "tau_minus", "tau_theta"])
def test_what_must_be_positive_is_named(name: str) -> None:
    with pytest.raises(RuleError, match=rf"BCM\.{name} must be a finite number > 0, got 0"):
        nm.BCM(**{name: 0})
