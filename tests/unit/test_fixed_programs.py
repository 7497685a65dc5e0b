"""Fixed-point programs: what they may hold, and what the reference makes of them, number by number."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import registry
from neuromorph.arithmetic import bias_parts, scaled, toward_zero, wrapped_once
from neuromorph.errors import CompileError, InputError, UnsupportedError
from neuromorph.fixed_plastic_state import stream_seed
from neuromorph.parts import TraceProgram, engine_parts
from neuromorph.plasticity import parse
from neuromorph.program import ProbeProgram, Program
from neuromorph.testing import fixed_feature_cases, random_fixed_case
from neuromorph.textform import dumps, loads

CASES = fixed_feature_cases()
LIMIT = 2**23
X1 = TraceProgram(impulse=16.0, decay=0.5)


def changed_population(**changes: Any) -> Program:
    program = CASES["fixed_point"].program
    population = dataclasses.replace(program.populations[0], **changes)
    return dataclasses.replace(program, populations=[population])


def changed_projection(feature: str = "fixed_point", **changes: Any) -> Program:
    program = CASES[feature].program
    return dataclasses.replace(program, projections=[dataclasses.replace(program.projections[0], **changes)])


def changed_rule(**changes: Any) -> Program:
    rule = CASES["learning"].program.projections[0].rule
    assert rule is not None
    return changed_projection("learning", rule=dataclasses.replace(rule, **changes))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: changed_population(decay_u=np.full(4, 0.9)), r"decay_u must be \(4095 - du\) / 4096 in fixed point, got 0.9"),
        (lambda: changed_population(decay_u=np.ones(4)), r"decay_u must be \(4095 - du\)"),
        (lambda: changed_population(decay_v=np.full(4, 0.9)), r"decay_v must be \(4096 - dv\)"),
        (lambda: changed_population(threshold=np.full(4, 65.0)), "threshold must be mantissa << 6 below 2\\^23"),
        (lambda: changed_population(threshold=np.full(4, np.inf)), "threshold must be mantissa << 6"),
        (lambda: changed_population(threshold=np.full(4, 2.0**23)), "threshold must be mantissa << 6"),
        (lambda: changed_population(bias=np.full(4, 4097.0)), "bias must be mantissa << exponent"),
        (lambda: changed_population(bias=np.full(4, 0.5)), "bias must be mantissa << exponent"),
        (lambda: changed_population(bias=np.full(4, 4096.0 * 256)), "bias must be mantissa << exponent"),
        (lambda: changed_projection(sign_mode="none"), "sign_mode must be mixed, excitatory, inhibitory"),
        (lambda: changed_projection(weight_exponent=8), "weight_exponent must be -7..7"),
        (lambda: changed_projection(weight_bits=0), "weight_bits 1..8"),
        (lambda: changed_projection(weight=np.full(24, 256.0)), r"mantissas 0..255 in steps of 1 \(excitatory\)"),
        (lambda: changed_projection(weight=np.full(24, 3.0), sign_mode="mixed"), "in steps of 2"),
        (lambda: changed_projection(weight=np.full(24, 2.5)), "got 2.5 and 23 more"),
        (lambda: changed_rule(traces=dict.fromkeys(("x1", "y1"), TraceProgram(impulse=128.0, decay=0.5))), "impulse of 0..127"),
        (lambda: changed_rule(traces=dict.fromkeys(("x1", "y1"), TraceProgram(impulse=1.0, decay=1.0))), "127 and decay"),
        (lambda: changed_rule(w_max=300.0), "bounds must be those of the sign mode, 0..255"),
    ],
)  # fmt: skip
def test_what_is_no_integer_of_a_chip_is_refused(change: Any, says: str) -> None:
    with pytest.raises(CompileError, match=says):
        change()


@pytest.mark.parametrize(
    ("dw", "says"),
    [
        ("0.3*x1*y0", "coefficient 0.3 is not m 2"),
        ("9*x1*y0", "coefficient 9.0 is not m 2"),
        ("2^-8*x1*y0", "is not m 2"),
        ("x1*y0*(w - 0.5)", "must be whole"),
        ("sgn(x1)*y0", r"sgn\(\) takes w or t"),
    ],
)
def test_a_rule_that_an_engine_cannot_hold_is_refused(dw: str, says: str) -> None:
    with pytest.raises(CompileError, match=says):
        changed_rule(dw=parse(dw))


def test_a_third_factor_stands_once_and_bare() -> None:
    program = CASES["third_factor"].program
    projection = program.projections[0]
    assert projection.rule is not None
    for text, says in (
        ("r*r*x1*y0", "r once and bare"),
        ("(r + 1)*x1*y0", "r once and bare"),
        ("-8*2^8*r*x1*y0", "for negative r, is not m 2"),
    ):
        rule = dataclasses.replace(projection.rule, dw=parse(text), traces=dict.fromkeys(("x1", "y1"), X1))
        changed = dataclasses.replace(projection, rule=rule)
        with pytest.raises(CompileError, match=says):
            dataclasses.replace(program, projections=[changed])


def test_every_coefficient_of_the_grid_has_its_parts_and_no_other() -> None:
    grid = {m * 2.0**e for m in range(-8, 8) if m for e in range(-7, 9)}
    for value in grid:
        parts = engine_parts(value)
        assert parts is not None
        assert parts[0] * 2.0 ** parts[1] == value
        assert -8 <= parts[0] <= 7 and -7 <= parts[1] <= 8
    others = {value * 1.01 for value in grid} | {0.0, 2.0**-8, 9.0, 7 * 2.0**9, 2.0**12, np.inf} - grid
    assert all(engine_parts(value) is None for value in others)


@pytest.mark.parametrize("exponent", range(8))
def test_biases_come_apart_and_together(exponent: int) -> None:
    whole = np.arange(-4096, 4096) << exponent
    mantissa, found = bias_parts(whole)
    assert np.array_equal(mantissa << found, whole)
    assert np.abs(mantissa).max() <= 4096 and found.max() <= 7


def test_shifts_and_wraps() -> None:
    values = np.array([-7, -1, 0, 1, 7])
    assert toward_zero(values, 1).tolist() == [-3, 0, 0, 0, 3]
    edge = np.array([LIMIT - 1, LIMIT, LIMIT + 1, -LIMIT + 1, -LIMIT, -LIMIT - 1, 3 * LIMIT])
    assert wrapped_once(edge).tolist() == [LIMIT - 1, LIMIT, 1 - LIMIT, 1 - LIMIT, LIMIT, LIMIT - 1, LIMIT]
    assert scaled(np.array([-5.0, 5.0]), -2).tolist() == [-2.0, 1.0]
    assert scaled(np.array([-5.0, 5.0]), 2).tolist() == [-20.0, 20.0]


def test_text_and_files_keep_every_field(tmp_path: Any) -> None:
    for seed in range(8):
        program = random_fixed_case(seed, steps=60).program
        assert loads(dumps(program)).fingerprint == program.fingerprint
        program.save(tmp_path / "p.npz")
        assert Program.load(tmp_path / "p.npz").fingerprint == program.fingerprint


def test_seeds_change_the_rounding_and_nothing_else() -> None:
    case = CASES["learning"]

    def weights(seed: int) -> Any:
        with nm.open(case.program, seed=seed) as session:
            session.run(case.steps, inputs=case.inputs)
            return session.read("in->out.weight")

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))
    seeds = {
        stream_seed(CASES["recurrent"].program, name, seed) for name in ("in->out", "out->out") for seed in range(5)
    }
    assert all(abs(one - other) >= 4 for one in seeds for other in seeds if one != other)
    assert len(seeds) == 10


def test_what_is_written_must_be_an_integer_of_the_chip() -> None:
    case = CASES["tag"]
    with nm.open(case.program) as session:
        session.run(20, inputs={"in": case.inputs["in"][:20]})
        for name in session.variables():
            session.write(name, session.read(name))
        for name, value in (
            ("in->out.weight", 256.0),
            ("in->out.weight", 1.5),
            ("in->out.tag", -258.0),
            ("in->out.x1", 128.0),
            ("out.v", 2.0**23),
            ("out.u", 0.5),
            ("out.v_threshold", 65.0),
            ("out.bias", 4097.0),
        ):
            with pytest.raises(InputError, match=name.replace(">", ".")):
                session.write(name, value)


def test_a_third_factor_beyond_its_bits_is_refused_before_anything_runs() -> None:
    case = CASES["third_factor"]
    with nm.open(case.program) as session:
        with pytest.raises(InputError, match=r"the third factor reaches 2.5, and fixed point holds -1.98"):
            session.run(1, inputs={"in": case.inputs["in"][:1]}, modulators={"reward": [[2.5]]})
        assert session.steps_run == 0
        session.run(1, inputs={"in": case.inputs["in"][:1]}, modulators={"reward": [[-1.98]]})


def test_other_conventions_run_on_the_reference_alone() -> None:
    program = dataclasses.replace(CASES["fixed_point"].program, threshold_comparison=">=", rounding="down")
    assert program.unusual_conventions == {"threshold_comparison": ">=", "rounding": "down"}
    with nm.open(program) as session:
        session.run(5)
    nengo = registry.availability("nengo")
    if not nengo.available:
        pytest.skip(nengo.reason)
    with pytest.raises(UnsupportedError, match="only the reference runs such"):
        nm.open(program, backend="nengo")


def test_two_steps_by_hand() -> None:
    program = changed_projection(weight=np.arange(24.0) + 100, weight_exponent=-1)
    program = program.with_probes([ProbeProgram(target="out", variable=name, every=1) for name in ("u", "v")])
    with nm.open(program) as session:
        session.write("out.bias", 7.0)
        spikes = np.zeros((3, 6), dtype=bool)
        spikes[0, [1, 4]] = True
        states = session.run(3, inputs={"in": spikes}).states
    a = ((101 + 104) >> 1) << 6
    u = [0, a, a * 3095 >> 12]
    v = [7, (7 * 3696 >> 12) + u[1] + 7]
    v.append((v[1] * 3696 >> 12) + u[2] + 7)
    assert states["out", "u"][:, 0].tolist() == u
    assert states["out", "v"][:, 0].tolist() == v
