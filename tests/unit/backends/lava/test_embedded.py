"""A whole program as one Process in a user's Lava graph: the spikes and weights of the stock graph, in the same steps."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lava", reason="Lava is not installed: uv sync --extra lava")

import neuromorph as nm
from neuromorph.backends.lava import compat, model_table
from neuromorph.backends.lava.embedded.process import EmbeddedProgram, EmbeddedProgramModel
from neuromorph.backends.lava.in_process import InProcessRun
from neuromorph.backends.lava.multi_process import MultiProcessRun
from neuromorph.errors import InputError, SimulatorError, UnsupportedError
from neuromorph.testing import feature_cases

STEPS = 120
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
TABLE = {**model_table.FLOAT_MODELS, EmbeddedProgram: EmbeddedProgramModel}


def program(chip: str | None = None) -> nm.Program:
    rng = np.random.default_rng(0)
    net = nm.Network(
        name="lesson",
        populations=[
            nm.Input("left", 9),
            nm.Input("right", 4),
            nm.Population("a", 7, nm.LIF(refractory=2e-3)),
            nm.Population("b", 5, nm.LIF(refractory=1e-3)),
        ],
        projections=[
            nm.Projection("left", "a", rng.uniform(0, 0.3, (7, 9)), plasticity=nm.STDP(w_max=0.3)),
            nm.Projection("right", "a", rng.uniform(0, 0.3, (7, 4)), delay=3e-3),
            nm.Projection(
                "a", "b", nm.FixedProbability(0.7, nm.Uniform(0.05, 0.2), seed=2), plasticity=nm.STDP(w_max=0.2)
            ),
        ],
    )
    return nm.compile(net, chip=chip)


def fed() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {"left": rng.random((STEPS, 9)) < 0.25, "right": rng.random((STEPS, 4)) < 0.25}


def source(rows: Any) -> Any:
    return compat.SourceRingBuffer(data=np.asarray(rows, dtype=float).T)


def fed_by(process: Any, inputs: dict[str, Any], kind: str = "inputs") -> None:
    for name, rows in inputs.items():
        source(rows).s_out.connect(getattr(process, kind)[name])


def sinks_of(process: Any) -> dict[str, Any]:
    sinks = {name: compat.SinkRingBuffer(shape=port.shape, buffer=STEPS) for name, port in process.outputs.items()}
    for name, port in process.outputs.items():
        port.connect(sinks[name].a_in)
    return sinks


def dense(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else value.toarray()


@pytest.mark.parametrize("chip", [None, "loihi2"], ids=["float", "fixed"])
@pytest.mark.parametrize("run_of", [InProcessRun, MultiProcessRun], ids=["in-process", "multi-process"])
def test_spikes_and_learned_weights_are_those_of_the_stock_graph(chip: str | None, run_of: Any, leftovers: Any) -> None:
    compiled, given = program(chip), fed()
    process = nm.to_lava(compiled)
    fed_by(process, given)
    sinks = sinks_of(process)
    with run_of(process, compat.Loihi2SimCfg(select_tag=TAGS[compiled.arithmetic])) as run:
        run.run(50)
        run.run(STEPS - 50)
        spikes = {name: run.read(sink, "data").T != 0 for name, sink in sinks.items()}
        learned = {name: process.read(name) for name in process.variables}
    for backend in ("lava", "reference"):
        with nm.open(compiled.with_all_spikes(), backend=backend) as alone:
            recording = alone.run(STEPS, inputs=given)
            for name, rows in spikes.items():
                assert 20 < rows.sum() < 0.8 * rows.size
                np.testing.assert_array_equal(rows, np.asarray(recording.spikes[name]))
            for name, value in learned.items():
                expected = dense(alone.read(name))
                is_exact = backend == "reference" or chip is not None  # Lava rounds floats elsewhere
                np.testing.assert_allclose(dense(value), expected, rtol=0 if is_exact else 1e-9, atol=0, err_msg=name)
    assert set(learned) == set(alone.variables())


def whole_and_rest() -> tuple[nm.Program, nm.Program]:
    """A network of a loop a -> c -> a with an input, and the same without c, whose spikes become an input."""
    rng = np.random.default_rng(5)
    weights = {
        name: np.round(rng.uniform(low, 1.0, shape) * 256) / 256
        for name, low, shape in (("in->a", 0, (6, 8)), ("a->c", 0, (4, 6)), ("c->a", -1.0, (6, 4)))
    }
    accumulate = nm.IF(v_threshold=1.5)
    a, c = (nm.Population(name, size, accumulate) for name, size in (("a", 6), ("c", 4)))
    joined = [
        nm.Projection(*name.split("->"), values, name=name, plasticity=nm.STDP(w_max=1.0) if name == "in->a" else None)
        for name, values in weights.items()
    ]
    whole = nm.Network(populations=[nm.Input("in", 8), a, c], projections=joined)
    rest = nm.Network(populations=[nm.Input("in", 8), nm.Input("c", 4), a], projections=[joined[0], joined[2]])
    return nm.compile(whole), nm.compile(rest)


def test_in_a_loop_with_stock_processes_it_takes_the_place_of_a_stock_lif() -> None:
    whole, rest = whole_and_rest()
    rows = np.random.default_rng(6).random((STEPS, 8)) < 0.2
    recording = nm.run(whole.with_all_spikes(), STEPS, inputs={"in": rows})
    process = nm.to_lava(rest)
    fed_by(process, {"in": rows})
    weights = whole.projection("a->c")
    forth = compat.Dense(weights=weights.matrix(weights.weight))
    c = compat.LIF(shape=(4,), du=1.0, dv=0.0, vth=1.5)
    process.outputs["a"].connect(forth.s_in)
    forth.a_out.connect(c.a_in)
    c.s_out.connect(process.inputs["c"])
    sinks = {**sinks_of(process), "c": compat.SinkRingBuffer(shape=(4,), buffer=STEPS)}
    c.s_out.connect(sinks["c"].a_in)
    with InProcessRun(process, compat.Loihi2SimCfg(select_tag="floating_pt")) as run:
        run.run(STEPS)
        for name, sink in sinks.items():
            rows = run.read(sink, "data").T != 0
            assert 20 < rows.sum() < 0.8 * rows.size
            np.testing.assert_array_equal(rows, np.asarray(recording.spikes[name]), err_msg=name)


def test_a_spike_is_received_and_sent_in_the_step_of_lava_in_which_it_happens() -> None:
    relay = nm.compile(
        nm.Network(
            populations=[nm.Input("in", 1), nm.Population("out", 1, nm.IF(v_threshold=0.5))],
            projections=[nm.Projection("in", "out", [[1.0]])],  # a delay of one step
        )
    )
    process = nm.to_lava(relay)
    row = np.zeros((6, 1))
    row[2] = -0.25  # any number but 0 is a spike
    fed_by(process, {"in": row})
    sink = compat.SinkRingBuffer(shape=(1,), buffer=6)
    process.outputs["out"].connect(sink.a_in)
    with InProcessRun(process, compat.Loihi2SimCfg()) as run:
        run.run(6)
        assert run.read(sink, "data").ravel().tolist() == [0, 0, 0, 1, 0, 0]


SCRIPT = """
import sys
import numpy as np
import neuromorph as nm
from neuromorph.errors import InputError
from test_embedded import STEPS, TAGS, compat, fed, fed_by, program, sinks_of

