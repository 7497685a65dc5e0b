import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import RuleError

MS = 1e-3


def test_it_is_the_delta_rule_of_the_other_sign(learn, spikes) -> None:
    pre, post = spikes(1), spikes(2)
    error = np.random.default_rng(3).normal(size=(len(pre), 2))
    found = learn(nm.PES(learning_rate=0.1, tau_plus=15 * MS), pre, post, {"error": error})
    other = learn(nm.DeltaRule(learning_rate=-0.1, tau_plus=15 * MS), pre, post, {"error": error})
    assert np.array_equal(found, other) and np.any(found)


def test_decoders_learn_a_function_online() -> None:
    """A population that is tuned to x learns sin(x): the decoded value is read from v of a cell that never spikes."""
    rng = np.random.default_rng(2)
    steps, cells = 30_000, 60
    x = np.pi * np.sin(2 * np.pi * np.arange(steps) / 2000)
    centres = np.linspace(-np.pi, np.pi, cells)
    spikes = rng.random((steps, cells)) < 0.3 * np.exp(-((x[:, np.newaxis] - centres) ** 2) / 0.5)
    out = nm.LIF(tau_mem=0.0, tau_syn=20 * MS, v_threshold=np.inf)
    net = nm.Network(
        populations=[nm.Input("cells", cells), nm.Population("out", 1, out)],
        projections=[
            nm.Projection("cells", "out", np.zeros((1, cells)), plasticity=nm.PES(learning_rate=1e-5, tau_plus=20 * MS))
        ],
        modulators=[nm.Modulator("error")],
        probes=[nm.Probe("out", "v")],
    )
    errors = []
    with nm.open(net, backend="emulator") as session:
        error = 0.0
        for start in range(0, steps, 10):
            rows = slice(start, start + 10)
            recording = session.run(10, inputs={"cells": spikes[rows]}, modulators={"error": np.full(10, error)})
            error = float(recording.states["out", "v"][-1, 0] - np.sin(x[rows][-1]))
            errors.append(error)
    size = np.sqrt(np.mean(np.square(errors).reshape(-1, 200), axis=1))  # of each sweep
    assert size[0] > 0.4
    assert size[-3:].max() < 0.4 * size[0]


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(RuleError, match=r"PES\.learning_rate must be a finite number, got nan"):
        nm.PES(learning_rate=float("nan"))
