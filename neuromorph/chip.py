"""A chip as data: its limits and cost coefficients, each number with unit, source and status, from TOML.

A hardware file has ``name``, ``kind`` and ``description``, tables ``[limits.<part>]`` and ``[costs.<set>]``.
Each number is a table ``{ value | low, high | values, unit, source, status }``. Reading is strict: all faults
of a file are raised together, each with its path, such as ``$.costs.davies2018.synaptic_operation.energy``.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from neuromorph.errors import ChipError, raise_faults

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("neuromorphic", "conventional")
STATUSES = ("published", "derived", "assumed")
ROLES = ("alternative", "shared")

# What a hardware file may state, by unit: any other name is a fault, so that a slip of the pen is found.
LIMITS: Mapping[str, str] = {
    name: unit
    for unit, names in {
        "compartment": "core.compartments chip.compartments",
        "axon": "core.input_axons core.output_axons",
        "synapse": "core.binary_synapses chip.binary_synapses",
        "configuration": "core.compartment_configurations core.threshold_configurations"
        " core.synapse_configurations core.presynaptic_trace_configurations",
        "core": "chip.cores chip.embedded_processors chip.cores_per_tile system.cores_per_chip_addressed",
        "tile": "chip.tiles chip.mesh_columns chip.mesh_rows",
        "chip": "system.chips_addressed system.chips_built",
        "transistor": "chip.transistors",
        "trace": "learning.presynaptic_traces learning.postsynaptic_traces",
        "step": "synapse.delay synapse.delay_guaranteed neuron.refractory learning.epoch",
        "byte": "core.routing_memory chip.memory chip.synapse_memory neuron.state_memory",
        "bit": "core.synapse_memory core.synapse_memory_word core.memory synapse.weight_bits"
        " synapse.weight_widths synapse.index_widths synapse.memory synapse.delay_bits"
        " synapse.accumulator_bits"
        " synapse.accumulator_zero_bits neuron.membrane_bits neuron.decay_bits neuron.threshold_mantissa_bits"
        " neuron.threshold_shift neuron.bias_exponent_bits learning.trace_bits learning.tag_bits"
        " learning.reward_bits learning.weight_bits learning.delay_bits learning.accumulator_bits"
        " network.spike_message_bits",
        "spike/s": "chip.spike_bandwidth_per_tile",
        "m": "chip.process",
        "m^2": "chip.die_area",
        "V": "chip.supply_voltage",
        "1": "synapse.weight_exponent neuron.bias_mantissa learning.coefficient_mantissa"
        " learning.coefficient_exponent learning.trace_impulse system.link_bandwidth_ratio",
    }.items()
    for name in names.split()
}
QUANTITIES: Mapping[str, str] = {"energy": "J", "time": "s", "power": "W"}
OPERATIONS: Mapping[str, str] = {  # what can have a cost: name in the file -> name of the term
    "synaptic_operation": "synaptic operations",
    "synaptic_operation_convolution": "synaptic operations of shared kernels",
    "neuron_update": "neuron updates",
    "neuron_update_active": "active neuron updates",
    "neuron_update_idle": "idle neuron updates",
    "neuron_access": "neuron accesses",
    "neuron_state_change": "neuron state changes",
    "spike_generated": "spikes generated",
    "axon_out": "output axons",
    "axon_in": "input axons",
    "spike_within_tile": "spike messages within a tile",
    "tile_hop_east_west": "tile hops east-west",
    "tile_hop_north_south": "tile hops north-south",
    "learning_update": "learning updates",
    "barrier": "barrier (steps)",
    "barrier_between_chips": "barrier between chips (steps)",
    "step_overhead": "overhead of embedded processors (steps)",
    "core_static": "static power (core seconds)",
    "embedded_processors": "embedded processors (chip seconds)",
    "multiply_accumulate": "multiply-accumulates",
    "memory_byte": "memory traffic (bytes)",
    "busy_core": "busy core (seconds)",
}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number about hardware as a range ``low <= high`` with its unit and where it comes from."""

    low: float
    high: float
    unit: str
    source: str  # publication with page or table, or file of a public repository
    status: str  # published, derived (arithmetic shown in the source) or assumed
    values: tuple[float, ...] = ()  # the only allowed values, where a limit is a list

    def __post_init__(self) -> None:
        """Check order, source and status."""
        faults = []
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            faults.append(f"must be finite, got {self.low:g} to {self.high:g}")
        elif self.low > self.high:
            faults.append(f"low must be <= high, got {self.low:g} > {self.high:g}")
        if not self.source.strip():
            faults.append("source is empty; name the paper with page or table, or the file")
        if self.status not in STATUSES:
            faults.append(f"status must be one of {', '.join(STATUSES)}; got {self.status!r}")
        raise_faults(ChipError, faults)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        allowed = {"values": list(self.values)} if self.values else {}
        origin = {"unit": self.unit, "source": self.source, "status": self.status}
        return {"low": self.low, "high": self.high, **allowed, **origin}


