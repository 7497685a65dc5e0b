"""The conventional side of the digits scorecard: the same description as a rate network, trained by backprop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from statistics import fmean, median
from typing import Any

import numpy as np

from neuromorph.backends.backprop import Epoch, Identity, Trainer, Training, dense_network
from neuromorph.backends.backprop.network import ForwardPass
from neuromorph.chip import Chip
from neuromorph.costs import Cost, EnergyMeter, Operations, estimate_operations
from neuromorph.errors import ChipError
from neuromorph.networks.digits_reward import DigitsReward
from neuromorph.neurobench import SynapticOperations, layer_operations
from neuromorph.recording import FloatArray, IntArray
from neuromorph.scorecard import METRICS_SAMPLES, Evidence, Row, as_range, is_timed_here
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.readout import confusion_matrix

BACKPROP = "backprop"
DESCRIBED = DigitsReward()  # whose description is trained
EPOCHS, QUICK_EPOCHS = 100, 30
TIMED_IMAGES = 100


def train_backprop(
    parts: Sequence[tuple[int, Dataset, IntArray]], quick: bool, chips: Sequence[Chip]
) -> tuple[Row, Evidence]:
    """Train and test once for each (seed, data, indices of held-out samples); the row, and the evidence of the first.

    Costs are those on the conventional ones of ``chips``.
    """
    accuracies, samples, learning, classifying = [], 0, 0.0, 0.0
    evidence: list[Evidence] = []
    joules: list[float] = []
    for seed, data, test in parts:
        network = dense_network(DESCRIBED.network(data, seed=seed), outputs=data.classes)
        trainer = Trainer(network=network, epochs=QUICK_EPOCHS if quick else EPOCHS)
        epochs: list[Epoch] = []
        with EnergyMeter() as meter:
            training = trainer.train(
                data.training_images,
                data.training_labels,
                generator=np.random.default_rng(seed),
                progress=epochs.append,
            )
        if meter.joule is not None:  # the part that training took of it, validation being the rest
            joules.append(meter.joule * sum(epoch.train_seconds for epoch in epochs) / meter.second)
        predicted = np.asarray(training.predict(data.test_images[test])).argmax(axis=1).astype(np.int64)
        classifying += _seconds_for_one(training, data.test_images[test])
        accuracies.append(float(np.mean(predicted == data.test_labels[test])))
        samples += epochs[-1].samples_seen
        learning += sum(epoch.train_seconds for epoch in epochs)
        if not evidence:
            evidence.append(_evidence(data, seed, epochs, training, test, predicted))
    counted = trainer.count_operations()
    seconds, learning_seconds = classifying / len(parts), learning / samples
    metered = sum(joules) / samples if len(joules) == len(parts) else None
    costs = _costs(counted.inference(), chips, seconds, None)
    timed = {
        chip: cost for chip, cost in costs.items() if cost.latency_second.high > 0
    }  # a table of energies has no time
    learning_costs = _costs(counted.learning(), chips, learning_seconds, metered)
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
        energy_joule={chip: as_range(cost.energy_joule) for chip, cost in costs.items()},
        learning_energy_joule={chip: as_range(cost.energy_joule) for chip, cost in learning_costs.items()},
        latency_second={chip: as_range(cost.latency_second) for chip, cost in timed.items()},
        energy_delay_product={chip: as_range(cost.energy_delay_product) for chip, cost in timed.items()},
        learning_memory_byte=int(counted.memory_for_learning_bytes),
    )
    return row, evidence[0]


def _costs(operations: Operations, chips: Sequence[Chip], seconds: float, joule: float | None) -> dict[str, Cost]:
    """Of one sample on every conventional chip whose file has a cost of it; time and energy were measured on this machine."""
    found = {}
    for chip in chips:
        here = is_timed_here(chip)
        with suppress(ChipError):  # no cost of multiply-accumulates, as no chip of cores has
            found[chip.name] = estimate_operations(
                operations, chip, wall_second=seconds if here else None, measured_joule=joule if here else None
            )
    return found


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
        metrics=neurobench_metrics(training, data.test_images[:METRICS_SAMPLES]),
        metrics_samples=min(METRICS_SAMPLES, len(data.test_images)),
    )


def neurobench_metrics(training: Training, images: FloatArray) -> dict[str, Any]:
    """NeuroBench's metrics of a trained network on images (samples, pixels), under the names that it gives them.

    Its activations are graded, so all operations are multiply-accumulates; there are no membranes. Outputs are those of
    layers with an activation function: the linear ones of the last layer are none.
    """
    network, parameters = training.network, training.parameters
    layers = ForwardPass(network, parameters, len(images)).run(np.asarray(images, dtype=parameters.flat.dtype))
    operations = sum(
        (layer_operations(given, weight) for given, weight in zip(layers, parameters.weights, strict=False)),
        SynapticOperations(),
    )
    outputs = [
        found
        for layer, found in zip(network.layers, layers[1:], strict=True)
        if not isinstance(layer.activation, Identity)
    ]
    count, zeros = sum(found.size for found in outputs), sum(int(np.count_nonzero(found == 0)) for found in outputs)
    weights = sum(int(np.count_nonzero(weight)) for weight in parameters.weights)
    return {
        "Footprint": int(parameters.flat.nbytes),
        "ConnectionSparsity": 1.0 - weights / network.weight_count,
        "ActivationSparsity": zeros / count if count else None,
        "SynapticOperations": {
            "Effective_MACs": operations.effective_macs / len(images),
            "Effective_ACs": operations.effective_acs / len(images),
            "Dense": operations.dense / len(images),
        },
        "MembraneUpdates": None,
    }
