"""The reference against an oracle written another way, and what must hold of any run."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import neuromorph as nm
from neuromorph.backends.reference import ReferenceBackend
from neuromorph.plasticity.language import VARIABLES, Factor, Product, SumOfProducts
from neuromorph.program import PopulationProgram, ProbeProgram, Program, ProjectionProgram, RuleProgram, TraceProgram

NEAR = 1e-9  # relative: a membrane this close to its threshold may round either way
LONGEST = 9  # steps that a delay may learn
HUGE = 1e6  # weights beyond it say nothing about agreement


class Unclear(Exception):
    """The oracle met a comparison that rounding decides."""


class Oracle:
    """A program step by step in plain Python: histories of spikes and weights are kept, and currents are looked up in them.

    Written from the conventions (SEMANTICS, notes on learning epochs), not from the reference.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.t = 0
        self.u: dict[tuple[str, int], float] = defaultdict(float)
        self.v: dict[tuple[str, int], float] = defaultdict(float)
        self.rises: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)  # steps, increments
        self.silent_until: dict[tuple[str, int], int] = defaultdict(int)
        self.spiked: set[tuple[str, int, int]] = set()  # population, step, neuron
        self.weight: dict[tuple[str, int, int], float] = {}  # projection, post, pre
        self.tag: dict[tuple[str, int, int], float] = defaultdict(float)
        self.sent_weight: dict[tuple[str, int, int, int], float] = {}  # projection, step, post, pre
        self.delay: dict[tuple[str, int, int], float] = {}
        self.sent_delay: dict[tuple[str, int, int, int], int] = {}  # projection, step, post, pre
        self.trace: dict[tuple[str, str, int], float] = defaultdict(float)  # projection, trace, neuron
        for p in program.projections:
            for j, i, w, d in zip(p.post_index, p.pre_index, p.weight, p.delay, strict=True):
                self.weight[p.name, int(j), int(i)] = float(w)
                self.delay[p.name, int(j), int(i)] = float(d)

    def synapses(self, projection: ProjectionProgram) -> list[tuple[int, int]]:
        return [(j, i) for name, j, i in self.weight if name == projection.name]

    def step(self, inputs: dict[str, np.ndarray], modulators: dict[str, np.ndarray]) -> None:
        self.t += 1
        for name, row in inputs.items():
            self.spiked |= {(name, self.t, i) for i in range(len(row)) if row[i]}
        arrived: dict[tuple[str, int], float] = defaultdict(float)
        for p in self.program.projections:
            for j, i in self.synapses(p):
                for sent in range(max(1, self.t - LONGEST), self.t):
                    is_due = sent + self.sent_delay[p.name, sent, j, i] == self.t
                    if is_due and (p.pre, sent, i) in self.spiked:
                        arrived[p.post, j] += self.sent_weight[p.name, sent, j, i]
        for q in self.program.populations:
            for n in range(q.size):
                self.neuron(q, n, arrived[q.name, n])
        for p in self.program.projections:
            for j, i in self.synapses(p):
                self.sent_weight[p.name, self.t, j, i] = self.weight[p.name, j, i]
                self.sent_delay[p.name, self.t, j, i] = self.whole(self.delay[p.name, j, i])
            if p.rule is not None and self.t % p.rule.epoch == 0:
                self.learn(p, p.rule, modulators)

    def whole(self, delay: float) -> int:
        """The nearest number of steps, of two the even one."""
        below = math.floor(delay)
        if delay - below != 0.5 and abs(delay - below - 0.5) < NEAR:
            raise Unclear
        if delay - below == 0.5:
            return below + below % 2
        return below + (delay - below > 0.5)

    def neuron(self, q: PopulationProgram, n: int, current: float) -> None:
        key = (q.name, n)
        self.u[key] = float(q.decay_u[n]) * self.u[key] + current
        threshold = float(q.threshold[n])
        if q.decay_threshold is not None:
            threshold += sum(rise * float(q.decay_threshold[n]) ** (self.t - at) for at, rise in self.rises[key])
        if self.t <= self.silent_until[key]:
            self.v[key] = 0.0
            return
        v = float(q.decay_v[n]) * self.v[key] + self.u[key] + float(q.bias[n])
        if v != threshold and abs(v - threshold) <= NEAR * max(abs(v), threshold):
            raise Unclear
        if v > threshold:
            self.spiked.add((q.name, self.t, n))
            self.silent_until[key] = self.t + int(q.refractory[n])
            if q.threshold_increment is not None:
                self.rises[key].append((self.t, float(q.threshold_increment[n])))
            v = 0.0
        self.v[key] = v

    def learn(self, p: ProjectionProgram, rule: RuleProgram, modulators: dict[str, np.ndarray]) -> None:
        last = {}  # (side, neuron): offset within the epoch of its last spike, 0 for none
        history: dict[tuple[str, int], list[float]] = {}  # (trace, neuron): its value at offsets 0..T
        for side, population, size in (("x", p.pre, p.pre_size), ("y", p.post, p.post_size)):
            for n in range(size):
                offsets = [
                    k for k in range(1, rule.epoch + 1) if (population, self.t - rule.epoch + k, n) in self.spiked
                ]
                last[side, n] = offsets[-1] if offsets else 0
                for name, trace in rule.traces.items():
                    if name[0] != side:
                        continue
                    value = self.trace[p.name, name, n] + trace.impulse * max(len(offsets) - 1, 0)
                    values = [value]
                    for k in range(1, rule.epoch + 1):
                        value = value * trace.decay + (trace.impulse if k == last[side, n] else 0.0)
                        values.append(value)
                    history[name, n] = values
                    self.trace[p.name, name, n] = value
        weight, tag, delay = dict(self.weight), dict(self.tag), dict(self.delay)
        for j, i in self.synapses(p):
            key = (p.name, j, i)
            for values, total in ((self.weight, rule.dw), (self.tag, rule.dt), (self.delay, rule.dd)):
                for product in () if total is None else total.products:
                    when = {"x0": last["x", i], "y0": last["y", j]}.get(product.dependency, rule.epoch)
                    if product.dependency[0] == "u" and (self.t // rule.epoch) % 2 ** int(product.dependency[1:]):
                        when = 0
                    if when == 0:
                        continue
                    change = product.coefficient
                    for factor in product.factors:
                        if factor.variable == "w":
                            value = weight[key]
                        elif factor.variable == "t":
                            value = tag.get(key, 0.0)
                        elif factor.variable == "d":
                            value = delay[key]
                        elif factor.variable == "r":
                            value = 0.0
                            for name, share in rule.modulators.items():
                                value += share * float(modulators[name][j if len(modulators[name]) > 1 else 0])
                        else:
                            value = history[factor.variable, i if factor.variable[0] == "x" else j][when]
                        value += factor.constant
                        if factor.sign:
                            if value != 0 and abs(value) < NEAR:
                                raise Unclear
                            value = float((value > 0) - (value < 0))
                        change *= value
                    values[key] += change
            self.weight[key] = min(max(self.weight[key], rule.w_min), rule.w_max)
            if rule.d_max is not None:
                self.delay[key] = min(max(self.delay[key], 1.0), float(rule.d_max))
            if abs(self.weight[key]) > HUGE or abs(self.tag[key]) > HUGE:
                raise Unclear


# ---------------------------------------------------------------------------------------------- random programs

decays = st.sampled_from([0.0, 0.25, 0.5, 0.9, math.exp(-0.1), 1.0])
magnitudes = st.sampled_from([0.01, 0.1, 0.25, 0.5, 1.0, 2.0])
weights = st.one_of(st.sampled_from([0.0, 0.5, 1.0, -0.5]), st.floats(-1.5, 3.0).map(lambda w: round(w, 4)))


def factors(tag: bool, third: bool, moves: bool) -> st.SearchStrategy[Factor]:
    names = [n for n in VARIABLES if (moves or n != "d") and (tag or n != "t") and (third or n != "r")]
    constants = st.sampled_from([0.0, 0.0, 0.5, -0.5, -1.0, 0.3])
    return st.builds(Factor, st.sampled_from(names), constants, st.sampled_from([False, False, True]))


@st.composite
def sums(draw: st.DrawFn, tag: bool, third: bool, moves: bool) -> SumOfProducts:
    product = st.builds(
        Product,
        st.builds(lambda m, s: m * s, magnitudes, st.sampled_from([-0.2, 0.2, 0.05, -1.0])),
        st.sampled_from(["x0", "y0", "x0", "y0", "u0", "u1", "u2"]),
        st.lists(factors(tag, third, moves), max_size=3).map(tuple),
    )
    return SumOfProducts(tuple(draw(st.lists(product, min_size=1, max_size=3))))


@st.composite
def rules(draw: st.DrawFn, modulators: list[nm.Modulator], post_size: int) -> RuleProgram:
    tag, moves = draw(st.booleans()), draw(st.sampled_from([False, False, True]))
    usable = [m.name for m in modulators if m.size in (1, post_size)]
    named = draw(st.lists(st.sampled_from(usable), max_size=2, unique=True)) if usable else []
    low, high = draw(st.sampled_from([(-math.inf, math.inf), (-2.0, 4.0), (-2.0, math.inf), (-math.inf, 3.5)]))
    trace = st.builds(
        TraceProgram, impulse=st.sampled_from([1.0, 0.5, -0.3]), decay=st.sampled_from([0.5, 0.9, 0.97, 1.0])
    )
    return RuleProgram(
        name="random",
        dw=draw(sums(tag, bool(named), moves)),
        dt=draw(sums(tag, bool(named), moves)) if tag else None,
        dd=draw(sums(tag, bool(named), moves)) if moves else None,
        d_max=draw(st.sampled_from([4, LONGEST])) if moves else None,
        traces={name: draw(trace) for name in ("x1", "x2", "y1", "y2", "y3")},
        epoch=draw(st.sampled_from([1, 1, 2, 3, 4, 5])),
        w_min=low,
        w_max=high,
        modulators={name: draw(st.sampled_from([1.0, -0.5])) for name in named},
    )


@st.composite
def adaptations(draw: st.DrawFn, size: int) -> dict[str, list[float]]:
    """Of half of the populations, thresholds that rise."""
    if draw(st.booleans()):
        return {}
    return {
        "threshold_increment": draw(st.lists(st.sampled_from([0.0, 0.3, 1.1]), min_size=size, max_size=size)),
        "decay_threshold": draw(st.lists(decays, min_size=size, max_size=size)),
    }


@st.composite
def programs(draw: st.DrawFn, plastic: bool = True) -> Program:
    inputs = [nm.Input(f"in{k}", draw(st.integers(1, 2))) for k in range(draw(st.integers(1, 2)))]
    sizes = draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
    populations = [
        PopulationProgram(
            name=f"p{k}",
            size=size,
            decay_u=draw(st.lists(decays, min_size=size, max_size=size)),
            decay_v=draw(st.lists(decays, min_size=size, max_size=size)),
            threshold=draw(st.lists(st.sampled_from([0.4, 1.0, 1.7, 4.0]), min_size=size, max_size=size)),
            bias=draw(st.lists(st.sampled_from([0.0, 0.0, 0.1, -0.1, 0.4]), min_size=size, max_size=size)),
            refractory=draw(st.lists(st.sampled_from([0, 0, 1, 3]), min_size=size, max_size=size)),
            **draw(adaptations(size)),
        )
        for k, size in enumerate(sizes)
    ]
    modulators = [nm.Modulator("m1"), nm.Modulator("m2", 2)]
    ends = st.tuples(st.sampled_from([*inputs, *populations]), st.sampled_from(populations))
    projections = []
    for index, (pre, post) in enumerate([(inputs[0], populations[0]), *draw(st.lists(ends, max_size=3))]):
        places = [(j, i) for j in range(post.size) for i in range(pre.size)]
        kept = places if draw(st.booleans()) else sorted(draw(st.lists(st.sampled_from(places), unique=True)))
        rule = draw(rules(modulators, post.size)) if plastic and draw(st.booleans()) else None
        low, high = (-9.0, 9.0) if rule is None else (rule.w_min, rule.w_max)
        projections.append(
            ProjectionProgram(
                name=f"s{index}",
                pre=pre.name,
                post=post.name,
                pre_size=pre.size,
                post_size=post.size,
                post_index=[j for j, _ in kept],
                pre_index=[i for _, i in kept],
                weight=[min(max(draw(weights), low), high) for _ in kept],
                delay=draw(st.lists(st.integers(1, 4), min_size=len(kept), max_size=len(kept))),
                rule=rule,
            )
        )
    return Program(
        name="random",
        dt=1e-3,
        seed=0,
        inputs=inputs,
        populations=populations,
        projections=projections,
        modulators=modulators,
        probes=[ProbeProgram(target=p.name, variable=v, every=1) for p in populations for v in ("spikes", "u", "v")],
    )


def fed(program: Program, steps: int, seed: int, rate: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    inputs = {item.name: rng.random((steps, item.size)) < rate for item in program.inputs}
    values = {m.name: rng.choice([0.0, 0.0, 1.0, -1.0, 0.3], (steps, m.size)) for m in program.modulators}
    return inputs, values


rates = st.sampled_from([0.1, 0.4, 0.8])
seeds = st.integers(0, 2**20)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(programs(), seeds, rates)
def test_the_reference_does_what_an_independent_scalar_oracle_does(program: Program, seed: int, rate: float) -> None:
    steps = 40
    inputs, modulators = fed(program, steps, seed, rate)
    oracle = Oracle(program)
    states = {name: np.zeros((steps, q.size)) for q in program.populations for name in (f"{q.name}.u", f"{q.name}.v")}
    try:
        for row in range(steps):
            oracle.step({n: x[row] for n, x in inputs.items()}, {n: x[row] for n, x in modulators.items()})
            for q in program.populations:
                states[f"{q.name}.u"][row] = [oracle.u[q.name, n] for n in range(q.size)]
                states[f"{q.name}.v"][row] = [oracle.v[q.name, n] for n in range(q.size)]
    except Unclear:
        assume(False)
    with ReferenceBackend().open(program) as session:
        recording = session.run(steps, inputs=inputs, modulators=modulators)
        for q in program.populations:
            found = set(zip(recording.spikes[q.name].steps + 1, recording.spikes[q.name].ids, strict=True))
            assert found == {(t, n) for name, t, n in oracle.spiked if name == q.name}
            for variable in ("u", "v"):
                np.testing.assert_allclose(
                    recording.states[q.name, variable], states[f"{q.name}.{variable}"], rtol=1e-9, atol=1e-9
                )
        for p in program.projections:
            keys = [(p.name, int(j), int(i)) for j, i in zip(p.post_index, p.pre_index, strict=True)]
            expected = [oracle.weight[key] for key in keys]
            np.testing.assert_allclose(session._read(p.name, "weight"), expected, rtol=1e-9, atol=1e-9)
            if p.rule is None:
                continue
            if p.rule.dt is not None:
                tags = [oracle.tag[key] for key in keys]
                np.testing.assert_allclose(session._read(p.name, "tag"), tags, rtol=1e-9, atol=1e-9)
            if p.rule.dd is not None:
                delays = [oracle.delay[key] for key in keys]
                np.testing.assert_allclose(session._read(p.name, "delay"), delays, rtol=1e-9)
            if steps % p.rule.epoch == 0:
                for name in p.rule.traces:
                    traces = [
                        oracle.trace[p.name, name, n] for n in range(p.pre_size if name[0] == "x" else p.post_size)
                    ]
                    np.testing.assert_allclose(session._read(p.name, name), traces, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(programs(), seeds, rates, st.lists(st.integers(0, 17), min_size=1, max_size=6))
def test_chunks_of_any_length_equal_one_run(program: Program, seed: int, rate: float, chunks: list[int]) -> None:
    steps = sum(chunks)
    inputs, modulators = fed(program, steps, seed, rate)
    with (
        np.errstate(all="ignore"),
        ReferenceBackend().open(program) as whole,
        ReferenceBackend().open(program) as parts,
    ):
        entire = whole.run(steps, inputs=inputs, modulators=modulators)
        done, pieces = 0, []
        for chunk in chunks:
            rows = slice(done, done + chunk)
            pieces.append(
                parts.run(
                    chunk,
                    inputs={name: values[rows] for name, values in inputs.items()},
                    modulators={name: values[rows] for name, values in modulators.items()},
                )
            )
            done += chunk
        for name, train in entire.spikes.items():
            np.testing.assert_array_equal(
                np.concatenate([np.asarray(p.spikes[name]) for p in pieces]), np.asarray(train)
            )
        for key, values in entire.states.items():
            np.testing.assert_array_equal(np.concatenate([piece.states[key] for piece in pieces]), values)
        for name in whole.variables():
            owner, _, variable = name.rpartition(".")
            np.testing.assert_array_equal(whole._read(owner, variable), parts._read(owner, variable))
        counts = pieces[0].counts
        for piece in pieces[1:]:
            counts = counts + piece.counts
        assert counts == entire.counts


@settings(deadline=None, max_examples=60, derandomize=True)
@given(programs(plastic=False), seeds, rates, st.integers(-8, 8))
def test_scaling_weights_bias_and_threshold_by_a_power_of_two_changes_no_spike(
    program: Program, seed: int, rate: float, power: int
) -> None:
    scaled = dataclasses.replace(
        program,
        populations=[
            dataclasses.replace(
                q,
                threshold=q.threshold * 2.0**power,
                bias=q.bias * 2.0**power,
                threshold_increment=None if q.threshold_increment is None else q.threshold_increment * 2.0**power,
            )
            for q in program.populations
        ],
        projections=[dataclasses.replace(p, weight=p.weight * 2.0**power) for p in program.projections],
    )
    inputs, modulators = fed(program, 60, seed, rate)
    mine, other = (nm.run(p, 60, inputs=inputs, modulators=modulators) for p in (program, scaled))
    assert all(mine.spikes[name].equals(other.spikes[name]) for name in mine.spikes)
    for key, values in mine.states.items():
        np.testing.assert_array_equal(values * 2.0**power, other.states[key])


def permuted(program: Program, name: str, order: np.ndarray) -> Program:
    """Neuron k of the new population is neuron order[k] of the old one."""
    rank = np.argsort(order)
    populations = [
        q
        if q.name != name
        else dataclasses.replace(
            q, **{key: getattr(q, key)[order] for key in ("decay_u", "decay_v", "threshold", "bias", "refractory")}
        )
        for q in program.populations
    ]
    projections = []
    for p in program.projections:
        post = rank[p.post_index] if p.post == name else p.post_index
        pre = rank[p.pre_index] if p.pre == name else p.pre_index
        place = np.lexsort((pre, post))
        projections.append(
            dataclasses.replace(
                p, post_index=post[place], pre_index=pre[place], weight=p.weight[place], delay=p.delay[place]
            )
        )
    return dataclasses.replace(program, populations=populations, projections=projections)


@pytest.mark.parametrize("seed", range(5))
def test_permuting_a_population_permutes_the_result(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 7
    neuron = nm.LIF(
        tau_mem=rng.uniform(5e-3, 20e-3, size), tau_syn=4e-3, v_threshold=rng.uniform(1, 3, size), refractory=2e-3
    )
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("a", size, neuron), nm.Population("b", 3, nm.LIF())],
        projections=[
            nm.Projection("in", "a", nm.FixedProbability(0.7, nm.Uniform(0.0, 0.9)), plasticity=nm.STDP(w_max=1.0)),
            nm.Projection("a", "a", nm.AllToAll(nm.Uniform(-0.3, 0.3)), delay=rng.integers(1, 6, (size, size)) * 1e-3),
            nm.Projection("a", "b", nm.AllToAll(nm.Uniform(0.0, 0.5)), plasticity=nm.STDP()),
        ],
        probes=[nm.Probe("a", "v")],
    )
    program = nm.compile(net, seed=seed)
    order = rng.permutation(size)
    spikes = rng.random((200, 5)) < 0.15
    runs = [nm.run(p.with_all_spikes(), 200, inputs={"in": spikes}) for p in (program, permuted(program, "a", order))]
    mine, other = (np.asarray(run.spikes["a"]) for run in runs)
    assert 100 < mine.sum() < 700
    np.testing.assert_array_equal(mine[:, order], other)
    np.testing.assert_array_equal(np.asarray(runs[0].spikes["b"]), np.asarray(runs[1].spikes["b"]))


def one_neuron(**neuron: float) -> nm.Network:
    return nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(**neuron))],
        projections=[nm.Projection("in", "out", [[1.5]], delay=neuron.pop("delay", None))],
        probes=[nm.Probe("out"), nm.Probe("out", "u"), nm.Probe("out", "v")],
    )


