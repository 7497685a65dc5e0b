"""A hardware file with anything wrong in it is refused, with every fault and its path."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromorph.chip import Quantity, chip_names, load_chip
from neuromorph.errors import ChipError

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


FLAT = """
name = "mine"
kind = "neuromorphic"
description = "a chip with one account"
[costs]
missing = ["learning"]
[costs.synaptic_operation]
energy_joule = { value = 1e-12, source = "a paper, Table 1", status = "published" }
[costs.system]
role = "shared"
description = "around it"
core_static.power_watt = { value = 1e-3, source = "a paper, Table 2", status = "published" }
"""


def faults_of(text: str, folder: Path) -> str:
    path = folder / "broken.toml"
    path.write_text(text)
    with pytest.raises(ChipError) as caught:
        load_chip(path)
    return str(caught.value)


def test_all_faults_of_a_file_are_raised_together_with_their_paths(tmp_path: Path) -> None:
    message = faults_of(
        """
name = "broken"
kind = "quantum"
colour = "blue"
board = { chip = "loihi1" }
[limits.core]
compartments = { value = 1024.5, source = "p. 1", status = "published" }
compartment = { value = 1024, source = "p. 1", status = "published" }
input_axons = { value = 0, source = "p. 1", status = "published" }
synapse_memory_bit = 1048576
memory_megabyte = { value = 1, source = "p. 1", status = "published" }
routing_memory = { value = 1, source = "p. 1", status = "published" }
[limits.neurons]
refractory_step = { value = 1, source = "p. 1", status = "published" }
[costs.bench]
role = "first"
description = "bench"
missing = "nothing"
overlaps = "often"
borrows = { learning_update = "nobody" }
[costs.bench.synaptic_operation]
energy_joule = { low = 2e-12, high = 1e-12, source = " ", status = "guessed" }
time_second = { value = 1, low = 2, status = "published", note = "?" }
[costs.bench.neuron_update_active]
energy_joule = { source = "p. 1", status = "published" }
time_second = { value = "fast", source = "p. 1", status = "published" }
force_newton = { value = 1, source = "p. 1", status = "published" }
[costs.bench.neuron_update_idle]
energy_joule = { value = 52, source = "p. 1, in pJ", status = "published" }
energy_picojoule = { value = 52, source = "p. 1", status = "published" }
time_ns = { value = 52, source = "p. 1", status = "published" }
[costs.bench.barrier]
time_second = { value = -1e-9, source = "p. 1", status = "published" }
power_watt = { value = nan, source = "p. 1", status = "published" }
energy_joule = { points = [[1, 2], [3]], per = "inches", source = "p. 1", status = "published" }
[costs.bench.barrier_between_chips]
time_second = { points = [[8, 1e-6], [2, 1e-6]], per = "chips", source = "p. 1", status = "published" }
[costs.bench.synaptic_operations]
energy_joule = { value = 1e-12, source = "p. 1", status = "published" }
""",
        tmp_path,
    )
    expected = (
        "$.colour: unknown key",
        "$.description: is missing",
        "$.kind: must be one of neuromorphic, conventional, board, technology; got 'quantum'",
        "$.board: belongs to a file of kind 'board', got kind 'quantum'",
        "$.limits.core.compartments: must be a whole number of compartments, got 1024.5",
        "$.limits.core.compartment: unknown key; did you mean 'compartments'?",
        "$.limits.core.input_axons: must be >= 1 axon, got 0",
        "$.limits.core.synapse_memory_bit: must be a table { value, source, status }, got 1048576",
        "$.limits.core.memory_megabyte: the unit must be bit (SI, no prefixes), got 'memory_megabyte': write 'memory_bit'",
        "$.limits.core.routing_memory: the unit must be byte (SI, no prefixes), got 'routing_memory'",
        "$.limits.neurons: unknown section; did you mean 'neuron'?",
        "$.costs.bench.role: must be one of alternative, shared; got 'first'",
        "$.costs.bench.missing: must be a list of sentences",
        "$.costs.bench.overlaps: must be true or false, got 'often'",
        "$.costs.bench.borrows.learning_update: set 'nobody' states no learning_update",
        "$.costs.bench.synaptic_operation.energy_joule: low must be <= high, got 2e-12 > 1e-12",
        "$.costs.bench.synaptic_operation.energy_joule: source is empty",
        "synaptic_operation.energy_joule: status must be one of published, derived, assumed, measured; got 'guessed'",
        "$.costs.bench.synaptic_operation.time_second: needs either value, or low and high, or values, or points and per",
        "$.costs.bench.synaptic_operation.time_second: source is missing",
        "$.costs.bench.synaptic_operation.time_second.note: unknown key",
        "$.costs.bench.neuron_update_active.energy_joule: needs either value, or low and high",
        "$.costs.bench.neuron_update_active.time_second: value must be numbers, got ['fast']",
        "$.costs.bench.neuron_update_active.force_newton: unknown key",
        "$.costs.bench.neuron_update_idle.energy_joule: must be 0 to 0.001 joule, got 52",
        "$.costs.bench.neuron_update_idle.energy_picojoule: the unit must be joule (SI, no prefixes)",
        "$.costs.bench.neuron_update_idle.time_ns: the unit must be second (SI, no prefixes)",
        "$.costs.bench.barrier.time_second: must be 0 to 1000 second, got -1e-09",
        "$.costs.bench.barrier.power_watt: must be finite",
        "$.costs.bench.barrier.energy_joule: per must be one of tiles, chips; got 'inches'",
        "$.costs.bench.barrier.energy_joule: points must be pairs of numbers",
        "$.costs.bench.barrier_between_chips.time_second: points must stand in rising order of chips",
        "$.costs.bench.synaptic_operations: unknown key; did you mean 'synaptic_operation'?",
        "$.costs: needs at least one set of role 'alternative'",
    )
    for line in expected:
        assert line in message
    assert message.startswith(f"{len(expected)} faults:")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[costs.bench]", "[costs.bench"), "is not a TOML file"),
        ((MINIMAL, "name = 3\ncosts = 4\nlimits = { core = 5 }"), "$.limits.core: must be a table, got 5"),
        (("1e-12", "true"), "$.costs.bench.synaptic_operation.energy_joule: value must be numbers, got [True]"),
        (("1e-12", '"1"'), "$.costs.bench.synaptic_operation.energy_joule: value must be numbers, got ['1']"),
        (
            (' source = "a paper, Table 1",', ""),
            "$.costs.bench.synaptic_operation.energy_joule: source is missing: name the paper",
        ),
        (('"a paper, Table 1"', "1"), "$.costs.bench.synaptic_operation.energy_joule: source must be text, got 1"),
        (('"a paper, Table 1"', '""'), "$.costs.bench.synaptic_operation.energy_joule: source is empty"),
        (("{ value", '{ unit = "J", value'), "energy_joule.unit: unknown key: units stand in key names"),
        (("synaptic_operation.energy_joule", "borrows = 1\nx"), "$.costs.bench.borrows: must be a table, got 1"),
        (("[costs.bench]", "[costs.bench.x]"), "$.costs.bench.role: is missing"),
    ],
)
def test_a_malformed_file_is_a_chip_error(change: tuple[str, str], expected: str, tmp_path: Path) -> None:
    assert expected in faults_of(MINIMAL.replace(*change), tmp_path)


def test_a_single_account_may_stand_at_the_top_of_costs(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FLAT)
    costs = load_chip(path).costs
    assert {name: cost_set.role for name, cost_set in costs.items()} == {"mine": "alternative", "system": "shared"}
    assert costs["mine"].coefficients["synaptic_operation.energy"].low == 1e-12
    assert costs["mine"].missing == ("learning",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((' source = "a paper, Table 1",', ""), "$.costs.synaptic_operation.energy_joule: source is missing"),
        (("energy_joule", "energy_picojoule"), "$.costs.synaptic_operation.energy_picojoule: the unit must be joule"),
        (("[costs.system]", "[costs.neuron_updat]\nenergy_joule = 1\n[costs.system]"), "$.costs.neuron_updat: unknown operation; did you mean 'neuron_update'?"),
    ],
)  # fmt: skip
def test_faults_of_a_single_account_have_its_short_path(change: tuple[str, str], expected: str, tmp_path: Path) -> None:
    assert expected in faults_of(FLAT.replace(*change), tmp_path)


def test_bytes_that_are_not_text_are_a_chip_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ChipError, match="is not a TOML file"):
        load_chip(path)


def test_a_quantity_checks_itself() -> None:
    with pytest.raises(ChipError, match="2 faults"):
        Quantity(low=2.0, high=1.0, unit="J", source="", status="published")
    quantity = Quantity(low=1.0, high=2.0, unit="J", source="Table 1", status="derived")
    assert quantity.at(7) == (1.0, 2.0)
    assert quantity.to_json() == {
        "low": 1.0,
        "high": 2.0,
        "unit": "J",
        "source": "Table 1",
        "status": "derived",
    }


# ------------------------------------------------------------------------------------- every number of every file

HEADER, NUMBER_LINE = re.compile(r"\[([\w.]+)\]"), re.compile(r"(\w+) = \{ (value|low|values|points|text) = ")


def shipped_text(name: str) -> str:
    return resources.files("neuromorph.hardware_configs").joinpath(f"{name}.toml").read_text()


def entries_of(text: str) -> list[tuple[int, str]]:
    """Line and path of every number and statement of a file, read off its text."""
    section, found = "", []
    for at, line in enumerate(text.splitlines()):
        if header := HEADER.match(line):
            section = header[1]
        elif entry := NUMBER_LINE.match(line):
            found.append((at, f"$.{section}.{entry[1]}"))
    return found


def with_line(text: str, at: int, line: str) -> str:
    lines = text.splitlines()
    assert lines[at] != line
    return "\n".join([*lines[:at], line, *lines[at + 1 :]])


@pytest.mark.parametrize("name", chip_names())
def test_a_file_without_any_one_of_its_sources_is_refused_with_the_path(name: str, tmp_path: Path) -> None:
    text = shipped_text(name)
    entries = entries_of(text)
    assert len(entries) == text.count("source = ") > 0
    for at, path in entries:
        without = with_line(text, at, re.sub(r'source = "[^"]*", ', "", text.splitlines()[at]))
        assert f"{path}: source is missing" in faults_of(without, tmp_path)


UNIT_WORD = r"_(joule|second|watt|metre|volt|hertz|byte|bit|step)(?<!per_second)(?<!per_step)$"
MUTATIONS: dict[str, Callable[[str, str], tuple[str, str]]] = {  # from line and path to another line and what is said
    "no status": lambda line, path: (re.sub(r', status = "\w+"', "", line), f"{path}: status is missing"),
    "a bad status": lambda line, path: (
        re.sub(r'status = "\w+"', 'status = "guessed"', line),
        f"{path}: status must be one of published, derived, assumed, measured; got 'guessed'",
    ),
    "an empty source": lambda line, path: (re.sub(r'source = "[^"]*"', 'source = " "', line), f"{path}: source is empty"),
    "a key more": lambda line, path: (line.replace("{ ", "{ sauce = 1, ", 1), f"{path}.sauce: unknown key; did you mean"),
    "no table": lambda line, path: (f"{path.rpartition('.')[2]} = 7", f"{path}: must be a table"),
    "text for a number": lambda line, path: (
        re.sub(r"\{ (value|low|values|points|text) = (\[+[^{]*\]|\"[^\"]*\"|[^,]*),", r"{ \1 = [true],", line),
        f"{path}: ",
    ),
    "another key": lambda line, path: (f"zz{line}", f"{path.rpartition('.')[0]}.zz{path.rpartition('.')[2]}: unknown key"),
    "another unit": lambda line, path: (
        re.sub(r"^(\w+)_(\w+) =", r"\1_milli\2 =", line) if re.search(UNIT_WORD, path) else f"zz{line}",
        "the unit must be" if re.search(UNIT_WORD, path) else "unknown key",
    ),
}  # fmt: skip


@given(data=st.data(), name=st.sampled_from(chip_names()), kind=st.sampled_from(sorted(MUTATIONS)))
@settings(max_examples=150, deadline=None)
def test_any_fault_of_form_at_any_number_is_refused_with_its_path(data: st.DataObject, name: str, kind: str) -> None:
    text = shipped_text(name)
    at, path = data.draw(st.sampled_from(entries_of(text)))
    line, said = MUTATIONS[kind](text.splitlines()[at], path)
    with TemporaryDirectory() as folder:
        message = faults_of(with_line(text, at, line), Path(folder))
    assert said in message
    assert path.rpartition(".")[0] in message
