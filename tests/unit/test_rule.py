import dataclasses
import math

import pytest

from neuromorph.errors import RuleError
from neuromorph.plasticity import LearningRule, Trace

X1, Y1 = Trace(10e-3), Trace(20e-3)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dw": "x1*y0"}, "x1 is used but not described: give x1=Trace"),
        ({"dw": "x0", "x1": X1}, "x1 is described but not used by dw or dt: leave it out"),
        ({}, "it has no dw"),
        ({"dw": "t*u0"}, "the tag t is used but nothing changes it: give dt"),
        ({"dw": "x0", "dt": "y0"}, "dt is given but dw does not use the tag t"),
        ({"dw": "x0", "tau_tag": 1.0}, "tau_tag needs dt, got 1.0"),
        ({"dw": "t*u0", "dt": "x0", "tau_tag": -1.0}, "tau_tag must be > 0 s, got -1.0"),
        ({"dw": "r*x0"}, "no modulator is named: give modulators="),
        ({"dw": "x0", "modulators": {"a": 1.0}}, "modulators are named but neither dw nor dt uses r"),
        ({"dw": "r*x0", "modulators": {"a": math.nan}}, "modulators must map names to finite weights"),
        ({"dw": "d*x0"}, "the delay d is used but nothing changes it: give dd and d_max"),
        ({"dw": "x0", "dd": "x0"}, "dd and d_max go together"),
        ({"dw": "x0", "d_max": 5e-3}, "dd and d_max go together"),
        ({"dw": "x0", "dd": "x0", "d_max": 0.0}, "d_max must be > 0 s, got 0.0"),
        ({"dd": "t*x0", "d_max": 5e-3}, "the tag t is used but nothing changes it"),
        ({"dw": "x0", "w_min": 1.0, "w_max": 0.0}, "w_min must not exceed w_max, got 1.0 and 0.0"),
        ({"dw": "x0", "w_min": math.nan}, "w_min must be a number"),
        ({"dw": "x0", "w_max": None}, "w_max must be a number"),
        ({"dw": "x0*(w_max - w)"}, "w_max is inf here: give it a finite value (at character 5)"),
        ({"dw": "x0", "tau_tag": "x"}, "tau_tag must be > 0 s, got 'x'"),
        ({"dw": "x1*y0", "x1": 20e-3}, "x1 must be a Trace(tau=..., impulse=...), got 0.02"),
        ({"dw": "r*x0", "modulators": ["a"]}, "modulators must map names to finite weights"),
        ({"dw": "x0", "epoch": 0.0}, "epoch must be > 0 s, got 0.0"),
        ({"dw": "x0", "epoch": math.inf}, "epoch must be > 0 s, got inf"),
        ({"dw": "x1*u0", "x1": Trace(0.0, source="v")}, "source='v' is for y1, y2 and y3"),
        ({"dw": "z*x0"}, "dw: in 'z*x0': there is no variable 'z'"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_name(fields: dict[str, object], says: str) -> None:
    with pytest.raises(RuleError) as caught:
        LearningRule(name="mine", **fields)  # type: ignore[arg-type]
    assert says in str(caught.value) and "rule 'mine'" in str(caught.value)


def test_faults_of_both_targets_are_raised_together() -> None:
    with pytest.raises(RuleError) as caught:
        LearningRule(dw="x1*y1", dt="x0*q")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tau": 0.0}, "Trace.tau must be > 0 s, got 0.0"),
        ({"tau": -1.0}, "Trace.tau must be > 0 s, got -1.0"),
        ({"tau": math.nan}, "Trace.tau must be > 0 s, got nan"),
        ({"tau": "20 ms"}, "Trace.tau must be > 0 s, got '20 ms'"),
        ({"tau": 1.0, "impulse": math.inf}, "Trace.impulse must be finite, got inf"),
        ({"tau": 1.0, "pairing": "last"}, "Trace.pairing must be 'all-to-all' or 'nearest', got 'last'"),
        ({"tau": 1.0, "source": "u"}, "Trace.source must be 'spikes' or 'v', got 'u'"),
        ({"tau": 1.0, "source": "v", "pairing": "nearest"}, "Trace.pairing is for spikes: leave it out"),
        ({"tau": -1.0, "source": "v"}, "Trace.tau must be >= 0 s, got -1.0"),
    ],
)
def test_a_wrong_trace_is_refused_by_name(fields: dict[str, object], says: str) -> None:
    with pytest.raises(RuleError) as caught:
        Trace(**fields)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_traces_without_decay_are_allowed() -> None:
    assert LearningRule(dw="x1*y0", x1=Trace(math.inf)).x1 == Trace(math.inf)


def test_rules_with_equal_content_are_equal_and_frozen() -> None:
    rules = [LearningRule(dw="x1*y0", x1=X1, modulators={}) for _ in range(2)]
    assert rules[0] == rules[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        rules[0].dw = "x0"  # type: ignore[misc]
    modulated = LearningRule(dw="r*x0", modulators={"a": 1})
    with pytest.raises(TypeError):
        modulated.modulators["b"] = 1.0  # type: ignore[index]


def test_variables_and_traces_are_those_of_both_targets() -> None:
    rule = LearningRule(dw="t*u0", dt="x1*y0 - y1*x0", x1=X1, y1=Y1)
    assert rule.variables == {"t", "x1", "y1"}
    assert list(rule.traces) == ["x1", "y1"]


def test_a_rule_names_its_bounds_as_numbers() -> None:
    named = LearningRule(dw="(w_max - w)*x0 - (w - w_min)*y0 + t*u0", dt="w_max*x0", w_min=-0.5, w_max=2.0)
    plain = LearningRule(dw="(2 - w)*x0 - (w + 0.5)*y0 + t*u0", dt="2*x0", w_min=-0.5, w_max=2.0)
    assert named == plain
    # What was written with one bound goes on saying it, as a soft bound that moved unseen would be another rule.
    assert dataclasses.replace(named, w_max=3.0).dw_sum == plain.dw_sum
