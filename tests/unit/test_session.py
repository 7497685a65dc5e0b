import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import neuromorph as nm
from neuromorph import registry
from neuromorph.backend import Advance, EventSession, Session, reward
from neuromorph.errors import BackendUnavailable, InputError, SimulatorError
from neuromorph.recording import SpikeTrain


def network() -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF())],
        projections=[
            nm.Projection("in", "out", nm.AllToAll(0.5), name="full",
                          plasticity=nm.RewardModulatedSTDP(modulator="reward", w_min=0.0, w_max=1.0)),
            nm.Projection("in", "out", nm.Sparse([0.3, 0.4], [0, 2], [0, 1, 2], (2, 3)), name="sparse"),
        ],
        modulators=[nm.Modulator("reward"), nm.Modulator("teacher", 2)],
        probes=[nm.Probe("out"), nm.Probe("out", "v"), nm.Probe("full", "weight", every=4e-3)],
    )  # fmt: skip


@pytest.fixture
def session() -> Iterator[Session]:
    with nm.open(network()) as opened:
        yield opened


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


def test_every_variable_is_listed_with_its_size(session: Session) -> None:
    assert session.variables() == {
        "out.u": 2, "out.v": 2, "out.v_threshold": 2, "out.bias": 2,
        "full.weight": 6, "full.tag": 6, "full.x1": 3, "full.y1": 2, "sparse.weight": 2,
    }  # fmt: skip


def test_what_is_written_is_read(session: Session) -> None:
    rng = np.random.default_rng(0)
    for name in session.variables():
        before = session.read(name)
        if scipy.sparse.issparse(before):
            value = before.copy()
            value.data = rng.random(value.nnz)
            session.write(name, value)
            assert (session.read(name) != value).nnz == 0
        else:
            value = rng.random(before.shape)
            session.write(name, value)
            np.testing.assert_array_equal(session.read(name), value)
        session.write(name, 0.75)
        after = session.read(name)
        assert np.all((after.data if scipy.sparse.issparse(after) else after) == 0.75)


def test_what_is_read_is_a_copy(session: Session) -> None:
    session.read("full.weight")[:] = 0.9
    session.read("sparse.weight").data[:] = 0.9
    assert np.all(session.read("full.weight") == 0.5)
    assert session.read("sparse.weight").toarray().tolist() == [[0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]


def test_writing_leaves_the_given_arrays_alone(session: Session) -> None:
    unsorted = scipy.sparse.csr_array(([0.2, 0.1], [0, 2], [0, 1, 2]), shape=(2, 3))
    value = np.zeros((2, 3))
    session.write("sparse.weight", unsorted)
    session.write("full.weight", value)
    session.run(5, inputs={"in": np.ones((5, 3))}, modulators={"reward": np.ones(5)})
    assert not value.any() and unsorted.data.tolist() == [0.2, 0.1]


def test_a_dense_array_may_be_written_where_synapses_are_sparse(session: Session) -> None:
    session.write("sparse.weight", [[0.1, 0.0, 0.0], [0.0, 0.0, 0.2]])
    assert session.read("sparse.weight").toarray().tolist() == [[0.1, 0.0, 0.0], [0.0, 0.0, 0.2]]
    says = refused(lambda: session.write("sparse.weight", np.ones((2, 3))))
    assert says == "sparse.weight: there are nonzero values where no synapse exists; an absent synapse never grows"
    assert "exactly the 2 synapses" in refused(lambda: session.write("sparse.weight", scipy.sparse.csr_array((2, 3))))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("out.w", 1.0, "there is no variable 'out.w'; known: out.u, out.v, out.v_threshold"),
        ("full.weight", 1.5, "full.weight must lie in the rule's bounds 0.0..1.0, got 1.5..1.5: clip first"),
        (
            "full.weight",
            np.ones((3, 2)),
            "full.weight must be one number or have shape (2, 3), got (3, 2); transpose it",
        ),
        ("full.weight", math.nan, "full.weight must be finite"),
        ("out.bias", math.inf, "out.bias must be finite"),
        ("out.bias", [1.0, 2.0, 3.0], "out.bias must be one number or have shape (2,), got (3,)"),
        ("out.bias", "much", "out.bias must be numbers, got 'much'"),
        ("out.v_threshold", [1.0, 0.0], "out.v_threshold must be > 0, got 0.0"),
        ("full.x1", np.ones((2, 3)), "full.x1 must be one number or have shape (3,), got (2, 3)"),
    ],
)
def test_a_wrong_write_is_refused_and_changes_nothing(session: Session, name: str, value: object, says: str) -> None:
    before = {known: session.read(known) for known in session.variables()}
    assert says in refused(lambda: session.write(name, value))
    for known, values in before.items():
        difference = session.read(known) != values
        assert not (difference.nnz if scipy.sparse.issparse(difference) else difference.any())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"steps": -1}, "steps must be a whole number >= 0, got -1"),
        ({"steps": 1.5}, "steps must be a whole number >= 0, got 1.5"),
        ({"inputs": {"ghost": np.ones((4, 3))}}, "inputs: there is no input 'ghost'; known: in"),
        (
            {"inputs": {"in": np.ones((3, 4))}},
            "inputs['in'] must be numbers of shape (4, 3) = (steps, neurons), got float64 (3, 4); transpose them",
        ),
        (
            {"inputs": {"in": np.full((4, 3), "x")}},
            "inputs['in'] must be numbers of shape (4, 3) = (steps, neurons), got <U1 (4, 3)",
        ),
        ({"inputs": {"in": np.full((4, 3), math.nan)}}, "inputs['in'] must be finite"),
        (
            {"inputs": {"in": [[1], [1, 2], [], []]}},
            "inputs['in'] must be numbers of shape (4, 3) = (steps, neurons), got object (4,)",
        ),
        ({"inputs": np.ones((4, 3))}, "inputs must be a dictionary from names to arrays, got ndarray"),
        ({"modulators": [1.0]}, "modulators must be a dictionary from names to arrays, got list"),
        ({"modulators": {"dopamine": np.ones(4)}}, "there is no modulator 'dopamine'; known: reward, teacher"),
        (
            {"modulators": {"reward": np.ones(3)}},
            "modulators['reward'] must be numbers of shape (4,), got float64 (3,)",
        ),
        ({"modulators": {"reward": 1.0}}, "modulators['reward'] must be numbers of shape (4,), got float64 ()"),
        ({"modulators": {"reward": "abcd"}}, "modulators['reward'] must be numbers of shape (4,), got <U4 ()"),
        (
            {"modulators": {"teacher": np.ones(4)}},
            "modulators['teacher'] must be numbers of shape (4, 2), got float64 (4,)",
        ),
        ({"modulators": {"reward": [1, 2, math.inf, 0]}}, "modulators['reward'] must be finite"),
    ],
)
def test_a_wrong_run_is_refused_before_it_starts(session: Session, arguments: dict[str, Any], says: str) -> None:
    assert says in refused(lambda: session.run(arguments.pop("steps", 4), **arguments))
    assert session.steps_run == 0
    assert session.run(2).steps == 2


