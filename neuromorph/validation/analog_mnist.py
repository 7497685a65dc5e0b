"""MNIST on BrainScaleS-2 (Cramer et al. 2022): the power of the chip comes from another publication."""

from __future__ import annotations

from neuromorph.cost import Range
from neuromorph.costs import estimate_work, stated_work
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

SIZES = (256, 246, 10)
STEPS = 8  # of 1 us, in which an answer comes: the chip has none, and energy does not depend on them here
CRAMER, GOELTZ = (85e3, 2.4e-6), (21e3, 8.4e-6)  # images a second, J an image


def energy(images_per_second: float) -> Range:
    """Energy (J) of an image at a published pace, with the least and the largest power of the chip that was published."""
    paced = stated_work(
        "brainscales2",
        steps=STEPS,
        neurons=SIZES[1] + SIZES[2],
        synapses=SIZES[0] * SIZES[1] + SIZES[1] * SIZES[2],
        cores=1,
        period_second=1 / images_per_second,
    )
    joule = estimate_work(paced, "brainscales2").real_time_energy_joule
    assert joule is not None  # the work has a period
    return joule


def predict() -> tuple[Row, ...]:
    """Energy with either power, and each measurement from the power of the other."""
    within = Target(factor=1.5)
    both, other = energy(CRAMER[0]), energy(GOELTZ[0])
    return (
        Row(
            what="energy of an image",
            unit="J",
            predicted=both,
            measured=measured(CRAMER[1]),
            target=within,
            basis="power of Goeltz et al. 2021 to power of this measurement",
            is_independent=False,
        ),
        Row(
            what="energy of an image, by the power of the other task",
            unit="J",
            predicted=Range.of(both.low),
            measured=measured(CRAMER[1]),
            target=within,
            basis="power of Goeltz et al. 2021",
        ),
        Row(
            what="energy of an image of the other task (Goeltz et al. 2021), by the power of this one",
            unit="J",
            predicted=Range.of(other.high),
            measured=measured(GOELTZ[1]),
            target=within,
            basis="power of Cramer et al. 2022",
        ),
    )


CASE = Case(
    name="analog-mnist",
    title="V6. MNIST on BrainScaleS-2",
    summary=(
        "A network of 256-246-10 classifies 85,000 images a second on an analog chip. No energy of a single event was published,"
        " so that energy is the power of the whole chip for the time of an image; that power was measured in two tasks, by"
        " two groups, and this is one of them."
    ),
    source="Cramer et al. 2022, PNAS 119(4), Table 2",
    unknown="Power beside the two tasks in which it was measured: 0.176 W (Goeltz et al. 2021) to 0.204 W (Cramer et al. 2022).",
    predict=predict,
)