def one_spike(steps: int, at: int = 0) -> dict[str, np.ndarray]:
    return {"in": np.arange(steps)[:, np.newaxis] == at}


def test_a_spike_acts_one_step_after_it_is_sent() -> None:
    recording = nm.run(one_neuron(tau_syn=0.0), 4, inputs=one_spike(4))
    assert recording.spikes["out"].steps.tolist() == [1]


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_spike_acts_its_delay_after_it_is_sent(steps: int) -> None:
    net = one_neuron(tau_syn=0.0)
    late = dataclasses.replace(net, projections=[nm.Projection("in", "out", [[1.5]], delay=steps * 1e-3)])
    assert nm.run(late, 20, inputs=one_spike(20, at=3)).spikes["out"].steps.tolist() == [3 + steps]


def test_a_membrane_at_its_threshold_does_not_spike() -> None:
    assert len(nm.run(one_neuron(v_threshold=1.5, tau_syn=0.0), 5, inputs=one_spike(5)).spikes["out"]) == 0
    below = math.nextafter(1.5, 0.0)
    assert len(nm.run(one_neuron(v_threshold=below, tau_syn=0.0), 5, inputs=one_spike(5)).spikes["out"]) == 1


def test_membrane_and_current_decay_exponentially_between_spikes() -> None:
    recording = nm.run(one_neuron(v_threshold=99.0, tau_mem=20e-3, tau_syn=5e-3), 10, inputs=one_spike(10))
    k = np.arange(9)
    np.testing.assert_allclose(recording.states["out", "u"][1:, 0], 1.5 * np.exp(-k / 5), rtol=1e-13)
    sums = [sum(1.5 * math.exp(-j / 5) * math.exp(-(n - j) / 20) for j in range(n + 1)) for n in k]
    np.testing.assert_allclose(recording.states["out", "v"][1:, 0], sums, rtol=1e-13)


