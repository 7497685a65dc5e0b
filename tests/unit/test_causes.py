"""Causes of differences that are no convention of a whole program: one projection, one population, one bound, chance."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

import neuromorph as nm
from neuromorph import causes, registry
from neuromorph.backend import Availability, Backend, Capabilities, Session
from neuromorph.backends.reference import ReferenceSession
from neuromorph.divergence import Divergence
from neuromorph.plasticity.terms import SumOfProducts
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import SpikeTrain
from neuromorph.report.listings import comparison_table, window_table
from neuromorph.testing import Case, every_case

CASES = {case.name: case for case in every_case()}


@dataclass(frozen=True, eq=False)
class Planted(Backend):
    """The reference with another program or session."""

    name: ClassVar[str] = "planted"
    capabilities: ClassVar[Capabilities] = Capabilities()
    change: Callable[[Program], Program] = lambda program: program
    session: type[ReferenceSession] = ReferenceSession
    opened: list[int] = field(default_factory=list)

    def availability(self) -> Availability:
        return Availability(available=True)

    def _open(self, program: Program, *, seed: int, stall_second: float) -> Session:
        self.opened.append(seed)
        return self.session(self.change(program), backend=self.name, seed=seed, stall_second=stall_second)


def found(case: Case, other: Backend, **options: Any) -> Divergence:
    result = nm.compare(
        case.program,
        case.steps,
        backends=["reference", other],
        inputs=case.inputs,
        modulators=case.modulators,
        **options,
    )
    divergence = result["planted"].first_divergence
    assert divergence is not None and divergence.cause is not None
    assert result.diverges
    return divergence


def projections(change: Callable[[ProjectionProgram], ProjectionProgram]) -> Callable[[Program], Program]:
    return lambda program: dataclasses.replace(program, projections=[change(p) for p in program.projections])


def populations(**change: Callable[[Any], Any]) -> Callable[[Program], Program]:
    def changed(program: Program) -> Program:
        return dataclasses.replace(
            program,
            populations=[
                dataclasses.replace(p, **{name: made(getattr(p, name)) for name, made in change.items()})
                for p in program.populations
            ],
        )

    return changed


@pytest.mark.parametrize("case", ["recurrent", "fixed: recurrent"])
def test_a_delay_of_one_projection_is_named(case: str) -> None:
    late = projections(lambda p: dataclasses.replace(p, delay=p.delay + (p.pre == p.post)))
    cause = found(CASES[case], Planted(late)).cause
    assert cause is not None
    assert (cause.classes, cause.reproduced) == (("delay",), True)
    assert cause.switches == ("delay of 'out->out' one step longer",)


def test_a_projection_that_is_early_is_named() -> None:
    early = projections(lambda p: dataclasses.replace(p, delay=np.maximum(p.delay - (p.name == "second"), 1)))
    cause = found(CASES["several_delays"], Planted(early)).cause
    assert cause is not None
    assert (cause.classes, cause.switches) == (("delay",), ("delay of 'second' one step shorter",))


@pytest.mark.parametrize(("change", "length"), [(1, "longer"), (-1, "shorter")])
@pytest.mark.parametrize("case", ["refractory", "fixed: refractory"])
def test_a_refractory_period_that_is_off_by_one_is_a_reset(change: int, length: str, case: str) -> None:
    cause = found(CASES[case], Planted(populations(refractory=lambda r: r + change))).cause
    assert cause is not None
    assert (cause.classes, cause.switches) == (("reset",), (f"refractory of 'out' one step {length}",))


class ForgetsCurrents(ReferenceSession):
    """A spike resets u as well."""

    def __init__(self, program: Program, **options: Any) -> None:
        super().__init__(program, **options)
        for neurons in self._neurons.values():
            step = neurons.step

            def forgetting(current: Any, neurons: Any = neurons, step: Any = step) -> Any:
                spiking = step(current)
                neurons.u[spiking] = 0.0
                return spiking

            neurons.step = forgetting  # type: ignore[method-assign]


@pytest.mark.parametrize("case", ["plain", "fixed: fixed_point"])
def test_a_current_that_a_spike_resets_is_a_reset(case: str) -> None:
    cause = found(CASES[case], Planted(session=ForgetsCurrents)).cause
    assert cause is not None
    assert (cause.classes, cause.reproduced) == (("reset",), False)
    assert "u forgets what it was" in cause.reason


def test_spikes_that_do_not_arrive_are_a_delay() -> None:
    case = CASES["one to one"]
    last = int(np.argmax(case.inputs["in"].argmax(axis=0)))  # the others have spiked before
    deaf = projections(lambda p: dataclasses.replace(p, weight=p.weight * (p.pre_index != last)))
    divergence = found(case, Planted(deaf))
    assert divergence.cause is not None
    assert divergence.neuron == last
    assert divergence.cause.classes == ("delay",) and "nothing arrives in this step" in divergence.cause.reason


def test_decays_that_differ_are_not_taken_for_a_delay() -> None:
    cause = found(CASES["plain"], Planted(populations(decay_u=lambda decay: decay * 1.1))).cause
    assert cause is not None
    assert cause.classes == ("unknown",)


def test_a_weight_beyond_its_bound_is_saturation() -> None:
    free = projections(
        lambda p: p if p.rule is None else dataclasses.replace(p, rule=dataclasses.replace(p.rule, w_max=9.0))
    )
    divergence = found(CASES["weight_bounds"], Planted(free), states=True)
    assert divergence.cause is not None
    assert divergence.variable == "weight"
    assert divergence.cause.classes == ("saturation",) and "the rule's bound 0.6" in divergence.cause.reason


def test_sums_that_are_shifted_toward_zero_are_rounding() -> None:
    case = CASES["fixed: sums shifted down"]
    exponent = case.program.projections[0].weight_exponent

    class Truncates(ReferenceSession):
        def __init__(self, program: Program, **options: Any) -> None:
            super().__init__(program, **options)
            for synapses in self._synapses.values():
                arriving = synapses.arriving

                def truncated(step: int, arriving: Any = arriving) -> Any:
                    return np.trunc(arriving(step) * 2.0**exponent)

                synapses.arriving = truncated  # type: ignore[method-assign]

    whole = projections(lambda p: dataclasses.replace(p, weight_exponent=0))
    cause = found(case, Planted(whole, Truncates)).cause
    assert cause is not None
    assert cause.classes == ("rounding",) and "shifted down" in cause.reason


def test_a_difference_that_comes_with_the_length_of_a_run_is_told_from_chance() -> None:
    class DependsOnLength(ReferenceSession):
        def _advance(self, steps: int, *arguments: Any) -> Any:
            if steps > 150:
                self._neurons["out"].v += 1.0
            return super()._advance(steps, *arguments)

    divergence = found(CASES["plain"], Planted(session=DependsOnLength))
    assert divergence.cause is not None
    assert divergence.cause.classes == ("unknown",) and "depends on how a run is cut" in divergence.cause.reason
    assert "on planted only" in str(divergence) or "on reference only" in str(divergence)

    class Restless(ReferenceSession):
        rng: ClassVar[Any] = np.random.default_rng(3)

        def _advance(self, steps: int, *arguments: Any) -> Any:
            if steps > 150:
                self._neurons["out"].v += self.rng.normal(0, 2, 4)
            return super()._advance(steps, *arguments)

    divergence = found(CASES["plain"], Planted(session=Restless))
    assert divergence.cause is not None
    assert divergence.cause.classes == ("random stream",)


def test_weights_that_differ_are_a_divergence_where_all_spikes_are_equal() -> None:
    case = CASES["learning"]
    deaf = Case(
        name="deaf",
        program=case.program.with_parameters("out", threshold=1e6),
        inputs=case.inputs,
        steps=case.steps,
    )

    def change(p: ProjectionProgram) -> ProjectionProgram:
        assert p.rule is not None
        return dataclasses.replace(p, weight=p.weight * 1.01)

    assert found(deaf, Planted(projections(change))).variable in ("u", "weight")


def test_a_cause_that_is_not_looked_for_says_up_to_where_it_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "MOST_UPDATES", 20)
    cause = found(CASES["plain"], Planted(populations(decay_u=lambda decay: decay * 1.1))).cause
    assert cause is not None
    assert cause.reason == "not looked for so late: of 10 neurons 2 steps are run again"


@pytest.mark.parametrize("where", ["_open", "_advance"])
def test_a_backend_that_breaks_is_a_row_and_the_others_are_compared(where: str) -> None:
    class Breaks(ReferenceSession):
        def __init__(self, program: Program, **options: Any) -> None:
            super().__init__(program, **options)
            if where == "_open":
                raise KeyError("a bug of theirs")

        def _advance(self, *arguments: Any) -> Any:
            raise KeyError("a bug of theirs")

    case = CASES["plain"]
    result = nm.compare(
        case.program, 50, backends=["reference", Planted(session=Breaks), "reference"],
        inputs={"in": case.inputs["in"][:50]},
    )  # fmt: skip
    assert [run.failed for run in result.runs] == [False, True, False]
    assert result.diverges and result.runs[2].spikes_equal
    cells = list(comparison_table(result).columns[3].cells)
    assert str(cells[1]).endswith("KeyError: 'a bug of theirs'") and "Traceback" not in str(cells[1])


def test_progress_is_told_for_every_backend() -> None:
    told: list[tuple[str, float]] = []
    case = CASES["plain"]
    late = projections(lambda p: dataclasses.replace(p, delay=p.delay + 1))
    nm.compare(
        case.program,
        case.steps,
        backends=["reference", Planted(late)],
        inputs=case.inputs,
        progress=lambda what, share: told.append((what, share)),
    )
    assert [what.partition(":")[0] for what, _ in told] == ["reference", "planted", "planted"]
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_the_window_has_a_line_a_step_and_two_where_they_differ() -> None:
    late = projections(lambda p: dataclasses.replace(p, delay=p.delay + 1))
    divergence = found(CASES["plain"], Planted(late))
    table = window_table(divergence)
    assert divergence.window is not None
    assert [str(column.header) for column in table.columns] == ["step", "on", "out.u[0]", "out.v[0]", "out.spikes[0]"]
    steps, on = ([str(cell) for cell in column.cells] for column in table.columns[:2])
    at = steps.index(f"> {divergence.step}")
    assert on[:at] == ["both"] * at and on[at : at + 2] == ["reference", "planted"]


def test_spikes_of_equal_backends_are_not_told_apart_by_name() -> None:
    class Silent(ReferenceSession):
        def _advance(self, *arguments: Any) -> Any:
            advance = super()._advance(*arguments)
            none = np.zeros(0, np.int64)
            spikes = {name: SpikeTrain(none, none, train.shape) for name, train in advance.spikes.items()}
            return dataclasses.replace(advance, spikes=spikes)

    case = CASES["plain"]
    result = nm.compare(
        case.program, case.steps, backends=[Planted(), Planted(session=Silent)], inputs=case.inputs, explain=False
    )
    divergence = result.runs[1].first_divergence
    assert divergence is not None
    assert divergence.backends == ("planted", "the other planted")
    assert str(divergence).endswith("a spike on planted only")


def test_a_threshold_that_adapts_otherwise_is_found_where_it_begins_and_shown() -> None:
    case = CASES["adaptive_threshold"]
    divergence = found(case, Planted(populations(threshold_increment=lambda h: h * 1.01)))
    assert (divergence.variable, divergence.population) == ("threshold_adaptation", "out")
    with registry.get("reference").open(case.program.with_all_spikes()) as session:
        first = session.run(case.steps, inputs=case.inputs).spikes["out"].steps[0] + 1
    assert divergence.step == first
    row = next(row for row in divergence.window.rows if "threshold_adaptation" in row.what)
    at = divergence.window.steps.index(first)
    assert row.other[at] == pytest.approx(1.01 * row.reference[at]) and row.reference[at] > 0


def test_a_delay_that_learns_otherwise_is_found_where_it_begins() -> None:
    case = CASES["learned_delays"]

    def faster(projection: ProjectionProgram) -> ProjectionProgram:
        assert projection.rule is not None and projection.rule.dd is not None
        dd = SumOfProducts(
            tuple(dataclasses.replace(p, coefficient=1.5 * p.coefficient) for p in projection.rule.dd.products)
        )
        return dataclasses.replace(projection, rule=dataclasses.replace(projection.rule, dd=dd))

    divergence = found(case, Planted(projections(faster)))
    assert (divergence.variable, divergence.projection) == ("delay", "in->out")
    assert divergence.pre_neuron is not None and divergence.values[0] != divergence.values[1]
