"""What was learned is kept: by importance, in a cascade, by significance, and where proteins came in time."""

from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.session import Session

BACKENDS = ["reference", "emulator"]
CHIPS = [None, "loihi1"]


def network(weights: Any, rule: nm.LearningRule | None, *, size: int = 1) -> nm.Network:
    post, pre = np.shape(weights)
    needs = rule is not None and bool(rule.modulators)
    return nm.Network(
        populations=[nm.Input("in", pre), nm.Population("out", post, nm.LIF(v_threshold=1e3))],
        projections=[nm.Projection("in", "out", nm.Dense(weights), plasticity=rule)],
        modulators=[nm.Modulator("teacher", size)] if needs else [],
        probes=[nm.Probe("out")],
    )


TOWARDS_TEACHER = nm.LearningRule(
    dw="0.02 * x0 * r - 0.02 * x0 * w", modulators={"teacher": 1.0}, w_min=-1.0, w_max=1.0
)


def lesson(inputs: list[int], teacher: float, steps: int = 400) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs spike at random, and weights from them move towards the teacher."""
    fed = np.zeros((steps, 6), dtype=bool)
    fed[:, inputs] = np.random.default_rng(len(inputs)).random((steps, len(inputs))) < 0.3
    return {"in": fed}, {"teacher": np.full(steps, teacher)}


def teach(session: Session, rules: list[Any], inputs: list[int], teacher: float) -> Any:
    fed, teachers = lesson(inputs, teacher)
    nm.run_with_host_rules(session, 400, rules=rules, every=20, inputs=fed, modulators=teachers)
    return session.read("in->out.weight")[0]


@pytest.mark.parametrize("chip", CHIPS, ids=["float", "fixed"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_intelligence_keeps_task_a_through_task_b_and_leaves_free_synapses_free(backend: str, chip: str | None) -> None:
    """Task A uses inputs 0 to 3, task B wants the opposite of 2 to 5."""
    kept = {}
    for strength in (0.0, 200.0):
        with nm.open(network([[0.0] * 6], TOWARDS_TEACHER), backend=backend, dt=1e-3, chip=chip) as session:
            rule = nm.SynapticIntelligence(projection="in->out", strength=strength)
            state = rule.open(session)
            one = 1.0 if chip is None else 1.0 / session.program.projection("in->out").rule.w_max  # type: ignore[union-attr]
            after_a = one * teach(session, [state], [0, 1, 2, 3], 0.8)
            state.consolidate(session)
            after_b = one * teach(session, [state], [2, 3, 4, 5], -0.8)
            importance = state.importance
        assert np.all(after_a[:4] > 0.6) and np.all(np.abs(after_a[4:]) < 0.02)
        assert np.all(importance[:4] > 0) and np.all(importance[4:] == 0)
        np.testing.assert_allclose(after_b[:2], after_a[:2], atol=0.02)  # untouched by B
        assert np.all(after_b[4:] < -0.6)  # B is learned where A needs nothing
        kept[strength] = (after_a[2:4] - after_b[2:4]).mean()
    assert kept[0.0] > 1.2  # overwritten
    assert kept[200.0] < kept[0.0] / 2  # at least half of what plain training loses


def test_a_path_counts_as_much_as_the_performance_signal_says() -> None:
    rule = nm.SynapticIntelligence(projection="in->out", strength=0.0, modulator="teacher", damping=0.5)
    importances = []
    for teacher in (0.2, 0.4):
        with nm.open(
            network([[0.0]], nm.LearningRule(dw="0.01 * x0 + 0.0 * x0 * r", modulators={"teacher": 1.0}))
        ) as s:
            state = rule.open(s)
            nm.run_with_host_rules(
                s, 40, rules=[state], every=10, inputs={"in": np.ones((40, 1))}, modulators={"teacher": [teacher] * 40}
            )
            state.consolidate(s)
            importances.append(float(state.importance[0]))
    # four chunks of ten spikes: 4 * 0.1^2 over a way of 0.4
    np.testing.assert_allclose(importances, np.array([0.2, 0.4]) * 4 * 0.1**2 / (0.4**2 + 0.5), rtol=1e-12)


def test_a_task_may_end_by_itself() -> None:
    rule = nm.SynapticIntelligence(projection="in->out", strength=0.0, task=0.02)
    with nm.open(network([[0.0]], nm.LearningRule(dw="0.01 * x0"))) as session:
        state = rule.open(session)
        nm.run_with_host_rules(session, 30, rules=[state], every=10, inputs={"in": np.ones((30, 1))})
        np.testing.assert_allclose(state.importance, [2 * 0.1**2 / (0.2**2 + 1e-3)], rtol=1e-12)


def relaxed(rule: nm.CascadeConsolidation, seconds: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """A weight that was set from 0 to 1 at once, at these times after; and what its beakers hold in all."""
    capacity = rule.ratio ** np.arange(rule.levels)
    values, held = [], []
    with nm.open(network([[0.0]], None)) as session:
        state = rule.open(session)
        session.write("in->out.weight", 1.0)
        before = 0.0
        for now in seconds:
            state.elapse(session, now - before)
            before = now
            levels = np.array(
                [session.read("in->out.weight")[0, 0], *(state.level(k)[0] for k in range(2, rule.levels + 1))]
            )
            values.append(levels[0])
            held.append(capacity @ levels)
    return np.array(values), np.array(held)


def test_a_cascade_forgets_as_one_over_the_root_of_time() -> None:
    """Between the time constants of its first and its last level; a single leak would lose all of it."""
    rule = nm.CascadeConsolidation(projection="in->out", tau=1.0, levels=10)
    times = np.geomspace(10.0, rule.slowest / 50, 12)
    values, held = relaxed(rule, times.tolist())
    slope = np.polyfit(np.log(times), np.log(values), 1)[0]
    assert -0.6 < slope < -0.4
    np.testing.assert_allclose(held, 1.0, rtol=1e-9)  # nothing is lost from the beakers
    leaking = relaxed(nm.CascadeConsolidation(projection="in->out", tau=1.0, levels=3, leak=True), [1e4])
    assert leaking[1][0] < 1e-6


def test_time_in_one_piece_or_many_is_the_same() -> None:
    rule = nm.CascadeConsolidation(projection="in->out", tau=1.0)
    assert relaxed(rule, [7.0])[0][-1] == pytest.approx(
        relaxed(rule, np.linspace(0.1, 7.0, 70).tolist())[0][-1], rel=1e-12
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_deep_memory_returns_after_it_was_overwritten(backend: str) -> None:
    rule = nm.CascadeConsolidation(projection="in->out", tau=0.05, levels=5)
    with nm.open(network([[0.0, 0.0]], None), backend=backend) as session:
        state = rule.open(session)
        for _ in range(200):  # held at 1 for 10 s
            session.write("in->out.weight", [[1.0, 0.0]])
            nm.run_with_host_rules(session, 50, rules=[state], every=50)
        session.write("in->out.weight", [[-1.0, 0.0]])
        nm.run_with_host_rules(session, 2000, rules=[state], every=50)
        found = session.read("in->out.weight")
    assert found[0, 0] > 0.5 and found[0, 1] == 0.0


GROWS = nm.LearningRule(dw="0.01 * x0 + 0.0 * x0 * r", modulators={"teacher": 1.0}, w_max=10.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gate_multiplies_what_was_learned_for_all_or_for_each_neuron(backend: str) -> None:
    rule = nm.SignificanceGate(projection="in->out", modulator="teacher", gain_max=3.0)
    for size, gates, factors in [
        (1, [0.0], [0, 0]),
        (1, [2.0], [2, 2]),
        (1, [9.0], [3, 3]),
        (2, [-1.0, 0.5], [0, 0.5]),
    ]:
        with nm.open(network([[0.5], [0.5]], GROWS, size=size), backend=backend) as session:
            nm.run_with_host_rules(
                session,
                20,
                rules=[rule],
                every=10,
                inputs={"in": np.ones((20, 1))},
                modulators={"teacher": np.tile(gates, (20, 1))},
            )
            found = session.read("in->out.weight")[:, 0]
        np.testing.assert_allclose(found, 0.5 + 0.2 * np.array(factors), rtol=1e-12)


class Adds(nm.HostRuleState):
    """Another rule beside the one that is looked at."""

    def update(self, session: Session, chunk: nm.Chunk) -> None:
        session.write("in->out.weight", session.read("in->out.weight") + 0.25)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_other_rules_change_is_not_taken_for_learning(backend: str) -> None:
    closed = nm.SignificanceGate(projection="in->out", modulator="teacher")
    intelligence = nm.SynapticIntelligence(projection="in->out", strength=0.0)
    with nm.open(network([[1.0]], GROWS), backend=backend) as session:
        path = intelligence.open(session)
        rules = [closed, Adds(), path]
        nm.run_with_host_rules(session, 30, rules=rules, every=10, inputs={"in": np.ones((30, 1))})
        assert session.read("in->out.weight").tolist() == [[1.75]]
        assert path.weights["path"].tolist() == [3 * 0.25**2]  # it acts after the other one, in the same chunk
        before = [Adds(), closed]
        nm.run_with_host_rules(session, 30, rules=before, every=10, inputs={"in": np.ones((30, 1))})
        assert session.read("in->out.weight").tolist() == [[1.75]]  # gated with what was learned


HOUR = 3600.0


def capture(strong_at: float | None, *, backend: str = "reference", **options: Any) -> float:
    """What is left after 10 h of a weak event at 0, with a strong one on other synapses of the same neuron."""
    weak, strong = np.zeros((10, 12), dtype=bool), np.zeros((10, 12), dtype=bool)
    weak[:, :2], strong[:, 2:] = True, True
    rule = nm.TaggingAndCapture(projection="in->out", tag_threshold=0.05, protein_threshold=0.5, **options)
    events = sorted([(0.0, weak), *([] if strong_at is None else [(strong_at, strong)])], key=lambda event: event[0])
    with nm.open(network(np.zeros((1, 12)), nm.LearningRule(dw="0.01 * x0")), backend=backend) as session:
        state = rule.open(session)
        for (now, fed), after in zip(events, [*(event[0] for event in events[1:]), 10 * HOUR], strict=True):
            nm.run_with_host_rules(session, 10, rules=[state], every=10, inputs={"in": fed})
            state.elapse(session, after - now)
        return float(session.read("in->out.weight")[0, :2].mean() / 0.1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_weak_memory_lasts_only_beside_a_strong_event_before_or_after_it(backend: str) -> None:
    """Frey and Morris 1997 and 1998: within an hour or two on either side, not alone and not five hours later."""
    assert capture(None, backend=backend) < 0.01
    assert capture(0.5 * HOUR, backend=backend) > 0.5
    assert capture(-1.0 * HOUR, backend=backend) > 0.4
    assert capture(5.0 * HOUR, backend=backend) < 0.05
    assert capture(0.5 * HOUR, backend=backend) > capture(2.0 * HOUR, backend=backend) > capture(5.0 * HOUR)


def test_dopamine_brings_proteins_too_and_a_change_below_the_threshold_sets_no_tag() -> None:
    for modulator, teacher, threshold, low, high in [
        ("teacher", 1.0, 0.05, 0.5, 1.0),
        ("teacher", 0.5, 0.05, 0.0, 0.01),
        ("teacher", 1.0, 0.5, 0.0, 0.01),
        ("", 1.0, 0.05, 0.0, 0.01),
    ]:
        rule = nm.TaggingAndCapture(
            projection="in->out", tag_threshold=threshold, protein_threshold=9.0, modulator=modulator
        )
        with nm.open(network([[0.2]], GROWS)) as session:
            state = rule.open(session)
            nm.run_with_host_rules(
                session,
                10,
                rules=[state],
                every=10,
                inputs={"in": np.ones((10, 1))},
                modulators={"teacher": [teacher] * 10},
            )
            state.elapse(session, 10 * HOUR)
            assert low <= (session.read("in->out.weight")[0, 0] - 0.2) / 0.1 < high
            assert state.late[0] == pytest.approx(session.read("in->out.weight")[0, 0], abs=1e-3)
            with pytest.raises(InputError, match="seconds must be >= 0, got -1"):
                state.elapse(session, -1)
