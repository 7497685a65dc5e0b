import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromorph.compact import (
    WEIGHT_TYPES,
    frozen,
    held,
    is_repeated,
    narrow_counts,
    narrow_indices,
    narrow_numbers,
    pieces,
    repeated,
    stored_bytes,
)

NUMBERS = st.one_of(
    st.integers(-300, 70_000).map(float),
    st.floats(width=32),
    st.floats(),
    st.sampled_from([0.0, -0.0, 127.0, 128.0, -128.0, 255.0, 256.0, 32767.0, -32768.0, 0.5, 0.1]),
)


@given(st.lists(NUMBERS, max_size=20))
def test_numbers_are_the_same_to_the_bit_in_every_type(values: list[float]) -> None:
    wide = np.array(values, dtype=np.float64)
    narrow = narrow_numbers(wide)
    assert narrow.dtype in WEIGHT_TYPES and not narrow.flags.writeable
    again = narrow.astype(np.float64)
    np.testing.assert_array_equal(again, wide)
    assert np.array_equal(np.signbit(again), np.signbit(wide)) or np.any(np.isnan(wide))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([-128.0, 127.0], "int8"),
        ([0.0, 128.0], "uint8"),
        ([-1.0, 128.0], "int16"),
        ([-256.0, 254.0], "int16"),
        ([0.0, 32768.0], "float32"),
        ([0.0, -0.0], "float32"),
        ([0.5, 1.0], "float32"),
        ([0.1, 1.0], "float64"),
        ([1e300, 1.0], "float64"),
        ([np.nan, 1.0], "float64"),
    ],
)
def test_numbers_take_the_narrowest_type(values: list[float], dtype: str) -> None:
    assert narrow_numbers(values).dtype == dtype


def test_one_value_takes_the_room_of_one() -> None:
    for array, size in (
        (narrow_numbers(np.full(1000, 0.1)), 8),
        (narrow_numbers(np.full(1000, -0.0)), 4),
        (narrow_numbers(np.full(1000, 300.0)), 2),
        (narrow_counts(np.full(1000, 3)), 1),
    ):
        assert is_repeated(array) and stored_bytes(array) == size and array.size == 1000
        assert held(array) is array
    assert not is_repeated(narrow_numbers([0.0, -0.0]))


def test_a_value_that_is_found_late_counts() -> None:
    late = np.zeros(200_000)
    late[-1] = -0.0
    assert narrow_numbers(late).dtype == np.float32
    for value, dtype in ((300.0, "int16"), (0.5, "float32"), (0.1, "float64")):
        late[-1] = value
        assert narrow_numbers(late).dtype == dtype


def test_counts_and_indices_take_the_narrowest_type() -> None:
    assert [narrow_counts([0, most]).dtype.name for most in (255, 256, 2**31 - 1, 2**31)] == [
        "uint8", "int32", "int32", "int64",
    ]  # fmt: skip
    assert narrow_counts([-1, 1]).dtype == np.int32
    assert narrow_indices(np.array([1, 2]), 3).dtype == np.int32
    assert narrow_indices(np.array([1, 2]), 2**31).dtype == np.int64


def test_arrays_that_somebody_can_write_to_are_copied_and_others_are_not() -> None:
    mine = np.array([0.1, 0.2])
    view = mine[:]
    view.flags.writeable = False
    for array in (mine, view):
        copy = held(array)
        assert copy is not array and not copy.flags.writeable
    frozen(mine)
    assert held(mine) is mine and held(view) is view
    assert narrow_numbers(mine) is mine
    assert not repeated(1, 3, np.int64).flags.writeable


def test_pieces_cover_everything_once() -> None:
    assert [list(range(10))[part] for part in pieces(10, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert list(pieces(0)) == []
