"""One LIF neuron, recorded on Lava's fixed-point CPU model and on a Loihi 2 chip (the NIR paper's first experiment)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.errors import BackendUnavailable
from neuromorph.inputs import Input
from neuromorph.program import ProbeProgram, Program
from neuromorph.testing import integer_neurons, integer_synapses

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
    return Program(
        name="recorded neuron",
        dt=1e-4,
        seed=0,
        inputs=[Input("in", 1)],
        populations=[integer_neurons("neuron", 1, du=4095, dv=DECAY, threshold=THRESHOLD)],
        projections=[integer_synapses("in", "neuron", [[WEIGHT]], sign_mode="excitatory")],
        probes=[ProbeProgram(target="neuron", variable=variable, every=1) for variable in ("spikes", "v")],
        arithmetic="fixed",
        chip="loihi2",
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
