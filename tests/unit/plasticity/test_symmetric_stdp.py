import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


@pytest.mark.parametrize("lag", [-20, -3, -1, 1, 3, 20])
def test_the_order_of_two_spikes_makes_no_difference(learn, lag: int) -> None:
    steps = np.arange(100)[:, np.newaxis]
    found = learn(nm.SymmetricSTDP(A=0.1, tau=15 * MS), steps == 50, steps == 50 + lag)[-1, 0, 0]
    assert found == pytest.approx(0.1 * np.exp(-abs(lag) / 15), rel=1e-12)


def test_spikes_of_one_step_count_twice_and_a_lone_presynaptic_one_weakens(learn) -> None:
    steps = np.arange(100)[:, np.newaxis]
    rule = nm.SymmetricSTDP(A=0.1, tau=15 * MS, depression=0.03)
    assert learn(rule, steps == 50, steps == 50)[-1, 0, 0] == pytest.approx(0.17)
    assert learn(rule, steps == 50, steps == -1)[-1, 0, 0] == pytest.approx(-0.03)
    assert learn(rule, steps == -1, steps == 50)[-1, 0, 0] == 0


def test_independent_trains_rest_at_the_rate_that_depression_sets(learn_long, spikes) -> None:
    """The mean change of a presynaptic spike is 0 where twice A times the mean trace is the depression."""
    pre, post = spikes(1, steps=20_000, neurons=3), spikes(2, steps=20_000, neurons=3, probability=0.05)
    mean_trace = 0.05 / (1 - np.exp(-1 / 15))
    for factor, sign in ((0.8, 1), (1.2, -1)):
        rule = nm.SymmetricSTDP(A=1e-3, tau=15 * MS, depression=factor * 2e-3 * mean_trace)
        assert np.all(np.sign(learn_long(rule, pre, post)) == sign)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"SymmetricSTDP\.tau must be > 0 s, got nan"):
        nm.SymmetricSTDP(tau=float("nan"))
