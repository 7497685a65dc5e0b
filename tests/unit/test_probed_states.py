"""States that stream to files are those of memory, whatever happens on the way."""

import pickle
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.backend import Advance
from neuromorph.backends.reference import ReferenceSession
from neuromorph.errors import InputError, SimulatorError
from neuromorph.probed_states import GrowingFile
from neuromorph.recording import Recording
from neuromorph.session import Session


def network(*probes: nm.Probe) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF(bias=0.1))],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=0.0, w_max=1.0)),
                     nm.Projection("in", "out", nm.FixedProbability(0.0, seed=0), name="none")],
        probes=probes or [nm.Probe("out"), nm.Probe("out", "v"), nm.Probe("out", "u", every=3e-3),
                          nm.Probe("in->out", "weight", every=4e-3), nm.Probe("none", "weight", every=5e-3)],
    )  # fmt: skip


FED = {"in": np.random.default_rng(0).random((50, 3)) < 0.3}


def same(mine: Recording, other: Recording) -> None:
    assert list(mine.states) == list(other.states)
    for key, values in other.states.items():
        np.testing.assert_array_equal(mine.states[key], values)
        np.testing.assert_array_equal(mine.state_steps[key], other.state_steps[key])
        assert (mine.states[key].dtype, mine.states[key].shape) == (np.float64, values.shape)