compiled, given = program(sys.argv[1] or None), fed()
process = nm.to_lava(compiled, populations=["b"], variables=["a.v", "left->a.weight", "a->b.weight"])
fed_by(process, given)
sink = sinks_of(process)["b"]
monitor = compat.Monitor()
monitor.probe(process.variables["left->a.weight"], STEPS)
try:
    process.run(compat.RunSteps(40), run_cfg=compat.Loihi2SimCfg(select_tag=TAGS[compiled.arithmetic]))
    process.run(compat.RunSteps(40))
    learned = {name: process.read(name) for name in process.variables}
    process.variables["a.v"].set(np.zeros(7))
    try:
        process.variables["left->a.weight"].set(1e9)
    except InputError as error:
        print(error)
    process.run(compat.RunSteps(STEPS - 80))
    at_end = process.read("a->b.weight")
    spikes = sink.data.get().T != 0
    (watched,) = monitor.get_data().popitem()[1].values()
finally:
    process.stop()
with nm.open(compiled.with_all_spikes()) as alone:
    first = alone.run(80, inputs={name: rows[:80] for name, rows in given.items()})
    for name, value in learned.items():
        assert type(value) is type(alone.read(name)), name
        assert (value != alone.read(name)).sum() == 0, name
    assert np.array_equal(watched[79].ravel(), alone.read("left->a.weight").ravel())
    alone.write("a.v", 0.0)
    last = alone.run(STEPS - 80, inputs={name: rows[80:] for name, rows in given.items()})
    assert (at_end != alone.read("a->b.weight")).sum() == 0
