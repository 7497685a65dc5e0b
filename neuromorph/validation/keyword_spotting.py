"""Keyword spotting 390-256-256-29 on Loihi 1 and five conventional devices (Blouw et al. 2019), batches of 1 to 64."""

from __future__ import annotations

import itertools

from neuromorph.cost import Operations, Range
from neuromorph.costs import estimate_operations, estimate_work, stated_work
from neuromorph.validation.activity import RATE_CODE, Structure, every
from neuromorph.validation.case import Case, measured
from neuromorph.validation.row import Row, Target

SIZES = (390, 256, 256, 29)
PRODUCTS = sum(pre * post for pre, post in itertools.pairwise(SIZES))  # 172,800 multiply-accumulates
STEPS = 10  # of an inference
PER_SECOND = 296.5  # inferences on Loihi, host included
AT_REST = 29.5e-3  # W, the board after boot
AWAKE = 96.2e-3 - AT_REST  # W, the board before a run less that: its embedded processors, awake
FITTED = (1, 2, 64)  # batches from which calls and arithmetic of a device were derived; the others are predicted
INSIDE = Target(widest=5.0)
# batch -> inferences a second and dynamic power (W): running less idle after boot
SWEEPS = {
    "xeon": {
        1: (1813.6, 11.47),
        2: (2278.0, 3.85),
        4: (3953.0, 7.96),
        8: (5964.0, 4.55),
        16: (11279.0, 8.08),
        32: (21376.0, 8.06),
        64: (38210.0, 13.31),
    },
    "quadro_k4000": {
        1: (770.4, 22.86),
        2: (1620.0, 23.5),
        4: (3191.0, 23.4),
        8: (6627.0, 23.8),
        16: (12759.0, 23.9),
        32: (23856.0, 25.1),
        64: (36150.0, 26.3),
    },
    "jetson_tx1": {
        1: (419.0, 2.345),
        2: (1223.0, 3.09),
        4: (2288.0, 2.91),
        8: (3686.0, 2.56),
        16: (6808.0, 2.35),
        32: (12274.0, 2.23),
        64: (16976.0, 1.73),
    },
    "movidius_ncs": {1: (300.0, 0.437)},
    "movidius_ncs2": {1: (464.6, 0.942)},
}


def structure() -> Structure:
    """The network as it runs on the chip."""
    names = ("features", "hidden 1", "hidden 2", "letters")
    return Structure(
        name="keyword spotting",
        inputs={names[0]: SIZES[0]},
        layers=dict(zip(names[1:], SIZES[1:], strict=True)),
        synapses=[(pre, post, every()) for pre, post in itertools.pairwise(names)],
    )


def predict() -> tuple[Row, ...]:
    """Loihi under both conventions of what idle is, then every device and batch."""
    return (*_loihi(), *(row for device in SWEEPS for row in _device(device)))


def _loihi() -> tuple[Row, ...]:
    board = "wolf_mountain"
    counts = structure().counted(board, steps=STEPS, activity=RATE_CODE, input_activity=RATE_CODE, runs=20)
    stated = {"steps": STEPS, "neurons": sum(SIZES[1:]), "host_steps": STEPS, "embedded": 1, **counts}
    paced = estimate_work(stated_work(board, **stated, period_second=1 / PER_SECOND), board)
    free = estimate_work(stated_work(board, **stated), board)
    dynamic = paced.real_time_energy_of("events", "embedded", "host")
    awake, idle = AWAKE / PER_SECOND, AT_REST / PER_SECOND
    return (
        Row(
            what="Loihi, an inference, idle as after boot",
            unit="J",
            predicted=dynamic,
            measured=measured(0.272e-3),
            target=INSIDE,
            basis="cores, embedded processors awake as on this board at rest and working as in other papers; at the measured pace",
        ),
        Row(
            what="Loihi, an inference, idle as after a first run",
            unit="J",
            predicted=Range(dynamic.low - awake, dynamic.high - awake),
            measured=measured(0.037e-3),
            basis="as above, less the embedded processors being awake: a small difference of large figures",
        ),
        Row(
            what="Loihi, an inference, with all that the board draws",
            unit="J",
            predicted=Range(dynamic.low + idle, dynamic.high + idle),
            measured=measured(0.372e-3),
            target=INSIDE,
            basis="the first row and the board at rest after boot, at the measured pace",
        ),
        Row(
            what="Loihi, time of an inference, host included",
            unit="s",
            predicted=free.latency_second,
            measured=measured(1 / PER_SECOND),
            target=Target(factor=2.0),
            basis="10 steps, each fed by the host",
        ),
    )


def _device(device: str) -> tuple[Row, ...]:
    one = Operations(multiply_accumulates=PRODUCTS, calls=1, layers=len(SIZES) - 1)
    rows = []
    for batch, (per_second, watt) in SWEEPS[device].items():
        cost = estimate_operations(one.batched(batch), device)
        is_predicted = batch not in FITTED
        kind = "predicted" if is_predicted else "fitted"
        rows.append(
            Row(
                what=f"{device}, batch {batch}, dynamic energy of an inference",
                unit="J",
                predicted=cost.dynamic_energy_joule,
                measured=measured(watt / per_second),
                target=INSIDE if is_predicted else None,
                basis=kind,
                is_independent=is_predicted,
            )
        )
        rows.append(
            Row(
                what=f"{device}, batch {batch}, time of a batch",
                unit="s",
                predicted=cost.latency_second.scaled(batch),
                measured=measured(batch / per_second),
                target=Target(factor=2.0) if is_predicted else None,
                basis=kind,
                is_independent=is_predicted,
            )
        )
    return tuple(rows)


CASE = Case(
    name="keyword-spotting",
    title="V2. Keyword spotting on Loihi 1 and five conventional devices",
    summary=(
        "A network of 390-256-256-29 spots a keyword on a Loihi board, a Xeon, a Quadro K4000, a Jetson TX1 and two Movidius"
        " sticks, with batches of 1 to 64. Loihi is predicted from the counts of the network at a stated activity and the"
        " measured pace; calls and arithmetic of the devices come from batches 1, 2 and 64, and batches 4 to 32 test them."
    ),
    source="Blouw et al. 2019, arXiv 1812.01739, recomputed from the logs of its code (abr/power_benchmarks)",
    unknown=(
        "Spike rates, of inputs and neurons: 0.05 to 0.25 spikes a neuron and step, the range of every conversion on this page."
        " That an inference takes 10 steps is certain for the scaled networks of the paper and taken for this one."
    ),
    predict=predict,
)
