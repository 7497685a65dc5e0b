"""The Nengo and nengo-loihi backends give the reference's integers: spikes, states, weights, tags and traces."""

import math

import numpy as np
import pytest

from neuromorph import registry
from neuromorph.arithmetic import WEIGHT_RANGES, bias_parts
from neuromorph.design_rules import accumulator_faults
from neuromorph.inputs import Input, Modulator
from neuromorph.parts import ProbeProgram, RuleProgram, TraceProgram
from neuromorph.plasticity.language import parse
from neuromorph.program import Program
from neuromorph.testing import integer_neurons, integer_synapses, minimal_cases, random_fixed_case

TOP = 2**23


@pytest.fixture(params=["nengo", "nengo-loihi"])
def backend(request):
    found = registry.availability(request.param)
    if not found.available:
        pytest.skip(found.reason)
    return registry.get(request.param)


def synapses(name, pre, post, mantissas, **options):
    """Synapses of a dense array (post, pre) of mantissas, excitatory where none is negative."""
    mode = "excitatory" if np.min(mantissas) >= 0 else "mixed"
    return integer_synapses(pre, post, mantissas, name=name, sign_mode=mode, **options)


def learning(dw, *, dt=None, mode="mixed", epoch=1, impulse=16.0, **fields):
    """A rule with all traces that it reads."""
    targets = [parse(text) for text in (dw, dt) if text is not None]
    read = {factor.variable for target in targets for product in target.products for factor in product.factors}
    decays = {"x1": 10, "x2": 30, "y1": 15, "y2": 40, "y3": 5}
    low, high = WEIGHT_RANGES[mode]
    return RuleProgram(
        name="rule",
        dw=targets[0],
        dt=targets[1] if dt is not None else None,
        traces={
            name: TraceProgram(impulse=impulse, decay=math.exp(-1 / tau))
            for name, tau in decays.items()
            if name in read
        },
        epoch=epoch,
        w_min=low,
        w_max=high,
        modulators=fields.pop("modulators", {}),
        **fields,
    )


def program(populations, projections, *, inputs=8, modulators=()):
    return Program(
        name="fixed",
        dt=1e-3,
        seed=0,
        inputs=[Input("in", inputs)],
        populations=populations,
        projections=projections,
        modulators=modulators,
        probes=[
            ProbeProgram(target=population.name, variable=variable, every=1)
            for population in populations
            for variable in ("spikes", "u", "v")
        ],
        arithmetic="fixed",
        chip="loihi1",
    )


def watched(described):
    """The same program with probes of everything that a neuron has."""
    return program_with(described, [p.name for p in described.populations])


def program_with(described, names):
    return described.with_probes(
        [ProbeProgram(target=name, variable=variable, every=1) for name in names for variable in ("spikes", "u", "v")]
    )


def fed(described, steps, seed=0, rate=0.2):
    rng = np.random.default_rng(seed)
    inputs = {item.name: rng.random((steps, item.size)) < rate for item in described.inputs}
    return inputs, {item.name: rng.uniform(-1, 1, (steps, item.size)) for item in described.modulators}


def plain(value):
    return value if isinstance(value, np.ndarray) else value.data


def same(mine, theirs, recording, expected):
    """Recordings and every variable, to the bit."""
    for name, train in expected.spikes.items():
        assert recording.spikes[name].equals(train), name
    for key, values in expected.states.items():
        np.testing.assert_array_equal(recording.states[key], values, err_msg=str(key))
    assert mine.variables() == theirs.variables()
    for name in theirs.variables():
        np.testing.assert_array_equal(plain(mine.read(name)), plain(theirs.read(name)), err_msg=name)


