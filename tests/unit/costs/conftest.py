"""A chip whose every number is known, and a network whose every spike is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.chip import Chip, load_chip
from neuromorph.recording import Recording

COEFFICIENTS = {  # J and s of the bench's operations: one digit a decade, so that a sum tells its terms
    "synaptic_operation": (1e-9, 1e-6),
    "neuron_update_active": (3e-10, 3e-7),
    "neuron_update_idle": (1e-10, 1e-7),
    "spike_generated": (2e-9, 2e-6),
    "axon_out": (4e-9, 4e-6),
    "axon_in": (5e-9, 5e-6),
    "tile_hop_east_west": (7e-9, 7e-6),
    "tile_hop_north_south": (8e-9, 8e-6),
    "learning_update": (6e-9, 6e-6),
    "chip_reset": (9e-6, 9e-4),
}
HEAD = """
name = "bench"
kind = "neuromorphic"
description = "four cores of four compartments a chip, two cores a tile"
[limits]
core.compartments = { value = 4, source = "bench", status = "assumed" }
core.synapse_memory_bit = { value = 4096, source = "bench", status = "assumed" }
chip.cores = { value = 8, source = "bench", status = "assumed" }
chip.cores_per_tile = { value = 2, source = "bench", status = "assumed" }
chip.tiles = { value = 4, source = "bench", status = "assumed" }
chip.mesh_columns = { value = 2, source = "bench", status = "assumed" }
system.chips_built = { value = 4, source = "bench", status = "assumed" }
synapse.memory_bit = { low = 1, high = 64, source = "bench", status = "assumed" }
neuron.state_memory_byte = { value = 10, source = "bench", status = "assumed" }
learning.trace_bits = { value = 8, source = "bench", status = "assumed" }
[costs.bench]
role = "alternative"
description = "bench"
overlaps = true
[costs.system]
role = "shared"
description = "around the cores"
core_static.power_watt = { value = 1e-3, source = "bench", status = "assumed" }
embedded_processors.power_watt = { value = 2e-3, source = "bench", status = "assumed" }
barrier.time_second = { points = [[1, 1e-5], [4, 4e-5]], per = "tiles", source = "bench", status = "assumed" }
"""


BenchFile = Callable[..., Path]


@pytest.fixture(scope="session")
def coefficients() -> Mapping[str, tuple[float, float]]:
    """Joules and seconds of every operation of the bench."""
    return COEFFICIENTS


@pytest.fixture(scope="session")
def bench_file(tmp_path_factory: pytest.TempPathFactory) -> BenchFile:
    """``bench_file(extra="", **numbers)``: the bench with other numbers; ``synaptic_operation=None`` leaves one out."""

    def write(extra: str = "", **replaced: tuple[float, float] | None) -> Path:
        lines = [
            f'[costs.bench.{name}]\nenergy_joule = {{ value = {pair[0]}, source = "bench", status = "assumed" }}\n'
            f'time_second = {{ value = {pair[1]}, source = "bench", status = "assumed" }}\n'
            for name, pair in {**COEFFICIENTS, **replaced}.items()
            if pair is not None
        ]
        path = tmp_path_factory.mktemp("bench") / "bench.toml"
        path.write_text(HEAD + "\n".join(lines) + extra)
        return path

    return write


@pytest.fixture(scope="session")
def bench(bench_file: BenchFile) -> Chip:
    return load_chip(bench_file())


@pytest.fixture(scope="session")
def chain() -> nm.Program:
    """Two inputs onto a; a onto b, on its tile, and onto c, one tile to the east; four neurons each, every spike goes on.

    The projection onto b learns, in epochs of one step.
    """
    rule = nm.STDP(A_plus=0.01, A_minus=0.01, tau_plus=1e-2, tau_minus=1e-2, w_min=0.0, w_max=90.0)
    neuron = nm.LIF(tau_mem=1e-3, tau_syn=0.0, v_threshold=1.0)
    net = nm.Network(
        populations=[nm.Input("in", 2), *(nm.Population(name, 4, neuron) for name in "abc")],
        projections=[
            nm.Projection("in", "a", np.full((4, 2), 9.0), delay=1e-3),
            nm.Projection("a", "b", np.full((4, 4), 9.0), delay=1e-3, plasticity=rule),
            nm.Projection("a", "c", np.full((4, 4), 9.0), delay=1e-3),
        ],
    )
    return nm.compile(net, dt=1e-3)


@pytest.fixture(scope="session")
def ran() -> Callable[..., Recording]:
    """``ran(program, steps)`` with one spike of input 0 in step 0, and all spikes recorded."""

    def run(program: nm.Program, steps: int) -> Recording:
        spikes = np.zeros((steps, 2), dtype=bool)
        spikes[0, 0] = True
        return nm.run(program.with_all_spikes(), steps, inputs={"in": spikes}, seed=0)

    return run
