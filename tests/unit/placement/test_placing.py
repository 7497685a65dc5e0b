"""Every neuron lies on one core, and no limit is broken: counted here from the program, synapse by synapse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph.chip import Chip, Quantity, load_chip
from neuromorph.errors import ChipError, CompileError, InputError
from neuromorph.placement import Placement, place

LOIHI1 = load_chip("loihi1")


def small_chip(**limits: float) -> Chip:
    """Loihi 1 with other limits: ``core_compartments=20`` is ``core.compartments``."""
    changed = {
        name.replace("_", ".", 1): Quantity(low=value, high=value, unit="1", source="a test", status="assumed")
        for name, value in limits.items()
    }
    return Chip(
        name="small",
        kind="neuromorphic",
        description="a test",
        fingerprint="",
        limits={**LOIHI1.limits, **changed},
        costs=LOIHI1.costs,
    )


def counted(placement: Placement) -> list[dict[str, int]]:
    """Use of every core, from the definition: one list for each projection, presynaptic neuron and core."""
    program = placement.program
    core_of = {
        (part.population, neuron): core.number
        for core in placement.cores
        for part in core.parts
        for neuron in range(part.first, part.last + 1)
    }
    use: list[Counter[str]] = [Counter() for _ in placement.cores]
    sizes = Counter((population, core) for (population, _), core in core_of.items())
    kinds: list[dict[str, set[Any]]] = [
        {"neurons": set(), "thresholds": set(), "formats": set(), "traces": set()} for _ in placement.cores
    ]
    longest = [0] * len(placement.cores)
    for population in program.populations:
        for neuron in range(population.size):
            core = core_of[population.name, neuron]
            use[core]["compartments"] += 1
            kinds[core]["neurons"].add(
                (population.decay_u[neuron], population.decay_v[neuron], population.refractory[neuron])
            )
            kinds[core]["thresholds"].add(population.threshold[neuron])
    for projection in program.projections:
        lists: Counter[tuple[int, int]] = Counter()
        for pre, post in zip(projection.pre_index.tolist(), projection.post_index.tolist(), strict=True):
            lists[pre, core_of[projection.post, post]] += 1
        delay_bits = 0 if projection.max_delay == 1 else (projection.max_delay - 1).bit_length()
        senders = len({pre for pre, _ in lists})
        index = (int(placement.limits.core["compartments"]) - 1).bit_length()
        index = next((width for width in placement.limits.index_widths if width >= index), index)
        weight = 8 + delay_bits
        dense = senders * projection.post_size * weight <= projection.synapses * (weight + index)
        for (pre, core), length in lists.items():
            use[core]["input_axons"] += 1
            if (projection.pre, pre) in core_of:
                use[core_of[projection.pre, pre]]["output_axons"] += 1
            length = sizes[projection.post, core] if dense else length
            each = weight if dense else weight + index
            for start in range(0, length, 64):
                use[core]["synapse_memory"] += -(-(min(64, length - start) * each + 10) // 64) * 64
            kinds[core]["formats"].add((dense, delay_bits, projection.weight_exponent))
            longest[core] = max(longest[core], projection.max_delay - 1)
    for core, found in enumerate(use):
        found["compartment_configurations"] = len(kinds[core]["neurons"])
        found["threshold_configurations"] = len(kinds[core]["thresholds"])
        found["synapse_configurations"] = len(kinds[core]["formats"])
        found["presynaptic_trace_configurations"] = 0
        found["delay_memory"] = found["compartments"] * max(longest[core], 8)
    return [dict(found) for found in use]


def neurons_of(placement: Placement) -> list[tuple[str, int]]:
    return sorted(
        (part.population, neuron)
        for core in placement.cores
        for part in core.parts
        for neuron in range(part.first, part.last + 1)
    )


def assert_sound(placement: Placement) -> None:
    program = placement.program
    assert neurons_of(placement) == sorted((item.name, n) for item in program.populations for n in range(item.size))
    for core, found in zip(placement.cores, counted(placement), strict=True):
        assert {name: use.used for name, use in core.use.items()} == {name: found.get(name, 0) for name in core.use}
        for name, use in core.use.items():
            assert use.used <= use.limit, (core.number, name)
    assert len(placement.cores) <= placement.limits.all_cores


def crossing_counted(placement: Placement, spikes: dict[str, np.ndarray[Any, Any]]) -> float:
    messages = 0.0
    for projection in placement.program.projections:
        if projection.pre not in placement.core_of:
            continue
        own, post = placement.core_of[projection.pre], placement.core_of[projection.post]
        reached = {
            (pre, int(post[n])) for pre, n in zip(projection.pre_index.tolist(), projection.post_index, strict=True)
        }
        messages += sum(float(spikes[projection.pre][pre]) for pre, core in reached if core != own[pre])
    return messages


@st.composite
def networks(draw: st.DrawFn) -> nm.Network:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 4))
    sizes = [draw(st.integers(1, 30)) for _ in range(count)]
    populations: list[Any] = [nm.Input("in", draw(st.integers(1, 12)))]
    for number, size in enumerate(sizes):
        thresholds = rng.integers(1, draw(st.integers(2, 4)), size).astype(float)
        populations.append(nm.Population(f"p{number}", size, nm.LIF(v_threshold=thresholds)))
    named = {item.name: item.size for item in populations}
    projections = []
    for number in range(draw(st.integers(0, 5))):
        pre = draw(st.sampled_from(list(named)))
        post = draw(st.sampled_from([name for name in named if name != "in"]))
        chance = draw(st.sampled_from([0.05, 0.3, 1.0]))
        there = rng.random((named[post], named[pre])) < chance
        from scipy.sparse import csr_array

        weights = csr_array(np.where(there, 0.1, 0.0))
        delay = draw(st.sampled_from([1e-3, 5e-3]))
        projections.append(nm.Projection(pre, post, weights, name=f"w{number}", delay=delay))
    return nm.Network(populations=populations, projections=projections)


# Tight, and wide enough for what networks() draws: at most 150 targets and presynaptic neurons of one neuron.
CHIP = small_chip(core_compartments=12, core_input_axons=150, core_output_axons=180, core_synapse_memory=12_000)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(["greedy", "traffic"]))
def test_every_neuron_is_on_one_core_and_no_limit_is_broken(network: nm.Network, method: Any) -> None:
    program = nm.compile(network)
    placement = place(program, CHIP, method=method)
    assert_sound(placement)
    ones = {name: np.ones(size) for name, size in program.sizes.items()}
    assert placement.messages.crossing_cores == pytest.approx(crossing_counted(placement, ones))


@settings(max_examples=25, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_populations_in_another_order_can_be_placed_too(network: nm.Network, chance: Any) -> None:
    populations = list(network.populations)
    chance.shuffle(populations)
    other = nm.Network(populations=populations, projections=network.projections)

    for net in (network, other):
        assert_sound(place(nm.compile(net), CHIP))


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 3))
def test_traffic_never_lets_more_spikes_cross_than_greedy(network: nm.Network, seed: int) -> None:
    program = nm.compile(network)
    rng = np.random.default_rng(seed)
    spikes = {name: rng.integers(0, 20, size).astype(float) for name, size in program.sizes.items()}
    greedy = place(program, CHIP, traffic=spikes)
    searched = place(program, CHIP, method="traffic", traffic=spikes, seed=seed)
    assert_sound(searched)
    assert searched.messages.crossing_cores <= greedy.messages.crossing_cores == searched.greedy_crossing
    assert searched.messages.crossing_cores == pytest.approx(crossing_counted(searched, spikes))


def clusters(count: int, size: int, degree: int) -> nm.Program:
    """Clusters without synapses between them, whose neurons lie in an order of chance."""
    from scipy.sparse import csr_array

    rng = np.random.default_rng(5)
    members = rng.permutation(count * size).reshape(count, size)
    weights = np.zeros((count * size, count * size))
    for cluster in members:
        for neuron in cluster:
            weights[neuron, rng.choice(cluster, degree, replace=False)] = 0.1
    net = nm.Network(
        populations=[nm.Population("n", count * size, nm.LIF())],
        projections=[nm.Projection("n", "n", csr_array(weights))],
    )
    return nm.compile(net)


def test_traffic_finds_clusters_that_are_hidden_in_the_order_of_neurons() -> None:
    chip = small_chip(core_compartments=40)
    program = clusters(4, 40, 12)
    greedy, searched = place(program, chip), place(program, chip, method="traffic")
    assert greedy.messages.crossing_cores > 300 and searched.messages.crossing_cores == 0
    assert_sound(searched)


def test_traffic_keeps_the_neurons_that_spike_most_beside_their_targets() -> None:
    """Two of four pairs fit together on a core each; those are taken that send."""
    chip = small_chip(core_compartments=4)
    weights = np.zeros((8, 8))
    for pre, post in ((0, 7), (1, 6), (2, 5), (3, 4), (0, 1), (2, 3), (4, 5), (6, 7)):
        weights[post, pre] = 0.1
    from scipy.sparse import csr_array

    net = nm.Network(
        populations=[nm.Population("n", 8, nm.LIF())], projections=[nm.Projection("n", "n", csr_array(weights))]
    )
    spikes = {"n": np.array([100.0, 100.0, 1.0, 1.0, 1.0, 1.0, 100.0, 1.0])}
    searched = place(nm.compile(net), chip, method="traffic", traffic=spikes)
    core = searched.core_of["n"]
    assert len({int(core[neuron]) for neuron in (0, 1, 6, 7)}) == 1 and searched.messages.crossing_cores == 0


@pytest.mark.parametrize("method", ["greedy", "traffic"])
def test_same_seed_same_placement(method: Any) -> None:
    program = clusters(5, 30, 8)
    chip = small_chip(core_compartments=32)
    first, second = (place(program, chip, method=method, seed=3) for _ in range(2))
    assert first == second and first.to_json() == second.to_json()


def one_projection(pre: int, post: int, weights: Any = 0.1, **changes: Any) -> nm.Program:
    net = nm.Network(
        populations=[nm.Input("in", pre), nm.Population("n", post, nm.LIF())],
        projections=[nm.Projection("in", "n", nm.AllToAll(weights), **changes)],
    )
    return nm.compile(net)


def sizes_on_cores(placement: Placement) -> list[int]:
    return [core.neurons for core in placement.cores]


def test_compartments_that_exactly_fill_a_core_take_one_and_one_more_takes_two() -> None:
    def cores(size: int) -> list[int]:
        return sizes_on_cores(place(nm.compile(nm.Network(populations=[nm.Population("n", size, nm.LIF())]))))

    assert cores(1024) == [1024] and cores(1025) == [1024, 1]


def test_input_axons_that_exactly_fill_a_core_are_placed_and_one_more_is_refused() -> None:
    assert place(one_projection(4096, 4)).cores[0].use["input_axons"].share == 1.0
    with pytest.raises(CompileError, match=r"4,097 input axons, 1 \(0.0%\) more than the 4,096 of a core of loihi1"):
        place(one_projection(4097, 4))


def test_input_axons_of_a_second_population_open_a_core() -> None:
    def cores(second: int) -> list[int]:
        net = nm.Network(
            populations=[
                nm.Input("a", 4000),
                nm.Input("b", second),
                nm.Population("m", 3, nm.LIF()),
                nm.Population("n", 3, nm.LIF()),
            ],
            projections=[nm.Projection("a", "m", nm.AllToAll(0.1)), nm.Projection("b", "n", nm.AllToAll(0.1))],
        )
        return sizes_on_cores(place(nm.compile(net)))

    assert cores(96) == [6] and cores(97) == [3, 3]


def test_synapse_memory_that_exactly_fills_a_core_takes_one_and_one_more_takes_two() -> None:
    chip = small_chip(core_synapse_memory=10 * 64)  # ten lists of one word: 6 weights of 8 bits and 10 bits of header
    assert sizes_on_cores(place(one_projection(10, 6), chip)) == [6]
    assert sizes_on_cores(place(one_projection(10, 7), chip)) == [6, 1]


def test_output_axons_that_exactly_fill_a_core_are_kept_and_one_more_makes_parts_smaller() -> None:
    """Neurons of "a" reach both halves of "b", so each takes two axons."""

    def cores(limit: int) -> Placement:
        net = nm.Network(
            populations=[nm.Population("a", 10, nm.LIF()), nm.Population("b", 20, nm.LIF())],
            projections=[nm.Projection("a", "b", nm.AllToAll(0.1))],
        )
        return place(nm.compile(net), small_chip(core_compartments=10, core_output_axons=limit))

    assert sizes_on_cores(cores(20)) == [10, 10, 10] and not cores(20).notes
    tight = cores(19)
    assert_sound(tight)
    assert sizes_on_cores(tight)[0] < 10 and "output axons" in tight.notes[0] and "20, 1 (5.3%) more" in tight.notes[0]


@pytest.mark.parametrize(
    ("parameter", "limit", "resource"),
    [
        ("tau_mem", 32, "compartment_configurations"),
        ("v_threshold", 8, "threshold_configurations"),
    ],
)
def test_configurations_of_neurons_that_exactly_fill_a_core_take_one(parameter: str, limit: int, resource: str) -> None:
    def cores(kinds: int) -> Placement:
        values = np.tile(np.linspace(0.01, 0.5, kinds), 2)
        return place(nm.compile(nm.Network(populations=[nm.Population("n", 2 * kinds, nm.LIF(**{parameter: values}))])))

    full = cores(limit)
    assert sizes_on_cores(full) == [2 * limit] and full.cores[0].use[resource].share == 1.0
    assert sizes_on_cores(cores(limit + 1))[0] == limit


def many_projections(kinds: int, rule: bool) -> nm.Program:
    """Populations whose synapses need a format each: delays differ in bits, or traces in their time constant."""
    populations: list[Any] = [nm.Input("in", 2)]
    projections = []
    for number in range(kinds):
        populations.append(nm.Population(f"p{number}", 2, nm.LIF()))
        plasticity = nm.STDP(tau_plus=(10 + number) * 1e-3, w_min=0.0, w_max=1.0) if rule else None
        delay = 1e-3 if rule else (2**number + 1) * 1e-3
        projections.append(nm.Projection("in", f"p{number}", nm.AllToAll(0.1), delay=delay, plasticity=plasticity))
    return nm.compile(nm.Network(populations=populations, projections=projections))


def test_configurations_of_synapses_that_exactly_fill_a_core_take_one() -> None:
    chip = small_chip(core_synapse_configurations=4)
    assert sizes_on_cores(place(many_projections(4, rule=False), chip)) == [8]
    assert sizes_on_cores(place(many_projections(5, rule=False), chip)) == [8, 2]


def test_presynaptic_traces_that_exactly_fill_a_core_take_one() -> None:
    assert sizes_on_cores(place(many_projections(3, rule=True))) == [6]
    assert sizes_on_cores(place(many_projections(4, rule=True))) == [6, 2]


def test_a_longer_delay_leaves_room_for_fewer_compartments() -> None:
    assert sizes_on_cores(place(one_projection(1, 1024, delay=9e-3))) == [1024]  # 8 steps beyond the one of every spike
    assert sizes_on_cores(place(one_projection(1, 1024, delay=10e-3))) == [910, 114]  # 1024 x 8 / 9


def test_cores_of_a_chip_that_are_all_full_are_placed_and_one_more_neuron_is_refused() -> None:
    chip = small_chip(core_compartments=2, chip_cores=3)

    def net(size: int) -> nm.Program:
        return nm.compile(nm.Network(populations=[nm.Population("n", size, nm.LIF())]))

    assert sizes_on_cores(place(net(6), chip, chips=1)) == [2, 2, 2]
    with pytest.raises(CompileError, match=r"cores: 4 are needed .* 1 more than the 3 of 1 chip .*chips=2"):
        place(net(7), chip, chips=1)
    two = place(net(7), chip, chips=2)
    assert two.chips == 2 and [(core.chip, core.core) for core in two.cores] == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_small_populations_share_a_core_and_are_not_cut() -> None:
    sizes = (700, 400, 300, 324)
    net = nm.Network(populations=[nm.Population(f"p{n}", size, nm.LIF()) for n, size in enumerate(sizes)])
    parts = [[part.population for part in core.parts] for core in place(nm.compile(net)).cores]
    assert parts == [["p0", "p2"], ["p1", "p3"]]


def recurrent(size: int, degree: int) -> nm.Program:
    net = nm.Network(
        populations=[nm.Population("n", size, nm.LIF())],
        projections=[nm.Projection("n", "n", nm.FixedOutDegree(degree, 0.1))],
        name="recurrent",
    )
    return nm.compile(net)


def test_a_random_recurrent_network_says_which_axons_break_and_how_many_chips_hold_it() -> None:
    program = recurrent(4500, 500)
    with pytest.raises(CompileError) as refused:
        place(program, chips=1)
    message = str(refused.value)
    assert "output axons: " in message and "more than the 4,096 of a core of loihi1" in message
    chips = int(message.split("(chips=")[1].split(")")[0])
    assert chips > 1
    placement = place(program, chips=chips)
    assert placement.chips <= chips and placement.use("output_axons").max() <= 4096
    assert any("output axons: " in note for note in placement.notes)


def test_all_to_all_beyond_4096_neurons_says_that_no_cut_helps() -> None:
    net = nm.Network(
        populations=[nm.Population("n", 4097, nm.LIF())], projections=[nm.Projection("n", "n", nm.AllToAll(0.1))]
    )
    with pytest.raises(CompileError) as refused:
        place(nm.compile(net))
    first, second = refused.value.faults
    assert (
        "4,097 input axons" in first and "4,097 output axons, 1 (0.0%) more" in second and "however it is cut" in second
    )


def recorded(program: nm.Program, steps: int = 60) -> tuple[nm.Recording, dict[str, np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(0)
    inputs = {item.name: rng.random((steps, item.size)) < 0.3 for item in program.inputs}
    recording = nm.run(program.with_all_spikes(), steps, inputs=inputs)
    return recording, {name: train.counts().astype(float) for name, train in recording.spikes.items()}


def driven(probes: Sequence[nm.Probe] = ()) -> nm.Program:
    net = nm.Network(
        populations=[
            nm.Input("in", 5),
            nm.Population("a", 20, nm.LIF(v_threshold=0.1)),
            nm.Population("b", 20, nm.LIF()),
        ],
        projections=[
            nm.Projection("in", "a", nm.FixedProbability(0.6, 0.5, seed=1)),
            nm.Projection("a", "b", nm.FixedProbability(0.3, 0.5, seed=2)),
        ],
        probes=list(probes),
    )
    return nm.compile(net)


def test_a_recording_gets_the_spikes_that_crossed_cores() -> None:
    program = driven()
    recording, spikes = recorded(program)
    placement = place(program, small_chip(core_compartments=8), method="traffic", traffic=recording)
    assert recording.counts.spikes_crossing_cores is None and len(recording.spikes["a"]) > 0
    filled = placement.crossing(recording)
    assert filled.counts.spikes_crossing_cores == crossing_counted(placement, spikes) > 0
    assert filled.counts.spikes == recording.counts.spikes and filled.spikes["a"].equals(recording.spikes["a"])
    assert placement.messages.crossing_cores == filled.counts.spikes_crossing_cores
    assert placement.messages_of(recording) == placement.messages


def test_a_recording_without_the_spikes_that_matter_is_refused() -> None:
    program = driven([nm.Probe("b")])
    placement = place(program, small_chip(core_compartments=8))
    inputs = {"in": np.ones((30, 5), dtype=bool)}
    with pytest.raises(InputError, match=r"spikes of 'a' were not recorded.*with_all_spikes"):
        placement.crossing(nm.run(program, 30, inputs=inputs))


def test_messages_and_hops_are_those_of_the_mesh() -> None:
    """Cores 0 to 3 share the first tile; cores 4 to 7 the next one of the row."""
    net = nm.Network(
        populations=[nm.Population("a", 5, nm.LIF()), nm.Population("b", 5, nm.LIF())],
        projections=[nm.Projection("a", "b", nm.OneToOne(0.1))],
    )
    placement = place(nm.compile(net), small_chip(core_compartments=1), traffic={"a": 2.0})
    assert [core.tile for core in placement.cores[:6]] == [(0, 0)] * 4 + [(1, 0)] * 2
    assert placement.messages.crossing_cores == 10 and placement.messages.within_cores == 0
    hops = placement.hops()
    assert hops[0, 3] == 0 and hops[0, 4] == 1 and hops[0, 9] == 2
    assert placement.messages.hops == 2 * sum(int(hops[n, n + 5]) for n in range(5))
    assert [core.hops for core in placement.cores[:5]] == [2.0 * int(hops[n, n + 5]) for n in range(5)]


def test_hops_between_chips_are_not_counted() -> None:
    net = nm.Network(
        populations=[nm.Population("a", 2, nm.LIF())], projections=[nm.Projection("a", "a", nm.AllToAll(0.1))]
    )
    placement = place(nm.compile(net), small_chip(core_compartments=1, chip_cores=1))
    assert placement.chips == 2 and placement.hops().tolist() == [[0, -1], [-1, 0]]
    assert placement.messages.crossing_chips == 2 and placement.messages.hops == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "best"}, "method must be 'greedy' or 'traffic', got 'best'"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"chips": 0}, "chips must be a whole number >= 1"),
        ({"traffic": {"z": 1.0}}, "'z', which is no population; known: in, n"),
        ({"traffic": {"n": [1.0, -1.0]}}, "traffic of 'n' must be finite and >= 0"),
        ({"traffic": {"n": [1.0, 1.0, 1.0]}}, r"one number or shape \(2,\)"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        place(one_projection(1, 2), **changes)


def test_a_network_and_a_conventional_chip_are_refused() -> None:
    with pytest.raises(InputError, match="place takes a Program"):
        place(nm.Network(populations=[nm.Population("n", 1, nm.LIF())]))  # type: ignore[arg-type]
    with pytest.raises(CompileError, match="'cpu' is conventional"):
        place(one_projection(1, 2), "cpu")
    with pytest.raises(ChipError, match="no chip 'nothing'"):
        place(one_projection(1, 2), "nothing")


def test_a_program_in_fixed_point_takes_the_bits_that_it_was_quantised_to() -> None:
    program = nm.compile(
        nm.Network(
            populations=[nm.Input("in", 8), nm.Population("n", 100, nm.LIF())],
            projections=[nm.Projection("in", "n", nm.AllToAll(0.1))],
        ),
        chip="loihi1",
    )
    assert place(program).cores[0].use["synapse_memory"].used == 8 * (9 + 5) * 64  # 64 and 36 weights of 8 bits


def test_an_empty_projection_and_no_projection_take_nothing() -> None:
    from scipy.sparse import csr_array

    net = nm.Network(
        populations=[nm.Population("n", 3, nm.LIF())], projections=[nm.Projection("n", "n", csr_array((3, 3)))]
    )
    (core,) = place(nm.compile(net), method="traffic").cores
    assert core.use["input_axons"].used == core.use["synapse_memory"].used == 0


@pytest.mark.slow
def test_a_whole_chip_of_neurons_with_random_synapses_keeps_every_limit() -> None:
    placement = place(recurrent(131_072, 128))
    for resource, limit in placement.limits.core.items():
        assert placement.use(resource).max() <= limit
    assert sum(core.neurons for core in placement.cores) == 131_072


def test_a_board_has_its_chips_and_no_more() -> None:
    program = nm.compile(nm.Network(populations=[nm.Population("n", 2 * 131_072 + 1, nm.LIF())]))
    assert place(program, "loihi1").chips == 3
    with pytest.raises(
        CompileError, match=r"257 are needed to keep every limit, 1 more than the 256 of 2 chips of kapoho_bay"
    ):
        place(program, "kapoho_bay")


def test_a_search_that_would_be_too_large_is_left_out_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    program = driven()
    assert not any(
        "too large" in note for note in place(program, small_chip(core_compartments=4), method="traffic").notes
    )
    monkeypatch.setattr("neuromorph.placement.search.MOST_ENTRIES", 1)
    found = place(program, small_chip(core_compartments=4), method="traffic")
    assert "the network is too large for the search by traffic: it stays as the greedy method cut it" in found.notes
    greedy = place(program, small_chip(core_compartments=4))
    assert [core.parts for core in found.cores] == [core.parts for core in greedy.cores]