def follow(backend, described, steps, *, seed=0, inputs=None, modulators=None):
    """Hold a backend to the reference in uneven chunks, over writes of every variable and a reset.

    Gives what the reference recorded.
    """
    if inputs is None:
        inputs, modulators = fed(described, steps)
    rng, start, found = np.random.default_rng(1), 0, []
    thirds = [1, 0, steps // 3 - 1, steps // 3, steps - 2 * (steps // 3)]
    with backend.open(described, seed=seed) as mine, registry.get("reference").open(described, seed=seed) as theirs:
        for index, length in enumerate(thirds):
            rows = slice(start, start + length)
            given = {
                "inputs": {name: values[rows] for name, values in inputs.items()},
                "modulators": {name: values[rows] for name, values in modulators.items()},
            }
            recording, expected = mine.run(length, **given), theirs.run(length, **given)
            same(mine, theirs, recording, expected)
            found.append(expected)
            start += length
            if index == 2:
                for session in (mine, theirs):
                    session.reset()
            elif index == 3:
                for name in theirs.variables():
                    value = theirs.read(name)
                    if name.endswith((".u", ".v", ".v_threshold")):
                        value = np.trunc(value / 64 * rng.uniform(0.5, 1.0, value.shape)) * 64
                        value = np.maximum(value, 64) if name.endswith(".v_threshold") else value
                    elif name.endswith(".bias"):
                        mantissa, exponent = bias_parts(value)
                        value = mantissa // 2 << exponent
                    mine.write(name, value)
                    theirs.write(name, value)
    return found


def total_spikes(recordings):
    return sum(len(train) for recording in recordings for train in recording.spikes.values())


def test_random_programs_agree(backend):
    """Programs whose input fits nengo-loihi's accumulator, whatever spikes."""
    for seed in range(4):
        case = random_fixed_case(seed, accepted=lambda program: not accumulator_faults(program), steps=200)
        follow(backend, watched(case.program), 200, seed=seed, inputs=case.inputs, modulators=case.modulators)


def test_current_wraps_and_membrane_saturates(backend):
    weights = np.outer([1, 1, -1, -1], np.full(8, 250))
    slow = integer_neurons("a", 4, du=0, dv=[0, 4000, 0, 4000], threshold=131071)
    described = program([slow], [synapses("in->a", "in", "a", weights, exponent=3)])
    recordings = follow(backend, described, 300)
    u, v = (np.concatenate([one.states["a", name] for one in recordings]) for name in ("u", "v"))
    assert (np.abs(np.diff(u, axis=0)) > TOP).any()
    assert v.min() == 1 - TOP
    assert total_spikes(recordings) > 0  # no threshold reaches 2^23 - 1, so at the top v spikes


@pytest.mark.parametrize("sign", [1, -1])
def test_current_that_meets_the_edge_of_24_bits_is_where_the_reference_puts_it(backend, sign):
    """+2^23 stays; -2^23, which is the same bits, becomes +2^23."""
    arriving = 254 << 13
    before = -(-(TOP - arriving) * 4096 // 4095)
    assert before * 4095 // 4096 + arriving == TOP
    described = program(
        [integer_neurons("a", 1, du=0, threshold=131071, bias=-4096)],
        [synapses("in->a", "in", "a", [[sign * 254]], exponent=7)],
        inputs=1,
    )
    with backend.open(described) as mine, registry.get("reference").open(described) as theirs:
        for session in (mine, theirs):
            session.run(1, inputs={"in": [[1]]})
            session.write("a.u", sign * before)
        recording, expected = mine.run(1), theirs.run(1)
        assert recording.states["a", "u"].item() == TOP
        same(mine, theirs, recording, expected)
        same(mine, theirs, mine.run(20), theirs.run(20))


@pytest.mark.parametrize("exists", [True, False], ids=["dense", "sparse"])
@pytest.mark.parametrize("delays", [[[1, 1, 1], [1, 1, 1]], [[4, 4, 4], [4, 4, 4]], [[2, 2, 1], [1, 3, 3]]])
def test_negative_exponent_shifts_the_sum_of_what_arrives_together(backend, exists, delays):
    """Three weights of 1 and -1, halved: one by one they would be 0 and -1 each, without rounding 1.5 and -1.5."""
    described = program(
        [integer_neurons("a", 2, threshold=131071)],
        [
            synapses("in->a", "in", "a", np.array([[1, 1, 1], [3, 0, 2]]), delay=delays, exponent=-1),
            synapses(
                "less",
                "in",
                "a",
                [[-6, -6, -6], [-2, 0, 0]],
                exponent=-2,
                exists=np.array([[1, 1, 1], [1, exists, 0]]) > 0,
            ),
        ],
        inputs=3,
    )
    recordings = follow(backend, described, 60, inputs={"in": np.ones((60, 3), dtype=bool)}, modulators={})
    first = recordings[0].states["a", "u"]
    assert first[0].tolist() == [0, 0]
    second = recordings[2].states["a", "u"][0].tolist()
    on_time = np.asarray(delays) == 1
    halves = np.floor((np.array([[1, 1, 1], [3, 0, 2]]) * on_time).sum(axis=1) / 2)
    assert second == (64 * (halves + np.floor([-18 / 4, -2 / 4]))).tolist()


def test_delays_of_each_synapse_loops_and_refractory_periods(backend):
    rng = np.random.default_rng(3)
    described = program(
        [
            integer_neurons(
                "a", 9, du=rng.integers(0, 4096, 9), dv=rng.integers(0, 4097, 9), refractory=rng.integers(0, 6, 9)
            ),
            integer_neurons("b", 1, threshold=300, bias=4095 << 2, refractory=3),
        ],
        [
            synapses("in->a", "in", "a", rng.integers(0, 256, (9, 8)), delay=rng.integers(1, 9, (9, 8)), exponent=2),
            synapses("late", "in", "a", rng.integers(0, 256, (9, 8)), delay=3, exponent=-2),
            synapses(
                "a->a",
                "a",
                "a",
                rng.integers(-128, 128, (9, 9)) * 2,
                delay=rng.integers(1, 5, (9, 9)),
                exponent=1,
                exists=rng.random((9, 9)) < 0.6,
            ),
            synapses("a->b", "a", "b", rng.integers(0, 256, (1, 9)), exponent=-1),
            synapses("b->a", "b", "a", rng.integers(-128, 0, (9, 1)) * 2, delay=63),
            synapses("b->b", "b", "b", [[-100]], delay=2, exponent=3),
        ],
    )
    recordings = follow(backend, described, 1000)
    assert total_spikes(recordings) > 500
    gaps = np.diff(recordings[-1].spikes["b"].steps)
    assert gaps.min() == 4  # three steps of rest, and the spike's own


RULES = {
    "two factors": {"dw": "2^-1 * x1 * y0 - 2^-1 * y1 * x0"},
    "fractions of impulses": {"dw": "x1 * y0 - x2 * y1 * x0", "impulse": 16.25},
    "epoch": {"dw": "2^-1 * x1 * y0 - 2^-1 * y1 * x0 + 2^-3 * y2 * u1", "epoch": 4},
    "factors": {"dw": "-2^-2 * (w - 60) * x0 - 2^-1 * sgn(w) * y0 + 2^-4 * (x1 + 3) * y3 * u1"},
    "three factors and a tag": {
        "dw": "2^-2 * r * t * u0",
        "dt": "x1 * y0 - y1 * x0 - 2^-3 * t * u0",
        "modulators": {"reward": 1.0, "teacher": -0.5},
        "third_factor_scale": 64.0,
    },
}


@pytest.mark.parametrize("name", RULES)
def test_learning_agrees_with_its_random_rounding(backend, name):
    rng, fields = np.random.default_rng(4), RULES[name]
    modulators = [Modulator("reward"), Modulator("teacher", 5)] if "modulators" in fields else []
    described = program(
        [integer_neurons("a", 5, threshold=900, dv=100), integer_neurons("b", 4, threshold=500)],
        [
            synapses(
                "in->a", "in", "a", rng.integers(30, 80, (5, 8)), exponent=2, rule=learning(mode="excitatory", **fields)
            ),
            synapses(
                "a->a",
                "a",
                "a",
                rng.integers(-30, 30, (5, 5)),
                exponent=-1,
                delay=rng.integers(1, 4, (5, 5)),
                exists=rng.random((5, 5)) < 0.7,
                rule=learning(**fields),
            ),
            synapses("a->b", "a", "b", rng.integers(0, 200, (4, 5)), exponent=2),
        ],
        modulators=modulators,
    )
    follow(backend, described, 240, seed=1)
    weights = {}
    for seed in (1, 2):
        with backend.open(described, seed=seed) as session:
            inputs, factors = fed(described, 100)
            session.run(100, inputs=inputs, modulators=factors)
            weights[seed] = session.read("in->a.weight")
    assert (weights[1].ravel() != described.projection("in->a").weight).any()
    assert (weights[1] != weights[2]).any()  # the session's seed is that of the rounding


def test_fixed_point_is_no_gap(backend):
    assert "fixed_point" not in backend.capabilities.gaps
    assert backend.capabilities.fixed_agreement == "exact"


@pytest.mark.parametrize("threshold", [np.inf, 1e300])
def test_a_population_that_never_spikes_runs_without_warnings(backend, threshold):
    case = next(case for case in minimal_cases() if case.name == "chain")
    described = case.program.with_parameters("first", threshold=[threshold, 8.0, threshold, 4.0])
    described = program_with(described, ["first", "middle"])
    with backend.open(described) as mine, registry.get("reference").open(described) as theirs:
        recording, expected = (session.run(case.steps, inputs=case.inputs) for session in (mine, theirs))
        same(mine, theirs, recording, expected)
        assert set(expected.spikes["first"].ids.tolist()) == {1, 3}
        mine.write("first.v_threshold", threshold)
        assert len(mine.run(case.steps, inputs=case.inputs).spikes["first"]) == 0
