from __future__ import annotations

import numpy as np

from neuromorph.tasks.readout import assign_labels, confusion_matrix, vote


def test_labels_follow_the_mean_response_not_the_number_of_samples() -> None:
    counts = np.array([[1.0], [1.0], [1.0], [2.0]])
    assert assign_labels(counts, np.array([0, 0, 0, 1]), 2).tolist() == [1]


def test_a_neuron_without_label_never_votes() -> None:
    assert vote(np.array([[1.0, 9.0]]), np.array([0, -1]), 2).tolist() == [0]


def test_mean_vote_does_not_favour_classes_with_more_neurons() -> None:
    counts, labels = np.array([[3.0, 2.0, 2.0]]), np.array([0, 1, 1])
    assert vote(counts, labels, 2).tolist() == [1]
    assert vote(counts, labels, 2, mean=True).tolist() == [0]


def test_confusion_rows_are_true_classes() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    assert matrix.tolist() == [[1, 1], [0, 1]]
