"""Rewiring by use: the least go, as many grow, the budget holds, and what correlates is found."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

import neuromorph as nm
from neuromorph.errors import InputError, UnsupportedError
from neuromorph.host_rules import structural_plasticity
from neuromorph.host_rules.weights import unit

CORRELATED, PRE, POST = 40, 200, 4


def network(weights: Any, plasticity: nm.LearningRule | None = None, **options: Any) -> nm.Network:
    post, pre = np.shape(weights)
    return nm.Network(
        populations=[nm.Input("in", pre), nm.Population("out", post, nm.LIF(refractory=5e-3))],
        projections=[nm.Projection("in", "out", weights, plasticity=plasticity, **options)],
        probes=[nm.Probe("out")],
    )


def rule(**options: Any) -> nm.StructuralPlasticity:
    given = {"projection": "in->out", "interval": 0.05, "weight_new": 0.1, **options}
    return nm.StructuralPlasticity(**given)


def sparse(density: float = 0.15, *, pre: int = PRE) -> Any:
    drawn = random_array((POST, pre), density=density, rng=np.random.default_rng(1)).tocsr()
    drawn.data[:] = 0.1
    return drawn


def correlated(steps: int) -> np.ndarray:
    """All inputs spike at 20 Hz, the first ones mostly together."""
    rng = np.random.default_rng(0)
    spikes = rng.random((steps, PRE)) < 0.02
    together = (rng.random(steps) < 0.02)[:, np.newaxis] & (rng.random((steps, CORRELATED)) < 0.7)
    spikes[:, :CORRELATED] = together | (rng.random((steps, CORRELATED)) < 0.006)
    return spikes


STDP = nm.STDP(A_plus=0.01, A_minus=0.011, w_min=0.0, w_max=0.4)


@pytest.mark.parametrize("grow", ["random", "activity"])
@pytest.mark.parametrize("within", ["projection", "neuron"])
def test_rewiring_finds_the_inputs_that_belong_together(within: Any, grow: Any) -> None:
    steps, fed = 40_000, correlated(40_000)
    rewiring = rule(interval=1.0, within=within, grow=grow)
    with nm.open(network(sparse(), STDP), backend="emulator") as session:
        at_random = (session.read("in->out.weight").indices < CORRELATED).mean()
        state = rewiring.open(session)
        nm.run_with_host_rules(session, steps, rules=[state], inputs={"in": fed})
        found = session.read("in->out.weight")
    assert at_random < 0.25  # a fifth of all inputs
    assert (found.indices < CORRELATED).mean() > 0.5
    assert found.nnz == 120 == state.synapses
    assert state.pruned == state.grown >= 40 * 12


@pytest.mark.parametrize("chip", [None, "loihi1"], ids=["float", "fixed"])
@pytest.mark.parametrize("prune", ["weight", "use"])
def test_both_backends_that_rewire_come_to_the_same_synapses(prune: Any, chip: str | None) -> None:
    found = []
    for backend in ("reference", "emulator"):
        with nm.open(network(sparse(), STDP), backend=backend, dt=1e-3, chip=chip) as session:
            nm.run_with_host_rules(
                session, 1000, rules=[rule(prune=prune, grow="activity")], inputs={"in": correlated(1000)}
            )
            found.append((session.read("in->out.weight"), session.program.fingerprint))
    assert found[0][1] == found[1][1]
    np.testing.assert_array_equal(found[0][0].toarray(), found[1][0].toarray())


def test_the_weakest_go_and_their_places_stay_free_once() -> None:
    weights = csr_array(np.array([[0.1, -0.9, 0.2, 0.0], [0.0, 0.5, 0.0, 0.3]]))
    with nm.open(network(weights)) as session:
        state = rule(fraction=0.4, weight_new=0.7).open(session)
        nm.run_with_host_rules(session, 50, rules=[state], every=50)
        found = session.read("in->out.weight").toarray()
    assert found[0, 1] == -0.9 and found[1, 1] == 0.5 and found[1, 3] == 0.3
    assert found[0, 0] == found[0, 2] == 0.0  # the two weakest of five
    assert sorted(found[found == 0.7]) == [0.7, 0.7]


def test_idle_synapses_go_first_where_use_counts() -> None:
    weights = csr_array(np.array([[0.1, 0.9, 0.2]]))
    fed = np.zeros((50, 3), dtype=bool)
    fed[::5, [0, 2]] = True
    with nm.open(network(weights, delay=2e-3)) as session:
        nm.run_with_host_rules(
            session, 50, rules=[rule(prune="use", fraction=0.3, budget=2)], every=50, inputs={"in": fed}
        )
        assert session.read("in->out.weight").toarray().tolist() == [[0.1, 0.0, 0.2]]


def test_growth_prefers_active_neurons_where_asked() -> None:
    rng = np.random.default_rng(0)
    fed = np.zeros((200, PRE), dtype=bool)
    fed[:, :20] = rng.random((200, 20)) < 0.5
    grown = {}
    for grow in ("random", "activity"):
        with nm.open(network(sparse(0.05)), backend="emulator") as session:
            nm.run_with_host_rules(
                session, 200, rules=[rule(grow=grow, interval=0.2, fraction=1.0)], every=200, inputs={"in": fed}
            )
            grown[grow] = (session.read("in->out.weight").indices < 20).mean()
    assert grown["activity"] > 0.7 > 0.3 > grown["random"]


@pytest.mark.parametrize("candidates", ["any", "declared"])
def test_growth_by_error_takes_the_places_that_the_rule_would_change_most(candidates: Any) -> None:
    """Neuron 0 wants more of input 2, neuron 1 less of it; an error that cancels out counts nothing."""
    rule_of_error = nm.LearningRule(dw="0.0 * x0 * r", modulators={"error": 1.0})
    weights = csr_array(
        (np.array([0.5, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0]), ([0, 0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 0, 2, 3])), shape=(2, 4)
    )
    if candidates == "any":
        weights.eliminate_zeros()
    net = nm.Network(
        populations=[nm.Input("in", 4), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.Sparse.from_scipy(weights), plasticity=rule_of_error)],
        modulators=[nm.Modulator("error", 2)],
    )
    fed = np.tile([0, 0, 1, 1], (20, 1))
    fed[10:, :3] = 0
    fed[:10, 3] = [1, 0] * 5
    error = np.array([[1.0, -0.5]] * 10 + [[-0.5, 0.5]] * 10)  # input 3: 5 * 1 - 10 * 0.5 = 0, and -2.5 + 5
    with nm.open(net) as session:
        state = rule(
            grow="error", modulator="error", fraction=0.3, budget=4, candidates=candidates, interval=0.02
        ).open(session)
        nm.run_with_host_rules(session, 20, rules=[state], every=10, inputs={"in": fed}, modulators={"error": error})
        found = session.read("in->out.weight")
    assert (state.pruned, state.grown) == (1, 2)
    grown = np.argwhere(found.toarray() == 0.1).tolist()
    assert grown == [[0, 2], [1, 2]]


@pytest.mark.parametrize("within", ["projection", "neuron"])
def test_declared_candidates_are_held_at_zero_and_never_left(within: Any) -> None:
    pool = sparse(0.3)
    pool.data[:] = np.where(np.random.default_rng(5).random(pool.nnz) < 0.5, 0.1, 0.0)
    in_use = np.bincount(pool.tocoo().row[pool.data > 0], minlength=POST)
    growing = nm.LearningRule(dw="0.001 * x0", w_max=1.0)  # every synapse whose input spikes
    with nm.open(network(pool, growing), backend="emulator") as session:
        state = rule(candidates="declared", within=within, interval=0.2).open(session)
        for chunk in nm.chunks_with_host_rules(session, 1000, rules=[state], every=50, inputs={"in": correlated(1000)}):
            found = session.read("in->out.weight")
            assert np.count_nonzero(found.data) == in_use.sum() == state.synapses, chunk.recording.first_step
            if within == "neuron":
                assert np.bincount(found.tocoo().row[found.data > 0], minlength=POST).tolist() == in_use.tolist()
        np.testing.assert_array_equal(found.indices, pool.indices)
    assert state.grown == state.pruned > 0


def test_a_budget_below_and_above_what_there_is_is_kept() -> None:
    for budget in (50, 300):
        with nm.open(network(sparse()), backend="emulator") as session:
            nm.run_with_host_rules(session, 100, rules=[rule(budget=budget)])
            assert session.read("in->out.weight").nnz == budget


def test_what_other_rules_remember_follows_the_synapses() -> None:
    """A chain of levels beside rewiring: synapses that stay keep theirs, those that grow begin at their weight."""
    cascade, rewiring = nm.CascadeConsolidation(projection="in->out", tau=0.01), rule(fraction=0.3, weight_new=0.7)
    with nm.open(network(sparse(0.05, pre=30)), backend="emulator") as session:
        state = cascade.open(session)
        session.write("in->out.weight", 0.3)  # above all levels, so that they rise
        nm.run_with_host_rules(session, 50, rules=[rewiring, state], every=50)
        weights = session.read("in->out.weight").data
        level = state.level(2)
    grown = weights > 0.5
    assert 0 < grown.sum() < grown.size
    np.testing.assert_allclose(level[grown], 0.7, rtol=1e-12)
    assert np.all((level[~grown] > 0.1) & (level[~grown] < 0.3))


def test_many_pairs_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structural_plasticity, "FEW_PAIRS", 100)
    for grow in ("random", "activity"):
        with nm.open(network(sparse()), backend="emulator") as session:
            state = rule(grow=grow, fraction=0.5).open(session)
            nm.run_with_host_rules(session, 500, rules=[state], inputs={"in": correlated(500)})
            assert session.read("in->out.weight").nnz == 120
            assert state.grown == state.pruned == 5 * 60


def test_delays_stay_as_they_were_spread() -> None:
    weights = sparse()
    delays = np.random.default_rng(2).integers(1, 6, weights.shape) * 1e-3
    with nm.open(network(weights, delay=delays), backend="emulator") as session:
        before = sorted(session.program.projection("in->out").delay)
        nm.run_with_host_rules(session, 500, rules=[rule(fraction=0.3)], inputs={"in": correlated(500)})
        assert sorted(session.program.projection("in->out").delay) == before


def test_what_a_program_lacks_is_said_before_it_runs() -> None:
    net = network(sparse(), STDP)
    probed = nm.Network(
        populations=net.populations, projections=net.projections, probes=[nm.Probe("in->out", "weight")]
    )
    with nm.open(probed) as session:
        with pytest.raises(InputError) as error:
            rule(weight_new=0.5, budget=1000, grow="activity").open(session)
        words = str(error.value)
        for part in ("it needs the spikes of 'out'", "within 0.0..0.4", "at most the 800", "are probed"):
            assert part in words
        rule(candidates="declared").open(session)
    with nm.open(net, backend="nengo") as session:
        with pytest.raises(UnsupportedError, match=r"'nengo' cannot be rewired: .* candidates='declared'"):
            nm.run_with_host_rules(session, 100, rules=[rule()])
        assert session.steps_run == 0


def test_a_new_weight_is_in_the_units_of_the_description() -> None:
    with nm.open(network(sparse()), dt=1e-3, chip="loihi1") as session:
        nm.run_with_host_rules(session, 100, rules=[rule(fraction=1.0, weight_new=0.05)])
        projection = session.program.projection("in->out")
        found = session.read("in->out.weight").data * unit(session.program, projection)
    np.testing.assert_allclose(found, 0.05, rtol=0, atol=unit(session.program, projection))