@pytest.mark.parametrize("values", [4_000_000, 31, 1])
def test_what_streams_is_what_memory_holds(values: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = nm.run(network(), 50, inputs=FED)
    monkeypatch.setattr("neuromorph.session.STATE_VALUES", values)
    streamed = nm.run(network(), 50, inputs=FED, stream_to=tmp_path / "a" / "b")
    same(streamed, held)
    assert streamed.counts == held.counts
    for key, rows in streamed.states.items():
        assert isinstance(rows, np.memmap) == (rows.size > 0)
        assert not rows.flags.writeable
        name = ".".join(key).replace(">", "%3E")
        np.testing.assert_array_equal(np.load(tmp_path / "a" / "b" / f"{name}.npy"), rows)
        np.testing.assert_array_equal(np.load(tmp_path / "a" / "b" / f"{name}.steps.npy"), held.state_steps[key])


def test_what_streamed_can_be_saved_and_sent(tmp_path: Path) -> None:
    held = nm.run(network(), 50, inputs=FED)
    streamed = nm.run(network(), 50, inputs=FED, stream_to=tmp_path / "states")
    streamed.save(tmp_path / "r.npz")
    same(Recording.load(tmp_path / "r.npz"), held)
    same(pickle.loads(pickle.dumps(streamed)), held)


def test_chunks_stream_to_folders_of_their_own(tmp_path: Path) -> None:
    whole = nm.run(network(), 50, inputs=FED)
    with nm.open(network()) as session:
        parts = [
            session.run(25, inputs={"in": FED["in"][start : start + 25]}, stream_to=tmp_path / str(start))
            for start in (0, 25)
        ]
    for key, values in whole.states.items():
        np.testing.assert_array_equal(np.concatenate([part.states[key] for part in parts]), values)


def test_a_run_of_no_steps_streams_nothing(tmp_path: Path) -> None:
    recording = nm.run(network(), 0, stream_to=tmp_path)
    assert recording.states["out", "v"].shape == (0, 2)
    assert np.load(tmp_path / "out.v.npy").shape == (0, 2)


def test_no_file_is_written_over_and_nothing_is_run(tmp_path: Path) -> None:
    nm.run(network(), 5, stream_to=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with nm.open(network()) as session:
        with pytest.raises(InputError) as caught:
            session.run(5, stream_to=tmp_path)
        assert len(caught.value.faults) == 8
        assert caught.value.faults[0] == (f"'{tmp_path}/out.v.npy' is there already: give each run a folder of its own")
        assert session.steps_run == 0
        assert session.run(5).steps == 5
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_run_that_is_refused_leaves_no_files(tmp_path: Path) -> None:
    with nm.open(network()) as session, pytest.raises(InputError, match="there is no input 'ghost'"):
        session.run(5, inputs={"ghost": FED["in"]}, stream_to=tmp_path / "states")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with nm.open(network()) as session, pytest.raises(InputError, match="cannot make the folder"):
            session.run(5, stream_to=folder)


def test_all_files_are_made_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = Path.open

    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "in-%3Eout.weight.steps.npy":
            raise OSError(28, "No space left on device")
        return opening(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with nm.open(network()) as session, pytest.raises(InputError, match=r"cannot write .*: No space left on device"):
        session.run(5, stream_to=tmp_path)
    assert not list(tmp_path.iterdir())


class Breaks(ReferenceSession):  # type: ignore[misc]
    """A simulator that fails in its fourth piece."""

    pieces = 0

    def _advance(self, steps: int, inputs: Any, modulators: Any, beat: Any) -> Advance:
        self.pieces += 1
        if self.pieces == 4:
            raise ZeroDivisionError
        return super()._advance(steps, inputs, modulators, beat)


def test_after_an_error_every_complete_piece_can_be_read(tmp_path: Path) -> None:
    held = nm.run(network(), 50, inputs=FED)
    session = Breaks(nm.compile(network()), backend="breaks", seed=0, stall_second=60.0)
    with pytest.raises(SimulatorError, match="ZeroDivisionError"):
        session.run(50, inputs=FED, stream_to=tmp_path)
    kept = np.load(tmp_path / "out.v.npy")
    assert 4 <= len(kept) < 50
    np.testing.assert_array_equal(kept, held.states["out", "v"][: len(kept)])
    assert len(np.load(tmp_path / "out.v.steps.npy")) == len(kept)


def test_a_piece_that_was_cut_short_is_not_counted(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "a.npy", (3,), np.float64)
    for _ in range(5):
        file.append(np.ones((7, 3)))
        assert np.load(tmp_path / "a.npy").shape[0] % 7 == 0
    with (tmp_path / "a.npy").open("ab") as torn:
        torn.write(b"half a row")
    assert np.load(tmp_path / "a.npy").shape == (35, 3)
    assert np.load(tmp_path / "a.npy", mmap_mode="r").shape == (35, 3)
    file.close()


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromorph.session.STATE_VALUES", 31)
    appended: list[int] = []
    appending = GrowingFile.append

    class Full:
        def __getattr__(self, name: str) -> Any:
            raise OSError(28, "No space left on device")

        def close(self) -> None: ...

    def until_full(self: GrowingFile, rows: Any) -> None:
        appended.append(len(rows))
        if len(appended) == 9:
            self._stream.close()
            self._stream = Full()  # type: ignore[assignment]
        appending(self, rows)

    monkeypatch.setattr(GrowingFile, "append", until_full)
    with nm.open(network()) as session:
        with pytest.raises(InputError, match=r"^cannot write '.*npy': No space left on device$"):
            session.run(50, inputs=FED, stream_to=tmp_path)
        with pytest.raises(SimulatorError, match="was closed after it failed with InputError: cannot write"):
            session.run(1)
    assert np.load(tmp_path / "out.v.npy").shape[1] == 2


class Made(Session):
    """States out of nothing, so that only the session's own memory counts."""

    def _advance(
        self, steps: int, inputs: Mapping[str, Any], modulators: Mapping[str, Any], beat: Callable[[], None]
    ) -> Advance:
        from neuromorph.recording import SpikeTrain

        none = np.zeros(0, np.int64)
        return Advance(
            spikes={p.name: SpikeTrain(none, none, (steps, p.size)) for p in self.program.populations},
            states={key: np.ones((steps, self.program.sizes[key[0]])) for key in self.state_probes},
        )

    def _read(self, owner: str, variable: str) -> Any: ...
    def _write(self, owner: str, variable: str, values: Any) -> None: ...
    def _reset(self) -> None: ...
    def _close(self) -> None: ...


def test_memory_stays_that_of_a_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromorph.session.STATE_VALUES", 10_000)
    net = nm.Network(populations=[nm.Population("out", 100, nm.LIF())], probes=[nm.Probe("out", "v")])
    session = Made(nm.compile(net), backend="made", seed=0, stall_second=60.0)
    tracemalloc.start()
    recording = session.run(10_000, stream_to=tmp_path)  # 8 MB in all, 80 kB in a piece
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert recording.states["out", "v"].shape == (10_000, 100)
    assert peak < 1_000_000


def test_names_of_any_kind_make_files_of_their_own(tmp_path: Path) -> None:
    names = ["a/b", "a>b", "~", "a%2Fb", "ü", "a b"]
    net = nm.Network(
        populations=[nm.Population(name, 1, nm.LIF()) for name in names],
        probes=[nm.Probe(name, "v") for name in names],
    )
    recording = nm.run(net, 3, stream_to=tmp_path)
    assert len(recording.states) == len(names)
    assert len(list(tmp_path.iterdir())) == 2 * len(names)
