"""Every named rule on every backend, in float and in a chip's integers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import lockstep, registry
from neuromorph.backend import Backend
from neuromorph.errors import CompileError
from neuromorph.plasticity import NAMED_RULES, TRIPLET_PARAMETERS

MS = 1e-3
STEPS, PRE, POST = 60, 4, 3
LAVA = pytest.param("lava", marks=pytest.mark.xdist_group("lava"))
BACKENDS = ("reference", "emulator", "nengo", "nengo-loihi", LAVA)
# What a backend may declare as a gap, by the beginning of a feature's name or the end of the reason.
MAY_LACK = {
    "emulator": ("membrane_traces", "nearest_traces", "rectified_factors"),
    "lava": ("membrane_traces", "nearest_traces", "rectified_factors", "use epochs of one step"),
}

DEFAULTS = {function.__name__: function() for function in NAMED_RULES}
VARIANTS = {
    "Hebbian, rates": nm.Hebbian(form="rates"),
    "Oja, fast": nm.Oja(learning_rate=0.02),
    "BCM, fast": nm.BCM(learning_rate=0.05, target=0.5, tau_theta=0.05),
    "STDP, multiplicative": nm.STDP(A_plus=0.1, A_minus=0.1, w_min=0.0, w_max=1.0, mu_plus=1, mu_minus=1),
    "STDP, cubic": nm.STDP(w_min=-1.0, w_max=1.0, mu_plus=3, mu_minus=3),
    "STDP, nearest": nm.STDP(pairing="nearest"),
    "TripletSTDP, all of it": nm.TripletSTDP(A2_plus=0.02, A3_plus=0.02, A2_minus=0.02, A3_minus=0.02),
    "TripletSTDP, hippocampus": nm.TripletSTDP(**TRIPLET_PARAMETERS["hippocampus"]),
    "SymmetricSTDP, with depression": nm.SymmetricSTDP(depression=0.01),
    "AntiHebbianSTDP, both halves": nm.AntiHebbianSTDP(A_minus=0.01),
    "DeltaRule, epochs": nm.DeltaRule(epoch=4 * MS),
    "SupervisedSTDP, fast": nm.SupervisedSTDP(learning_rate=0.05, a=0.5),
    "PES, fast": nm.PES(learning_rate=0.02),
    "EProp, membrane": nm.EProp(pseudo_derivative="membrane"),
    "RewardModulatedSTDP, short": nm.RewardModulatedSTDP(tau_e=0.1),
    "DopamineSTDP, short": nm.DopamineSTDP(tau_e=0.1),
    "OpponentSTDP, short": nm.OpponentSTDP(tau_e=0.1),
    "OpponentSTDP, epochs": nm.OpponentSTDP(tau_e=0.5, epoch=8 * MS),
    "GatedSTDP, two modulators and a baseline": nm.GatedSTDP(modulators={"a": 1.0, "b": -0.5}, baseline=0.5),
}
RULES = {**DEFAULTS, **VARIANTS}
# What loihi1 has no integers for, by a part of the reason: nothing else may be refused.
REFUSED_ON_CHIP = {
    "BCM": "becomes zero",
    "SupervisedSTDP": "becomes zero",
    "PES": "becomes zero",
    "ClopathSTDP": "source='v'",
    "EProp, membrane": "source='v'",
    "STDP, cubic": "overflow",
    "RewardModulatedSTDP": "tau_tag",
    "DopamineSTDP": "tau_tag",
    "OpponentSTDP": "tau_tag",
}


def program(rule: nm.LearningRule, chip: str | None = None) -> nm.Program:
    """Neurons that spike by fixed inputs of their own as well as through the synapses that learn."""
    low, high = max(rule.w_min, 0.1) if rule.w_max > 0 else -0.6, min(rule.w_max, 0.6)
    weights = np.random.default_rng(0).uniform(low, high, (POST, PRE))
    net = nm.Network(
        populations=[nm.Input("pre", PRE), nm.Input("drive", POST), nm.Population("post", POST, nm.LIF())],
        projections=[
            nm.Projection("pre", "post", weights, plasticity=rule, name="s"),
            nm.Projection("drive", "post", 0.8 * np.eye(POST)),
        ],
        modulators=[nm.Modulator(name, POST) for name in rule.modulators],
        probes=[nm.Probe("post")],
    )
    return nm.compile(net, dt=1 * MS, chip=chip)


def learned(backend: str | Backend, compiled: nm.Program) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and final weights."""
    rng = np.random.default_rng(1)
    fed = {"pre": rng.random((STEPS, PRE)) < 0.2, "drive": rng.random((STEPS, POST)) < 0.3}
    third: Mapping[str, np.ndarray] = {
        modulator.name: rng.integers(-4, 5, (STEPS, POST)) / 8 for modulator in compiled.modulators
    }
    with nm.open(compiled, backend=backend, seed=0) as session:
        recording = session.run(STEPS, inputs=fed, modulators=third)
        return np.asarray(recording.spikes["post"]), np.asarray(session.read("s.weight"))


