import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError
from neuromorph.plasticity import TRIPLET_PARAMETERS

MS = 1e-3
FREQUENCIES = (0.1, 10, 20, 40, 50)  # Hz
# Weight change by lag in ms and its standard error, layer 5 of visual cortex: Sjostrom, Turrigiano and Nelson, Neuron 32, 2001
MEASURED = {10: (-0.04, 0.14, 0.29, 0.53, 0.56), -10: (-0.29, -0.41, -0.34, 0.56, 0.75)}
STANDARD_ERROR = {10: (0.05, 0.10, 0.14, 0.11, 0.26), -10: (0.08, 0.11, 0.10, 0.32, 0.19)}


def by_events(parameters, pre, post) -> float:
    """Pfister and Gerstner's equations 3 and 4, spike by spike in continuous time: the weight of one synapse."""
    at, tau = dict.fromkeys(("r1", "r2", "o1", "o2"), 0.0), {"r1": 16.8, "r2": 0.0, "o1": 33.7, "o2": 0.0}
    tau["r2"], tau["o2"] = parameters["tau_x"] / MS, parameters["tau_y"] / MS
    weight, last = 0.0, 0
    for t in np.flatnonzero(pre | post):
        for name in at:
            at[name] *= np.exp(-(t - last) / tau[name])
        last = t
        # with its full impulse in the pair term, where both spikes fall in one step, and none in the triplet's
        if post[t]:
            weight += (at["r1"] + pre[t]) * (parameters["A2_plus"] + parameters["A3_plus"] * at["o2"])
        if pre[t]:
            weight -= (at["o1"] + post[t]) * (parameters["A2_minus"] + parameters["A3_minus"] * at["r2"])
        for name, spiked in (("r1", pre), ("r2", pre), ("o1", post), ("o2", post)):
            at[name] += spiked[t]
    return weight


@pytest.mark.parametrize("fit", list(TRIPLET_PARAMETERS))
def test_published_parameters_give_the_published_equations(learn, spikes, fit: str) -> None:
    pre, post = spikes(1, neurons=1), spikes(2, neurons=1)
    found = learn(nm.TripletSTDP(**TRIPLET_PARAMETERS[fit]), pre, post)[-1, 0, 0]
    assert found == pytest.approx(by_events(TRIPLET_PARAMETERS[fit], pre[:, 0], post[:, 0]), rel=1e-10)


def frequency_protocol(learn, rule: nm.LearningRule) -> dict[int, np.ndarray]:
    """60 pairs at each frequency by lag in ms, as in the paper; at the lowest one they are alone."""
    places = [(lag, frequency) for lag in MEASURED for frequency in FREQUENCIES]
    pre, post = np.zeros((2, 6100, len(places)), dtype=bool)
    for neuron, (lag, frequency) in enumerate(places):
        starts = 20 + np.arange(60 if frequency >= 1 else 1) * round(1000 / frequency)
        pre[starts, neuron], post[starts + lag, neuron] = True, True
    change = np.diag(learn(rule, pre, post)[-1]).reshape(len(MEASURED), len(FREQUENCIES))
    repeats = [60 if frequency < 1 else 1 for frequency in FREQUENCIES]
    return {lag: row * repeats for lag, row in zip(MEASURED, change, strict=True)}


def test_potentiation_grows_with_the_rate_as_measured_and_pairs_cannot_say_so(learn) -> None:
    def error(found: dict[int, np.ndarray]) -> float:
        return np.mean([((found[lag] - MEASURED[lag]) / STANDARD_ERROR[lag]) ** 2 for lag in MEASURED])

    triplet = frequency_protocol(learn, nm.TripletSTDP())
    assert error(triplet) < 0.4
    assert triplet[-10][0] < -0.25 and triplet[-10][-1] > 0.5  # post before pre: weaker at low rates, stronger at high
    pair = nm.STDP(A_plus=6.5e-3, A_minus=7.1e-3, tau_plus=16.8 * MS, tau_minus=33.7 * MS)
    assert error(frequency_protocol(learn, pair)) > 4


def test_the_minimal_rule_reads_two_traces_less() -> None:
    assert sorted(nm.TripletSTDP().traces) == ["x1", "y1", "y2"]
    assert sorted(nm.TripletSTDP(**TRIPLET_PARAMETERS["hippocampus"]).traces) == ["x1", "x2", "y1", "y2"]


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"TripletSTDP\.tau_y must be > 0 s, got -1"):
        nm.TripletSTDP(tau_y=-1)