@pytest.mark.parametrize(("period", "expected"), [(0, [2, 4, 6, 8, 10, 12]), (1, [2, 5, 8, 11]), (3, [2, 7, 12])])
def test_refractory_neurons_rest_for_exactly_their_period(period: int, expected: list[int]) -> None:
    neuron = nm.IF(bias=3.0, v_threshold=5.0, refractory=period * 1e-3)
    net = nm.Network(populations=[nm.Population("out", 1, neuron)], probes=[nm.Probe("out")])
    assert (nm.run(net, 12).spikes["out"].steps + 1).tolist() == expected


def test_the_current_goes_on_during_the_refractory_period() -> None:
    recording = nm.run(one_neuron(tau_syn=100e-3, refractory=5e-3, v_threshold=1.0), 12, inputs=one_spike(12))
    assert recording.spikes["out"].steps.tolist() == [1, 7]
    np.testing.assert_array_equal(recording.states["out", "v"][1:7, 0], 0.0)
    assert np.all(recording.states["out", "u"][1:7, 0] > 1.0)


def test_a_spike_carries_the_weight_of_the_step_in_which_it_is_sent() -> None:
    rule = nm.LearningRule(dw="1.0 * x0")
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF(tau_syn=0.0, v_threshold=99.0))],
        projections=[nm.Projection("in", "out", [[1.0]], delay=3e-3, plasticity=rule)],
        probes=[nm.Probe("out", "u")],
    )
    recording = nm.run(net, 8, inputs={"in": np.ones((8, 1), bool)})
    assert recording.states["out", "u"][:, 0].tolist() == [0, 0, 0, 1, 2, 3, 4, 5]


