"""Programs that could overflow a chip's accumulator are found without running them."""

from __future__ import annotations

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.chip import load_chip
from neuromorph.design_rules import accumulator_faults
from neuromorph.errors import InputError


def program(inputs: int, weight: float = 0.5, *, rule: nm.LearningRule | None = None, split: int = 1) -> nm.Program:
    """``split`` projections of equal weights; 255 mantissas of exponent 0 where the population has a large threshold."""
    net = nm.Network(
        populations=[nm.Input("in", inputs), nm.Population("out", 2, nm.LIF(v_threshold=250.0, tau_syn=0.0))],
        projections=[
            nm.Projection("in", "out", np.full((2, inputs), weight), plasticity=rule, name=f"p{index}")
            for index in range(split)
        ],
    )
    return nm.compile(net, chip="loihi1")


def largest_input(fixed: nm.Program) -> float:
    sums = [p.matrix(p.weight).sum(axis=1).max() * 2.0 ** (6 + p.weight_exponent) for p in fixed.projections]
    return float(sum(sums))


@pytest.mark.parametrize(("inputs", "split"), [(128, 1), (129, 1), (64, 2), (65, 2)])
def test_the_accumulator_overflows_exactly_where_the_sum_reaches_its_bits(inputs: int, split: int) -> None:
    fixed = program(inputs, split=split)
    overflows = largest_input(fixed) >= 2**21
    assert overflows == (inputs * split > 128)  # 128 x 255 x 64 is 2^21 less 8192
    assert bool(accumulator_faults(fixed)) == overflows


def test_the_fault_says_which_neuron_and_by_how_much() -> None:
    (fault,) = accumulator_faults(program(256))
    assert fault == (
        "population 'out': the input of neuron 0 could reach 1.99 of the 21-bit accumulator of loihi1 in one step,"
        " if every presynaptic neuron spikes: a larger busy_rate of nm.quantise makes room"
    )


def test_learned_weights_count_at_the_end_of_their_range() -> None:
    rule = nm.STDP(w_min=0.0, w_max=0.5)
    assert accumulator_faults(program(200, weight=0.0, rule=rule))
    assert not accumulator_faults(program(100, weight=0.0, rule=rule))


def test_weights_of_both_signs_are_not_set_off_against_each_other() -> None:
    weights = np.tile([0.5, -0.5], 200)[np.newaxis, :]
    net = nm.Network(
        populations=[nm.Input("in", 400), nm.Population("out", 1, nm.LIF(v_threshold=250.0, tau_syn=0.0))],
        projections=[nm.Projection("in", "out", weights)],
    )
    assert accumulator_faults(nm.compile(net, chip="loihi1"))


def test_a_chip_without_a_stated_accumulator_has_none_to_leave() -> None:
    assert accumulator_faults(program(256), "loihi2") == accumulator_faults(program(256), load_chip("loihi2")) == []


def test_a_float_program_has_no_accumulator() -> None:
    net = nm.Network(populations=[nm.Population("out", 1, nm.LIF())], name="float")
    with pytest.raises(InputError, match="program 'float' is in float: compile it with chip="):
        accumulator_faults(nm.compile(net))
