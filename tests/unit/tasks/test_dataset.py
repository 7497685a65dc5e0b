from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from neuromorph.errors import InputError
from neuromorph.tasks.dataset import digits, mnist, stratified_split


def test_digits_are_real_and_split_by_seed_and_class() -> None:
    data = digits(seed=0)
    assert data.training_images.shape == (1438, 64)
    assert data.test_images.shape == (359, 64)
    assert (data.training_images.min(), data.training_images.max()) == (0.0, 1.0)
    share = np.bincount(data.test_labels) / np.bincount(np.concatenate([data.training_labels, data.test_labels]))
    assert np.all(np.abs(share - 0.2) < 0.01)
    again, other = digits(seed=0), digits(seed=1)
    assert np.array_equal(again.test_labels, data.test_labels)
    assert not np.array_equal(other.test_labels, data.test_labels)


def test_no_sample_is_in_both_parts() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 101)
    training, test = stratified_split(labels, test_fraction=0.3, seed=5)
    assert sorted([*training, *test]) == list(range(101))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0])
def test_a_useless_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="test_fraction"):
        stratified_split(np.zeros(10, dtype=np.int64), test_fraction=fraction, seed=0)


def write_idx(path: Path, array: np.ndarray, *, compressed: bool) -> None:
    raw = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    if compressed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(raw))
    else:
        path.write_bytes(raw)


@pytest.mark.parametrize("compressed", [False, True])
def test_mnist_files_are_read(tmp_path: Path, compressed: bool) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 28, 28), dtype=np.uint8)
    for part in ("train", "t10k"):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", images, compressed=compressed)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", np.arange(5, dtype=np.uint8), compressed=compressed)
    data = mnist(tmp_path)
    assert np.array_equal(data.training_images, images.reshape(5, 784) / 255)
    assert data.test_labels.tolist() == [0, 1, 2, 3, 4]
    assert data.image_shape == (28, 28)


def test_missing_and_damaged_mnist_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train-images-idx3-ubyte"):
        mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\x00\x00\x08\x01" + struct.pack(">I", 9) + b"abc")
    with pytest.raises(InputError, match="cut short"):
        mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"hello")
    with pytest.raises(InputError, match="not an IDX file"):
        mnist(tmp_path)