expected = np.concatenate([first.spikes["b"], last.spikes["b"]])
assert expected.sum() > 20 and np.array_equal(spikes, expected)
print("the same")
"""


@pytest.mark.parametrize("chip", ["", "loihi2"], ids=["float", "fixed"])
def test_lava_s_own_runtime_runs_it_and_its_vars_hold_present_values(chip: str, tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text(SCRIPT)
    alone = subprocess.Popen(
        [sys.executable, "alone.py", chip],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, errors = alone.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):  # what Lava leaves behind where it hangs
            os.killpg(alone.pid, signal.SIGKILL)
    assert alone.returncode == 0, errors
    refused, same = printed.splitlines()
    assert refused.startswith("left->a.weight") and "1000000000.0" in refused
    assert same == "the same"


def rewarded(chip: str | None = None) -> nm.Program:
    rule = nm.RewardModulatedSTDP(modulator="reward", learning_rate=0.1, tau_e=0.05, w_max=1.0)
    net = nm.Network(
        populations=[nm.Input("in", 6), nm.Population("out", 4, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.4), plasticity=rule)],
        modulators=[nm.Modulator("reward", 4)],
    )
    return nm.compile(net, chip=chip)


@pytest.mark.parametrize("chip", [None, "loihi2"], ids=["float", "fixed"])
def test_modulators_arrive_at_ports_of_their_own(chip: str | None) -> None:
    rng = np.random.default_rng(2)
    given = {"inputs": {"in": rng.random((STEPS, 6)) < 0.3}, "modulators": {"reward": rng.uniform(-1, 1, (STEPS, 4))}}
    process = nm.to_lava(rewarded(chip), backend="reference")
    for kind, values in given.items():
        fed_by(process, values, kind)
    sink = sinks_of(process)["out"]
    with InProcessRun(process, model_table.run_configuration(TABLE)) as run:
        run.run(STEPS)
        spikes, learned = run.read(sink, "data").T != 0, process.read("in->out.weight")
    with nm.open(rewarded(chip).with_all_spikes()) as alone:
        expected = np.asarray(alone.run(STEPS, **given).spikes["out"])
        np.testing.assert_array_equal(learned, alone.read("in->out.weight"))
    assert np.ptp(learned) > 0 and expected.sum() > 20
    np.testing.assert_array_equal(spikes, expected)


@pytest.mark.parametrize("run_of", [InProcessRun, MultiProcessRun], ids=["in-process", "multi-process"])
def test_vars_are_written_between_runs_and_act_in_the_next_step(run_of: Any) -> None:
    driven = nm.compile(nm.Network(populations=[nm.Population("clock", 3, nm.LIF(bias=0.3))]))
    process = nm.to_lava(driven)
    sink = sinks_of(process)["clock"]
    with run_of(process, compat.Loihi2SimCfg()) as run:
        run.run(20)
        process.variables["clock.bias"].set(0.0)
        process.variables["clock.v"].set([0.5, 2.0, 0.25])
        assert process.read("clock.v").tolist() == [0.5, 2.0, 0.25]
        assert process.read("clock.bias").tolist() == [0.0] * 3
        run.run(20)
        spikes = run.read(sink, "data").T[:40] != 0
    with nm.open(driven.with_all_spikes()) as alone:
        first = np.asarray(alone.run(20).spikes["clock"])
        alone.write("clock.bias", 0.0)
        alone.write("clock.v", [0.5, 2.0, 0.25])
        rest = np.asarray(alone.run(20).spikes["clock"])
    np.testing.assert_array_equal(spikes, np.concatenate([first, rest]))
    assert first.any() and rest.sum() == 1


def test_its_session_ends_when_lava_stops_and_when_a_run_fails() -> None:
    process = nm.to_lava(program())
    fed_by(process, fed())
    with InProcessRun(process, compat.Loihi2SimCfg()) as run:
        run.run(3)
        session = run.model(process)._session
    with pytest.raises(SimulatorError, match="was closed"):
        session.run(1)
    failing = nm.to_lava(rewarded())
    fed_by(failing, {"reward": np.full((STEPS, 4), np.nan)}, "modulators")
    for run_of in (InProcessRun, MultiProcessRun):
        failing = nm.to_lava(rewarded())
        fed_by(failing, {"reward": np.full((STEPS, 4), np.nan)}, "modulators")
        sinks_of(failing)
        with (
            pytest.raises(SimulatorError, match=r"modulators\['reward'\] must be finite"),
            run_of(failing, compat.Loihi2SimCfg()) as run,
        ):
            run.run(3)


def test_lava_finds_its_model_without_a_warning_and_runs_no_other_file_for_it() -> None:
    process = nm.to_lava(program())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        executable = process.compile(compat.Loihi2SimCfg(select_tag="fixed_pt"))
    (builder,) = executable.proc_builders.values()
    assert builder.proc_model.__name__ == "EmbeddedProgramModel"
    folder = Path(sys.modules[type(process).__module__].__file__ or "").parent
    assert sorted(path.name for path in folder.glob("*.py")) == ["__init__.py", "process.py"]
    compat.forget(executable.process_list)


def test_what_cannot_be_is_said_before_the_run() -> None:
    with pytest.raises(InputError) as caught:
        nm.to_lava(program(), populations=["b", "c", "left"])
    assert caught.value.faults == (
        "populations: there is no population 'c'; known: a, b",
        "populations: there is no population 'left'; known: a, b",
    )
    with pytest.raises(InputError, match=r"variables: there is no variable 'a.w'; known: a.u, a.v, "):
        nm.to_lava(program(), variables=["a.w", "a.v"])
    with pytest.raises(InputError, match=r"write \['a.v'\]"):
        nm.to_lava(program(), variables="a.v")
    with pytest.raises(InputError, match=r"is a Program \(neuromorph.compile makes one\)"):
        nm.to_lava(program)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="cannot run"):
        nm.to_lava(feature_cases()["delay"].program, backend="backprop")
    process = nm.to_lava(program(), variables=["a.v"], name="mine")
    assert process.name == "mine" and process.read("a.v").tolist() == [0.0] * 7
    with pytest.raises(InputError, match="there is no input 'up'; known: left, right"):
        process.inputs["up"]
    with pytest.raises(InputError, match=r"there is no variable 'b.v'; known: a.v"):
        process.read("b.v")
    with pytest.raises(InputError, match=r"a.v must be one number or have shape \(7,\), got \(3,\)"):
        process.variables["a.v"].set([1, 2, 3])
    with pytest.raises(InputError, match="is written as a whole"):
        process.variables["a.v"].set(0.0, np.array([1]))
    with pytest.raises(AssertionError, match="Shapes"):  # Lava's own, and at once
        source(np.zeros((STEPS, 4))).s_out.connect(process.inputs["left"])
    compat.strip_log_handlers()
