import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_a_weight_changes_by_its_own_neurons_error_times_the_trace(learn, spikes, trace) -> None:
    pre, post = spikes(1, neurons=3), spikes(2, neurons=2)
    error = np.random.default_rng(3).normal(size=(len(pre), 2))
    found = learn(nm.DeltaRule(learning_rate=0.1, tau_plus=15 * MS), pre, post, {"error": error})
    assert found == pytest.approx(
        0.1 * np.einsum("tj,ti->tji", error, trace(pre, 15)).cumsum(axis=0), rel=1e-9, abs=1e-12
    )


def test_wrong_counts_are_learned_away() -> None:
    """Three patterns, three wanted numbers of spikes; the error is told after each presentation."""
    rng = np.random.default_rng(1)
    patterns = rng.random((3, 30)) < 0.3
    wanted = np.array([[0, 5], [2, 1], [5, 2]])  # of 5 volleys: each, every second, every third, or none
    rule = nm.DeltaRule(learning_rate=0.005, tau_plus=20 * MS)
    net = nm.Network(
        populations=[nm.Input("pre", 30), nm.Population("post", 2, nm.LIF(tau_mem=50 * MS, tau_syn=0.0))],
        projections=[nm.Projection("pre", "post", np.zeros((2, 30)), plasticity=rule)],
        modulators=[nm.Modulator("error", 2)],
        probes=[nm.Probe("post")],
    )
    steps, mistakes = 20, []
    with nm.open(net) as session:
        for trial in range(450):
            which = trial % 3
            shown = patterns[which] & (np.arange(steps) % 4 == 0)[:, np.newaxis]
            count = np.asarray(session.run(steps, inputs={"pre": shown}).spikes["post"]).sum(axis=0)
            session.run(1, modulators={"error": (wanted[which] - count)[np.newaxis].astype(float)})
            session.reset()
            mistakes.append(np.abs(wanted[which] - count).sum())
    assert mistakes[0] == wanted[0].sum()  # silent to begin with
    assert sum(mistakes[-3:]) == 0


def test_in_an_epoch_the_error_of_its_last_step_counts(learn, spikes, trace) -> None:
    pre, post = spikes(1, neurons=1, probability=0.5), spikes(2, neurons=1)
    pre[np.arange(len(pre)) % 4 != 1] = False  # at most one in an epoch
    error = np.random.default_rng(3).normal(size=len(pre))
    found = learn(nm.DeltaRule(learning_rate=0.1, tau_plus=15 * MS, epoch=4 * MS), pre, post, {"error": error})
    last = np.arange(len(pre)) % 4 == 3
    assert found[last][-1, 0, 0] == pytest.approx(0.1 * np.sum((error * trace(pre, 15)[:, 0])[last]), rel=1e-9)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"DeltaRule\.tau_plus must be > 0 s, got 0"):
        nm.DeltaRule(tau_plus=0)
