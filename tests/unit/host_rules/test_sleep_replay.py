"""What was shown is kept with equal chance, shown again as it was, and keeps what would be forgotten."""

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.session import Session

BACKENDS = ["reference", "emulator"]
TOWARDS_TEACHER = nm.LearningRule(
    dw="0.02 * x0 * r - 0.02 * x0 * w", modulators={"teacher": 1.0}, w_min=-1.0, w_max=1.0
)


def network(inputs: int = 6) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", inputs), nm.Population("out", 1, nm.LIF(v_threshold=1e3))],
        projections=[nm.Projection("in", "out", nm.Dense(np.zeros((1, inputs))), plasticity=TOWARDS_TEACHER)],
        modulators=[nm.Modulator("teacher")],
        probes=[nm.Probe("in")],
    )


def test_every_chunk_is_held_with_the_same_chance() -> None:
    """Reservoir sampling: of 20 chunks 5 are held, each in a quarter of 400 runs; 0.001 is the level of the test."""
    held = np.zeros(20)
    with nm.open(network(20)) as session:
        chunks = list(nm.chunks_with_host_rules(session, 20, rules=[], every=1, inputs={"in": np.eye(20)}))
        for seed in range(400):
            state = nm.SleepReplay(capacity=5, seed=seed).open(session)
            for chunk in chunks:
                state.update(session, chunk)
            ids = [int(sample.inputs["in"].ids[0]) for sample in state.samples]
            assert len(set(ids)) == 5 and state.seen == 20
            held[ids] += 1
    chi_square = ((held - 100) ** 2 / 100).sum() / (1 - 5 / 20)  # draws without replacement vary less
    assert chi_square < 43.8  # the 0.999 quantile with 19 degrees of freedom


@pytest.mark.parametrize("backend", BACKENDS)
def test_stored_samples_return_as_they_were_with_their_teachers(backend: str) -> None:
    rng = np.random.default_rng(0)
    fed, teacher = rng.random((60, 6)) < 0.2, np.repeat([0.5, -0.5, 0.9], 20)
    with nm.open(network(), backend=backend) as session:
        state = nm.SleepReplay(capacity=10).open(session)
        chunks = list(
            nm.chunks_with_host_rules(
                session, 60, rules=[state], every=20, inputs={"in": fed}, modulators={"teacher": teacher}
            )
        )
        night = state.sleep(session, 6)
        assert night.steps == 120 and state.seen == 3
        shown = [night.spikes["in"].between(start, start + 20) for start in range(0, 120, 20)]
        for chunk in chunks:  # two passes, each of every sample
            assert sum(train.equals(chunk.recording.spikes["in"]) for train in shown) == 2
        assert [sample.modulators["teacher"][0, 0] for sample in state.samples] == [0.5, -0.5, 0.9]


def test_generated_patterns_have_the_rates_and_not_the_times() -> None:
    fed = np.zeros((200, 6), dtype=bool)
    fed[::4, 0] = True
    fed[::2, 3] = True
    with nm.open(network(), backend="emulator") as session:
        state = nm.SleepReplay(capacity=1, patterns="generated").open(session)
        nm.run_with_host_rules(session, 200, rules=[state], every=200, inputs={"in": fed})
        night = state.sleep(session, 20)
    counts = night.spikes["in"].counts()
    expected, sd = 4000 * np.array([0.25, 0.5]), np.sqrt(4000 * np.array([0.25 * 0.75, 0.25]))
    assert np.all(np.abs(counts[[0, 3]] - expected) < 4 * sd)
    assert counts[[1, 2, 4, 5]].sum() == 0
    assert not night.spikes["in"].between(0, 200).equals(night.spikes["in"].between(200, 400))


def learn(session: Session, rules: list[nm.HostRuleState], inputs: list[int], teacher: float) -> np.ndarray:
    fed = np.zeros((400, 6), dtype=bool)
    fed[:, inputs] = np.random.default_rng(len(inputs)).random((400, len(inputs))) < 0.3
    nm.run_with_host_rules(
        session, 400, rules=rules, every=20, inputs={"in": fed}, modulators={"teacher": np.full(400, teacher)}
    )
    weights: np.ndarray = session.read("in->out.weight")[0]
    return weights


@pytest.mark.parametrize("backend", BACKENDS)
def test_sleep_between_tasks_halves_what_is_forgotten(backend: str) -> None:
    """Task B overwrites inputs 2 and 3 of task A; nights of replay during B bring them back towards A."""
    lost = {}
    for nights in (0, 1):
        with nm.open(network(), backend=backend) as session:
            store = nm.SleepReplay(capacity=20).open(session)
            after_a = learn(session, [store], [0, 1, 2, 3], 0.8)
            for _ in range(4):
                learn(session, [], [2, 3, 4, 5], -0.8)
                if nights:
                    store.sleep(session, 20)
            after_b = session.read("in->out.weight")[0]
        lost[nights] = (after_a - after_b)[2:4].mean()
        assert np.all(after_b[4:] < -0.6)  # B is learned all the same where A needs nothing
    assert lost[0] > 1.2 and lost[1] < lost[0] / 2


def test_sleep_needs_samples_and_does_not_store_its_own() -> None:
    with nm.open(network()) as session:
        state = nm.SleepReplay(capacity=2).open(session)
        with pytest.raises(InputError, match="holds no sample"):
            state.sleep(session, 1)
        nm.run_with_host_rules(session, 10, rules=[state], every=10)
        with pytest.raises(InputError, match="replays must be a whole number >= 1, got 0"):
            state.sleep(session, 0)
        with pytest.raises(InputError, match="leave it out of rules"):
            state.sleep(session, 1, rules=[state])
    bare = nm.Network(populations=[nm.Population("out", 1, nm.LIF())])
    with nm.open(bare) as session, pytest.raises(InputError, match="no input"):
        nm.SleepReplay(capacity=2).open(session)
