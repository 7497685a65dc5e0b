"""A small program as text: what a description becomes, with every convention, line by line."""

from __future__ import annotations

import os
from pathlib import Path

import neuromorph as nm
from neuromorph import textform

GOLDEN = Path(__file__).parent / "program.toml"


def small() -> nm.Program:
    net = nm.Network(
        name="golden",
        populations=[
            nm.Input("in", 2),
            nm.Population("out", 3, nm.LIF(tau_mem=20e-3, tau_syn=5e-3, bias=[0.0, 0.1, 0.2], refractory=2e-3)),
        ],
        projections=[
            nm.Projection(
                "in",
                "out",
                nm.Sparse.from_scipy(_csr()),
                delay=3e-3,
                plasticity=nm.RewardModulatedSTDP(modulator="dopamine", w_min=0.0, w_max=1.0, tau_e=0.1),
            ),
            nm.Projection("out", "out", nm.OneToOne(-0.5), name="self inhibition"),
        ],
        modulators=[nm.Modulator("dopamine")],
        probes=[nm.Probe("out", "v"), nm.Probe("in->out", "weight", every=10e-3)],
    )
    return nm.compile(net, dt=1e-3)


def _csr() -> object:
    from scipy.sparse import csr_array

    return csr_array(([0.5, 0.25, 1.0], [0, 1, 0], [0, 2, 2, 3]), shape=(3, 2))


def test_a_program_reads_as_its_golden_text_and_the_text_as_the_program() -> None:
    text = textform.dumps(small())
    if os.environ.get("NEUROMORPH_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
    assert textform.loads(GOLDEN.read_text(encoding="utf-8")).fingerprint == small().fingerprint
