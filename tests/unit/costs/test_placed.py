"""Work on placed cores is what a count by hand, and by plain loops, finds on each of them in each step."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import neuromorph as nm
from neuromorph.chip import Chip, load_chip
from neuromorph.cost import ZERO
from neuromorph.costs import Range, estimate, estimate_work, work_of_placement
from neuromorph.errors import InputError
from neuromorph.placement import Placement
from neuromorph.recording import Recording

STEPS = 5
OPERATIONS = {  # of five steps of the chain, on all cores
    "synaptic_operation": 4 + 16 + 16,  # one spike onto a, then four of a onto b and c
    "neuron_update_active": 4 + 4 + 4,
    "neuron_update_idle": 3 * 4 * STEPS - 12,
    "spike_generated": 12,
    "axon_out": 4 + 4,  # four neurons of a onto two cores
    "axon_in": 1 + 4 + 4,
    "tile_hop_east_west": 4,  # c is one tile away
    "learning_update": 16 + 16,  # x0 when a spikes, y0 when b does
}
# us of the slowest core of every step, as (receiving, updating, learning)
LEARNING = [
    (4 + 5, 0.4, 0),
    (16 + 4 * 5, 0.4, 16 * 6),
    (0, 4 * 0.3 + 4 * 2, 16 * 6),
    (0, 0.4, 0),
    (0, 0.4, 0),
]  # a, b, b
STATIC = [
    (4 + 5, 0.4, 0),
    (0, 4 * 0.3 + 4 * 2 + 8 * 4, 0),
    (0, 4 * 0.3 + 4 * 2, 0),
    (0, 0.4, 0),
    (0, 0.4, 0),
]  # a, a, b
IN_SERIES, OVERLAPPING = sum, lambda sides: max(sides[:2]) + sides[2]


def seconds(slowest: list[tuple[float, float, float]], how: Callable[..., float]) -> float:
    return sum(how(sides) for sides in slowest) * 1e-6


def test_every_operation_of_a_chain_of_spikes_is_counted_on_its_core(
    chain: nm.Program, ran: Callable[..., Recording], bench: Chip, coefficients: Mapping[str, tuple[float, float]]
) -> None:
    recording, placement = ran(chain, STEPS), nm.place(chain, bench)
    assert [[part.population for part in core.parts] for core in placement.cores] == [["a"], ["b"], ["c"]]
    work = work_of_placement(recording, placement, bench)
    assert {name: work.totals[name] for name in OPERATIONS} == {n: Range.of(count) for n, count in OPERATIONS.items()}
    assert (work.cores, work.chips, work.tiles) == (Range.of(3), Range.of(1), Range.of(2))
    cost = estimate(recording, bench, placement)
    by_hand = sum(count * coefficients[name][0] for name, count in OPERATIONS.items())
    assert cost.dynamic_energy_joule.low == cost.dynamic_energy_joule.high == pytest.approx(by_hand)
    assert cost.energy_of("learning").low == pytest.approx(32 * coefficients["learning_update"][0])
    assert cost.energy_of("events").low == pytest.approx(by_hand - 32 * coefficients["learning_update"][0])


def test_a_step_lasts_as_long_as_its_slowest_core_and_the_barrier_of_its_tiles(
    chain: nm.Program, ran: Callable[..., Recording], bench: Chip
) -> None:
    cost = estimate(ran(chain, STEPS), bench, nm.place(chain, bench))
    barriers, longest_way = STEPS * 2e-5, 4 * 7e-6  # 20 us for two tiles; four messages over one tile, one a step
    assert cost.latency_second.low == pytest.approx(seconds(LEARNING, OVERLAPPING) + barriers)
    assert cost.latency_second.high == pytest.approx(seconds(LEARNING, IN_SERIES) + barriers + longest_way)
    # without learning a and b change places in step 1: 41.2 us against 36.4 us in series
    taught = estimate(ran(chain, STEPS), bench, nm.place(chain, bench), learning=False)
    assert taught.latency_second.low == pytest.approx(seconds(STATIC, OVERLAPPING) + barriers)
    assert taught.latency_second.high == pytest.approx(seconds(STATIC, IN_SERIES) + barriers + longest_way)


def test_a_core_that_does_not_receive_while_it_updates_takes_both_times(
    chain: nm.Program, ran: Callable[..., Recording], bench_file: Callable[..., Path]
) -> None:
    text = bench_file().read_text()
    path = bench_file()
    path.write_text(text.replace("overlaps = true", "overlaps = false"))
    chip = load_chip(path)
    cost = estimate(ran(chain, STEPS), chip, nm.place(chain, chip))
    assert cost.latency_second.low == pytest.approx(seconds(LEARNING, IN_SERIES) + STEPS * 2e-5)


def test_static_power_and_embedded_processors_draw_for_the_whole_latency(
    chain: nm.Program, ran: Callable[..., Recording], bench: Chip
) -> None:
    recording, placement = ran(chain, STEPS), nm.place(chain, bench)
    cost = estimate(recording, bench, placement)
    for end in ("low", "high"):
        seconds = getattr(cost.latency_second, end)
        assert getattr(cost.energy_of("static"), end) == pytest.approx(3 * 1e-3 * seconds)
        assert getattr(cost.energy_of("embedded"), end) == pytest.approx(2e-3 * seconds)
    whole = estimate(recording, bench, placement, static="chips")
    assert whole.energy_of("static").low == pytest.approx(8 * 1e-3 * whole.latency_second.low)
    # held to real time, 5 ms
    assert cost.real_time_energy_of("static").low == pytest.approx(3 * 1e-3 * 5e-3)
    assert cost.real_time_energy_of("events") == cost.energy_of("events")


def test_resets_and_samples(chain: nm.Program, ran: Callable[..., Recording], bench: Chip) -> None:
    recording, placement = ran(chain, STEPS), nm.place(chain, bench)
    once, none = (estimate(recording, bench, placement, resets=resets) for resets in (2, 0))
    assert once.energy_of("reset").low == pytest.approx(2 * 9e-6)
    assert once.latency_second.low - none.latency_second.low == pytest.approx(2 * 9e-4)
    assert any("resets" in line for line in none.missing) and not any("resets of all" in line for line in once.missing)
    one = estimate(recording, bench, placement, resets=2, samples=4)
    assert one.energy_joule.high == pytest.approx(once.energy_joule.high / 4)
    assert one.energy_delay_product.low == pytest.approx(once.energy_delay_product.low / 16)


def test_memory_of_synapses_states_and_traces(chain: nm.Program, ran: Callable[..., Recording], bench: Chip) -> None:
    placement = nm.place(chain, bench)
    held = estimate(ran(chain, STEPS), bench, placement).memory_byte
    assert held["synapses"] == Range.of(float(placement.use("synapse_memory").sum()) / 8)
    assert held["neuron state"] == Range.of(12 * 10)
    assert held["traces"] == Range.of(4 + 4)  # x1 of four axons on one core, y1 of four neurons, a byte each


# ----------------------------------------------------------------------------------- against plain loops and bounds


def random_program(seed: int, neurons: int, delay: int, epoch: int) -> nm.Program:
    """Three populations and an input with random synapses, some learning, whose spikes come and go."""
    rng = np.random.default_rng(seed)

    def weights(post: int, pre: int) -> nm.Sparse:
        there = rng.random((post, pre)) < 0.3
        there[0, 0] = True
        return nm.Sparse.from_scipy(csr_array(np.where(there, rng.uniform(0.1, 0.9, there.shape), 0.0)))

    stdp = nm.STDP(A_plus=0.01, A_minus=0.01, tau_plus=1e-2, tau_minus=1e-2, w_min=0.0, w_max=1.0)
    rule = dataclasses.replace(stdp, epoch=epoch * 1e-3)
    neuron = nm.LIF(tau_mem=5e-3, tau_syn=1e-3, v_threshold=1.0)
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("a", neurons, neuron), nm.Population("b", 6, neuron)],
        projections=[
            nm.Projection("in", "a", weights(neurons, 5), delay=delay * 1e-3),
            nm.Projection("a", "b", weights(6, neurons), delay=1e-3, plasticity=rule),
            nm.Projection("b", "a", weights(neurons, 6), delay=2e-3),
        ],
    )
    return nm.compile(net, dt=1e-3)


def recorded(program: nm.Program, steps: int, seed: int) -> Recording:
    spikes = np.random.default_rng(seed).random((steps, 5)) < 0.4
    return nm.run(program.with_all_spikes(), steps, inputs={"in": spikes}, seed=0)


def by_loops(recording: Recording, placement: Placement) -> dict[tuple[int, int], Counter[str]]:
    """Operations of every (step, core), one spike and one synapse after the other."""
    program, core_of = placement.program, placement.core_of
    work: dict[tuple[int, int], Counter[str]] = {
        (step, core.number): Counter(neuron_update=core.neurons)
        for step in range(recording.steps)
        for core in placement.cores
    }
    active = set()
    for name, core in core_of.items():
        train = recording.spikes[name]
        for step, neuron in zip(train.steps.tolist(), train.ids.tolist(), strict=True):
            work[step, core[neuron]]["spike_generated"] += 1
            active.add((step, name, neuron))
    for item in program.projections:
        train, post_core = recording.spikes[item.pre], core_of[item.post]
        for step, neuron in zip(train.steps.tolist(), train.ids.tolist(), strict=True):
            reached = set()
            for synapse in np.flatnonzero(item.pre_index == neuron):
                target = int(item.post_index[synapse])
                work[step, post_core[target]]["synaptic_operation"] += 1
                reached.add(int(post_core[target]))
                arrival = step + int(item.delay[synapse])
                if arrival < recording.steps:
                    active.add((arrival, item.post, target))
            for core in reached:
                work[step, core]["axon_in"] += 1
                if item.pre in core_of:
                    work[step, int(core_of[item.pre][neuron])]["axon_out"] += 1
        if item.rule is not None:
            for end in range(item.rule.epoch - 1, recording.steps, item.rule.epoch):
                within = range(end + 1 - item.rule.epoch, end + 1)
                pre, post = (
                    {i for s, i in zip(t.steps.tolist(), t.ids.tolist(), strict=True) if s in within}
                    for t in (train, recording.spikes[item.post])
                )
                for synapse in range(item.synapses):
                    target = int(item.post_index[synapse])
                    touched = (int(item.pre_index[synapse]) in pre) + (target in post)
                    work[end, post_core[target]]["learning_update"] += touched
    for step, name, neuron in active:
        work[step, int(core_of[name][neuron])]["neuron_update_active"] += 1
    for counts in work.values():
        counts["neuron_update_idle"] = counts["neuron_update"] - counts["neuron_update_active"]
    return work


CASES = {
    "seed": st.integers(0, 10**6),
    "neurons": st.integers(1, 14),
    "delay": st.integers(1, 4),
    "epoch": st.integers(1, 3),
}


@settings(max_examples=12)
@given(**CASES)
def test_work_of_random_networks_is_that_of_plain_loops(
    bench: Chip, coefficients: Mapping[str, tuple[float, float]], seed: int, neurons: int, delay: int, epoch: int
) -> None:
    program = random_program(seed, neurons, delay, epoch)
    recording, placement = recorded(program, 12, seed), nm.place(program, bench)
    by_core = by_loops(recording, placement)
    work = work_of_placement(recording, placement, bench)
    operations = (
        "synaptic_operation",
        "neuron_update_active",
        "axon_in",
        "axon_out",
        "learning_update",
        "spike_generated",
    )
    for name in operations:
        assert work.total(name) == Range.of(sum(counts[name] for counts in by_core.values())), name
    receiving = ("synaptic_operation", "axon_in")
    updating = ("neuron_update_active", "neuron_update_idle", "spike_generated", "axon_out")

    def slowest(how: Callable[..., float]) -> float:
        """Of every step the core that takes longest."""
        return sum(
            max(
                how([sum(by_core[step, core.number][name] * coefficients[name][1] for name in side) for side in sides])
                for core in placement.cores
            )
            for step in range(recording.steps)
        )

    sides = (receiving, updating, ("learning_update",))
    tiles = len({(core.chip, core.tile) for core in placement.cores})
    barriers = recording.steps * 1e-5 * tiles
    cost = estimate_work(work, bench)
    ways = sum(term.total.high for term in cost.latency_terms if term.name.startswith("tile hops"))
    assert cost.latency_second.low == pytest.approx(slowest(OVERLAPPING) + barriers)
    assert cost.latency_second.high == pytest.approx(slowest(IN_SERIES) + barriers + ways)


@pytest.mark.parametrize(("product", "every"), [("u0", 1), ("u1", 2), ("u2", 4)])
def test_rules_that_touch_every_synapse_do_so_in_every_so_many_epochs(bench: Chip, product: str, every: int) -> None:
    neuron = nm.LIF(tau_mem=1e-3)
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("a", 6, neuron)],
        projections=[
            nm.Projection(
                "in", "a", np.full((6, 3), 0.1), plasticity=nm.LearningRule(dw=f"0.001*{product}", epoch=2e-3)
            )
        ],
    )
    program = nm.compile(net, dt=1e-3)
    recording = nm.run(program.with_all_spikes(), 15, seed=0)  # seven epochs
    placement = nm.place(program, bench)
    assert len(placement.cores) == 2
    work = work_of_placement(recording, placement, bench)
    assert work.total("learning_update") == Range.of(18 * (7 // every)) == Range.of(recording.counts.learning_updates)
    # four neurons on the one core, two on the other: the first learns 12 synapses
    assert work.on_busiest("bench")["learning_update"] == Range.of(12 * (7 // every))


@settings(max_examples=12)
@given(chip=st.sampled_from(["loihi1", "loihi1.sanafe"]), **CASES)
def test_a_placed_estimate_lies_inside_the_one_without_placement(
    chip: str, seed: int, neurons: int, delay: int, epoch: int
) -> None:
    program = random_program(seed, 100 * neurons, delay, epoch)
    recording = recorded(program, 20, seed)
    placed, unplaced = estimate(recording, chip, nm.place(program, chip)), estimate(recording, chip)
    rounding = 1e-9
    for name in ("energy_joule", "latency_second", "dynamic_energy_joule", "energy_delay_product"):
        inner, outer = getattr(placed, name), getattr(unplaced, name)
        assert outer.low <= inner.low * (1 + rounding) and inner.high <= outer.high * (1 + rounding), name
    for account, total in placed.latency_by_set.items():
        assert unplaced.latency_by_set[account].low <= total.low * (1 + rounding)


@pytest.mark.parametrize("chip", ["loihi1", "loihi2", "spinnaker2", "truenorth"])
def test_populations_that_leave_cores_half_empty_are_within_the_bounds(chip: str) -> None:
    names = [f"p{number}" for number in range(6)]
    size = int(load_chip(chip).limit("core.compartments").low) * 6 // 10  # no two on a core
    program = nm.compile(nm.Network(populations=[nm.Population(name, size, nm.LIF(bias=1.2)) for name in names]))
    recording, placement = nm.run(program.with_all_spikes(), 10), nm.place(program, chip)
    placed, unplaced = estimate(recording, chip, placement), estimate(recording, chip)
    assert (placed.cores, unplaced.cores) == (Range.of(6), Range(4, 6))
    for inner, outer in (
        (placed.energy_joule, unplaced.energy_joule),
        (placed.latency_second, unplaced.latency_second),
    ):
        assert outer.low <= inner.low * (1 + 1e-9) and inner.high <= outer.high * (1 + 1e-9)


@pytest.mark.parametrize("cuts", [(7,), (1, 2, 15), (5, 10, 15)])
def test_chunks_of_a_run_cost_what_the_run_costs(bench: Chip, cuts: tuple[int, ...]) -> None:
    program = random_program(3, 11, 3, 2)
    placement, whole = nm.place(program, bench), recorded(program, 20, 3)
    spikes = np.random.default_rng(3).random((20, 5)) < 0.4
    with nm.open(program.with_all_spikes(), backend="reference", seed=0) as session:
        ends = (0, *cuts, 20)
        chunks = [session.run(b - a, inputs={"in": spikes[a:b]}) for a, b in pairwise(ends)]
    for given_placement in (placement, None):
        together, at_once = (estimate(of, bench, given_placement) for of in (chunks, whole))
        assert together.energy_joule == at_once.energy_joule
        assert together.latency_second == at_once.latency_second
    # each alone: what happens adds up, whatever of it began in the chunk before
    alone = [estimate(chunk, bench, placement) for chunk in chunks]
    total = sum((cost.dynamic_energy_joule for cost in alone), ZERO)
    assert total.low == pytest.approx(estimate(whole, bench, placement).dynamic_energy_joule.low)
    seconds = sum((cost.latency_second for cost in alone), ZERO)
    assert seconds.low <= estimate(whole, bench, placement).latency_second.high
    assert seconds.high >= estimate(whole, bench, placement).latency_second.low


def test_what_spikes_of_an_earlier_chunk_bring_may_be_the_slowest_core_s(bench: Chip) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("a", 4, nm.LIF(tau_mem=1e-3))],
        projections=[nm.Projection("in", "a", np.full((4, 1), 0.1), delay=3e-3)],
    )
    program = nm.compile(net, dt=1e-3)
    placement, fed = nm.place(program, bench), np.array([[True], [False]])
    with nm.open(program.with_all_spikes(), backend="reference", seed=0) as session:
        before, after = session.run(2, inputs={"in": fed}), session.run(3)
    assert after.counts.populations["a"].active_updates == 4  # in step 3, of a spike of step 0
    work = work_of_placement(after, placement, bench)
    assert work.total("neuron_update_active") == Range.of(4)
    assert work.on_busiest("bench")["neuron_update_active"] == Range(0.0, 4.0)
    assert work_of_placement([before, after], placement, bench).on_busiest("bench")["neuron_update_active"] == Range.of(
        4
    )


# ------------------------------------------------------------------------------------------------ what is refused


def test_spikes_that_were_not_recorded_leave_bounds_on_the_cores_of_the_placement(bench: Chip) -> None:
    program = random_program(5, 11, 1, 1)
    placement = nm.place(program, bench)
    spikes = np.random.default_rng(5).random((12, 5)) < 0.4
    probed = program.with_probes([dataclasses.replace(program.with_all_spikes().probes[0], target="a")])
    some = estimate(nm.run(probed, 12, inputs={"in": spikes}), bench, placement)
    exact = estimate(recorded(program, 12, 5), bench, placement)
    assert some.cores == exact.cores == Range.of(len(placement.cores))
    assert some.latency_second.low <= exact.latency_second.low <= exact.latency_second.high <= some.latency_second.high
    assert any("'b' were not recorded" in line and "with_all_spikes" in line for line in some.missing)


def test_a_placement_of_another_chip_program_or_step_is_refused(
    chain: nm.Program, ran: Callable[..., Recording], bench: Chip, bench_file: Callable[..., Path]
) -> None:
    recording, placement = ran(chain, STEPS), nm.place(chain, bench)
    other = load_chip(bench_file(synaptic_operation=(2e-9, 2e-6)))
    with pytest.raises(InputError, match=r"the placement is on 'bench'.*place the program there"):
        estimate(recording, other, placement)
    with pytest.raises(InputError, match=r"recording is of another program"):
        estimate(recorded(random_program(1, 9, 1, 1), 4, 1), bench, placement)
    with pytest.raises(InputError, match=r"'cpu' is conventional and has no cores: leave the placement out"):
        estimate(recording, "cpu", placement)
    with pytest.raises(InputError, match=r"placement must be what place\(\) gives, got str"):
        estimate(recording, bench, "loihi1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"static must be 'cores' or 'chips', or None, got 'all'"):
        estimate(recording, bench, placement, static="all")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"samples must be > 0, got 0"):
        estimate(recording, bench, placement, samples=0)


def test_recordings_that_do_not_follow_one_another_are_refused(
    chain: nm.Program, ran: Callable[..., Recording], bench: Chip
) -> None:
    with pytest.raises(InputError, match=r"one of 5 steps from 0 is followed by one from 0"):
        estimate([ran(chain, 5), ran(chain, 5)], bench)
    with pytest.raises(InputError, match=r"estimate takes a Recording, or a sequence"):
        estimate([], bench)
