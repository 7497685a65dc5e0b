from __future__ import annotations

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.bench.peers.numpy_events import NumpyRunner
from neuromorph.bench.peers.suite import SuiteRunner
from neuromorph.bench.programs import Arithmetic, program
from neuromorph.bench.worker import check
from neuromorph.bench.workloads import FIRING_RATES, PERIOD, draw, kinds
from neuromorph.errors import InputError

SMALL = ("W1F", "W1R", "W2", "W3")


@pytest.mark.parametrize("name", SMALL)
def test_same_seed_same_workload_and_another_seed_another(name: str) -> None:
    one, two, other = draw(name, "S", 3), draw(name, "S", 3), draw(name, "S", 4)
    for arithmetic in ("float", "fixed"):
        prints = [program(drawn, arithmetic).fingerprint for drawn in (one, two, other)]  # type: ignore[arg-type]
        assert prints[0] == prints[1] != prints[2]
    assert all(np.array_equal(one.inputs[key], two.inputs[key]) for key in one.inputs)


@pytest.mark.parametrize("name", SMALL)
def test_firing_rate_is_the_workload(name: str) -> None:
    runner = NumpyRunner(draw(name, "S"))
    runner.build()
    runner.lap(50)
    lap = runner.lap(1000)
    low, high = FIRING_RATES
    assert low <= sum(lap.spikes.values()) / lap.steps / runner.workload.neurons <= high


@pytest.mark.parametrize("name", SMALL)
def test_float_and_fixed_point_are_the_same_network(name: str) -> None:
    workload = draw(name, "S")
    in_float, in_fixed = program(workload, "float"), program(workload, "fixed")
    for mine, other in zip(in_float.projections, in_fixed.projections, strict=True):
        scale = 2.0 ** (6 + other.weight_exponent)
        assert np.array_equal(mine.weight, other.weight * scale)
        assert np.array_equal(mine.pre_index, other.pre_index)
    for mine, other in zip(in_float.populations, in_fixed.populations, strict=True):
        assert np.array_equal(mine.threshold, other.threshold)
        assert np.array_equal(mine.decay_u, other.decay_u)


def test_sparse_targets_are_distinct_and_of_fixed_out_degree() -> None:
    (wires,) = draw("W1R", "S").wires
    assert wires.targets is not None
    assert wires.targets.shape == (1000, 100)
    assert np.all(np.diff(wires.targets, axis=1) > 0)
    assert wires.targets.max() < 1000


def test_input_is_repeated_after_its_period() -> None:
    workload = draw("W2", "S")
    dense = np.zeros((2 * PERIOD, 100), dtype=bool)
    dense[workload.input_events(PERIOD - 7, 2 * PERIOD)["input"]] = True
    rows = np.arange(PERIOD - 7, 3 * PERIOD - 7) % PERIOD
    assert np.array_equal(dense, workload.inputs["input"][rows])


def test_synaptic_events_count_spikes_times_fan_out() -> None:
    workload = draw("W2", "S")
    sent = workload.sent({"neurons": 5}, 30, PERIOD + 10)
    expected = workload.inputs["input"].sum() + workload.inputs["input"][30:40].sum()
    assert sent == {"neurons": 5, "input": expected}
    assert workload.synaptic_events(sent) == expected * 100


def test_a_rare_reward_is_zero_in_between() -> None:
    workload = draw("W3p", "M")
    assert workload.reward is not None
    assert np.flatnonzero(workload.reward).size <= 10
    assert np.all(np.flatnonzero(workload.reward) % 100 == 99)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("arithmetic", ["float", "fixed"])
def test_numpy_does_the_work_of_the_reference(name: str, arithmetic: Arithmetic) -> None:
    workload = draw(name, "S")
    ours, plain = SuiteRunner(workload, backend="reference", arithmetic=arithmetic), NumpyRunner(workload)
    found = []
    for runner in (ours, plain):
        runner.build()
        found.append(check(runner, 60.0, (10, 100))[0]["100"]["spikes"])
        runner.close()
    spikes, others = (sum(one.values()) for one in found)
    assert spikes > 100
    assert abs(spikes - others) <= 0.05 * spikes


@pytest.mark.parametrize("name", ["W2", "W3"])
def test_numpy_learns_what_the_reference_learns(name: str) -> None:
    workload = draw(name, "S")
    (wires,) = workload.wires
    ours, plain = SuiteRunner(workload, backend="reference", arithmetic="float"), NumpyRunner(workload)
    for runner in (ours, plain):
        runner.build()
        runner.lap(300)
    learned = np.asarray(ours._session.read("input->neurons.weight")).T / wires.gain
    ours.close()
    synapses = plain._synapses[0]
    if name == "W3":
        synapses._renew()  # type: ignore[attr-defined]
    weight = synapses.weight  # type: ignore[attr-defined]
    changed = np.abs(learned - wires.weight).mean()
    assert changed > 0.1
    # it holds float32, clips what several spikes add up to, and a neuron may spike a step sooner or later
    assert np.abs(weight - learned).mean() < 0.1 * changed


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="there is no workload 'W9'; known: W1F, W1R"):
        draw("W9", "S")
    with pytest.raises(InputError, match="workload W2R has no size 'S'; known: M"):
        draw("W2R", "S")


def test_every_workload_names_its_sizes() -> None:
    assert {name: tuple(kind.sizes) for name, kind in kinds().items()} == {
        "W1F": ("S", "M", "L"),
        "W1R": ("S", "M", "L", "chip1", "chip2"),
        "W2": ("S", "M", "L"),
        "W2R": ("M",),
        "W3": ("S", "M", "L"),
        "W3p": ("M",),
    }


def test_the_emulator_is_equal_to_the_reference_where_it_runs() -> None:
    if not registry.availability("emulator").available:
        pytest.skip("the emulator is not available here")
    digests = []
    for backend in ("reference", "emulator"):
        runner = SuiteRunner(draw("W1R", "S"), backend=backend, arithmetic="fixed", whole_call=True)
        runner.build()
        digests.append(runner.lap(100).digest)
        runner.close()
    assert digests[0] == digests[1]
