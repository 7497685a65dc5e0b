"""Fixed-point programs on Lava: equal to the reference to the bit, on Lava's own ProcessModels wherever there are any."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lava", reason="Lava is not installed: uv sync --extra lava")

from neuromorph import registry
from neuromorph.arithmetic import WEIGHT_RANGES, weight_step
from neuromorph.backends.lava import compat, fixed_models, lowering, model_table
from neuromorph.backends.lava.models import Record
from neuromorph.backends.lava.rules import exact_tau, fixed_string
from neuromorph.errors import UnsupportedError
from neuromorph.inputs import Modulator
from neuromorph.parts import ProbeProgram, ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.plasticity import parse
from neuromorph.plasticity.language import Factor, Product, SumOfProducts
from neuromorph.program import Program
from neuromorph.testing import Case, random_fixed_case
from neuromorph.testing.case import reward_rows

LAVA = registry.get("lava")


def runs_here(program: Program) -> bool:
    return not LAVA.faults(program)


def learns_here(program: Program) -> bool:
    return runs_here(program) and any(projection.rule is not None for projection in program.projections)


def edge_case(seed: int, *, steps: int) -> Case:
    """A random case with other rules: any impulse and decay, odd first weights, huge constants, epochs beside r."""
    case = random_fixed_case(seed, accepted=learns_here, steps=steps)
    rng = np.random.default_rng([seed, 77])
    modulators = [Modulator("reward")] if rng.random() < 0.5 else []
    changed = []
    for projection in case.program.projections:
        if projection.rule is not None:
            low, high = WEIGHT_RANGES[projection.sign_mode]
            projection = dataclasses.replace(
                projection,
                weight=rng.integers(low, high + 1, projection.synapses),
                weight_bits=int(rng.choice([8, 3])),
                rule=edge_rule(rng, modulators, low, high),
            )
        changed.append(projection)
    program = dataclasses.replace(case.program, projections=changed, modulators=modulators)
    fed = {item.name: reward_rows(steps, item.size, seed) for item in modulators}
    return dataclasses.replace(case, name=f"edge {seed}", program=program, modulators=fed)


def edge_rule(rng: np.random.Generator, modulators: Sequence[Modulator], low: int, high: int) -> RuleProgram:
    epoch = int(rng.choice([1, 1, 2, 3, 5]))
    posts = ["y1", "y2", "y3"] if not modulators else ["y1"] if epoch == 1 else []
    traces = {
        name: TraceProgram(
            impulse=float(rng.choice([0.0, 0.5, 4.999, 16.0, 126.5, 127.0, rng.uniform(0, 127)])),
            decay=float(rng.choice([0.0, 1e-300, 0.25, 1 / 3, 0.9999, 1 - 2**-53, rng.random(), math.exp(-1 / 20)])),
        )
        for name in ["x1", "x2", *posts]
    }
    known = [*traces, "w", "t", *(["r", "r"] if modulators else [])]
    clock = f"u{int(rng.integers(0, 3))}"
    dw, dt = ([edge_product(rng, known, clock) for _ in range(rng.integers(1, 4))] for _ in range(2))
    return RuleProgram(
        name="edge",
        dw=SumOfProducts(tuple(dw)),
        dt=SumOfProducts(tuple(dt)),
        traces=traces,
        epoch=epoch,
        w_min=float(low),
        w_max=float(high),
        modulators={item.name: -1.0 for item in modulators},
        third_factor_scale=float(rng.choice([10.0, 127.0])),
    )


def edge_product(rng: np.random.Generator, known: Sequence[str], clock: str) -> Product:
    chosen = [str(name) for name in rng.choice(known, int(rng.integers(0, 6)))]
    chosen = [name for name in chosen if name != "r"] + ["r"] * ("r" in chosen)
    factors = [
        Factor(
            name,
            constant=float(rng.choice([0, 3, -100, 600, -5000, 10**7])) if name != "r" and rng.random() < 0.4 else 0.0,
            sign=name in ("w", "t") and bool(rng.random() < 0.3),
        )
        for name in chosen
    ]
    coefficient = float(rng.choice([-7, -4, -1, 1, 2, 3, 7])) * 2.0 ** int(rng.integers(-7, 9))
    return Product(coefficient, str(rng.choice(["x0", "y0", clock])), tuple(factors))


class Beside:
    """A case open on Lava and on the reference, which must agree to the bit in all that can be read."""

    def __init__(self, case: Case, *, runtime: str = "in-process", seed: int = 0) -> None:
        probes = [ProbeProgram(target=name, variable="spikes", every=1) for name in case.program.sizes]
        for item in case.program.populations:
            probes += [ProbeProgram(target=item.name, variable=variable, every=1) for variable in ("u", "v")]
        program = case.program.with_probes(probes)
        self.case, self.row = case, 0
        self.reference = registry.get("reference").open(program, seed=seed)
        self.lava: Any = registry.get("lava", runtime=runtime).open(program, seed=seed)

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *error: object) -> None:
        self.reference.close()
        self.lava.close()

    def run(self, steps: int) -> None:
        """Run the next steps of the case on both and hold them together."""
        rows = slice(self.row, self.row + steps)
        fed: dict[str, Any] = {
            "inputs": {name: values[rows] for name, values in self.case.inputs.items()},
            "modulators": {name: values[rows] for name, values in self.case.modulators.items()},
        }
        expected, found = self.reference.run(steps, **fed), self.lava.run(steps, **fed)
        where = f"{self.case.name}, steps {self.row + 1} to {self.row + steps}"
        for name, train in expected.spikes.items():
            assert train.equals(found.spikes[name]), f"{where}: spikes of {name}"
        for key, values in expected.states.items():
            assert np.array_equal(values, found.states[key]), f"{where}: {key}"
        self.row += steps
        self.compare(where)

    def compare(self, where: str) -> None:
        """Hold every variable together."""
        for name in self.reference.variables():
            expected, found = (entries(session.read(name)) for session in (self.reference, self.lava))
            assert np.array_equal(expected, found), f"{where}: {name}"

    def write_everything(self, seed: int) -> None:
        """Other values of every variable on both, drawn from all that it can hold."""
        rng = np.random.default_rng(seed)
        for address, size in self.reference.variables().items():
            owner, _, variable = address.rpartition(".")
            if variable == "weight":
                synapses = self.case.program.projection(owner)
                low, high = WEIGHT_RANGES[synapses.sign_mode]
                step = weight_step(synapses.sign_mode, synapses.weight_bits) if synapses.rule is None else 1
                value = synapses.matrix(np.trunc(rng.integers(low, high + 1, size) / step) * step)
            elif variable == "tag":
                value = self.case.program.projection(owner).matrix(rng.choice([-257, -256, 0, 17, 255], size))
            else:
                value = {
                    "v_threshold": rng.integers(1, 2000, size) * 64,
                    "bias": rng.choice([0, 1, -77, 4095, 4095 * 128, -4096], size),
                    "u": rng.choice([0, 5, -(2**20), 2**23 - 1, 1 - 2**23], size),
                    "v": rng.choice([0, 5, -(2**20), 2**23 - 1, 1 - 2**23], size),
                }.get(variable, rng.integers(0, 128, size))
            for session in (self.reference, self.lava):
                session.write(address, value)
        self.compare("after writing")

    def reset(self) -> None:
        """Forget state on both."""
        for session in (self.reference, self.lava):
            session.reset()
        self.compare("after a reset")


def entries(value: Any) -> Any:
    """The entries of an array, or of the stored synapses of a sparse one."""
    return value.data if type(value).__module__.partition(".")[0] == "scipy" else value


@pytest.mark.parametrize("seed", [1, 2])
def test_random_programs_are_equal_for_a_thousand_steps(seed: int) -> None:
    with Beside(random_fixed_case(seed, accepted=runs_here, steps=1000), seed=seed) as both:
        both.run(1000)


@pytest.mark.parametrize("seed", range(10, 18))
def test_rules_that_saturate_and_wrap_are_equal_in_chunks_after_writes_and_after_reset(seed: int) -> None:
    with Beside(edge_case(seed, steps=121), seed=seed) as both:
        for steps in (40, 1, 0):
            both.run(steps)
        both.write_everything(seed)
        both.run(40)
        both.reset()
        both.run(40)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_multi_process_runtime_is_equal_too(seed: int) -> None:
    with Beside(edge_case(seed, steps=50), runtime="multi-process", seed=seed) as both:
        both.write_everything(seed)
        both.run(30)
        both.reset()
        both.run(20)


def test_static_and_fully_plastic_programs_run_on_stock_models() -> None:
    own = {compat.LIFRefractory, fixed_models.PartialLearningDense, fixed_models.PostTraces, compat.LIF}
    for process in lowering.FIXED_MODELS.keys() - own:
        assert lowering.FIXED_MODELS[process] is model_table.FIXED_MODELS[process]
    recorder = lowering.FIXED_MODELS[compat.LIF]
    assert recorder.__bases__ == (compat.PyLifModelBitAcc, Record)
    assert {name for name, value in vars(recorder).items() if inspect.isfunction(value)} == {"__init__", "run_spk"}


def test_the_session_takes_its_models_from_the_table() -> None:
    case = random_fixed_case(
        0, accepted=lambda p: learns_here(p) and p.projections[0].is_full and p.projections[0].rule is not None
    )
    with LAVA.open(case.program) as session:
        name = case.program.projections[0].name
        process = session._graph.connections[name]  # type: ignore[attr-defined]
        model = session._run.model(process)  # type: ignore[attr-defined]
        assert type(model) is compat.PyLearningDenseModelBitApproximate


def test_trace_rounding_differs_between_seeds_of_a_session() -> None:
    case = edge_case(12, steps=60)
    learned = []
    for seed in (0, 0, 1):
        with LAVA.open(case.program, seed=seed) as session:
            session.run(60, inputs=case.inputs, modulators=case.modulators)
            learned.append({name: entries(session.read(name)).tolist() for name in session.variables()})
    assert learned[0] == learned[1]
    assert learned[0] != learned[2]


def test_input_beyond_32_bits_wraps() -> None:
    case = random_fixed_case(1, features_allowed=[], steps=4)
    size, target = 1000, case.program.populations[0]
    synapses = ProjectionProgram(
        name="full",
        pre="many",
        post=target.name,
        pre_size=size,
        post_size=target.size,
        post_index=np.zeros(size),
        pre_index=np.arange(size),
        weight=np.full(size, 255),
        delay=np.ones(size),
        sign_mode="excitatory",
        weight_exponent=7,
    )
    item = dataclasses.replace(case.program.inputs[0], name="many", size=size)
    quiet = dataclasses.replace(target, decay_u=np.full(target.size, 4095 / 4096))
    program = dataclasses.replace(case.program, inputs=[item], populations=[quiet], projections=[synapses])
    fed = np.ones((4, size), dtype=np.bool_)
    with Beside(Case(name="many", program=program, inputs={"many": fed}, steps=4)) as both:
        both.run(3)
        assert both.lava.read(f"{target.name}.u").min() < 0.0
        both.run(1)


def test_lavas_exponential_of_the_time_constant_is_the_decay() -> None:
    decays = [*(math.exp(-1 / tau) for tau in range(10, 2000, 13)), *np.linspace(0.91, 1.0, 500, endpoint=False)]
    taus = np.array([exact_tau(float(decay)) for decay in decays])
    assert np.exp(-1 / taus[:, np.newaxis])[:, 0].tolist() == decays
    assert exact_tau(0.0) == 0.0
    assert exact_tau(math.exp(-1 / 16)) == 16.0  # whole where it can be: Lava's Var cuts it to an integer


def test_the_third_factor_is_held_as_received() -> None:
    case = random_fixed_case(
        0, accepted=lambda p: learns_here(p) and any(item.rule and item.rule.modulators for item in p.projections)
    )
    with LAVA.open(case.program) as session:
        for projection in case.program.projections:
            if projection.rule is not None and projection.rule.modulators:
                model = session._run.model(session._graph.connections[projection.name])  # type: ignore[attr-defined]
                held = model._decay_trace(np.arange(128), 1, model._y_taus[:, np.newaxis], 1 - 2**-53)
                assert np.array_equal(held, np.tile(np.arange(128), (3, 1)))


def test_strings_hold_every_coefficient_and_both_halves_of_r() -> None:
    text = "-2048*x0 + 0.0078125*r*x1*y0 - 1792*sgn(w - 3)*u2 + 3*(t + 100000)*x0"
    assert fixed_string(parse(text)) == (
        "-8 * 2^8 * x0 + 1 * 2^-7 * x1 * y2 * y0 - 1 * 2^-7 * x1 * y3 * y0"
        " - 7 * 2^8 * sgn(w - 3) * u2 + 3 * 2^0 * (t + 4096) * x0"
    )


def test_what_lava_cannot_hold_in_integers_is_said_before_anything_runs() -> None:
    case = edge_case(12, steps=10)
    changed = []
    for index, projection in enumerate(case.program.projections):
        rule = projection.rule
        delay = np.full(projection.synapses, 66)
        if rule is not None:
            traces = {name: TraceProgram(impulse=16.0, decay=0.9) for name in ("x1", "x2", "y1", "y2", "y3")}
            rule = dataclasses.replace(rule, traces=traces, modulators={"reward": 1.0}, epoch=2)
        changed.append(dataclasses.replace(projection, rule=rule, delay=delay if index == 0 else projection.delay))
    program = dataclasses.replace(case.program, projections=changed, modulators=[Modulator("reward")])
    with pytest.raises(UnsupportedError) as caught:
        LAVA.open(program)
    told = "\n".join(caught.value.faults)
    assert "read post traces at the epoch's end only" in told.replace("reads", "read")
    assert "uses y2, y3 and a third factor, which Lava carries in y2 and y3" in told
    assert "projection by at most 6" in told
