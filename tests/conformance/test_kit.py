"""The kit must catch a backend that is wrong, whatever it is wrong about."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import neuromorph as nm
from neuromorph.backend import FEATURES, Availability, Backend, Capabilities, Gap, Session
from neuromorph.backends.reference import ReferenceBackend, ReferenceSession
from neuromorph.errors import InputError, NumericalLimit, SimulatorError
from neuromorph.plasticity import parse
from neuromorph.program import Program, ProjectionProgram
from neuromorph.testing import (
    AGREEMENTS,
    Case,
    check,
    every_case,
    feature_cases,
    fixed_cases,
    fixed_feature_cases,
    minimal_cases,
    random_case,
    random_fixed_case,
    supported_features,
)

CASES = {case.name: case for case in every_case()}


@dataclass(frozen=True)
class Faulty(Backend):
    """The reference with a program or a session that is not quite right."""

    name: ClassVar[str] = "faulty"
    capabilities: ClassVar[Capabilities] = Capabilities()
    change: Callable[[Program], Program] = lambda program: program
    session: type[ReferenceSession] = ReferenceSession

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return self.session(self.change(program), backend=self.name, seed=seed, stall_second=stall_second)


def projections(program: Program, change: Callable[[ProjectionProgram], ProjectionProgram]) -> Program:
    return dataclasses.replace(program, projections=[change(p) for p in program.projections])


def populations(program: Program, **change: Callable[[Any], Any]) -> Program:
    changed = [
        dataclasses.replace(q, **{name: made(getattr(q, name)) for name, made in change.items()})
        for q in program.populations
    ]
    return dataclasses.replace(program, populations=changed)


def rules(program: Program, **change: Any) -> Program:
    return projections(
        program, lambda p: p if p.rule is None else dataclasses.replace(p, rule=dataclasses.replace(p.rule, **change))
    )


def traces(program: Program, **change: Any) -> Program:
    def changed(projection: ProjectionProgram) -> ProjectionProgram:
        if (rule := projection.rule) is None:
            return projection
        replaced = {name: dataclasses.replace(trace, **change) for name, trace in rule.traces.items()}
        return dataclasses.replace(projection, rule=dataclasses.replace(rule, traces=replaced))

    return projections(program, changed)


class ForgetsBetweenChunks(ReferenceSession):
    def _advance(self, *arguments: Any) -> Any:
        for synapses in self._synapses.values():
            synapses.under_way[:] = 0.0
        return super()._advance(*arguments)


class KeepsMembranes(ReferenceSession):
    def _reset(self) -> None:
        kept = {name: neurons.v.copy() for name, neurons in self._neurons.items()}
        super()._reset()
        for name, neurons in self._neurons.items():
            neurons.v[:] = kept[name]


class KeepsTraces(ReferenceSession):
    def _reset(self) -> None:
        kept = {name: s.plastic.traces for name, s in self._synapses.items() if s.plastic}
        super()._reset()
        for name, traces in kept.items():
            self._synapses[name].plastic.traces = {k: v + 0.1 for k, v in traces.items()}


def ignores(variable: str) -> type[ReferenceSession]:
    class Ignores(ReferenceSession):
        def _write(self, owner: str, name: str, values: Any) -> None:
            if name != variable:
                super()._write(owner, name, values)

    return Ignores


class RoundsOnWriting(ReferenceSession):
    def _write(self, owner: str, variable: str, values: Any) -> None:
        super()._write(owner, variable, np.float32(values).astype(float))


class IsNoisy(ReferenceSession):
    noise = np.random.default_rng(0)

    def _advance(self, *arguments: Any) -> Any:
        for neurons in self._neurons.values():
            neurons.u += self.noise.normal(0.0, 1e-7, neurons.u.shape)
        return super()._advance(*arguments)


class NeverRests(ReferenceSession):
    def _advance(self, steps: int, *arguments: Any) -> Any:
        for neurons in self._neurons.values():
            neurons.bias[:] = np.maximum(neurons.bias, 0.2 * neurons.threshold)
        return super()._advance(steps, *arguments)


class Reaches(ReferenceSession):
    """Spikes where the threshold is reached, and reports the true thresholds."""

    def _advance(self, *arguments: Any) -> Any:
        for neurons in self._neurons.values():
            neurons.threshold[:] = np.nextafter(neurons.threshold, 0.0)
        advance = super()._advance(*arguments)
        for neurons in self._neurons.values():
            neurons.threshold[:] = np.nextafter(neurons.threshold, math.inf)
        return advance


class KeepsAdaptation(ReferenceSession):
    """A reset forgets everything but what spikes have added to thresholds."""

    def _reset(self) -> None:
        kept = {name: neurons.adaptation.copy() for name, neurons in self._neurons.items()}
        super()._reset()
        for name, neurons in self._neurons.items():
            neurons.adaptation[:] = kept[name]


# 7-bit traces always decay, see spikes only, and become nearest ones by an impulse that saturates them; thresholds that
# adapt and delays that learn have no integers
FLOAT_ONLY = {"non_decaying_trace", "nearest_traces", "membrane_traces", "rectified_factors"}
FLOAT_ONLY |= {"adaptive_threshold", "learned_delays"}

FAULTS = [
    ("late spikes", "plain", Faulty(change=lambda p: projections(p, lambda s: dataclasses.replace(s, delay=s.delay + 1)))),
    ("one delay for all", "delay_per_synapse",
     Faulty(change=lambda p: projections(p, lambda s: dataclasses.replace(s, delay=np.full_like(s.delay, s.delay[0]))))),
    ("weights in float32", "plain",
     Faulty(change=lambda p: projections(p, lambda s: dataclasses.replace(s, weight=np.float32(s.weight))))),
    ("euler decay", "plain", Faulty(change=lambda p: populations(p, decay_v=lambda d: 1 + np.log(d)))),
    ("thresholds that suffice when reached", "threshold reached", Faulty(session=Reaches)),
    ("no refractory period", "refractory", Faulty(change=lambda p: populations(p, refractory=lambda r: r * 0))),
    ("a refractory period too short", "refractory", Faulty(change=lambda p: populations(p, refractory=lambda r: r - 1))),
    ("thresholds that stay", "adaptive_threshold",
     Faulty(change=lambda p: populations(p, threshold_increment=lambda h: h * 0))),
    ("thresholds that decay slowly", "adaptations of their own",
     Faulty(change=lambda p: populations(p, decay_threshold=lambda d: np.sqrt(d)))),
    ("a reset that keeps adaptation", "adaptive_threshold", Faulty(session=KeepsAdaptation)),
    ("no learned delays", "learned_delays",
     Faulty(change=lambda p: rules(p, dd=parse("0.0 * x0")))),
    ("delays that end sooner", "delays alone that learn", Faulty(change=lambda p: rules(p, d_max=8))),
    ("no bounds", "weight_bounds", Faulty(change=lambda p: rules(p, w_max=math.inf))),
    ("traces that add up spikes", "nearest_traces", Faulty(change=lambda p: traces(p, nearest=False))),
    ("traces that add up spikes of an epoch", "nearest traces in epochs",
     Faulty(change=lambda p: traces(p, nearest=False))),
    ("traces of spikes alone", "membrane_traces", Faulty(change=lambda p: traces(p, source="spikes"))),
    ("no spikes in the membrane", "membrane itself", Faulty(change=lambda p: traces(p, impulse=0.0))),
    ("epochs of one step", "epoch", Faulty(change=lambda p: rules(p, epoch=1))),
    ("no learning", "learning",
     Faulty(change=lambda p: projections(p, lambda s: dataclasses.replace(s, rule=None)))),
    ("weights learned in float32", "learning", Faulty(session=RoundsOnWriting)),
    ("chunks that forget", "delay", Faulty(session=ForgetsBetweenChunks)),
    ("a reset that keeps membranes", "plain", Faulty(session=KeepsMembranes)),
    ("a reset that keeps traces", "learning", Faulty(session=KeepsTraces)),
    ("writes of weights ignored", "plain", Faulty(session=ignores("weight"))),
    ("writes of thresholds ignored", "plain", Faulty(session=ignores("v_threshold"))),
    ("writes of bias ignored", "plain", Faulty(session=ignores("bias"))),
    ("noise", "plain", Faulty(session=IsNoisy)),
    ("spikes in silence", "plain", Faulty(session=NeverRests)),
]  # fmt: skip


@pytest.mark.parametrize(("case", "backend"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_wrong_backend_is_caught(case: str, backend: Backend) -> None:
    verdict = check(backend, CASES[case])
    assert verdict.status == "differs"
    assert verdict.difference is not None and verdict.difference.phase and verdict.difference.what


def test_a_verdict_says_where_and_by_how_much() -> None:
    slow = Faulty(change=lambda p: populations(p, bias=lambda b: b - 0.5))
    verdict = check(slow, CASES["bias alone"])
    assert verdict.difference is not None
    assert (verdict.difference.what, verdict.difference.step, verdict.difference.neuron) == ("out.v", 1, 0)
    assert verdict.sentence == "whole run, step 1, entry 0: out.v is -0.44, expected 0.06"


def near_threshold(steps: int = 50) -> Case:
    """A neuron whose membrane comes to the last float below its threshold after three input spikes."""
    threshold = float(np.nextafter(0.1 + 0.1 + 0.1, 1.0))
    net = nm.Network(
        populations=[nm.Input("in", 1), nm.Population("out", 1, nm.IF(v_threshold=threshold, tau_syn=0.0))],
        projections=[nm.Projection("in", "out", [[0.1]])],
    )
    return Case(name="near", program=nm.compile(net), inputs={"in": np.ones((steps, 1), bool)}, steps=steps)


def test_a_rounding_difference_at_the_threshold_is_no_fault_and_is_told() -> None:
    nudged = Faulty(change=lambda p: populations(p, threshold=lambda t: t * (1 - 6e-16)))
    case = near_threshold()
    verdict = check(nudged, case)
    assert verdict.status == "agrees"
    assert verdict.cut_short
    assert "within rounding of its threshold" in verdict.sentence
    assert f"whole run, step {verdict.steps_followed + 1}," in verdict.sentence
    assert 0 < verdict.steps_followed < 10


def test_a_verdict_tells_how_far_it_was_followed() -> None:
    case = CASES["plain"]
    followed = check(ReferenceBackend(), case)
    assert (followed.steps_followed, followed.cut_short) == (case.steps, False)
    noisy = check(Faulty(session=IsNoisy), case)
    assert noisy.difference is not None and noisy.difference.step is not None
    assert (noisy.steps_followed, noisy.cut_short) == (noisy.difference.step - 1, False)
    kept = check(Faulty(session=KeepsMembranes), case)  # differs in a later phase
    assert kept.steps_followed == case.steps


@pytest.mark.parametrize("failing", ["open", "close"])
def test_no_session_stays_open_when_the_backend_fails(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Session] = []
    opening = ReferenceBackend.open

    def noting(self: ReferenceBackend, *arguments: Any, **options: Any) -> Session:
        opened.append(opening(self, *arguments, **options))
        return opened[-1]

    class Fails(Faulty):
        def _open(self, program: Program, **options: Any) -> Session:
            if failing == "open":
                raise ZeroDivisionError
            return Sticks(program, backend=self.name, **options)

    class Sticks(ReferenceSession):
        def _close(self) -> None:
            raise ZeroDivisionError

    monkeypatch.setattr(ReferenceBackend, "open", noting)
    with pytest.raises((ZeroDivisionError, SimulatorError)):
        check(Fails(), CASES["plain"])
    assert len(opened) == 1
    with pytest.raises(SimulatorError, match="closed"):
        opened[0].run(1)


def test_declared_gaps_are_skipped_with_their_sentence() -> None:
    class Lacking(Faulty):
        capabilities: ClassVar[Capabilities] = Capabilities(gaps={"delay": Gap("a wire has no length", "never")})

    backend = Lacking()
    verdict = check(backend, CASES["delay"])
    assert (verdict.status, verdict.difference) == ("skipped", None)
    assert verdict.sentence == "delay (delays of more than one step) in projection 'in->out': a wire has no length"
    assert supported_features(backend) == set(FEATURES) - {"delay"}


def test_a_backend_that_cannot_run_here_is_skipped_with_its_remedy() -> None:
    class Missing(Faulty):
        def availability(self) -> Availability:
            return Availability(available=False, reason="no chip", remedy="buy one")

    assert str(check(Missing(), CASES["plain"])) == "faulty on 'plain' skipped: no chip. Remedy: buy one"


@pytest.mark.parametrize("case", minimal_cases(), ids=lambda case: case.name)
def test_hand_made_cases_are_active_and_learn(case: Case) -> None:
    with nm.open(case.program.with_all_spikes()) as session:
        recording = session.run(case.steps, inputs=case.inputs, modulators=case.modulators)
        for population in case.program.populations:
            rate = len(recording.spikes[population.name]) / population.size / case.steps
            assert 0.02 <= rate <= 0.35, (population.name, rate)
        for projection in case.program.projections:
            for target, total in {} if projection.rule is None else projection.rule.targets.items():
                if target != "tag" and total.products:
                    assert np.any(session._read(projection.name, target) != getattr(projection, target)), target


@pytest.mark.parametrize("seed", range(12))
def test_random_cases_are_active_and_repeat_themselves(seed: int) -> None:
    case = random_case(seed, steps=200)
    assert case.program.fingerprint == random_case(seed, steps=200).program.fingerprint
    recording = nm.run(case.program.with_all_spikes(), 200, inputs=case.inputs, modulators=case.modulators)
    spikes = sum(len(recording.spikes[q.name]) for q in case.program.populations)
    assert spikes / 200 / sum(q.size for q in case.program.populations) >= 0.01


def test_random_cases_reach_every_feature_and_keep_to_what_is_allowed() -> None:
    reached: set[str] = set()
    for seed in range(30):
        reached |= random_case(seed, steps=60).features
    assert reached == set(FEATURES) - {"fixed_point"}
    for feature in ("recurrent", "sparse", "refractory", "per_neuron_parameters"):
        assert random_case(3, features_allowed=[feature], steps=60).features <= {feature}
    assert random_case(0, features_allowed=[], steps=60).features == set()
    with pytest.raises(InputError, match=r"unknown features \['magic'\]"):
        random_case(0, features_allowed=["magic"])


def test_every_feature_has_its_case() -> None:
    assert set(feature_cases()) == set(FEATURES) - {"fixed_point"}
    assert set(fixed_feature_cases()) == set(FEATURES) - FLOAT_ONLY


@pytest.mark.parametrize("case", fixed_cases(), ids=lambda case: case.name)
def test_hand_made_fixed_point_cases_are_active_and_learn(case: Case) -> None:
    with nm.open(case.program.with_all_spikes()) as session:
        recording = session.run(case.steps, inputs=case.inputs, modulators=case.modulators)
        for population in case.program.populations:
            assert len(recording.spikes[population.name]) >= 10, population.name
        for projection in case.program.projections:
            if projection.rule is not None:
                assert np.any(session._read(projection.name, "weight") != projection.weight)


def test_random_fixed_point_cases_reach_every_feature_and_repeat_themselves() -> None:
    reached: set[str] = set()
    for seed in range(40):
        case = random_fixed_case(seed, steps=60)
        reached |= case.features
        if seed < 5:
            assert case.program.fingerprint == random_fixed_case(seed, steps=60).program.fingerprint
    assert reached == set(FEATURES) - FLOAT_ONLY
    assert random_fixed_case(0, features_allowed=[], steps=60).features == {"fixed_point"}


def conventions(**other: str) -> Faulty:
    return Faulty(change=lambda p: dataclasses.replace(p, **other))


FIXED_FAULTS = [
    ("decays rounded down", "fixed: mixed signs", conventions(rounding="down")),
    ("decays rounded to nearest", "fixed: fixed_point", conventions(rounding="nearest")),
    ("a current that saturates", "fixed: current wraps", conventions(u_overflow="saturate")),
    ("a current without limit", "fixed: current wraps downwards", conventions(u_overflow="none")),
    ("a voltage that wraps", "fixed: voltage saturates downwards", conventions(v_overflow="wrap")),
    ("a voltage without limit", "fixed: voltage saturates", conventions(v_overflow="none")),
    ("thresholds that suffice when reached", "fixed: threshold reached", conventions(threshold_comparison=">=")),
    ("a reset by subtraction", "fixed: refractory", conventions(reset="subtract")),
    ("coincident spikes that miss each other", "fixed: learning", conventions(coincidence="unseen")),
    ("learning before sending", "fixed: weight_bounds", conventions(weight_timing="after learning")),
    ("rules that see arrivals", "fixed: learning_delay", conventions(plasticity_timing="arrived")),
    ("other exponents", "fixed: sums shifted down",
     Faulty(change=lambda p: projections(p, lambda s: dataclasses.replace(s, weight_exponent=-2)))),
    ("other impulses", "fixed: learning",
     Faulty(change=lambda p: rules(p, traces={k: dataclasses.replace(t, impulse=41.0)
                                              for k, t in p.projections[0].rule.traces.items()}))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "backend"), [fault[1:] for fault in FIXED_FAULTS], ids=[fault[0] for fault in FIXED_FAULTS]
)
def test_a_backend_that_is_wrong_in_fixed_point_is_caught(case: str, backend: Backend) -> None:
    verdict = check(backend, CASES[case])
    assert verdict.status == "differs"
    assert verdict.agreement == "exact"


class OtherStreams(Faulty):
    """Its own random numbers, as a chip has them: right in distribution only."""

    capabilities: ClassVar[Capabilities] = Capabilities(fixed_agreement="statistical")

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return super()._open(program, seed=seed + 1000, stall_second=stall_second)


def test_independent_random_streams_agree_in_distribution_and_a_bias_is_caught() -> None:
    case = CASES["fixed: fractions of impulses"]
    verdict = check(OtherStreams(), case)
    assert (verdict.status, verdict.agreement) == ("agrees", "statistical"), str(verdict)
    weak = OtherStreams(
        change=lambda p: rules(
            p,
            traces={k: dataclasses.replace(t, impulse=2 * t.impulse) for k, t in p.projections[0].rule.traces.items()},
        )
    )
    verdict = check(weak, case)
    assert verdict.status == "differs"
    assert "Kolmogorov-Smirnov" in verdict.sentence


def test_a_backend_that_stops_at_its_limits_is_skipped_with_the_sentence() -> None:
    class Stops(ReferenceSession):
        def _advance(self, *arguments: Any) -> Any:
            raise NumericalLimit("step 3, population 'out', neuron 1: 2^21 is too much")

    verdict = check(Faulty(session=Stops), CASES["plain"])
    assert verdict.status == "skipped"
    assert "2^21 is too much" in verdict.sentence


def test_every_class_of_agreement_says_what_it_is_held_to() -> None:
    assert set(AGREEMENTS) == {"exact", "tolerance", "statistical"}


def test_a_case_holds_only_what_fits() -> None:
    with pytest.raises(InputError, match=r"'in' must have shape \(500, 6\), got \(3, 6\)"):
        Case(name="wrong", program=CASES["plain"].program, inputs={"in": np.zeros((3, 6), bool)})
    with pytest.raises(InputError, match=r"'ghost' must have shape \(500, unknown\)"):
        Case(name="wrong", program=CASES["plain"].program, modulators={"ghost": np.zeros((500, 1))})


def test_the_reference_agrees_with_itself() -> None:
    for seed in range(20, 26):
        assert check(ReferenceBackend(), random_case(seed, steps=250)).status == "agrees"
