"""From a recording, counts or operations to a cost: what users call."""

from __future__ import annotations

import math
from collections.abc import Sequence

from neuromorph.cost import Cost, Operations
from neuromorph.costs.conventional import on_processor, spiking_counts
from neuromorph.costs.counted import work_of_counts
from neuromorph.costs.on_cores import Static, estimate_work
from neuromorph.costs.placed import joined, work_of_placement
from neuromorph.costs.stated import ChipLike, loaded
from neuromorph.costs.work import Count
from neuromorph.errors import ChipError, InputError, is_number, raise_faults
from neuromorph.placement import Placement
from neuromorph.recording import Counts, Recording


def estimate(
    recording: Recording | Sequence[Recording],
    chip: ChipLike = "loihi1",
    placement: Placement | None = None,
    *,
    samples: float | None = None,
    resets: Count = 0,
    learning: bool = True,
    static: Static | None = None,
) -> Cost:
    """Cost of a recorded run on a chip, by name, by path of a hardware file, or loaded.

    Several recordings are chunks of one run, in order. With a ``placement`` of the program on that chip every operation
    is counted on its core and in its step; without one there are bounds (:mod:`neuromorph.costs`). ``samples``: the cost
    is of one of so many. ``resets``: how often in the run the state of all chips is cleared. ``learning=False`` leaves
    learning updates out. ``static``: see :func:`estimate_work`.

    The wall time of the recording counts for a conventional processor whose file states the power of a busy core: it is
    taken as measured there.

    >>> import neuromorph as nm
    >>> net = nm.Network(populations=[nm.Population("a", 10, nm.LIF(bias=2.0))], probes=[nm.Probe("a", "spikes")])
    >>> program = nm.compile(net)
    >>> recording = nm.run(program, 100)
    >>> cost = estimate(recording, "loihi1.davies2018", nm.place(program))
    >>> cost.cores, round(cost.energy_of("events").low / recording.counts.neuron_updates / 1e-12)  # all of them active
    (Range(low=1.0, high=1.0), 81)
    """
    hardware, whole = loaded(chip), joined(recording)
    if hardware.kind == "neuromorphic" and placement is not None:
        work = work_of_placement(whole, placement, hardware, learning=learning, resets=resets)
        return estimate_work(work, hardware, samples=samples, static=static)
    if placement is not None:
        raise InputError(f"chip {hardware.name!r} is {hardware.kind} and has no cores: leave the placement out")
    runs_here = any("busy_core.power" in cost_set.coefficients for cost_set in hardware.costs.values())
    return estimate_counts(
        whole.counts,
        dt=whole.dt,
        chip=hardware,
        wall_second=whole.wall_second if runs_here and whole.wall_second > 0 else None,
        learning=learning,
        samples=samples,
        resets=resets,
        static=static,
    )


def estimate_counts(
    counts: Counts,
    *,
    dt: float,
    chip: ChipLike = "loihi1",
    wall_second: float | None = None,
    learning: bool = True,
    samples: float | None = None,
    resets: Count = 0,
    static: Static | None = None,
) -> Cost:
    """Cost of counted work in steps of ``dt`` (s), where nothing is known of a placement."""
    _check_seconds(dt=dt, wall_second=wall_second)
    hardware = loaded(chip)
    if hardware.kind == "neuromorphic":
        work = work_of_counts(counts, hardware, dt=dt, learning=learning, resets=resets)
        return estimate_work(work, hardware, samples=samples, static=static)
    cost = on_processor(
        hardware, spiking_counts(counts, learning=learning), wall_second=wall_second, real_time=counts.steps * dt
    )
    return cost if samples is None else cost.scaled(1 / samples)


def estimate_operations(
    operations: Operations,
    chip: ChipLike = "cpu",
    *,
    wall_second: float | None = None,
    measured_joule: float | None = None,
) -> Cost:
    """Cost of counted operations on a conventional processor, or by a table of a technology.

    ``wall_second`` (s) and ``measured_joule`` (J), of the same work and where there was a clock and a meter, become
    accounts of their own, marked measured, beside what is modelled.
    """
    _check_seconds(wall_second=wall_second)
    if measured_joule is not None and not (is_number(measured_joule) and measured_joule >= 0):
        raise InputError(f"measured_joule must be >= 0 J, got {measured_joule}")
    hardware = loaded(chip)
    if hardware.kind not in ("conventional", "technology"):
        raise ChipError(
            f"chip {hardware.name!r} is {hardware.kind}: it has no cost of multiply-accumulates; "
            "use estimate_counts for its work, or a conventional chip such as 'cpu'"
        )
    return on_processor(hardware, operations, wall_second=wall_second, measured_joule=measured_joule, real_time=None)


def _check_seconds(**seconds: float | None) -> None:
    wrong = {name: value for name, value in seconds.items() if value is not None and not 0 < value < math.inf}
    raise_faults(InputError, [f"{name} must be > 0 s, got {value}" for name, value in wrong.items()])
