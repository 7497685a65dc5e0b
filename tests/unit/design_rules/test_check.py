"""One report says everything that is wrong, of networks and programs, the same each time, as data and as one error."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph.chip import Chip, Quantity, chip_names, load_chip
from neuromorph.design_rules import RULES
from neuromorph.errors import ChipError, CompileError, InputError
from neuromorph.placement import place

LOIHI1 = load_chip("loihi1")
NEUROMORPHIC = [name for name in chip_names() if load_chip(name).kind == "neuromorphic"]


ONE = Quantity(low=1, high=1, unit="rule", source="a test", status="assumed")


def learner(**parameters: Any) -> nm.Network:
    rng = np.random.default_rng(0)
    return nm.Network(
        populations=[nm.Input("in", 12), nm.Population("a", 20, nm.LIF()), nm.Population("b", 5, nm.LIF())],
        projections=[
            nm.Projection("in", "a", rng.normal(0.2, 0.3, (20, 12))),
            nm.Projection("a", "b", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=0.0, w_max=1.0, **parameters)),
        ],
        name="learner",
    )


def wrong() -> nm.Network:
    """Faults of structure, of time and of what only quantisation can tell, together."""
    return nm.Network(
        populations=[
            nm.Input("in", 4097),
            nm.Population("a", 2, nm.LIF(refractory=63e-3, tau_mem=30.0, threshold_increment=0.1)),
            nm.Population("b", 2, nm.LIF(v_threshold=1e6)),
        ],
        projections=[
            nm.Projection("in", "a", nm.AllToAll(0.5), delay=64e-3),
            nm.Projection("a", "b", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=0.0, w_max=1.0), name="one"),
            nm.Projection("a", "a", nm.AllToAll(0.5), plasticity=nm.STDP(w_min=-0.3, w_max=1.0), name="two"),
        ],
        name="wrong",
    )


def small_chip(**limits: float) -> Chip:
    """Loihi 1 with other limits: ``core_compartments=20`` is ``core.compartments``."""
    changed = {
        name.replace("_", ".", 1): Quantity(low=value, high=value, unit="1", source="a test", status="assumed")
        for name, value in limits.items()
    }
    return dataclasses.replace(LOIHI1, name="small", limits={**LOIHI1.limits, **changed})


def test_all_faults_are_in_one_report_though_it_cannot_be_quantised() -> None:
    report = nm.check(wrong(), "loihi1")
    assert not report.ok and report.roundings is None
    assert {fault.rule for fault in report.faults} == {
        "core.input-axons",
        "neuron.refractory",
        "neuron.decay",
        "neuron.adaptive-threshold",
        "neuron.threshold",
        "synapse.delay",
        "learning.weight-bounds",
    }
    with pytest.raises(CompileError) as caught:
        report.raise_faults()
    assert caught.value.faults == tuple(f"loihi1: {fault}" for fault in report.faults)
    where = {fault.rule: fault.where for fault in report.faults}
    assert where["neuron.threshold"] == "population 'b'" and where["synapse.delay"] == "projection 'in->a'"


def test_delays_that_learn_are_one_fault_and_the_rest_is_looked_at() -> None:
    rule = nm.LearningRule(dw="0.1*x1*y0", dd="0.5*x1*y0", x1=nm.Trace(0.02), d_max=65e-3, w_min=0.0, w_max=1.0)
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("a", 2, nm.LIF())],
        projections=[nm.Projection("in", "a", nm.AllToAll(0.5), plasticity=rule)],
    )
    report = nm.check(net)
    assert [fault.rule for fault in report.faults] == ["synapse.delay", "learning.delay-bits", "learning.factors"]
    assert report.of("neuron.threshold").status == "passed"  # of its integers, without dd


def test_what_fits_says_how_much_of_every_limit_it_uses() -> None:
    report = nm.check(learner())
    assert report.ok and not report.faults and report.raise_faults() is None  # type: ignore[func-returns-value]
    share = {outcome.rule.name: outcome.share for outcome in report.passed}
    assert share["core.compartments"] == 25 / 1024
    assert share["core.input-axons"] == (12 + 20) / 4096
    assert share["learning.epoch"] == 1 / 63
    shares = [outcome.share or 0.0 for outcome in report.passed]
    assert shares == sorted(shares, reverse=True)
    (limit,) = [quantity for name, quantity in report.of("core.input-axons").limits if name == "core.input_axons"]
    assert limit == LOIHI1.limit("core.input_axons") and "Davies" in limit.source and limit.status == "published"
    with pytest.raises(KeyError, match=r"there is no design rule 'core\.axons'"):
        report.of("core.axons")


def test_a_network_its_program_and_its_integers_have_one_account_of_cores() -> None:
    program = nm.compile(learner())
    fixed = nm.compile(learner(), chip="loihi1")
    reports = [nm.check(item) for item in (learner(), program, fixed)]
    assert reports[0].to_json() == reports[1].to_json()
    for name in ("core.compartments", "core.input-axons", "core.synapse-memory", "synapse.delay", "neuron.threshold"):
        assert reports[1].of(name).fullest == reports[2].of(name).fullest
    assert reports[2].roundings is not None and not reports[2].roundings.rows


@pytest.mark.parametrize("make", [learner, wrong])
def test_the_same_program_has_the_same_report_as_data(make: Any) -> None:
    first, again = nm.check(make()), nm.check(make())
    assert first.to_json() == again.to_json() and str(first) == str(again)
    plain = json.loads(json.dumps(first.to_json(), allow_nan=False))
    assert plain["ok"] == first.ok and plain["errors"] == [str(fault) for fault in first.faults]
    assert [row["rule"] for row in plain["rules"]] == [rule.name for rule in RULES]
    assert [row["severity"] for row in plain["findings"]] == [fault.severity for fault in first.findings]


def test_a_random_recurrent_network_is_told_the_way_out() -> None:
    net = nm.Network(
        populations=[nm.Population("n", 4500, nm.LIF())],
        projections=[nm.Projection("n", "n", nm.FixedOutDegree(500, 0.1, seed=0))],
    )
    (fault,) = nm.check(net).faults
    assert fault.rule == "core.output-axons" and fault.limit == "at most 4,096 a core"
    assert "too many" in fault.found and "smaller parts keep it, on" in fault.found
    assert "connect neighbours" in fault.remedy and "(chips=2, as on kapoho_bay)" in fault.remedy
    spread = nm.check(net, "kapoho_bay")
    assert spread.ok and [note.rule for note in spread.notes] == ["core.output-axons"]


def test_all_to_all_among_too_many_is_refused_however_it_is_cut() -> None:
    net = nm.Network(
        populations=[nm.Population("n", 101, nm.LIF())], projections=[nm.Projection("n", "n", nm.AllToAll(0.1))]
    )
    report = nm.check(net, small_chip(core_output_axons=100), chips=768)
    (fault,) = [fault for fault in report.faults if fault.rule == "core.output-axons"]
    assert fault.found.startswith("101 output axons, however it is cut, of 'n' connected all-to-all with itself")


def test_a_program_in_integers_belongs_to_its_chip_and_its_boards() -> None:
    fixed = nm.compile(learner(), chip="loihi1")
    assert nm.check(fixed, "kapoho_bay").ok and nm.check(fixed, "loihi1.sanafe").ok
    (fault,) = nm.check(fixed, "loihi2").faults
    assert (fault.rule, fault.found) == ("program.chip", "integers of loihi1")


@pytest.mark.parametrize("name", NEUROMORPHIC)
def test_every_chip_is_looked_at_and_what_it_does_not_state_binds_nothing(name: str) -> None:
    chip = load_chip(name)
    report = nm.check(learner(), chip)
    for outcome in report.outcomes:
        lacks = any(limit not in chip.limits for limit in outcome.rule.limits)
        assert lacks == bool(outcome.missing)
        if lacks and outcome.status != "not stated":  # what quantisation says of it
            assert outcome.faults
    nothing = dataclasses.replace(chip, limits={})
    bare = nm.check(wrong(), nothing)
    assert {fault.rule for fault in bare.faults} <= {"learning.support"}


def test_options_of_quantisation_are_taken() -> None:
    wide = nm.check(learner(), third_factor_limit=2.0, busy_rate=1000.0)
    assert wide.ok
    coarse = nm.check(learner(), weight_bits=2)
    assert coarse.ok and coarse.of("synapse.weight-bits").fullest is not None
    (fault,) = nm.check(learner(), weight_bits=7).faults
    assert fault.rule == "synapse.weight-bits" and "weight_bits must be one of 1, 2, 3, 4, 5, 6, 8" in fault.found


def test_wrong_arguments_are_refused_together() -> None:
    with pytest.raises(InputError, match=r"(?s)a Network or a Program, got int.*chips must.*spike_bits must"):
        nm.check(3, chips=0, spike_bits=-1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="check has no option 'bits'; known: scale_by, percentile"):
        nm.check(learner(), bits=3)
    with pytest.raises(InputError, match="a program has its own dt"):
        nm.check(nm.compile(learner()), dt=5e-4)
    with pytest.raises(CompileError, match="'cpu' is conventional: it has no neurons"):
        nm.check(learner(), "cpu")
    with pytest.raises(ChipError, match="there is no chip 'abacus'"):
        nm.check(learner(), "abacus")


@pytest.mark.parametrize("name", NEUROMORPHIC)
def test_a_projection_without_synapses_asks_for_nothing(name: str) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("a", 3, nm.LIF(tau_syn=0.0, tau_mem=0.0))],
        projections=[nm.Projection("in", "a", nm.FixedProbability(0.0, 0.5), plasticity=nm.STDP(w_min=0.0, w_max=1.0))],
    )
    one_rule = dataclasses.replace(load_chip(name), limits={**load_chip(name).limits, "learning.rules_per_core": ONE})
    assert nm.check(net, one_rule).ok


def test_neurons_without_synapses_keep_every_rule() -> None:
    report = nm.check(nm.Network(populations=[nm.Population("a", 3, nm.LIF())]))
    assert report.ok and not report.findings


@st.composite
def programs(draw: st.DrawFn) -> nm.Program:
    """Two populations and an input, sparse or full, with delays."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    sizes = {name: draw(st.integers(1, 40)) for name in ("in", "a", "b")}
    ends = draw(st.lists(st.tuples(st.sampled_from(["in", "a", "b"]), st.sampled_from(["a", "b"])), max_size=4))
    projections = []
    for index, (pre, post) in enumerate(ends):
        chance = draw(st.sampled_from([0.1, 0.5, 1.0]))
        weights = np.where(rng.random((sizes[post], sizes[pre])) < chance, 0.5, 0.0)
        delay = draw(st.sampled_from([1e-3, 20e-3]))
        projections.append(nm.Projection(pre, post, weights, name=f"p{index}", delay=delay))
    cells = [nm.Population(name, sizes[name], nm.LIF(v_threshold=rng.integers(1, 4, sizes[name]))) for name in "ab"]
    return nm.compile(nm.Network(populations=[nm.Input("in", sizes["in"]), *cells], projections=projections))


@settings(max_examples=80, deadline=None)
@given(
    programs(),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([15, 40, 1024]),
    st.sampled_from([10, 60, 4096]),
    st.sampled_from([30, 4096]),
    st.sampled_from([4096, 1 << 20]),
)
def test_what_the_check_lets_pass_can_be_placed_and_the_rest_cannot(
    program: nm.Program, cores: int, compartments: int, inputs: int, outputs: int, memory: int
) -> None:
    chip = small_chip(
        chip_cores=cores,
        core_compartments=compartments,
        core_input_axons=inputs,
        core_output_axons=outputs,
        core_synapse_memory=memory,
    )
    program = nm.quantise(program, chip)
    broken = [fault.rule for fault in nm.check(program, chip).faults]
    try:
        place(program, chip, chips=1)
    except CompileError:
        assert broken, "it cannot be placed, and the check found nothing"
    else:
        assert not broken, "it can be placed, and the check refuses it"
