"""Sequential MNIST on Loihi 1 by a recurrent network with adapting neurons (Rao et al. 2022), and an LSTM on a GPU."""

from __future__ import annotations

from neuromorph.cost import Operations, Range
from neuromorph.costs import estimate_operations, estimate_work, stated_work
from neuromorph.validation.activity import Structure, so_many
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

INPUTS, REGULAR, ADAPTIVE, OUTPUTS = 80, 140, 100, 10
COMPARTMENTS = REGULAR + 2 * ADAPTIVE + OUTPUTS  # an adapting neuron takes two
STEPS, PIXELS = 840, 784
# Spikes a neuron and step of 1 ms: half to twice of the 10 Hz towards which these networks are trained (Bellec et al. 2018,
# code LSNN-official, bin/tutorial_sequential_mnist_with_LSNN.py, reg_rate).
ACTIVITY = Range(0.005, 0.02)
# 40 inputs spike where the grey value rises past a threshold, 40 where it falls (LSNN-official, as for the rate). A stroke of
# the pen passes most of them twice, 20 rows of an image have one and a half strokes: half to twice of 30 x 80 = 2400 spikes;
# and one input spikes in the last 56 steps.
INPUT_SPIKES = Range(1200 + 56, 4800 + 56)
HIDDEN = 128  # units of the LSTM
LATENCY = 13.986e-3  # s


def structure() -> Structure:
    """80 thresholds onto 140 regular and 100 adapting neurons that reach each other, and these onto 10 readouts."""
    recurrent = REGULAR + ADAPTIVE
    return Structure(
        name="sequential mnist",
        inputs={"thresholds": INPUTS},
        layers={"recurrent": recurrent, "digits": OUTPUTS},
        synapses=[
            ("thresholds", "recurrent", so_many(4263, recurrent, INPUTS, seed=0)),
            ("recurrent", "recurrent", so_many(10_566, recurrent, recurrent, seed=1)),
            ("recurrent", "digits", so_many(846, OUTPUTS, recurrent, seed=2)),
        ],
    )


def predict() -> tuple[Row, ...]:
    """Every part of the energy on the chip, the latency, and the LSTM."""
    per_step = INPUT_SPIKES.scaled(1 / (STEPS * INPUTS))
    counts = structure().counted("loihi1", steps=STEPS, activity=ACTIVITY, input_activity=per_step)
    work = stated_work(
        "loihi1", **{**counts, "steps": STEPS, "neurons": COMPARTMENTS, "cores": 1, "busiest_share": 1, "embedded": 1}
    )
    cost = estimate_work(work, "loihi1", static="cores")
    cells = 4 * HIDDEN * (HIDDEN + 1) * PIXELS
    lstm = estimate_operations(Operations(multiply_accumulates=cells, calls=1, layers=PIXELS), "quadro_k4000")
    return (
        Row(
            what="energy of the cores, dynamic",
            unit="J",
            predicted=cost.energy_of("events"),
            measured=measured(1.5835e-3 * LATENCY),
            target=Target(factor=1.5),
            basis="nothing from this measurement",
        ),
        Row(
            what="energy of the cores, static",
            unit="J",
            predicted=cost.energy_of("static"),
            measured=measured(1.0064e-3 * LATENCY),
            basis="one core; power of Blouw et al. 2019 and Frady et al. 2020",
        ),
        Row(
            what="energy of the x86 cores",
            unit="J",
            predicted=cost.energy_of("embedded"),
            measured=measured((0.149e-3 + 23.195e-3) * LATENCY),
            basis="power of another network of these authors and of Frady et al. 2020, for the predicted latency",
            is_independent=False,
        ),
        Row(
            what="energy in total",
            unit="J",
            predicted=cost.energy_joule,
            measured=measured(0.3627e-3),
            target=Target(factor=1.5),
            basis="as above",
            is_independent=False,
        ),
        Row(
            what="latency",
            unit="s",
            predicted=cost.latency_second,
            measured=measured(LATENCY),
            target=Target(factor=2.0),
            basis="high end of a step from this measurement, low end from Frady et al. 2020",
            is_independent=False,
        ),
        Row(
            what="LSTM on a GPU, latency",
            unit="s",
            predicted=lstm.latency_second,
            measured=measured(39.73e-3),
            target=Target(factor=2.0),
            basis="Quadro K4000 in place of a GPU that is not named; nothing from this measurement",
        ),
        Row(
            what="LSTM on a GPU, dynamic energy",
            unit="J",
            predicted=lstm.dynamic_energy_joule,
            measured=measured((68.5 - 33.93) * 39.73e-3),
            target=Target(factor=2.0),
            basis="as above",
        ),
        Row(
            what="LSTM on a GPU, energy in total",
            unit="J",
            predicted=lstm.energy_joule,
            measured=measured(68.5 * 39.73e-3),
            target=Target(factor=2.0),
            basis="as above",
        ),
    )


CASE = Case(
    name="sequential-mnist",
    title="V3. Sequential MNIST on Loihi 1, and an LSTM on a GPU",
    summary=(
        "140 regular and 100 adapting neurons read an image pixel by pixel in 840 steps, on one core of one chip; an LSTM does the"
        " same in 784 steps on a GPU. Cores are predicted from compartments and from synapses as many as the published weights"
        " have, and the LSTM as one call of a framework with one layer a step."
    ),
    source=(
        "Rao et al. 2022, Nat. Mach. Intell. 4, and its notebooks (Intel NRC ecosystem models, nxsdk_modules_ncl/lsnn): powers,"
        " times and number of cores as printed there"
    ),
    unknown=(
        "Spike rates: 5 to 20 Hz of recurrent neurons (such networks are trained towards 10 Hz), 1256 to 4856 input spikes an image. The units of the LSTM (taken as 128) and"
        " the GPU are not named."
    ),
    predict=predict,
)
