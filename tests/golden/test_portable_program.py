"""A program that was quantised and saved on Python 3.10 is the same program, with the same spikes, on every later one.

``NEUROMORPH_UPDATE_GOLDEN=1`` writes the file anew, on Python 3.10 only.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import registry
from neuromorph.errors import BackendUnavailable
from neuromorph.recording import Recording

PROGRAM = Path(__file__).parent / "quantised_on_python310.npz"
SAID = Path(__file__).parent / "quantised_on_python310.json"
STEPS = 300


def network() -> nm.Network:
    return nm.Network(
        populations=[
            nm.Input("in", 12),
            nm.Population("hidden", 20, nm.LIF(tau_mem=15e-3, tau_syn=4e-3, refractory=2e-3)),
            nm.Population("out", 5, nm.LIF(tau_mem=np.linspace(8e-3, 30e-3, 5), tau_syn=3e-3, bias=0.01)),
        ],
        projections=[
            nm.Projection(
                "in", "hidden", nm.FixedProbability(0.6, nm.Uniform(0.0, 0.4), seed=1),
                plasticity=nm.STDP(A_plus=0.02, A_minus=0.02, tau_plus=20e-3, tau_minus=20e-3, w_min=0.0, w_max=1.0),
            ),
            nm.Projection("hidden", "out", nm.AllToAll(nm.Uniform(-0.2, 0.4), seed=2), delay=3e-3),
            nm.Projection("out", "out", nm.AllToAll(-0.3)),
            nm.Projection(
                "in", "out", nm.AllToAll(nm.Uniform(0.0, 0.5), seed=3),
                plasticity=nm.RewardModulatedSTDP(modulator="reward", learning_rate=0.05, tau_e=50e-3, w_min=0.0, w_max=1.0),
            ),
        ],
        modulators=[nm.Modulator("reward")],
        probes=[nm.Probe("hidden"), nm.Probe("out")],
    )  # fmt: skip


def run(program: nm.Program, backend: str) -> Recording:
    rng = np.random.default_rng(5)
    inputs, reward = rng.random((STEPS, 12)) < 0.1, np.where(rng.random((STEPS, 1)) < 0.2, 1.0, 0.0)
    with nm.open(program, backend=backend, seed=3) as session:
        return session.run(STEPS, inputs={"in": inputs}, modulators={"reward": reward})


def digest(recording: Recording) -> str:
    events = [recording.spikes[name] for name in ("hidden", "out")]
    text = json.dumps([[train.steps.tolist(), train.ids.tolist()] for train in events])
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def said() -> dict[str, object]:
    if os.environ.get("NEUROMORPH_UPDATE_GOLDEN") == "1" and sys.version_info[:2] == (3, 10):
        program = nm.compile(network(), dt=1e-3, chip="loihi1")
        recording = run(program, "reference")
        program.save(PROGRAM)
        values = {
            "python": "3.10",
            "fingerprint": program.fingerprint,
            "spikes": {name: len(recording.spikes[name]) for name in ("hidden", "out")},
            "digest": digest(recording),
        }
        SAID.write_text(json.dumps(values, indent=2) + "\n")
    values = json.loads(SAID.read_text())
    assert isinstance(values, dict)
    return values


def test_the_same_network_is_quantised_to_the_same_program(said: dict[str, object]) -> None:
    assert nm.compile(network(), dt=1e-3, chip="loihi1").fingerprint == said["fingerprint"]


@pytest.mark.parametrize("backend", ["reference", "nengo", "nengo-loihi", "lava"])
def test_the_saved_program_gives_the_same_spikes(said: dict[str, object], backend: str) -> None:
    try:
        registry.get(backend)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    program = nm.Program.load(PROGRAM)
    assert program.fingerprint == said["fingerprint"]
    recording = run(program, backend)
    assert {name: len(recording.spikes[name]) for name in ("hidden", "out")} == said["spikes"]
    assert min(len(recording.spikes[name]) for name in ("hidden", "out")) > 50
    assert digest(recording) == said["digest"]
