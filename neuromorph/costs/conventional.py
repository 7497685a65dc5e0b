"""The cost of counted operations on a conventional processor: modelled, and measured where there was a clock or a meter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from neuromorph.chip import OPERATIONS, Chip, CostSet, Quantity
from neuromorph.cost import ZERO, Cost, Operations, Range, Term, totals_by_set
from neuromorph.costs.terms import lasting, make_term, span
from neuromorph.errors import ChipError
from neuromorph.recording import Counts

MEASURED = "wall time measured in this run"
METERED = "energy measured in this run"
OTHERWISE = {"multiply_accumulate_": "multiply_accumulate", "add_": "synaptic_operation"}  # an event is one addition


@dataclass(frozen=True, kw_only=True)
class Line:
    """Some work: the operation it is, and what it is charged as where a file does not state that."""

    operation: str
    count: float
    name: str = ""  # of the term; else that of the operation

    @property
    def instead(self) -> str:
        """The operation that stands for it, or itself."""
        return next(
            (general for start, general in OTHERWISE.items() if self.operation.startswith(start)), self.operation
        )


def spiking_counts(counts: Counts, *, learning: bool) -> tuple[Line, ...]:
    """Spiking work as a processor does it, event by event."""
    return (
        Line(operation="synaptic_operation", count=counts.synaptic_events),
        Line(operation="neuron_update", count=counts.neuron_updates),
        Line(operation="learning_update", count=counts.learning_updates if learning else 0),
    )


def lines_of(work: Operations) -> Iterator[Line]:
    """Everything that was counted."""
    yield Line(operation="multiply_accumulate", count=work.multiply_accumulates)
    yield Line(operation="memory_byte", count=work.memory_bytes)
    for precision, count in work.by_precision.items():
        yield Line(operation=f"multiply_accumulate_{precision}", count=count)
    for precision, count in work.additions.items():
        yield Line(operation=f"add_{precision}", count=count)
    for kind, count in work.traffic_bytes.items():
        yield Line(operation="memory_byte", count=count, name=f"memory traffic of {kind} (bytes)")
    yield Line(operation="framework_call", count=work.calls)
    yield Line(operation="framework_layer", count=work.layers)


def on_processor(
    chip: Chip,
    work: Operations | tuple[Line, ...],
    *,
    wall_second: float | None,
    real_time: float | None,
    measured_joule: float | None = None,
) -> Cost:
    """Operations x energy and time of one; a time without an energy costs the power of a busy core.

    A run takes at least the modelled time and at most the wall time, where it was measured: then it also costs at most
    wall time x power. What a meter measured is the energy itself, and the model stands beside it. By a table of energies
    alone a run takes as long as it is paced, and operations no known time.
    """
    lines = tuple(lines_of(work)) if isinstance(work, Operations) else work
    held = work.held_bytes if isinstance(work, Operations) else {}
    asked = [line for line in lines if line.count > 0] or list(lines)
    latency_terms = tuple(_charged(chip, asked, "time"))
    energy_terms = (*_charged(chip, asked, "energy"), *_by_time(chip, asked))
    timeless = not totals_by_set(latency_terms) and bool(totals_by_set(energy_terms))  # a table of energies alone
    if timeless and real_time is not None:
        latency_terms = tuple(lasting(account, real_time) for account in totals_by_set(energy_terms))
    modelled_second = ZERO if timeless and real_time is None else span(chip, latency_terms)
    energy_terms = (*energy_terms, *_static(chip, modelled_second))
    energy, latency = span(chip, energy_terms), modelled_second
    if wall_second is not None:
        wall = Range.of(wall_second)
        took = Term(
            name="wall time", cost_set="measured", shared=False, count=Range.of(1), coefficient=wall, unit="s",
            source=MEASURED, status="measured", part="measured",
        )  # fmt: skip
        latency_terms, latency = (*latency_terms, took), Range(min(latency.low, wall_second), wall_second)
        if measured_joule is None:
            drawn = (_drawn(chip, wall), *(replace(t, cost_set="measured", shared=False) for t in _static(chip, wall)))
            energy_terms = (*energy_terms, *drawn)
            total = sum((term.total for term in drawn), Range.of(0))
            energy = Range(min(energy.low, total.low), total.high)
    if measured_joule is not None:
        energy = Range.of(measured_joule)
        metered = Term(
            name="energy by a meter", cost_set="measured", shared=False, count=Range.of(1), coefficient=energy, unit="J",
            source=METERED, status="measured", part="measured",
        )  # fmt: skip
        energy_terms = (*energy_terms, metered)
    return Cost(
        chip=chip.name,
        chip_fingerprint=chip.fingerprint,
        energy_joule=energy,
        latency_second=latency,
        real_time_second=real_time,
        real_time_energy_joule=None,
        energy_terms=energy_terms,
        latency_terms=latency_terms,
        cores=None,
        memory_byte={kind: Range.of(count) for kind, count in held.items()},
        missing=(
            *_missing(chip, asked),
            *(
                ("latency: the file has no time of any operation; 0 s stands for not known",)
                if timeless and real_time is None
                else ()
            ),
            *(f"{n}: {line}" for n, costs in chip.costs.items() for line in costs.missing),
        ),
    )


def _charged(chip: Chip, lines: list[Line], quantity: str) -> Iterator[Term]:
    for name, cost_set in chip.costs.items():
        for line in lines:
            found = _found(cost_set, line, quantity)
            if found is not None:
                yield _term(name, cost_set, line, *found)


def _found(cost_set: CostSet, line: Line, quantity: str) -> tuple[str, Quantity] | None:
    """The coefficient of the operation, or of what stands for it where the set says nothing of it at all."""
    own = [key for key in cost_set.coefficients if key.startswith(f"{line.operation}.")]
    operation = line.operation if own else line.instead
    quantity_found = cost_set.coefficients.get(f"{operation}.{quantity}")
    return None if quantity_found is None else (operation, quantity_found)


def _term(name: str, cost_set: CostSet, line: Line, operation: str, coefficient: Quantity) -> Term:
    term = make_term(name, cost_set, operation, Range.of(line.count), coefficient, None)
    if operation == line.operation:
        return replace(term, name=line.name or term.name)
    told = f"{term.source}; charged as {OPERATIONS[operation]}: the file has no figure of its own"
    return replace(term, name=OPERATIONS[line.operation], source=told, part="arithmetic")


def _by_time(chip: Chip, lines: list[Line]) -> Iterator[Term]:
    """Energy of operations that have a time and no energy: what a busy core draws in that time."""
    powers = {
        name: costs.coefficients["busy_core.power"]
        for name, costs in chip.costs.items()
        if "busy_core.power" in costs.coefficients
    }
    shared = [name for name in powers if chip.costs[name].role == "shared"]
    for name, cost_set in chip.costs.items():
        power = powers.get(name, powers[shared[0]] if shared else None)
        for line in lines:
            time = _found(cost_set, line, "time")
            if power is None or time is None or _found(cost_set, line, "energy") is not None:
                continue
            taken = _term(name, cost_set, line, *time)
            yield replace(
                taken,
                coefficient=taken.coefficient * Range(power.low, power.high),
                unit="J",
                source=f"time x power of a busy core. Time: {taken.source}. Power ({power.status}): {power.source}",
                status="assumed" if "assumed" in (taken.status, power.status) else "derived",
            )


def _static(chip: Chip, seconds: Range) -> tuple[Term, ...]:
    """What the whole device draws at rest, for as long as the work lasts."""
    return tuple(
        make_term(name, cost_set, "chip_static", seconds, cost_set.coefficients["chip_static.power"], None)
        for name, cost_set in chip.costs.items()
        if "chip_static.power" in cost_set.coefficients
    )


def _drawn(chip: Chip, wall: Range) -> Term:
    found = [(name, costs) for name, costs in chip.costs.items() if "busy_core.power" in costs.coefficients]
    if len(found) != 1:
        raise ChipError(
            f"chip {chip.name!r} must state busy_core.power in one cost set to charge a wall time, "
            f"it states {len(found)}; add it, or leave wall_second out"
        )
    ((name, cost_set),) = found
    drawn = make_term(name, cost_set, "busy_core", wall, cost_set.coefficients["busy_core.power"], None)
    source = f"{MEASURED}; power of a core ({drawn.status}): {drawn.source}"
    return replace(drawn, cost_set="measured", shared=False, status="measured", source=source, part="measured")


def _missing(chip: Chip, lines: list[Line]) -> Iterator[str]:
    for operation in dict.fromkeys(line.operation for line in lines if line.count > 0):
        of_it = Line(operation=operation, count=1)
        if not any(_found(costs, of_it, quantity) for costs in chip.costs.values() for quantity in ("energy", "time")):
            yield f"{OPERATIONS[operation]}: counted, but the file has no figure of them"
