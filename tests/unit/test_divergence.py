"""Faults are planted in a copy of the reference; where they show first and what kind they are must be found."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import causes, lockstep
from neuromorph.backend import Availability, Backend, Capabilities, Session
from neuromorph.backends.reference import FloatNeurons, Neurons, ReferenceSession, Synapses
from neuromorph.divergence import Divergence
from neuromorph.plasticity.language import parse
from neuromorph.program import PopulationProgram, Program, ProjectionProgram, RuleProgram, TraceProgram
from neuromorph.testing import Case

LIMIT = 2**23
STEPS = 70


@dataclass(frozen=True, eq=False)
class Planted(Backend):
    """The reference, with parts of it exchanged for others that were written apart from it."""

    plant: Callable[[ReferenceSession], None] = lambda session: None
    shift: int = 0  # of the seed
    opened: list[int] = field(default_factory=list)
    name: ClassVar[str] = "planted"
    capabilities: ClassVar[Capabilities] = Capabilities(agreement="exact")

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        self.opened.append(seed)
        session = ReferenceSession(program, backend=self.name, seed=seed + self.shift, stall_second=stall_second)
        self.plant(session)
        return session


@dataclass(frozen=True, eq=False)
class Near(Planted):
    name: ClassVar[str] = "near"
    capabilities: ClassVar[Capabilities] = Capabilities(agreement="tolerance")


@dataclass(frozen=True, eq=False)
class Noisy(Planted):
    name: ClassVar[str] = "noisy"
    capabilities: ClassVar[Capabilities] = Capabilities(agreement="statistical", fixed_agreement="statistical")


# ------------------------------------------------------------------------------------------------- other neurons


def toward_zero(value: int) -> int:
    return value // 4096 if value >= 0 else -(-value // 4096)


def floored(value: int) -> int:
    return value // 4096


def rounded(value: int) -> int:
    return math.floor(value / 4096 + 0.5)


def wrapped(value: int) -> int:
    return (value - 1 + LIMIT) % (2 * LIMIT) + 1 - LIMIT


def held(value: int) -> int:
    return max(1 - LIMIT, min(LIMIT - 1, value))


def free(value: int) -> int:
    return value


@dataclass(eq=False)
class Faults:
    """What other neurons do differently."""

    divided: Callable[[int], int] = toward_zero
    of_u: Callable[[int], int] = wrapped
    of_v: Callable[[int], int] = held
    reaches: bool = False  # spikes at the threshold
    reset: str = "zero"
    extra: Callable[[int, int], int] = lambda step, neuron: 0  # that comes to v from nowhere


class OtherFixedNeurons(Neurons):
    """Neuron by neuron, in Python's integers."""

    faults: Faults
    now = 0

    def integrate(self, current: Any) -> None:
        raise NotImplementedError

    def step(self, current: Any) -> Any:
        self.now += 1
        spiking = []
        p, f = self.population, self.faults
        for n in range(p.size):
            keep_u, keep_v = round(p.decay_u[n] * 4096), round(p.decay_v[n] * 4096)
            u = f.of_u(f.divided(int(self.u[n]) * keep_u) + 64 * int(current[n]))
            v = f.of_v(f.divided(int(self.v[n]) * keep_v) + u + int(self.bias[n]) + f.extra(self.now, n))
            if self.waiting[n]:
                self.waiting[n] -= 1
                v = int(self.held[n])
            elif v > self.threshold[n] or (f.reaches and v == self.threshold[n]):
                spiking.append(n)
                v = {"zero": 0, "subtract": v - int(self.threshold[n]), "none": v}[f.reset]
                self.waiting[n], self.held[n] = p.refractory[n], v
            self.u[n], self.v[n] = u, v
        return np.array(spiking, dtype=np.int64)


def other_neurons(faults: Faults, session: ReferenceSession) -> None:
    for name, neurons in session._neurons.items():
        session._neurons[name] = OtherFixedNeurons(neurons.population, session.program)
        session._neurons[name].faults = faults


class OtherFloatNeurons(Neurons):
    """In a precision of its own, with another threshold or reset."""

    dtype: Any = np.float64
    reaches = False
    reset = "zero"
    extra = 0.0
    now = 0

    def integrate(self, current: Any) -> None:
        raise NotImplementedError

    def step(self, current: Any) -> Any:
        self.now += 1
        kind, p = self.dtype, self.population
        u = self.u.astype(kind) * p.decay_u.astype(kind) + current.astype(kind)
        if self.now == 20:
            u[-1] += self.extra
        v = self.v.astype(kind) * p.decay_v.astype(kind) + u + self.bias.astype(kind)
        resting = self.waiting > 0
        v[resting] = self.held[resting]
        self.waiting[resting] -= 1
        fires = ((v >= self.threshold) if self.reaches else (v > self.threshold)) & ~resting
        v[fires] = {"zero": 0 * v, "subtract": v - self.threshold}[self.reset][fires]
        self.waiting[fires], self.held[fires] = p.refractory[fires], v[fires]
        self.u[:], self.v[:] = u, v
        return np.flatnonzero(fires)


