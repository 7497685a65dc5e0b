"""The cost model agrees with arithmetic by hand, gives ranges only, and says where each number comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromorph import cost as cost_data
from neuromorph import costs
from neuromorph.costs import (
    Cost,
    Operations,
    Range,
    Term,
    estimate,
    estimate_counts,
    estimate_operations,
)
from neuromorph.errors import ChipError, InputError
from neuromorph.recording import Counts, PopulationCounts, ProjectionCounts, Recording


def counts(
    *,
    neurons: int = 100,
    steps: int = 32,
    active: int = 1000,
    events: int = 40_000,
    spikes: int = 150,
    input_spikes: int = 400,
    synapses: int = 6_400,
    learned: int = 0,
) -> Counts:
    """One input population of 64 and one of ``neurons``; every number is of the whole run."""
    image = PopulationCounts(neurons=64, is_input=True, spikes=input_spikes, neuron_updates=0, active_updates=0)
    hidden = PopulationCounts(
        neurons=neurons, is_input=False, spikes=spikes, neuron_updates=neurons * steps, active_updates=active
    )
    dense = ProjectionCounts(synapses=synapses, plastic=learned > 0, synaptic_events=events, learning_updates=learned)
    return Counts(steps=steps, populations={"image": image, "hidden": hidden}, projections={"image->hidden": dense})


def on_loihi(**work: Any) -> Cost:
    return estimate_counts(counts(**work), dt=1e-3, chip="loihi1")


def term(terms: tuple[Term, ...], cost_set: str, name: str) -> Term:
    (found,) = (term for term in terms if (term.cost_set, term.name) == (cost_set, name))
    return found


def ends(span: Range) -> tuple[float, float]:
    return (span.low, span.high)


def within(low: float, high: float) -> Any:
    """Both ends, to rounding."""
    return pytest.approx((low, high))


def event_energy(cost: Cost, cost_set: str) -> Range:
    """Energy of the events of one set, without static power and embedded processors."""
    return sum((t.total for t in cost.energy_terms if t.cost_set == cost_set), Range(0.0, 0.0))


def test_lsnn_on_loihi1_brackets_its_measured_core_energy() -> None:
    # 350 compartments x 840 steps = 294,000 updates x 52 pJ = 15.3 uJ idle, x 81 pJ = 23.8 uJ active.
    # Measured (Intel NRC ecosystem models, LSNN on sequential MNIST): 22.1 uJ of dynamic core energy.
    work = {"neurons": 350, "steps": 840, "events": 0, "spikes": 0, "input_spikes": 0, "synapses": 15_675}
    idle, busy = on_loihi(active=0, **work), on_loihi(active=294_000, **work)
    assert event_energy(idle, "davies2018").low == pytest.approx(15.288e-6)
    assert event_energy(busy, "davies2018").high == pytest.approx(23.814e-6)
    assert event_energy(idle, "sanafe").low == pytest.approx(294_000 * 51.2e-12)
    assert event_energy(busy, "sanafe").high == pytest.approx(294_000 * 72.8e-12)
    assert event_energy(idle, "davies2018").low < 22.1e-6 < event_energy(busy, "davies2018").high
    # the chip took 13.99 ms and 0.3627 mJ in all, embedded processors included
    with_spikes = on_loihi(active=100_000, **{**work, "events": 250_000, "spikes": 10_000})
    assert with_spikes.latency_second.low < 13.99e-3 < with_spikes.latency_second.high
    assert with_spikes.energy_joule.low < 0.3627e-3 < with_spikes.energy_joule.high


@pytest.mark.parametrize("events", [51_000_000, 58_000_000])
def test_nearest_neighbours_on_loihi1_come_near_the_measured_energy(events: int) -> None:
    # Frady et al. 2020: 76,800 neurons, 60 steps, 5.1e7 to 5.8e7 synaptic operations: 1.33 mJ.
    # By hand: 5.1e7 x 23.6 pJ = 1.20 mJ, 5.8e7 x 23.6 pJ = 1.37 mJ; 76,800 x 60 x 52 pJ = 0.2396 mJ.
    cost = on_loihi(neurons=76_800, steps=60, active=0, events=events, spikes=0, input_spikes=750, synapses=76_800_000)
    synaptic = term(cost.energy_terms, "davies2018", "synaptic operations").total
    updates = term(cost.energy_terms, "davies2018", "idle neuron updates").total
    assert synaptic.low == pytest.approx(events * 23.6e-12)
    assert updates.low == pytest.approx(0.2396e-3, rel=1e-3)
    assert 1.05 < event_energy(cost, "davies2018").low / 1.33e-3 < 1.25
    assert 1.4 < event_energy(cost, "sanafe").high / 1.33e-3 < 1.9
    assert cost.cores is not None and cost.cores.low == 75  # 76,800 / 1024
    assert any("links between chips" in line for line in cost.missing)


def test_every_term_is_count_times_coefficient_by_hand() -> None:
    cost = on_loihi(learned=55_000)
    totals = {(t.cost_set, t.name): t.total for t in cost.energy_terms}
    assert totals["davies2018", "synaptic operations"].high == pytest.approx(40_000 * 23.6e-12)
    assert totals["davies2018", "active neuron updates"].high == pytest.approx(1_000 * 81e-12)
    assert totals["davies2018", "idle neuron updates"].high == pytest.approx(2_200 * 52e-12)
    assert totals["davies2018", "spike messages within a tile"].high == pytest.approx(550 * 1.7e-12)
    assert totals["davies2018", "learning updates"].high == pytest.approx(55_000 * 120e-12)
    assert totals["sanafe", "neuron accesses"].low == pytest.approx(3_200 * 51.2e-12)
    assert totals["sanafe", "neuron state changes"].low == pytest.approx(1_000 * 21.6e-12)
    assert totals["sanafe", "neuron state changes"].high == pytest.approx(3_200 * 21.6e-12)
    assert totals["sanafe", "spikes generated"].high == pytest.approx(150 * 69.3e-12)
    assert totals["sanafe", "output axons"].high == pytest.approx(150 * 111e-12)
    static = term(cost.energy_terms, "system", "static power (core seconds)")
    assert ends(static.total) == within(
        0.0576e-3 * cost.latency_second.low, 0.8154e-3 * cost.latency_second.high
    )  # one core is in use
    embedded = term(cost.energy_terms, "system", "embedded processors (chip seconds)").total
    assert ends(embedded) == within(18.95e-3 * cost.latency_second.low, 66.9e-3 * cost.latency_second.high)
    # davies2018 on one core of one tile, all in series, and 32 barriers: 504 us, more than 32 sustained steps of 5.8 us;
    # at most 32 of 16.65 us on top, which hold the barriers
    receiving, learning = 40_000 * 3.5e-9, 55_000 * 6.1e-9
    updating = 1_000 * 8.4e-9 + 2_200 * 5.3e-9
    assert ends(cost.latency_by_set["davies2018"]) == within(
        receiving + 400 * 2.1e-9 + updating + learning + 32 * 113e-9,
        receiving + 550 * 2.1e-9 + updating + learning + 32 * 16.65e-6,
    )
    # sanafe: a core receives meanwhile, which takes longer than its updates; in series at the high end
    taking_in = 40_000 * 3.1e-9 + 400 * 16e-9
    assert cost.latency_by_set["sanafe"].low == pytest.approx(taking_in + learning + 32 * 0.6e-6)


def test_spike_messages_lie_between_widest_fan_out_and_one_for_each_spike_and_core() -> None:
    # 40,000 events on 100 neurons need 400 messages at least; 550 spikes on one core send 550 at most
    messages = term(on_loihi().energy_terms, "davies2018", "spike messages within a tile")
    assert ends(messages.count) == within(400, 550)
    # seven cores at most: 550 x 7 = 3,850; two events: two messages
    spread = term(on_loihi(synapses=100_000).energy_terms, "davies2018", "spike messages within a tile")
    assert ends(spread.count) == within(400, 3_850)
    sparse = term(on_loihi(events=2).energy_terms, "sanafe", "input axons")
    assert ends(sparse.count) == within(2 / 100, 2)
    # the counts do not tell whether a spike of the chip has a target at all
    assert ends(term(on_loihi().energy_terms, "sanafe", "output axons").count) == within(0, 150)


def test_the_estimate_spans_the_accounts_of_both_publications() -> None:
    cost = on_loihi()
    for span, accounts in (
        (cost.energy_joule, cost.energy_by_set),
        (cost.latency_second, cost.latency_by_set),
    ):
        assert set(accounts) == {"davies2018", "sanafe"}
        assert span.low == min(account.low for account in accounts.values())
        assert span.high == max(account.high for account in accounts.values())


def test_learning_updates_are_left_out_on_request() -> None:
    work = counts(learned=55_000)
    without = estimate_counts(work, dt=1e-3, learning=False)
    learned = 55_000 * 120e-12
    with_learning = event_energy(estimate_counts(work, dt=1e-3), "davies2018").low
    assert with_learning - event_energy(without, "davies2018").low == pytest.approx(learned)
    assert without.energy_joule == on_loihi().energy_joule


def test_real_time_takes_steps_times_dt_and_costs_at_least_as_much() -> None:
    cost = on_loihi()
    assert cost.real_time_second == pytest.approx(0.032)
    assert cost.real_time_energy_joule is not None
    waited = 0.8154e-3 * 0.032 + 66.9e-3 * 0.032
    assert cost.real_time_energy_joule.high == pytest.approx(event_energy(cost, "sanafe").high + waited)
    assert cost.real_time_energy_joule.low > cost.energy_joule.low


def test_cores_follow_compartments_and_synaptic_memory() -> None:
    assert on_loihi(neurons=1024).cores == Range(1.0, 1.0)
    assert on_loihi(neurons=1025).cores == Range(2.0, 2.0)
    # 100,000 synapses: 1 bit each is below 1,048,576 bit, 64 bit each needs 6.1 cores
    assert on_loihi(synapses=100_000).cores == Range(1.0, 7.0)


def test_work_spread_over_more_cores_is_only_faster_at_the_low_end() -> None:
    few, many = (on_loihi(synapses=number, events=400_000) for number in (6_400, 100_000))
    assert many.latency_second.low < few.latency_second.low
    assert many.latency_second.high >= few.latency_second.high


UPDATES = "neuron updates, each as an idle one"
ACTIVE = "active neuron updates, on top of an idle one"


@pytest.mark.parametrize("active", [0, 30_000, 150_000, 200_000])
def test_a_core_does_no_more_neuron_updates_than_it_has_compartments_and_steps(active: int) -> None:
    # 2,000 neurons x 100 steps = 200,000 updates on two cores; one core can do 1,024 x 100 = 102,400 of them
    silent = {"events": 0, "spikes": 0, "input_spikes": 0}
    cost = on_loihi(neurons=2_000, steps=100, active=active, **silent)
    assert cost.cores == Range(2.0, 2.0)
    updates, on_top = (term(cost.latency_terms, "davies2018", name) for name in (UPDATES, ACTIVE))
    busy = min(active, 102_400)
    assert ends(updates.count) == within(100_000, 102_400)
    assert ends(on_top.count) == within(active / 2, busy)
    assert on_top.status == "derived" and "less the time of an idle update" in on_top.source
    # low: the even spread; high: the core filled with active updates, the rest of it idle; 100 barriers
    by_hand = (active / 2 * 8.4e-9 + (100_000 - active / 2) * 5.3e-9, busy * 8.4e-9 + (102_400 - busy) * 5.3e-9)
    barriers = (100 * 113e-9, 100 * 16.65e-6)
    sustained = 100 * 5.8e-6  # what as many steps of a board last at least
    assert ends(cost.latency_by_set["davies2018"]) == within(
        max(by_hand[0] + barriers[0], sustained), by_hand[1] + barriers[1]
    )
    # SANA-FE: every update is an access, and at most one state change
    assert ends(term(cost.latency_terms, "sanafe", "neuron accesses").count) == within(100_000, 102_400)
    assert ends(term(cost.latency_terms, "sanafe", "neuron state changes").count) == within(active / 2, 102_400)


def test_a_core_sends_at_most_one_spike_of_each_compartment_a_step() -> None:
    cost = on_loihi(neurons=2_000, steps=100, active=200_000, spikes=200_000)
    assert ends(term(cost.latency_terms, "sanafe", "spikes generated").count) == within(100_000, 102_400)
    assert ends(term(cost.energy_terms, "sanafe", "spikes generated").count) == within(200_000, 200_000)


@pytest.mark.parametrize(("neurons", "limited"), [(1_024, False), (1_025, True)])
def test_one_core_does_all_updates_until_they_are_too_many_for_it(neurons: int, limited: bool) -> None:
    silent = on_loihi(neurons=neurons, steps=10, active=0, events=0, spikes=0, input_spikes=0)
    updates = term(silent.latency_terms, "davies2018", UPDATES).count
    assert updates.high == 10_240
    assert (updates.low < updates.high) == limited


def test_active_updates_that_cost_less_than_idle_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    slow = "".join(
        f"""[costs.bench.neuron_update_{kind}]
