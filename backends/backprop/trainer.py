"""The trainer: minibatches, early stopping and the learning curve around a choice of credit assignment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from neuromorph.backends.backprop.activations import Array
from neuromorph.backends.backprop.counts import OperationCounts, count_operations
from neuromorph.backends.backprop.credit import Backprop, CreditAssignment
from neuromorph.backends.backprop.curve import Epoch
from neuromorph.backends.backprop.early_stopping import BestWeights, EarlyStopping, split_samples
from neuromorph.backends.backprop.epoch_run import EpochRun
from neuromorph.backends.backprop.losses import Loss, SoftmaxCrossEntropy
from neuromorph.backends.backprop.network import DenseNetwork, predict
from neuromorph.backends.backprop.optimisers import Adam, Optimiser
from neuromorph.backends.backprop.parameters import Parameters
from neuromorph.backends.backprop.requirements import require_choice, require_count, require_instance
from neuromorph.backends.backprop.targets import Targets, encode_targets, measure, target_faults
from neuromorph.errors import DescriptionError, InputError, NeuromorphError, raise_faults

Progress = Callable[[Epoch], None]
Samples = npt.NDArray[np.intp]  # sample numbers


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What a training gave."""

    network: DenseNetwork
    parameters: Parameters  # those of ``best_epoch``
    curve: tuple[Epoch, ...]
    best_epoch: int  # the epoch whose weights these are; without early stopping the last
    stopped_early: bool
    training_samples: Samples  # sample numbers trained on
    validation_samples: Samples  # sample numbers held back from the training set; empty if none were

    def predict(self, inputs: npt.ArrayLike) -> Array:
        """Give the outputs, shape (samples, outputs); raises InputError for inputs of a wrong shape."""
        return predict(self.network, self.parameters, inputs)

    def accuracy(self, inputs: npt.ArrayLike, labels: npt.ArrayLike) -> float:
        """Give the share of samples whose largest output is their label's, labels of shape (samples,)."""
        return float(np.mean(self.predict(inputs).argmax(axis=1) == np.asarray(labels)))


