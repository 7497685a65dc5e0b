"""A learning rule in a chip's integers means what it meant in float."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import CompileError
from neuromorph.fixed_plastic_state import plastic_synapses
from neuromorph.parts import RuleProgram, engine_parts
from neuromorph.plasticity.language import Product, SumOfProducts
from neuromorph.quantisation import Quantisation, Quantised

PRE, POST = 30, 4
INITIAL = 64 / 255  # a whole mantissa where w_max is 1


def network(rule: nm.LearningRule, initial: float = INITIAL) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", PRE), nm.Population("out", POST, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.AllToAll(initial), plasticity=rule, name="p")],
        modulators=[nm.Modulator(name) for name in rule.modulators],
    )


def quantised(rule: nm.LearningRule, initial: float = INITIAL, **options: object) -> Quantised:
    return Quantisation(**options)(nm.compile(network(rule, initial)))  # type: ignore[arg-type]


def rule_of(program: nm.Program) -> RuleProgram:
    rule = program.projection("p").rule
    assert rule is not None
    return rule


def fault_of(rule: nm.LearningRule, initial: float = INITIAL, **options: object) -> str:
    with pytest.raises(CompileError) as caught:
        quantised(rule, initial, **options)
    (fault,) = caught.value.faults
    return fault


def stdp(**changes: object) -> nm.LearningRule:
    return nm.STDP(**{"A_plus": 0.02, "A_minus": 0.015, "w_min": -1.0, "w_max": 1.0, **changes})  # type: ignore[arg-type]


def rewarded(**changes: object) -> nm.LearningRule:
    values: dict[str, object] = {"learning_rate": 0.1, "A_plus": 0.5, "A_minus": 0.4, "tau_e": 60e-3}
    return nm.RewardModulatedSTDP(modulator="dopamine", w_min=-1.0, w_max=1.0, **{**values, **changes})  # type: ignore[arg-type]


def custom(dw: str, **changes: object) -> nm.LearningRule:
    return nm.LearningRule(**{"dw": dw, "w_min": -1.0, "w_max": 1.0, **changes})  # type: ignore[arg-type]


def float_with_held_coefficients(made: Quantised, program: nm.Program) -> nm.Program:
    """The float program with the numbers that the chip holds: what differs then is the chip's arithmetic alone."""
    held = {row.quantity: row.held for row in made.report}
    projection = program.projection("p")
    rule = rule_of(program)

    def mended(name: str, total: SumOfProducts) -> SumOfProducts:
        products = (Product(held[f"{name}: {p}"], p.dependency, p.factors) for p in total.products)
        return SumOfProducts(tuple(products))

    rule = dataclasses.replace(rule, dw=mended("dw", rule.dw), dt=None if rule.dt is None else mended("dt", rule.dt))
    return dataclasses.replace(program, projections=[dataclasses.replace(projection, rule=rule)])


def changes(program: nm.Program, *, blocks: int, steps: int, rewards: bool) -> np.ndarray:
    """Weight changes in float units after each of many blocks of random spikes, shape (blocks, synapses).

    The blocks follow each other in one stream of random numbers, since weights of all sessions are rounded by the same.
    """
    rng = np.random.default_rng(1)
    synapses = plastic_synapses(program, program.projection("p"), seed=0)
    start, found = synapses.weight.copy(), []
    for block in range(blocks):
        synapses.reset()
        synapses.weight[:] = start
        pre, post = rng.random((steps, PRE)) < 0.03, rng.random((steps, POST)) < 0.03
        reward = np.rint(np.clip(rng.normal(size=steps) * 0.3, -1, 1) * 64) / 64  # values that the chip holds exactly
        for step in range(steps):
            spikes = np.flatnonzero(pre[step]), np.flatnonzero(post[step])
            synapses.learn(block * steps + step + 1, *spikes, reward[step : step + 1] if rewards else None)
        found.append(synapses.weight - start)
    projection = program.projection("p")
    unit = 2.0 ** (6 + projection.weight_exponent) / program.population("out").scale
    return np.array(found) * (unit if program.arithmetic == "fixed" else 1.0)


# --------------------------------------------------------------------------------- the same rule, on average


