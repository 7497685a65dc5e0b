"""Delays that learn: what dd means step by step, who runs it, and that it can align what arrives."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import neuromorph as nm
from neuromorph import registry
from neuromorph.backends.emulator import EmulatorBackend
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.cli import main
from neuromorph.errors import BackendUnavailable, CompileError, DescriptionError, InputError, UnsupportedError
from neuromorph.plasticity import variables as v
from neuromorph.rule_sheet import rule_sheet
from neuromorph.textform import dumps, loads

MS = 1e-3
SHIFTS = nm.LearningRule(dd="0.75 * x0 - 0.5 * y0", d_max=6 * MS)
ALIGNS = nm.LearningRule(
    dd="0.5 * x1 * (1000 - d) * y0 - 500.0 * x1 * x1 * y0", d_max=20 * MS, x1=nm.Trace(1.0, 1.0, "nearest")
)


def network(rule: nm.LearningRule = SHIFTS, delay: float = 2 * MS, weight: float = 1.0) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(tau_mem=0.0, tau_syn=0.0, v_threshold=0.5))],
        projections=[nm.Projection("in", "out", [[weight]], delay=delay, plasticity=rule)],
        probes=[nm.Probe("out", "spikes"), nm.Probe("in->out", "delay")],
    )


def sent(steps: int, *times: int) -> dict[str, np.ndarray]:
    rows = np.zeros((steps, 1), dtype=bool)
    rows[[time - 1 for time in times]] = True
    return {"in": rows}


def spike_steps(recording: nm.Recording) -> list[int]:
    return (recording.spikes["out"].steps + 1).tolist()


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_spikes_take_the_delay_of_when_they_are_sent_and_what_they_teach_holds_from_the_next_on(backend: str) -> None:
    # sent at 1 with 2 steps, arrives at 3; by then d = 2.75, less 0.5 for the spike at 3; sent at 4 with rint(2.25)
    recording = nm.run(network(), 12, inputs=sent(12, 1, 4, 7), backend=backend)
    assert spike_steps(recording) == [3, 6, 9]
    expected = [2.75, 2.75, 2.25, 3.0, 3.0, 2.5, 3.25, 3.25, 2.75, 2.75, 2.75, 2.75]
    assert recording.states["in->out", "delay"].ravel().tolist() == expected


@pytest.mark.parametrize("backend", ["reference", "emulator"])
@pytest.mark.parametrize(("written", "steps"), [(2.5, 2), (3.5, 4), (2.51, 3), (1.0, 1), (5.49, 5), (6.0, 6)])
def test_halves_go_to_the_even_number_of_steps(backend: str, written: float, steps: int) -> None:
    still = nm.LearningRule(dd="0.0 * x0", d_max=6 * MS)
    with nm.open(nm.compile(network(still)), backend=backend) as session:
        session.write("in->out.delay", written)
        assert spike_steps(session.run(10, inputs=sent(10, 1))) == [1 + steps]
        with pytest.raises(InputError, match=r"in->out\.delay must lie within 1\.\.6 steps, got 6\.5\.\.6\.5"):
            session.write("in->out.delay", 6.5)
        session.reset()
        assert session.read("in->out.delay").tolist() == [[written]]  # learned, and so kept


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_delays_stay_within_a_step_and_the_longest_whatever_the_rule_says(backend: str) -> None:
    grows = nm.LearningRule(dw="x0", dd="w * x0 - w * w * w * y0", d_max=5 * MS)  # soon beyond all numbers
    with np.errstate(all="ignore"), nm.open(nm.compile(network(grows, weight=1e150)), backend=backend) as session:
        recording = session.run(40, inputs={"in": np.ones((40, 1), dtype=bool)})
    delays = recording.states["in->out", "delay"]
    assert delays.min() == 1.0 and delays.max() <= 5.0
    assert spike_steps(recording)


def test_text_and_expressions_say_the_same_and_are_printed_as_they_are_read() -> None:
    text = nm.LearningRule(dd="2^-1 * x1 * (4 - d) * y0", d_max=6 * MS, x1=nm.Trace(10 * MS))
    said = nm.LearningRule(dd=0.5 * v.x1 * (4 - v.d) * v.y0, d_max=6 * MS, x1=nm.Trace(10 * MS))
    assert text == said and str(text.dd_sum) == "-0.5 * x1 * (d - 4.0) * y0"
    assert nm.LearningRule(dd=str(text.dd_sum), d_max=6 * MS, x1=nm.Trace(10 * MS)) == text
    assert text.dd_sum is not None and text.dd_sum.to_loihi() == "-2^-1 * x1 * (d - 4) * y0"


def test_programs_hold_it_in_files_and_text_and_say_nothing_where_there_is_none(tmp_path: Path) -> None:
    program = nm.compile(network())
    program.save(tmp_path / "program.npz")
    for found in (nm.Program.load(tmp_path / "program.npz"), loads(dumps(program))):
        assert found.fingerprint == program.fingerprint
        assert found.projections[0].max_delay == 6 and found.projections[0].learns_delays
    (projection,) = network().projections
    static = dataclasses.replace(projection, plasticity=nm.STDP(w_max=2.0))
    plain = nm.compile(nm.Network(populations=network().populations, projections=[static]))
    assert "dd =" not in dumps(plain) and "d_max" not in dumps(plain)
    assert nm.compile(nm.from_nir(nm.to_nir(network(), dt=MS))).fingerprint == program.fingerprint


def test_what_was_learned_can_be_frozen_for_a_chip() -> None:
    program, inputs = nm.compile(network()), sent(12, 1, 4, 7)
    with nm.open(program, backend="reference") as session:
        session.run(12, inputs=inputs)
        learned = session.read("in->out.delay")
    assert learned.tolist() == [[2.75]]
    frozen = program.with_probes([]).with_delays({"in->out": learned}, static=True).with_all_spikes()
    assert frozen.projections[0].delay.tolist() == [3] and frozen.projections[0].rule is None
    fixed = nm.quantise(frozen, "loihi1")
    with nm.open(fixed, backend="reference") as session:
        assert spike_steps(session.run(12, inputs=inputs)) == [4, 7, 10]
    assert program.with_delays({"in->out": [2.5]}).projections[0].delay.tolist() == [2]
    with pytest.raises(InputError, match=r"delays of 'in->out' must have shape \(1, 1\) or \(1,\), got \(2,\)"):
        program.with_delays({"in->out": [1, 2]})
    with pytest.raises(CompileError, match="delays must be at least one step"):
        program.with_delays({"in->out": 0.4 * np.ones(1)})


def test_what_cannot_be_is_named_before_anything_runs() -> None:
    with pytest.raises(CompileError, match="delays begin with up to 8 steps, and d_max of rule 'custom' is 6"):
        nm.compile(network(delay=8 * MS))
    with pytest.raises(CompileError, match="d_max must be a whole number of steps"):
        nm.compile(network(dataclasses.replace(SHIFTS, d_max=2.5 * MS)))
    with pytest.raises(DescriptionError, match="its delays do not learn: give its learning rule a dd"):
        network(nm.STDP(w_max=2.0))
    for chip in ("loihi1", "loihi2"):
        with pytest.raises(
            CompileError, match=r"rule 'custom': delays that learn \(dd\) have no form in a chip's integers"
        ):
            nm.compile(network(), chip=chip)
    try:
        lava = registry.get("lava")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    with pytest.raises(UnsupportedError, match="Lava's learning connections compute dd into a variable of its own"):
        lava.open(nm.compile(network()), seed=0)


def test_a_sheet_tells_of_every_target_whether_delays_learn_there(tmp_path: Path) -> None:
    sheet = rule_sheet(SHIFTS, chips=["loihi1"], backends=["reference", "emulator"])
    assert {(found.backend, found.chip): found.status for found in sheet.verdicts} == {
        ("reference", ""): "exact",
        ("emulator", ""): "exact",
        ("reference", "loihi1"): "refused",
        ("emulator", "loihi1"): "refused",
    }
    rule = tmp_path / "mine.py"
    rule.write_text("import neuromorph as nm\nmine = nm.LearningRule(dd='0.1 * (4 - d) * y0', d_max=20e-3)\n")
    shown = CliRunner().invoke(main, ["rules", "show", f"{rule}:mine", "--backend", "reference"])
    assert shown.exit_code == 0 and "delay, in time steps" in shown.output and "d_max = 20 ms" in shown.output
    assert sheet.to_json()["delay"] == "0.75 * x0 - 0.5 * y0" and sheet.to_json()["dw"] is None


variables = st.sampled_from(["x1", "x2", "y1", "w", "(d - 3)", "sgn(d - 2.5)", "pos(y1 - 0.3)", "t", "r"])
products = st.builds(
    lambda coefficient, factors, dependency: "*".join([repr(coefficient), *factors, dependency]),
    st.sampled_from([0.6, 0.31, 0.07]),
    st.lists(variables, max_size=2),
    st.sampled_from(["x0", "y0", "u0", "u1"]),
)
sums = st.lists(st.tuples(products, st.sampled_from([" + ", " - "])), min_size=1, max_size=3).map(
    lambda items: "0.0 * x0" + "".join(sign + product for product, sign in items)
)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    dd=sums, dw=sums, seed=st.integers(0, 2**20), epoch=st.sampled_from([1, 1, 3]), share=st.sampled_from([0.5, 1.0])
)
def test_random_rules_move_delays_alike_on_any_number_of_threads(
    dd: str, dw: str, seed: int, epoch: int, share: float
) -> None:
    """Large enough for two threads to share the neurons: these come in lines of 64."""
    rng, pre, post, steps = np.random.default_rng(seed), 20, 150, 60
    used = dd + dw + "t"
    traces = {"x1": nm.Trace(10 * MS), "x2": nm.Trace(6 * MS, 1.0, "nearest"), "y1": nm.Trace(15 * MS)}
    rule = nm.LearningRule(
        dd=dd, dw=f"{dw} + 0.01 * t * u0", dt="x0 - 0.2 * t * u0", d_max=9 * MS, w_min=-1.0, w_max=2.0, epoch=epoch * MS,
        modulators={"reward": 1.0} if "r" in used.replace("sgn", "") else {},
        **{name: trace for name, trace in traces.items() if name in used},
    )  # fmt: skip
    weights = np.where(rng.random((post, pre)) < share, rng.uniform(0.1, 0.9, (post, pre)), 0.0)
    net = nm.Network(
        populations=[nm.Input("in", pre), nm.Population("out", post, nm.LIF(tau_mem=10 * MS, v_threshold=2.0))],
        projections=[
            nm.Projection(
                "in", "out", sparse.csr_array(weights), delay=rng.integers(1, 10, (post, pre)) * MS, plasticity=rule
            )
        ],
        modulators=[nm.Modulator("reward")],
    )
    program = nm.compile(net).with_all_spikes()
    inputs, factors = {"in": rng.random((steps, pre)) < 0.15}, {"reward": rng.normal(size=steps)}
    found = []
    for backend in (ReferenceBackend(), EmulatorBackend(threads=1), EmulatorBackend(threads=2)):
        with backend.open(program) as session:
            spikes = session.run(steps, inputs=inputs, modulators=factors).spikes["out"]
            found.append((spikes, [_entries(session.read(f"in->out.{name}")) for name in ("weight", "tag", "delay")]))
    for spikes, values in found[1:]:
        assert spikes.equals(found[0][0])
        for value, expected in zip(values, found[0][1], strict=True):
            np.testing.assert_array_equal(value, expected)


def _entries(value: object) -> np.ndarray:
    return value.ravel() if isinstance(value, np.ndarray) else value.data  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", ["reference", "emulator", "nengo", "nengo-loihi"])
def test_delays_learn_to_make_spikes_arrive_together(backend: str) -> None:
    """Inputs spike 0, 3 and 7 steps after a cue, and a teacher makes the neuron spike 12 steps after it.

    Then x1 = exp(-k / 1000) says that input i spiked k steps before the neuron. ``dd`` moves d towards ``1000 (1 - x1)``,
    which is k less k^2 / 2000: to 11.93, 8.96 and 4.99 steps. So all arrive together, and the neuron needs no teacher.
    """
    if not registry.availability(backend).available:
        pytest.skip(f"{backend} is not installed")
    lags, late, steps = np.array([0, 3, 7]), 12, 800
    neuron = nm.LIF(tau_mem=0.0, tau_syn=0.0, v_threshold=2.5)
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Input("teacher", 1), nm.Population("out", 1, neuron)],
        projections=[
            nm.Projection("in", "out", np.ones((1, 3)), delay=MS, plasticity=ALIGNS),
            nm.Projection("teacher", "out", [[3.0]]),
        ],
        probes=[nm.Probe("out", "spikes")],
    )
    cues = np.arange(5, steps, 40)
    taught = {"in": np.zeros((steps, 3), dtype=bool), "teacher": np.zeros((steps, 1), dtype=bool)}
    taught["in"][cues[:, np.newaxis] + lags, [0, 1, 2]] = True
    taught["teacher"][cues + late - 1] = True
    alone = {"in": taught["in"]}
    with nm.open(nm.compile(net), backend=backend) as session:
        assert len(session.run(steps, inputs=alone).spikes["out"]) == 0  # nothing arrives together
        session.run(steps, inputs=taught)
        learned = session.read("in->out.delay")[0]
        after = session.run(steps, inputs=alone).spikes["out"].steps
    expected = 1000 * (1 - np.exp(-(late - lags) / 1000))
    # each of 20 spikes leaves half of the distance, of at most 11 steps: 1e-5
    np.testing.assert_allclose(learned, expected, atol=2e-5)
    assert np.array_equal(after, cues + late)