def other_float_neurons(session: ReferenceSession, **faults: Any) -> None:
    for name, neurons in session._neurons.items():
        other = OtherFloatNeurons(neurons.population, session.program)
        for fault, value in faults.items():
            setattr(other, fault, value)
        session._neurons[name] = other


class StateInSinglePrecision(FloatNeurons):  # type: ignore[misc]
    """The same arithmetic, kept in float32 between steps."""

    def integrate(self, current: Any) -> None:
        u = (self.population.decay_u * self.u + current).astype(np.float32)
        self.u[:] = u
        self.v[:] = (self.population.decay_v * self.v + self.u + self.bias).astype(np.float32)


def state_in_single_precision(session: ReferenceSession) -> None:
    for name, neurons in session._neurons.items():
        session._neurons[name] = StateInSinglePrecision(neurons.population, session.program)


# ------------------------------------------------------------------------------------------------ other synapses


class OtherSynapses(Synapses):
    """One synapse at a time."""

    shift = 0
    is_backward = False
    learns_first = False
    waits = False
    gain = 1.0

    def send(self, step: int, pre: Any) -> None:
        self.to_send = (step, pre)
        if not self.learns_first:
            self._send()

    def learn(self, step: int, pre: Any, post: Any, reward: Any, membrane: Any, timing: str) -> None:
        if self.plastic is not None:
            self.queue = [*getattr(self, "queue", []), pre]
            if self.waits:
                late = len(self.queue) > self.longest
                pre = self.queue[-1 - self.longest] if late else np.zeros(0, dtype=np.int64)
            self.plastic.learn(step, pre, post, reward, membrane)
        if self.learns_first:
            self._send()

    def arriving(self, step: int) -> Any:
        return self.__dict__.setdefault("later", {}).pop(step, np.zeros(self.projection.post_size))

    def _send(self) -> None:
        p, (step, pre) = self.projection, self.to_send
        groups: dict[int, Any] = {}
        for i in reversed(pre.tolist()) if self.is_backward else pre.tolist():
            for k in np.flatnonzero(p.pre_index == i):
                group = groups.setdefault(step + int(p.delay[k]) + self.shift, np.zeros(p.post_size))
                group[p.post_index[k]] += self.gain * self.weight[k]
        later = self.__dict__.setdefault("later", {})
        for arrival, total in groups.items():
            total = np.floor(total * 2.0**p.weight_exponent) if p.weight_exponent else total
            later[arrival] = later.get(arrival, np.zeros(p.post_size)) + total


def other_synapses(session: ReferenceSession, **faults: Any) -> None:
    for name, synapses in session._synapses.items():
        other = OtherSynapses(synapses.projection, session.program, session.seed)
        for fault, value in faults.items():
            setattr(other, fault, value)
        session._synapses[name] = other
    if faults.get("is_backward"):
        session._synapses = dict(reversed(session._synapses.items()))


class ImpulsesAfterLearning:
    """Pair STDP of a float rule with epochs of a step: what was there before, then the impulses."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def learn(self, step: int, pre: Any, post: Any, reward: Any, membrane: Any = None) -> None:
        p, rule, traces = self.inner.projection, self.inner.rule, self.inner.traces
        for name in traces:
            traces[name] = traces[name] * rule.traces[name].decay
        spiked = {"x0": pre, "y0": post}
        change = np.zeros(p.synapses)
        for product in rule.dw.products:
            (factor,) = product.factors
            index = p.pre_index if product.dependency == "x0" else p.post_index
            where = np.isin(index, spiked[product.dependency])
            neuron = p.pre_index if factor.variable[0] == "x" else p.post_index
            change += where * product.coefficient * traces[factor.variable][neuron]
        self.inner.weight[:] = np.clip(self.inner.weight + change, rule.w_min, rule.w_max)
        for name, neurons in (("x1", pre), ("y1", post)):
            traces[name][neurons] += rule.traces[name].impulse


def impulses_after_learning(session: ReferenceSession) -> None:
    for synapses in session._synapses.values():
        if synapses.plastic is not None:
            synapses.plastic = ImpulsesAfterLearning(synapses.plastic)


# ------------------------------------------------------------------------------------------------------ networks


def stdp(steps: int = STEPS, size: int = 6, delay: int = 2, recurrent: bool = True, seed: int = 0) -> Case:
    """Float, pair STDP, delays of two steps and a loop; weights and thresholds are round, so that ties come about."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 5, (size, 5)) * 0.25
    projections = [
        nm.Projection("in", "a", weights, delay=delay * 1e-3, plasticity=nm.STDP(w_min=0.0, w_max=2.0)),
        nm.Projection("a", "b", rng.integers(1, 5, (4, size)) * 0.25, delay=delay * 1e-3),
    ]
    if recurrent:
        projections.append(nm.Projection("b", "a", rng.integers(-4, 3, (size, 4)) * 0.25, delay=delay * 1e-3))
    net = nm.Network(
        populations=[
            nm.Input("in", 5),
            nm.Population("a", size, nm.LIF(tau_mem=10e-3, tau_syn=2e-3, v_threshold=3.0, refractory=1e-3)),
            nm.Population("b", 4, nm.IF(v_threshold=1.5)),
        ],
        projections=projections,
    )
    return Case(name="stdp", program=nm.compile(net), inputs={"in": rng.random((steps, 5)) < 0.15}, steps=steps)


