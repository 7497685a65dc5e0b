"""A host rule written once does the same on every backend, in float and in a chip's integers."""

from typing import Any

import numpy as np
import pytest

import neuromorph as nm

PROJECTION = "in->out"
STEPS, EVERY = 400, 50
RULES: dict[str, nm.HostRule] = {
    "scaling": nm.SynapticScaling(projection=PROJECTION, rate_target=20.0, tau=1.0, tau_rate=0.2),
    "intrinsic": nm.IntrinsicExcitability(population="out", rate_target=20.0),
    "sum": nm.WeightNormalisation(projection=PROJECTION),
    "subtractive": nm.WeightNormalisation(projection=PROJECTION, total=2.0, method="subtractive"),
    "L2": nm.WeightNormalisation(projection=PROJECTION, total=0.7, norm="L2"),
    "weakest": nm.StructuralPlasticity(
        projection=PROJECTION, interval=0.1, weight_new=0.2, budget=18, candidates="declared"
    ),
    "idle": nm.StructuralPlasticity(
        projection=PROJECTION,
        interval=0.1,
        weight_new=0.2,
        prune="use",
        grow="activity",
        within="neuron",
        fraction=0.3,
        candidates="declared",
    ),
    "intelligence": nm.SynapticIntelligence(projection=PROJECTION, strength=1.0, task=0.1, modulator="dopamine"),
    "cascade": nm.CascadeConsolidation(projection=PROJECTION, tau=0.1, levels=4),
    "gate": nm.SignificanceGate(projection=PROJECTION, modulator="dopamine"),
    "capture": nm.TaggingAndCapture(
        projection=PROJECTION, tag_threshold=0.01, protein_threshold=0.1, acceleration=2000.0
    ),
    "glia": nm.GlialGain(projection=PROJECTION, rate_half=100.0, tau_calcium=0.05, territories=(0, 0, 1)),
    "gliotransmission": nm.Gliotransmission(projection=PROJECTION, calcium_threshold=1.0),
    "labels": nm.LabelAssignment(population="out", labels=(0, 1) * (STEPS // EVERY // 2)),
    "replay": nm.SleepReplay(capacity=3),
}
CHANGES_NOTHING = {"labels", "replay"}


def network() -> nm.Network:
    rule = nm.LearningRule(
        dw="0.004 * x1 * y0 * r - 0.003 * y1 * x0",
        x1=nm.Trace(tau=20e-3),
        y1=nm.Trace(tau=20e-3),
        w_min=0.0,
        w_max=1.0,
        modulators={"dopamine": 1.0},
    )
    weights = np.random.default_rng(1).uniform(0.1, 0.3, (3, 12))
    weights[:, 9:] = 0.0  # declared, not in use
    return nm.Network(
        populations=[nm.Input("in", 12), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.Dense(weights), plasticity=rule)],
        modulators=[nm.Modulator("dopamine")],
        probes=[nm.Probe("out")],
    )


def run(backend: str, chip: str | None, rules: list[nm.HostRule]) -> tuple[nm.Recording, Any, Any]:
    rng = np.random.default_rng(2)
    fed = {"in": rng.random((STEPS, 12)) < 0.05}
    dopamine = np.repeat(rng.uniform(0.0, 1.5, STEPS // EVERY), EVERY)
    with nm.open(network(), backend=backend, chip=chip, dt=1e-3) as session:
        recording = nm.run_with_host_rules(
            session, STEPS, rules=rules, every=EVERY, inputs=fed, modulators={"dopamine": dopamine}
        )
        return recording, session.read("in->out.weight"), session.read("out.v_threshold")


@pytest.mark.parametrize("chip", [None, "loihi1"], ids=["float", "fixed"])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_does_the_same_on_every_backend(name: str, chip: str | None) -> None:
    expected, weights, thresholds = run("reference", chip, [RULES[name]])
    assert len(expected.spikes["out"]) > 20
    plain = run("reference", chip, [])
    changed = not (np.array_equal(weights, plain[1]) and np.array_equal(thresholds, plain[2]))
    assert changed == (name not in CHANGES_NOTHING)
    for backend in ("emulator", "nengo", "nengo-loihi", "lava"):
        found = run(backend, chip, [RULES[name]])
        assert found[0].spikes["out"].equals(expected.spikes["out"]), backend
        # Lava holds traces as powers of their decay: its float weights agree in the class "tolerance"
        tolerance = 1e-9 if backend == "lava" and chip is None else 0.0
        np.testing.assert_allclose(found[1], weights, rtol=0, atol=tolerance, err_msg=backend)
        np.testing.assert_allclose(found[2], thresholds, rtol=0, atol=tolerance, err_msg=backend)


@pytest.mark.parametrize("chip", [None, "loihi1"], ids=["float", "fixed"])
def test_all_rules_at_once_do_the_same_on_every_backend(chip: str | None) -> None:
    expected = run("reference", chip, list(RULES.values()))
    for backend in ("emulator", "nengo", "nengo-loihi", "lava"):
        found = run(backend, chip, list(RULES.values()))
        assert found[0].spikes["out"].equals(expected[0].spikes["out"]), backend
        np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=1e-9 if chip is None else 0.0, err_msg=backend)
