"""Lines of an account from counted operations and the coefficients of a hardware file, nothing fitted."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from neuromorph.chip import OPERATIONS, Chip, CostSet, Quantity
from neuromorph.cost import ZERO, Range, Term, totals_by_set
from neuromorph.costs.stated import ENCODINGS
from neuromorph.costs.work import Work
from neuromorph.errors import ChipError

PART_OF = {  # operation -> part of the cost; what is not named here is of the events
    "learning_update": "learning",
    "core_static": "static",
    "chip_static": "static",
    "embedded_processors": "embedded",
    "chip_reset": "reset",
    "host_step": "host",
    "host_spike_in": "host",
    "host_spike_out": "host",
    "step_overhead": "overhead",
    "framework_call": "overhead",
    "framework_layer": "overhead",
    "memory_byte": "memory",
}
ARITHMETIC = ("multiply", "add_")  # how operations of the part "arithmetic" begin
SUSTAINED = ("step_overhead", "host_step")  # their times are those of whole steps, as measured on boards
EACH_IDLE, ON_TOP = "neuron updates, each as an idle one", "active neuron updates, on top of an idle one"
IN_SERIES = "receiving after updating, not meanwhile (steps)"
RECEIVING = {  # terms of a core that takes in spikes
    *(name for operation, name in OPERATIONS.items() if operation.startswith("synaptic_operation")),
    *(OPERATIONS[operation] for operation in ("axon_in", "spike_within_tile")),
}
UPDATING = {  # terms of a core that updates neurons and sends their spikes
    *(name for operation, name in OPERATIONS.items() if operation.startswith("neuron_")),
    *(OPERATIONS[operation] for operation in ("spike_generated", "axon_out")),
    EACH_IDLE,
    ON_TOP,
}
LEARNING = {OPERATIONS["learning_update"]}
BARRIERS = (OPERATIONS["barrier"], OPERATIONS["barrier_between_chips"])
ONCE = ("layer_passed", "host_spike_in", "host_spike_out")  # of no core: all wait for each
GENERIC = "synaptic_operation"


def part_of(operation: str) -> str:
    """The part of a cost that an operation belongs to."""
    return PART_OF.get(operation, "arithmetic" if operation.startswith(ARITHMETIC) else "events")


def make_term(name: str, cost_set: CostSet, operation: str, count: Range, quantity: Quantity, at: Range | None) -> Term:
    """One line; ``at`` is where on its points a coefficient that has some is read."""
    return Term(
        name=OPERATIONS[operation],
        cost_set=name,
        shared=cost_set.role == "shared",
        count=count,
        coefficient=coefficient_at(quantity, at),
        unit=quantity.unit,
        source=quantity.source,
        status=quantity.status,
        part=part_of(operation),
    )


def coefficient_at(quantity: Quantity, at: Range | None) -> Range:
    """A coefficient at so many tiles or chips; fewer than were measured may take less, down to nothing.

    >>> barrier = Quantity(
    ...     low=1.0, high=3.0, unit="s", source="p. 1", status="published", points=((2, 1.0), (6, 3.0)), per="tiles"
    ... )
    >>> coefficient_at(barrier, Range(4.0, 6.0)), coefficient_at(barrier, Range(1.0, 1.0))
    (Range(low=2.0, high=3.0), Range(low=0.0, high=1.0))
    """
    if not quantity.points or at is None:
        return Range(quantity.low, quantity.high)
    ends = (*quantity.at(at.low), *quantity.at(at.high))
    below = at.low < quantity.points[0][0]
    return Range(0.0 if below else min(ends), max(ends))


def by_encoding(cost_set: CostSet, counts: Mapping[str, Range], quantity: str) -> dict[str, Range]:
    """Counts with synaptic operations by encoding where the set has a coefficient for that, and the rest in general."""
    found = dict(counts)
    names = [f"{GENERIC}_{encoding}" for encoding in ENCODINGS]
    own = [name for name in names if name in counts and f"{name}.{quantity}" in cost_set.coefficients]
    charged = sum((counts[name] for name in own), ZERO)
    found |= {name: ZERO for name in names if name in counts and name not in own}
    if own and GENERIC in counts:
        rest = Range(max(counts[GENERIC].low - charged.low, 0.0), max(counts[GENERIC].high - charged.high, 0.0))
        found[GENERIC] = rest if rest.high > 1e-9 * counts[GENERIC].high else ZERO
    return {
        name: count
        for name, count in found.items()
        if not (name in (*names, GENERIC) and name in counts and count.high == 0 and counts[GENERIC].high > 0)
    }


def counted(
    chip: Chip,
    counts_of: Callable[[str], Mapping[str, Range]],
    quantity: str,
    work: Work,
    *,
    leave_out: Collection[str] = (),
) -> tuple[Term, ...]:
    """A term for each operation that was counted, by set, and that the set has a coefficient for."""
    at = {"tiles": work.tiles, "chips": work.chips}
    return tuple(
        make_term(name, cost_set, operation, count, found, at.get(found.per))
        for name, cost_set in chip.costs.items()
        for operation, count in by_encoding(cost_set, counts_of(name), quantity).items()
        if operation not in leave_out and (found := _coefficient(cost_set, operation, quantity, work)) is not None
    )


def _coefficient(cost_set: CostSet, operation: str, quantity: str, work: Work) -> Quantity | None:
    """What the set states; a time in cycles of the clock where both are known."""
    cycles, clock = cost_set.coefficients.get(f"{operation}.cycles"), work.clock_hertz
    if quantity != "time" or cycles is None or clock is None:
        return cost_set.coefficients.get(f"{operation}.{quantity}")
    return Quantity(
        low=cycles.low / clock.high,
        high=cycles.high / clock.low,
        unit="s",
        source=f"cycles / {clock.low:g} to {clock.high:g} Hz, as stated; cycles: {cycles.source}",
        status=cycles.status if cycles.status == "assumed" else "derived",
    )


def event_terms(chip: Chip, work: Work) -> tuple[Term, ...]:
    """Energy of everything that happens, whatever time it takes."""
    counts = {
        **work.totals,
        **({"chip_reset": work.resets * work.chips} if work.resets.high > 0 else {}),
        "step": Range(work.steps, work.steps * work.chips.high),
        "barrier": Range.of(work.steps),
    }
    terms = counted(chip, lambda _: counts, "energy", work)
    return terms if work.total("neuron_update_active").is_exact else on_top_of_idle(chip, terms, work.totals, "energy")


def power_terms(chip: Chip, work: Work, seconds: Range, static: str | None) -> Iterator[Term]:
    """Energy of what draws power all the time, for so many seconds."""
    all_cores, all_chips = chip.limit("chip.cores").high, work.chips
    if static == "chips" and chip.board is not None:
        all_chips = Range(*(max(number, work.chips.high) for number in (chip.board.chips.low, chip.board.chips.high)))
    in_use = {
        "core_static": all_chips.scaled(all_cores) if static == "chips" else work.cores,
        "chip_static": work.cores.scaled(1 / all_cores) if static == "cores" else all_chips,
        "embedded_processors": work.chips * work.embedded,
    }
    drawn = {name: number * seconds for name, number in in_use.items()}
    yield from counted(chip, lambda _: drawn, "power", work)
    if work.clock_hertz is not None:
        cycles = {"clock_cycle": work.clock_hertz * seconds * work.chips}
        yield from counted(chip, lambda _: cycles, "energy", work)


def time_terms(chip: Chip, work: Work) -> tuple[Term, ...]:
    """Time of the slowest core of every step, of what all cores wait for, and what a sustained step takes beyond that."""
    once = {
        "step": Range.of(work.steps),
        "barrier": Range.of(work.steps),
        **({"chip_reset": work.resets} if work.resets.high > 0 else {}),
        **{name: work.totals[name] for name in ONCE if work.total(name).high > 0},
    }
    if work.chips.high > 1:
        once["barrier_between_chips"] = Range(work.steps if work.chips.low > 1 else 0.0, work.steps)
    terms = counted(chip, lambda name: {**work.on_busiest(name), **once}, "time", work, leave_out=SUSTAINED)
    own = tuple(_of_accounts(chip, work, terms))
    return (*own, *_sustained(chip, work, own))


def _of_accounts(chip: Chip, work: Work, terms: Iterable[Term]) -> Iterator[Term]:
    listed = list(terms)
    for name in chip.costs:
        of_set = on_top_of_idle(chip, (t for t in listed if t.cost_set == name), work.on_busiest(name), "time")
        if name in work.in_series_by_account:
            yield from (*of_set, *_in_series(chip, work, name, of_set))
        else:
            yield from _overlapping(of_set) if chip.costs[name].overlaps else of_set


def _overlapping(terms: Sequence[Term]) -> Iterator[Term]:
    """At least the longer one of receiving and updating, at most one after the other."""
    receiving, updating = (
        sum((term.total.low for term in terms if term.name in side), 0.0) for side in (RECEIVING, UPDATING)
    )
    shorter = UPDATING if receiving > updating else RECEIVING
    for term in terms:
        yield replace(term, count=Range(0.0, term.count.high)) if term.name in shorter else term


def _in_series(chip: Chip, work: Work, account: str, overlapping: Sequence[Term]) -> Iterator[Term]:
    """What the slowest cores take beyond that where they do not receive while they update."""
    cost_set, counts = chip.costs[account], work.in_series_by_account[account]
    alone = replace(chip, costs={account: cost_set})
    found = on_top_of_idle(alone, counted(alone, lambda _: counts, "time", work), counts, "time")
    both = sum((term.total.high for term in found), 0.0)
    longer = sum((term.total.high for term in overlapping if term.name in RECEIVING | UPDATING | LEARNING), 0.0)
    if found:
        yield replace(
            found[0],
            name=IN_SERIES,
            count=Range.of(work.steps),
            coefficient=Range(0.0, max(both - longer, 0.0) / work.steps),
            source="the same times: what the slowest cores of all steps take in series, less what they take above",
            status="derived",
            part="overhead",
        )


def _sustained(chip: Chip, work: Work, own: tuple[Term, ...]) -> Iterator[Term]:
    """Steps last at least as long as measured ones, and at most that long on top of their work; these hold their barriers."""
    by_host = work.total("host_step")
    counts = {
        "step_overhead": Range(max(work.steps - by_host.high, 0.0), max(work.steps - by_host.low, 0.0)),
        "host_step": by_host,
    }
    for account in chip.accounts:
        of_account = [term for term in own if term.shared or term.cost_set == account]
        spent = sum((term.total for term in of_account), ZERO).low / work.steps
        waiting = sum((term.total for term in of_account if term.name in BARRIERS), ZERO).high / work.steps
        for name, cost_set in chip.costs.items():
            if cost_set.role != "shared" and name != account:
                continue
            for operation, count in counts.items():
                quantity = cost_set.coefficients.get(f"{operation}.time")
                if quantity is None or count.high == 0:
                    continue
                least = max(quantity.low - spent, 0.0)
                left = Range(least, max(quantity.high - waiting, least))
                yield replace(
                    make_term(account, cost_set, operation, count, quantity, None),
                    shared=False,
                    coefficient=left,
                    source=f"{quantity.source}; low: less a step of this work, {spent:.3g} s, high: less its barriers, {waiting:.3g} s",
                    status="assumed" if quantity.status == "assumed" else "derived",
                )


def on_top_of_idle(chip: Chip, terms: Iterable[Term], counts: Mapping[str, Range], quantity: str) -> tuple[Term, ...]:
    """Active and idle updates as all updates, idle, and what active ones cost on top.

    Updates cannot be their most active and their most idle at once. Written so, no update counts twice and each end is
    that of one way to do the work.
    """
    listed = list(terms)
    active, idle = OPERATIONS["neuron_update_active"], OPERATIONS["neuron_update_idle"]
    for name in dict.fromkeys(term.cost_set for term in listed):
        at = {term.name: i for i, term in enumerate(listed) if term.cost_set == name}
        if active not in at or idle not in at:
            continue
        one, rest = listed[at[active]], listed[at[idle]]
        less = sorted((one.coefficient.low - rest.coefficient.low, one.coefficient.high - rest.coefficient.high))
        if less[0] < 0:
            takes = "less time" if quantity == "time" else "less energy"
            raise ChipError(
                f"chip {chip.name!r}, cost set {name!r}: an active neuron update takes {takes} than an idle one; "
                "exchange the two, or state neuron_access and neuron_state_change instead"
            )
        listed[at[idle]] = replace(rest, name=EACH_IDLE, count=counts["neuron_update"])
        listed[at[active]] = replace(
            one,
            name=ON_TOP,
            coefficient=Range(*less),
            source=f"{one.source}; less the {quantity} of an idle update",
            status="assumed" if "assumed" in (one.status, rest.status) else "derived",
        )
    return tuple(listed)


def span(chip: Chip, terms: Iterable[Term]) -> Range:
    """From the lowest account to the highest."""
    accounts = totals_by_set(terms).values()
    if not accounts:
        raise ChipError(
            f"chip {chip.name!r} states no energy or no time for any of the counted work: state them in a file of your own,"
            " or take a chip of which `neuromorph chips` says that it can be estimated"
        )
    return Range(min(account.low for account in accounts), max(account.high for account in accounts))


def lasting(account: str, seconds: float) -> Term:
    """A run that takes as long as it is paced, on a chip whose file states no times."""
    return Term(
        name="time as it is paced",
        cost_set=account,
        shared=False,
        count=Range.of(1),
        coefficient=Range.of(seconds),
        unit="s",
        source="steps x their length, or the stated period: the hardware file has no times of operations",
        status="assumed",
        part="overhead",
    )


def whole(number: float) -> str:
    """A count in words of a sentence."""
    return f"{math.ceil(number):,}"
