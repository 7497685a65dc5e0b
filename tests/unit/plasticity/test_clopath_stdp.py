import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3
FREQUENCIES = (0.1, 10, 20, 40, 50)  # Hz


def cells(rule: nm.LearningRule, pre: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Final weights of one synapse a cell, which is driven by spikes of its own and has a membrane of 10 ms."""
    count = pre.shape[1]
    neuron = nm.LIF(tau_mem=10 * MS, tau_syn=0.0)
    net = nm.Network(
        populations=[nm.Input("pre", count), nm.Input("drive", count), nm.Population("post", count, neuron)],
        projections=[
            nm.Projection("pre", "post", nm.OneToOne(0.0), plasticity=rule, name="s"),
            nm.Projection("drive", "post", nm.OneToOne(0.6)),
        ],
    )
    with nm.open(net, dt=1 * MS) as session:
        session.run(len(pre), inputs={"pre": pre, "drive": drive})
        return np.asarray(session.read("s.weight").diagonal())


def test_both_terms_follow_the_membrane_and_its_low_passes(spikes) -> None:
    """Euler steps of the paper's equations, with the membrane of a LIF neuron written out; learned weights act back."""
    pre, drive = spikes(1, neurons=1, probability=0.2), spikes(2, neurons=1, probability=0.4)
    rule = nm.ClopathSTDP(A_LTD=0.01, A_LTP=0.005, theta_minus=0.1, theta_plus=0.7, v_spike=3.0)
    v = low_minus = low_plus = x = weight = current = 0.0
    terms = {"LTD": 0.0, "LTP": 0.0}
    for t in range(len(pre)):
        v = np.exp(-1 / 10) * v + current
        membrane = 3.0 if v > 1.0 else v
        v = 0.0 if v > 1.0 else v
        current = weight * pre[t, 0] + 0.6 * drive[t, 0]  # acts in the next step
        low_minus += (1 - np.exp(-1 / 10)) * (membrane - low_minus)
        low_plus += (1 - np.exp(-1 / 7)) * (membrane - low_plus)
        x = np.exp(-1 / 15) * x + pre[t, 0]
        down = 0.01 * max(low_minus - 0.1, 0) * pre[t, 0]
        up = 0.005 * x * max(membrane - 0.7, 0) * max(low_plus - 0.1, 0)
        weight += up - down
        terms = {"LTD": terms["LTD"] + down, "LTP": terms["LTP"] + up}
    assert min(terms.values()) > 0.1
    assert cells(rule, pre, drive) == pytest.approx([weight], rel=1e-9)


def test_a_depolarised_silent_cell_weakens_its_inputs_and_one_at_rest_does_not() -> None:
    steps = np.arange(1000)[:, np.newaxis]
    pre = np.repeat(steps % 50 == 0, 2, axis=1)
    drive = np.hstack([steps % 10 == 5, steps < 0])  # v stays below 0.6 / (1 - exp(-1)) = 0.95
    depolarised, resting = cells(nm.ClopathSTDP(), pre, drive)
    assert depolarised < -0.005 and resting == 0


def test_post_before_pre_weakens_at_low_rates_and_strengthens_at_high_ones() -> None:
    """60 pairs at each rate, post 10 ms before pre (Sjostrom et al. 2001): what no rule of pairs can do."""
    pre, drive = np.zeros((2, 6100, len(FREQUENCIES)), dtype=bool)
    for cell, frequency in enumerate(FREQUENCIES):
        starts = 20 + np.arange(60 if frequency >= 1 else 1) * round(1000 / frequency)
        pre[starts, cell] = True
        drive[starts - 11, cell] = drive[starts - 12, cell] = True  # two of them make a spike, 10 ms before pre
    changes = cells(nm.ClopathSTDP(), pre, drive)
    assert changes[0] < 0 and changes[1] < 0 and changes[-1] > 0
    assert np.all(np.diff(changes[1:]) > 0)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"ClopathSTDP\.v_spike must be a finite number, got inf"):
        nm.ClopathSTDP(v_spike=float("inf"))
