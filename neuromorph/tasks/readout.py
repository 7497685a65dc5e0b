"""From spike counts to classes."""

from __future__ import annotations

import numpy as np

from neuromorph.recording import FloatArray, IntArray


def assign_labels(counts: FloatArray, labels: IntArray, classes: int) -> IntArray:
    """The class to which each neuron responds most, by mean response; -1 for a neuron that never spiked.

    ``counts`` (samples, neurons) are spike counts on training samples. Diehl and Cook, Frontiers in Computational
    Neuroscience 9:99, 2015.

    >>> assign_labels(np.array([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]), np.array([0, 1]), 2).tolist()
    [0, 1, -1]
    """
    mean = np.zeros((classes, counts.shape[1]))
    for label in range(classes):
        of_class = counts[labels == label]
        if len(of_class):
            mean[label] = of_class.mean(axis=0)
    return np.where(mean.max(axis=0) > 0, mean.argmax(axis=0), -1).astype(np.int64)


def vote(counts: FloatArray, neuron_labels: IntArray, classes: int, *, mean: bool = False) -> IntArray:
    """The class whose neurons spike most, by sum or by mean; the lowest class wins a tie, and -1 means no spike at all.

    >>> vote(np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), np.array([0, 1, 1]), 2).tolist()
    [1, -1]
    """
    members = np.array([neuron_labels == label for label in range(classes)], dtype=np.float64)  # (classes, neurons)
    score = counts @ members.T
    if mean:
        score = score / np.maximum(members.sum(axis=1), 1.0)
    return np.where(score.max(axis=1) > 0, score.argmax(axis=1), -1).astype(np.int64)


def confusion_matrix(true: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """(classes, classes) counts of true class (row) by predicted class (column); answers of -1 are left out.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, -1]), 2).tolist()
    [[1, 0], [1, 0]]
    """
    answered = predicted >= 0
    flat = true[answered] * classes + predicted[answered]
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
