"""Every convention that a program can state does what it says, on networks small enough to reckon by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.conventions import ARITHMETIC_CONVENTIONS, CONVENTIONS
from neuromorph.parts import PopulationProgram, ProjectionProgram
from neuromorph.program import Program

WATCHED = [nm.Probe("out"), nm.Probe("out", "u"), nm.Probe("out", "v")]


def recorded(program: Program, steps: int, at: list[int], variable: str = "", **switched: str) -> list[float]:
    """What the last population does with input spikes in these steps, or the steps in which it spikes; from 1."""
    changed = dataclasses.replace(program, **switched)  # type: ignore[arg-type]
    rows = np.zeros((steps, changed.inputs[0].size), dtype=bool) if changed.inputs else None
    if rows is not None:
        rows[[step - 1 for step in at]] = True
    watched = changed if variable else changed.with_all_spikes()
    recording = nm.run(watched, steps, inputs={} if rows is None else {"in": rows})
    last = changed.populations[-1].name
    if not variable:
        return (recording.spikes[last].steps + 1).tolist()
    return recording.states[last, variable][:, 0].tolist()


def one_synapse(weight: float = 1.0, delay: int = 1, rule: nm.LearningRule | None = None, **neuron: Any) -> Program:
    parameters = {"tau_mem": np.inf, "tau_syn": 0.0, "v_threshold": 99.0, **neuron}
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(**parameters))],
        projections=[nm.Projection("in", "out", [[weight]], delay=delay * 1e-3, plasticity=rule)],
        probes=WATCHED,
    )
    return nm.compile(net)


def integers(weight: float = 0.0, *, keep: int = 4096, keep_u: int = 4095, bias: int = 0, exponent: int = 0) -> Program:
    """One neuron of a chip that never spikes."""
    population = PopulationProgram(
        name="out", size=1, decay_u=[keep_u / 4096], decay_v=[keep / 4096], threshold=[131071 * 64], bias=[bias],
        refractory=[0],
    )  # fmt: skip
    projection = ProjectionProgram(
        name="in->out", pre="in", post="out", pre_size=1, post_size=1, post_index=[0], pre_index=[0], weight=[weight],
        delay=[1], sign_mode="mixed", weight_exponent=exponent,
    )  # fmt: skip
    program = one_synapse()
    return dataclasses.replace(
        program, populations=[population], projections=[projection], arithmetic="fixed", chip="loihi1",
        rounding="toward zero", u_overflow="wrap", v_overflow="saturate",
    )  # fmt: skip


def one_step_later() -> None:
    assert recorded(one_synapse(delay=3), 6, [1], "u") == [0, 0, 0, 1, 0, 0]
    assert recorded(one_synapse(delay=3), 6, [1], "u", delay_convention="one step later") == [0, 0, 0, 0, 1, 0]


def one_step_sooner() -> None:
    assert recorded(one_synapse(delay=3), 6, [1], "u", delay_convention="one step sooner") == [0, 0, 1, 0, 0, 0]
    # a delay of one step is none where the presynaptic neuron comes first, and cannot be where it does not
    assert recorded(one_synapse(), 4, [2], "u", delay_convention="one step sooner") == [0, 1, 0, 0]
    both = dataclasses.replace(
        one_synapse(),
        populations=[*one_synapse().populations, dataclasses.replace(one_synapse().populations[0], name="b")],
    ).with_parameters("out", threshold=0.5)
    first = both.projections[0]
    chain = dataclasses.replace(
        both,
        projections=[
            first,
            dataclasses.replace(first, name="forth", pre="out", post="b"),
            dataclasses.replace(first, name="back", pre="b", post="out"),
        ],
    ).with_parameters("b", threshold=0.5)
    assert recorded(chain, 7, [2]) == [4, 6]  # two steps there, then round and round in two
    assert recorded(chain, 7, [2], delay_convention="one step sooner") == [2, 3, 4, 5, 6, 7]  # none there, one back
    # synapses of one projection, some of which act at once
    mixed = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 1, nm.IF(v_threshold=99.0))],
        projections=[nm.Projection("in", "out", [[1.0, 10.0]], delay=np.array([[1e-3, 3e-3]]))],
        probes=WATCHED,
    )
    assert recorded(nm.compile(mixed), 5, [1], "u", delay_convention="one step sooner") == [1, 0, 10, 0, 0]


def reaching_the_threshold() -> None:
    tie = one_synapse(v_threshold=1.0)
    assert recorded(tie, 3, [1]) == []
    assert recorded(tie, 3, [1], threshold_comparison=">=") == [2]


def overshoot_is_kept() -> None:
    program = one_synapse(1.5, v_threshold=1.0)
    assert recorded(program, 4, [1], "v") == [0, 0, 0, 0]
    assert recorded(program, 4, [1], "v", reset="subtract") == [0, 0.5, 0.5, 0.5]
    # the refractory period holds what the reset left, and is silent even where that is above the threshold
    resting = one_synapse(2.5, v_threshold=1.0, refractory=2e-3)
    assert recorded(resting, 7, [1, 2], "v", reset="subtract") == [0, 1.5, 1.5, 1.5, 0.5, 0.5, 0.5]
    assert recorded(resting, 7, [1, 2], reset="subtract") == [2, 5]


def no_reset_at_all() -> None:
    program = one_synapse(1.5, v_threshold=1.0)
    assert recorded(program, 4, [1], "v", reset="none") == [0, 1.5, 1.5, 1.5]
    assert recorded(program, 4, [1], reset="none") == [2, 3, 4]
    assert recorded(one_synapse(1.5, v_threshold=1.0, refractory=1e-3), 6, [1], reset="none") == [2, 4, 6]


def learning_from_spikes_that_arrive() -> None:
    program = one_synapse(delay=3, rule=nm.LearningRule(dw="1.0 * x0"))
    for timing, steps in (("sent", 2), ("arrived", 5)):
        with nm.open(dataclasses.replace(program, plasticity_timing=timing)) as session:
            session.run(steps - 1, inputs={"in": np.arange(1, steps)[:, np.newaxis] == 2})
            fed = {"in": np.array([[steps == 2]])}
            before = session.read("in->out.weight").item()
            session.run(1, inputs=fed)
            assert (before, session.read("in->out.weight").item()) == (1.0, 2.0)


def own_step_unseen() -> None:
    rule = nm.LearningRule(dw="1.0 * x1 * y0", x1=nm.Trace(10e-3))
    float_program = one_synapse(rule=rule, v_threshold=0.5)
    fixed_rule = dataclasses.replace(
        float_program.projections[0].rule, w_min=-256.0, w_max=255.0,  # type: ignore[type-var]
        traces={"x1": dataclasses.replace(float_program.projections[0].rule.traces["x1"], impulse=16.0)},  # type: ignore[union-attr]
    )  # fmt: skip
    fixed = integers(10.0)
    fixed = dataclasses.replace(fixed, projections=[dataclasses.replace(fixed.projections[0], rule=fixed_rule)])
    fixed = fixed.with_parameters("out", threshold=64.0)
    for program, before, impulse in ((float_program, 1.0, 1.0), (fixed, 10.0, 16.0)):
        learned = {}
        for coincidence in ("seen", "unseen"):
            with nm.open(dataclasses.replace(program, coincidence=coincidence)) as session:
                # step 2 both spike: the postsynaptic one sees the trace of step 1, and that of its own step or not
                session.run(2, inputs={"in": np.array([[True], [True]])})
                learned[coincidence] = session.read("in->out.weight").item() - before
        assert learned["seen"] - learned["unseen"] == pytest.approx(impulse)
        assert 0 < learned["unseen"] < impulse


def spikes_that_carry_what_was_just_learned() -> None:
    program = one_synapse(rule=nm.LearningRule(dw="1.0 * x0"))
    assert recorded(program, 4, [1, 2], "u") == [0, 1, 2, 0]
    assert recorded(program, 4, [1, 2], "u", weight_timing="after learning") == [0, 2, 3, 0]


def float32_states() -> None:
    program = one_synapse(0.1, tau_syn=5e-3, tau_mem=20e-3)
    for variable in ("u", "v"):
        plain, single = (recorded(program, 9, [1], variable, rounding=value) for value in ("none", "single"))
        assert single == [float(np.float32(value)) for value in single] and single != plain
        np.testing.assert_allclose(single, plain, rtol=1e-6)


def summing_from_the_end() -> None:
    weights = [1.0, 1e16, -1e16]  # 1 is lost beside 1e16
    pre = [nm.Input("in", 3)]
    for post in (1, 2):  # several neurons add up as a matrix
        net = nm.Network(
            populations=[*pre, nm.Population("out", post, nm.IF(v_threshold=99.0))],
            projections=[nm.Projection("in", "out", [weights] * post)],
            probes=WATCHED,
        )
        assert recorded(nm.compile(net), 2, [1], "u") == [0, 0]
        assert recorded(nm.compile(net), 2, [1], "u", summation="last to first") == [0, 1]
    several = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.IF(v_threshold=99.0))],
        projections=[nm.Projection("in", "out", [[w]], name=f"s{k}") for k, w in enumerate(weights)],
        probes=WATCHED,
    )
    assert recorded(nm.compile(several), 2, [1], "u") == [0, 0]
    assert recorded(nm.compile(several), 2, [1], "u", summation="last to first") == [0, 1]


def rounded_down() -> None:
    # v = -5 halves every step: -2.5, ...; the bias of -1 is added after rounding
    program = integers(keep=2048, bias=-1)
    assert recorded(program, 4, [], "v") == [-1, -1, -1, -1]  # -0.5 to 0
    assert recorded(program, 4, [], "v", rounding="down") == [-1, -2, -2, -2]  # -0.5 to -1, -1 to -1


def rounded_to_nearest() -> None:
    program = integers(keep=1024, bias=3)  # a quarter: 0.75, 0.75, ...
    assert recorded(program, 3, [], "v") == [3, 3, 3]
    assert recorded(program, 3, [], "v", rounding="nearest") == [3, 4, 4]


UP, LIMIT = 254 * 128 * 64, 2**23  # a large step of u: four of them are below the limit, five above it


def current(overflow: str) -> list[float]:
    found = recorded(integers(254, exponent=7, keep_u=4095, keep=0), 7, [1, 2, 3, 4, 5], "u", u_overflow=overflow)
    return found[4:6]


def current_wraps_or_not(value: str) -> Callable[[], None]:
    def check() -> None:
        four, five = current(value)
        exact = four * 4095 // 4096 + UP
        assert 3.9 * UP < four < LIMIT < exact
        expected = {"wrap": exact - 2 * LIMIT, "saturate": LIMIT - 1, "none": exact}[value]
        assert five == expected
        assert current("wrap") != current("saturate") != current("none")

    return check


def membrane_overflows(value: str) -> Callable[[], None]:
    def check() -> None:
        # below the resting value there is no threshold: inhibition that does not decay sums up
        found = recorded(integers(-254, exponent=7), 6, [1, 2], "v", v_overflow=value)
        exact = recorded(integers(-254, exponent=7), 6, [1, 2], "v", v_overflow="none")
        assert min(exact) < -LIMIT < exact[2]
        first = next(index for index, v in enumerate(exact) if v <= -LIMIT)
        expected = {"wrap": exact[first] + 2 * LIMIT, "saturate": 1 - LIMIT, "none": exact[first]}[value]
        assert found[first] == expected

    return check


CHECKS: dict[tuple[str, str, str], Callable[[], None]] = {
    ("float", "delay_convention", "one step later"): one_step_later,
    ("float", "delay_convention", "one step sooner"): one_step_sooner,
    ("float", "threshold_comparison", ">="): reaching_the_threshold,
    ("float", "reset", "subtract"): overshoot_is_kept,
    ("float", "reset", "none"): no_reset_at_all,
    ("float", "plasticity_timing", "arrived"): learning_from_spikes_that_arrive,
    ("float", "coincidence", "unseen"): own_step_unseen,
    ("float", "weight_timing", "after learning"): spikes_that_carry_what_was_just_learned,
    ("float", "rounding", "single"): float32_states,
    ("float", "summation", "last to first"): summing_from_the_end,
    ("fixed", "rounding", "down"): rounded_down,
    ("fixed", "rounding", "nearest"): rounded_to_nearest,
    ("fixed", "u_overflow", "saturate"): current_wraps_or_not("saturate"),
    ("fixed", "u_overflow", "none"): current_wraps_or_not("none"),
    ("fixed", "v_overflow", "wrap"): membrane_overflows("wrap"),
    ("fixed", "v_overflow", "none"): membrane_overflows("none"),
}


@pytest.mark.parametrize("key", CHECKS, ids=" ".join)
def test_a_convention_of_another_tool_does_what_it_says(key: tuple[str, str, str]) -> None:
    CHECKS[key]()


@pytest.mark.parametrize("overflow", [current_wraps_or_not("wrap"), membrane_overflows("saturate")])
def test_our_own_overflow_does_what_it_says(overflow: Callable[[], None]) -> None:
    overflow()


def test_every_convention_that_a_program_may_state_is_checked_here() -> None:
    stated = {
        ("float", name, value)
        for name, values in CONVENTIONS.items()
        if name not in ("integration", "arithmetic")
        for value in values[1:]
    }
    for arithmetic, conventions in ARITHMETIC_CONVENTIONS.items():
        stated |= {(arithmetic, name, value) for name, values in conventions.items() for value in values[1:]}
    assert set(CHECKS) == stated


def test_a_reset_session_forgets_what_refractory_neurons_held() -> None:
    program = dataclasses.replace(one_synapse(2.5, v_threshold=1.0, refractory=3e-3), reset="subtract")
    with nm.open(program) as session:
        session.run(2, inputs={"in": np.array([[True], [False]])})
        assert session.read("out.v").item() == 1.5
        session.reset()
        assert session.run(3).states["out", "v"].tolist() == [[0.0]] * 3
