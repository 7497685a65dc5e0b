"""One LIF neuron of the NIR paper, recorded on other platforms (Pedersen et al., Nature Communications 15:8122, 2024).

The recordings are data files beside the checkout; where they are absent the tests say so and are skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.program import ProbeProgram

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "nir_lif"
DT = 1e-4
SPIKES = [461, 511, 711, 761]  # steps, from 0; one after the input that causes them

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the recordings of the NIR paper are not in {DATA}")


def recorded(name: str) -> np.ndarray:
    """Rows of (input spike, membrane, output spike), one for each of 1000 steps."""
    return np.loadtxt(DATA / name, delimiter=",")


def played(program: nm.Program) -> nm.Recording:
    program = program.with_probes([ProbeProgram(target="1", variable=name, every=1) for name in ("spikes", "v")])
    return nm.run(program, 1000, inputs={"input": recorded("lif_lava_cpu_float.csv")[:, :1]})


def imported(integration: Any) -> nm.Network:
    return nm.from_nir(DATA / "lif_norse.nir", dt=DT, integration=integration)


def test_the_imported_neuron_spikes_as_it_did_on_lava_with_its_membrane() -> None:
    recording = played(nm.compile(imported("euler"), dt=DT, integration="euler"))
    rows = recorded("lif_lava_cpu_float.csv")
    assert recording.spikes["1"].steps.tolist() == SPIKES == np.flatnonzero(rows[:, 2]).tolist()
    # The file holds tau and the threshold in single precision, Lava had them as decimals: 2.2e-8 relative in each step's
    # decay, over the 25 steps of a time constant, of a membrane below 0.1. Measured: 3.8e-8.
    np.testing.assert_allclose(recording.states["1", "v"][:, 0], rows[:, 1], rtol=0, atol=1e-7)


def test_exponential_decay_is_the_exact_solution() -> None:
    recording = played(nm.compile(imported("exponential"), dt=DT))
    rows = recorded("lif_exact.csv")  # it acts on an input in the step of the input itself
    assert (recording.spikes["1"].steps - 1).tolist() == np.flatnonzero(rows[:, 2]).tolist()
    first = SPIKES[0] - 1  # where it resets within the step, and goes on from there
    # Rounding in double precision over 460 steps, of a membrane below 0.1. Measured: 1e-13.
    np.testing.assert_allclose(recording.states["1", "v"][1 : first + 1, 0], rows[:first, 1], rtol=0, atol=1e-12)


def test_the_unit_of_the_file_is_inferred_as_seconds() -> None:
    origin = imported("euler").metadata["nir"]
    assert (origin["unit"], origin["file"]) == ("s", "lif_norse.nir")
    assert origin["assumptions"][0].startswith("Times are read in seconds: tau of '1': 0.0025 to 0.0025")


def test_in_fixed_point_it_spikes_as_on_the_chip() -> None:
    recording = played(nm.compile(imported("euler"), chip="loihi1"))
    assert recording.spikes["1"].steps.tolist() == SPIKES
    assert np.flatnonzero(recorded("lif_lava_loihi_fixed.csv")[:, 2]).tolist() == SPIKES
