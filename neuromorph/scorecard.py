"""Learners side by side on one task: accuracy, speed, work, energy, latency and memory, on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from neuromorph.chip import Chip
from neuromorph.costs import Range as CostRange
from neuromorph.recording import FloatArray, IntArray, SpikeTrain

Range = tuple[float, float]  # low and high
METRICS_SAMPLES = 60  # held-out samples of which NeuroBench's metrics are taken


@dataclass(frozen=True, kw_only=True)
class Row:
    """One learner on one backend, as the table and ``--json`` show it; a mean over seeds where there are several."""

    learner: str
    backend: str
    available: bool
    reason: str = ""  # why there is no figure, and the remedy
    accuracy: float | None = None  # on held-out samples
    accuracy_by_seed: tuple[float, ...] = ()
    samples: int | None = None  # training samples seen, repetitions counted
    seconds_per_sample: float | None = None  # wall time of classifying one sample
    learning_seconds_per_sample: float | None = None  # wall time of learning from one sample
    steps_per_second: float | None = None  # time steps; None where there are none
    synaptic_operations: float | None = None  # for one classified sample
    energy_joule: Mapping[str, Range] = field(default_factory=dict)  # chip to low and high, one classified sample
    learning_energy_joule: Mapping[str, Range] = field(default_factory=dict)  # one learned sample
    latency_second: Mapping[str, Range] = field(default_factory=dict)  # one classified sample
    energy_delay_product: Mapping[str, Range] = field(default_factory=dict)  # J s, energy x latency of one of these
    learning_memory_byte: int | None = None  # held beside the weights while learning
    spikes_equal: bool | None = None  # to the reference's, classifying and learning; None where there are no spikes
    spikes_compared: int | None = None  # spikes of the reference that were looked for
    first_divergence: Mapping[str, Any] | None = None  # phase, step, population, neuron where spikes differ first

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What the page draws of one learner, from its first seed."""

    learner: str
    seed: int
    curve_samples: IntArray  # training samples seen
    curve_accuracy: FloatArray  # held-out accuracy at that point, on `curve_test_samples` samples
    curve_test_samples: int
    curve_on: str = "held-out samples"  # what accuracy of the curve is measured on
    confusion: IntArray  # (classes, classes): true class, predicted class; samples without an answer are left out
    image_shape: tuple[int, int]
    weights_before: FloatArray  # (neurons, pixels), of the plastic or first layer
    weights_after: FloatArray
    receptive_labels: IntArray  # (neurons,), class each neuron stands for; -1: none
    raster: Mapping[str, SpikeTrain] = field(default_factory=dict)  # a few classified samples; empty without spikes
    membrane: FloatArray | None = None  # (steps, neurons shown) over the same steps
    membrane_ids: tuple[int, ...] = ()
    threshold: FloatArray | None = None  # of the neurons shown
    unanswered: int = 0  # held-out samples for which no neuron spiked; they count as wrong
    steps_per_sample: int = 0
    sample_labels: tuple[tuple[int, int], ...] = ()  # true and predicted class of the samples in the raster
    dt: float = 0.0  # s
    metrics: Mapping[str, Any] = field(
        default_factory=dict
    )  # NeuroBench's, under its names; of so many held-out samples
    metrics_samples: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Scorecard:
    """The result of comparing learners and backends on a task."""

    task: str
    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...]
    seeds: tuple[int, ...]
    training_samples: int
    test_samples: int
    encoding: str  # a sentence: which code, its cost in steps and spikes
    versions: Mapping[str, str]
    fingerprints: Mapping[str, str]  # learner and seed to program; chip to file
    seconds: float  # wall time of the whole comparison
    quick: bool
    learning_samples_compared: int = 0  # taught on the emulator, as many first samples learned again on each backend

    def to_json(self) -> dict[str, Any]:
        """Rows and provenance as plain data, for ``--json``."""
        return {
            "task": self.task,
            "rows": [row.to_json() for row in self.rows],
            "seeds": list(self.seeds),
            "training_samples": self.training_samples,
            "test_samples": self.test_samples,
            "encoding": self.encoding,
            "versions": dict(self.versions),
            "fingerprints": dict(self.fingerprints),
            "seconds": self.seconds,
            "quick": self.quick,
            "learning_samples_compared": self.learning_samples_compared,
            "neurobench": {
                one.learner: {"samples": one.metrics_samples, **one.metrics} for one in self.evidence if one.metrics
            },
        }


def is_timed_here(chip: Chip) -> bool:
    """Whether wall time on this machine can be charged to a chip: its file states the power of a busy core."""
    return any("busy_core.power" in cost_set.coefficients for cost_set in chip.costs.values())


def as_range(value: CostRange) -> Range:
    """The two ends of a cost's range."""
    return (float(value.low), float(value.high))
