"""Nearest-neighbour search on 32 Loihi 1 (Frady et al. 2020): every input spike reaches every stored pattern."""

from __future__ import annotations

from neuromorph.cost import Range
from neuromorph.costs import Cost, Work, estimate_work, stated_work
from neuromorph.placement import place
from neuromorph.validation.activity import Structure, every
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

INPUTS = 1000  # 500 values, each with its negative
PATTERNS = 76_800  # one neuron each
SPIKES = Range(667, 750)  # of 1000 inputs: a quarter to a third stay below the threshold of the encoder
WINDOW = 60  # steps of a query
CHIPS, LARGE_CHIPS = 32, 512  # 1 M patterns lie on 512 of 768 chips: 53.4 W / 104.4 mW
LARGE = 1_000_000
CORE_FACTOR = Target(factor=1.5)


def structure(patterns: int = PATTERNS // CHIPS) -> Structure:
    """The share of one chip: every input onto every pattern."""
    return Structure(
        name="nearest neighbours",
        inputs={"values": INPUTS},
        layers={"patterns": patterns},
        synapses=[("values", "patterns", every())],
    )


def patterns_of_a_core() -> int:
    """As many as the synaptic memory of a core holds, 8 bit a weight."""
    return max(core.neurons for core in place(structure().program(0.0), "loihi1").cores)


def query(board: str, *, patterns: int, chips: int) -> Work:
    """Work of one query with the reset that follows it.

    From how tightly patterns can be packed to all cores of all chips is open; messages enter a chip at its corner and pass
    half of its columns and rows on average.
    """
    cores = Range(max(patterns / patterns_of_a_core(), chips), chips * 128)
    messages = SPIKES * cores
    return stated_work(
        board,
        steps=WINDOW,
        neurons=patterns,
        synaptic_operations={"dense": SPIKES.scaled(patterns)},
        input_spikes=SPIKES,
        spikes=Range(1, patterns),  # the nearest ones, at most each once
        messages=messages,
        axons_out=Range(1, patterns),
        hops_east_west=messages.scaled(3.5),
        hops_north_south=messages.scaled(1.5),
        messages_between_chips=0,
        cores=cores,
        chips=chips,
        busiest_share=Range(1 / cores.high, 1 / cores.low),  # patterns are alike
        resets=1,
        embedded=1,
    )


def predict() -> tuple[Row, ...]:
    """The board that was measured, and the machine that the paper projects."""
    cost = estimate_work(query("nahuku32", patterns=PATTERNS, chips=CHIPS), "nahuku32", static="chips")
    machine = "pohoiki_springs"
    large = estimate_work(query(machine, patterns=LARGE, chips=LARGE_CHIPS), machine)
    own = "coefficient from this measurement"
    step = cost.latency_second.scaled(1 / WINDOW)
    return (
        Row(
            what="energy of the cores, a query",
            unit="J",
            predicted=cost.energy_of("events"),
            measured=measured(1.33e-3),
            target=CORE_FACTOR,
            basis="nothing from this measurement",
        ),
        Row(
            what="energy of a reset",
            unit="J",
            predicted=cost.energy_of("reset"),
            measured=measured(0.19e-3),
            basis=own,
            is_independent=False,
        ),
        Row(
            what="static power",
            unit="W",
            predicted=_power(cost, "static"),
            measured=measured(3.34),
            basis=own,
            is_independent=False,
        ),
        Row(
            what="power of x86 cores",
            unit="W",
            predicted=_power(cost, "embedded"),
            measured=measured(2.09, 2.14),
            basis=own,
            is_independent=False,
        ),
        Row(
            what="time of a step",
            unit="s",
            predicted=step,
            measured=measured(5.8e-6),
            target=Target(factor=2.0),
            basis=own,
            is_independent=False,
        ),
        Row(
            what="energy of a reset, 1 M patterns on 512 chips (projected)",
            unit="J",
            predicted=large.energy_of("reset"),
            measured=measured(3.06e-3),
            basis="from 32 chips, same paper",
            is_independent=False,
        ),
        Row(
            what="static power, 1 M patterns on 512 chips (projected)",
            unit="W",
            predicted=_power(cost, "static").scaled(LARGE_CHIPS / CHIPS),
            measured=measured(53.4),
            basis="from 32 chips, same paper",
            is_independent=False,
        ),
        Row(
            what="time of a step, full machine",
            unit="s",
            predicted=large.latency_second.scaled(1 / WINDOW),
            measured=measured(13e-6),
            target=Target(factor=2.0),
            basis=own,
            is_independent=False,
        ),
    )


def _power(cost: Cost, part: str) -> Range:
    """Energy of a part over time, end by end: both grow with it."""
    energy, seconds = cost.energy_of(part), cost.latency_second
    return Range(*sorted((energy.low / seconds.low, energy.high / seconds.high)))


CASE = Case(
    name="nearest-neighbours",
    title="V1. Nearest-neighbour search on 32 Loihi 1",
    summary=(
        "A query of 1000 inputs is compared with 76,800 stored patterns of one neuron each, in a window of 60 steps."
        " Every one of 667 to 750 input spikes reaches every pattern, so that the work follows from the structure alone"
        " and the energy of the cores is a prediction without any free number."
    ),
    source="Frady et al. 2020, arXiv 2004.12691, Tables 1 and 2 and sections 4.3 and 5.1, as quoted by secondary sources",
    unknown=(
        "How many cores the patterns lie on (from as few as hold their 8-bit weights to all 4096), how many"
        " patterns spike in a query (from one to all once), and whether an update is an active one (52 or 81 pJ)."
    ),
    predict=predict,
)