def test_stdp_changes_weights_as_in_float_on_average() -> None:
    """Both halves of the window round without bias: the mean difference lies within 4 standard errors (1 in 16,000)."""
    program = nm.compile(network(stdp()))
    made = Quantisation()(program)
    in_float = changes(float_with_held_coefficients(made, program), blocks=100, steps=60, rewards=False)
    fixed = changes(made.program, blocks=100, steps=60, rewards=False)
    differences = (fixed - in_float).mean(axis=1)
    assert abs(differences.mean()) <= 4 * differences.std() / math.sqrt(len(differences))
    slope, offset = np.polyfit(in_float.ravel(), fixed.ravel(), 1)
    assert slope == pytest.approx(1, abs=0.02)  # 12,000 pairs of numbers that correlate to 0.99: 0.14 / 110 is 0.0013
    assert abs(offset) < 1 / 255
    assert np.corrcoef(in_float.ravel(), fixed.ravel())[0, 1] > 0.98
    assert np.abs(in_float).mean() > 2 / 255  # there is something to compare


def test_reward_modulated_stdp_changes_weights_as_in_float_but_for_the_rounding_down_of_its_product() -> None:
    """r t is rounded down once a step, so that the mean is too low by at most one such unit a step."""
    program = nm.compile(network(rewarded()))
    made = Quantisation()(program)
    in_float = changes(float_with_held_coefficients(made, program), blocks=100, steps=60, rewards=True)
    fixed = changes(made.program, blocks=100, steps=60, rewards=True)
    differences = (fixed - in_float).mean(axis=1)
    error = 4 * differences.std() / math.sqrt(len(differences))
    (product,) = rule_of(made.program).dw.products
    parts = engine_parts(product.coefficient)
    assert parts is not None
    down = 60 * 2.0 ** parts[1] / 255
    assert -down - error <= differences.mean() <= error
    slope, _ = np.polyfit(in_float.ravel(), fixed.ravel(), 1)
    assert slope == pytest.approx(1, abs=0.02)
    assert np.corrcoef(in_float.ravel(), fixed.ravel())[0, 1] > 0.98
    assert np.abs(in_float).mean() > 4 / 255


@pytest.mark.parametrize(
    "rule",
    [
        custom("0.05 * x1 * (1.0 - w) * y0 - 0.04 * y1 * w * x0", x1=nm.Trace(20e-3), y1=nm.Trace(30e-3), w_min=0.0),
        custom("0.1 * (y1 - 0.5) * x0", y1=nm.Trace(20e-3, impulse=0.5)),
        custom("0.02 * sgn(w) * x0 + 0.01 * u1"),
    ],
)
def test_products_with_constants_and_signs_keep_their_meaning(rule: nm.LearningRule) -> None:
    """Coefficients are held as in the report; constants and rounding down cost at most 6 % of what changes.

    ``w (1 - w)`` is rounded down to 2^-7 of a mantissa at best and the constants here are whole to 1 in 15. The third
    rule changes weights by 5.5 mantissas rms and is rounded 20 times by half a one: 2.2, a correlation of 0.93.
    """
    program = nm.compile(network(rule))
    made = Quantisation()(program)
    in_float = changes(float_with_held_coefficients(made, program), blocks=60, steps=40, rewards=False)
    fixed = changes(made.program, blocks=60, steps=40, rewards=False)
    assert np.abs(fixed.mean() - in_float.mean()) <= 0.06 * np.abs(in_float).mean() + 0.5 / 255
    assert np.corrcoef(in_float.ravel(), fixed.ravel())[0, 1] > 0.9


# ----------------------------------------------------------------------------------------- scales and grids


def test_every_coefficient_is_compensated_for_scales_and_widths() -> None:
    made = quantised(rewarded())
    rule, mantissas = rule_of(made.program), 255.0
    held = {row.quantity: row.held for row in made.report}
    (weight_change,) = rule.dw.products
    assert weight_change.coefficient == pytest.approx(
        held["dw: 0.1 * t * r * u0"] * mantissas * 2**5 / (rule.tag_scale * rule.third_factor_scale)
    )
    potentiation = rule.dt.products[0]  # type: ignore[union-attr]
    assert potentiation.coefficient == pytest.approx(
        held["dt: 0.5 * x1 * y0"] * rule.tag_scale / rule.trace_scales["x1"]
    )
    assert rule.third_factor_scale == 64.0
    assert dict(rule.trace_scales) == {name: trace.impulse for name, trace in rule.traces.items()}


