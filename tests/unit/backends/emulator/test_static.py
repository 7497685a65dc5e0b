"""Static programs give the reference's spikes and states to the bit, whatever the storage, the chunks and the threads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromorph.backends.emulator import EmulatorBackend
from neuromorph.backends.emulator import session as emulator_session
from neuromorph.backends.emulator.binding import level_names, library_path
from neuromorph.backends.emulator.network import LoadedNetwork
from neuromorph.backends.emulator.session import EmulatorSession
from neuromorph.backends.emulator.storage import (
    DELTA,
    DENSE,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    SPARSE,
    UINT8,
)
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.capabilities import FEATURES
from neuromorph.checkpoint import Checkpoint
from neuromorph.errors import InputError
from neuromorph.inputs import Input
from neuromorph.parts import PopulationProgram, ProbeProgram, ProjectionProgram
from neuromorph.program import Program
from neuromorph.recording import Recording
from neuromorph.testing.case import Case
from neuromorph.testing.integers import integer_neurons, integer_synapses
from neuromorph.testing.random_cases import random_case
from neuromorph.testing.random_fixed import random_fixed_case

pytestmark = pytest.mark.skipif(library_path() is None, reason="the kernel was not compiled")

LEARNING = {"tag", "epoch", "sparse_dependency", "second_traces", "non_decaying_trace", "factors", "weight_bounds"}
STATIC = [name for name in FEATURES if name not in LEARNING and "learning" not in name and "third" not in name]
STEPS = 60


def probed(program: Program) -> Program:
    """The same program, every spike and state recorded."""
    return program.with_probes(
        ProbeProgram(target=population.name, variable=variable, every=1)
        for population in program.populations
        for variable in ("spikes", *population.states)
    )


def in_pieces(backend: Any, program: Program, inputs: Mapping[str, Any], steps: int, seed: int) -> list[Recording]:
    rng, row, found = np.random.default_rng(seed), 0, []
    with backend.open(program) as session:
        while row < steps:
            count = min(int(rng.integers(1, 40)), steps - row)
            fed = {name: rows[row : row + count] for name, rows in inputs.items()}
            found.append(session.run(count, inputs=fed))
            row += count
    return found


def assert_equal(expected: Recording, pieces: list[Recording]) -> None:
    for key, values in expected.states.items():
        assert np.array_equal(values, np.concatenate([piece.states[key] for piece in pieces])), key
    for name, train in expected.spikes.items():
        assert np.array_equal(np.asarray(train), np.concatenate([np.asarray(piece.spikes[name]) for piece in pieces]))


def held_to_the_reference(program: Program, inputs: Mapping[str, Any], steps: int) -> Recording:
    """The reference's recording; one thread and two, in pieces, must give the same."""
    program = probed(program)
    with ReferenceBackend().open(program) as session:
        expected = session.run(steps, inputs=inputs)
    for threads in (1, 2):
        assert_equal(expected, in_pieces(EmulatorBackend(threads=threads), program, inputs, steps, seed=threads))
    return expected


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("draw", [random_case, random_fixed_case])
def test_random_programs_are_equal_to_the_bit(draw: Any, seed: int) -> None:
    case: Case = draw(1000 + seed, features_allowed=STATIC, steps=200)
    assert len(held_to_the_reference(case.program, case.inputs, case.steps).spikes)


def real_neurons(name: str, size: int, **changes: Any) -> PopulationProgram:
    values = {"decay_u": 0.7, "decay_v": 0.9, "threshold": 5.0, "bias": 0.01, "refractory": 0} | changes
    return PopulationProgram(name=name, size=size, **{key: np.broadcast_to(v, size) for key, v in values.items()})


def real_program(weights: Any, share: float = 1.0, delay: Any = 1, **neurons: Any) -> Program:
    """Inputs onto one population, weights (post, pre) of which a share exists."""
    post, pre = np.asarray(weights).shape
    exists = np.random.default_rng(1).random((post, pre)) < share
    synapses = integer_synapses("in", "out", weights, exists=exists, delay=delay)
    return Program(
        name="one projection",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", pre)],
        populations=[real_neurons("out", post, **neurons)],
        projections=[synapses.with_changes(sign_mode="none")],
    )