@final
@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Trains a dense network by minibatches.

    Raises DescriptionError for a field of a wrong type or value.

    >>> network = DenseNetwork.of_sizes((2, 8, 2))
    >>> trainer = Trainer(network=network, optimiser=Adam(learning_rate=0.05), early_stopping=None)
    >>> inputs, labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> training = trainer.train(inputs, labels, generator=np.random.default_rng(0))
    >>> training.accuracy(inputs, labels)
    1.0
    """

    network: DenseNetwork
    loss: Loss = field(default_factory=SoftmaxCrossEntropy)
    optimiser: Optimiser = field(default_factory=Adam)
    credit: CreditAssignment = field(default_factory=Backprop)
    epochs: int = 100  # at most
    batch_size: int = 32  # samples; the last minibatch of an epoch may be smaller
    early_stopping: EarlyStopping | None = field(default_factory=EarlyStopping)
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        """Check every field."""
        faults = require_instance("Trainer.network", self.network, DenseNetwork, "DenseNetwork(...)")
        faults += require_instance("Trainer.loss", self.loss, Loss, "SoftmaxCrossEntropy(), MeanSquaredError()")
        faults += require_instance("Trainer.optimiser", self.optimiser, Optimiser, "SGD(...), Adam(...)")
        faults += require_instance("Trainer.credit", self.credit, CreditAssignment, "Backprop()")
        faults += require_count(
            "Trainer.epochs", self.epochs, at_least=1, remedy="give a number of passes, such as 100"
        )
        faults += require_count(
            "Trainer.batch_size", self.batch_size, at_least=1, remedy="give a number of samples, such as 32"
        )
        if self.early_stopping is not None:
            faults += require_instance(
                "Trainer.early_stopping", self.early_stopping, EarlyStopping, "EarlyStopping(...), None"
            )
        faults += require_choice("Trainer.precision", self.precision, ("float32", "float64"))
        raise_faults(DescriptionError, faults)

    def count_operations(self) -> OperationCounts:
        """Count operations and memory of this training for full minibatches."""
        return count_operations(
            self.network,
            credit=self.credit,
            optimiser=self.optimiser,
            batch_size=self.batch_size,
            dtype=self.precision,
        )

    def train(
        self,
        inputs: npt.ArrayLike,
        targets: npt.ArrayLike,
        *,
        generator: np.random.Generator,
        validation: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        initial: Parameters | None = None,
        progress: Progress | None = None,
    ) -> Training:
        """Train on ``inputs`` (samples, inputs) and labels (samples,) or target rows (samples, outputs).

        The validation part is ``validation`` (inputs, targets) or, with early stopping, a share of the
        samples kept back. ``initial`` parameters are copied; without them they are drawn. ``progress`` is
        called after every epoch.

        Raises InputError for arrays that do not fit, and NeuromorphError if the loss stops being finite.
        """
        samples, encoded = self._read("train", inputs, targets)
        held_out = None if validation is None else self._read("train: validation", *validation)
        self._check_monitor(encoded if held_out is None else held_out[1])
        parameters = self._start(initial, generator)
        # The credit assignment gets its own stream: the minibatches are then the same whatever it draws.
        credit_generator = generator.spawn(1)[0]
        trained = np.arange(len(samples))
        kept_back = np.arange(0)
        if held_out is None and self.early_stopping is not None:
            trained, kept_back = self._split(encoded, generator)
            held_out = samples[kept_back], encoded.select(kept_back)
        source = self.credit.open(
            self.network, parameters, self.loss, batch_size=self.batch_size, generator=credit_generator
        )
        run = EpochRun(samples, encoded, trained, source, self.optimiser.open(parameters), self.batch_size)
        best = None if self.early_stopping is None else BestWeights(self.early_stopping, parameters)
        curve: list[Epoch] = []
        while len(curve) < self.epochs and not (best is not None and best.patience_is_spent):
            record = self._train_epoch(len(curve) + 1, run, parameters, held_out, generator)
            curve.append(record)
            if best is not None:
                best.observe(record)
            if progress is not None:
                progress(record)
        if best is not None:
            best.restore()
        return Training(
            network=self.network,
            parameters=parameters,
            curve=tuple(curve),
            best_epoch=len(curve) if best is None else best.epoch,
            stopped_early=len(curve) < self.epochs,
            training_samples=trained,
            validation_samples=kept_back,
        )

    def _train_epoch(
        self,
        number: int,
        run: EpochRun,
        parameters: Parameters,
        held_out: tuple[Array, Targets] | None,
        generator: np.random.Generator,
    ) -> Epoch:
        start = time.perf_counter()
        # Overflow is reported once, below, with its remedy.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            outputs, targets = run.run(generator)
            seconds = time.perf_counter() - start
            loss, accuracy = measure(outputs, targets, self.loss)
            validation_loss, validation_accuracy = None, None
            if held_out is not None:
                predicted = predict(self.network, parameters, held_out[0])
                validation_loss, validation_accuracy = measure(predicted, held_out[1], self.loss)
        if not math.isfinite(loss) or (validation_loss is not None and not math.isfinite(validation_loss)):
            raise NeuromorphError(
                f"training diverged in epoch {number}: the loss must stay finite, got {loss} on training and "
                f"{validation_loss} on validation samples; lower the learning rate of {self.optimiser} or "
                "scale the inputs to about 1"
            )
        return Epoch(
            number=number,
            samples_seen=number * len(targets.rows),
            loss=loss,
            accuracy=accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            train_seconds=seconds,
        )

    def _read(self, where: str, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> tuple[Array, Targets]:
        given, wanted = np.asarray(inputs), np.asarray(targets)
        faults = input_faults(f"{where}: inputs", given, self.network.inputs)
        if not faults:
            faults += target_faults(f"{where}: targets", wanted, len(given), self.network.outputs)
        raise_faults(InputError, faults)
        encoded = encode_targets(wanted, self.network.outputs, self.precision)
        raise_faults(InputError, [f"{where}: {fault}" for fault in self.loss.target_faults(encoded.rows)])
        return np.ascontiguousarray(given, dtype=self.precision), encoded

    def _check_monitor(self, targets: Targets) -> None:
        if self.early_stopping is not None and self.early_stopping.monitor == "accuracy" and targets.labels is None:
            raise InputError(
                [
                    "train: targets must be integer labels for EarlyStopping.monitor 'accuracy', got rows of "
                    "numbers; pass labels or use monitor='loss'"
                ]
            )

    def _start(self, initial: Parameters | None, generator: np.random.Generator) -> Parameters:
        if initial is None:
            return self.network.draw_parameters(generator, self.precision)
        if initial.sizes != self.network.sizes:
            raise InputError([f"train: initial parameters must be for sizes {self.network.sizes}, got {initial.sizes}"])
        return Parameters(initial.sizes, initial.flat.astype(self.precision))

    def _split(self, targets: Targets, generator: np.random.Generator) -> tuple[Samples, Samples]:
        if self.early_stopping is None:
            raise ValueError("there is no validation part without early stopping")
        fraction = self.early_stopping.validation_fraction
        trained, kept_back = split_samples(len(targets.rows), targets.labels, fraction=fraction, generator=generator)
        if not len(trained) or not len(kept_back):
            raise InputError(
                [
                    f"train: EarlyStopping.validation_fraction {fraction} of {len(targets.rows)} samples "
                    f"leaves {len(trained)} to train on and {len(kept_back)} to validate on, at least 1 of "
                    "each is needed; pass validation=(inputs, targets) or use early_stopping=None"
                ]
            )
        return trained, kept_back


def input_faults(where: str, inputs: npt.NDArray[Any], width: int) -> list[str]:
    """Say what is wrong with training inputs: finite numbers (samples, width), one sample or more."""
    if inputs.dtype.kind not in "iufb" or inputs.ndim != 2 or inputs.shape[1] != width or not len(inputs):
        return [
            f"{where} must be numbers of shape (samples, {width}), at least one sample, got "
            f"{inputs.dtype} of shape {inputs.shape}"
        ]
    if not np.isfinite(inputs).all():
        return [f"{where} must be finite, got nan or infinity"]
    return []
