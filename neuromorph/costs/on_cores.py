"""The cost of work on the cores of a neuromorphic chip."""

from __future__ import annotations

from typing import Literal, get_args

from neuromorph.chip import Chip
from neuromorph.cost import Cost, Range, totals_by_set
from neuromorph.costs.stated import ChipLike, loaded
from neuromorph.costs.terms import event_terms, lasting, power_terms, span, time_terms, whole
from neuromorph.costs.work import Work
from neuromorph.errors import ChipError, InputError

Static = Literal["cores", "chips"]


def estimate_work(
    work: Work, chip: ChipLike | None = None, *, samples: float | None = None, static: Static | None = None
) -> Cost:
    """Cost of work on the chip that it was counted for, of the whole run or, given ``samples``, of one of them.

    ``static`` says which static power is charged: unless given, that of cores in use where the file states a power of
    cores, that of whole chips where it states one of chips; ``"cores"``: of both only the share of cores in use;
    ``"chips"``: all cores of the chips in use, and all chips of a board.
    """
    hardware = loaded(work.chip if chip is None else chip)
    if static is not None and static not in get_args(Static):
        raise InputError(f"static must be {' or '.join(map(repr, get_args(Static)))}, or None, got {static!r}")
    if samples is not None and not samples > 0:
        raise InputError(f"samples must be > 0, got {samples!r}")
    if hardware.kind != "neuromorphic":
        raise ChipError(f"chip {hardware.name!r} is {hardware.kind}: it has no cores for this work")
    if hardware.name.partition(".")[0] != work.chip.partition(".")[0]:
        raise InputError(
            f"this work was counted for the cores of {work.chip!r}, not for {hardware.name!r}: count it anew"
        )
    real_time = work.real_time_second
    latency_terms = time_terms(hardware, work)
    events = event_terms(hardware, work)
    if not totals_by_set(latency_terms) and real_time is not None:
        energies = (*events, *power_terms(hardware, work, Range.of(real_time), static))
        latency_terms = tuple(lasting(account, real_time) for account in totals_by_set(energies))
    latency = span(hardware, latency_terms)
    energy_terms = (*events, *power_terms(hardware, work, latency, static))
    held = None
    if work.period_second is not None:
        held = Range.of(work.period_second)
    elif real_time is not None:
        held = Range(max(latency.low, real_time), max(latency.high, real_time))
    paced_terms = () if held is None else (*events, *power_terms(hardware, work, held, static))
    cost = Cost(
        chip=hardware.name,
        chip_fingerprint=hardware.fingerprint,
        energy_joule=span(hardware, energy_terms),
        latency_second=latency,
        real_time_second=real_time,
        real_time_energy_joule=span(hardware, paced_terms) if paced_terms else None,
        real_time_terms=paced_terms,
        energy_terms=energy_terms,
        latency_terms=latency_terms,
        cores=work.cores,
        chips=work.chips,
        memory_byte=work.memory_byte,
        missing=(*work.missing, *_missing(hardware, work, static), *missing_in_file(hardware)),
    )
    return cost if samples is None else cost.scaled(1 / samples)


def missing_in_file(chip: Chip) -> tuple[str, ...]:
    """What the sets of a hardware file say that they lack."""
    return tuple(f"{name}: {line}" for name, cost_set in chip.costs.items() for line in cost_set.missing)


def _missing(chip: Chip, work: Work, static: Static | None) -> list[str]:
    stated = {name for costs in chip.costs.values() for name in costs.coefficients}
    found = []
    if work.total("learning_update").high > 0:
        found += [
            f"{name}: learning updates have no coefficient in this set"
            for name, costs in chip.costs.items()
            if costs.role == "alternative" and "learning_update.energy" not in costs.coefficients
        ]
        if "learning_update.energy" in {key for costs in chip.costs.values() for key in costs.coefficients}:
            found.append(
                "learning: every product of a rule on a synapse is charged as one update; what traces, tags and a third"
                " factor cost beyond the pairwise update of the source was not published"
            )
    for operation, words in (("host_spike_in", "from the host"), ("host_spike_out", "to the host")):
        count = work.total(operation).high
        if count > 0 and not {f"{operation}.energy", f"{operation}.time"} & stated:
            found.append(f"host: {whole(count)} spikes {words}; the hardware file has no cost of one")
    links = "chip_to_chip_bit" in work.totals and "chip_to_chip_bit.energy" in stated
    if work.chips.high > 1 and not links:
        found.append(
            f"links between chips: what spikes sent over them cost; up to {whole(work.chips.high)} chips are used"
        )
    if work.resets.high == 0 and "chip_reset.energy" in stated:
        found.append("resets of all state between samples: none were stated (resets)")
    hops = {"tile_hop_east_west", "tile_hop_north_south"} & set(work.totals)
    if "core_hop.energy" in stated and not hops and "core_hop" not in work.totals:
        found.append("hops between cores: the hardware file states no mesh to count them on")
    if work.clock_hertz is None and "clock_cycle.energy" in stated:
        found.append("clock cycles: the clock was not stated (clock_hertz)")
    if "core_static.power" in stated and static != "chips":
        found.append("static power of cores that are not in use: static='chips' charges all of a chip")
    return found
