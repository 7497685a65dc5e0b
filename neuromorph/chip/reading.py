"""From the bytes of a hardware file to a chip, strictly: everything that is wrong with it in one error."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from neuromorph.chip.checks import (
    check_keys,
    nearest,
    only_tables,
    read_entries,
    read_sentences,
    read_tables,
    read_text,
)
from neuromorph.chip.description import Board, Chip, CostSet
from neuromorph.chip.quantity import Quantity
from neuromorph.chip.schema import (
    BOARD,
    COSTS,
    KINDS,
    LARGE_OPERATIONS,
    LIMITS,
    MOST_ENERGY_OF_AN_EVENT,
    OPERATIONS,
    ROLES,
    SET_KEYS,
    TOP_KEYS,
)
from neuromorph.errors import ChipError, raise_faults

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EVENT_COSTS = {
    key: replace(entry, most=MOST_ENERGY_OF_AN_EVENT) if entry.name == "energy" else entry
    for key, entry in COSTS.items()
}


def read_chip(content: bytes, origin: str, find: Callable[[str], Chip]) -> Chip:
    """The chip of a file that is called ``origin`` in errors; ``find`` loads the chip that a board names."""
    try:
        raw = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChipError(f"{origin}: is not a TOML file: {error}") from None
    faults: list[str] = []
    check_keys(raw, "$", TOP_KEYS, faults)
    texts = {key: read_text(raw, key, "$", faults) for key in ("name", "kind", "description")}
    if texts["kind"] and texts["kind"] not in KINDS:
        faults.append(f"$.kind: must be one of {', '.join(KINDS)}; got {texts['kind']!r}")
    base: Chip | None = None
    board: Board | None = None
    if texts["kind"] == "board":
        board, base = _board(raw, find, faults)
    elif "board" in raw:
        faults.append(f"$.board: belongs to a file of kind 'board', got kind {texts['kind']!r}")
    limits = _limits(raw, faults)
    costs = _costs(raw, texts["name"], faults, {} if base is None else base.costs)
    if "costs" in raw and base is None and not any(cost_set.role == "alternative" for cost_set in costs.values()):
        faults.append("$.costs: needs at least one set of role 'alternative' with coefficients of the work")
    raise_faults(ChipError, [f"{origin}: {fault}" for fault in faults])
    mark = hashlib.sha256(content)
    if base is not None:
        mark.update(base.fingerprint.encode())
        texts["kind"], limits = base.kind, {**base.limits, **limits}
    return Chip(**texts, fingerprint=mark.hexdigest(), limits=limits, costs=costs, board=board)


def _board(raw: Mapping[str, Any], find: Callable[[str], Chip], faults: list[str]) -> tuple[Board | None, Chip | None]:
    if "board" not in raw:
        faults.append("$.board: is missing: a file of kind 'board' names its chip and how many it carries there")
        return None, None
    table = read_tables(raw, "board", "$", faults, of_tables=False)
    quantities, statements = read_entries(table, "$.board", BOARD, faults, besides=("chip", "missing"))
    missing = read_sentences(table, "missing", "$.board", faults)
    if "chips" not in table:
        faults.append("$.board.chips: is missing: how many chips the board carries")
    name = read_text(table, "chip", "$.board", faults)
    if not name:
        return None, None
    try:
        chip = find(name)
    except ChipError as error:
        faults += [f"$.board.chip: {fault}" for fault in error.faults]
        return None, None
    if chip.board is not None:
        faults.append(f"$.board.chip: must name a chip, got {name!r}, which is a board of {chip.board.chip!r}")
    return Board(chip=name, quantities=quantities, statements=statements, missing=missing), chip


def _limits(raw: Mapping[str, Any], faults: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for part, table in read_tables(raw, "limits", "$", faults).items():
        if part not in LIMITS:
            faults.append(f"$.limits.{part}: unknown section{nearest(part, LIMITS)}")
            continue
        quantities, _ = read_entries(table, f"$.limits.{part}", LIMITS[part], faults)
        found |= {f"{part}.{name}": quantity for name, quantity in quantities.items()}
    return found


def _costs(raw: Mapping[str, Any], name: str, faults: list[str], base: Mapping[str, CostSet]) -> dict[str, CostSet]:
    """Sets by name: ``[costs.<set>.<operation>]``, and ``[costs.<operation>]``, one account called as the chip."""
    table = read_tables(raw, "costs", "$", faults, of_tables=False)
    flat = {key: entry for key, entry in table.items() if key in OPERATIONS or key in SET_KEYS}
    flat = flat if any(key in OPERATIONS for key in flat) else {}
    named = only_tables({key: entry for key, entry in table.items() if key not in flat}, "$.costs", faults)
    for key in [key for key, entry in named.items() if entry and set(entry) <= set(COSTS)]:
        faults.append(f"$.costs.{key}: unknown operation{nearest(key, OPERATIONS)}")
        del named[key]
    tables = {**({name: {"role": "alternative", "description": "", **flat}} if flat else {}), **named}
    paths = {key: f"$.costs.{key}" if key in named else "$.costs" for key in tables}
    own = {
        key: _cost_set(entry, paths[key], faults, base.get(key), flat=key not in named) for key, entry in tables.items()
    }
    together = {**base, **own}
    return {key: _with_borrowed(together, key, tables.get(key, {}), paths.get(key, ""), faults) for key in together}


def _cost_set(table: Mapping[str, Any], path: str, faults: list[str], base: CostSet | None, *, flat: bool) -> CostSet:
    """One set; on a board what its chip's set says holds where this one says nothing."""
    check_keys(table, path, (*SET_KEYS, *OPERATIONS), faults)
    inherited = {} if base is None else {"role": base.role, "description": base.description}
    texts = {**inherited, **{key: table[key] for key in ("role", "description") if key in table}}
    role = read_text(texts, "role", path, faults)
    description = "" if flat and not texts["description"] else read_text(texts, "description", path, faults)
    if role and role not in ROLES:
        faults.append(f"{path}.role: must be one of {', '.join(ROLES)}; got {role!r}")
    missing = read_sentences(table, "missing", path, faults)
    overlaps = table.get("overlaps", base is not None and base.overlaps)
    if not isinstance(overlaps, bool):
        faults.append(f"{path}.overlaps: must be true or false, got {overlaps!r}")
        overlaps = False
    coefficients: dict[str, Quantity] = {} if base is None else dict(base.coefficients)
    for operation in [key for key in table if key in OPERATIONS]:
        entries = read_tables(table, operation, path, faults, of_tables=False)
        known = COSTS if operation in LARGE_OPERATIONS else EVENT_COSTS
        found, _ = read_entries(entries, f"{path}.{operation}", known, faults)
        coefficients |= {f"{operation}.{name}": quantity for name, quantity in found.items()}
    if base is not None and not missing:
        missing = base.missing
    return CostSet(role=role, description=description, coefficients=coefficients, missing=missing, overlaps=overlaps)


def _with_borrowed(
    costs: Mapping[str, CostSet], name: str, table: Mapping[str, Any], path: str, faults: list[str]
) -> CostSet:
    """The set and what it borrows from another: ``borrows = { operation = "set" }``."""
    own, borrowed = costs[name], dict[str, Quantity]()
    for operation, lender in read_tables(table, "borrows", path, faults, of_tables=False).items():
        where = f"{path}.borrows.{operation}"
        found = costs[lender].coefficients if isinstance(lender, str) and lender in costs else {}
        lent = {key: quantity for key, quantity in found.items() if key.split(".")[0] == operation}
        if not lent:
            faults.append(f"{where}: set {lender!r} states no {operation}; sets here: {', '.join(costs)}")
        elif operation in table:
            faults.append(f"{where}: is stated in this set too; keep one of the two")
        borrowed.update(lent)
    return replace(own, coefficients={**own.coefficients, **borrowed})
