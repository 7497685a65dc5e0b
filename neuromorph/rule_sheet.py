"""What every target makes of a learning rule: exact, rounded to, or refused because."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.chip import chip_names, load_chip
from neuromorph.connectors import AllToAll
from neuromorph.discretise import discretise
from neuromorph.errors import BackendUnavailable, ChipError, CompileError
from neuromorph.inputs import Input, Modulator
from neuromorph.network import Network, Population, Projection
from neuromorph.neurons import LIF
from neuromorph.plasticity import LearningRule
from neuromorph.program import Program
from neuromorph.quantisation import Quantisation, Rounding

Status = Literal["exact", "rounded", "refused", "absent"]
PROJECTION = "pre->post"


@dataclass(frozen=True, kw_only=True)
class RuleVerdict:
    """What one backend makes of a rule, in float or in the integers of a chip."""

    backend: str
    chip: str = ""  # empty: in float
    status: Status
    relative_error: float = 0.0  # of the number that was rounded most
    reasons: tuple[str, ...] = ()  # of a refusal

    def __str__(self) -> str:
        if self.status == "rounded":
            return f"rounded to within {100 * self.relative_error:.3g} %"
        what = {"refused": "refused because ", "absent": "not asked, as it cannot run here: "}.get(self.status, "exact")
        return what + "; ".join(self.reasons)


@dataclass(frozen=True, kw_only=True)
class RuleSheet:
    """A rule on a projection whose weights begin with ``weight``, as every target takes it."""

    rule: LearningRule
    dt: float  # s
    weight: float
    verdicts: tuple[RuleVerdict, ...]
    roundings: dict[str, tuple[Rounding, ...]]  # by chip: every number of the rule
    held: dict[str, dict[str, str]]  # by chip: dw and dt in its integers, in Loihi's notation where they read no r

    def of(self, backend: str, chip: str = "") -> RuleVerdict:
        """The verdict of a backend, in float or for a chip."""
        return next(verdict for verdict in self.verdicts if (verdict.backend, verdict.chip) == (backend, chip))

    def by_verdict(self, chip: str = "") -> dict[str, list[str]]:
        """What is said in float or for a chip, to the backends that say it."""
        found: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            if verdict.chip == chip:
                found.setdefault(str(verdict), []).append(verdict.backend)
        return found

    @property
    def chips(self) -> tuple[str, ...]:
        """The chips that were asked."""
        return tuple(dict.fromkeys(verdict.chip for verdict in self.verdicts if verdict.chip))

    def to_json(self) -> dict[str, Any]:
        """Plain data; infinities are null."""
        rule = self.rule
        return {
            "rule": rule.name,
            "dt": self.dt,
            "dw": None if rule.dw_sum is None else str(rule.dw_sum),
            "tag": None if rule.dt_sum is None else str(rule.dt_sum),
            "delay": None if rule.dd_sum is None else str(rule.dd_sum),
            "d_max": rule.d_max,
            "variables": sorted(rule.variables),
            "traces": {
                name: {**vars(trace), "tau": trace.tau if math.isfinite(trace.tau) else None}
                for name, trace in rule.traces.items()
            },
            "tau_tag": rule.tau_tag if rule.tau_tag is not None and math.isfinite(rule.tau_tag) else None,
            "w_min": rule.w_min if math.isfinite(rule.w_min) else None,
            "w_max": rule.w_max if math.isfinite(rule.w_max) else None,
            "modulators": dict(rule.modulators),
            "weight": self.weight,
            "verdicts": [
                {**vars(verdict), "reasons": list(verdict.reasons), "says": str(verdict)} for verdict in self.verdicts
            ],
            "held": self.held,
            "roundings": {chip: [row.to_json() for row in rows] for chip, rows in self.roundings.items()},
        }


def rule_sheet(
    rule: LearningRule,
    *,
    dt: float = 1e-3,
    chips: Sequence[str] | None = None,
    backends: Sequence[str] | None = None,
) -> RuleSheet:
    """Ask every backend, in float and for every chip, on a projection from ten inputs to one neuron.

    ``chips`` and ``backends`` may be fewer than all that learn. Raises :class:`CompileError` where the rule does not compile for
    ``dt``, and :class:`ChipError` for a chip that there is not.
    """
    registry.require_declared(backends or ())
    weight = _initial_weight(rule)
    program = discretise(_network(rule, weight), dt=dt)
    fixed: dict[str, Program | tuple[str, ...]] = {}
    roundings, held = {}, {}
    for chip in _learning_chips() if chips is None else chips:
        loaded = load_chip(chip)
        try:
            made = Quantisation(chip=loaded)(program)
        except (ChipError, CompileError) as error:
            fixed[loaded.name] = tuple(fault.removeprefix(_prefix(rule)) for fault in error.faults)
        else:
            fixed[loaded.name] = made.program
            # of the weights the bounds belong to the rule
            bounds = [row for row in made.report.of(f"projection {PROJECTION!r}") if row.quantity in ("w_min", "w_max")]
            held[loaded.name] = _in_integers(made.program)
            roundings[loaded.name] = (*bounds, *made.report.of(_prefix(rule).removesuffix(": ")))
    verdicts = []
    for name in registry.backend_names() if backends is None else backends:
        backend = _backend(name)
        if isinstance(backend, RuleVerdict):
            verdicts.append(backend)
        elif backend.capabilities.runs_programs:
            verdicts.append(_judged(backend, program, "", ()))
            verdicts += [
                RuleVerdict(backend=name, chip=chip, status="refused", reasons=made)
                if isinstance(made, tuple)
                else _judged(backend, made, chip, roundings[chip])
                for chip, made in fixed.items()
            ]
    return RuleSheet(rule=rule, dt=dt, weight=weight, verdicts=tuple(verdicts), roundings=roundings, held=held)


def _learning_chips() -> list[str]:
    """Chips whose files state the integers of a learning rule; a board has its chip's."""
    loaded = [load_chip(name) for name in chip_names()]
    return [chip.name for chip in loaded if chip.board is None and "learning.trace_bits" in chip.limits]


