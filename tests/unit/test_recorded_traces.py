"""One LIF neuron, recorded on Lava's fixed-point CPU model and on a Loihi 2 chip (the NIR paper's first experiment)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.errors import BackendUnavailable
from neuromorph.inputs import Input
from neuromorph.parts import PopulationProgram, ProjectionProgram
from neuromorph.program import ProbeProgram, Program

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "nir_lif"
SPIKES = [461, 511, 711, 761]
DECAY, THRESHOLD, WEIGHT = int(0.04 * 4095), int(0.1 * 131071) >> 9, int(0.04 * 256)  # as the recording had them

BACKENDS = ("reference", "nengo", "nengo-loihi", "lava")


def recording(name: str) -> npt.NDArray[np.float64]:
    file = RECORDED / name
    if not file.exists():
        pytest.skip(f"the recorded trace {name} is not here: it is not part of the repository")
    rows: npt.NDArray[np.float64] = np.loadtxt(file, delimiter=",")
    return rows


def neuron() -> Program:
    population = PopulationProgram(
        name="neuron",
        size=1,
        decay_u=[0.0],  # du = 4095
        decay_v=[(4096 - DECAY) / 4096],
        threshold=[THRESHOLD << 6],
        bias=[0.0],
        refractory=[0],
    )
    synapse = ProjectionProgram(
        name="in->neuron",
        pre="in",
        post="neuron",
        pre_size=1,
        post_size=1,
        post_index=[0],
        pre_index=[0],
        weight=[WEIGHT],
        delay=[1],
        sign_mode="excitatory",
    )
    return Program(
        name="recorded neuron",
        dt=1e-4,
        seed=0,
        inputs=[Input("in", 1)],
        populations=[population],
        projections=[synapse],
        probes=[ProbeProgram(target="neuron", variable=variable, every=1) for variable in ("spikes", "v")],
        arithmetic="fixed",
        chip="loihi2",
        rounding="toward zero",
        u_overflow="wrap",
        v_overflow="saturate",
    )


def run(backend: str, inputs: npt.NDArray[np.float64]) -> tuple[list[int], npt.NDArray[np.float64]]:
    try:
        opened: Backend = registry.get(backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    with opened.open(neuron()) as session:
        found = session.run(len(inputs), inputs={"in": inputs[:, np.newaxis] > 0})
    return found.spikes["neuron"].steps.tolist(), found.states["neuron", "v"][:, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cpu_model_is_equal_on_every_step(backend: str) -> None:
    rows = recording("lif_lava_cpu_fixed.csv")
    assert len(rows) == 1000
    spikes, membrane = run(backend, rows[:, 0])
    assert spikes == SPIKES == np.flatnonzero(rows[:, 2]).tolist()
    assert np.array_equal(membrane, rows[:, 1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_loihi_2_chip_is_equal_but_for_its_probe_at_spikes(backend: str) -> None:
    rows = recording("lif_lava_loihi_fixed.csv")
    spikes, membrane = run(backend, rows[:, 0])
    assert spikes == SPIKES == np.flatnonzero(rows[:, 2]).tolist()
    differ = np.flatnonzero(membrane != rows[:, 1])
    assert differ.tolist() == SPIKES
    # a chip's probe reads 128 in the step of a spike, where the model is at its reset
    assert set(rows[differ, 1]) == {128.0}
    assert set(membrane[differ]) == {0.0}
