import math

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.errors import CompileError
from neuromorph.plasticity.language import parse
from neuromorph.program import ProjectionProgram


def compiled(
    neuron: nm.LIF | None = None, *, dt: float = 1e-3, seed: int = 0, weights: object = None, **fields: object
) -> nm.Program:
    projection = nm.Projection("in", "out", nm.AllToAll(0.5) if weights is None else weights, **fields)  # type: ignore[arg-type]
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 3, neuron or nm.LIF())], projections=[projection]
    )
    return nm.compile(net, dt=dt, seed=seed)


def synapses(program: nm.Program) -> ProjectionProgram:
    return program.projections[0]


def refused(make: object) -> tuple[str, ...]:
    with pytest.raises(CompileError) as caught:
        make()  # type: ignore[operator]
    return caught.value.faults


def test_decays_are_exponentials_of_the_step() -> None:
    population = compiled(nm.LIF(tau_mem=[10e-3, 20e-3, math.inf], tau_syn=0.0)).populations[0]
    np.testing.assert_allclose(population.decay_v, [math.exp(-0.1), math.exp(-0.05), 1.0], rtol=1e-15)
    assert population.decay_u.tolist() == [0.0, 0.0, 0.0]


def test_one_minus_a_decay_loses_nothing() -> None:
    rng = np.random.default_rng(0)
    for tau in rng.uniform(1e-4, 1.0, 50):
        decay = compiled(nm.LIF(tau_mem=float(tau))).populations[0].decay_v[0]
        assert 1.0 - (1.0 - decay) == decay


def test_euler_steps_are_one_minus_dt_over_tau() -> None:
    net = nm.Network(populations=[nm.Population("a", 1, nm.LIF(tau_mem=20e-3, tau_syn=0.0))])
    population = nm.compile(net, integration="euler").populations[0]
    assert population.decay_v[0] == pytest.approx(0.95, rel=1e-15)
    assert population.decay_u[0] == 0.0
    (fault,) = refused(lambda: nm.compile(net, integration="euler", dt=30e-3))
    assert "tau_mem = 0.02 s is shorter than dt = 0.03 s" in fault


@pytest.mark.parametrize(("seconds", "steps"), [(None, 1), (1e-3, 1), (3e-3, 3), (0.1 + 0.2, 300), (7e-3, 7)])
def test_delays_are_whole_steps(seconds: float | None, steps: int) -> None:
    assert set(synapses(compiled(delay=seconds)).delay.tolist()) == {steps}


def test_delays_of_synapses_that_do_not_exist_do_not_count() -> None:
    delay = np.full((3, 2), 0.00123)
    delay[np.arange(2), np.arange(2)] = [2e-3, 5e-3]
    sparse = nm.Sparse([1.0, 1.0], [0, 1], [0, 1, 2, 2], (3, 2))
    assert synapses(compiled(weights=sparse, delay=delay)).delay.tolist() == [2, 5]


def test_a_delay_that_is_no_whole_number_of_steps_is_named_with_its_neighbours() -> None:
    assert refused(lambda: compiled(delay=1.5e-3)) == (
        "projection 'in->out': delay must be a whole number of steps of dt = 0.001 s, got 0.0015 s = 1.5 steps;"
        " nearest: 0.001 or 0.002 s",
    )


def test_a_delay_below_one_step_is_one_fault_that_offers_one_step() -> None:
    (fault,) = refused(lambda: compiled(delay=0.4e-3))
    assert "at least one" in fault and "0 or" not in fault and "nearest: 0.001 s" in fault
    delay = np.full((3, 2), 1e-3)
    delay[1, 1] = 0.4e-3
    assert len(refused(lambda: compiled(delay=delay))) == 1


def test_everything_that_does_not_fit_the_step_is_named_at_once() -> None:
    rule = nm.LearningRule(dw="x0", epoch=2.5e-3)
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(refractory=0.3e-3))],
        projections=[nm.Projection("in", "out", [[1.0]], delay=1.1e-3, plasticity=rule)],
        probes=[nm.Probe("out", "v", every=0.7e-3)],
    )
    found = refused(lambda: nm.compile(net))
    assert len(found) == 4
    for part, fault in zip(("refractory", "delay", "epoch of rule 'custom'", "every"), found, strict=True):
        assert part in fault


