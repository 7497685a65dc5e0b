"""The default optimiser, minibatch and early stopping solve scikit-learn's digits, quickly."""

import numpy as np
import pytest

from neuromorph.backends.backprop import DenseNetwork, Trainer, split_samples

datasets = pytest.importorskip("sklearn.datasets")


def test_reaches_97_percent_on_digits_in_60_epochs():
    digits = datasets.load_digits()
    inputs, labels = digits.data / 16, digits.target
    accuracies = []
    for seed in range(3):
        generator = np.random.default_rng(seed)
        trained, held_out = split_samples(len(labels), labels, fraction=0.2, generator=generator)
        training = Trainer(network=DenseNetwork.of_sizes((64, 128, 10)), epochs=60).train(
            inputs[trained], labels[trained], generator=generator
        )
        accuracies.append(training.accuracy(inputs[held_out], labels[held_out]))
    assert np.mean(accuracies) >= 0.97
    assert min(accuracies) >= 0.95