@cache
def chip(seed: int, *, plastic: bool = False, delay: int = 2) -> Case:
    """The same in a chip's integers, with delays that differ."""
    rng = np.random.default_rng(seed)
    sizes = {"in": 4, "a": 3, "b": 2}
    populations = [
        PopulationProgram(
            name=name, size=sizes[name], decay_u=np.full(sizes[name], 3000 / 4096),
            decay_v=rng.integers(3500, 4000, sizes[name]) / 4096, threshold=rng.integers(150, 250, sizes[name]) * 64,
            bias=np.full(sizes[name], 3), refractory=np.full(sizes[name], int(name == "a")),
        )
        for name in ("a", "b")
    ]  # fmt: skip
    rule = RuleProgram(
        name="pair", dw=parse("0.5 * x1 * y0 - 0.25 * y1 * x0"), dt=None, epoch=1, w_min=-256.0, w_max=255.0,
        modulators={}, traces={"x1": TraceProgram(impulse=20.0, decay=0.9), "y1": TraceProgram(impulse=16.0, decay=0.8)},
    )  # fmt: skip
    projections = []
    for pre, post, low, high in (("in", "a", 20, 60), ("a", "b", 10, 30), ("b", "a", -60, 10)):
        shape = (sizes[post], sizes[pre])
        post_index, pre_index = np.nonzero(np.ones(shape))
        learns = plastic and pre == "in"
        extra = 0 if learns else rng.integers(0, 2, post_index.size)
        projection = ProjectionProgram(
            name=f"{pre}->{post}", pre=pre, post=post, pre_size=sizes[pre], post_size=sizes[post],
            post_index=post_index, pre_index=pre_index, weight=rng.integers(low, high, post_index.size) * 2,
            delay=np.full(post_index.size, delay) + extra, rule=rule if learns else None, sign_mode="mixed",
        )  # fmt: skip
        projections.append(projection)
    program = Program(
        name="chip", dt=1e-3, seed=0, inputs=[nm.Input("in", 4)], populations=populations, projections=projections,
        arithmetic="fixed", chip="loihi1",
    )  # fmt: skip
    return Case(name="chip", program=program, inputs={"in": rng.random((STEPS, 4)) < 0.2}, steps=STEPS)


def chips(*, plastic: bool = False) -> list[Case]:
    return [chip(seed, plastic=plastic) for seed in (0, 1)]