def available(name: str) -> Backend:
    found = registry.availability(name)
    if not found.available:
        pytest.skip(found.reason)
    return registry.get(name)


@pytest.mark.parametrize("function", NAMED_RULES, ids=lambda function: function.__name__)
def test_a_named_rule_needs_no_argument_and_says_what_it_is(function) -> None:
    assert function().name == function.__name__
    assert getattr(nm, function.__name__) is function
    parameters = inspect.signature(function).parameters.values()
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    text = inspect.getdoc(function)
    assert text.partition("\n")[0].endswith(".")
    assert ">>>" in text and "``dw = " in text
    assert re.search(r",\s(19|20)\d\d\b", text)  # the paper


@pytest.mark.parametrize("name", RULES)
def test_the_reference_learns(name: str) -> None:
    compiled = program(RULES[name])
    spikes, weights = learned("reference", compiled)
    moved = np.abs(weights - np.asarray(compiled.projection("s").matrix(compiled.projection("s").weight)))
    assert spikes.any(axis=0).all()
    assert moved.max() > 1e-3


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.parametrize("name", RULES)
def test_same_weights_on_every_backend(name: str, backend: str) -> None:
    compiled, tried = program(RULES[name]), available(backend)
    if gaps := tried.faults(compiled):
        known = MAY_LACK.get(backend, ())
        assert all(gap.startswith(known) or gap.endswith(known) for gap in gaps), gaps
        pytest.skip("; ".join(gaps))
    (spikes, weights), (expected_spikes, expected) = learned(tried, compiled), learned("reference", compiled)
    assert np.array_equal(spikes, expected_spikes)
    relative = lockstep.tolerance(compiled, tried)
    np.testing.assert_allclose(weights, expected, rtol=relative, atol=relative * np.abs(expected).max())


def test_chips_refuse_with_the_reason() -> None:
    for name, reason in REFUSED_ON_CHIP.items():
        with pytest.raises(CompileError) as caught:
            program(RULES[name], chip="loihi1")
        rule = RULES[name]
        for fault in caught.value.faults:
            assert f"rule {rule.name!r}" in fault
            # the product that does not fit, the time constant, or the trace
            assert " * " in fault or "tau_tag" in fault or "source='v'" in fault
        assert reason in str(caught.value)


@pytest.mark.parametrize("backend", ["emulator", LAVA])
@pytest.mark.parametrize("name", [name for name in RULES if name not in REFUSED_ON_CHIP])
def test_same_integers_on_every_backend(name: str, backend: str) -> None:
    compiled, tried = program(RULES[name], chip="loihi1"), available(backend)
    if gaps := tried.faults(compiled):
        assert all(gap.endswith("use epochs of one step") for gap in gaps), gaps
        pytest.skip("; ".join(gaps))
    (spikes, weights), (expected_spikes, expected) = learned(tried, compiled), learned("reference", compiled)
    assert np.array_equal(spikes, expected_spikes)
    assert np.array_equal(weights, expected)
    projection = compiled.projection("s")
    assert not np.array_equal(weights, projection.matrix(projection.weight))
