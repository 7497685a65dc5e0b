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


@pytest.mark.parametrize("text", ["", "format = 'x'", "not toml at all [", 'format = "neuromorph program 2"'])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="program"):
        textform.loads(text)


def test_a_negative_zero_survives() -> None:
    net = nm.Network(populations=[nm.Population("o", 2, nm.LIF(bias=[0.0, -0.0]))])
    assert textform.loads(textform.dumps(nm.compile(net))).fingerprint == nm.compile(net).fingerprint


def test_the_order_of_modulators_does_not_change_what_is_learned() -> None:
    def learned(names: tuple[str, ...]) -> np.ndarray:
        weights = {"zz": 0.1, "aa": 0.3, "mm": 0.7}
        rule = nm.LearningRule(dw="r*x0", modulators={name: weights[name] for name in names})
        net = nm.Network(
            populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
            projections=[nm.Projection("in", "out", [[0.1]], plasticity=rule)],
            modulators=[nm.Modulator(name) for name in sorted(names)],
        )
        program = textform.loads(textform.dumps(nm.compile(net)))
        values = {name: np.random.default_rng(len(name) + ord(name[0])).normal(size=50) for name in names}
        with nm.open(program) as session:
            session.run(50, inputs={"in": np.ones((50, 1))}, modulators=values)
            return session.read("in->out.weight")

    assert learned(("zz", "aa", "mm")) == learned(("mm", "zz", "aa"))


def shared(weights: object) -> nm.Program:
    net = nm.Network(
        populations=[nm.Input("in", 8), nm.Population("out", 8, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, delay=np.arange(1, 65).reshape(8, 8) * 1e-3)],  # type: ignore[arg-type]
    )
    return nm.compile(net)


def test_weights_that_many_synapses_share_are_written_once() -> None:
    kernel = np.array([1 / 3, -1 / 7, 0.0, -0.0])
    before = shared(np.resize(kernel, (8, 8)))
    text = textform.dumps(before)
    assert text.count(repr(1 / 3)) == 1 and text.count(repr(-1 / 7)) == 1
    assert "kernel = [0.3333333333333333, -0.14285714285714285, 0.0, -0.0]\n" in text
    assert "  [0, 1, 1, 2],\n" in text
    after = textform.loads(text)
    assert after.fingerprint == before.fingerprint
    assert np.array_equal(np.signbit(after.projections[0].weight), np.signbit(before.projections[0].weight))


def test_weights_of_their_own_are_written_beside_their_synapses() -> None:
    own = shared(np.linspace(0.1, 0.9, 64).reshape(8, 8))
    assert "kernel" not in textform.dumps(own)
    assert textform.loads(textform.dumps(own)).fingerprint == own.fingerprint
    assert "kernel" not in textform.dumps(program(0, 1.0))  # few synapses


@pytest.mark.parametrize("index", ["4", "-1", "0.5", '"a"'])
def test_an_index_outside_the_kernel_is_refused(index: str) -> None:
    text = textform.dumps(shared(np.resize([1 / 3, 1 / 7, 0.1, 0.2], (8, 8))))
    broken = text.replace("  [0, 1, 1, 2],", f"  [0, 1, {index}, 2],")
    assert broken != text
    with pytest.raises(InputError, match=r"kernel|program"):
        textform.loads(broken)
