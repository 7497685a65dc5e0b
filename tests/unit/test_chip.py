"""What the hardware files of neuromorph state, and that files of the user are read as ours are."""

from __future__ import annotations

import hashlib
import pickle
from importlib import resources
from pathlib import Path

import pytest

import neuromorph as nm
from neuromorph.chip import STATUSES, Chip, Quantity, chip_names, load_chip
from neuromorph.costs import Range, estimate, estimate_counts
from neuromorph.errors import ChipError
from neuromorph.recording import Counts, PopulationCounts, ProjectionCounts

NUMBER = '{ value = 1e-12, source = "a paper, Table 1", status = "published" }'
MINIMAL = f"""
name = "mine"
kind = "neuromorphic"
description = "a chip of my own"
[costs.bench]
role = "alternative"
description = "measured on my bench"
synaptic_operation.energy_joule = {NUMBER}
"""


def numbers_of(chip: Chip) -> dict[str, Quantity]:
    return dict(chip.limits) | {
        f"{name}.{key}": quantity
        for name, cost_set in chip.costs.items()
        for key, quantity in cost_set.coefficients.items()
    }


@pytest.mark.parametrize("name", chip_names())
def test_every_number_of_a_shipped_chip_has_source_and_status(name: str) -> None:
    numbers = numbers_of(load_chip(name))
    assert numbers
    for key, quantity in numbers.items():
        assert quantity.source.strip() and quantity.status in STATUSES and quantity.low <= quantity.high, key


@pytest.mark.parametrize("name", chip_names())
def test_a_shipped_file_is_named_as_its_chip_and_cites_no_path(name: str) -> None:
    content = resources.files("neuromorph.hardware_configs").joinpath(f"{name}.toml").read_text()
    assert load_chip(name).name == name
    assert not any(private in content for private in ("/work", "CHIPS", "/root", "/home"))


def test_loihi1_states_the_published_limits_and_both_sets() -> None:
    chip = load_chip("loihi1")
    assert (chip.kind, set(chip.costs)) == ("neuromorphic", {"davies2018", "sanafe", "system"})
    assert chip.limit("chip.cores").high * chip.limit("core.compartments").high == 131072
    assert chip.limit("chip.compartments").high == 131072
    assert chip.limit("core.synapse_memory").high == 128 * 1024 * 8
    assert chip.limit("synapse.index_widths").values == (0, 6, 7, 8, 9, 10, 11, 12)
    assert chip.limit("chip.tiles").high == chip.limit("chip.mesh_rows").high * chip.limit("chip.mesh_columns").high
    davies, sanafe = chip.costs["davies2018"].coefficients, chip.costs["sanafe"].coefficients
    assert davies["synaptic_operation.energy"].low == 23.6e-12
    of_any_encoding = sanafe["synaptic_operation.energy"]
    assert (of_any_encoding.low, of_any_encoding.high) == (24.0e-12, 35.5e-12)  # shared kernels, dense weights
    static = chip.costs["system"].coefficients["core_static.power"]
    assert static.high == pytest.approx(3.34 / 32 / 128, rel=1e-4)  # 32 chips of 128 cores drew 3.34 W


SECOND_HAND = "as quoted by secondary sources"
UNOPENED = ("Davies et al. 20", "Frady et al. 2020", "technology brief")


def test_loihi1_says_where_a_publication_is_only_quoted_second_hand() -> None:
    chip = load_chip("loihi1")
    origins = {key: quantity.source for key, quantity in numbers_of(chip).items()}
    origins |= {name: cost_set.description for name, cost_set in chip.costs.items()}
    origins |= {line: line for cost_set in chip.costs.values() for line in cost_set.missing}
    quoting = {key: text for key, text in origins.items() if any(paper in text for paper in UNOPENED)}
    assert len(quoting) > 40
    assert [key for key, text in quoting.items() if SECOND_HAND not in text] == []


def test_loihi1_cites_pages_only_where_they_are_known() -> None:
    limits = load_chip("loihi1").limits
    for key in ("chip.cores", "chip.embedded_processors", "core.compartments", "core.output_axons"):
        assert "p. " not in limits[key].source, key
    assert "p. 89" in limits["core.input_axons"].source
    assert "section" not in limits["system.chips_built"].source


