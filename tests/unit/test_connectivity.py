import hashlib

import numpy as np
import pytest

from neuromorph import compact
from neuromorph.connectivity import Connectivity

SHAPES = [(1, 1), (3, 5), (7, 2), (40, 60), (4, 0), (0, 4)]


def drawn(seed: int, post_size: int, pre_size: int, share: float) -> tuple[Connectivity, np.ndarray]:
    exists = np.random.default_rng(seed).random((post_size, pre_size)) < share
    connectivity = Connectivity.of(*np.nonzero(exists), post_size, pre_size)
    assert connectivity is not None
    return connectivity, exists


@pytest.fixture(autouse=True, params=[None, 3])
def small_pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(compact.pieces, "__defaults__", (request.param,))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_form_tells_of_the_same_synapses(shape: tuple[int, int], share: float) -> None:
    found, exists = drawn(1, *shape, share)
    post, pre = np.nonzero(exists)
    assert (found.synapses, found.is_full) == (post.size, bool(np.all(exists)))
    assert found.is_full == (found.stored_pre is None)
    np.testing.assert_array_equal(found.post_index(), post)
    np.testing.assert_array_equal(found.pre_index(), pre)
    np.testing.assert_array_equal(found.fan_out, exists.sum(axis=0))
    np.testing.assert_array_equal(np.diff(found.pointer), exists.sum(axis=1))
    chosen = np.arange(post.size)[::-1]
    np.testing.assert_array_equal(found.post_of(chosen), post[::-1])
    np.testing.assert_array_equal(found.pre_of(chosen), pre[::-1])
    for part in (slice(0, post.size), slice(post.size // 3, post.size // 2)):
        np.testing.assert_array_equal(found.post_part(part), post[part])
        np.testing.assert_array_equal(found.pre_part(part), pre[part])
    pointer, targets, order = found.columns()
    assert pointer.dtype == np.int64 and targets.dtype == order.dtype == np.int32
    by_pre = np.argsort(pre, kind="stable")
    np.testing.assert_array_equal(order, by_pre)
    np.testing.assert_array_equal(targets, post[by_pre])
    np.testing.assert_array_equal(np.diff(pointer), exists.sum(axis=0))
    np.testing.assert_array_equal(found.by_pre[1], order)


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_to_make_one_makes_the_same(shape: tuple[int, int], share: float) -> None:
    found, exists = drawn(2, *shape, share)
    post, pre = np.nonzero(exists)
    shuffled = np.random.default_rng(3).permutation(post.size)
    ordered, places = Connectivity.ordered(post[shuffled], pre[shuffled], *shape)
    np.testing.assert_array_equal(shuffled[places], np.arange(post.size))
    pointer, targets, _ = found.columns()
    others = [
        ordered,
        Connectivity.of_rows(found.pointer, pre, shape[1]),
        Connectivity.of_columns(pointer, targets, shape[0]),
        Connectivity.of(post.astype(np.int32), pre.astype(np.int32), *shape),
    ]
    for other in others:
        assert other is not None and other.digests == found.digests
        assert (other.post_size, other.pre_size, other.is_full) == (*shape, found.is_full)
        np.testing.assert_array_equal(other.pointer, found.pointer)


def test_digests_are_those_of_arrays_in_int64() -> None:
    for share in (0.4, 1.0):
        found, exists = drawn(4, 30, 20, share)
        for name, index in zip(("post_index", "pre_index"), np.nonzero(exists), strict=True):
            expected = hashlib.sha256(index.astype("<i8").tobytes()).hexdigest()
            assert found.digests[name] == f"i8({index.size},){expected}"


@pytest.mark.parametrize(
    ("post", "pre"),
    [
        ([0, 0, 1], [1, 0, 0]),  # not in order
        ([0, 0, 1], [1, 1, 0]),  # twice
        ([1, 0], [0, 0]),
        ([0, 2], [0, 0]),  # outside
        ([-1, 0], [0, 0]),
        ([0, 1], [0, 2]),
        ([0, 1], [-1, 0]),
        ([0, 0, 0, 1, 1], [0, 1, 2, 0, 1]),
    ],
)
def test_synapses_that_are_not_sound_make_none(post: list[int], pre: list[int]) -> None:
    assert Connectivity.of(post, pre, 2, 2) is None


@pytest.mark.parametrize(
    ("pointer", "pre"), [([0, 2, 2], [1, 0]), ([0, 1, 3], [0, 1, 1]), ([0, 1, 2], [0, 2]), ([0, 2, 1], [0]), ([0, 1, 1], [0, 1])]
)  # fmt: skip
def test_rows_that_are_not_sound_make_none(pointer: list[int], pre: list[int]) -> None:
    assert Connectivity.of_rows(pointer, pre, 2) is None


def test_sums_over_rows_are_those_of_one_pass() -> None:
    found, exists = drawn(5, 40, 60, 0.4)
    values = np.random.default_rng(6).normal(size=found.synapses)
    expected = np.bincount(np.nonzero(exists)[0], values, minlength=40)
    assert found.row_sums(lambda part: values[part]).tolist() == expected.tolist()  # to the bit


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_dense_array_and_back(share: float) -> None:
    found, exists = drawn(7, 6, 9, share)
    values = np.arange(1.0, found.synapses + 1)
    dense = found.matrix(values)
    assert np.count_nonzero(dense) == found.synapses and np.all(exists[dense != 0])
    assert found.entries(dense).tolist() == values.tolist()
