"""Thresholds that rise with every spike: the formula, what holds them, and where they are refused."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.checkpoint import Checkpoint
from neuromorph.errors import CompileError, DescriptionError, InputError
from neuromorph.program import Integration
from neuromorph.session import Session
from neuromorph.textform import dumps, loads

MS = 1e-3
ADAPTING = nm.LIF(
    tau_mem=20 * MS,
    tau_syn=0.0,
    v_threshold=[1.0, 0.7, 1.3],
    bias=[0.3, 0.2, 0.5],
    refractory=[0.0, 2 * MS, 0.0],
    threshold_increment=[0.5, 0.25, 0.0],
    tau_threshold=[50 * MS, 10 * MS, math.inf],
)


def network(neuron: nm.LIF = ADAPTING, size: int = 3) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", size, neuron)],
        projections=[nm.Projection("in", "out", np.full((size, 2), 0.4))],
        probes=[nm.Probe("out", "spikes"), nm.Probe("out", "v"), nm.Probe("out", "threshold_adaptation")],
    )


def fed(steps: int, rate: float = 0.1) -> dict[str, np.ndarray]:
    return {"in": np.random.default_rng(3).random((steps, 2)) < rate}


@pytest.mark.parametrize("integration", ["exponential", "euler"])
def test_the_threshold_decays_first_is_compared_then_and_rises_last(integration: Integration) -> None:
    steps, inputs = 200, fed(200)
    recording = nm.run(network(), steps, integration=integration, inputs=inputs, backend="reference")

    def keep(tau: float) -> float:
        return 1.0 - (1.0 - math.exp(-MS / tau)) if integration == "exponential" else 1.0 - MS / tau

    expected, spiked = np.zeros((steps, 3)), np.zeros((steps, 3), dtype=bool)
    for n in range(3):
        v, h, rests, arriving = 0.0, 0.0, 0, 0.0
        for t in range(steps):
            h *= keep([50 * MS, 10 * MS, math.inf][n])
            v = keep(20 * MS) * v + arriving + [0.3, 0.2, 0.5][n]
            if rests > 0:
                v, rests = 0.0, rests - 1
            if v > [1.0, 0.7, 1.3][n] + h:
                spiked[t, n], v, rests, h = True, 0.0, [0, 2, 0][n], h + [0.5, 0.25, 0.0][n]
            expected[t, n] = h
            arriving = 0.4 * inputs["in"][t].sum()
    assert np.array_equal(np.asarray(recording.spikes["out"]), spiked)
    np.testing.assert_allclose(recording.states["out", "threshold_adaptation"], expected, rtol=1e-12)
    assert spiked.sum(axis=0).min() > 5


def test_a_neuron_without_an_increment_is_the_neuron_it_was() -> None:
    plain = dataclasses.replace(ADAPTING, threshold_increment=0.0)
    off = dataclasses.replace(plain, tau_threshold=1.0)
    input_, out = network().populations
    first, second = (
        nm.compile(nm.Network(populations=[input_, dataclasses.replace(out, neuron=neuron)])) for neuron in (plain, off)
    )
    assert first.fingerprint == second.fingerprint
    assert "threshold_increment" not in dumps(first) and not first.populations[0].adapts
    with nm.open(first, backend="reference") as session:
        assert "out.threshold_adaptation" not in session.variables()


def test_programs_that_adapt_survive_files_and_text(tmp_path: Path) -> None:
    program = nm.compile(network())
    program.save(tmp_path / "program.npz")
    assert nm.Program.load(tmp_path / "program.npz").fingerprint == program.fingerprint
    assert loads(dumps(program)).fingerprint == program.fingerprint
    other = nm.compile(network(dataclasses.replace(ADAPTING, tau_threshold=51 * MS)))
    assert other.fingerprint != program.fingerprint


@pytest.mark.parametrize("saving", ["reference", "emulator"])
@pytest.mark.parametrize("going_on", ["reference", "emulator"])
def test_a_checkpoint_holds_what_spikes_have_added(saving: str, going_on: str, tmp_path: Path) -> None:
    program, inputs = nm.compile(network()), fed(120)
    with nm.open(program, backend="reference") as session:
        whole = session.run(120, inputs=inputs)
    with nm.open(program, backend=saving) as session:
        session.run(70, inputs={"in": inputs["in"][:70]})
        session.save(tmp_path / "state.npz")
        held = session.read("out.threshold_adaptation")
    assert np.array_equal(Checkpoint.load(tmp_path / "state.npz").state["out.threshold_adaptation"], held)
    with nm.resume(tmp_path / "state.npz", backend=going_on) as session:
        rest = session.run(50, inputs={"in": inputs["in"][70:]})
    for key, values in rest.states.items():
        assert np.array_equal(values, whole.states[key][70:]), key
    assert held.max() > 0


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_what_is_written_acts_in_the_next_step_and_a_reset_forgets_it(backend: str) -> None:
    neuron = nm.IF(bias=1.0, v_threshold=2.5, threshold_increment=1.0, tau_threshold=math.inf)
    with nm.open(nm.compile(network(neuron, 1)), backend=backend) as session:
        assert np.asarray(session.run(6).spikes["out"]).ravel().nonzero()[0].tolist() == [2]  # then above 3.5
        session.write("out.threshold_adaptation", 0.0)
        assert np.asarray(session.run(1).spikes["out"]).item()
        session.reset()
        assert session.read("out.threshold_adaptation").tolist() == [0.0]
        assert np.asarray(session.run(3).spikes["out"]).ravel().tolist() == [False, False, True]
        with pytest.raises(InputError, match=r"out\.threshold_adaptation must be >= 0, got -0\.5: lower v_threshold"):
            session.write("out.threshold_adaptation", -0.5)


def test_without_decay_the_threshold_counts_the_spikes() -> None:
    neuron = nm.LIF(
        tau_mem=0.0, tau_syn=0.0, bias=5.25, v_threshold=0.5, threshold_increment=1.0, tau_threshold=math.inf
    )
    recording = nm.run(network(neuron, 1), 10, backend="reference")
    assert recording.states["out", "threshold_adaptation"].ravel().tolist() == [1, 2, 3, 4, 5, 5, 5, 5, 5, 5]


def test_a_probe_and_a_parameter_that_cannot_be_are_named() -> None:
    with pytest.raises(DescriptionError, match="its thresholds do not adapt: give its neuron a threshold_increment"):
        network(nm.LIF())
    with pytest.raises(DescriptionError) as caught:
        nm.LIF(threshold_increment=-1.0, tau_threshold=0.0)
    assert caught.value.faults == (
        "LIF.threshold_increment must be >= 0 and finite, got -1.0",
        "LIF.tau_threshold must be > 0 s, got 0.0",
    )
    with pytest.raises(CompileError, match=r"population 'out': tau_threshold = 0\.0005 s is shorter than dt"):
        nm.compile(network(dataclasses.replace(ADAPTING, tau_threshold=0.5 * MS)), integration="euler")
    program = nm.compile(network()).populations[0]
    assert dataclasses.replace(program, decay_threshold=None).faults() == [
        "threshold_increment and decay_threshold must be given together, got one of them"
    ]
    assert dataclasses.replace(program, decay_threshold=[0.5, 2.0, 0.5]).faults() == [
        "decay_threshold must be 0 to 1, got 2.0"
    ]


@pytest.mark.parametrize("chip", ["loihi1", "loihi2"])
def test_a_chip_refuses_it_with_the_rule_that_does_the_like(chip: str) -> None:
    with pytest.raises(
        CompileError, match=r"population 'out': thresholds that adapt .* neuromorph\.IntrinsicExcitability"
    ):
        nm.compile(network(), chip=chip)


def test_nir_carries_it_and_other_steps_keep_it() -> None:
    net = network()
    graph = nm.to_nir(net, dt=MS)
    assert nm.compile(nm.from_nir(graph)).fingerprint == nm.compile(net).fingerprint
    other = nm.from_nir(graph, dt=2 * MS).populations[1]
    assert isinstance(other, nm.Population) and isinstance(other.neuron, nm.LIF)
    assert other.neuron.threshold_increment == pytest.approx(ADAPTING.threshold_increment)
    assert other.neuron.tau_threshold == pytest.approx(ADAPTING.tau_threshold)


def test_it_brings_the_rate_back_after_a_step_of_input() -> None:
    """Spikes add to the threshold until it loses in a second what they add: rate = (drive - v_threshold) / (increment tau).

    The drive is what the mean membrane would be without spikes. Background of 4 and inputs that grow from 1 to 1.6 make
    drives of 5 and 5.6 here, so the rate goes from 5 Hz to 5.6 Hz, and once a neuron's threshold is held where it was at
    5 Hz it would go far beyond twice that.
    """
    dt, tau, target, inputs = 1e-3, 2.0, 5.0, 100
    lost = 1.0 - math.exp(-dt / 20e-3)
    neuron = nm.LIF(
        tau_mem=20e-3,
        tau_syn=0.0,
        bias=4.0 * lost,
        v_threshold=0.5,
        threshold_increment=4.5 / (target * tau),
        tau_threshold=tau,
    )
    weight = 1.0 * lost / (inputs * 10.0 * dt)  # inputs of 10 Hz raise the mean membrane by 1
    net = nm.Network(
        populations=[nm.Input("in", inputs), nm.Population("out", 20, neuron)],
        projections=[nm.Projection("in", "out", nm.AllToAll(weight))],
    )
    rng = np.random.default_rng(4)

    def rate(session: Session, hertz: float, seconds: float) -> float:
        steps = round(seconds / dt)
        recording = session.run(steps, inputs={"in": rng.random((steps, inputs)) < hertz * dt})
        return len(recording.spikes["out"]) / (20 * seconds)

    with nm.open(nm.compile(net, dt=dt).with_all_spikes(), backend="emulator") as session:
        rate(session, 10.0, 10.0)
        before = rate(session, 10.0, 20.0)
        held = session.read("out.v_threshold") + session.read("out.threshold_adaptation")
        rate(session, 16.0, 10.0)
        after = rate(session, 16.0, 20.0)
    frozen = nm.LIF(tau_mem=20e-3, tau_syn=0.0, bias=4.0 * lost, v_threshold=held)
    fixed = dataclasses.replace(net, populations=[net.populations[0], nm.Population("out", 20, frozen)])
    with nm.open(nm.compile(fixed, dt=dt).with_all_spikes(), backend="emulator") as session:
        without = rate(session, 16.0, 10.0)
    # noise lets a neuron reach a threshold above its mean membrane, and its resets lower that mean
    assert before == pytest.approx(target, rel=0.25)
    assert after == pytest.approx(target, rel=0.25) and after > before
    assert without > 2 * target
