import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_climbing_fibres_weaken_what_spiked_before_them_and_lone_spikes_strengthen(learn, spikes, trace) -> None:
    pre, post, climbing = spikes(1), spikes(2), spikes(3, probability=0.02)
    rule = nm.CerebellarLTD(A_plus=0.02, A_minus=0.1, tau_plus=100 * MS)
    found = learn(rule, pre, post, {"climbing fibre": climbing})
    expected = 0.02 * pre[:, np.newaxis, :] - 0.1 * np.einsum("tj,ti->tji", climbing, trace(pre, 100))
    assert found == pytest.approx(expected.cumsum(axis=0), rel=1e-10, abs=1e-13)


def test_a_pause_is_learned_at_the_time_of_the_climbing_fibre() -> None:
    """Granule cells spike one after the other in a trial; the Purkinje cell, loud to begin with, falls silent before the US."""
    period, cells, trials, us = 400, 80, 150, 250
    steps = period * trials
    phase = np.arange(steps) % period
    granule = phase[:, np.newaxis] // 5 == np.arange(cells)  # each spikes for 5 ms
    rule = nm.CerebellarLTD(A_plus=0.001, A_minus=0.02, tau_plus=30 * MS, w_min=0.0, w_max=0.6)
    net = nm.Network(
        populations=[
            nm.Input("granule", cells),
            nm.Population("purkinje", 1, nm.LIF(tau_mem=10 * MS, tau_syn=0.0, v_threshold=1.2)),
        ],
        projections=[nm.Projection("granule", "purkinje", np.full((1, cells), 0.5), plasticity=rule)],
        modulators=[nm.Modulator("climbing fibre")],
        probes=[nm.Probe("purkinje")],
    )
    climbing = (phase == us).astype(float)
    recording = nm.run(
        net, steps, backend="emulator", inputs={"granule": granule}, modulators={"climbing fibre": climbing}
    )
    spikes = np.asarray(recording.spikes["purkinje"])[:, 0].reshape(trials, period)
    before, after = spikes[:5].sum(axis=0), spikes[-5:].sum(axis=0)
    assert before[us - 30 : us].sum() > 0 and after[us - 30 : us].sum() == 0
    for far in (slice(0, 100), slice(us + 10, None)):  # the cell goes on, give or take a spike that falls elsewhere
        assert after[far].sum() > 0.9 * before[far].sum() > 0


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"CerebellarLTD\.A_minus must be a finite number, got None"):
        nm.CerebellarLTD(A_minus=None)
