"""Parameters of host rules: what numbers and names they may be, and what a rule needs of a program."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from neuromorph.errors import is_count, is_number
from neuromorph.program import Program


@dataclass(frozen=True)
class Allowed:
    """A kind of number: in words, and as a test of finite numbers."""

    words: str
    fits: Callable[[float], bool]
    or_infinite: bool = False
    whole: bool = False


SECONDS = Allowed("> 0 s", lambda value: value > 0)
SECONDS_OR_ZERO = Allowed(">= 0 s", lambda value: value >= 0)
SECONDS_OR_FOREVER = Allowed("> 0 s, infinite for never", lambda value: value > 0, or_infinite=True)
HERTZ = Allowed("> 0 Hz", lambda value: value > 0)
POSITIVE = Allowed("> 0", lambda value: value > 0)
NOT_NEGATIVE = Allowed(">= 0", lambda value: value >= 0)
FINITE = Allowed("a finite number", lambda value: True)
FRACTION = Allowed("0..1", lambda value: 0 <= value <= 1)
SHARE = Allowed("> 0 and <= 1", lambda value: 0 < value <= 1)
BOUND = Allowed("a number, infinite where there is no bound", lambda value: True, or_infinite=True)
COUNT = Allowed("a whole number >= 1", lambda value: value >= 1, whole=True)
SEED = Allowed("a whole number >= 0", lambda value: value >= 0, whole=True)


def number_faults(rule: object, allowed: Allowed, *names: str) -> list[str]:
    """Fields of ``rule`` that are no such number, as ends of sentences."""
    found = []
    for name in names:
        value = getattr(rule, name)
        is_one = is_count(value) if allowed.whole else is_number(value, finite=not allowed.or_infinite)
        if not (is_one and ((math.isinf(value) and (value > 0 or allowed is BOUND)) or allowed.fits(value))):
            found.append(f"{name} must be {allowed.words}, got {value!r}")
    return found


def choice_faults(rule: object, name: str, allowed: tuple[str, ...]) -> list[str]:
    """Why a field is none of these words."""
    value = getattr(rule, name)
    return [] if value in allowed else [f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}"]


def name_faults(rule: object, *names: str) -> list[str]:
    """Fields that hold no name of a population, projection, input or modulator."""
    return [
        f"{name} must be a name, got {value!r}"
        for name in names
        if not (isinstance(value := getattr(rule, name), str) and value)
    ]


def optional_name_faults(rule: object, name: str) -> list[str]:
    """Why a field is neither a name nor empty."""
    value = getattr(rule, name)
    return [] if isinstance(value, str) else [f"{name} must be a name, or empty, got {value!r}"]


def projection_faults(program: Program, name: str) -> list[str]:
    """Why a program has no such projection."""
    known = [projection.name for projection in program.projections]
    return [] if name in known else [f"there is no projection {name!r}; known: {', '.join(known) or 'none'}"]


def population_faults(program: Program, name: str) -> list[str]:
    """Why a program has no such population, inputs left out."""
    known = [population.name for population in program.populations]
    return [] if name in known else [f"there is no population {name!r}; known: {', '.join(known)}"]


def spike_faults(program: Program, name: str) -> list[str]:
    """Why the spikes of a population or input are not known between chunks; those of inputs always are."""
    if name not in program.sizes:
        return [f"there is no population or input {name!r}; known: {', '.join(program.sizes)}"]
    probed = {probe.target for probe in program.probes if probe.variable == "spikes"}
    if name in probed or name in {item.name for item in program.inputs}:
        return []
    return [f"it needs the spikes of {name!r}, which are not recorded: add Probe({name!r}) to the network's probes"]


def modulator_faults(program: Program, name: str) -> list[str]:
    """Why a program has no such modulator; an empty name asks for none."""
    known = [modulator.name for modulator in program.modulators]
    return [] if not name or name in known else [f"there is no modulator {name!r}; known: {', '.join(known) or 'none'}"]
