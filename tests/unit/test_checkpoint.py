"""A session that was saved goes on bit for bit, wherever it is resumed; anything else in the file is one error."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import neuromorph as nm
from neuromorph.backend import Session
from neuromorph.backends.reference import ReferenceBackend, ReferenceSession
from neuromorph.checkpoint import Checkpoint, state_layout
from neuromorph.errors import BackendUnavailable, InputError, SimulatorError, UnsupportedError
from neuromorph.fixed_plastic_state import _Draws
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import Recording, write_archive
from neuromorph.testing import Case, every_case, random_case, random_fixed_case

CASES = {case.name: case for case in every_case()}


def watched(program: Program) -> Program:
    """The program with everything probed that can be."""
    probes = [(name, "spikes") for name in program.sizes]
    probes += [(p.name, variable) for p in program.populations for variable in ("u", "v")]
    for projection in program.projections:
        tag = projection.rule is not None and projection.rule.dt is not None
        probes += [(projection.name, variable) for variable in ("weight", "tag")[: 1 + tag]]
    return program.with_probes([ProbeProgram(target=t, variable=v, every=1 if v == "spikes" else 3) for t, v in probes])


def run(session: Session, case: Case, start: int, stop: int) -> Recording:
    return session.run(
        stop - start,
        inputs={name: rows[start:stop] for name, rows in case.inputs.items()},
        modulators={name: rows[start:stop] for name, rows in case.modulators.items()},
    )


def same_recording(mine: Recording, other: Recording) -> None:
    assert (mine.first_step, mine.steps, mine.counts) == (other.first_step, other.steps, other.counts)
    assert mine.program_fingerprint == other.program_fingerprint
    for name, train in other.spikes.items():
        assert mine.spikes[name].equals(train), name
    for key, values in other.states.items():
        np.testing.assert_array_equal(mine.states[key], values, err_msg=str(key))
        np.testing.assert_array_equal(mine.state_steps[key], other.state_steps[key])


def same_variables(mine: Session, other: Session) -> None:
    for name in other.variables():
        values, expected = mine.read(name), other.read(name)
        if scipy.sparse.issparse(expected):
            values, expected = values.toarray(), expected.toarray()
        np.testing.assert_array_equal(values, expected, err_msg=name)


def hold(program: Program, case: Case, cuts: list[int], folder: Path, **options: Any) -> None:
    """One session runs on; another is saved, closed and resumed at every cut."""
    with nm.open(program, seed=3, **options) as whole:
        parts = nm.open(program, seed=3, **options)
        start = 0
        for stop in [*cuts, case.steps]:
            same_recording(run(parts, case, start, stop), run(whole, case, start, stop))
            parts.save(folder / "c.npz")
            parts.close()
            parts, start = nm.resume(folder / "c.npz"), stop
            same_variables(parts, whole)
            assert (parts.steps_run, parts.seed, parts.backend) == (stop, 3, "reference")
        parts.close()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("draw", [random_case, random_fixed_case])
def test_a_random_program_goes_on_wherever_it_was_cut(draw: Any, seed: int, tmp_path: Path) -> None:
    case = draw(seed, steps=150)
    cuts = sorted(np.random.default_rng(seed).integers(0, 151, 3).tolist())
    hold(watched(case.program), case, cuts, tmp_path)


@pytest.mark.parametrize("name", ["chain", "refractory", "several_delays", "epoch", "sparse_dependency", "tag"])
def test_a_feature_goes_on_from_a_step_in_mid_epoch(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    hold(watched(case.program), case, [case.steps // 3 | 1], tmp_path)


@pytest.mark.parametrize(
    "conventions",
    [
        {"plasticity_timing": "arrived"},
        {"delay_convention": "one step later"},
        {"delay_convention": "one step sooner"},
        {"plasticity_timing": "arrived", "delay_convention": "one step later", "weight_timing": "after learning"},
        {"reset": "subtract", "threshold_comparison": ">=", "coincidence": "unseen"},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [1, 5, 8])
def test_conventions_of_other_tools_go_on_too(conventions: Any, seed: int, tmp_path: Path) -> None:
    case = random_case(seed, steps=80)
    hold(watched(dataclasses.replace(case.program, **conventions)), case, [0, 5, 33], tmp_path)


@pytest.mark.parametrize("whole", [False, True])
def test_random_numbers_follow_from_how_many_were_drawn(whole: bool) -> None:
    drawn, moved = _Draws(7, whole=whole), _Draws(7, whole=whole)
    for draws in range(40):
        moved.move_to(draws)
        assert moved.value == drawn.value
        drawn.advance()
        moved.advance()
        assert moved.value == drawn.value
    moved.move_to(10**15)  # at once
    later = moved.value
    moved.move_to(10**15 - 1)
    moved.advance()
    assert moved.value == later


def test_what_was_written_is_kept_and_static_weights_take_room_only_where_they_were(tmp_path: Path) -> None:
    case = CASES["sparse"]
    with nm.open(case.program) as session:
        session.save(tmp_path / "before.npz")
        for name in session.variables():
            if name.rpartition(".")[2] in ("weight", "bias", "v_threshold"):
                session.write(name, 0.25)
        session.save(tmp_path / "after.npz")
        with nm.resume(tmp_path / "after.npz") as resumed:
            same_variables(resumed, session)
            same_recording(run(resumed, case, 0, 100), run(session, case, 0, 100))
    with np.load(tmp_path / "before.npz") as before, np.load(tmp_path / "after.npz") as after:
        static = sum(p.rule is None for p in case.program.projections)
        assert len(after.files) == len(before.files) + static > len(before.files)


def test_options_of_the_backend_are_those_of_the_session_that_was_saved(tmp_path: Path) -> None:
    case = CASES["learning in integers"] if "learning in integers" in CASES else random_fixed_case(2, steps=100)
    hold(watched(case.program), case, [41], tmp_path, rounding_seed=9)
    with nm.open(case.program, rounding_seed=9) as session:
        session.save(tmp_path / "c.npz")
    assert Checkpoint.load(tmp_path / "c.npz").options == {"rounding_seed": 9}


def test_another_process_goes_on_from_the_file(tmp_path: Path) -> None:
    case = random_fixed_case(3, steps=80)
    with nm.open(case.program.with_all_spikes(), seed=4) as session:
        run(session, case, 0, 33)
        session.save(tmp_path / "c.npz")
        expected = run(session, case, 33, 80)
    np.savez(tmp_path / "fed.npz", **{f"i.{k}": v[33:] for k, v in case.inputs.items()},
             **{f"m.{k}": v[33:] for k, v in case.modulators.items()})  # fmt: skip
    code = (
        "import numpy as np, neuromorph as nm\n"
        "fed = np.load('fed.npz')\n"
        "given = {side: {k[2:]: fed[k] for k in fed.files if k[0] == side} for side in 'im'}\n"
        "with nm.resume('c.npz') as session:\n"
        "    session.run(47, inputs=given['i'], modulators=given['m']).save('r.npz')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    same_recording(Recording.load(tmp_path / "r.npz"), expected)


def test_a_session_can_go_back_to_a_checkpoint(tmp_path: Path) -> None:
    case = random_fixed_case(5, steps=90)
    with nm.open(watched(case.program)) as session:
        run(session, case, 0, 40)
        session.save(tmp_path / "c.npz")
        first = run(session, case, 40, 90)
        session.restore(Checkpoint.load(tmp_path / "c.npz"))
        same_recording(run(session, case, 40, 90), first)


def test_a_checkpoint_of_another_program_or_seed_is_refused(tmp_path: Path) -> None:
    with nm.open(CASES["plain"].program) as session:
        session.save(tmp_path / "c.npz")
    checkpoint = Checkpoint.load(tmp_path / "c.npz")
    for program, seed in ((CASES["delay"].program, 0), (CASES["plain"].program, 1)):
        with (
            nm.open(program, seed=seed) as other,
            pytest.raises(InputError, match=r"the checkpoint is of program .* use neuromorph.resume"),
        ):
            other.restore(checkpoint)  # fmt: skip


@pytest.mark.parametrize("backend", ["nengo", "nengo-loihi", "lava"])
def test_backends_without_checkpoints_say_so(backend: str, tmp_path: Path) -> None:
    program = CASES["plain"].program
    try:
        session = nm.open(program, backend=backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    with session:
        with pytest.raises(
            UnsupportedError, match=f"^backend '{backend}' has no checkpoints: what its simulator holds"
        ):
            session.save(tmp_path / "c.npz")
        assert session.run(1).steps == 1
        with nm.open(program) as reference:
            reference.save(tmp_path / "c.npz")
        with pytest.raises(UnsupportedError, match=f"^backend '{backend}' has no checkpoints"):
            session.restore(Checkpoint.load(tmp_path / "c.npz"))
        assert session.steps_run == 1
    with pytest.raises(UnsupportedError, match=f"^backend '{backend}' has no checkpoints and cannot .* on 'reference'"):
        nm.resume(tmp_path / "c.npz", backend=backend)


def test_a_closed_session_is_not_saved(tmp_path: Path) -> None:
    session = nm.open(CASES["plain"].program)
    session.close()
    with pytest.raises(SimulatorError, match="was closed"):
        session.save(tmp_path / "c.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"out.u": None}, "out.u lacks"),
        ({"out.x": np.zeros(3)}, "there is no out.x in the program"),
        ({"out.v": np.zeros(9)}, "out.v must be float64 of shape (4), got float64 (9,)"),
        ({"out.v": np.zeros(4, dtype=np.float32)}, "out.v must be float64 of shape (4), got float32 (4,)"),
        ({"out.waiting": np.full(4, -1)}, "out.waiting must be >= 0, got -1"),
        ({"in->out.pre_time": np.full(3, 99)}, "in->out.pre_time must be >= 0 and <= 1, got 99"),
    ],
    ids=lambda item: str(item)[:40],
)
def test_a_state_that_does_not_fit_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=nm.STDP())],
    )

    class Other(ReferenceSession):  # type: ignore[misc]
        def _state(self) -> dict[str, Any]:
            changed = {**super()._state(), **change}
            return {name: values for name, values in changed.items() if values is not None}

    program = nm.compile(net)
    with Other(program, backend="other", seed=0, stall_second=60.0) as session:
        with pytest.raises(SimulatorError) as caught:
            session.save(tmp_path / "c.npz")
        assert str(caught.value) == f"backend 'other' gave no whole state: {says}"
        whole = Checkpoint(
            program=program, backend="other", options={}, seed=0, steps_run=0, state=session._state(), recent={}
        )
        with pytest.raises(InputError) as refused:
            session.restore(whole)
        assert str(refused.value) == says


def test_integers_of_a_chip_stay_whole(tmp_path: Path) -> None:
    case = random_fixed_case(1, steps=20)
    with nm.open(case.program) as session:
        state = {name: values.copy() for name, values in session._state().items()}
        name = next(name for name in state if name.endswith(".u"))
        state[name][0] += 0.5
        broken = Checkpoint(
            program=case.program, backend="reference", options={}, seed=0, steps_run=0, state=state, recent={}
        )
        with pytest.raises(InputError, match=f"^{name} must be whole in fixed point, got"):
            session.restore(broken)


def test_the_layout_names_what_the_reference_has() -> None:
    for case in CASES.values():
        with nm.open(case.program) as session:
            assert set(session._state()) == set(state_layout(case.program))


def test_an_option_that_no_file_can_hold_is_named(tmp_path: Path) -> None:
    with nm.open(CASES["plain"].program) as session:
        session.options = {"table": {}}
        with pytest.raises(InputError, match=r"^option 'table' of backend 'reference' is no text or number"):
            session.save(tmp_path / "c.npz")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "c.npz"
    case = random_case(8, steps=40)
    with nm.open(case.program) as session:
        run(session, case, 0, 40)
        session.save(path)
    return path


def test_a_truncated_file_is_one_clear_error(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    for length in np.linspace(0, len(content) - 1, 60).astype(int):
        (tmp_path / "c.npz").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"c\.npz' is not a 'neuromorph checkpoint 1' file: "):
            nm.resume(tmp_path / "c.npz")


def test_a_file_with_a_wrong_byte_is_an_error_or_says_the_same(saved: Path, tmp_path: Path) -> None:
    content, rng = saved.read_bytes(), np.random.default_rng(0)
    whole, refused = Checkpoint.load(saved), 0
    for place in rng.integers(0, len(content), 400):
        wrong = bytearray(content)
        wrong[place] ^= int(rng.integers(1, 256))
        (tmp_path / "c.npz").write_bytes(wrong)
        try:
            found = Checkpoint.load(tmp_path / "c.npz")
        except InputError:
            refused += 1
            continue
        assert (found.seed, found.steps_run, found.program.fingerprint) == (0, 40, whole.program.fingerprint)
        assert all(np.array_equal(found.state[name], values) for name, values in whole.state.items())
        assert all(found.recent[name].equals(train) for name, train in whole.recent.items())
    assert refused > 200


def changed(saved: Path, path: Path, change: Mapping[str, Any]) -> None:
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays.pop("header").tobytes())
    write_archive(path, {**header, **change}, arrays)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "neuromorph checkpoint 2"}, "holds 'neuromorph checkpoint 2', not 'neuromorph checkpoint 1'"),
        ({"program_format": "neuromorph program 9"}, "holds a 'neuromorph program 9', and this version reads"),
        ({"fingerprint": "0"}, "was changed after it was saved: its program's fingerprint does not match"),
        ({"program": {}}, "is not a whole checkpoint: KeyError"),
        ({"state": []}, "lacks"),
        ({"seed": -1}, "seed and steps_run must be >= 0, got -1 and 40"),
        ({"steps_run": None}, "is not a whole checkpoint: TypeError"),
        ({"recent": [["ghost", 3, 4]]}, "hold spikes of ghost"),
        ({"backend": "ghost"}, "there is no backend 'ghost'"),
        ({"options": {"colour": 1}}, "backend 'reference' has no option colour"),
    ],
    ids=lambda item: str(item)[:40],
)
def test_a_header_that_says_something_else_is_refused(change: Any, says: str, saved: Path, tmp_path: Path) -> None:
    changed(saved, tmp_path / "c.npz", change)
    with pytest.raises((InputError, BackendUnavailable)) as caught:
        nm.resume(tmp_path / "c.npz")
    assert says in str(caught.value)


def test_files_of_other_kinds_are_refused(saved: Path, tmp_path: Path) -> None:
    case = CASES["plain"]
    case.program.save(tmp_path / "program.npz")
    nm.run(case.program, 5).save(tmp_path / "recording.npz")
    (tmp_path / "text.npz").write_text("a checkpoint, on my word")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "pickled.npz", header=np.array([{}], dtype=object))
    np.savez(tmp_path / "bare.npz", header=np.zeros(3))
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(InputError, match=r"neuromorph checkpoint 1'"):
            nm.resume(path)
    with pytest.raises(InputError, match="there is no file"):
        nm.resume(tmp_path / "nothing.npz")
    with pytest.raises(InputError, match="is not a 'neuromorph checkpoint 1' file"):
        nm.resume(tmp_path)


def test_a_session_that_failed_to_restore_says_so(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint.load(saved)
    session = nm.open(checkpoint.program)
    monkeypatch.setattr(ReferenceSession, "_set_state", lambda self, state: {}["half"])
    with pytest.raises(SimulatorError, match="backend 'reference' failed to restore"):
        session.restore(checkpoint)
    with pytest.raises(SimulatorError, match="was closed after it failed with KeyError: 'half'"):
        session.run(1)


def test_a_session_that_cannot_be_restored_is_closed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []

    def fails(self: ReferenceSession, state: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ReferenceSession, "_set_state", fails)
    monkeypatch.setattr(ReferenceSession, "_close", lambda self: closed.append(1))
    with pytest.raises(SimulatorError, match="failed to restore"):
        nm.resume(saved, backend=ReferenceBackend())
    assert closed == [1]
