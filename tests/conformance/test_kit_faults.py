"""Faults of sessions and of single places, which the kit must catch with a sentence that names the place."""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from neuromorph import connectors
from neuromorph.backend import Availability, Backend, Capabilities, Session
from neuromorph.backends.reference import Neurons, ReferenceSession, Synapses
from neuromorph.conformance import conform
from neuromorph.program import Program, ProjectionProgram
from neuromorph.testing import check, every_case

CASES = {case.name: case for case in every_case()}


@dataclass(frozen=True)
class Planted(Backend):
    """The reference with a fault."""

    name: ClassVar[str] = "planted"
    capabilities: ClassVar[Capabilities] = Capabilities()
    change: Callable[[Program], Program] = lambda program: program
    session: type[ReferenceSession] = ReferenceSession
    seed: Callable[[int], int] = lambda seed: seed
    rounding_seed: Callable[[int], int] = lambda seed: 2

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return self.session(
            self.change(program),
            backend=self.name,
            seed=self.seed(seed),
            stall_second=stall_second,
            rounding_seed=self.rounding_seed(seed),
        )


def delays(change: Callable[[ProjectionProgram], Any]) -> Callable[[Program], Program]:
    def changed(program: Program) -> Program:
        return dataclasses.replace(
            program, projections=[dataclasses.replace(p, delay=change(p)) for p in program.projections]
        )

    return changed


def is_loop(projection: ProjectionProgram) -> bool:
    return projection.pre == projection.post


class Resetting(ReferenceSession):
    """A reset that does too little or too much to neurons and synapses."""

    def _reset(self) -> None:
        waiting = {name: neurons.waiting.copy() for name, neurons in self._neurons.items()}
        super()._reset()
        for name, neurons in self._neurons.items():
            self.after_reset(neurons, waiting[name])
        for synapses in self._synapses.values():
            self.after_synapses(synapses)

    def after_reset(self, neurons: Neurons, waiting: Any) -> None:
        pass

    def after_synapses(self, synapses: Synapses) -> None:
        pass


class KeepsRefractoryPeriods(Resetting):
    def after_reset(self, neurons: Neurons, waiting: Any) -> None:
        neurons.waiting[:] = waiting


class RestoresThresholds(Resetting):
    def after_reset(self, neurons: Neurons, waiting: Any) -> None:
        neurons.threshold[:] = neurons.population.threshold


class RestoresWeights(Resetting):
    def after_synapses(self, synapses: Synapses) -> None:
        synapses.weight[:] = synapses.projection.weight


class RestartsTime(Resetting):
    def _reset(self) -> None:
        super()._reset()
        self._step = 0


def ignores(*variables: str) -> type[ReferenceSession]:
    class Ignores(ReferenceSession):
        def _write(self, owner: str, variable: str, values: Any) -> None:
            if variable not in variables:
                super()._write(owner, variable, values)

    return Ignores


class SharesThresholds(ReferenceSession):
    """All sessions of a process write the same thresholds."""

    shared: ClassVar[dict[str, Any]] = {}

    def __init__(self, program: Program, **options: Any) -> None:
        super().__init__(program, **options)
        for name, neurons in self._neurons.items():
            key = f"{program.fingerprint} {name}"
            neurons.threshold = self.shared.setdefault(key, neurons.threshold)


class SharesTime(ReferenceSession):
    """Two sessions at once count their steps together."""

    clock: ClassVar[list[int]] = [0]

    def __init__(self, program: Program, **options: Any) -> None:
        super().__init__(program, **options)
        self.clock[0] = 0

    def _advance(self, steps: int, *arguments: Any) -> Any:
        self._step = self.clock[0]
        advance = super()._advance(steps, *arguments)
        self.clock[0] = self._step
        return advance


class RefusesNoSteps(ReferenceSession):
    def _advance(self, steps: int, *arguments: Any) -> Any:
        if steps == 0:
            raise ValueError("how many steps?")
        return super()._advance(steps, *arguments)