def test_the_processor_is_consistent_in_power_speed_and_energy() -> None:
    costs = load_chip("cpu").costs
    power = costs["core"].coefficients["busy_core.power"]
    operations = costs["operations"].coefficients
    energy, time = operations["multiply_accumulate.energy"], operations["multiply_accumulate.time"]
    assert energy.low == pytest.approx(power.low * time.low)  # 10 W at 100 GFLOP/s
    assert energy.high == pytest.approx(power.high * time.high)  # 20 W at 50 GFLOP/s


def test_a_borrowed_coefficient_keeps_the_source_of_its_lender() -> None:
    costs = load_chip("loihi1").costs
    borrowed = costs["sanafe"].coefficients["learning_update.energy"]
    assert borrowed == costs["davies2018"].coefficients["learning_update.energy"]
    assert "Davies" in borrowed.source


def test_an_unknown_name_lists_the_known_ones_and_says_that_a_path_works() -> None:
    with pytest.raises(ChipError, match=r"no chip 'loihi9'; known chips: .*cpu.*loihi1.*path of a hardware file"):
        load_chip("loihi9")


def test_a_path_to_nothing_is_said_to_be_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "mine.toml", str(tmp_path / "mine.toml"), "mine.toml"):
        with pytest.raises(ChipError, match=r"there is no hardware file .*mine\.toml"):
            load_chip(path)


def test_a_file_of_the_user_is_read_by_its_path_and_fingerprinted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    chip = load_chip(path)
    assert chip == load_chip(str(path)) == pickle.loads(pickle.dumps(chip))
    assert chip.fingerprint == hashlib.sha256(MINIMAL.encode()).hexdigest()
    path.write_text(MINIMAL.replace("1e-12", "2e-12"))
    assert load_chip(path) != chip


def test_a_limit_that_the_file_does_not_state_is_an_error_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    with pytest.raises(ChipError, match=r"'mine' states no limit 'core\.compartments', needed here"):
        load_chip(path).limit("core.compartments")


@pytest.mark.parametrize("name", chip_names())
def test_products_that_a_file_states_are_those_of_its_own_numbers(name: str) -> None:
    limits = load_chip(name).limits
    products = {
        "chip.compartments": ("chip.cores", "core.compartments"),
        "chip.cores": ("chip.tiles", "chip.cores_per_tile"),
        "chip.tiles": ("chip.mesh_rows", "chip.mesh_columns"),
    }
    for product, (one, other) in products.items():
        if {product, one, other} <= set(limits):
            low, high = limits[one].low * limits[other].low, limits[one].high * limits[other].high
            assert low * 0.999 <= limits[product].high and limits[product].low <= high * 1.001, product


WORK = Counts(
    steps=10,
    populations={
        "in": PopulationCounts(neurons=4, is_input=True, spikes=20, neuron_updates=0, active_updates=0),
        "out": PopulationCounts(neurons=8, is_input=False, spikes=5, neuron_updates=80, active_updates=30),
    },
    projections={"p": ProjectionCounts(synapses=32, plastic=False, synaptic_events=160, learning_updates=0)},
)


@pytest.mark.parametrize("name", chip_names())
def test_what_a_chip_says_it_can_estimate_it_can(name: str) -> None:
    chip = load_chip(name)
    if "energy" in chip.estimates:
        cost = estimate_counts(WORK, dt=1e-3, chip=chip)
        assert cost.latency_second.high > 0 and cost.energy_joule.high > 0
        if "latency" not in chip.estimates:  # without times of operations a run lasts as long as it is paced
            assert cost.latency_second == Range(WORK.steps * 1e-3, WORK.steps * 1e-3)
    else:
        with pytest.raises(ChipError, match=rf"{name}.*states no"):
            estimate_counts(WORK, dt=1e-3, chip=chip)


def test_the_wall_time_of_this_machine_is_charged_to_no_other_processor() -> None:
    net = nm.Network(populations=[nm.Population("out", 3, nm.LIF(bias=2.0))])
    recording = nm.run(net, 20)
    assert any(term.status == "measured" for term in estimate(recording, "cpu").energy_terms)
    elsewhere = estimate(recording, "cortex_m4")
    assert {term.status for term in (*elsewhere.energy_terms, *elsewhere.latency_terms)} == {"assumed"}
    assert elsewhere.latency_second.low == pytest.approx(3 * 20 * 200e-9)


@pytest.mark.parametrize("wrong", [None, 3, ["loihi1"]])
def test_what_is_neither_a_name_nor_a_path_is_refused(wrong: object) -> None:
    with pytest.raises(ChipError, match="its name or the path of a hardware file"):
        load_chip(wrong)  # type: ignore[arg-type]
