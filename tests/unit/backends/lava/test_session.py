"""Programs on Lava: both runtimes give the same numbers, failures end at once, and what Lava cannot hold is said first."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lava", reason="Lava is not installed: uv sync --extra lava")

import neuromorph as nm
from neuromorph import registry
from neuromorph.backends.lava.lowering import MODELS
from neuromorph.backends.lava.models import RecordedLif
from neuromorph.backends.lava.rules import lava_string, nearest_coefficient
from neuromorph.errors import InputError, SimulatorError, SimulatorStalled, UnsupportedError
from neuromorph.plasticity import parse

RUNTIMES = ("in-process", "multi-process")
STEPS = 60


def program(seed: int = 0) -> nm.Program:
    rng = np.random.default_rng(seed)
    rule = nm.RewardModulatedSTDP(modulator="r", learning_rate=0.05, tau_e=0.05, w_min=0.0, w_max=1.0)
    net = nm.Network(
        populations=[
            nm.Input("in", 12),
            nm.Population("a", 7, nm.LIF(refractory=2e-3, bias=rng.uniform(0, 0.05, 7))),
            nm.Population("b", 5, nm.LIF(tau_mem=rng.uniform(5e-3, 3e-2, 5))),
        ],
        projections=[
            nm.Projection("in", "a", rng.uniform(0, 0.6, (7, 12)), delay=3e-3, plasticity=rule),
            nm.Projection("a", "b", nm.FixedProbability(0.6, nm.Uniform(0, 1), seed=3), plasticity=nm.STDP(w_max=2.0)),
            nm.Projection("b", "a", nm.FixedProbability(0.5, nm.Normal(0, 0.3), seed=4)),
            nm.Projection("b", "b", rng.normal(0, 0.2, (5, 5)), delay=rng.integers(1, 5, (5, 5)) * 1e-3),
        ],
        modulators=[nm.Modulator("r", 7)],
        probes=[
            nm.Probe("a"),
            nm.Probe("b"),
            nm.Probe("a", "v"),
            nm.Probe("b", "u"),
            nm.Probe("a->b", "weight", every=5e-3),
        ],
    )
    return nm.compile(net, seed=seed)


def fed(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"inputs": {"in": rng.random((STEPS, 12)) < 0.2}, "modulators": {"r": rng.normal(size=(STEPS, 7))}}


def test_both_runtimes_are_equal_to_the_bit_and_to_the_reference_in_spikes() -> None:
    recordings, weights = {}, {}
    for runtime in RUNTIMES:
        with nm.open(program(), backend="lava", runtime=runtime) as session:
            recordings[runtime] = session.run(STEPS, **fed())
            weights[runtime] = session.read("in->a.weight")
    here, there = (recordings[runtime] for runtime in RUNTIMES)
    assert len(here.spikes["a"]) > 20
    assert len(here.spikes["b"]) > 20
    for name in ("a", "b"):
        assert here.spikes[name].equals(there.spikes[name])
    for key, values in here.states.items():
        assert np.array_equal(values, there.states[key]), key
    assert np.array_equal(weights["in-process"], weights["multi-process"])
    reference = nm.run(program(), STEPS, **fed())
    for name in ("a", "b"):
        assert here.spikes[name].equals(reference.spikes[name])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_chunks_writes_and_reset_do_what_they_do_on_the_reference(runtime: str) -> None:
    def story(backend: str, **options: Any) -> list[Any]:
        told: list[Any] = []
        data = fed()
        with nm.open(program(), backend=backend, **options) as session:
            for start, stop in ((0, 1), (1, 20), (20, 20), (20, 33)):
                piece = {kind: {name: v[start:stop] for name, v in values.items()} for kind, values in data.items()}
                told.append(session.run(stop - start, **piece).spikes["b"].counts().tolist())
            session.write("a.v_threshold", 0.5)
            session.write("a->b.weight", 0.3 * (session.read("a->b.weight") != 0))
            session.write("b.bias", 0.02)
            told.append(session.run(10, inputs={"in": data["inputs"]["in"][:10]}).spikes["a"].counts().tolist())
            session.reset()
            told.append([session.read(f"{name}.v").tolist() for name in ("a", "b")])
            told.append(session.run(10, inputs={"in": data["inputs"]["in"][:10]}).spikes["a"].counts().tolist())
        return told

    assert story("lava", runtime=runtime) == story("reference")


class Broken(RecordedLif):
    """A LIF that fails in its fifth step."""

    def run_spk(self) -> None:
        if self.time_step == 5:
            raise ValueError("the membrane burst")
        super().run_spk()


class Endless(RecordedLif):
    """A LIF that never finishes its fifth step."""

    def run_spk(self) -> None:
        while self.time_step == 5:
            pass
        super().run_spk()


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("model", "error", "message"), [(Broken, SimulatorError, "the membrane burst"), (Endless, SimulatorStalled, "step")]
)
def test_a_failing_model_ends_the_session_with_its_traceback(
    runtime: str, model: type, error: type[SimulatorError], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neuromorph.backends.lava import compat

    # Lava refuses models whose mark of the Process they implement is inherited.
    marked = compat.tag("floating_pt")(
        compat.requires(compat.CPU)(
            compat.implements(proc=compat.LIF, protocol=compat.LoihiProtocol)(
                type(model.__name__, (model,), {"implements_process": None})
            )
        )
    )
    monkeypatch.setitem(MODELS, compat.LIF, marked)  # type: ignore[arg-type]
    others = set(multiprocessing.active_children())
    stall_second = 10.0 if runtime == "multi-process" else 3.0  # It must last for the building, too.
    with nm.open(program(), backend="lava", runtime=runtime, stall_second=stall_second) as session:
        with pytest.raises(error, match=message):
            session.run(STEPS, **fed())
        with pytest.raises(SimulatorError, match="was closed after it failed"):
            session.run(1)
    assert set(multiprocessing.active_children()) <= others


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(InputError, match="in-process, multi-process"):
        registry.get("lava", runtime="gpu")


def test_rules_that_lava_cannot_hold_are_refused_before_anything_runs() -> None:
    trace = nm.Trace(10e-3)
    rule = nm.LearningRule(dw="u0*r*y1*y2*y3 + u1*w", y1=trace, y2=trace, y3=trace, modulators={"r": 1.0}, epoch=2e-3)
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 2, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.1), plasticity=rule)],
        modulators=[nm.Modulator("r")],
    )
    with pytest.raises(UnsupportedError) as caught:
        nm.open(nm.compile(net), backend="lava")
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("value", [1.0, -8.0, 0.3, 3.7, 1e-4, 1e6, -0.01])
def test_the_string_holds_the_nearest_coefficient_of_lavas_grid(value: float) -> None:
    mantissa, exponent = nearest_coefficient(value)
    grid = [m * 2.0**e for m in range(-8, 8) if m for e in range(-7, 9)]
    assert abs(mantissa * 2.0**exponent - value) == min(abs(entry - value) for entry in grid)


def test_strings_keep_signs_and_place_the_third_factor() -> None:
    assert lava_string(parse("-0.5*x1*y0 + 0.25*r*t*u0"), "y2") == "-1 * 2^-1 * x1 * y0 + 1 * 2^-2 * t * y2 * u0"


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_round_weights_and_thresholds_tie_as_they_do_on_the_reference(density: float) -> None:
    rng = np.random.default_rng(1)
    for seed in range(8):
        net = nm.Network(
            populations=[nm.Input("in", 64), nm.Population("out", 10, nm.IF(v_threshold=1.0))],
            projections=[nm.Projection("in", "out", nm.FixedProbability(density, 0.05, seed=seed))],
        )
        inputs = {"in": rng.random((200, 64)) < 0.2}
        assert nm.compare(net, 200, backends=["reference", "lava"], inputs=inputs).all_equal


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow is what is looked at
@pytest.mark.parametrize("weights", [nm.AllToAll(1.5), nm.FixedProbability(0.7, 1.5, seed=2)])
def test_weights_that_overflow_do_so_as_on_the_reference(weights: Any) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", weights, plasticity=nm.LearningRule(dw="100*w*w*x0"))],
    )
    inputs = {"in": np.random.default_rng(0).random((60, 5)) < 0.2}
    result = nm.compare(net, 60, backends=["reference", "lava"], inputs=inputs)
    assert result["lava"].spikes_equal
    assert result["lava"].largest_weight_difference == 0.0


def _open_in_a_worker(_: int) -> str:
    try:
        nm.open(program(), backend="lava", runtime="multi-process").close()
    except SimulatorError as error:
        return str(error)
    return "it opened"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: beside a watching thread
def test_a_worker_that_may_have_no_children_is_told_what_to_use() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert "use the in-process run" in pool.map(_open_in_a_worker, [0])[0]