def overflowing(weight: int) -> Case:
    """Strong synapses onto slow currents."""
    case = chip(0)
    population = dataclasses.replace(
        case.program.populations[0], name="out", size=1, decay_u=[4000 / 4096], decay_v=[4090 / 4096],
        threshold=[131071 * 64], bias=[0], refractory=[0],
    )  # fmt: skip
    projection = dataclasses.replace(
        case.program.projections[0], name="in->out", pre="in", post="out", pre_size=2, post_size=1, post_index=[0, 0],
        pre_index=[0, 1], weight=[weight, weight // 4 * 2], delay=[1, 1], weight_exponent=6, weight_bits=8, rule=None,
        sign_mode="mixed",
    )  # fmt: skip
    program = dataclasses.replace(
        case.program, inputs=[nm.Input("in", 2)], populations=[population], projections=[projection]
    )
    fed = np.random.default_rng(2).random((STEPS, 2)) < 0.3
    return Case(name="overflow", program=program, inputs={"in": fed}, steps=STEPS)


# ------------------------------------------------------------------------------------------------------- the oracle


def by_hand(case: Case, other: Backend, relative: float) -> tuple[int, str, str, int, float, float] | None:
    """The first difference: both run in single steps and everything is read; written apart from the search."""
    order = ["u", "v", "spikes", "x1", "x2", "y1", "y2", "y3", "tag", "weight"]
    program = case.program.with_all_spikes()
    with nm.open(program) as mine, other.open(program) as theirs:
        names = sorted(
            (name for name in mine.variables() if name.rpartition(".")[2] in order),
            key=lambda name: order.index(name.rpartition(".")[2]),
        )
        for step in range(case.steps):
            fed = {name: rows[step : step + 1] for name, rows in case.inputs.items()}
            factors = {name: rows[step : step + 1] for name, rows in case.modulators.items()}
            runs = [session.run(1, inputs=fed, modulators=factors) for session in (mine, theirs)]
            values: dict[str, tuple[Any, Any]] = {}
            for name in names:
                owner, _, variable = name.rpartition(".")
                values[name] = (mine._read(owner, variable), theirs._read(owner, variable))
                if variable == "v" and name == [n for n in names if n.endswith(".v")][-1]:
                    for population in program.populations:
                        dense = tuple(np.asarray(run.spikes[population.name])[0] * 1.0 for run in runs)
                        values[f"{population.name}.spikes"] = (dense[0], dense[1])
            for name, (left, right) in values.items():
                owner, _, variable = name.rpartition(".")
                scale = 0.0 if variable == "spikes" else np.abs(left).max(initial=0.0)
                if variable in ("u", "v"):
                    scale = program.population(owner).threshold
                wrong = np.flatnonzero(~(np.abs(left - right) <= relative * np.maximum(np.abs(left), scale)))
                if wrong.size:
                    k = int(wrong[0])
                    return step + 1, variable, owner, k, float(left[k]), float(right[k])
    return None


def explained(case: Case, other: Backend, steps: int | None = None, **options: Any) -> Divergence | None:
    """What comparing says, held to the oracle."""
    options = {"states": True, **options}
    result = nm.compare(
        case.program,
        case.steps,
        backends=["reference", other],
        inputs=case.inputs,
        modulators=case.modulators,
        **options,
    )
    found = result[other.name].first_divergence
    expected = by_hand(case, other, 0.0 if other.capabilities.agreement == "exact" else 1e-9)
    if expected is None or found is None:
        assert found is None and expected is None
        return None
    step, variable, owner, index, mine, theirs = expected
    assert (found.step, found.variable, found.values) == (step, variable, (mine, theirs))
    if variable in ("u", "v", "spikes"):
        assert (found.population, found.neuron, found.projection) == (owner, index, "")
    else:
        projection = case.program.projection(owner)
        assert found.projection == owner
        if variable in ("tag", "weight"):
            assert (found.pre_neuron, found.neuron) == (projection.pre_index[index], projection.post_index[index])
            assert found.population == projection.post
        else:
            assert found.neuron == index
            assert found.population == (projection.pre if variable[0] == "x" else projection.post)
    assert found.window is not None
    steps = range(max(1, step - lockstep.BEFORE), min(case.steps, step + lockstep.AFTER) + 1)
    assert found.window.steps == tuple(steps)
    first = found.window.rows[0]
    at = found.window.steps.index(step)
    assert (first.reference[at], first.other[at]) == (mine, theirs)
    assert first.reference[:at] == pytest.approx(first.other[:at], nan_ok=True)
    json.dumps(result.to_json(), allow_nan=False)
    return found


def classes_of(cases: list[Case], other: Backend, kind: str, switch: str) -> int:
    """In how many cases the fault shows; in each of them it must be reproduced by the switch."""
    shown = 0
    for case in cases:
        found = explained(case, other)
        if found is None:
            continue
        shown += 1
        assert found.cause is not None
        assert found.cause.reproduced, str(found)
        assert kind in found.cause.classes and switch in found.cause.switches, str(found)
        # more than one may fit while the window does not tell them apart, but not many
        assert len(found.cause.switches) <= 2, str(found)
    return shown


# ---------------------------------------------------------------------------------------------------------- tests

FIXED_FAULTS: Mapping[str, tuple[Faults, str]] = {
    "rounding = 'down'": (Faults(divided=floored), "rounding"),
    "rounding = 'nearest'": (Faults(divided=rounded), "rounding"),
    "threshold_comparison = '>='": (Faults(reaches=True), "threshold comparison"),
    "reset = 'subtract'": (Faults(reset="subtract"), "reset"),
    "reset = 'none'": (Faults(reset="none"), "reset"),
}


def ties() -> Case:
    """Integers that meet their threshold often."""
    case = overflowing(64)
    program = case.program.with_parameters("out", threshold=64.0 * 64 * 4)
    population = dataclasses.replace(program.populations[0], decay_u=[0.0], decay_v=[1.0])
    projection = dataclasses.replace(program.projections[0], weight_exponent=0)
    program = dataclasses.replace(program, populations=[population], projections=[projection])
    return dataclasses.replace(case, program=program)


@pytest.mark.parametrize("switch", FIXED_FAULTS)
def test_a_fault_of_fixed_point_neurons_is_placed_and_named(switch: str) -> None:
    faults, kind = FIXED_FAULTS[switch]
    cases = [ties()] if faults.reaches else chips()
    assert classes_of(cases, Planted(partial(other_neurons, faults)), kind, switch) == len(cases)


OVERFLOWS: Mapping[str, tuple[Faults, str, int]] = {
    "u_overflow = 'saturate'": (Faults(of_u=held), "saturation", 252),
    "u_overflow = 'none'": (Faults(of_u=free), "wrap", 252),
    "v_overflow = 'wrap'": (Faults(of_v=wrapped), "wrap", -16),
    "v_overflow = 'none'": (Faults(of_v=free), "saturation", -16),
}


@pytest.mark.parametrize("switch", OVERFLOWS)
def test_an_overflow_is_told_apart_by_what_overflows_and_how(switch: str) -> None:
    faults, kind, weight = OVERFLOWS[switch]
    assert classes_of([overflowing(weight)], Planted(partial(other_neurons, faults)), kind, switch) == 1


def test_neurons_that_are_written_another_way_do_not_diverge() -> None:
    for case in [*chips(), overflowing(252), overflowing(-16), ties()]:
        assert explained(case, Planted(partial(other_neurons, Faults()))) is None
        assert explained(case, Planted(other_synapses)) is None


@pytest.mark.parametrize(
    ("faults", "kind", "switch"),
    [
        ({"shift": 1}, "delay", "delay_convention = 'one step later'"),
        ({"shift": -1}, "delay", "delay_convention = 'one step sooner'"),
        ({"learns_first": True}, "order of spikes", "weight_timing = 'after learning'"),
        ({"waits": True}, "order of spikes", "plasticity_timing = 'arrived'"),
    ],
)
def test_a_fault_of_float_synapses_is_placed_and_named(faults: dict[str, Any], kind: str, switch: str) -> None:
    cases = [stdp(seed=seed) for seed in (0, 1)]
    assert classes_of(cases, Planted(partial(other_synapses, **faults)), kind, switch) == 2
    assert classes_of(cases[:1], Near(partial(other_synapses, **faults)), kind, switch) == 1


@pytest.mark.parametrize(
    ("faults", "kind", "switch"),
    [
        ({"shift": 1}, "delay", "delay_convention = 'one step later'"),
        ({"learns_first": True}, "order of spikes", "weight_timing = 'after learning'"),
        ({"waits": True}, "order of spikes", "plasticity_timing = 'arrived'"),
    ],
)
def test_a_fault_of_fixed_point_synapses_is_placed_and_named(faults: dict[str, Any], kind: str, switch: str) -> None:
    cases = chips(plastic=True)
    assert classes_of(cases, Planted(partial(other_synapses, **faults)), kind, switch) == 2


@pytest.mark.parametrize(
    ("faults", "kind", "switch"),
    [
        ({"reaches": True}, "threshold comparison", "threshold_comparison = '>='"),
        ({"reset": "subtract"}, "reset", "reset = 'subtract'"),
    ],
)
@pytest.mark.parametrize("kind_of_backend", [Planted, Near])
def test_a_fault_of_float_neurons_is_placed_and_named(
    faults: dict[str, Any], kind: str, switch: str, kind_of_backend: type[Planted]
) -> None:
    case = stdp()
    static = dataclasses.replace(
        case, program=case.program.with_weights({"in->a": case.program.projections[0].weight}, static=True)
    )
    other = kind_of_backend(partial(other_float_neurons, **faults))
    assert classes_of([static], other, kind, switch) == 1


def test_impulses_that_come_after_learning_are_an_order_of_spikes() -> None:
    cases = [stdp(delay=1, seed=seed) for seed in (0, 1)]
    assert classes_of(cases, Near(impulses_after_learning), "order of spikes", "coincidence = 'unseen'") == 2


def irrational() -> Case:
    """Float, without learning, in which no two orders of a sum give the same."""
    rng = np.random.default_rng(4)
    net = nm.Network(
        populations=[
            nm.Input("in", 8),
            nm.Population("a", 4, nm.LIF(v_threshold=4.0)),
            nm.Population("b", 2, nm.LIF(v_threshold=4.0)),
        ],
        projections=[
            nm.Projection("in", "a", rng.uniform(0, 0.2, (4, 8))),
            nm.Projection("a", "b", rng.uniform(0, 0.5, (2, 4))),
            nm.Projection("in", "b", rng.uniform(0, 0.1, (2, 8)), delay=3e-3),
        ],
    )
    return Case(name="sums", program=nm.compile(net), inputs={"in": rng.random((STEPS, 8)) < 0.3}, steps=STEPS)


def test_sums_in_another_order_are_an_order_of_spikes_where_backends_should_agree_exactly() -> None:
    backward = partial(other_synapses, is_backward=True)
    assert classes_of([irrational()], Planted(backward), "order of spikes", "summation = 'last to first'") == 1
    assert explained(irrational(), Near(backward)) is None  # within the tolerance of float


def test_states_of_single_precision_are_rounding() -> None:
    case = irrational()
    assert classes_of([case], Near(state_in_single_precision), "rounding", "rounding = 'single'") == 1
    # with every product and sum in float32 no switch follows to the end
    found = explained(case, Near(partial(other_float_neurons, dtype=np.float32)))
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("rounding",) and not found.cause.reproduced
    found = explained(case, Near(partial(other_synapses, gain=1 + 1e-7)))
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("rounding",) and "no further apart than single precision" in found.cause.reason


def test_conventions_that_cannot_be_told_apart_are_all_named() -> None:
    case = overflowing(64)  # a quarter of -3, and then of -4, is the same downward and to the nearest
    population = dataclasses.replace(case.program.populations[0], decay_v=[0.25], bias=[-3])
    program = dataclasses.replace(case.program, populations=[population])
    still = dataclasses.replace(case, program=program, inputs={})
    found = explained(still, Planted(partial(other_neurons, Faults(divided=floored))))
    assert found is not None and found.cause is not None and found.cause.reproduced
    assert found.cause.classes == ("rounding",)
    assert found.cause.switches == ("rounding = 'down'", "rounding = 'nearest'")
    assert str(found).endswith("(reproduced by the reference with rounding = 'down' or with rounding = 'nearest')")


def test_a_membrane_within_rounding_of_its_threshold_may_spike_on_one_backend_only() -> None:
    net = nm.Network(
        populations=[nm.Input("in", 3), nm.Population("out", 1, nm.IF(v_threshold=0.1 + 0.2))],
        projections=[nm.Projection("in", "out", [[0.1, 0.2, 0.3]])],
    )
    # 0.3 is not above 0.1 + 0.2 and (0.1 + 0.2) + 0.3 is; a backend that lies a bit higher spikes at 0.3
    rows = np.zeros((9, 3), dtype=bool)
    rows[3, 2] = True
    case = Case(name="near", program=nm.compile(net), inputs={"in": rows}, steps=9)
    found = explained(case, Near(partial(other_synapses, gain=1 + 1e-12)))
    assert found is not None and found.cause is not None
    assert (found.step, found.variable, found.reference_spiked) == (5, "v", False)
    assert found.cause.classes == ("rounding",) and "within rounding of its threshold" in found.cause.reason


@pytest.mark.parametrize("shift", [1, 77])
def test_another_seed_is_a_random_stream(shift: int) -> None:
    shown = 0
    for case in chips(plastic=True):
        found = explained(case, Planted(shift=shift))
        if found is None:
            continue
        shown += 1
        assert found.cause is not None
        assert found.cause.classes == ("random stream",), str(found)
        assert found.cause.reproduced == (shift == 1)
        assert all(switch.startswith("seed") for switch in found.cause.switches)
        assert ("seed = 1" in found.cause.switches) == (shift == 1)
    assert shown == 2


def test_a_backend_that_does_not_repeat_itself_is_a_random_stream() -> None:
    class Restless(OtherFloatNeurons):
        rng = np.random.default_rng(0)

        def step(self, current: Any) -> Any:
            return super().step(current + self.rng.normal(0, 0.01, current.shape))

    def plant(session: ReferenceSession) -> None:
        for name, neurons in session._neurons.items():
            session._neurons[name] = Restless(neurons.population, session.program)

    case = stdp()
    result = nm.compare(case.program, 60, backends=["reference", Near(plant)], inputs={"in": case.inputs["in"][:60]})
    found = result["near"].first_divergence
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("random stream",)
    assert "does not repeat itself" in found.cause.reason


def test_what_is_none_of_the_classes_is_unknown_and_says_what_was_tried() -> None:
    case = chips()[0]
    odd = Planted(partial(other_neurons, Faults(extra=lambda step, neuron: 7 if step >= 20 and neuron == 0 else 0)))
    found = explained(case, odd)
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("unknown",) and not found.cause.reproduced and found.cause.switches == ()
    assert {"reset = 'none'", "rounding = 'nearest'", "delay_convention = 'one step sooner'"} <= set(found.cause.tried)
    assert str(found).count("cause unknown: nothing that was tried makes the reference do as planted") == 1
    found = explained(stdp(), Near(partial(other_float_neurons, extra=0.01)))
    assert found is not None and found.cause is not None
    assert found.step == 20 and found.cause.classes == ("unknown",)


def test_a_convention_that_fits_only_for_a_while_is_only_likely() -> None:
    other = Faults(reset="subtract", extra=lambda step, neuron: 999 if step > 40 else 0)
    found = explained(chips()[0], Planted(partial(other_neurons, other)))
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("reset",) and not found.cause.reproduced
    assert "until step 40, not further" in found.cause.reason


def test_a_backend_that_agrees_only_in_its_statistics_is_a_random_stream() -> None:
    found = explained(
        chips()[0],
        Noisy(partial(other_neurons, Faults(extra=lambda step, neuron: step == 9))),
    )
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("random stream",) and "statistics" in found.cause.reason


def test_where_the_first_backend_is_the_odd_one_it_is_the_one_explained() -> None:
    case = ties()
    odd = Planted(partial(other_neurons, Faults(reaches=True)))
    result = nm.compare(case.program, case.steps, backends=[odd, "reference"], inputs=case.inputs)
    found = result["reference"].first_divergence
    assert found is not None and found.cause is not None
    assert found.backends == ("planted", "reference")
    assert found.cause.switches == ("threshold_comparison = '>='",)
    assert "it is planted that is reproduced by the reference with" in str(found)


def test_equal_backends_do_not_diverge_and_are_not_run_again() -> None:
    case, other = stdp(), Planted()
    result = nm.compare(case.program, case.steps, backends=["reference", other], inputs=case.inputs)
    assert result.all_equal and not result.diverges
    assert result["planted"].first_divergence is None
    assert len(other.opened) == 1


def test_without_explaining_nothing_is_run_again_and_the_first_spike_is_named() -> None:
    case, other = stdp(), Planted(partial(other_synapses, shift=1))
    result = nm.compare(case.program, case.steps, backends=["reference", other], inputs=case.inputs, explain=False)
    found = result["planted"].first_divergence
    assert found is not None and found.cause is None and found.variable == "spikes" and found.window is None
    assert len(other.opened) == 1
    assert result["planted"].spikes_equal is False


def test_states_are_searched_only_where_they_are_asked_for() -> None:
    case = stdp()
    quiet = dataclasses.replace(case, program=case.program.with_parameters("b", threshold=1e6))
    fault = Near(partial(other_float_neurons, extra=0.1))

    def plant(session: ReferenceSession) -> None:
        fault.plant(session)
        session._neurons["a"] = FloatNeurons(session._neurons["a"].population, session.program)

    other = Near(plant)
    spikes = nm.compare(quiet.program, quiet.steps, backends=["reference", other], inputs=quiet.inputs)
    assert spikes.all_equal and not spikes.diverges and spikes["near"].first_divergence is None
    found = explained(quiet, other)
    assert found is not None and (found.step, found.population, found.variable) == (20, "b", "u")
    states = nm.compare(
        quiet.program, 60, backends=["reference", other], inputs={"in": quiet.inputs["in"][:60]}, states=True
    )
    assert states.all_equal and states.diverges
    assert "same spikes, differs first at step 20" in str(states)


def test_weights_that_differ_are_traced_to_their_first_step_without_being_asked_for() -> None:
    rng = np.random.default_rng(6)
    rule = nm.LearningRule(dw="0.1 * x1 * x0", x1=nm.Trace(5e-3))
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("out", 3, nm.LIF(v_threshold=1e6))],
        projections=[nm.Projection("in", "out", rng.uniform(0, 1, (3, 5)), plasticity=rule)],
    )
    spikes = rng.random((70, 5)) < 0.2

    def plant(session: ReferenceSession) -> None:
        learn = session._synapses["in->out"].plastic.learn  # type: ignore[union-attr]

        def late(step: int, *rest: Any) -> None:
            learn(step, *rest)
            if step == 40:
                session._synapses["in->out"].weight[7] += 0.25

        session._synapses["in->out"].plastic.learn = late  # type: ignore[union-attr, method-assign]

    other = Near(plant)
    result = nm.compare(net, 70, backends=["reference", other], inputs={"in": spikes})
    found = result["near"].first_divergence
    assert result["near"].spikes_equal and found is not None
    assert (found.step, found.variable, found.projection, found.pre_neuron, found.neuron) == (
        40,
        "weight",
        "in->out",
        2,
        1,
    )
    assert found.values is not None and found.values[1] - found.values[0] == pytest.approx(0.25)
    assert str(found).startswith("step 40, projection 'in->out', synapse 2 -> 1, weight: ")


