from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph import textform
from neuromorph.errors import InputError


def program(seed: int, density: float) -> nm.Program:
    rule = nm.RewardModulatedSTDP(modulator='a mood, "quoted"', w_min=0.0, w_max=2.0, tau_e=0.1)
    net = nm.Network(
        name="net é",
        populations=[nm.Input("in", 3), nm.Population("out put", 2, nm.LIF(refractory=2e-3, bias=[0.1, 0.2]))],
        projections=[
            nm.Projection("in", "out put", nm.FixedProbability(density, nm.Uniform(0, 1)), delay=3e-3, plasticity=rule),
            nm.Projection("out put", "out put", nm.AllToAll(nm.Normal(0, 1)), name="loop"),
        ],
        modulators=[nm.Modulator('a mood, "quoted"', 2)],
        probes=[nm.Probe("in->out put", "weight", every=5e-3), nm.Probe("out put", "v")],
    )
    return nm.compile(net, seed=seed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_text_round_trip_keeps_the_fingerprint(seed: int, density: float) -> None:
    before = program(seed, density)
    after = textform.loads(textform.dumps(before))
    assert after.fingerprint == before.fingerprint
    assert textform.dumps(after) == textform.dumps(before)


def test_infinite_bounds_and_time_constants_survive() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.IF())],
        projections=[nm.Projection("in", "out", [[0.0]], plasticity=nm.STDP(tau_plus=np.inf))],
    )
    before = nm.compile(net)
    assert textform.loads(textform.dumps(before)).fingerprint == before.fingerprint


def test_changed_text_is_refused_unless_its_fingerprint_is_deleted() -> None:
    text = textform.dumps(program(0, 1.0)).replace('name = "net é"', 'name = "other"', 1)
    with pytest.raises(InputError, match="delete its fingerprint line"):
        textform.loads(text)
    lines = [line for line in text.splitlines() if not line.startswith("fingerprint")]
    assert textform.loads("\n".join(lines)).name == "other"


@pytest.mark.parametrize("text", ["", "format = 'x'", "not toml at all [", 'format = "neuromorph program 1"'])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="program"):
        textform.loads(text)
