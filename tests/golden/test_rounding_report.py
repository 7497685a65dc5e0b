"""The report of a quantised network as text. NEUROMORPH_UPDATE_GOLDEN=1 writes it anew; read the difference."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import neuromorph as nm

GOLDEN = Path(__file__).parent / "rounding_report.listing"


def network() -> nm.Network:
    return nm.Network(
        name="golden",
        populations=[
            nm.Input("in", 3),
            nm.Population("hidden", 2, nm.LIF(tau_mem=20e-3, tau_syn=5e-3, bias=[0.0, 0.1], refractory=2e-3)),
            nm.Population("readout", 1, nm.LIF(v_threshold=np.inf, tau_syn=5.0, tau_mem=0.0)),
        ],
        projections=[
            nm.Projection(
                "in", "hidden", [[0.5, 0.25, 0.0], [0.1, 0.3, 0.7]],
                plasticity=nm.RewardModulatedSTDP(modulator="dopamine", learning_rate=0.1, w_min=0.0, w_max=1.0, tau_e=0.1),
            ),
            nm.Projection("hidden", "hidden", [[0.0, -0.5], [-0.4, 0.01]], name="inhibition"),
            nm.Projection("hidden", "readout", [[1.0, -0.003]]),
        ],
        modulators=[nm.Modulator("dopamine")],
    )  # fmt: skip


def test_the_report_reads_as_its_golden_text() -> None:
    text = f"{nm.rounding_report(network())}\n"
    if os.environ.get("NEUROMORPH_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