@dataclass(frozen=True, kw_only=True)
class CostSet:
    """Coefficients of one origin: an ``alternative`` account of the work, or ``shared`` by every account."""

    role: str
    description: str
    coefficients: Mapping[str, Quantity] = field(compare=False)  # by "operation.quantity"
    missing: tuple[str, ...] = ()  # what this origin does not tell


@dataclass(frozen=True, kw_only=True)
class Chip:
    """Limits and costs of one chip; two chips are equal when their files are."""

    name: str
    kind: str
    description: str
    fingerprint: str  # SHA-256 of the file
    limits: Mapping[str, Quantity] = field(compare=False)  # by "part.limit"
    costs: Mapping[str, CostSet] = field(compare=False)

    def limit(self, name: str) -> Quantity:
        """The limit ``part.limit``; raises :class:`ChipError` where the file does not state it."""
        if name not in self.limits:
            known = ", ".join(sorted(self.limits)) or "none"
            raise ChipError(f"chip {self.name!r} states no limit {name!r}, needed here; it states: {known}")
        return self.limits[name]

    def to_json(self) -> dict[str, Any]:
        """Every number with its source and status, as plain data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "fingerprint": self.fingerprint,
            "limits": {name: quantity.to_json() for name, quantity in self.limits.items()},
            "costs": {
                name: {key: quantity.to_json() for key, quantity in costs.coefficients.items()}
                for name, costs in self.costs.items()
            },
        }


def chip_names() -> tuple[str, ...]:
    """Names of the chips that come with neuromorph.

    >>> "loihi1" in chip_names()
    True
    """
    files = resources.files("neuromorph.hardware_configs").iterdir()
    return tuple(sorted(entry.name[: -len(".toml")] for entry in files if entry.name.endswith(".toml")))


def load_chip(name_or_path: str | os.PathLike[str]) -> Chip:
    """Read a chip by name, or any hardware file by its path; raises :class:`ChipError` with all faults.

    >>> load_chip("loihi1").limit("core.compartments").high
    1024.0
    """
    if name_or_path in chip_names():
        file = resources.files("neuromorph.hardware_configs").joinpath(f"{name_or_path}.toml")
        return _parse(file.read_bytes(), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if path.is_file():
        return _parse(path.read_bytes(), os.fspath(path))
    if isinstance(name_or_path, str) and path.suffix != ".toml" and path.name == name_or_path:
        raise ChipError(
            f"there is no chip {name_or_path!r}; known chips: {', '.join(chip_names())}; "
            "the path of a hardware file (.toml) works too"
        )
    known = ", ".join(chip_names())
    raise ChipError(f"there is no hardware file {os.fspath(name_or_path)!r}; chips known by name: {known}")


def _parse(content: bytes, origin: str) -> Chip:
    try:
        raw = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChipError(f"{origin}: is not a TOML file: {error}") from None
    faults: list[str] = []
    _check_keys(raw, "$", ("name", "kind", "description", "limits", "costs"), faults)
    texts = {key: _text(raw, key, "$", faults) for key in ("name", "kind", "description")}
    if texts["kind"] and texts["kind"] not in KINDS:
        faults.append(f"$.kind: must be one of {', '.join(KINDS)}; got {texts['kind']!r}")
    limits = {
        f"{part}.{name}": quantity
        for part, table in _tables(raw, "limits", "$", faults).items()
        for name, entry in table.items()
        if (quantity := _limit(entry, part, name, faults)) is not None
    }
    tables = _tables(raw, "costs", "$", faults)
    costs = {name: _cost_set(table, f"$.costs.{name}", faults) for name, table in tables.items()}
    if not any(cost_set.role == "alternative" for cost_set in costs.values()):
        faults.append("$.costs: needs at least one set of role 'alternative' with coefficients of the work")
    costs = {name: _with_borrowed(costs, name, tables[name], faults) for name in costs}
    raise_faults(ChipError, [f"{origin}: {fault}" for fault in faults])
    fingerprint = hashlib.sha256(content).hexdigest()
    return Chip(**texts, fingerprint=fingerprint, limits=limits, costs=costs)


def _limit(entry: Any, part: str, name: str, faults: list[str]) -> Quantity | None:
    path, key = f"$.limits.{part}.{name}", f"{part}.{name}"
    if key not in LIMITS:
        faults.append(f"{path}: unknown limit{_nearest(key, LIMITS)}")
        return None
    return _quantity(entry, path, LIMITS[key], faults)


def _cost_set(table: Mapping[str, Any], path: str, faults: list[str]) -> CostSet:
    _check_keys(table, path, ("role", "description", "missing", "borrows", *OPERATIONS), faults)
    role, description = _text(table, "role", path, faults), _text(table, "description", path, faults)
    if role and role not in ROLES:
        faults.append(f"{path}.role: must be one of {', '.join(ROLES)}; got {role!r}")
    missing = table.get("missing", [])
    if not isinstance(missing, list) or not all(isinstance(line, str) and line.strip() for line in missing):
        faults.append(f"{path}.missing: must be a list of sentences, got {missing!r}")
        missing = []
    coefficients: dict[str, Quantity] = {}
    for operation in [key for key in table if key in OPERATIONS]:
        entries = _tables(table, operation, path, faults, of_tables=False)
        _check_keys(entries, f"{path}.{operation}", tuple(QUANTITIES), faults)
        for kind in [key for key in entries if key in QUANTITIES]:
            where = f"{path}.{operation}.{kind}"
            quantity = _quantity(entries[kind], where, QUANTITIES[kind], faults)
            if quantity is not None and quantity.low < 0:
                faults.append(f"{where}: must be >= 0, got {quantity.low:g}")
            elif quantity is not None:
                coefficients[f"{operation}.{kind}"] = quantity
    return CostSet(role=role, description=description, coefficients=coefficients, missing=tuple(missing))


def _with_borrowed(costs: Mapping[str, CostSet], name: str, table: Mapping[str, Any], faults: list[str]) -> CostSet:
    """The set and what it borrows from another: ``borrows = { operation = "set" }``."""
    own, borrowed = costs[name], dict[str, Quantity]()
    for operation, lender in _tables(table, "borrows", f"$.costs.{name}", faults, of_tables=False).items():
        path = f"$.costs.{name}.borrows.{operation}"
        found = costs[lender].coefficients if isinstance(lender, str) and lender in costs else {}
        lent = {key: quantity for key, quantity in found.items() if key.split(".")[0] == operation}
        if not lent:
            faults.append(f"{path}: set {lender!r} states no {operation}; sets here: {', '.join(costs)}")
        elif operation in table:
            faults.append(f"{path}: is stated in this set too; keep one of the two")
        borrowed.update(lent)
    return CostSet(
        role=own.role,
        description=own.description,
        coefficients={**own.coefficients, **borrowed},
        missing=own.missing,
    )


def _quantity(entry: Any, path: str, unit: str, faults: list[str]) -> Quantity | None:
    if not isinstance(entry, dict):
        faults.append(f"{path}: must be a table {{ value, unit, source, status }}, got {entry!r}")
        return None
    found: list[str] = []
    _check_keys(entry, path, ("value", "low", "high", "values", "unit", "source", "status"), faults)
    forms = tuple(key for key in ("value", "low", "high", "values") if key in entry)
    values = entry["values"] if "values" in entry else [entry[key] for key in forms]
    if forms not in {("value",), ("low", "high"), ("values",)}:
        found.append(f"needs either value, or low and high, or values; got {' and '.join(forms) or 'none'}")
    elif not isinstance(values, list) or not values or not all(_is_number(value) for value in values):
        found.append(f"{' and '.join(forms)} must be numbers, got {values!r}")
    for key in ("unit", "source", "status"):
        if key not in entry:
            found.append(f"{key} is missing")
        elif not isinstance(entry[key], str):
            found.append(f"{key} must be text, got {entry[key]!r}")
    if isinstance(entry.get("unit"), str) and entry["unit"] != unit:
        found.append(f"unit must be {unit!r} (SI base units, no prefixes), got {entry['unit']!r}")
    faults += [f"{path}: {fault}" for fault in found]
    if found:
        return None
    numbers = tuple(float(value) for value in values)
    low, high = (min(numbers), max(numbers)) if "values" in entry else (numbers[0], numbers[-1])
    try:
        return Quantity(
            low=low,
            high=high,
            unit=unit,
            source=entry["source"],
            status=entry["status"],
            values=numbers if "values" in entry else (),
        )
    except ChipError as error:
        faults += [f"{path}: {fault}" for fault in error.faults]
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(table: Mapping[str, Any], key: str, path: str, faults: list[str]) -> str:
    value = table.get(key)
    if isinstance(value, str) and value.strip():
        return value
    faults.append(f"{path}.{key}: " + (f"must be text, got {value!r}" if key in table else "is missing"))
    return ""


def _tables(
    table: Mapping[str, Any], key: str, path: str, faults: list[str], *, of_tables: bool = True
) -> dict[str, Any]:
    """The table at ``key``, empty if there is none; what is not a table is a fault and left out."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        faults.append(f"{path}.{key}: must be a table, got {value!r}")
        return {}
    wrong = [name for name, entry in value.items() if of_tables and not isinstance(entry, dict)]
    faults += [f"{path}.{key}.{name}: must be a table, got {value[name]!r}" for name in wrong]
    return {name: entry for name, entry in value.items() if name not in wrong}


def _check_keys(table: Mapping[str, Any], path: str, known: Collection[str], faults: list[str]) -> None:
    faults += [f"{path}.{key}: unknown key{_nearest(key, known)}" for key in table if key not in known]


def _nearest(key: str, known: Collection[str]) -> str:
    found = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else f"; known: {', '.join(known)}"
