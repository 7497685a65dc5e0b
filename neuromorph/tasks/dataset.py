"""Labelled images with a split by seed; scikit-learn's digits, and MNIST from files that a user has."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuromorph.errors import InputError, NeuromorphError
from neuromorph.recording import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images as rows of intensities in [0, 1], with their labels, in training and held-out parts."""

    name: str
    classes: int
    image_shape: tuple[int, int]
    training_images: FloatArray  # (samples, pixels)
    training_labels: IntArray
    test_images: FloatArray
    test_labels: IntArray

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.image_shape[0] * self.image_shape[1]


def digits(*, seed: int, test_fraction: float = 0.2) -> Dataset:
    """scikit-learn's 1,797 handwritten digits (8 x 8 pixels; Alpaydin and Kaynak, UCI repository, 1998).

    Split by ``seed``, stratified by class; both parts are in random order. Raises :class:`NeuromorphError` where
    scikit-learn is missing, :class:`InputError` for a fraction outside (0, 1).
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise NeuromorphError("the digits come with scikit-learn: pip install 'neuromorph[digits]'") from error
    bunch = load_digits()
    images = np.asarray(bunch.data, dtype=np.float64) / 16.0
    labels = np.asarray(bunch.target, dtype=np.int64)
    training, test = stratified_split(labels, test_fraction=test_fraction, seed=seed)
    return Dataset(
        name="digits",
        classes=10,
        image_shape=(8, 8),
        training_images=images[training],
        training_labels=labels[training],
        test_images=images[test],
        test_labels=labels[test],
    )


def stratified_split(labels: IntArray, *, test_fraction: float, seed: int) -> tuple[IntArray, IntArray]:
    """Indices of training and held-out samples, both shuffled; every class keeps its share to within one sample.

    >>> training, test = stratified_split(np.repeat([0, 1], 10), test_fraction=0.2, seed=0)
    >>> np.bincount(np.repeat([0, 1], 10)[test]).tolist()
    [2, 2]
    """
    if not 0 < test_fraction < 1:
        raise InputError(f"test_fraction must lie between 0 and 1, got {test_fraction!r}")
    rng = np.random.default_rng(seed)
    held_out = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held_out.append(members[: round(members.size * test_fraction)])
    test = rng.permutation(np.concatenate(held_out))
    training = rng.permutation(np.setdiff1d(np.arange(labels.size), test))
    return training.astype(np.int64), test.astype(np.int64)


def mnist(folder: str | os.PathLike[str]) -> Dataset:
    """MNIST from its four IDX files in ``folder``, plain or gzipped, with its own split (LeCun et al., 1998).

    Raises :class:`InputError` that names the file which is missing or is not of the expected form.
    """
    parts = {
        name: _read_idx(Path(folder), f"{name}-ubyte")
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    }
    images, test_images = parts["train-images-idx3"], parts["t10k-images-idx3"]
    for kind in ("train", "t10k"):
        if len(parts[f"{kind}-images-idx3"]) != len(parts[f"{kind}-labels-idx1"]):
            raise InputError(f"MNIST in {os.fspath(folder)!r}: {kind} images and labels differ in number")
    return Dataset(
        name="mnist",
        classes=10,
        image_shape=(images.shape[1], images.shape[2]),
        training_images=images.reshape(len(images), -1) / 255.0,
        training_labels=parts["train-labels-idx1"].astype(np.int64),
        test_images=test_images.reshape(len(test_images), -1) / 255.0,
        test_labels=parts["t10k-labels-idx1"].astype(np.int64),
    )


def _read_idx(folder: Path, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An IDX file of unsigned bytes: magic number, sizes as big-endian 32-bit integers, data."""
    candidates = [folder / name, folder / f"{name}.gz"]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise InputError(f"there is neither {candidates[0]} nor {candidates[1].name}: put MNIST's four IDX files there")
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    dimensions = raw[3] if len(raw) >= 4 else 0
    if raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * dimensions:
        raise InputError(f"{path} is not an IDX file of unsigned bytes")
    shape = tuple(int(size) for size in np.frombuffer(raw, dtype=">u4", count=dimensions, offset=4))
    data = np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions)
    if data.size != int(np.prod(shape)):
        raise InputError(f"{path} says it holds {shape} values and holds {data.size}: it is cut short or damaged")
    return data.reshape(shape)
