"""Sessions of the Nengo and nengo-loihi backends: reading, writing, reset, failure and closing."""

import gc
import subprocess
import sys
import time
import tracemalloc
import weakref

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.connectors import FixedProbability
from neuromorph.discretise import discretise
from neuromorph.errors import SimulatorError, SimulatorStalled
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Probe, Projection
from neuromorph.neurons import LIF
from neuromorph.plasticity import STDP, RewardModulatedSTDP

MS = 1e-3  # s
NAMES = ["nengo", "nengo-loihi"]
PACKAGES = {"nengo": "nengo", "nengo-loihi": "nengo_loihi"}
# A function that each simulator calls once a step.
STEPPED = {
    "nengo": "neuromorph.backends.nengo.neurons.CubaLIF.step",
    "nengo-loihi": "neuromorph.backends.nengo_loihi.emulator.DoubleCompartments.update",
}


@pytest.fixture(params=NAMES)
def backend(request):
    found = registry.availability(request.param)
    if not found.available:
        pytest.skip(found.reason)
    return registry.get(request.param)


@pytest.fixture
def reference():
    return registry.get("reference")


@pytest.fixture(scope="module")
def program():
    rng = np.random.default_rng(0)
    return discretise(
        Network(
            populations=[
                Input("in", 6),
                Population("a", 5, LIF(refractory=2 * MS)),
                Population("b", 3, LIF(bias=0.01)),
            ],
            projections=[
                Projection("in", "a", rng.uniform(0, 0.6, (5, 6)), delay=5 * MS),
                Projection("a", "b", rng.uniform(0, 0.6, (3, 5)), plasticity=STDP(A_plus=0.02), name="plastic"),
                Projection(
                    "in",
                    "b",
                    FixedProbability(0.6, 0.3, seed=1),
                    plasticity=RewardModulatedSTDP(modulator="reward", learning_rate=0.05),
                    name="rewarded",
                ),
            ],
            modulators=[Modulator("reward")],
            probes=[
                Probe("a"),
                Probe("b"),
                Probe("a", "u"),
                Probe("b", "v"),
                Probe("plastic", "weight", every=10 * MS),
            ],
        )
    )


def fed(steps, seed=1):
    rng = np.random.default_rng(seed)
    return {"inputs": {"in": rng.random((steps, 6)) < 0.15}, "modulators": {"reward": rng.normal(size=steps)}}


def same(one, other):
    assert one.spikes.keys() == other.spikes.keys()
    assert all(one.spikes[name].equals(other.spikes[name]) for name in one.spikes)
    for key in one.states:
        np.testing.assert_array_equal(one.states[key], other.states[key])
        np.testing.assert_array_equal(one.state_steps[key], other.state_steps[key])


def dense(value):
    return value if isinstance(value, np.ndarray) else value.toarray()


def test_probes_hold_what_the_reference_s_hold(backend, reference, program):
    with backend.open(program) as mine, reference.open(program) as theirs:
        recording = mine.run(95, **fed(95))
        same(recording, theirs.run(95, **fed(95)))
    assert recording.states["plastic", "weight"].shape == (9, 15)
    assert recording.states["a", "u"].shape == (95, 5)
    assert len(recording.spikes["a"]) > 10


def test_every_variable_can_be_read_and_written_while_it_runs(backend, reference, program):
    rng = np.random.default_rng(2)
    with backend.open(program) as mine, reference.open(program) as theirs:
        same(mine.run(40, **fed(40)), theirs.run(40, **fed(40)))
        assert mine.variables() == theirs.variables()
        for name in mine.variables():
            np.testing.assert_array_equal(dense(mine.read(name)), dense(theirs.read(name)))
            value = theirs.read(name)
            changed = value * 1.1 if not isinstance(value, np.ndarray) else value + 0.01 * rng.random(value.shape)
            mine.write(name, changed)
            theirs.write(name, changed)
            np.testing.assert_array_equal(dense(mine.read(name)), dense(changed))
        same(mine.run(60, **fed(60, 3)), theirs.run(60, **fed(60, 3)))


def test_a_threshold_written_between_runs_acts_at_once(backend, program):
    with backend.open(program) as session:
        before = session.run(100, **fed(100))
        session.reset()
        session.write("a.v_threshold", 1e9)
        after = session.run(100, **fed(100))
    assert len(before.spikes["a"]) > 10
    assert len(after.spikes["a"]) == 0


def test_what_is_read_is_a_copy(backend, program):
    with backend.open(program) as session:
        session.read("a.v_threshold")[:] = 0.0
        session.read("plastic.weight")[:] = 0.0
        assert session.read("a.v_threshold").tolist() == [1.0] * 5
        assert session.read("plastic.weight").any()


def test_reset_forgets_spikes_that_are_under_way(backend, reference, program):
    burst = {"inputs": {"in": np.ones((3, 6))}}
    with backend.open(program) as mine, reference.open(program) as theirs:
        for session in (mine, theirs):
            session.run(3, **burst)
            session.reset()
        recording = mine.run(20)
        assert not recording.states["a", "u"].any()
        same(recording, theirs.run(20))


def test_reset_ends_refractory_periods(backend):
    network = Network(
        populations=[Input("in", 1), Population("a", 1, LIF(refractory=50 * MS))],
        projections=[Projection("in", "a", [[2.0]])],
        probes=[Probe("a")],
    )
    with backend.open(discretise(network)) as session:
        assert len(session.run(10, inputs={"in": np.ones((10, 1))}).spikes["a"]) == 1
        assert len(session.run(10, inputs={"in": np.ones((10, 1))}).spikes["a"]) == 0
        session.reset()
        assert len(session.run(10, inputs={"in": np.ones((10, 1))}).spikes["a"]) == 1