@pytest.mark.parametrize("amplitude", [0.004, 0.01, 0.03, 0.077, 0.15])
def test_free_impulses_bring_coefficients_within_two_percent(amplitude: float) -> None:
    """Neighbours m 2^e lie up to 1/4 apart; 24 impulses between 8 and 31 leave about 1/24 of that on each side."""
    made = quantised(stdp(A_plus=amplitude, A_minus=1.05 * amplitude))
    errors = [row.relative_error for row in made.report if row.quantity.startswith("dw")]
    assert len(errors) == 2
    assert max(errors) < 0.02
    for name, trace in rule_of(made.program).traces.items():
        assert trace.impulse % 1 == 0, name
        assert 8 <= trace.impulse <= 127 / 4


def test_headrooms_are_kept() -> None:
    roomy = rule_of(quantised(stdp(), trace_headroom=12.0).program)
    assert all(trace.impulse <= 127 / 12 for trace in roomy.traces.values())
    for headroom in (4.0, 8.0):
        rule = rule_of(quantised(rewarded(), tag_headroom=headroom).program)
        assert 0.25 * 255 / headroom <= 0.5 * rule.tag_scale <= 255 / headroom * (1 + 1e-9)
    assert rule_of(quantised(rewarded(), third_factor_limit=10.0).program).third_factor_scale == 8.0


def test_time_constants_of_traces_are_whole_steps() -> None:
    made = quantised(stdp(tau_plus=20.4e-3, tau_minus=1e-4))
    assert rule_of(made.program).traces["x1"].decay == math.exp(-1 / 20)
    assert rule_of(made.program).traces["y1"].decay == 0.0
    found = {row.quantity: row for row in made.report}
    assert (found["tau of x1"].asked, found["tau of x1"].held) == pytest.approx((20.4e-3, 20e-3))
    assert found["tau of y1"].relative_error < 1e-4  # of what spikes add up to: it decayed to that in a step before
    (coarse,) = [row for row in quantised(stdp(tau_plus=1.5e-3)).report if row.quantity == "tau of x1"]
    assert (coarse.status, coarse.mantissa) == ("warning", 2)


def test_a_coarse_coefficient_is_a_warning() -> None:
    made = quantised(rewarded(tau_e=85e-3))  # loses 1.5 / 128 in an epoch: 1 or 2 are held
    (decay,) = [row for row in made.report if row.quantity.endswith("* t * u0")]
    assert decay.status == "warning"
    assert decay.relative_error > 1 / 8


def test_the_quantised_rule_is_the_same_every_time() -> None:
    assert quantised(rewarded()).program.fingerprint == quantised(rewarded()).program.fingerprint


# -------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (stdp(A_plus=1e-6), "dw: coefficient 1e-06 of 1e-06 * x1 * y0 becomes zero: at least 0.00025 would fit at this scale, or a smaller w_max"),
        (stdp(A_plus=1e-300), "dw: coefficient 1e-300 of 1e-300 * x1 * y0 becomes zero: at least"),
        (stdp(A_plus=1e300), "saturates: at most 2.2e+02 would fit at this scale, or a larger w_max"),
        (stdp(A_plus=1e6), "dw: coefficient 1000000.0 of 1000000.0 * x1 * y0 saturates: at most"),
        (stdp(tau_plus=math.inf), "x1: traces decay on loihi1, got tau = inf: a long one would fit, such as tau = 1 s"),
        (rewarded(tau_e=1.0), "tau_tag (tau_e of named rules) = 1 s is 1000 epochs of 0.001 s, and a tag loses at least 0.0078125 of itself in one: at most 127 epochs (tau_tag = 0.127 s) would fit, or a longer epoch: epoch=0.008"),
        (dataclasses.replace(rewarded(), epoch=64e-3), "epoch must be at most 63 steps (0.063 s), got 64"),
        (custom("0.1 * x1 * y0", x1=nm.Trace(20e-3, impulse=-1.0)), "x1: an impulse must be > 0 on loihi1, got -1.0: change the sign"),
        (custom("0.1 * r * r * x0", modulators={"m": 1.0}), "dw: a product has r once and bare on loihi1, got 0.1 * r * r * x0"),
        (custom("0.1 * (r - 0.5) * r * x0", modulators={"m": 1.0}), "dw: a product has r once and bare"),
        (custom("0.1 * sgn(x1) * y0", x1=nm.Trace(20e-3)), "dw: sgn() takes w or t on loihi1, got 0.1 * sgn(x1) * y0"),
        (custom("0.1 * x1 * x1 * w * w * y0", x1=nm.Trace(20e-3)), "factors of 32 bits in all overflow the chip's 32"),
        (custom("0.1 * (w - 0.001) * x0"), "the constant of (w - 0.001) in 0.1 * (w - 0.001) * x0 becomes zero: at least 0.00392 would fit"),
        (custom("0.01 * (w - 100.0) * x0"), "the constant of (w - 100.0) in 0.01 * (w - 100.0) * x0 is too large: at most 2 would fit"),
        (stdp(A_plus=0.0, A_minus=0.0), "dw is 0: leave the rule out, it changes no weight"),
    ],
)  # fmt: skip
def test_what_the_engine_cannot_do_is_refused_with_what_would_fit(rule: nm.LearningRule, expected: str) -> None:
    fault = fault_of(rule)
    assert fault.startswith(f"projection 'p': rule {rule.name!r}: ")
    assert expected in fault