def test_everything_wrong_with_a_run_is_named_at_once(session: Session) -> None:
    with pytest.raises(InputError) as caught:
        session.run(4, inputs={"in": np.ones(4), "ghost": 1}, modulators={"reward": np.ones(9)})
    assert len(caught.value.faults) == 3


def test_any_nonzero_entry_is_a_spike(session: Session) -> None:
    recording = session.run(2, inputs={"in": [[0, -2, 0.5], [0, 0, 1]]})
    assert recording.counts.populations["in"].spikes == 3


def test_modulators_of_size_one_take_either_shape() -> None:
    values = np.random.default_rng(0).normal(size=30)
    weights = []
    for shaped in (values, values[:, np.newaxis], values.tolist()):
        with nm.open(network()) as session:
            session.run(30, inputs={"in": np.arange(90).reshape(30, 3) % 4 == 0}, modulators={"reward": shaped})
            weights.append(session.read("full.weight"))
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])
    assert np.any(weights[0] != 0.5)


def test_no_steps_are_a_run_too(session: Session) -> None:
    recording = session.run(0)
    assert recording.steps == 0 and len(recording.spikes["out"]) == 0 and recording.states["out", "v"].shape == (0, 2)
    assert recording.states["full", "weight"].shape == (0, 6)


def test_probes_count_the_steps_of_the_session_and_not_of_the_run(session: Session) -> None:
    sampled = [session.run(steps).state_steps["full", "weight"].tolist() for steps in (3, 3, 6)]
    assert sampled == [[], [0], [1, 5]]


def test_a_closed_session_says_so_and_may_be_closed_again(session: Session) -> None:
    session.close()
    session.close()
    for call in (
        lambda: session.run(1),
        lambda: session.read("out.v"),
        lambda: session.write("out.v", 0.0),
        session.reset,
    ):
        with pytest.raises(SimulatorError, match="this reference session was closed: open a new one"):
            call()