def test_probes_see_weights_after_learning() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", [[0.0]], plasticity=nm.LearningRule(dw="1.0 * x0"))],
        probes=[nm.Probe("in->out", "weight", every=2e-3)],
    )
    recording = nm.run(net, 7, inputs={"in": np.ones((7, 1), bool)})
    assert recording.states["in->out", "weight"][:, 0].tolist() == [2.0, 4.0, 6.0]
    assert recording.state_steps["in->out", "weight"].tolist() == [1, 3, 5]


def test_same_seed_same_spikes() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 8), nm.Population("out", 5, nm.LIF())],
        projections=[nm.Projection("in", "out", nm.FixedProbability(0.5, nm.Uniform(0.0, 1.0)))],
        probes=[nm.Probe("out")],
    )
    spikes = {"in": np.random.default_rng(0).random((200, 8)) < 0.1}
    first, again, other = (nm.run(net, 200, inputs=spikes, seed=seed).spikes["out"] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_reset_keeps_weights_thresholds_bias_and_time_and_forgets_the_rest() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 2, nm.LIF(v_threshold=1.0, bias=0.2))],
        projections=[nm.Projection("in", "out", [[1.0, 0.5], [0.2, 0.9]], delay=4e-3,
                                   plasticity=nm.RewardModulatedSTDP(modulator="r", tau_e=0.1))],
        modulators=[nm.Modulator("r")],
        probes=[nm.Probe("out")],
    )  # fmt: skip
    with nm.open(net) as session:
        session.write("out.v_threshold", [1.5, 2.5])
        session.run(30, inputs={"in": np.ones((30, 2), bool)}, modulators={"r": np.ones(30)})
        weight = session.read("in->out.weight")
        session.reset()
        for name in ("out.u", "out.v", "in->out.tag", "in->out.x1", "in->out.y1"):
            np.testing.assert_array_equal(session.read(name), 0.0)
        np.testing.assert_array_equal(session.read("in->out.weight"), weight)
        np.testing.assert_array_equal(session.read("out.v_threshold"), [1.5, 2.5])
        np.testing.assert_array_equal(session.read("out.bias"), 0.2)
        assert session.steps_run == 30
        session.write("out.bias", 0.0)
        silent = session.run(20)
        assert len(silent.spikes["out"]) == 0  # spikes that were under way are gone
        assert silent.first_step == 30


def test_silence_stays_silent() -> None:
    net = one_neuron()
    recording = nm.run(net, 100)
    assert recording.counts.spikes == 0
    np.testing.assert_array_equal(recording.states["out", "v"], 0.0)
