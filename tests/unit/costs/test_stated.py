"""Work by hand: what is stated is taken, what is not gets bounds, and what makes no sense is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromorph.chip import Chip, load_chip
from neuromorph.costs import Cost, Range, Work, estimate_work, stated_work
from neuromorph.errors import ChipError, InputError

Coefficients = Mapping[str, tuple[float, float]]


def term(cost: Cost, name: str, *, of: str = "energy") -> Range:
    terms = cost.energy_terms if of == "energy" else cost.latency_terms
    (found,) = (term for term in terms if term.name == name)
    return found.total


@pytest.mark.parametrize(
    ("operation", "stated", "name"),
    [
        ("synaptic_operation", {"synaptic_operations": 70}, "synaptic operations"),
        ("spike_generated", {"spikes": 70}, "spikes generated"),
        ("axon_out", {"axons_out": 70}, "output axons"),
        ("axon_in", {"messages": 70}, "input axons"),
        ("tile_hop_east_west", {"hops_east_west": 70}, "tile hops east-west"),
        ("tile_hop_north_south", {"hops_north_south": 70}, "tile hops north-south"),
        ("learning_update", {"learning_updates": 70}, "learning updates"),
    ],
)
def test_every_operation_costs_its_energy(
    bench: Chip, coefficients: Coefficients, operation: str, stated: dict[str, float], name: str
) -> None:
    cost = estimate_work(stated_work(bench, steps=10, neurons=4, **stated), bench)
    assert term(cost, name).low == term(cost, name).high == pytest.approx(70 * coefficients[operation][0])


def test_updates_that_may_be_active_or_not_are_each_charged_once(bench: Chip) -> None:
    # 40 updates: all idle 40 x 0.1 nJ, all active 40 x 0.3 nJ, never both
    cost = estimate_work(stated_work(bench, steps=10, neurons=4, spikes=0), bench)
    assert cost.energy_of("events").low == pytest.approx(40 * 1e-10)
    assert cost.energy_of("events").high == pytest.approx(40 * 3e-10)
    known = estimate_work(stated_work(bench, steps=10, neurons=4, spikes=0, active_updates=15), bench)
    assert known.energy_of("events").high == pytest.approx(15 * 3e-10 + 25 * 1e-10)


ENCODED = """
[costs.bench.synaptic_operation_sparse]
energy_joule = { value = 2e-9, source = "bench", status = "assumed" }
[costs.bench.synaptic_operation_convolution]
energy_joule = { value = 5e-10, source = "bench", status = "assumed" }
"""


def test_synaptic_operations_are_charged_by_encoding_where_the_file_has_it(bench_file: Callable[..., Path]) -> None:
    chip = load_chip(bench_file(ENCODED))
    by_encoding = {"dense": 10, "sparse": 20, "convolution": 40}
    cost = estimate_work(stated_work(chip, steps=1, neurons=4, spikes=0, synaptic_operations=by_encoding), chip)
    assert term(cost, "synaptic operations of sparse weights").low == pytest.approx(20 * 2e-9)
    assert term(cost, "synaptic operations of shared kernels").low == pytest.approx(40 * 5e-10)
    assert term(cost, "synaptic operations").low == pytest.approx(10 * 1e-9)  # no figure of dense ones
    general = estimate_work(stated_work(chip, steps=1, neurons=4, spikes=0, synaptic_operations=70), chip)
    assert term(general, "synaptic operations").low == pytest.approx(70 * 1e-9)
    only = {"sparse": 20}
    sparse = estimate_work(stated_work(chip, steps=1, neurons=4, spikes=0, synaptic_operations=only), chip)
    assert "synaptic operations" not in {t.name for t in sparse.energy_terms}
    # the file has no times by encoding
    assert term(sparse, "synaptic operations", of="latency").high == pytest.approx(20 * 1e-6)


def test_sanafe_charges_noise_and_encodings_and_davies_does_not() -> None:
    work = stated_work(
        "loihi1",
        steps=100,
        neurons=50,
        spikes=0,
        active_updates=0,
        noisy_updates=500,
        synaptic_operations={"dense": 1000},
    )
    davies, sanafe = (estimate_work(work, f"loihi1.{name}") for name in ("davies2018", "sanafe"))
    assert term(sanafe, "noise of stochastic neuron updates").low == pytest.approx(500 * 6e-12)
    assert term(sanafe, "synaptic operations of dense weights").low == pytest.approx(1000 * 35.5e-12)
    assert term(davies, "synaptic operations").low == pytest.approx(1000 * 23.6e-12)
    assert not any("noise" in t.name for t in davies.energy_terms)


def test_cores_chips_and_tiles_follow_what_is_stated(bench: Chip) -> None:
    work = stated_work(bench, steps=1, neurons=70)  # four compartments a core, eight cores a chip, two a tile
    assert (work.cores, work.chips, work.tiles) == (Range.of(18), Range.of(3), Range(3.0, 4.0))
    by_memory = stated_work(bench, steps=1, neurons=4, synapses=1000)  # 1 to 64 bit in 4096
    assert by_memory.cores == Range(1.0, 16.0) and by_memory.tiles == Range(1.0, 4.0)
    given_cores = stated_work(bench, steps=1, neurons=4, cores=5, chips=2)
    assert (given_cores.cores, given_cores.chips) == (Range.of(5), Range.of(2))


def test_the_barrier_is_read_at_the_tiles_in_use(bench: Chip) -> None:
    for neurons, second in ((8, 1e-5), (12, 2e-5), (32, 4e-5)):
        cost = estimate_work(stated_work(bench, steps=10, neurons=neurons), bench)
        barrier = term(cost, "barrier (steps)", of="latency")
        assert (barrier.low, barrier.high) == pytest.approx((10 * second, 10 * second))


def test_static_power_is_that_of_cores_or_of_chips() -> None:
    small = {"steps": 1000, "dt": 1e-3, "neurons": 30 * 256, "active_updates": 0, "spikes": 0}
    truenorth = stated_work("truenorth", **small)  # type: ignore[arg-type]
    share, whole = (estimate_work(truenorth, static=static) for static in (None, "chips"))  # type: ignore[arg-type]
    assert whole.real_time_energy_of("static").low == pytest.approx(64.43e-3, rel=1e-4)  # one second; of four digits
    assert share.real_time_energy_of("static").low == pytest.approx(64.43e-3 * 30 / 4096, rel=1e-4)
    assert whole.average_power_watt == whole.real_time_energy_joule
    board = stated_work("nahuku32", steps=1000, dt=1e-3, neurons=1000)
    used, all_of_it = (estimate_work(board, static=static) for static in (None, "chips"))  # type: ignore[arg-type]
    assert used.real_time_energy_of("static").high == pytest.approx(0.8154e-3)
    assert all_of_it.real_time_energy_of("static").high == pytest.approx(3.34, rel=1e-3)  # W of the board, one second


def test_the_power_of_truenorth_at_three_rates_is_the_measured_one() -> None:
    # Akopyan et al. 2015, Fig. 17: every neuron of the chip at these rates, 128 active synapses each, 0.8 V
    for hertz, measured in ((11.58, 68e-3), (20.07, 71e-3), (95.93, 94e-3)):
        sent = hertz * 1048576
        work = stated_work(
            "truenorth",
            steps=1000,
            dt=1e-3,
            neurons=1048576,
            spikes=sent,
            synaptic_operations=128 * sent,
            messages=sent,
        )
        power = estimate_work(work).real_time_energy_joule
        assert power is not None and power.low == power.high == pytest.approx(measured, rel=0.01)  # of two digits


def test_the_power_of_odin_is_the_measured_one_at_both_clocks() -> None:
    # Frenkel et al. 2019: 477 uW at 75 MHz and 37.5 MSOP/s, 35 uW at 1.3 MHz and 0.65 MSOP/s
    for clock, rate, measured in ((75e6, 37.5e6, 477e-6), (1.3e6, 0.65e6, 35e-6)):
        work = stated_work("odin", steps=1, period_second=1.0, neurons=256, synaptic_operations=rate, clock_hertz=clock)
        cost = estimate_work(work)
        assert cost.real_time_energy_joule is not None
        assert cost.real_time_energy_joule.low == pytest.approx(measured, rel=0.01)
        assert not any("was not stated" in line for line in cost.missing)
        # in steps of 1 ms instead of a period: two cycles an operation fill the second exactly
        in_steps = stated_work("odin", steps=1000, dt=1e-3, neurons=256, synaptic_operations=rate, clock_hertz=clock)
        full = estimate_work(in_steps)
        assert full.latency_second.high == pytest.approx(1.0)
        assert full.average_power_watt is not None and full.average_power_watt.high == pytest.approx(measured, rel=0.01)


def test_a_run_that_is_paced_from_outside_draws_static_power_for_its_period(bench: Chip) -> None:
    cost = estimate_work(stated_work(bench, steps=10, neurons=4, period_second=0.5), bench)
    assert cost.real_time_second == 0.5
    embedded = cost.real_time_energy_of("embedded")
    assert (embedded.low, embedded.high) == pytest.approx((2e-3 * 0.5, 2e-3 * 0.5))
    asleep = estimate_work(stated_work(bench, steps=10, neurons=4, period_second=0.5, embedded=0), bench)
    assert asleep.real_time_energy_of("embedded") == Range.of(0)
    free = estimate_work(stated_work(bench, steps=10, neurons=4), bench)
    assert free.real_time_second is None and free.real_time_energy_joule is None and free.average_power_watt is None


def test_steps_last_as_long_as_a_sustained_one_and_longer_where_the_host_takes_part() -> None:
    quiet = {"steps": 100, "neurons": 10, "spikes": 0, "active_updates": 0}
    alone = estimate_work(stated_work("loihi1", **quiet)).latency_second  # type: ignore[arg-type]
    assert alone.low == pytest.approx(100 * 5.8e-6)
    half = estimate_work(stated_work("loihi1", host_steps=50, **quiet)).latency_second  # type: ignore[arg-type]
    assert half.low == pytest.approx(50 * 5.8e-6 + 50 * 60.8e-6)
    assert half.high == pytest.approx(alone.high + 50 * (900e-6 - 16.65e-6), rel=1e-3)  # less the work of a step


def test_all_chips_in_use_are_reset_at_the_same_time(bench: Chip) -> None:
    none, three = (estimate_work(stated_work(bench, steps=10, neurons=40, resets=n), bench) for n in (0, 3))
    assert three.chips == Range.of(2)
    assert three.energy_of("reset").low == pytest.approx(3 * 2 * 9e-6)
    assert three.latency_second.low - none.latency_second.low == pytest.approx(3 * 9e-4)


def test_the_share_of_the_slowest_core_can_be_stated(bench: Chip) -> None:
    stated = {"steps": 10, "neurons": 16, "synaptic_operations": 800, "spikes": 0, "messages": 0, "active_updates": 0}
    name = "synaptic operations"
    for share, ends in ((None, (200, 800)), (0.25, (200, 200)), (Range(0.25, 0.5), (200, 400))):
        work = stated_work(bench, busiest_share=share, **stated)  # type: ignore[arg-type]
        found = term(estimate_work(work, bench), name, of="latency")
        assert (found.low, found.high) == pytest.approx([end * 1e-6 for end in ends])


LINKS = """
[costs.bench.chip_to_chip_bit]
energy_joule = { value = 3e-12, source = "bench", status = "assumed" }
[limits.network]
spike_message_bits = { value = 32, source = "bench", status = "assumed" }
"""


def test_bits_between_chips_cost_where_the_file_has_them(bench: Chip, bench_file: Callable[..., Path]) -> None:
    stated = {"steps": 1, "neurons": 40, "messages": 1000, "messages_between_chips": 300}
    linked = load_chip(bench_file(LINKS))
    work = stated_work(linked, **stated)  # type: ignore[arg-type]
    cost = estimate_work(work, linked)
    assert work.chips == Range.of(2)
    assert term(cost, "bits sent between chips").low == pytest.approx(300 * 32 * 3e-12)
    assert not any("links between chips" in line for line in cost.missing)
    unknown = estimate_work(stated_work(bench, **stated), bench)  # type: ignore[arg-type]
    assert any("links between chips" in line for line in unknown.missing)


def test_host_spikes_without_a_figure_are_said_and_with_one_charged(
    bench: Chip, bench_file: Callable[..., Path]
) -> None:
    stated = {"steps": 10, "neurons": 4, "host_spikes_in": 5000, "host_spikes_out": 20}
    cost = estimate_work(stated_work(bench, **stated), bench)  # type: ignore[arg-type]
    assert any("5,000 spikes from the host" in line for line in cost.missing)
    assert any("20 spikes to the host" in line for line in cost.missing)
    charging = load_chip(
        bench_file(
            '\n[costs.bench.host_spike_in]\nenergy_joule = { value = 1e-8, source = "bench", status = "assumed" }\n'
        )
    )
    charged = estimate_work(stated_work(charging, **stated), charging)  # type: ignore[arg-type]
    assert charged.energy_of("host").low == pytest.approx(5000 * 1e-8)
    assert not any("from the host" in line for line in charged.missing)


def test_learning_updates_say_what_was_published_of_them(bench: Chip, bench_file: Callable[..., Path]) -> None:
    learned = {"steps": 10, "neurons": 4, "learning_updates": 7}
    assert any("third factor" in line for line in estimate_work(stated_work(bench, **learned), bench).missing)  # type: ignore[arg-type]
    without = load_chip(bench_file(learning_update=None))
    missing = estimate_work(stated_work(without, **learned), without).missing  # type: ignore[arg-type]
    assert any("bench: learning updates have no coefficient" in line for line in missing)


# ----------------------------------------------------------------------------------------------------- properties

COUNT = st.one_of(
    st.integers(0, 10**6),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda ends: Range(float(min(ends)), float(max(ends)))),
)
STATED = st.fixed_dictionaries(
    {"neurons": st.integers(1, 500), "steps": st.integers(1, 100)},
    optional=dict.fromkeys(
        ("synaptic_operations", "spikes", "input_spikes", "active_updates", "learning_updates", "synapses"), COUNT
    ),
)


@given(stated=STATED, chip=st.sampled_from(["loihi1", "loihi2", "nahuku32", "spinnaker2"]))
def test_whatever_is_stated_low_is_not_above_high_and_accounts_are_spanned(
    stated: dict[str, object], chip: str
) -> None:
    cost = estimate_work(stated_work(chip, **stated))  # type: ignore[arg-type]
    for span, accounts in ((cost.energy_joule, cost.energy_by_set), (cost.latency_second, cost.latency_by_set)):
        assert 0 <= span.low <= span.high
        assert (span.low, span.high) == (
            min(account.low for account in accounts.values()),
            max(account.high for account in accounts.values()),
        )
    for found in (*cost.energy_terms, *cost.latency_terms):
        assert found.source.strip() and found.status in ("published", "derived", "assumed")


@given(stated=STATED)
def test_knowing_less_never_narrows_an_estimate(stated: dict[str, object]) -> None:
    known = estimate_work(stated_work("loihi1", **stated))  # type: ignore[arg-type]
    for name in set(stated) & {"active_updates", "spikes"}:
        value = stated[name]
        bound = int(stated["neurons"]) * int(stated["steps"])  # type: ignore[call-overload]
        if Range.of(value).high > bound:  # type: ignore[arg-type]
            continue
        rest = {key: given for key, given in stated.items() if key != name}
        wider = estimate_work(stated_work("loihi1", **rest))  # type: ignore[arg-type]
        assert wider.dynamic_energy_joule.low <= known.dynamic_energy_joule.low * (1 + 1e-12)
        assert wider.dynamic_energy_joule.high >= known.dynamic_energy_joule.high * (1 - 1e-12)


# -------------------------------------------------------------------------------------------------- what is refused


def test_everything_that_makes_no_sense_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        stated_work(
            "loihi1",
            steps=0,
            neurons=-3,
            dt=0.0,
            synaptic_operations={"dens": 3},
            spikes=float("nan"),
            cores=0.5,
            embedded=2,
        )
    message = str(caught.value)
    for fault in (
        "steps must be a whole number >= 1, got 0",
        "dt must be > 0 s, got 0.0",
        "neurons must be a number >= 0 or a Range, got -3",
        "synaptic_operations has no 'dens'; known: dense, sparse, convolution",
        "spikes must be a number >= 0 or a Range, got nan",
        "cores must be at least 1, got 0.5",
        "embedded is a share, 0 to 1, got 2",
    ):
        assert fault in message


def test_work_knows_its_chip(bench: Chip) -> None:
    work = stated_work(bench, steps=1, neurons=4)
    with pytest.raises(InputError, match=r"counted for the cores of 'bench', not for 'loihi1': count it anew"):
        estimate_work(work, "loihi1")
    with pytest.raises(ChipError, match=r"'cpu' is conventional: it has no cores; count its work as Operations"):
        stated_work("cpu", steps=1, neurons=4)
    with pytest.raises(ChipError, match=r"'cpu' is conventional: it has no cores for this work"):
        estimate_work(work, "cpu")


def test_work_is_data_that_checks_itself(bench: Chip) -> None:
    work = stated_work(bench, steps=3, neurons=4, dt=1e-3)
    assert work.to_json()["totals"]["neuron_update"] == [12.0, 12.0]
    assert work.with_totals(core_hop=5).total("core_hop") == Range.of(5) and work.total("core_hop") == Range.of(0)
    with pytest.raises(
        InputError, match=r"(?s)Work.steps must be >= 1.*Work.cores must be at least 1.*no operation 'hop'"
    ):
        Work(
            chip="bench", steps=0, dt=None, cores=Range.of(0), chips=Range.of(1), tiles=None,
            totals={"hop": Range.of(1)}, busiest={},
        )  # fmt: skip
