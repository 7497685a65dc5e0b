"""The loop of host rules: chunks add up to the run, faults come before it, and states go on where they were."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError, RuleError
from neuromorph.host_rules import joined
from neuromorph.session import Session


def network() -> nm.Network:
    weights = np.random.default_rng(0).uniform(0.2, 0.5, (3, 8))
    return nm.Network(
        populations=[nm.Input("in", 8), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, plasticity=nm.STDP(w_min=0.0, w_max=1.0))],
        probes=[nm.Probe("out"), nm.Probe("out", "v", every=3e-3), nm.Probe("in->out", "weight", every=7e-3)],
    )


def spikes(steps: int) -> np.ndarray:
    return np.random.default_rng(1).random((steps, 8)) < 0.1


def scaling() -> nm.SynapticScaling:
    return nm.SynapticScaling(projection="in->out", rate_target=20.0, tau=1.0)


def same(mine: nm.Recording, other: nm.Recording) -> None:
    assert (mine.first_step, mine.steps, mine.counts) == (other.first_step, other.steps, other.counts)
    assert mine.program_fingerprint == other.program_fingerprint
    for name, train in other.spikes.items():
        assert mine.spikes[name].equals(train)
    for key, values in other.states.items():
        np.testing.assert_array_equal(mine.states[key], values)
        np.testing.assert_array_equal(mine.state_steps[key], other.state_steps[key])


@pytest.mark.parametrize("every", [1, 7, 30, 100, 1000])
def test_a_run_without_rules_is_the_run_of_the_session(every: int) -> None:
    with nm.open(network()) as mine, nm.open(network()) as other:
        mine.run(10)
        other.run(10)
        found = nm.run_with_host_rules(mine, 100, rules=[], every=every, inputs={"in": spikes(100)})
        same(found, other.run(100, inputs={"in": spikes(100)}))


def test_inputs_may_be_events_or_functions() -> None:
    dense = spikes(100)
    results = []
    for fed in (
        {"in": dense},
        {"in": nm.SpikeTrain.from_dense(dense)},
        lambda done, steps: {"in": dense[done : done + steps]},
    ):
        with nm.open(network()) as session:
            results.append(nm.run_with_host_rules(session, 100, rules=[scaling()], every=30, inputs=fed))
    same(results[1], results[0])
    same(results[2], results[0])


def test_states_go_on_from_call_to_call_and_beside_a_checkpoint(tmp_path: Path) -> None:
    rules = [
        scaling(),
        nm.CascadeConsolidation(projection="in->out", tau=0.1),
        nm.StructuralPlasticity(
            projection="in->out", interval=0.05, weight_new=0.1, candidates="declared", fraction=0.3
        ),
        nm.GlialGain(projection="in->out", rate_half=5.0),
        nm.SleepReplay(capacity=2),
    ]
    fed = spikes(400)
    with nm.open(network(), backend="emulator") as whole, nm.open(network(), backend="emulator") as first:
        nm.run_with_host_rules(whole, 400, rules=rules, every=50, inputs={"in": fed})
        states = [rule.open(first) for rule in rules]
        nm.run_with_host_rules(first, 200, rules=states, every=50, inputs={"in": fed[:200]})
        first.save(tmp_path / "half.npz")
        (tmp_path / "rules").write_bytes(pickle.dumps(states))
        with nm.resume(tmp_path / "half.npz") as second:
            states = pickle.loads((tmp_path / "rules").read_bytes())
            nm.run_with_host_rules(second, 200, rules=states, every=50, inputs={"in": fed[200:]})
            np.testing.assert_array_equal(second.read("in->out.weight"), whole.read("in->out.weight"))


def test_everything_that_is_wrong_comes_in_one_error_before_anything_runs() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 1, nm.LIF(v_threshold=np.inf))],
        projections=[nm.Projection("in", "out", [[1.0, 1.0]])],
    )
    rules = [
        nm.SynapticScaling(projection="in->out", rate_target=5.0),
        nm.SynapticScaling(projection="nowhere", rate_target=5.0),
        nm.SignificanceGate(projection="in->out", modulator="dopamine"),
        "no rule",
    ]
    with nm.open(net) as session:
        with pytest.raises(InputError) as error:
            nm.run_with_host_rules(session, 10, rules=rules)  # type: ignore[arg-type]
        assert error.value.faults == (
            "SynapticScaling: it needs the spikes of 'out', which are not recorded: add Probe('out') to the network's probes",
            "SynapticScaling: there is no projection 'nowhere'; known: in->out",
            "SignificanceGate: there is no modulator 'dopamine'; known: none",
            "rules must be host rules, or what their open(session) gave, got 'no rule'",
        )
        with pytest.raises(InputError, match=r"must be numbers of shape \(10, 2\)"):
            nm.run_with_host_rules(session, 10, rules=[], every=3, inputs={"in": spikes(10)})
        with pytest.raises(InputError, match="every must be a whole number of steps >= 1, got 0"):
            nm.run_with_host_rules(session, 10, rules=[], every=0)
        with pytest.raises(InputError, match="steps must be a whole number >= 0, got -1"):
            nm.run_with_host_rules(session, -1, rules=[])
        assert session.steps_run == 0


def test_each_chunk_starts_from_rest_where_asked() -> None:
    sample = np.zeros((20, 8), dtype=bool)
    sample[:3] = True
    with nm.open(network()) as session:
        held = session.read("in->out.weight")
        chunks = list(
            nm.chunks_with_host_rules(
                session, 60, rules=[Frozen(held)], every=20, inputs={"in": np.tile(sample, (3, 1))}, from_rest=True
            )
        )
    assert len(chunks[0].recording.spikes["out"]) > 0
    for chunk in chunks[1:]:
        assert chunk.recording.spikes["out"].equals(chunks[0].recording.spikes["out"])


class Frozen(nm.HostRuleState):
    """A rule of a user's own: it undoes all learning."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

    def update(self, session: Session, chunk: nm.Chunk) -> None:
        session.write("in->out.weight", self.weights)


