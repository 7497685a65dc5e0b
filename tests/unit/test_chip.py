"""Hardware files are read strictly, and what the shipped ones say is sourced."""

from __future__ import annotations

import hashlib
import pickle
from importlib import resources
from pathlib import Path

import pytest

from neuromorph.chip import STATUSES, Chip, Quantity, chip_names, load_chip
from neuromorph.errors import ChipError

NUMBER = '{ value = 1e-12, unit = "J", source = "a paper, Table 1", status = "published" }'
MINIMAL = f"""
name = "mine"
kind = "neuromorphic"
description = "a chip of my own"
[costs.bench]
role = "alternative"
description = "measured on my bench"
synaptic_operation.energy = {NUMBER}
"""


def faults_of(text: str, folder: Path) -> str:
    path = folder / "broken.toml"
    path.write_text(text)
    with pytest.raises(ChipError) as caught:
        load_chip(path)
    return str(caught.value)


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
    assert (sanafe["synaptic_operation.energy"].low, sanafe["synaptic_operation.energy"].high) == (
        33.6e-12,
        35.5e-12,
    )
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


def test_all_faults_of_a_file_are_raised_together_with_their_paths(tmp_path: Path) -> None:
    message = faults_of(
        """
name = "broken"
kind = "quantum"
colour = "blue"
[limits.core]
compartments = { value = 1024, unit = "neuron", source = "p. 1", status = "published" }
compartment = { value = 1024, unit = "compartment", source = "p. 1", status = "published" }
synapse_memory = 1048576
[costs.bench]
role = "first"
description = "bench"
missing = "nothing"
borrows = { learning_update = "nobody" }
[costs.bench.synaptic_operation]
energy = { low = 2e-12, high = 1e-12, unit = "J", source = " ", status = "guessed" }
time = { value = 1, low = 2, unit = "ns", status = "published", note = "?" }
[costs.bench.neuron_update_active]
energy = { unit = "J", source = "p. 1", status = "published" }
time = { value = "fast", unit = "s", source = "p. 1", status = "published" }
force = { value = 1, unit = "N", source = "p. 1", status = "published" }
[costs.bench.barrier]
time = { value = -1e-9, unit = "s", source = "p. 1", status = "published" }
power = { value = nan, unit = "W", source = "p. 1", status = "published" }
[costs.bench.synaptic_operations]
energy = { value = 1e-12, unit = "J", source = "p. 1", status = "published" }
""",
        tmp_path,
    )
    for expected in (
        "$.colour: unknown key",
        "$.description: is missing",
        "$.kind: must be one of neuromorphic, conventional; got 'quantum'",
        "$.limits.core.compartments: unit must be 'compartment' (SI base units, no prefixes), got 'neuron'",
        "$.limits.core.compartment: unknown limit; did you mean 'core.compartments'?",
        "$.limits.core.synapse_memory: must be a table",
        "$.costs.bench.role: must be one of alternative, shared; got 'first'",
        "$.costs.bench.missing: must be a list of sentences",
        "$.costs.bench.borrows.learning_update: set 'nobody' states no learning_update",
        "$.costs.bench.synaptic_operation.energy: low must be <= high, got 2e-12 > 1e-12",
        "$.costs.bench.synaptic_operation.energy: source is empty",
        "synaptic_operation.energy: status must be one of published, derived, assumed; got 'guessed'",
        "$.costs.bench.synaptic_operation.time: needs either value, or low and high, or values",
        "$.costs.bench.synaptic_operation.time: source is missing",
        "$.costs.bench.synaptic_operation.time: unit must be 's'",
        "$.costs.bench.synaptic_operation.time.note: unknown key",
        "$.costs.bench.neuron_update_active.energy: needs either value, or low and high, or values; got none",
        "$.costs.bench.neuron_update_active.time: value must be numbers, got ['fast']",
        "$.costs.bench.neuron_update_active.force: unknown key",
        "$.costs.bench.barrier.time: must be >= 0, got -1e-09",
        "$.costs.bench.barrier.power: must be finite",
        "$.costs.bench.synaptic_operations: unknown key; did you mean 'synaptic_operation'?",
        "$.costs: needs at least one set of role 'alternative'",
    ):
        assert expected in message
    assert message.startswith("23 faults:")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[costs.bench]", "[costs.bench"), "is not a TOML file"),
        ((MINIMAL, "name = 3\ncosts = 4\nlimits = { core = 5 }"), "$.limits.core: must be a table, got 5"),
        (("1e-12", "true"), "$.costs.bench.synaptic_operation.energy: value must be numbers, got [True]"),
        (('unit = "J"', "unit = 1"), "$.costs.bench.synaptic_operation.energy: unit must be text, got 1"),
        (('"a paper, Table 1"', '""'), "$.costs.bench.synaptic_operation.energy: source is empty"),
        (("synaptic_operation.energy", "borrows = 1\nx"), "$.costs.bench.borrows: must be a table, got 1"),
    ],
)
def test_a_malformed_file_is_a_chip_error(change: tuple[str, str], expected: str, tmp_path: Path) -> None:
    assert expected in faults_of(MINIMAL.replace(*change), tmp_path)


def test_bytes_that_are_not_text_are_a_chip_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ChipError, match="is not a TOML file"):
        load_chip(path)


def test_a_quantity_checks_itself() -> None:
    with pytest.raises(ChipError, match="2 faults"):
        Quantity(low=2.0, high=1.0, unit="J", source="", status="published")
    quantity = Quantity(low=1.0, high=2.0, unit="J", source="Table 1", status="derived")
    assert quantity.to_json() == {
        "low": 1.0,
        "high": 2.0,
        "unit": "J",
        "source": "Table 1",
        "status": "derived",
    }
