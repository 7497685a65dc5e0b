"""Synthetic scorecards: two local rules and backprop, a divergent backend, one that is not installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neuromorph.recording import SpikeTrain
from neuromorph.scorecard import Evidence, Row, Scorecard

REMEDY = "lava-nc is not installed: pip install 'neuromorph[lava]'"


def synthetic_evidence(learner: str, *, neurons: int = 12, spiking: bool = True, **changes: Any) -> Evidence:
    """What one learner left behind; ``changes`` replace fields."""
    generator = np.random.default_rng(7)
    steps = 3 * 20
    fields: dict[str, Any] = {
        "learner": learner,
        "seed": 0,
        "curve_samples": np.array([0, 10, 100, 1000]),
        "curve_accuracy": np.array([0.1, 0.4, 0.8, 0.9]),
        "curve_test_samples": 200,
        "confusion": generator.integers(0, 3, (10, 10)) + 15 * np.eye(10, dtype=np.int64),
        "image_shape": (4, 4),
        "weights_before": generator.uniform(0.2, 0.4, (neurons, 16)),
        "weights_after": generator.uniform(0.0, 1.0, (neurons, 16)),
        "receptive_labels": np.arange(neurons) % 11 - 1,
        "metrics": {
            "Footprint": 151_000,
            "ConnectionSparsity": 0.25,
            "ActivationSparsity": 0.9825,
            "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 9205.3, "Dense": 148_800.0},
            "MembraneUpdates": 5996.3 if spiking else None,
        },
        "metrics_samples": 60,
    }
    if spiking:
        fields |= {
            "raster": {
                "image": SpikeTrain.from_dense(generator.random((steps, 16)) < 0.2),
                "excitatory": SpikeTrain.from_dense(generator.random((steps, neurons)) < 0.05),
            },
            "membrane": generator.random((steps, min(neurons, 2))),
            "membrane_ids": tuple(range(min(neurons, 2))),
            "threshold": np.full(min(neurons, 2), 1.0),
            "steps_per_sample": 20,
            "sample_labels": ((3, 3), (4, 9), (0, 0)),
            "dt": 1e-3,
        }
    return Evidence(**(fields | changes))


def synthetic_rows(learner: str, accuracy: float, *, diverges: bool) -> tuple[Row, ...]:
    """A local rule on the reference, on a faithful or a divergent backend, and on one that is not there."""
    common: dict[str, Any] = {
        "learner": learner,
        "available": True,
        "accuracy": accuracy,
        "accuracy_by_seed": (accuracy - 0.01, accuracy, accuracy + 0.01),
        "samples": 6400,
        "seconds_per_sample": 0.0123,
        "learning_seconds_per_sample": 0.0141,
        "steps_per_second": 5200.0,
        "synaptic_operations": 21_543.0,
        "energy_joule": {"loihi1": (1.2e-7, 9e-7), "cpu": (2e-5, 0.012)},
        "learning_energy_joule": {"loihi1": (8e-7, 1.4e-5)},
        "latency_second": {"loihi1": (1.1e-4, 7e-4)},
        "energy_delay_product": {"loihi1": (1.32e-11, 6.3e-10)},
        "learning_memory_byte": 14_080,
    }
    place = {"phase": "learning", "step": np.int64(1284), "population": "excitatory", "neuron": 17}
    other = {"spikes_equal": not diverges, "first_divergence": place if diverges else None}
    return (
        Row(backend="reference", **common),
        Row(backend="nengo", **(common | other)),
        Row(learner=learner, backend="lava", available=False, reason=REMEDY),
    )


def synthetic_scorecard(**changes: Any) -> Scorecard:
    """The whole of it; ``changes`` replace fields."""
    backprop = Row(
        learner="backprop",
        backend="backprop",
        available=True,
        accuracy=0.969,
        accuracy_by_seed=(0.966, 0.969, 0.972),
        samples=28_740,
        seconds_per_sample=2.1e-5,
        learning_seconds_per_sample=6.6e-5,
        energy_joule={"cpu": (1.4e-7, 6e-5)},
        learning_memory_byte=84_480,
    )
    fields: dict[str, Any] = {
        "task": "digits",
        "rows": (
            *synthetic_rows("pair-stdp", 0.884, diverges=True),
            *synthetic_rows("reward-stdp", 0.917, diverges=False),
            backprop,
        ),
        "evidence": (
            synthetic_evidence("pair-stdp"),
            synthetic_evidence("reward-stdp"),
            synthetic_evidence("backprop", spiking=False, weights_after=np.linspace(-1, 1, 192).reshape(12, 16)),
        ),
        "seeds": (0, 1, 2),
        "training_samples": 1437,
        "test_samples": 360,
        "encoding": "Rate code: 20 steps of 1 ms, on average 60 input spikes a sample.",
        "versions": {"neuromorph": "0.1.0", "numpy": "2.0.0"},
        "fingerprints": {"pair-stdp seed 0": "3f" * 32, "loihi1": "0c" * 32},
        "seconds": 412.7,
        "quick": False,
    }
    return Scorecard(**(fields | changes))


@pytest.fixture
def make_evidence() -> Callable[..., Evidence]:
    """The maker of evidence."""
    return synthetic_evidence


@pytest.fixture
def make_scorecard() -> Callable[..., Scorecard]:
    """The maker of scorecards."""
    return synthetic_scorecard


@pytest.fixture(scope="session")
def ordinary_scorecard() -> Scorecard:
    """The ordinary scorecard, for fixtures that outlive a test."""
    return synthetic_scorecard()


@pytest.fixture
def scorecard(ordinary_scorecard: Scorecard) -> Scorecard:
    """The ordinary scorecard."""
    return ordinary_scorecard