def test_the_value_that_is_said_to_fit_fits() -> None:
    quantised(stdp(A_plus=0.00025))
    quantised(rewarded(tau_e=1.0, epoch=8e-3))
    for tau in (0.127, 0.128, 0.14):  # 1/128 is nearest to all
        (decay,) = [row for row in quantised(rewarded(tau_e=tau)).report if row.quantity.endswith("* t * u0")]
        assert (decay.mantissa, decay.exponent, decay.status) == (-1, -7, "rounded")


def test_faults_of_rules_and_neurons_come_together() -> None:
    rule = rewarded(tau_e=1.0, tau_plus=math.inf)
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 2, nm.LIF(refractory=70e-3))],
        projections=[nm.Projection("in", "out", nm.AllToAll(0.1), plasticity=rule, delay=70e-3)],
        modulators=[nm.Modulator("dopamine")],
    )
    with pytest.raises(CompileError) as caught:
        nm.compile(net, chip="loihi1")
    assert len(caught.value.faults) == 3  # the tag is not looked at where a trace has no decay


def test_a_nearest_trace_is_held_by_an_impulse_that_saturates_it() -> None:
    """After every spike it is 127 whatever it was, rounding noise of the decay included: each spike is the only one."""
    traces = {"x1": nm.Trace(10e-3, 1.0, "nearest"), "y1": nm.Trace(20e-3, 0.5, "nearest")}
    made = quantised(custom("0.02*x1*y0 - 0.015*y1*x0", **traces))
    rule = rule_of(made.program)
    assert [(trace.impulse, trace.nearest) for trace in rule.traces.values()] == [(127.0, False)] * 2
    assert rule.trace_scales == {"x1": 127.0, "y1": 254.0}
    notes = [row.note for row in made.report if row.quantity.startswith("impulse")]
    assert notes == ["nearest: at 127 the trace saturates, so that a spike sets it, exactly"] * 2
    synapses = plastic_synapses(made.program, made.program.projection("p"), seed=3)
    rng = np.random.default_rng(2)
    below = 0
    for step in range(1, 301):
        pre, post = (np.flatnonzero(rng.random(size) < 0.2) for size in (PRE, POST))
        synapses.learn(step, pre, post, None)
        assert np.all(synapses.traces["x1"][pre] == 127) and np.all(synapses.traces["y1"][post] == 127)
        below += int(np.count_nonzero((synapses.traces["x1"] > 0) & (synapses.traces["x1"] < 127)))
    assert below > 1000  # and between spikes it decays


def test_what_follows_the_membrane_is_refused_in_integers() -> None:
    assert "y1 follows the membrane (source='v'), and traces of loihi1 see spikes only" in fault_of(
        custom("0.1*y1*x0", y1=nm.Trace(10e-3, source="v"))
    )
    assert "dw: loihi1 has no pos(), got 0.1 * pos(y1 - 0.5) * x0" in fault_of(
        custom("0.1*pos(y1 - 0.5)*x0", y1=nm.Trace(10e-3))
    )


def test_a_third_factor_with_a_constant_is_multiplied_out() -> None:
    """(r + c) times a product is two products of the engine, which has r bare alone; each is rounded by itself."""
    rows = {}
    for dw in ("0.02*(r + 0.5)*x1*y0 - 0.03*(0.25 - r)*x0", "0.02*r*x1*y0 + 0.01*x1*y0 + 0.03*r*x0 - 0.0075*x0"):
        made = quantised(custom(dw, x1=nm.Trace(10e-3), modulators={"m": 1.0}))
        rows[dw] = [(row.quantity, row.asked, row.held) for row in made.report]
    one, two = rows.values()
    assert one == two
