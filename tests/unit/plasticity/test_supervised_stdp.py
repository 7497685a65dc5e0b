import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_the_teachers_spikes_strengthen_and_its_own_weaken(learn, spikes, trace) -> None:
    pre, post, teacher = spikes(1), spikes(2), spikes(3)
    rule = nm.SupervisedSTDP(learning_rate=0.1, a=0.3, tau_plus=15 * MS)
    found = learn(rule, pre, post, {"teacher": teacher})
    change = (teacher.astype(float) - post)[:, :, np.newaxis] * (0.3 + trace(pre, 15))[:, np.newaxis, :]
    assert found == pytest.approx(0.1 * change.cumsum(axis=0), rel=1e-9, abs=1e-12)


def test_a_neuron_learns_to_spike_when_its_teacher_does() -> None:
    """Of a fixed pattern of input spikes: the teacher's times, to the step, and no others."""
    rng = np.random.default_rng(0)
    length, pause, inputs, trials = 200, 100, 400, 150
    period = length + pause
    pattern = np.zeros((period, inputs), dtype=bool)
    pattern[:length] = rng.random((length, inputs)) < 0.01
    wanted = np.array([60, 110, 170])
    teacher = np.zeros(period)
    teacher[wanted] = 1.0
    rule = nm.SupervisedSTDP(learning_rate=0.004, a=0.01, tau_plus=5 * MS)
    net = nm.Network(
        populations=[nm.Input("pre", inputs), nm.Population("post", 1, nm.LIF(tau_mem=10 * MS, tau_syn=2 * MS))],
        projections=[nm.Projection("pre", "post", np.full((1, inputs), 0.01), plasticity=rule)],
        modulators=[nm.Modulator("teacher")],
        probes=[nm.Probe("post")],
    )
    recording = nm.run(
        net,
        period * trials,
        backend="emulator",
        inputs={"pre": np.tile(pattern, (trials, 1))},
        modulators={"teacher": np.tile(teacher, trials)},
    )
    spikes = np.asarray(recording.spikes["post"])[:, 0].reshape(trials, period)
    first, last = (np.flatnonzero(spikes[trial]) for trial in (0, -1))
    assert len(first) != 3
    assert len(last) == 3 and np.abs(last - wanted).max() <= 2


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"SupervisedSTDP\.a must be a finite number, got 'none'"):
        nm.SupervisedSTDP(a="none")
