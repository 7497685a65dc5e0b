"""A session that is rewired goes on with other synapses, and with everything else as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

import neuromorph as nm
from neuromorph import registry
from neuromorph.backend import Session
from neuromorph.errors import InputError, UnsupportedError
from neuromorph.host_rules import joined
from neuromorph.recording import Recording
from neuromorph.testing import Case, random_case, random_fixed_case

BACKENDS = ["reference", "emulator"]


def run(session: Session, case: Case, start: int, stop: int) -> Recording:
    return session.run(
        stop - start,
        inputs={name: rows[start:stop] for name, rows in case.inputs.items()},
        modulators={name: rows[start:stop] for name, rows in case.modulators.items()},
    )


def drawn(draw: Any, seed: int, backend: str) -> Case:
    """A random case, of those that the backend runs."""
    case: Case = draw(seed, steps=90)
    if faults := registry.get(backend).faults(case.program):
        pytest.skip(faults[0])
    return case


def rows_of(session: Session, name: str, variable: str = "weight") -> Any:
    """What is read of a synapse variable, zeros kept."""
    projection, found = session.program.projection(name), session.read(f"{name}.{variable}")
    if issparse(found):
        return found
    post, pre = projection.post_index, projection.pre_index
    stored = csr_array((np.ones(post.size), (post, pre)), shape=found.shape)
    stored.data = found.reshape(-1).copy()
    return stored


def same(mine: Recording, other: Recording) -> None:
    for name, train in other.spikes.items():
        assert mine.spikes[name].equals(train), name
    for key, values in other.states.items():
        np.testing.assert_array_equal(mine.states[key], values, err_msg=str(key))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("draw", [random_case, random_fixed_case])
def test_the_same_synapses_again_change_nothing(draw: Any, seed: int, backend: str) -> None:
    case = drawn(draw, seed, backend)
    program = case.program.with_all_spikes()
    with nm.open(program, backend=backend, seed=2) as mine, nm.open(program, backend=backend, seed=2) as other:
        for start, stop in [(0, 7), (7, 31), (31, 90)]:
            same(run(mine, case, start, stop), run(other, case, start, stop))
            for projection in program.projections:
                mine.rewire(projection.name, rows_of(mine, projection.name))
        for name in other.variables():
            found, expected = mine.read(name), other.read(name)
            np.testing.assert_array_equal(
                found.toarray() if issparse(found) else found, expected.toarray() if issparse(expected) else expected
            )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("draw", [random_case, random_fixed_case])
def test_backends_agree_after_random_rewiring(draw: Any, seed: int, tmp_path: Path) -> None:
    case = drawn(draw, seed, "emulator")
    program = case.program.with_all_spikes()
    sessions = [nm.open(program, backend=backend, seed=1) for backend in BACKENDS]
    rng = np.random.default_rng(seed)
    for start, stop in [(0, 20), (20, 50), (50, 90)]:
        first, second = (run(session, case, start, stop) for session in sessions)
        same(second, first)
        for projection in sessions[0].program.projections:
            weights = rows_of(sessions[0], projection.name).tocoo()
            if not weights.nnz:
                continue
            moved = rng.permutation(weights.nnz)[: weights.nnz // 3]
            free = np.setdiff1d(
                np.arange(weights.shape[0] * weights.shape[1]), weights.row * weights.shape[1] + weights.col
            )
            moved = moved[: free.size]
            place = rng.choice(free, moved.size, replace=False)
            row, col = weights.row.copy(), weights.col.copy()
            row[moved], col[moved] = np.divmod(place, weights.shape[1])
            changed = csr_array((weights.data, (row, col)), shape=weights.shape)
            for session in sessions:
                session.rewire(projection.name, changed)
            assert sessions[0].program.fingerprint == sessions[1].program.fingerprint
            now = sessions[0].program.projection(projection.name)
            assert sorted(now.delay) == sorted(projection.delay)
    sessions[1].save(tmp_path / "after.npz")
    with nm.resume(tmp_path / "after.npz") as resumed:
        assert resumed.program.fingerprint == sessions[0].program.fingerprint
        for name in sessions[0].variables():
            found, expected = resumed.read(name), sessions[0].read(name)
            np.testing.assert_array_equal(
                found.toarray() if issparse(found) else found, expected.toarray() if issparse(expected) else expected
            )
    for session in sessions:
        session.close()


def chain(delays: list[list[float]], **options: Any) -> nm.Network:
    """Neurons that keep all they get: u is the sum of what has arrived."""
    return nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF(tau_syn=np.inf, v_threshold=np.inf))],
        projections=[
            nm.Projection(
                "in", "out", csr_array(np.array([[1.0, 2.0, 0.0], [0.0, 4.0, 8.0]])), delay=np.array(delays), **options
            )
        ],
        probes=[nm.Probe("out", "u"), nm.Probe("out")],
    )


ALL_AT_FIVE = [[5e-3] * 3] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_spikes_under_way_arrive_over_synapses_that_are_gone(backend: str) -> None:
    with nm.open(chain(ALL_AT_FIVE), backend=backend) as session:
        session.run(2, inputs={"in": [[1, 1, 1], [0, 0, 0]]})
        session.rewire("in->out", csr_array(([16.0], ([0], [2])), shape=(2, 3)))
        later = session.run(8, inputs={"in": [[0, 0, 1]] + [[0, 0, 0]] * 7}).states["out", "u"]
    # sent in step 1 and arrived in step 6: old weights; sent in step 3, arrived in step 8: new ones
    assert later[:, 0].tolist() == [0, 0, 0, 3, 3, 19, 19, 19]
    assert later[:, 1].tolist() == [0, 0, 0, 12, 12, 12, 12, 12]


@pytest.mark.parametrize("backend", BACKENDS)
def test_survivors_keep_tag_and_delay_and_new_synapses_begin_without_tag(backend: str) -> None:
    rule = nm.LearningRule(dw="0.0 * t * u0", dt="1.0 * x0")
    delays = [[1e-3, 2e-3, 1e-3], [1e-3, 3e-3, 4e-3]]
    with nm.open(chain(delays, plasticity=rule), backend=backend) as session:
        session.run(1, inputs={"in": [[1, 1, 1]]})
        session.run(5)
        # out 0 loses in 0 (1 step) and gains in 2; the rest stays
        session.rewire("in->out", csr_array(np.array([[0.0, 2.0, 1.0], [0.0, 4.0, 8.0]])))
        assert session.read("in->out.tag").toarray().tolist() == [[0, 1, 0], [0, 1, 1]]
        assert session.program.projection("in->out").delay.tolist() == [2, 1, 3, 4]
        session.rewire("in->out", csr_array(np.ones((2, 3))), delay=4)
        assert session.program.projection("in->out").delay.tolist() == [4, 2, 1, 4, 3, 4]
        assert session.read("in->out.tag").tolist() == [[0, 1, 0], [0, 1, 1]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_does_not_fit_is_refused_and_nothing_has_changed(backend: str) -> None:
    rule = nm.LearningRule(dw="0.0 * x0", w_min=0.0, w_max=10.0)
    with nm.open(chain([[1e-3, 2e-3, 1e-3], [1e-3, 3e-3, 4e-3]], plasticity=rule), backend=backend) as session:
        program = session.program
        session.run(1, inputs={"in": [[1, 1, 1]]})
        for weights, options, words in [
            (np.ones((2, 3)), {}, "must be a SciPy sparse array"),
            (csr_array(np.ones((3, 2))), {}, r"shape \(2, 3\)"),
            (csr_array(np.full((2, 3), 11.0)), {"delay": 1}, "must lie in the rule's bounds"),
            (csr_array(np.ones((2, 3))), {}, "2 synapses grow where 0 went, and delays differ"),
            (csr_array(np.ones((2, 3))), {"delay": 0}, "whole number of steps >= 1"),
            (csr_array(([1.0], ([0], [0])), shape=(2, 3)), {"delay": 1}, "longest delay falls from 4 to 1 steps"),
        ]:
            with pytest.raises(InputError, match=words):
                session.rewire("in->out", weights, **options)
        with pytest.raises(InputError, match="there is no projection 'nowhere'"):
            session.rewire("nowhere", csr_array(np.ones((2, 3))))
        assert session.program is program
        assert session.run(6).states["out", "u"][-1].tolist() == [3, 12]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_projection_can_lose_all_synapses_and_gain_some_again(backend: str) -> None:
    with nm.open(chain(ALL_AT_FIVE), backend=backend) as session:
        session.run(1, inputs={"in": [[1, 1, 1]]})
        session.run(6)
        session.rewire("in->out", csr_array((2, 3)))
        session.run(1, inputs={"in": [[1, 1, 1]]})
        session.run(6)
        session.rewire("in->out", csr_array(np.ones((2, 3))), delay=2)
        later = session.run(4, inputs={"in": [[1, 0, 0], *[[0, 0, 0]] * 3]})
    assert later.states["out", "u"].tolist() == [[3, 12], [3, 12], [4, 13], [4, 13]]
    assert later.counts.projections["in->out"].synaptic_events == 2


def test_recordings_of_probed_weights_are_not_joined_over_a_rewiring() -> None:
    net = chain(ALL_AT_FIVE)
    probed = nm.Network(
        populations=net.populations, projections=net.projections, probes=[nm.Probe("in->out", "weight")]
    )
    with nm.open(probed) as session:
        first = session.run(2)
        session.rewire("in->out", csr_array(np.ones((2, 3))))
        second = session.run(2)
    assert (first.states["in->out", "weight"].shape, second.states["in->out", "weight"].shape) == ((2, 4), (2, 6))
    with pytest.raises(InputError, match=r"samples of in->out.weight differ in size"):
        joined([first, second])


@pytest.mark.parametrize("backend", ["nengo", "nengo-loihi", "lava"])
def test_backends_that_cannot_say_so_with_the_remedy(backend: str) -> None:
    with nm.open(chain(ALL_AT_FIVE), backend=backend) as session:
        with pytest.raises(UnsupportedError, match=rf"backend '{backend}' cannot be rewired.* with weight 0"):
            session.rewire("in->out", csr_array(np.ones((2, 3))))
        assert not session.can_be_rewired and session.run(2).steps == 2


def test_what_a_backend_declares_is_what_its_sessions_do() -> None:
    for backend in ("reference", "emulator", "nengo", "nengo-loihi", "lava"):
        with nm.open(chain(ALL_AT_FIVE), backend=backend) as session:
            assert registry.get(backend).capabilities.rewiring == session.can_be_rewired