def test_an_epoch_far_below_one_step_is_refused() -> None:
    (fault,) = refused(lambda: compiled(plasticity=nm.LearningRule(dw="x0", epoch=1e-12)))
    assert "epoch" in fault


def test_initial_weights_respect_the_bounds_of_the_rule() -> None:
    (fault,) = refused(lambda: compiled(plasticity=nm.STDP(w_min=0.6, w_max=1.0)))
    assert (
        "6 initial weights lie outside the rule's bounds 0.6..1.0, the first is 0.5: widen the bounds or clip them"
        in fault
    )


def test_the_tag_decays_by_its_time_constant_on_every_epoch() -> None:
    rule = nm.LearningRule(dw="t*u0", dt="x0", tau_tag=50e-3, epoch=4e-3)
    compiled_rule = synapses(compiled(plasticity=rule)).rule
    assert compiled_rule is not None and compiled_rule.dt is not None
    lost = compiled_rule.dt.products[-1]
    assert (lost.dependency, str(lost.factors[0])) == ("u0", "t")
    assert -lost.coefficient == pytest.approx(1 - math.exp(-4 / 50), rel=1e-14)
    assert compiled_rule.epoch == 4
    assert parse(str(compiled_rule.dt)) == compiled_rule.dt


def test_connectors_draw_from_the_program_s_seed_and_from_their_own_where_they_have_one() -> None:
    free, own = nm.AllToAll(nm.Uniform(0, 1)), nm.AllToAll(nm.Uniform(0, 1), seed=5)
    weights = {
        (name, seed): synapses(compiled(weights=connector, seed=seed)).weight.tolist()
        for name, connector in (("free", free), ("own", own))
        for seed in (0, 1)
    }
    assert weights["free", 0] == synapses(compiled(weights=free)).weight.tolist()
    assert weights["free", 0] != weights["free", 1]
    assert weights["own", 0] == weights["own", 1]


def test_projections_draw_independently_of_each_other() -> None:
    connector = nm.AllToAll(nm.Uniform(0, 1))
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", connector, name="a"), nm.Projection("in", "out", connector, name="b")],
    )
    program = nm.compile(net)
    assert program.projections[0].weight.tolist() != program.projections[1].weight.tolist()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dt": 0.0}, "dt must be > 0 s and finite, got 0.0"),
        ({"dt": math.nan}, "dt must be > 0 s"),
        ({"dt": "1 ms"}, "dt must be > 0 s"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number >= 0, got 1.5"),
        ({"integration": "rk4"}, "integration must be 'exponential' or 'euler', got 'rk4'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(fields: dict[str, object], says: str) -> None:
    net = nm.Network(populations=[nm.Population("a", 1, nm.LIF())])
    assert says in refused(lambda: nm.compile(net, **fields))[0]  # type: ignore[arg-type]


def test_seeds_and_steps_of_numpy_are_as_good_as_python_s() -> None:
    net = nm.Network(populations=[nm.Population("a", 1, nm.LIF())])
    plain = nm.compile(net, seed=3, dt=1e-3)
    assert nm.compile(net, seed=np.int64(3), dt=np.float64(1e-3)).fingerprint == plain.fingerprint


def test_compiling_changes_nothing_in_the_network() -> None:
    weights = np.ones((3, 2))
    program = compiled(weights=weights)
    assert nm.compile is not None and program.fingerprint == compiled(weights=weights).fingerprint
    weights[:] = 2.0
    assert set(synapses(program).weight.tolist()) == {1.0}


@pytest.mark.parametrize("seconds", [1e300, 3e6])
def test_times_that_no_simulator_can_count_are_refused(seconds: float) -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(refractory=seconds))],
        projections=[nm.Projection("in", "out", [[1.0]], delay=seconds)],
        probes=[nm.Probe("out", "v", every=seconds)],
    )
    with pytest.raises(CompileError) as caught:
        nm.compile(net, dt=1e-3)
    assert len(caught.value.faults) == 3
    assert all("must be at most 2147483647 steps" in fault for fault in caught.value.faults)


def test_half_a_step_is_no_whole_step_however_long_the_time() -> None:
    net = nm.Network(populations=[nm.Population("out", 1, nm.LIF(refractory=1000.0005))])
    with pytest.raises(CompileError, match="whole number of steps"):
        nm.compile(net, dt=1e-3)
