import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_missing_spikes_add_the_trace_and_wrong_ones_take_it_away(learn, spikes, trace) -> None:
    pre, post, teacher = spikes(1), spikes(2), spikes(3)
    found = learn(nm.Perceptron(learning_rate=0.1, tau_plus=15 * MS), pre, post, {"teacher": teacher})
    error = teacher.astype(float) - post
    assert found == pytest.approx(0.1 * np.einsum("tj,ti->tji", error, trace(pre, 15)).cumsum(axis=0), abs=1e-12)


def test_a_right_spike_changes_nothing(learn, spikes) -> None:
    pre, post = spikes(1), spikes(2)
    found = learn(nm.Perceptron(learning_rate=0.125), pre, post, {"teacher": post})
    assert found == pytest.approx(np.zeros_like(found), abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_mistakes_end_below_novikoffs_bound(seed: int) -> None:
    """Patterns are volleys, each answered in the next step; the threshold is learned as the weight of an input that is always on."""
    rng = np.random.default_rng(seed)
    inputs, samples, apart, passes = 10, 40, 200, 60
    patterns = rng.random((samples, inputs)) < 0.5
    patterns[:, 0] = True
    solution = rng.normal(size=inputs)
    margin = patterns @ solution
    patterns, margin = patterns[np.abs(margin) > 0.3], margin[np.abs(margin) > 0.3]
    bound = (patterns.sum(axis=1).max()) * (solution @ solution) / np.abs(margin).min() ** 2
    wanted = margin > 0
    volleys = np.zeros((passes * len(patterns) * apart, inputs), dtype=bool)
    teacher = np.zeros((len(volleys), 1))
    volleys[::apart] = np.tile(patterns, (passes, 1))
    teacher[1::apart, 0] = np.tile(wanted, passes)  # a spike acts in the step after the one it was sent in
    rule = nm.Perceptron(learning_rate=1.0, tau_plus=2 * MS)
    net = nm.Network(
        # nothing is kept from step to step, and the threshold is as good as 0
        populations=[
            nm.Input("pre", inputs),
            nm.Population("post", 1, nm.LIF(tau_mem=0.0, tau_syn=0.0, v_threshold=1e-9)),
        ],
        projections=[nm.Projection("pre", "post", np.zeros((1, inputs)), plasticity=rule)],
        modulators=[nm.Modulator("teacher")],
        probes=[nm.Probe("post")],
    )
    recording = nm.run(
        net, len(volleys), backend="emulator", inputs={"pre": volleys}, modulators={"teacher": teacher[:, 0]}
    )
    answers = np.asarray(recording.spikes["post"])[1::apart, 0].reshape(passes, len(patterns))
    mistakes = answers != wanted
    assert 0 < mistakes.sum() < bound
    assert not mistakes[-1].any()


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"Perceptron\.learning_rate must be a finite number, got 'a'"):
        nm.Perceptron(learning_rate="a")
