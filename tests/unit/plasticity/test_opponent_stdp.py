import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_serotonin_takes_away_what_dopamine_gives(learn, spikes) -> None:
    pre, post = spikes(1), spikes(2)
    dopamine, serotonin = np.random.default_rng(4).random((2, len(pre)))
    rule = nm.OpponentSTDP(balance=0.5, tau_e=200 * MS)
    found = learn(rule, pre, post, {"dopamine": dopamine, "serotonin": serotonin})
    alone = nm.RewardModulatedSTDP(modulator="outcome", tau_e=200 * MS)
    assert found == pytest.approx(learn(alone, pre, post, {"outcome": dopamine - 0.5 * serotonin}), rel=1e-9, abs=1e-12)


def test_each_alone_moves_the_weight_its_own_way_and_equals_cancel(learn, spikes) -> None:
    steps = np.arange(100)
    pre, post = steps[:, np.newaxis] == 10, steps[:, np.newaxis] == 12
    level = (steps > 30).astype(float)
    ends = [
        learn(nm.OpponentSTDP(), pre, post, told)[-1, 0, 0]
        for told in ({"dopamine": level}, {"serotonin": level}, {"dopamine": level, "serotonin": level})
    ]
    assert ends[0] > 0 and ends[1] == -ends[0] and ends[2] == 0


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"must be two modulators, got 'dopamine' twice"):
        nm.OpponentSTDP(aversive="dopamine")
