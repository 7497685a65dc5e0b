"""Faults of form in a hardware file, each with its path: missing, unknown and mistyped keys."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from neuromorph.chip.quantity import Quantity, Statement
from neuromorph.chip.schema import FORMS, POINTS_PER, UNIT_WORDS, Entry, other_unit
from neuromorph.errors import ChipError

QUANTITY_KEYS = ("value", "low", "high", "values", "points", "per", "source", "status")


def read_text(table: Mapping[str, Any], key: str, path: str, faults: list[str]) -> str:
    """The text at ``key``, empty where there is none."""
    value = table.get(key)
    if isinstance(value, str) and value.strip():
        return value
    faults.append(f"{path}.{key}: " + (f"must be text, got {value!r}" if key in table else "is missing"))
    return ""


def read_sentences(table: Mapping[str, Any], key: str, path: str, faults: list[str]) -> tuple[str, ...]:
    """A list of sentences, empty where there is none."""
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(line, str) and line.strip() for line in found):
        faults.append(f"{path}.{key}: must be a list of sentences, got {found!r}")
        return ()
    return tuple(found)


def read_tables(
    table: Mapping[str, Any], key: str, path: str, faults: list[str], *, of_tables: bool = True
) -> dict[str, Any]:
    """The table at ``key``, empty if there is none; what is not a table is a fault and left out."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        faults.append(f"{path}.{key}: must be a table, got {value!r}")
        return {}
    return only_tables(value, f"{path}.{key}", faults) if of_tables else value


def only_tables(table: Mapping[str, Any], path: str, faults: list[str]) -> dict[str, Any]:
    """What of ``table`` are tables; the rest are faults."""
    wrong = [name for name, entry in table.items() if not isinstance(entry, dict)]
    faults += [f"{path}.{name}: must be a table, got {table[name]!r}" for name in wrong]
    return {name: entry for name, entry in table.items() if name not in wrong}


def check_keys(table: Iterable[str], path: str, known: Collection[str], faults: list[str]) -> None:
    """A fault for each key that is not known, with the nearest that is."""
    faults += [f"{path}.{key}: unknown key{nearest(key, known)}" for key in table if key not in known]


def nearest(key: str, known: Collection[str]) -> str:
    """What may have been meant, or all that is known."""
    found = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else f"; known: {', '.join(known)}"


def read_entries(
    table: Mapping[str, Any],
    path: str,
    entries: Mapping[str, Entry],
    faults: list[str],
    *,
    besides: Collection[str] = (),
) -> tuple[dict[str, Quantity], dict[str, Statement]]:
    """Numbers and texts of one section by name without unit; keys ``besides`` belong to the caller."""
    quantities: dict[str, Quantity] = {}
    statements: dict[str, Statement] = {}
    for key, raw in table.items():
        if key in entries:
            entry = entries[key]
            if entry.kind == "text":
                statement = _statement(raw, f"{path}.{key}", faults)
                statements |= {} if statement is None else {entry.name: statement}
            else:
                quantity = read_quantity(raw, f"{path}.{key}", entry, faults)
                quantities |= {} if quantity is None else {entry.name: quantity}
        elif key not in besides:
            meant = other_unit(key, entries)
            if meant is None:
                faults.append(f"{path}.{key}: unknown key{nearest(key, [*entries, *besides])}")
            else:
                word = UNIT_WORDS[meant.unit]
                faults.append(
                    f"{path}.{key}: the unit must be {word} (SI, no prefixes), got {key!r}: write {meant.key!r} and the"
                    f" number in {word}"
                )
    return quantities, statements


def read_quantity(raw: Any, path: str, entry: Entry, faults: list[str]) -> Quantity | None:
    """One number, or None with what is wrong with it in ``faults``."""
    if not isinstance(raw, dict):
        faults.append(f"{path}: must be a table {{ value, source, status }}, got {raw!r}")
        return None
    found: list[str] = []
    _check_origin(raw, path, QUANTITY_KEYS, found, faults)
    forms = tuple(key for key in ("value", "low", "high", "values", "points", "per") if key in raw)
    numbers: tuple[float, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    if forms not in FORMS:
        found.append(
            f"needs either value, or low and high, or values, or points and per; got {' and '.join(forms) or 'none'}"
        )
    elif forms[0] == "points":
        points = _points(raw, found)
        numbers = tuple(value for _, value in points)
    else:
        given = raw["values"] if forms == ("values",) else [raw[key] for key in forms]
        if not isinstance(given, list) or not given or not all(_is_number(value) for value in given):
            found.append(f"{' and '.join(forms)} must be numbers, got {given!r}")
        else:
            numbers = tuple(float(value) for value in given)
    found += dict.fromkeys(fault for value in numbers if (fault := entry.fault(value)) is not None)
    faults += [f"{path}: {fault}" for fault in found]
    if found:
        return None
    ends = (numbers[0], numbers[-1]) if forms in (("value",), ("low", "high")) else (min(numbers), max(numbers))
    try:
        return Quantity(
            low=ends[0],
            high=ends[1],
            unit=entry.unit,
            source=raw["source"],
            status=raw["status"],
            values=numbers if forms == ("values",) else (),
            points=points,
            per=raw.get("per", ""),
        )
    except ChipError as error:
        faults += [f"{path}: {fault}" for fault in error.faults]
        return None


def _points(raw: Mapping[str, Any], found: list[str]) -> tuple[tuple[float, float], ...]:
    given = raw["points"]
    if not isinstance(raw["per"], str) or raw["per"] not in POINTS_PER:
        found.append(f"per must be one of {', '.join(POINTS_PER)}; got {raw['per']!r}")
    pairs = isinstance(given, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in given)
    if not pairs or not given or not all(_is_number(number) for pair in given for number in pair):
        found.append(f"points must be pairs of numbers, [[1, 1e-7], [32, 5e-7]], got {given!r}")
        return ()
    return tuple((float(count), float(value)) for count, value in given)


def _statement(raw: Any, path: str, faults: list[str]) -> Statement | None:
    if not isinstance(raw, dict):
        faults.append(f"{path}: must be a table {{ text, source, status }}, got {raw!r}")
        return None
    found: list[str] = []
    _check_origin(raw, path, ("text", "source", "status"), found, faults)
    if not isinstance(raw.get("text"), str):
        found.append(f"text must be text, got {raw['text']!r}" if "text" in raw else "text is missing")
    faults += [f"{path}: {fault}" for fault in found]
    if found:
        return None
    try:
        return Statement(text=raw["text"], source=raw["source"], status=raw["status"])
    except ChipError as error:
        faults += [f"{path}: {fault}" for fault in error.faults]
        return None


def _check_origin(
    raw: Mapping[str, Any], path: str, known: Collection[str], found: list[str], faults: list[str]
) -> None:
    """Unknown keys, and whether source and status are there as text."""
    if "unit" in raw:
        faults.append(f"{path}.unit: unknown key: units stand in key names, such as energy_joule")
    check_keys([key for key in raw if key != "unit"], path, known, faults)
    for key, what in (
        ("source", "name the paper with page or table, or the file"),
        ("status", "how sure the number is"),
    ):
        if key not in raw:
            found.append(f"{key} is missing: {what}")
        elif not isinstance(raw[key], str):
            found.append(f"{key} must be text, got {raw[key]!r}")


def _is_number(value: Any) -> bool:
    """Whether a float holds it; TOML's integers have no end in Python."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) <= sys.float_info.max
