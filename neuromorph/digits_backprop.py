"""The conventional side of the digits scorecard: the same description as a rate network, trained by backprop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean, median

import numpy as np

from neuromorph.backends.backprop import Epoch, Trainer, Training, dense_network
from neuromorph.costs import Operations, estimate_operations
from neuromorph.networks.digits_reward import DigitsReward
from neuromorph.recording import FloatArray, IntArray
from neuromorph.scorecard import Evidence, Row, as_range
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.readout import confusion_matrix

BACKPROP = "backprop"
DESCRIBED = DigitsReward()  # whose description is trained
EPOCHS, QUICK_EPOCHS = 100, 30
TIMED_IMAGES = 100


def train_backprop(parts: Sequence[tuple[int, Dataset, IntArray]], quick: bool) -> tuple[Row, Evidence]:
    """Train and test once for each (seed, data, indices of held-out samples); the row, and the evidence of the first."""
    accuracies, samples, learning, classifying = [], 0, 0.0, 0.0
    evidence: list[Evidence] = []
    for seed, data, test in parts:
        network = dense_network(DESCRIBED.network(data, seed=seed), outputs=data.classes)
        trainer = Trainer(network=network, epochs=QUICK_EPOCHS if quick else EPOCHS)
        epochs: list[Epoch] = []
        training = trainer.train(
            data.training_images, data.training_labels, generator=np.random.default_rng(seed), progress=epochs.append
        )
        predicted = np.asarray(training.predict(data.test_images[test])).argmax(axis=1).astype(np.int64)
        classifying += _seconds_for_one(training, data.test_images[test])
        accuracies.append(float(np.mean(predicted == data.test_labels[test])))
        samples += epochs[-1].samples_seen
        learning += sum(epoch.train_seconds for epoch in epochs)
        if not evidence:
            evidence.append(_evidence(data, seed, epochs, training, test, predicted))
    counted = trainer.count_operations()
    inference = Operations(multiply_accumulates=counted.inference_macs, memory_bytes=counted.memory_for_inference_bytes)
    learned = Operations(
        multiply_accumulates=round(counted.trained_sample_macs),
        # what learning holds is touched once a minibatch at least
        memory_bytes=counted.memory_for_learning_bytes // trainer.batch_size,
    )
    seconds, learning_seconds = classifying / len(parts), learning / samples
    cost = estimate_operations(inference, "cpu", wall_second=seconds)
    learning_cost = estimate_operations(learned, "cpu", wall_second=learning_seconds)
    row = Row(
        learner=BACKPROP,
        backend=BACKPROP,
        available=True,
        accuracy=fmean(accuracies),
        accuracy_by_seed=tuple(accuracies),
        samples=samples // len(parts),
        seconds_per_sample=seconds,
        learning_seconds_per_sample=learning_seconds,
        synaptic_operations=float(counted.inference_macs),
        energy_joule={"cpu": as_range(cost.energy_joule)},
        learning_energy_joule={"cpu": as_range(learning_cost.energy_joule)},
        latency_second={"cpu": as_range(cost.latency_second)},
        learning_memory_byte=int(counted.memory_for_learning_bytes),
    )
    return row, evidence[0]


def _seconds_for_one(training: Training, images: FloatArray) -> float:
    """Median wall time of classifying one image by itself, as a spiking network does."""
    seconds = []
    for image in images[:TIMED_IMAGES]:
        before = time.perf_counter()
        training.predict(image[np.newaxis, :])
        seconds.append(time.perf_counter() - before)
    return median(seconds)


def _evidence(
    data: Dataset, seed: int, epochs: list[Epoch], training: Training, test: IntArray, predicted: IntArray
) -> Evidence:
    known = [epoch for epoch in epochs if epoch.validation_accuracy is not None]
    network = training.network
    start = network.draw_parameters(np.random.default_rng(seed), np.float32)
    return Evidence(
        learner=BACKPROP,
        seed=seed,
        curve_samples=np.array([epoch.samples_seen for epoch in known]),
        curve_accuracy=np.array([epoch.validation_accuracy for epoch in known], dtype=np.float64),
        curve_test_samples=len(training.validation_samples),
        curve_on="validation samples",
        confusion=confusion_matrix(data.test_labels[test], predicted, data.classes),
        image_shape=data.image_shape,
        weights_before=np.asarray(start.weights[0], dtype=np.float64),
        weights_after=np.asarray(training.parameters.weights[0], dtype=np.float64),
        receptive_labels=np.full(training.parameters.weights[0].shape[0], -1, dtype=np.int64),
    )