def test_progress_is_told_after_each_chunk_and_no_steps_are_a_run_too() -> None:
    told: list[tuple[int, int]] = []
    with nm.open(network()) as session:
        nm.run_with_host_rules(session, 25, rules=[], every=10, progress=lambda done, steps: told.append((done, steps)))
        empty = nm.run_with_host_rules(session, 0, rules=[scaling()])
    assert told == [(10, 25), (20, 25), (25, 25)]
    assert (empty.steps, empty.first_step) == (0, 25)


def test_only_runs_that_follow_one_another_are_joined() -> None:
    with nm.open(network()) as session:
        first, second, third = (session.run(5) for _ in range(3))
    assert joined([first, second, third]).steps == 15
    with pytest.raises(InputError, match="step 5 was due, got step 10"):
        joined([first, third])
    with pytest.raises(InputError, match="no recording"):
        joined([])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nm.SynapticScaling(projection="", rate_target=5.0), "SynapticScaling.projection must be a name"),
        (lambda: nm.SynapticScaling(projection="a", rate_target=0.0), "rate_target must be > 0 Hz, got 0.0"),
        (lambda: nm.SynapticScaling(projection="a", rate_target=np.inf), "rate_target must be > 0 Hz, got inf"),
        (
            lambda: nm.SynapticScaling(projection="a", rate_target=1.0, max_change=2.0),
            "max_change must be > 0 and <= 1",
        ),
        (lambda: nm.IntrinsicExcitability(population="a", rate_target=1.0, eta=-1.0), "eta must be > 0, got -1.0"),
        (
            lambda: nm.IntrinsicExcitability(population="a", rate_target=1.0, threshold_min=2.0, threshold_max=1.0),
            "threshold_max must be >= threshold_min = 2.0, got 1.0",
        ),
        (lambda: nm.WeightNormalisation(projection="a", norm="max"), "norm must be 'sum' or 'L2', got 'max'"),  # type: ignore[arg-type]
        (lambda: nm.WeightNormalisation(projection="a", norm="L2", method="subtractive"), "with norm 'L2'"),
        (
            lambda: nm.StructuralPlasticity(projection="a", interval=1.0, weight_new=0.1, budget=0),
            "budget must be None or a whole number >= 1, got 0",
        ),
        (
            lambda: nm.StructuralPlasticity(projection="a", interval=1.0, weight_new=0.1, budget=5, within="neuron"),
            "budget must be None with within='neuron'",
        ),
        (lambda: nm.SynapticIntelligence(projection="a", strength=-1.0), "strength must be >= 0, got -1.0"),
        (lambda: nm.SynapticIntelligence(projection="a", strength=1.0, task=0.0), "task must be > 0 s, infinite for"),
        (lambda: nm.CascadeConsolidation(projection="a", tau=1.0, levels=1), "levels must be >= 2"),
        (lambda: nm.CascadeConsolidation(projection="a", tau=1.0, ratio=1.0), "ratio must be > 1, got 1.0"),
        (lambda: nm.GlialGain(projection="a", rate_half=1.0, territories=(0, -1)), "territories must be None or"),
        (lambda: nm.Gliotransmission(projection="a", calcium_threshold=1.0, alpha=1.5), "alpha must be 0..1, got 1.5"),
        (lambda: nm.LabelAssignment(population="a", labels=(0, 0.5)), "labels must be whole numbers >= 0"),  # type: ignore[arg-type]
        (lambda: nm.SleepReplay(capacity=0), "capacity must be a whole number >= 1, got 0"),
        (lambda: nm.SleepReplay(capacity=True), "capacity must be a whole number >= 1, got True"),
    ],
)
def test_wrong_parameters_are_named(make: object, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        make()  # type: ignore[operator]