def test_the_sentence_is_whole() -> None:
    case = ties()
    found = explained(case, Planted(partial(other_neurons, Faults(reaches=True))))
    assert str(found) == (
        f"step {found.step}, population 'out', neuron 0, v: 16384 on reference, 0 on planted; likely cause:"  # type: ignore[union-attr]
        " threshold comparison (reproduced by the reference with threshold_comparison = '>=')"
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 40])
def test_a_divergence_at_the_very_beginning_or_end_of_a_run_has_a_shorter_window(steps: int) -> None:
    case = dataclasses.replace(stdp(steps=steps), steps=steps)
    for when in (1, steps):
        plant = partial(other_neurons_at, when)
        found = explained(case, Near(plant))
        assert found is not None and found.step == when


def other_neurons_at(step: int, session: ReferenceSession) -> None:
    other_float_neurons(session, now=20 - step, extra=0.5)


def test_a_late_divergence_of_a_long_run_is_found_through_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "_SHORTEST", 4)
    monkeypatch.setattr(lockstep, "_DIVISION", 3)
    case = stdp(steps=150)
    for when in (97, 150):
        found = explained(case, Near(partial(other_neurons_at, when)))
        assert found is not None and found.step == when


def test_a_cause_is_not_looked_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "MOST_STEPS", 30)
    found = explained(stdp(), Near(partial(other_neurons_at, 31)))
    assert found is not None and found.cause is not None
    assert found.cause.classes == ("unknown",) and "not looked for" in found.cause.reason