class Broken(Session):
    """A simulator that fails in its third step."""

    closed = 0

    def _advance(
        self, steps: int, inputs: Mapping[str, Any], modulators: Mapping[str, Any], beat: Callable[[], None]
    ) -> Advance:
        raise ZeroDivisionError("in the simulator")

    def _read(self, owner: str, variable: str) -> Any:
        return np.zeros(6)

    def _write(self, owner: str, variable: str, values: Any) -> None: ...

    def _reset(self) -> None: ...

    def _close(self) -> None:
        self.closed += 1


def test_a_session_that_failed_is_closed_once_and_says_why() -> None:
    session = Broken(nm.compile(network()), backend="broken", seed=0, stall_second=5.0)
    with pytest.raises(
        SimulatorError, match=r"(?s)backend 'broken' failed while it ran .*in _advance.*in the simulator"
    ):
        session.run(1)
    with pytest.raises(SimulatorError, match="was closed after it failed with ZeroDivisionError: in the simulator"):
        session.run(1)
    session.close()
    assert session.closed == 1


def test_the_third_factor_is_the_weighted_sum_of_modulators() -> None:
    values = {"a": np.array([[1.0], [2.0]]), "b": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    assert reward(values, {}, 0) is None
    assert reward(values, {"a": 0.5}, 1) == np.array([1.0])
    np.testing.assert_array_equal(reward(values, {"a": 1.0, "b": -1.0}, 1), [-2.0, -3.0, -4.0])


def test_states_that_are_due_are_the_same_however_a_run_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    net = nm.Network(
        populations=[nm.Population("out", 3, nm.LIF(bias=[0.1, 0.2, 0.3]))],
        probes=[nm.Probe("out"), nm.Probe("out", "v", every=7e-3), nm.Probe("out", "u")],
    )
    whole = nm.run(net, 100)
    monkeypatch.setattr("neuromorph.session.STATE_VALUES", 31)
    cut = nm.run(net, 100)
    assert whole.states["out", "v"].shape == (14, 3)
    assert cut.state_steps["out", "v"].tolist() == list(range(6, 100, 7))
    for key, values in whole.states.items():
        assert np.array_equal(cut.states[key], values)
    assert cut.spikes["out"].equals(whole.spikes["out"])


def test_a_second_thread_is_refused_and_the_first_goes_on() -> None:
    program = nm.compile(network())
    refused: list[BaseException] = []
    entered, done = threading.Event(), threading.Event()

    class Waits(Broken):
        def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Any) -> Advance:
            entered.set()
            done.wait(20)
            spikes = {p.name: SpikeTrain(np.zeros(0), np.zeros(0), (steps, p.size)) for p in self.program.populations}
            states = {key: np.zeros((steps, self.program.sizes[key[0]])) for key in self.state_probes}
            return Advance(spikes=spikes, states=states)

    session = Waits(program, backend="waits", seed=0, stall_second=60.0)

    def second() -> None:
        entered.wait(20)
        try:
            session.run(1)
        except SimulatorError as error:
            refused.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=second)
    thread.start()
    session.run(1)
    thread.join()
    assert len(refused) == 1
    assert "in use in another thread" in str(refused[0])


def test_a_simulator_that_hands_back_too_little_is_named() -> None:
    class Short(Broken):
        def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Any) -> Advance:
            return Advance(spikes={}, states={})

    with pytest.raises(SimulatorError, match="backend 'short' gave nothing as the spikes of 'out'"):
        Short(nm.compile(network()), backend="short", seed=0, stall_second=5.0).run(1)


def train(events: list[tuple[int, int]], shape: tuple[int, int] = (4, 3)) -> SpikeTrain:
    return SpikeTrain(np.array([step for step, _ in events]), np.array([neuron for _, neuron in events]), shape)


@pytest.mark.parametrize(
    ("fed", "says"),
    [
        (train([], (3, 3)), "must be a SpikeTrain of shape (4, 3) = (steps, neurons), got (3, 3)"),
        (train([(0, 0), (4, 0)]), "must have steps within 0..3, got 4"),
        (train([(-1, 0), (2, 0)]), "must have steps within 0..3, got -1"),
        (train([(0, 3)]), "must have ids within 0..2, got 3"),
        (train([(0, -2)]), "must have ids within 0..2, got -2"),
        (
            train([(1, 2), (1, 1)]),
            "must be in order of step and then neuron, each spike once, got (step 1, neuron 1) after (step 1, neuron 2)",
        ),
        (
            train([(0, 1), (3, 1), (3, 1)]),
            "must be in order of step and then neuron, each spike once, got (step 3, neuron 1) after (step 3, neuron 1)",
        ),
        (
            SpikeTrain(np.array([1, 2]), np.array([1]), (4, 3)),
            "must have one step and one neuron for each spike, got (2,) and (1,)",
        ),
    ],
)
def test_wrong_events_are_refused_before_anything_runs(session: Session, fed: SpikeTrain, says: str) -> None:
    assert refused(lambda: session.run(4, inputs={"in": fed})) == f"inputs['in'] {says}"
    assert session.steps_run == 0


