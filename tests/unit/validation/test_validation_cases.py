"""Published measurements, predicted anew: every target is reached, from networks that are those of the papers."""

from collections.abc import Mapping

import pytest

import neuromorph as nm
from neuromorph.chip import load_chip
from neuromorph.cost import Range
from neuromorph.costs import estimate_work, stated_work
from neuromorph.validation import CASES, Row, mnist_convolution, nearest_neighbours, sequential_mnist, truenorth_rates
from neuromorph.validation.activity import RATE_CODE, Structure
from neuromorph.validation.keyword_spotting import FITTED, PRODUCTS, SWEEPS, structure


@pytest.fixture(scope="module")
def predicted() -> Mapping[str, tuple[Row, ...]]:
    return {case.name: case.predict() for case in CASES}


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_every_target_of_a_case_is_reached(predicted: Mapping[str, tuple[Row, ...]], name: str) -> None:
    missed = [
        f"{row.what}: {row.predicted.low:.4g} to {row.predicted.high:.4g} {row.unit}, measured {row.measured.low:.4g}, {row.target}"
        for row in predicted[name]
        if row.is_reached is False
    ]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.name != "further"])
def test_every_case_has_a_target(predicted: Mapping[str, tuple[Row, ...]], name: str) -> None:
    assert any(row.target is not None for row in predicted[name])


def test_a_case_gives_the_same_rows_twice(predicted: Mapping[str, tuple[Row, ...]]) -> None:
    assert mnist_convolution.predict() == predicted["mnist-convolution"]


def test_networks_have_the_sizes_and_synapses_of_the_papers() -> None:
    assert structure().size == PRODUCTS == 172_800
    lsnn = sequential_mnist.structure().program(0.0)
    assert [item.synapses for item in lsnn.projections] == [4263, 10_566, 846] and sequential_mnist.COMPARTMENTS == 350
    assert list(mnist_convolution.structure().layers.values()) == [784, 2304, 3200, 1024, 10]
    kernels = (25 * 2304, 144 * 3200, 288 * 1024, 1024 * 10)
    assert [item.synapses for item in mnist_convolution.structure().program(0.0).projections] == list(kernels)


def test_the_convolutions_take_the_cores_of_the_paper() -> None:
    compartments = mnist_convolution.compartments()
    assert compartments.low <= mnist_convolution.CORES * 1024 <= compartments.high


def test_a_run_of_one_chip_counts_what_is_stated_of_32() -> None:
    """Every input that spikes reaches every pattern once, so that the share of a chip is 1 / 32 of the stated work."""
    spikes, chips = 700, nearest_neighbours.CHIPS
    net = nearest_neighbours.structure()
    steps = nearest_neighbours.WINDOW
    sent = {"values": [[neuron < spikes and neuron % steps == step for neuron in range(1000)] for step in range(steps)]}
    counts = nm.run(net.program(0.0), steps, backend="emulator", inputs=sent).counts
    work = nearest_neighbours.query("nahuku32", patterns=nearest_neighbours.PATTERNS, chips=chips)
    stated = work.totals["synaptic_operation"]
    assert stated.low <= chips * counts.synaptic_events <= stated.high
    assert work.totals["neuron_update"].low == chips * counts.neuron_updates
    assert nm.place(net.program(0.0), "loihi1").chips == 1


def test_the_line_of_truenorth_goes_through_the_two_points_that_it_was_fitted_on() -> None:
    (low, watt_low), (_, _), (high, watt_high) = sorted(truenorth_rates.SWEEP.items())
    events = truenorth_rates.NEURONS * truenorth_rates.SYNAPSES
    coefficients = next(iter(load_chip("truenorth").costs.values())).coefficients
    # the file holds four digits
    assert coefficients["synaptic_operation.energy"].low == pytest.approx(
        (watt_high - watt_low) / (high - low) / events, rel=5e-4
    )
    for rate, watt in ((low, watt_low), (high, watt_high)):
        assert truenorth_rates.power(rate).low == pytest.approx(watt, rel=5e-4)


def test_batches_are_predicted_by_devices_that_never_saw_them(predicted: Mapping[str, tuple[Row, ...]]) -> None:
    for device, sweep in SWEEPS.items():
        rows = [row for row in predicted["keyword-spotting"] if row.what.startswith(f"{device}, ") and row.unit == "J"]
        assert [row.basis for row in rows] == ["fitted" if batch in FITTED else "predicted" for batch in sweep]


def test_one_range_of_activity_serves_every_conversion() -> None:
    from neuromorph.validation import further, keyword_spotting

    assert all(module.RATE_CODE is RATE_CODE for module in (further, keyword_spotting, mnist_convolution))


@pytest.mark.parametrize("net", [structure(), sequential_mnist.structure()], ids=lambda net: net.name)
def test_stated_work_holds_what_a_placement_counts_step_by_step(net: Structure) -> None:
    activity, steps = 0.1, 100
    recording = net.run(activity, steps=steps, input_activity=activity)
    placement = nm.place(net.program(activity), "loihi1", traffic=recording)
    exact = nm.estimate(recording, "loihi1", placement)
    counts = net.counted("loihi1", steps=steps, activity=Range.of(activity), input_activity=Range.of(activity))
    work = stated_work("loihi1", steps=steps, neurons=sum(net.layers.values()), cores=len(placement.cores), **counts)
    stated = estimate_work(work, "loihi1").energy_of("events")
    found = exact.energy_of("events")
    assert stated.low == pytest.approx(found.low) or stated.low < found.low
    assert stated.high == pytest.approx(found.high) or stated.high > found.high
    assert stated.high < 1.1 * found.high  # the bounds of a placed run are narrow
