import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import neuromorph as nm
from neuromorph.errors import InputError
from neuromorph.recording import Recording, SpikeTrain, read_archive, write_archive

rasters = st.tuples(st.integers(0, 12), st.integers(1, 4)).flatmap(lambda shape: arrays(np.bool_, shape))


@settings(deadline=None, derandomize=True)
@given(rasters)
def test_events_and_rasters_are_two_forms_of_the_same(raster: np.ndarray) -> None:
    train = SpikeTrain.from_dense(raster)
    np.testing.assert_array_equal(np.asarray(train), raster)
    assert len(train) == raster.sum()
    assert train.counts().tolist() == raster.sum(axis=0).tolist()
    order = train.steps * raster.shape[1] + train.ids
    assert np.all(np.diff(order) > 0)


@settings(deadline=None, derandomize=True)
@given(rasters, st.integers(0, 15), st.integers(0, 12))
def test_cutting_and_joining_gives_back_the_train(raster: np.ndarray, last: int, cut: int) -> None:
    train = SpikeTrain.from_dense(raster)
    np.testing.assert_array_equal(np.asarray(train.last(last)), raster[max(len(raster) - last, 0) :])
    parts = [SpikeTrain.from_dense(raster[:cut]), SpikeTrain.from_dense(raster[cut:])]
    assert SpikeTrain.joined(parts).equals(train)


@settings(deadline=None, derandomize=True)
@given(rasters, st.integers(0, 12), st.integers(0, 12))
def test_a_part_of_a_train_is_that_of_its_raster(raster: np.ndarray, start: int, stop: int) -> None:
    start, stop = sorted(min(row, len(raster)) for row in (start, stop))
    np.testing.assert_array_equal(np.asarray(SpikeTrain.from_dense(raster).between(start, stop)), raster[start:stop])


@pytest.mark.parametrize("order", ["C", "F"])
def test_events_are_found_in_rasters_of_any_layout_and_kind(order: str) -> None:
    raster = np.random.default_rng(0).random((30, 7)) < 0.3
    laid: np.ndarray = np.array(raster, order=order)  # type: ignore[call-overload]
    for rows in (laid, laid.astype(float), laid.astype(np.uint8), np.repeat(laid, 2, axis=0)[::2]):
        train = SpikeTrain.from_dense(rows)
        steps, ids = np.nonzero(raster)
        assert train.steps.tolist() == steps.tolist() and train.ids.tolist() == ids.tolist()
        assert (train.steps.dtype, train.ids.dtype) == (np.int64, np.int64)


def test_a_train_never_changes() -> None:
    steps, ids = np.array([0, 1]), np.array([1, 0], dtype=np.int32)
    copied, owned = SpikeTrain(steps, ids, (2, 2)), SpikeTrain.owning(steps, ids, (2, 2))
    assert owned.steps is steps and owned.ids.dtype == np.int64
    assert owned.equals(copied)
    for train in (copied, owned, pickle.loads(pickle.dumps(owned))):
        assert train.equals(copied)
    for array in (copied.steps, copied.ids, owned.steps, owned.ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert copied.steps.base is None or copied.steps.base is not steps


def test_trains_differ_by_event_or_by_length() -> None:
    train = SpikeTrain.from_dense(np.eye(3))
    assert train.equals(SpikeTrain.from_dense(np.eye(3) * 7))
    assert not train.equals(SpikeTrain.from_dense(np.eye(3)[::-1]))
    assert not train.equals(SpikeTrain.from_dense(np.eye(4)[:, :3]))


def recorded() -> Recording:
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.5), plasticity=nm.STDP())],
        probes=[
            nm.Probe("in"),
            nm.Probe("out"),
            nm.Probe("out", "v", every=2e-3),
            nm.Probe("in->out", "weight", every=5e-3),
        ],
    )
    return nm.run(net, 23, inputs={"in": np.random.default_rng(0).random((23, 3)) < 0.4}, seed=4)


def same(mine: Recording, other: Recording) -> None:
    assert mine.counts == other.counts
    assert (mine.program_fingerprint, mine.backend, mine.seed, mine.dt, mine.first_step, mine.steps, mine.wall_second) == (
        other.program_fingerprint, other.backend, other.seed, other.dt, other.first_step, other.steps, other.wall_second
    )  # fmt: skip
    assert list(mine.spikes) == list(other.spikes) and list(mine.states) == list(other.states)
    assert all(mine.spikes[name].equals(other.spikes[name]) for name in mine.spikes)
    for key in mine.states:
        np.testing.assert_array_equal(mine.states[key], other.states[key])
        np.testing.assert_array_equal(mine.state_steps[key], other.state_steps[key])


def test_saving_and_loading_keeps_everything(tmp_path: Path) -> None:
    recording = recorded()
    recording.save(tmp_path / "r.npz")
    same(recording, Recording.load(tmp_path / "r.npz"))


def test_recordings_travel_between_processes() -> None:
    recording = recorded()
    same(recording, pickle.loads(pickle.dumps(recording)))


def test_states_are_sampled_after_every_so_many_steps_of_the_session() -> None:
    recording = recorded()
    assert recording.state_steps["out", "v"].tolist() == list(range(1, 23, 2))
    assert recording.states["out", "v"].shape == (11, 2)
    assert recording.state_steps["in->out", "weight"].tolist() == [4, 9, 14, 19]
    assert recording.states["in->out", "weight"].shape == (4, 6)


def test_only_probed_populations_are_recorded_and_all_are_counted() -> None:
    net = nm.Network(populations=[nm.Input("in", 3), nm.Population("out", 2, nm.LIF(bias=0.3))])
    recording = nm.run(net, 50)
    assert dict(recording.spikes) == {}
    assert recording.counts.populations["out"].spikes > 0


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.npz", {"format": "something else"}, {})
    with pytest.raises(InputError, match="holds 'something else', not 'neuromorph recording 1'"):
        Recording.load(tmp_path / "a.npz")
    with pytest.raises(InputError, match="there is no file"):
        Recording.load(tmp_path / "b.npz")


def test_pickled_content_is_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", header=np.array([{"format": "x"}], dtype=object))
    with pytest.raises(InputError, match="is not a 'x' file"):
        read_archive(tmp_path / "a.npz", "x")


def test_speed_is_steps_per_second_of_wall_time() -> None:
    recording = recorded()
    assert recording.steps_per_second == pytest.approx(23 / recording.wall_second)


def test_trains_and_states_come_back_under_their_own_names_whatever_their_order(tmp_path: Path) -> None:
    net = nm.Network(
        populations=[
            nm.Input("z", 3),
            nm.Population("m", 1, nm.LIF(bias=0.2)),
            nm.Population("a", 2, nm.LIF(bias=0.1)),
        ],
        probes=[nm.Probe("z"), nm.Probe("m"), nm.Probe("a"), nm.Probe("m", "v"), nm.Probe("a", "v")],
    )
    before = nm.run(net, 40, inputs={"z": np.ones((40, 3))})
    before.save(tmp_path / "r.npz")
    after = nm.Recording.load(tmp_path / "r.npz")
    assert list(after.spikes) == list(before.spikes) == ["z", "m", "a"]
    for name, train in before.spikes.items():
        assert after.spikes[name].equals(train), name
    for key, values in before.states.items():
        assert np.array_equal(after.states[key], values), key
