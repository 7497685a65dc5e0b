"""The reference with one thing switched: what another tool may have done, ready to run beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuromorph.conventions import ARITHMETIC_CONVENTIONS, CONVENTIONS
from neuromorph.divergence import CauseClass
from neuromorph.lockstep import Difference
from neuromorph.program import Program

# What it means that a backend is reproduced with a convention switched; overflow is told apart by value.
CLASSES: Mapping[str, CauseClass] = {
    "delay_convention": "delay",
    "threshold_comparison": "threshold comparison",
    "reset": "reset",
    "rounding": "rounding",
    "summation": "order of spikes",
    "plasticity_timing": "order of spikes",
    "coincidence": "order of spikes",
    "weight_timing": "order of spikes",
}
OVERFLOWS: Mapping[str, CauseClass] = {"wrap": "wrap", "saturate": "saturation"}
OF_RULES = ("plasticity_timing", "coincidence", "weight_timing")  # without a rule they say nothing
MOST_PROJECTIONS = 8  # onto the place of a difference, whose delays are changed one by one


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """The reference with one thing switched."""

    switch: str  # "reset = 'subtract'", "delay of 'in->out' one step longer"
    kind: CauseClass
    program: Program
    seed: int


def variants(program: Program, seed: int) -> list[Variant]:
    """Every other value of every convention but integration and arithmetic, and other random streams."""
    allowed = {**CONVENTIONS, **ARITHMETIC_CONVENTIONS[program.arithmetic]}
    is_plastic = any(projection.rule is not None for projection in program.projections)
    found = []
    for name, values in allowed.items():
        if name in ("integration", "arithmetic") or (name in OF_RULES and not is_plastic):
            continue
        own: str = getattr(program, name)
        for value in values:
            if value == own:
                continue
            # where nothing overflows any more, it is our own kind of overflow that they lack
            kind = CLASSES[name] if name in CLASSES else OVERFLOWS[own if value == "none" else value]
            switched = dataclasses.replace(program, **{name: value})  # type: ignore[arg-type]
            found.append(Variant(switch=f"{name} = {value!r}", kind=kind, program=switched, seed=seed))
    if is_plastic and program.arithmetic == "fixed":  # nothing else is drawn at random
        for other in dict.fromkeys((seed + 1, 0, 1, 2)):
            if other != seed:
                found.append(Variant(switch=f"seed = {other}", kind="random stream", program=program, seed=other))
    return found


def variants_of(program: Program, found: Difference, seed: int) -> list[Variant]:
    """Delays and refractory periods a step longer or shorter in the one place where a difference shows."""
    made: list[Variant] = []

    def add(what: str, kind: CauseClass, change: int, field: str, old: object, new: object) -> None:
        parts = tuple(new if part is old else part for part in getattr(program, field))
        length = "longer" if change > 0 else "shorter"
        switched = dataclasses.replace(program, **{field: parts})  # type: ignore[arg-type]
        made.append(Variant(switch=f"{what} one step {length}", kind=kind, program=switched, seed=seed))

    for population in program.populations:
        if population.name == found.owner and np.any(population.refractory > 0):
            for change in (1, -1):
                period = np.where(population.refractory > 0, population.refractory + change, 0)
                longer = dataclasses.replace(population, refractory=period)
                add(f"refractory of {population.name!r}", "reset", change, "populations", population, longer)
    onto = [p for p in program.projections if p.post == found.owner and p.synapses]
    for projection in onto if len(program.projections) > 1 and len(onto) <= MOST_PROJECTIONS else ():
        for change in (1, -1):
            if projection.delay.min() + change >= 1 and not projection.learns_delays:
                later = dataclasses.replace(projection, delay=projection.delay + change)
                add(f"delay of {projection.name!r}", "delay", change, "projections", projection, later)
    return made