FAULTS: list[tuple[str, str, Backend, str]] = [
    ("loops one step late", "recurrent", Planted(change=delays(lambda p: p.delay + is_loop(p))), "whole run, step "),
    ("delays of loops transposed", "delays of a loop",
     Planted(change=delays(lambda p: p.delay.reshape(4, 4).T.ravel() if is_loop(p) else p.delay)), "whole run, step "),
    ("delays cut at 31", "longest delay", Planted(change=delays(lambda p: np.minimum(p.delay, 31))), "whole run, step "),
    ("refractory periods outlive a reset", "refractory periods of their own", Planted(session=KeepsRefractoryPeriods),
     "run after reset, step "),
    ("a reset restores thresholds", "plain", Planted(session=RestoresThresholds),
     "second reset, entry 0: out.v_threshold is 5.0, expected "),
    ("a reset restores weights", "plain", Planted(session=RestoresWeights), "second reset, entry 0: in->out.weight is "),
    ("a reset restores learned weights", "learning", Planted(session=RestoresWeights), "reset, entry 0: in->out.weight"),
    ("a reset restarts the time", "epoch", Planted(session=RestartsTime), "run after the second reset, step "),
    ("writes of u ignored", "plain", Planted(session=ignores("u")), "written values, entry 0: out.u is "),
    ("writes of v ignored", "plain", Planted(session=ignores("v")), "written values, entry 0: out.v is "),
    ("writes of traces ignored", "learning", Planted(session=ignores("x1")), "written values, entry 0: in->out.x1 is "),
    ("writes of tags ignored", "tag", Planted(session=ignores("tag")), "written values, entry 0: in->out.tag is "),
    ("thresholds of all sessions are one", "plain", Planted(session=SharesThresholds), ""),
    ("steps of all sessions are counted together", "epoch", Planted(session=SharesTime), "session"),
    ("the seed is ignored", "fixed: learning", Planted(seed=lambda seed: 0), "session with seed 1, step "),
]  # fmt: skip