def spikes(size: int, rate: float, steps: int = STEPS) -> dict[str, Any]:
    return {"in": np.random.default_rng(2).random((steps, size)) < rate}


def kinds_of(program: Program) -> tuple[int, int]:
    with EmulatorBackend(threads=1).open(program) as session:
        assert isinstance(session, EmulatorSession)
        (kept,) = session._net._storage.values()
        return kept.weight, kept.format


WEIGHTS: Mapping[str, tuple[int, Any]] = {
    "int8": (INT8, lambda rng, shape: rng.integers(-128, 128, shape)),
    "int8 of a 64th": (INT8, lambda rng, shape: rng.integers(-128, 128, shape) / 64),
    "uint8": (UINT8, lambda rng, shape: rng.integers(1, 256, shape) / 32),
    "uint8 below zero": (UINT8, lambda rng, shape: -rng.integers(1, 256, shape) / 8),
    "int16": (INT16, lambda rng, shape: rng.integers(-(2**15), 2**15, shape) / 1024),
    "float32": (FLOAT32, lambda rng, shape: rng.normal(0.1, 1, shape).astype(np.float32).astype(np.float64)),
    "float64": (FLOAT64, lambda rng, shape: rng.normal(0.1, 1, shape)),
}


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("share", [1.0, 0.3, 0.02])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_each_kind_of_storage_is_equal_on_each_instruction_set(
    kind: str, share: float, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if level >= len(level_names()):
        pytest.skip("this processor lacks the instructions")
    monkeypatch.setattr(emulator_session, "LoadedNetwork", partial(LoadedNetwork, level=level))
    weight, draw = WEIGHTS[kind]
    program = real_program(draw(np.random.default_rng(0), (1100, 150)), share, bias=0.4)
    stored, form = kinds_of(program)
    assert stored == weight
    assert form == (SPARSE if share == 0.02 or (share == 0.3 and weight in (FLOAT32, FLOAT64)) else DENSE)
    held_to_the_reference(program, spikes(150, 0.1), STEPS)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.05])
@pytest.mark.parametrize("weight", [127.0, -127.0, 255.0])
def test_hundreds_of_largest_weights_in_a_step_do_not_overflow(weight: float, share: float) -> None:
    weights = np.full((70, 1500), weight)
    weights[0, 0] = 1.0
    program = real_program(weights, share, threshold=1e5)
    recording = held_to_the_reference(program, spikes(1500, 0.9, 20), 20)
    assert np.abs(recording.states["out", "u"]).max() > 2**15 * min(1.0, 2 * share)


def test_distances_beyond_16_bits_are_bridged() -> None:
    rng, size = np.random.default_rng(3), 300_000
    post = np.sort(rng.choice(size, 40, replace=False))
    projection = ProjectionProgram(
        name="far",
        pre="in",
        post="out",
        pre_size=3,
        post_size=size,
        post_index=post,
        pre_index=rng.integers(0, 3, post.size),
        weight=rng.integers(1, 100, post.size),
        delay=np.ones(post.size),
    )
    program = Program(
        name="far",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", 3)],
        populations=[real_neurons("out", size, bias=0.0)],
        projections=[projection],
    )
    assert kinds_of(program)[1] == DELTA
    held_to_the_reference(program, spikes(3, 0.4, 8), 8)


@pytest.mark.parametrize("kind", ["int8 of a 64th", "int16", "float64"])
def test_delays_of_their_own_are_equal(kind: str) -> None:
    rng = np.random.default_rng(4)
    weights = WEIGHTS[kind][1](rng, (130, 90))
    held_to_the_reference(real_program(weights, 0.5, rng.integers(1, 9, (130, 90)), bias=0.3), spikes(90, 0.1), STEPS)


@pytest.mark.parametrize("exponent", [-7, -1, 7])
@pytest.mark.parametrize("delays", ["one", "several"])
def test_exponents_shift_what_is_sent_together(exponent: int, delays: str) -> None:
    rng = np.random.default_rng(5)
    delay = rng.integers(1, 6, (40, 60)) if delays == "several" else 3
    synapses = integer_synapses("in", "out", rng.integers(-128, 128, (40, 60)) * 2, exponent=exponent, delay=delay)
    program = Program(
        name="shifts",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", 60)],
        populations=[integer_neurons("out", 40, threshold=30, refractory=rng.integers(0, 4, 40))],
        projections=[synapses],
        arithmetic="fixed",
        chip="loihi1",
    )
    held_to_the_reference(program, spikes(60, 0.1), STEPS)