time_second = {{ value = {second}, source = "bench", status = "{status}" }}
"""
        for kind, second, status in (("active", 1e-9, "published"), ("idle", 2e-9, "assumed"))
    )
    written = OWN_CHIP.format(kind="neuromorphic", operation="synaptic_operation") + slow
    path.write_text(written)
    with pytest.raises(ChipError, match=r"'bench': an active neuron update takes less time than an idle one"):
        estimate_counts(counts(), dt=1e-3, chip=path)
    path.write_text(written.replace("1e-09", "3e-09"))
    on_top = term(estimate_counts(counts(), dt=1e-3, chip=path).latency_terms, "bench", ACTIVE)
    assert on_top.coefficient == Range(3e-9 - 2e-9, 3e-9 - 2e-9)
    assert on_top.status == "assumed"  # as the less certain of the two


def test_limits_of_axons_are_said_to_be_left_out_of_the_core_count(tmp_path: Path) -> None:
    (said,) = (line for line in on_loihi().missing if line.startswith("axons:"))
    assert "4,096 input axons and 4,096 output axons" in said and "not in the core count" in said
    path = tmp_path / "mine.toml"
    path.write_text(OWN_CHIP.format(kind="neuromorphic", operation="synaptic_operation"))
    assert not any(line.startswith("axons:") for line in estimate_counts(counts(), dt=1e-3, chip=path).missing)


def test_the_data_of_a_cost_is_the_same_from_both_modules() -> None:
    assert (Cost, Operations, Range, Term) == (cost_data.Cost, cost_data.Operations, cost_data.Range, cost_data.Term)
    assert {"Cost", "Operations", "Range", "Term", "estimate"} <= set(costs.__all__)


WORK = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 500),
        "neurons": st.integers(1, 5_000),
        "events": st.integers(0, 10**8),
        "spikes": st.integers(0, 10**5),
        "input_spikes": st.integers(0, 10**5),
        "synapses": st.integers(0, 10**8),
        "learned": st.integers(0, 10**7),
    }
)


@given(neurons=st.integers(1, 5_000), steps=st.integers(1, 500), share=st.floats(0, 1))
def test_one_more_active_update_never_takes_less_time(neurons: int, steps: int, share: float) -> None:
    active = int(share * neurons * steps)
    quiet, busy = (on_loihi(neurons=neurons, steps=steps, active=n) for n in (active, min(active + 1, neurons * steps)))
    assert quiet.latency_second.low <= busy.latency_second.low * (1 + 1e-12)
    assert quiet.latency_second.high <= busy.latency_second.high
    most = steps * 1024
    updates, on_top = (term(busy.latency_terms, "davies2018", name) for name in (UPDATES, ACTIVE))
    assert on_top.count.high <= updates.count.high <= most
    assert updates.total.high + on_top.total.high <= most * 8.4e-9 * (1 + 1e-12)


@given(
    work=WORK,
    more=st.sampled_from(["events", "spikes", "input_spikes", "learned"]),
    chip=st.sampled_from(["loihi1", "cpu"]),
)
def test_low_is_below_high_and_more_work_never_costs_less(work: dict[str, int], more: str, chip: str) -> None:
    cost = estimate_counts(counts(active=0, **work), dt=1e-3, chip=chip)
    raised = estimate_counts(counts(active=0, **{**work, more: work[more] + 1_000}), dt=1e-3, chip=chip)
    for before, after in (
        (cost.energy_joule, raised.energy_joule),
        (cost.latency_second, raised.latency_second),
    ):
        assert 0 <= before.low <= before.high
        # to rounding: a step that is shorter than a sustained one is filled up to it
        assert before.low <= after.low * (1 + 1e-12) and before.high <= after.high
    for found in (*cost.energy_terms, *cost.latency_terms):
        assert found.total.low <= found.total.high


@pytest.mark.parametrize("chip", ["loihi1", "cpu"])
def test_ten_times_the_run_costs_ten_times_as_much_and_scales_back(chip: str) -> None:
    one = counts(learned=500)
    ten = one
    for _ in range(9):
        ten = ten + one
    single, tenfold = estimate_counts(one, dt=1e-3, chip=chip), estimate_counts(ten, dt=1e-3, chip=chip)
    assert tenfold.energy_joule.high == pytest.approx(10 * single.energy_joule.high)
    assert tenfold.latency_second.low == pytest.approx(10 * single.latency_second.low)
    back = tenfold.scaled(1 / 10)
    assert back.energy_joule.low == pytest.approx(single.energy_joule.low)
    assert back.real_time_second == pytest.approx(0.032)
    for name, total in single.energy_by_set.items():
        assert back.energy_by_set[name].high == pytest.approx(total.high)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_scaling_by_nonsense_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match="factor > 0"):
        on_loihi().scaled(factor)


@pytest.mark.parametrize("chip", ["loihi1", "cpu"])
def test_every_term_names_its_source_and_the_report_is_json(chip: str) -> None:
    cost = estimate_counts(counts(learned=500), dt=1e-3, chip=chip, wall_second=2e-3)
    for found in (*cost.energy_terms, *cost.latency_terms):
        assert found.source.strip() and found.status in ("published", "derived", "assumed", "measured")
    report = json.loads(json.dumps(cost.to_json()))
    assert report["chip"] == chip and len(report["chip_fingerprint"]) == 64
    assert report["energy_joule"]["low"] < report["energy_joule"]["high"]
    assert report["energy_terms"][0]["total"]["low"] >= 0 and report["missing"]


def test_a_recording_is_costed_from_its_counts() -> None:
    work = counts()
    recording = Recording(
        program_fingerprint="f", backend="reference", seed=0, dt=1e-3, first_step=0, steps=work.steps,
        spikes={}, counts=work, wall_second=2e-3,
    )  # fmt: skip
    assert estimate(recording) == estimate_counts(work, dt=1e-3)
    assert estimate(recording, "cpu").energy_joule.high == pytest.approx(2e-3 * 20)
    assert estimate(replace(recording, wall_second=0.0), "cpu") == estimate_counts(work, dt=1e-3, chip="cpu")


def test_a_processor_lies_between_best_case_and_measured_wall_time() -> None:
    cost = estimate_counts(counts(), dt=1e-3, chip="cpu", wall_second=2e-3)
    assert cost.energy_joule.low == pytest.approx(40_000 * 0.1e-9 + 3_200 * 0.5e-9)
    assert cost.energy_joule.high == pytest.approx(2e-3 * 20)
    assert cost.latency_second.high == 2e-3
    assert ends(cost.energy_by_set["measured"]) == within(0.02, 0.04)
    busy = term(cost.energy_terms, "measured", "busy core (seconds)")
    assert busy.status == "measured" and "assumed" in busy.source  # the power is; the time was measured
    assert cost.cores is None and cost.real_time_energy_joule is None


def test_a_wall_time_below_the_best_case_still_gives_a_range() -> None:
    cost = estimate_counts(counts(), dt=1e-3, chip="cpu", wall_second=1e-9)
    assert ends(cost.energy_joule) == within(10e-9, 20e-9)
    assert cost.latency_second == Range(1e-9, 1e-9)


def test_conventional_training_is_costed_by_operations_and_bytes() -> None:
    work = Operations(multiply_accumulates=1_000_000, memory_bytes=4_000_000)
    cost = estimate_operations(work)
    assert cost.energy_joule.low == pytest.approx(1e6 * 0.2e-9 + 4e6 * 2.5e-12)
    assert cost.energy_joule.high == pytest.approx(1e6 * 0.8e-9 + 4e6 * 325e-12)
    assert ends(cost.latency_second) == within(20e-6, 40e-6)
    assert cost.real_time_second is None
    measured = estimate_operations(work, "cpu", wall_second=1e-3)
    assert measured.energy_joule.high == pytest.approx(20e-3)
    assert measured.energy_joule.low == cost.energy_joule.low


def test_a_neuromorphic_chip_has_no_cost_of_multiply_accumulates() -> None:
    with pytest.raises(ChipError, match=r"'loihi1' is neuromorphic.*use estimate_counts"):
        estimate_operations(Operations(multiply_accumulates=1), "loihi1")


def test_wrong_arguments_are_refused_together() -> None:
    with pytest.raises(InputError, match=r"(?s)2 faults.*dt must be > 0 s, got 0.*wall_second must be > 0 s, got -1"):
        estimate_counts(counts(), dt=0.0, wall_second=-1.0)
    with pytest.raises(InputError, match="multiply_accumulates must be >= 0, got -1"):
        Operations(multiply_accumulates=-1)
    with pytest.raises(InputError, match="low <= high"):
        Range(2.0, 1.0)


OWN_CHIP = """
name = "mine"
kind = "{kind}"
description = "a chip of my own"
[limits]
core.compartments = {{ value = 10, source = "bench", status = "assumed" }}
core.synapse_memory_bit = {{ value = 800, source = "bench", status = "assumed" }}
chip.cores = {{ value = 100, source = "bench", status = "assumed" }}
synapse.memory_bit = {{ value = 8, source = "bench", status = "assumed" }}
[costs.bench]
role = "alternative"
description = "bench"
missing = ["everything else"]
[costs.bench.{operation}]
energy_joule = {{ value = 1e-9, source = "bench", status = "assumed" }}
time_second = {{ value = 1e-6, source = "bench", status = "assumed" }}
"""


def test_a_chip_of_the_user_works_by_path_and_lacks_are_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN_CHIP.format(kind="neuromorphic", operation="synaptic_operation"))
    cost = estimate_counts(counts(learned=10), dt=1e-3, chip=path)
    assert cost.cores == Range(64.0, 64.0)  # 6,400 synapses x 8 bit / 800 bit
    assert ends(cost.energy_joule) == within(40_000e-9, 40_000e-9)
    assert ends(cost.latency_second) == within(40_000e-6 / 64, 40_000e-6)
    assert "bench: everything else" in cost.missing
    assert any("bench: learning updates have no coefficient" in line for line in cost.missing)


def test_a_chip_without_what_the_work_needs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN_CHIP.format(kind="neuromorphic", operation="multiply_accumulate"))
    with pytest.raises(ChipError, match="'mine' states no energy or no time for any of the counted work"):
        estimate_counts(counts(), dt=1e-3, chip=path)
    path.write_text(OWN_CHIP.format(kind="conventional", operation="synaptic_operation"))
    with pytest.raises(ChipError, match=r"must state busy_core\.power .* or leave wall_second out"):
        estimate_counts(counts(), dt=1e-3, chip=path, wall_second=1.0)