def test_everything_wrong_with_events_is_named_at_once(session: Session) -> None:
    with pytest.raises(InputError) as caught:
        session.run(4, inputs={"in": train([(9, 9)])}, modulators={"reward": np.ones(9)})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("backend", ["reference", "nengo", "nengo-loihi", "lava"])
def test_events_do_what_rows_do(backend: str) -> None:
    try:
        registry.get(backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    rng = np.random.default_rng(5)
    rows, rewards = rng.random((60, 3)) < 0.3, rng.normal(size=60)
    with nm.open(network(), backend=backend) as dense, nm.open(network(), backend=backend) as sparse:
        expected = dense.run(60, inputs={"in": rows}, modulators={"reward": rewards})
        found = sparse.run(60, inputs={"in": SpikeTrain.from_dense(rows)}, modulators={"reward": rewards})
        np.testing.assert_array_equal(sparse.read("full.weight"), dense.read("full.weight"))
    assert found.spikes["out"].equals(expected.spikes["out"])
    assert found.counts == expected.counts


class Relays(EventSession):
    """Every population sends what the input sent in the same step; it keeps what it was handed."""

    def __init__(self, program: nm.Program) -> None:
        super().__init__(program, backend="relays", seed=0, stall_second=60.0)
        self.handed: list[Mapping[str, SpikeTrain]] = []

    def _advance_events(
        self, steps: int, inputs: Mapping[str, SpikeTrain], modulators: Mapping[str, Any], beat: Callable[[], None]
    ) -> Advance:
        self.handed.append(inputs)
        assert all(values.flags.c_contiguous and values.dtype == np.float64 for values in modulators.values())
        spikes = {
            p.name: SpikeTrain(inputs["in"].steps, inputs["in"].ids % p.size, (steps, p.size))
            for p in self.program.populations
        }
        return Advance(spikes=spikes, states={key: np.zeros((steps, 2)) for key in self.state_probes})

    def _read(self, owner: str, variable: str) -> Any:
        return np.zeros(6)

    def _write(self, owner: str, variable: str, values: Any) -> None: ...

    def _reset(self) -> None: ...

    def _close(self) -> None: ...


def test_a_session_of_events_is_handed_events_whatever_was_given() -> None:
    program = nm.compile(network()).with_all_spikes()
    rows = np.random.default_rng(1).random((10, 3)) < 0.4
    rewards = np.asfortranarray(np.ones((10, 2), dtype=np.float32))
    session = Relays(program)
    for given in (rows, rows.astype(float), rows.tolist(), SpikeTrain.from_dense(rows), None):
        inputs = {} if given is None else {"in": given}
        recording = session.run(10, inputs=inputs, modulators={"teacher": rewards})
        expected = SpikeTrain.from_dense(rows if given is not None else np.zeros((10, 3)))
        assert session.handed[-1]["in"].equals(expected)
        assert recording.spikes["in"].equals(expected)
    assert session._advance(10, {"in": rows}, {}, lambda: None).spikes["out"].shape == (10, 2)


def test_pieces_of_a_run_are_handed_their_part_of_the_events() -> None:
    session = Relays(nm.compile(network()))  # the weights are read every 4 steps
    rows = np.random.default_rng(1).random((10, 3)) < 0.4
    session.run(10, inputs={"in": SpikeTrain.from_dense(rows)})
    assert [handed["in"].shape for handed in session.handed] == [(4, 3), (4, 3), (2, 3)]
    assert SpikeTrain.joined([handed["in"] for handed in session.handed]).equals(SpikeTrain.from_dense(rows))


def test_states_of_chunks_join_to_those_of_one_run() -> None:
    net = nm.Network(
        populations=[nm.Population("out", 2, nm.LIF(bias=0.1))],
        probes=[nm.Probe("out", "v", every=5e-3), nm.Probe("out", "u")],
    )
    with nm.open(net) as cut, nm.open(net) as whole:
        pieces = [cut.run(steps) for steps in (3, 1, 1, 0, 12, 5)]
        entire = whole.run(22)
    for key in entire.states:
        np.testing.assert_array_equal(np.concatenate([piece.states[key] for piece in pieces]), entire.states[key])
        steps = np.concatenate([piece.state_steps[key] + piece.first_step for piece in pieces])
        np.testing.assert_array_equal(steps, entire.state_steps[key])