def test_reset_keeps_weights_and_time_and_repeats_the_run(backend, reference, program):
    with backend.open(program) as mine, reference.open(program) as theirs:
        same(mine.run(80, **fed(80)), theirs.run(80, **fed(80)))
        learned = mine.read("plastic.weight")
        mine.reset()
        theirs.reset()
        np.testing.assert_array_equal(mine.read("plastic.weight"), learned)
        for name in ("a.u", "a.v", "rewarded.tag", "plastic.x1", "plastic.y1"):
            assert not dense(mine.read(name)).any()
        again = mine.run(80, **fed(80))
        same(again, theirs.run(80, **fed(80)))
        assert again.first_step == 80


def test_two_sessions_of_one_program_do_not_disturb_each_other(backend, program):
    with backend.open(program) as alone:
        expected = alone.run(60, **fed(60))
    with backend.open(program) as one, backend.open(program) as other:
        first = one.run(30, **{kind: {k: v[:30] for k, v in given.items()} for kind, given in fed(60).items()})
        same(other.run(60, **fed(60)), expected)
        second = one.run(30, **{kind: {k: v[30:] for k, v in given.items()} for kind, given in fed(60).items()})
    assert len(first.spikes["a"]) + len(second.spikes["a"]) == len(expected.spikes["a"])


def test_seeds_change_nothing(backend, program):
    with backend.open(program, seed=0) as one, backend.open(program, seed=123) as other:
        same(one.run(60, **fed(60)), other.run(60, **fed(60)))


def test_opening_and_running_leaves_numpy_s_global_generator_alone(backend, program):
    before = np.random.get_state()  # noqa: NPY002  (what users who seed it rely on)
    with backend.open(program) as session:
        session.run(5)
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_an_error_of_the_simulator_is_a_simulator_error_with_its_traceback(backend, program, monkeypatch):
    def fail(*arguments, **named):
        raise RuntimeError("a core melted")

    with backend.open(program) as session:
        session.run(5)
        monkeypatch.setattr(STEPPED[backend.name], fail)
        with pytest.raises(SimulatorError, match=r"Traceback[\s\S]*in fail[\s\S]*RuntimeError: a core melted"):
            session.run(5)
        with pytest.raises(SimulatorError, match=r"closed after it failed with RuntimeError: a core melted"):
            session.run(5)


def test_an_interrupt_passes_through(backend, program, monkeypatch):
    def interrupt(*arguments, **named):
        raise KeyboardInterrupt

    with backend.open(program) as session:
        monkeypatch.setattr(STEPPED[backend.name], interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.run(5)


def test_a_step_that_never_ends_is_ended(backend, program, monkeypatch):
    def hang(*arguments, **named):
        deadline = time.monotonic() + 60.0  # Should nobody end it, the test fails.
        while time.monotonic() < deadline:
            time.sleep(0.01)

    with backend.open(program, stall_second=2.0) as session:
        monkeypatch.setattr(STEPPED[backend.name], hang)
        with pytest.raises(SimulatorStalled, match="hang"):
            session.run(5)


def test_every_step_is_a_sign_of_life(backend, program, monkeypatch):
    owner, _, function = STEPPED[backend.name].rpartition(".")
    module, _, kind = owner.rpartition(".")
    step = getattr(getattr(sys.modules[module], kind), function)
    stall_second = 3.0

    def slow(*arguments, **named):
        if time.monotonic() - began < 1.2 * stall_second:
            time.sleep(0.1)
        return step(*arguments, **named)

    with backend.open(program.with_all_spikes(), stall_second=stall_second) as session:
        monkeypatch.setattr(STEPPED[backend.name], slow)
        began = time.monotonic()
        session.run(40)
        assert time.monotonic() - began > stall_second


def simulators_and_states():
    kinds = {"Simulator", "Emulator", "PlasticState"}
    return {id(thing): thing for thing in gc.get_objects() if type(thing).__name__ in kinds}


def test_fifty_sessions_leak_nothing(backend, program):
    # What other tests hold is not counted: it is kept while this one runs, so that no new object takes its identity.
    others = simulators_and_states()
    gone, made = [], 0

    def use():
        with backend.open(program) as session:
            session.run(20, **fed(20))
            if not gone:
                nonlocal made
                made = len(simulators_and_states().keys() - others.keys())
        return weakref.ref(session)

    gone += [use() for _ in range(10)]
    gc.collect()
    kept = []  # blocks of memory; not bytes, as one table of Nengo's that grows by its nature takes tens of kilobytes at once
    tracemalloc.start()
    try:
        for sessions in (0, 20, 20):
            gone += [use() for _ in range(sessions)]
            gc.collect()
            kept.append(sum(place.count for place in tracemalloc.take_snapshot().statistics("lineno")))
    finally:
        tracemalloc.stop()
    assert [session() for session in gone] == [None] * 50
    assert made >= 2  # of each session, while it lives
    assert simulators_and_states().keys() <= others.keys()
    assert min(kept[1] - kept[0], kept[2] - kept[1]) < 20 * 20  # a closed session, kept alone, takes 40


def test_versions_are_told(backend):
    availability = backend.availability()
    assert availability.available
    assert {backend.name, "nengo", "numpy"} <= availability.versions.keys()


@pytest.mark.parametrize("name", NAMES)
def test_importing_and_running_warns_of_nothing(name):
    pytest.importorskip(PACKAGES[name])
    code = (
        "from neuromorph import registry\n"
        "from neuromorph.testing import minimal_cases\n"
        "case = minimal_cases()[0]\n"
        f"with registry.get({name!r}).open(case.program) as session:\n"
        "    session.run(case.steps, inputs=case.inputs)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