@pytest.mark.parametrize(("case", "backend", "sentence"), [f[1:] for f in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_caught_and_its_place_is_told(case: str, backend: Backend, sentence: str) -> None:
    verdict = check(backend, CASES[case])
    assert verdict.status == "differs"
    assert sentence in verdict.sentence


class LosesWhatIsUnderWay(ReferenceSession):
    def _state(self) -> dict[str, Any]:
        return {name: v * 0 if name.endswith(".under_way") else v for name, v in super()._state().items()}


class LosesSpikeTimes(ReferenceSession):
    def _set_state(self, state: Any) -> None:
        super()._set_state({name: v * 0 if name.endswith("_time") else v for name, v in state.items()})


class DrawsAnew(ReferenceSession):
    def _set_state(self, state: Any) -> None:
        steps, self.steps_run = self.steps_run, 0
        super()._set_state(state)
        self._step = self.steps_run = steps


class HasNamesOfItsOwn(ReferenceSession):
    """It understands what it writes, and nobody else does: the rows of what is under way are in another order."""

    def _state(self) -> dict[str, Any]:
        return {name: v[::-1] if name.endswith(".under_way") else v for name, v in super()._state().items()}

    def _set_state(self, state: Any) -> None:
        super()._set_state({name: v[::-1] if name.endswith(".under_way") else v for name, v in state.items()})


class Resumable(Backend):
    """The reference with checkpoints that may have a fault."""

    name = "resumable"
    capabilities = Capabilities(agreement="exact", checkpoints=True)
    session: ClassVar[type[ReferenceSession]] = ReferenceSession

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        return self.session(program, backend=self.name, seed=seed, stall_second=stall_second)


@pytest.mark.parametrize(
    "case", ["delay", "epoch", "refractory", "fixed: learning", "fixed: delayed sums shifted down"]
)
def test_sound_checkpoints_agree(case: str) -> None:
    assert check(Resumable(), CASES[case]).status == "agrees"


@pytest.mark.parametrize(
    ("session", "case", "phase"),
    [
        (LosesWhatIsUnderWay, "delay", "runs resumed from its checkpoint"),
        (LosesSpikeTimes, "epoch", "runs resumed from its checkpoint"),
        (DrawsAnew, "fixed: learning", "runs resumed from its checkpoint"),
        (HasNamesOfItsOwn, "delay", "runs resumed from its checkpoint"),
    ],
)
def test_a_checkpoint_that_loses_something_is_caught(session: Any, case: str, phase: str) -> None:
    class Faulty(Resumable):
        pass

    Faulty.session = session
    verdict = check(Faulty(), CASES[case])
    assert verdict.status == "differs"
    assert verdict.sentence.startswith(phase)


class ForgetsTags(ReferenceSession):
    def _set_state(self, state: Any) -> None:
        super()._set_state({name: v * 0 if name.endswith(".tag") else v for name, v in state.items()})


class ArrivesOneStepSooner(ReferenceSession):
    def _set_state(self, state: Any) -> None:
        early = {name: np.roll(v, -1, axis=0) for name, v in state.items() if name.endswith(".under_way")}
        super()._set_state({**state, **early})


@pytest.mark.parametrize("case", ["delay", "sparse", "tag", "fixed: learning"])
def test_sound_rewiring_agrees(case: str) -> None:
    class Rewirable(Resumable):
        capabilities = Capabilities(agreement="exact", rewiring=True)

    assert check(Rewirable(), CASES[case]).status == "agrees"


@pytest.mark.parametrize(("session", "case"), [(ForgetsTags, "tag"), (ArrivesOneStepSooner, "delay")])
def test_rewiring_that_loses_something_is_caught(session: Any, case: str) -> None:
    class Faulty(Resumable):
        capabilities = Capabilities(agreement="exact", rewiring=True)

    Faulty.session = session
    verdict = check(Faulty(), CASES[case])
    assert verdict.status == "differs"
    assert "rewiring" in verdict.sentence


def test_a_run_of_no_steps_must_work() -> None:
    with pytest.raises(Exception, match="how many steps"):
        check(Planted(session=RefusesNoSteps), CASES["plain"])


def test_the_earliest_difference_is_told_and_not_that_of_the_first_population() -> None:
    def change(program: Program) -> Program:
        last = dataclasses.replace(program.populations[2], bias=[0.0, 0.0, 0.5, 0.0])
        first = dataclasses.replace(program.populations[0], decay_u=program.populations[0].decay_u * 0.99)
        return dataclasses.replace(program, populations=[first, program.populations[1], last])

    difference = check(Planted(change=change), CASES["chain"]).difference
    assert difference is not None
    assert (difference.step, difference.what, difference.neuron) == (1, "last.v", 2)


class Statistical(Planted):
    capabilities: ClassVar[Capabilities] = Capabilities(fixed_agreement="statistical")


@pytest.mark.parametrize("first", [100, 300])
def test_streams_that_are_a_backends_own_are_no_fault(first: int) -> None:
    own = Statistical(seed=lambda seed: seed + first, rounding_seed=lambda seed: seed + first)
    verdict = check(own, CASES["fixed: slow learning by rounding"])  # what it learns is rounding and nothing else
    assert verdict.status == "agrees", str(verdict)


def test_a_statistical_backend_that_ignores_the_seed_is_caught() -> None:
    verdict = check(Statistical(seed=lambda seed: 5), CASES["fixed: slow learning by rounding"])
    assert verdict.status == "differs"
    assert "24 seeds" in verdict.sentence


def test_a_statistical_backend_must_take_what_is_written() -> None:
    verdict = check(Statistical(session=ignores("weight")), CASES["fixed: fixed_point"])
    assert verdict.status == "differs"
    assert "written values" in verdict.sentence


def test_a_backend_that_breaks_differs_and_the_other_cases_are_gone_through() -> None:
    class Breaks(ReferenceSession):
        def _advance(self, steps: int, *arguments: Any) -> Any:
            if self.program.projections[0].max_delay == 4:
                raise KeyError("four steps")
            return super()._advance(steps, *arguments)

    class Few(Planted):
        capabilities: ClassVar[Capabilities] = Capabilities()

        def faults(self, program: Program) -> list[str]:
            delay = max(p.max_delay for p in program.projections)
            return [] if program.arithmetic == "float" and delay in (3, 4) else ["not now"]

    result = conform(Few(session=Breaks), random_cases=0)
    assert not result.passed
    broken = [row.verdict for row in result.rows if row.verdict.status == "differs"]
    assert [verdict.case for verdict in broken] == ["delay"]
    assert broken[0].sentence == "it broke with KeyError: 'four steps'"
    assert result.counts("float")["tolerance"] >= 1


def test_every_connector_and_distribution_is_in_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()

    def noting(kind: type, method: str) -> None:
        inner = getattr(kind, method)

        def noted(self: Any, *arguments: Any) -> Any:
            used.add(kind.__name__)
            return inner(self, *arguments)

        monkeypatch.setattr(kind, method, noted)

    kinds = [
        kind for _, kind in inspect.getmembers(connectors, inspect.isclass) if kind.__module__ == connectors.__name__
    ]
    kinds = [k for k in kinds if issubclass(k, connectors.Connector) and not inspect.isabstract(k)]
    for kind in kinds:
        noting(kind, "synapses")
    for distribution in (connectors.Uniform, connectors.Normal):
        noting(distribution, "draw")
    every_case()
    assert used == {kind.__name__ for kind in kinds} | {"Uniform", "Normal"}
