"""Networks at a stated activity: their rates, their synapses, and how their work spreads over cores."""

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.cost import Range
from neuromorph.validation.activity import SILENT, Structure, busiest_share, convolution, every, so_many


def two_layers(sizes: tuple[int, int, int] = (40, 60, 20)) -> Structure:
    return Structure(
        name="two layers",
        inputs={"in": sizes[0]},
        layers={"a": sizes[1], "b": sizes[2]},
        synapses=[("in", "a", every()), ("a", "b", every())],
    )


@pytest.mark.parametrize("activity", [0.02, 0.25, 0.5])
def test_neurons_spike_as_often_as_stated(activity: float) -> None:
    recording = two_layers((100, 400, 400)).run(activity, steps=400, input_activity=activity)
    for name, size in (("in", 100), ("a", 400), ("b", 400)):
        # drawn rates: standard deviation of the mean activity / sqrt(3 x 400), of drawn spikes below activity / 28
        assert len(recording.spikes[name]) / (400 * size) == pytest.approx(activity, rel=0.1)


def test_weights_change_no_spike() -> None:
    silent = two_layers().run(0.3, steps=50, input_activity=0.3)
    alone = Structure(name="alone", inputs={"in": 40}, layers={"a": 60, "b": 20}, synapses=[])
    assert silent.spikes["b"].equals(alone.run(0.3, steps=50, input_activity=0.3).spikes["b"])


def test_counts_are_those_of_one_run_of_so_many_steps() -> None:
    found = two_layers().counted("loihi1", steps=10, activity=Range(0.1, 0.2), input_activity=Range(0.1, 0.2), runs=30)
    synapses = 40 * 60 + 60 * 20
    assert found["synaptic_operations"].low == pytest.approx(0.1 * synapses * 10, rel=0.15)
    assert found["synaptic_operations"].high == pytest.approx(0.2 * synapses * 10, rel=0.15)
    assert found["busiest_share"] == Range(1.0, 1.0)  # one core
    assert found["hops_east_west"] == Range(0.0, 0.0)


def test_a_convolution_connects_what_its_kernel_covers() -> None:
    connector, shape = convolution((7, 6, 3), filters=2, kernel=3, stride=2)
    assert shape == (3, 2, 2)
    synapses = connector.synapses(3 * 2 * 2, 7 * 6 * 3, np.random.default_rng(0))
    found = {(int(post), int(pre)) for post, pre in zip(synapses.post, synapses.pre, strict=True)}
    expected = {
        ((row * 2 + column) * 2 + chosen, ((2 * row + i) * 6 + 2 * column + j) * 3 + channel)
        for row in range(3) for column in range(2) for chosen in range(2) for i in range(3) for j in range(3) for channel in range(3)
    }  # fmt: skip
    assert found == expected and np.all(synapses.weight == SILENT)


def test_so_many_synapses_are_drawn_none_twice() -> None:
    synapses = so_many(500, 30, 20, seed=3).synapses(30, 20, np.random.default_rng(0))
    assert len(set(zip(synapses.post.tolist(), synapses.pre.tolist(), strict=True))) == 500


def test_the_busiest_core_is_the_one_with_most_events() -> None:
    net = Structure(name="uneven", inputs={"in": 10}, layers={"a": 1100}, synapses=[("in", "a", every())])
    program = net.program(0.0)
    placement = nm.place(program, "loihi1")
    recording = net.run(0.0, steps=20, input_activity=0.5)
    sizes = [core.neurons for core in placement.cores]
    assert len(sizes) > 1 and busiest_share(recording, placement, program) == pytest.approx(max(sizes) / 1100)