def test_a_backend_that_breaks_when_it_runs_again_keeps_the_spike_that_differed() -> None:
    class Once(Planted):
        def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
            if self.opened:
                raise nm.errors.SimulatorError("no second time")  # type: ignore[attr-defined]
            return super()._open(program, seed=seed, stall_second=stall_second)

    case = stdp()
    other = Once(partial(other_synapses, shift=1))
    result = nm.compare(case.program, case.steps, backends=["reference", other], inputs=case.inputs)
    found = result["planted"].first_divergence
    assert found is not None and found.cause is not None and found.variable == "spikes"
    assert found.cause.classes == ("unknown",) and "no second time" in found.cause.reason


def test_rules_with_epochs_and_tags_are_followed() -> None:
    rule = nm.RewardModulatedSTDP(modulator="r", tau_e=20e-3, learning_rate=0.2)
    rule = dataclasses.replace(rule, epoch=3e-3)
    rng = np.random.default_rng(3)
    net = nm.Network(
        populations=[nm.Input("in", 5), nm.Population("out", 3, nm.LIF())],
        projections=[nm.Projection("in", "out", rng.uniform(0, 0.8, (3, 5)), plasticity=rule)],
        modulators=[nm.Modulator("r")],
    )
    case = Case(
        name="epochs", program=nm.compile(net), inputs={"in": rng.random((STEPS, 5)) < 0.2},
        modulators={"r": np.zeros((STEPS, 1))}, steps=STEPS,
    )  # fmt: skip
    assert explained(case, Planted()) is None

    def plant(session: ReferenceSession) -> None:
        plastic = session._synapses["in->out"].plastic
        learn = plastic.learn  # type: ignore[union-attr]

        def other(step: int, *rest: Any) -> None:
            learn(step, *rest)
            if step == 51:
                plastic.tag[4] += 1.0  # type: ignore[union-attr]

        plastic.learn = other  # type: ignore[union-attr, method-assign]

    found = explained(case, Near(plant))
    assert found is not None
    assert (found.step, found.variable, found.pre_neuron, found.neuron) == (51, "tag", 4, 0)


def test_traces_are_held_together_at_the_ends_of_epochs_alone() -> None:
    rule = nm.LearningRule(dw="0.01 * x1 * y0", x1=nm.Trace(9e-3), epoch=4e-3)
    net = nm.Network(
        populations=[nm.Input("in", 2), nm.Population("out", 1, nm.LIF())],
        projections=[nm.Projection("in", "out", [[0.5, 0.7]], plasticity=rule)],
    )

    def plant(session: ReferenceSession) -> None:
        read = session._read

        def lazily(owner: str, variable: str) -> Any:
            values = read(owner, variable)
            return 2 * values if variable == "x1" and session.steps_run % 4 else values

        session._read = lazily  # type: ignore[method-assign]

    fed = {"in": np.random.default_rng(0).random((30, 2)) < 0.3}
    assert not nm.compare(net, 30, backends=["reference", Planted(plant)], inputs=fed, states=True).diverges


def test_the_networks_are_active() -> None:
    for case in [*chips(), *chips(plastic=True), stdp(), irrational()]:
        spikes = nm.run(case.program.with_all_spikes(), case.steps, inputs=case.inputs).spikes
        for population in case.program.populations:
            assert 0.02 < len(spikes[population.name]) / (case.steps * population.size) < 0.5
