"""What the page draws of a spiking learner: gathered from its lesson and from its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neuromorph import registry
from neuromorph.networks.learner import IMAGE, OUTPUT, Learner, Readout, Responses, respond
from neuromorph.neurobench import measure
from neuromorph.program import ProbeProgram, Program
from neuromorph.recording import Counts, IntArray, SpikeTrain
from neuromorph.scorecard import METRICS_SAMPLES, Evidence
from neuromorph.tasks.dataset import Dataset
from neuromorph.tasks.readout import confusion_matrix

CURVE_TEST_SAMPLES = 120
RASTER_SAMPLES = 6
MEMBRANES = 4


@dataclass(eq=False)
class Taught:
    """A learner after its lesson on the emulator, for one seed."""

    learner: Learner
    seed: int
    data: Dataset
    start: Program  # plastic, before learning
    frozen: Program  # static, after learning
    readout: Readout
    samples: int
    counts: Counts  # of those samples of the lesson whose work was counted
    counted: int  # how many these are
    curve: list[tuple[int, float]] = field(default_factory=list)


def gather_evidence(one: Taught, responses: Responses, test: IntArray) -> Evidence:
    """Curve, confusions, weights, and a few held-out samples again with their membranes; ``test``: who responded."""
    data, learner = one.data, one.learner
    predicted = one.readout.predict(responses)
    part = test[:CURVE_TEST_SAMPLES]  # the samples of the whole curve
    curve = [*one.curve, (one.samples, float(np.mean(predicted[part] == data.test_labels[part])))]
    shown = learner.encode(data.test_images[:RASTER_SAMPLES])
    probed = one.frozen.with_probes(
        [*one.frozen.with_all_spikes().probes, ProbeProgram(target=OUTPUT, variable="v", every=1)]
    )
    with registry.get("emulator").open(probed) as session:
        answers = respond(session, shown)
    raster = {name: SpikeTrain.joined([r.spikes[name] for r in answers.recordings]) for name in (IMAGE, OUTPUT)}
    membrane = np.concatenate([recording.states[OUTPUT, "v"] for recording in answers.recordings])
    busiest = np.argsort(-raster[OUTPUT].counts(), kind="stable")[:MEMBRANES]
    plastic = one.start.projection(learner.plastic[0])
    classified = learner.encode(data.test_images[:METRICS_SAMPLES])
    inputs = [{IMAGE: sample} for sample in classified]
    metrics = measure(one.frozen, classified.shape[1], inputs=inputs, backend="emulator")
    return Evidence(
        learner=learner.name,
        seed=one.seed,
        curve_samples=np.array([samples for samples, _ in curve]),
        curve_accuracy=np.array([value for _, value in curve]),
        curve_test_samples=len(part),
        confusion=confusion_matrix(data.test_labels[test], predicted, data.classes),
        image_shape=data.image_shape,
        weights_before=plastic.matrix(plastic.weight),
        weights_after=plastic.matrix(one.frozen.projection(plastic.name).weight),
        # fields of hidden neurons stand for no class
        receptive_labels=one.readout.labels if plastic.post == OUTPUT else np.full(plastic.post_size, -1),
        raster=raster,
        membrane=membrane[:, busiest],
        membrane_ids=tuple(int(neuron) for neuron in busiest),
        threshold=one.frozen.population(OUTPUT).threshold[busiest],
        unanswered=int(np.count_nonzero(predicted < 0)),
        steps_per_sample=shown.shape[1],
        sample_labels=tuple(
            zip(data.test_labels[:RASTER_SAMPLES].tolist(), predicted[:RASTER_SAMPLES].tolist(), strict=True)
        ),
        dt=one.frozen.dt,
        metrics=metrics.neurobench(),
        metrics_samples=metrics.samples,
    )
