"""Numbers of hardware files, typed again from where they are published."""

from __future__ import annotations

import pytest

from neuromorph.chip import Quantity, load_chip


def coefficient(chip: str, key: str, account: str | None = None) -> Quantity:
    return load_chip(chip).costs[account or chip].coefficients[key]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("synaptic_operation", (23.6e-12, 3.5e-9)),
        ("neuron_update_active", (81e-12, 8.4e-9)),
        ("neuron_update_idle", (52e-12, 5.3e-9)),
        ("spike_within_tile", (1.7e-12, 2.1e-9)),
        ("tile_hop_east_west", (3.0e-12, 4.1e-9)),
        ("tile_hop_north_south", (4.0e-12, 6.5e-9)),
        ("learning_update", (120e-12, 6.1e-9)),
    ],
)
def test_loihi1_has_table_2_of_davies_2018(key: str, expected: tuple[float, float]) -> None:
    energy, time = (coefficient("loihi1", f"{key}.{kind}", "davies2018") for kind in ("energy", "time"))
    assert (energy.low, energy.high) == (expected[0],) * 2
    assert (time.low, time.high) == (expected[1],) * 2


def test_loihi1_has_the_regression_of_sanafe_by_encoding() -> None:
    expected = {"dense": (35.5e-12, 3.8e-9), "sparse": (33.6e-12, 4.7e-9), "convolution": (24.0e-12, 3.1e-9)}
    for encoding, numbers in expected.items():
        key = f"synaptic_operation_{encoding}"
        found = [coefficient("loihi1", f"{key}.{kind}", "sanafe").low for kind in ("energy", "time")]
        assert tuple(found) == numbers, encoding


def test_the_power_of_truenorth_is_that_of_three_measured_rates() -> None:
    # Akopyan et al. 2015, Fig. 17: 1048576 neurons, 128 active synapses each, 0.8 V
    event, static = coefficient("truenorth", "synaptic_operation.energy"), coefficient("truenorth", "core_static.power")
    for rate, measured in ((11.58, 68e-3), (20.07, 71e-3), (95.93, 94e-3)):
        power = 4096 * static.low + event.low * rate * 1048576 * 128
        assert power == pytest.approx(measured, rel=0.01), rate  # measured to two digits


def test_the_power_of_odin_is_that_of_both_measured_clocks() -> None:
    # Frenkel et al. 2019: 477 uW at 75 MHz and 37.5 MSOP/s, 35 uW at 1.3 MHz and 0.65 MSOP/s, at 0.55 V
    leakage, cycle, event = (
        coefficient("odin", key).low for key in ("core_static.power", "clock_cycle.energy", "synaptic_operation.energy")
    )
    for clock, rate, measured in ((75e6, 37.5e6, 477e-6), (1.3e6, 0.65e6, 35e-6)):
        assert leakage + cycle * clock + event * rate == pytest.approx(measured, rel=0.01)  # measured to two digits


@pytest.mark.parametrize(
    ("chip", "key", "expected"),
    [
        ("spinnaker1", "synaptic_operation.energy", 13.3e-9),  # keras_spiking/model_energy.py, Hoeppner et al. 2019
        ("spinnaker1", "neuron_update.energy", 26e-9),
        ("spinnaker2", "synaptic_operation.energy", 450e-12),
        ("spinnaker2", "neuron_update.energy", 2.19e-9),
        ("cmos_45nm", "multiply_accumulate_float32.energy", 4.6e-12),  # Horowitz, ISSCC 2014: 3.7 + 0.9 pJ
        ("cmos_45nm", "multiply_accumulate_int8.energy", 0.23e-12),
        ("cmos_45nm", "sram_32_kilobyte_word.energy", 20e-12),
        ("xylo_a2", "step.energy", 93e-9),  # arXiv 2208.12991
        ("a100", "multiply_accumulate_float32.energy", 2 * 400 / 19.5e12),  # data sheet: 400 W, 19.5 TFLOP/s
        ("h100", "multiply_accumulate_int8.energy", 2 * 700 / 1979e12),
    ],
)
def test_coefficients_are_those_of_their_sources(chip: str, key: str, expected: float) -> None:
    found = coefficient(chip, key)
    assert found.low == found.high == pytest.approx(expected, rel=5e-3)  # three digits are kept


@pytest.mark.parametrize(
    ("chip", "limit", "expected"),
    [
        ("truenorth", "chip.compartments", 1048576),  # Merolla et al. 2014
        ("truenorth", "synapse.delay", 15),
        ("brainscales2", "chip.synapses", 131072),  # Open Neuromorphic
        ("xylo_a2", "chip.compartments", 1008),  # Rockpool: 1000 hidden, 8 outputs
        ("xylo_imu", "chip.compartments", 512),  # 496 hidden, 16 outputs
        ("speck2", "chip.compartments", 327680),  # Sinabs: words of neuron memory of nine cores
        ("akida_akd1000", "chip.memory", 8 * 2**20),  # Open Neuromorphic: 8 MB
        ("odin", "chip.synapses", 65536),  # Frenkel et al. 2019
        ("loihi2", "chip.synapses", 120e6),
        ("jetson_tx1", "processor.idle_power", 2.64),  # Blouw et al. 2019
        ("xeon", "processor.idle_power", 17.0),
        ("h200", "processor.memory_bandwidth", 4.8e12),  # data sheet
    ],
)
def test_limits_are_those_of_their_sources(chip: str, limit: str, expected: float) -> None:
    assert load_chip(chip).limit(limit).high == expected


def test_a_limit_is_found_by_its_key_in_the_file_too() -> None:
    chip = load_chip("loihi1")
    assert chip.limit("core.synapse_memory_bit") == chip.limit("core.synapse_memory")
