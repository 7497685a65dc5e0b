import gc
import pickle
import weakref
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

import neuromorph as nm
from neuromorph import counts as counting
from neuromorph.backend import Session
from neuromorph.counts import Earlier, count
from neuromorph.program import Program
from neuromorph.recording import Counts, Recording, SpikeTrain
from neuromorph.testing import Case, minimal_cases, random_case

CASES = [*minimal_cases(), *(random_case(seed, steps=120) for seed in range(12))]


def spikes_of(case: Case) -> dict[str, SpikeTrain]:
    recording = nm.run(case.program.with_all_spikes(), case.steps, inputs=case.inputs, modulators=case.modulators)
    return dict(recording.spikes)


def brute_force(program: Program, spikes: dict[str, SpikeTrain], steps: int) -> dict[str, int]:
    """Totals by loops over steps, neurons and synapses."""
    fired = {
        (name, int(t) + 1, int(i))
        for name, train in spikes.items()
        for t, i in zip(train.steps, train.ids, strict=True)
    }
    active = {key for key in fired if key[0] in {p.name for p in program.populations}}
    events, learned = 0, 0
    for p in program.projections:
        for j, i, d in zip(p.post_index.tolist(), p.pre_index.tolist(), p.delay.tolist(), strict=True):
            for t in range(1, steps + 1):
                if (p.pre, t, i) in fired:
                    events += 1
                    if t + d <= steps:
                        active.add((p.post, t + d, j))
        if p.rule is None:
            continue
        for number in range(1, steps // p.rule.epoch + 1):
            times = range((number - 1) * p.rule.epoch + 1, number * p.rule.epoch + 1)
            for j, i in zip(p.post_index.tolist(), p.pre_index.tolist(), strict=True):
                acts = {f"u{k}": number % 2**k == 0 for k in range(10)}
                acts["x0"] = any((p.pre, t, i) in fired for t in times)
                acts["y0"] = any((p.post, t, j) in fired for t in times)
                learned += sum(
                    acts[product.dependency] for total in p.rule.targets.values() for product in total.products
                )
    return {
        "spikes": len(fired),
        "synaptic_events": events,
        "neuron_updates": steps * sum(p.size for p in program.populations),
        "active_updates": len(active),
        "learning_updates": learned,
        "synapses": sum(p.synapses for p in program.projections),
    }


def totals(counts: Counts) -> dict[str, int]:
    return {
        "spikes": counts.spikes,
        "synaptic_events": counts.synaptic_events,
        "neuron_updates": counts.neuron_updates,
        "active_updates": sum(population.active_updates for population in counts.populations.values()),
        "learning_updates": counts.learning_updates,
        "synapses": counts.synapses,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_counts_are_what_loops_over_all_synapses_count(case: Case) -> None:
    spikes = spikes_of(case)
    counts = count(case.program, spikes, first_step=0, steps=case.steps)
    assert totals(counts) == brute_force(case.program, spikes, case.steps)


def test_looking_through_small_windows_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(1)
    spikes = spikes_of(case)
    whole = count(case.program, spikes, first_step=0, steps=case.steps)
    monkeypatch.setattr("neuromorph.active_updates.WINDOW_ENTRIES", 20)
    assert count(case.program, spikes, first_step=0, steps=case.steps) == whole


@pytest.mark.parametrize("most_bits", [0, 1 << 40], ids=["events followed", "rows of bits joined"])
def test_both_ways_to_find_active_updates_count_what_loops_count(
    most_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuromorph.active_updates.MOST_BITS", most_bits)
    rng = np.random.default_rng(3)
    weights = csr_array(rng.uniform(0.0, 0.3, (70, 9)) * (rng.random((70, 9)) < 0.4))
    net = nm.Network(
        populations=[nm.Input("in", 9), nm.Population("out", 70, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, delay=3e-3)],
    )
    program = nm.compile(net)
    spikes = dict(nm.run(program.with_all_spikes(), 40, inputs={"in": rng.random((40, 9)) < 0.2}).spikes)
    assert totals(count(program, spikes, first_step=0, steps=40)) == brute_force(program, spikes, 40)


@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_counts_of_chunks_add_up_to_those_of_one_run(chunk: int) -> None:
    for case in [random_case(seed, steps=150) for seed in (1, 8, 10)]:
        with nm.open(case.program) as whole, nm.open(case.program) as parts:
            entire = whole.run(150, inputs=case.inputs, modulators=case.modulators).counts
            pieces = [
                parts.run(
                    chunk,
                    inputs={name: rows[start : start + chunk] for name, rows in case.inputs.items()},
                    modulators={name: rows[start : start + chunk] for name, rows in case.modulators.items()},
                ).counts
                for start in range(0, 150, chunk)
            ]
        assert sum(pieces[1:], pieces[0]) == entire


def in_chunks(session: Session, case: Case, chunks: list[int]) -> list[Recording]:
    recordings, start = [], 0
    for steps in chunks:
        rows = slice(start, start + steps)
        fed = {name: values[rows] for name, values in case.inputs.items()}
        factors = {name: values[rows] for name, values in case.modulators.items()}
        recordings.append(session.run(steps, inputs=fed, modulators=factors))
        start += steps
    return recordings


@pytest.mark.parametrize("seed", range(8))
def test_counts_that_are_asked_for_late_or_out_of_order_are_those_of_every_chunk(seed: int) -> None:
    case, rng = random_case(seed, steps=200), np.random.default_rng(seed)
    chunks = [int(steps) for steps in rng.choice([0, 1, 1, 1, 2, 3, 17], 200)]
    chunks = chunks[: int(np.searchsorted(np.cumsum(chunks), 200, side="right"))]
    with nm.open(case.program.with_all_spikes()) as session:
        recordings = in_chunks(session, case, chunks)
    whole = {name: SpikeTrain.joined([r.spikes[name] for r in recordings]) for name in case.program.sizes}
    for index in rng.permutation(len(recordings)):
        recording, first = recordings[index], recordings[index].first_step
        every = {name: np.asarray(train)[: first + recording.steps] for name, train in whole.items()}
        expected = count(
            case.program,
            recording.spikes,
            first_step=first,
            steps=recording.steps,
            earlier={name: SpikeTrain.from_dense(rows[:first]) for name, rows in every.items()},
        )
        assert recording.counts == expected


def test_nothing_is_counted_before_it_is_asked_for_and_then_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def noting(*arguments: object, **options: object) -> Counts:
        counted.append(1)
        return count(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "count", noting)
    with nm.open(random_case(1).program) as session:
        recording = session.run(30)
        session.run(30)
    assert not counted
    assert recording.counts is recording.counts
    assert counted == [1]


def test_a_recording_whose_counts_nobody_asked_for_travels_without_its_program(tmp_path: Path) -> None:
    case = random_case(8, steps=150)
    with nm.open(case.program) as session:
        first, second, third = in_chunks(session, case, [70, 40, 40])
    with nm.open(case.program) as session:
        again = [recording.counts for recording in in_chunks(session, case, [70, 40, 40])]
    second.save(tmp_path / "r.npz")
    travelled = [pickle.loads(pickle.dumps(first)), Recording.load(tmp_path / "r.npz"), third]
    assert [recording.counts for recording in travelled] == again
    assert len(pickle.dumps(first)) < len(pickle.dumps(case.program))
    assert {recording.program_fingerprint for recording in travelled} == {case.program.fingerprint}


def test_a_recording_keeps_no_session_alive() -> None:
    session = nm.open(random_case(1).program)
    recording = session.run(30)
    session.close()
    held = weakref.ref(session)
    del session
    gc.collect()
    assert held() is None
    assert recording.counts.steps == 30


@pytest.mark.parametrize("steps", [1, 3, 100])
def test_a_session_keeps_only_the_spikes_that_counts_can_need(steps: int) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(1.0), delay=7e-3)],
    )
    with nm.open(net) as session:
        for _ in range(200):
            session.run(steps)
        kept, piece = 0, session._earlier
        while isinstance(piece, Earlier):
            kept, piece = kept + piece.steps, piece.before
    assert 7 <= kept <= 5 * 7


def test_a_reset_takes_back_what_was_under_way() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 2, nm.LIF(v_threshold=9.0))],
        projections=[nm.Projection("in", "out", nm.AllToAll(1.0), delay=5e-3)],
    )
    with nm.open(net) as session:
        session.run(1, inputs={"in": [[True]]})
        assert session.run(9).counts.populations["out"].active_updates == 2
        session.run(1, inputs={"in": [[True]]})
        session.reset()
        assert session.run(9).counts.populations["out"].active_updates == 0


def test_idle_networks_cost_updates_and_nothing_else() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 4), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(1.0), plasticity=nm.STDP())],
    )
    counts = nm.run(net, 10).counts
    assert totals(counts) == {
        "spikes": 0, "synaptic_events": 0, "neuron_updates": 30, "active_updates": 0, "learning_updates": 0, "synapses": 12,
    }  # fmt: skip
    assert counts.populations["in"].is_input and counts.projections["in->out"].plastic
    assert counts.to_json()["neuron_updates"] == 30