def _in_integers(program: Program) -> dict[str, str]:
    rule = program.projection(PROJECTION).rule
    assert rule is not None
    targets = {"dw": rule.dw} if rule.dt is None else {"dw": rule.dw, "dt": rule.dt}
    return {name: str(total) if "r" in total.variables else total.to_loihi() for name, total in targets.items()}


def _backend(name: str) -> Backend | RuleVerdict:
    """A backend of this name, or that it is not here."""
    try:
        return registry.get(name)
    except BackendUnavailable as error:
        return RuleVerdict(backend=name, status="absent", reasons=(str(error),))


def _judged(backend: Backend, program: Program, chip: str, rows: Sequence[Rounding]) -> RuleVerdict:
    where = f" in projection {PROJECTION!r}"
    if faults := backend.faults(program):
        reasons = tuple(fault.replace(where, "").removeprefix(_prefix_of(program)) for fault in faults)
        return RuleVerdict(backend=backend.name, chip=chip, status="refused", reasons=reasons)
    # a weight without a bound has one in integers: that is in the table, and no error of a number
    error = max((row.relative_error for row in rows if math.isfinite(row.asked)), default=0.0)
    return RuleVerdict(
        backend=backend.name, chip=chip, status="rounded" if error > 0 else "exact", relative_error=error
    )


def _prefix(rule: LearningRule) -> str:
    """What sentences about the rule begin with."""
    return f"projection {PROJECTION!r}: rule {rule.name!r}: "


def _prefix_of(program: Program) -> str:
    rule = program.projection(PROJECTION).rule
    assert rule is not None
    return f"projection {PROJECTION!r}, rule {rule.name!r}: "


def _initial_weight(rule: LearningRule) -> float:
    """Half a unit of either sign, or what lies within the bounds."""
    low, high = rule.w_min, rule.w_max
    fitting = (value for value in (0.5, -0.5, 0.5 * (low + high), high, low) if low <= value <= high and value)
    return next((value for value in fitting if math.isfinite(value)), 0.0)


def _network(rule: LearningRule, weight: float) -> Network:
    return Network(
        name="rule",
        populations=[Input("pre", 10), Population("post", 1, LIF())],
        projections=[Projection("pre", "post", AllToAll(weight), plasticity=rule)],
        modulators=[Modulator(name) for name in rule.modulators],
    )