def test_all_neurons_may_fire_in_every_step() -> None:
    program = real_program(np.ones((5000, 2)), bias=100.0)
    recording = held_to_the_reference(program, spikes(2, 0.5, 30), 30)
    assert len(recording.spikes["out"]) == 30 * 5000


@pytest.mark.parametrize("delay", [1, 4, "several"])
@pytest.mark.parametrize("values", ["as fine", "finer", "coarser", "real"])
def test_writes_between_runs_are_equal_with_spikes_under_way(values: str, delay: Any) -> None:
    rng = np.random.default_rng(6)
    delay = rng.integers(1, 5, (60, 50)) if delay == "several" else delay
    program = probed(real_program(rng.integers(-60, 100, (60, 50)) / 32, delay=delay))
    fed, written = spikes(50, 0.2), rng.integers(-60, 100, (60, 50))
    weights = {"as fine": written / 32, "finer": written / 512, "coarser": written / 1.0, "real": written * 0.1}[values]
    found = []
    for backend in (ReferenceBackend(), EmulatorBackend(threads=2)):
        with backend.open(program) as session:
            session.run(20, inputs={"in": fed["in"][:20]})
            session.write("in->out.weight", weights)
            session.write("out.v_threshold", np.where(np.arange(60) % 7, 4.0, np.inf))
            session.write("out.bias", np.linspace(-0.1, 0.4, 60))
            session.write("out.v", np.linspace(-1.0, 3.0, 60))
            first = session.run(30, inputs={"in": fed["in"][20:50]})
            assert np.array_equal(session.read("in->out.weight"), weights)
            session.reset()
            found.append([first, session.run(10, inputs={"in": fed["in"][50:]})])
    for expected, got in zip(*found, strict=True):
        assert_equal(expected, [got])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("draw", [random_case, random_fixed_case])
def test_a_checkpoint_goes_over_to_the_reference_and_back(draw: Any, seed: int, tmp_path: Any) -> None:
    case: Case = draw(2000 + seed, features_allowed=STATIC, steps=100)
    program = probed(case.program)
    halves = [{name: rows[part] for name, rows in case.inputs.items()} for part in (slice(50), slice(50, 100))]
    found = []
    backends = (ReferenceBackend(), EmulatorBackend(threads=2))
    for first, second in ((0, 0), (0, 1), (1, 0), (1, 1)):
        with backends[first].open(program) as session:
            session.run(50, inputs=halves[0])
            session.save(tmp_path / "half")
        with backends[second].open(program) as session:
            session.restore(Checkpoint.load(tmp_path / "half"))
            found.append(session.run(50, inputs=halves[1]))
    for other in found[1:]:
        assert_equal(found[0], [other])


@pytest.mark.parametrize("threads", [0, -1, 1.5, 65, True])
def test_threads_are_a_whole_number(threads: Any) -> None:
    with pytest.raises(InputError, match=r"EmulatorBackend.threads must be None or 1\.\.64"):
        EmulatorBackend(threads=threads)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    size=st.sampled_from([1, 15, 64, 130, 1100]),
    differ=st.booleans(),
    refractory=st.integers(0, 3),
)
def test_adapting_thresholds_are_equal_to_the_bit(seed: int, size: int, differ: bool, refractory: int) -> None:
    rng = np.random.default_rng(seed)
    each = size if differ else 1
    program = real_program(
        rng.uniform(0.0, 2.0, (size, 12)),
        decay_v=rng.uniform(0.3, 1.0, each),
        threshold=rng.uniform(0.5, 4.0, each),
        refractory=refractory,
        threshold_increment=rng.uniform(0.0, 3.0, size) * (rng.random(size) < 0.8),
        decay_threshold=rng.choice([0.0, 0.7, 0.97, 1.0], size),
    )
    assert len(held_to_the_reference(program, spikes(12, 0.3), STEPS).spikes["out"])
