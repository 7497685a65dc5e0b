"""The check: every design rule on one network or program and one chip, in one report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from neuromorph.chip import Chip, load_chip
from neuromorph.design_rules.catalogue import RULES
from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Fault, Finding, Severity
from neuromorph.design_rules.report import SEVERITIES, CheckReport, Outcome, Status
from neuromorph.design_rules.rule import DesignRule
from neuromorph.design_rules.sentences import WHOLE, complaints, warnings
from neuromorph.discretise import discretise
from neuromorph.errors import CompileError, InputError, is_count, raise_faults
from neuromorph.network import Network
from neuromorph.program import Integration, Program
from neuromorph.quantisation import Quantisation

ChipLike = str | os.PathLike[str] | Chip


def check(
    program: Program | Network,
    chip: ChipLike = "loihi1",
    *,
    chips: int | None = None,
    spike_bits: int = 0,
    dt: float | None = None,
    integration: Integration | None = None,
    seed: int = 0,
    **options: Any,
) -> CheckReport:
    """Everything that keeps a network or program from a chip, found before anything runs, in one report.

    A network is compiled first for ``dt``, ``integration`` and ``seed``, and a program in float is quantised, with
    ``options`` as the fields of :class:`neuromorph.quantisation.Quantisation`; what has no form in the chip's integers
    is looked at in float. ``chips`` may be used: unless given one, or those of a board. ``spike_bits`` are what spikes
    are to carry on the chip beside their address. A limit that the hardware file does not state binds nothing; of one
    that sources give as a range the lower end is kept.

    Raises :class:`InputError` for wrong arguments and :class:`CompileError` for a chip without neurons; what is wrong
    with the network is in the report.

    >>> import neuromorph as nm
    >>> net = nm.Network(populations=[nm.Population("a", 131_073, nm.LIF(refractory=63e-3))])
    >>> for fault in check(net, "loihi1").faults:
    ...     print(f"{fault.rule}: {fault.found}; {fault.limit}")
    chip.compartments: 131,073 neurons, 1 too many; at most 131,072
    neuron.refractory: 63 steps of refractory period, 1 too many; at most 62
    """
    hardware = _checked(program, chip, chips, spike_bits)
    count = chips if chips is not None else 1 if hardware.board is None else int(hardware.board.chips.low)
    quantisation = Quantisation(chip=hardware, **_options(options))
    name = program.name
    if isinstance(program, Network):
        try:
            program = discretise(program, dt=dt, integration=integration, seed=seed)
        except CompileError as error:
            return _not_compiled(name, hardware, count, error.faults)
    elif (dt is not None and dt != program.dt) or integration not in (None, program.integration):
        raise InputError("a program has its own dt and integration: leave them out")
    design = Design.of(program, hardware, count, quantisation, spike_bits)
    said = [*complaints(design.complaints), *(warnings(design.roundings) if design.roundings is not None else ())]
    known = {rule.name for rule in RULES}
    said = [(name if name in known else WHOLE, finding) for name, finding in said]
    return CheckReport(
        program=name,
        program_fingerprint=program.fingerprint,
        chip=hardware.name,
        chip_fingerprint=hardware.fingerprint,
        chips=count,
        outcomes=tuple(
            _outcome(rule, design, [finding for name, finding in said if name == rule.name]) for rule in RULES
        ),
        roundings=None if design.complaints else design.roundings,
    )


def _checked(program: object, chip: ChipLike, chips: object, spike_bits: object) -> Chip:
    faults = []
    if not isinstance(program, (Network, Program)):
        faults.append(f"check takes a Network or a Program, got {type(program).__name__}")
    if chips is not None and not is_count(chips, 1):
        faults.append(f"chips must be a whole number >= 1, or None for one or those of a board, got {chips!r}")
    if not is_count(spike_bits):
        faults.append(f"spike_bits must be a whole number >= 0, got {spike_bits!r}")
    raise_faults(InputError, faults)
    hardware = chip if isinstance(chip, Chip) else load_chip(chip)
    if hardware.kind != "neuromorphic":
        raise CompileError(
            f"chip {hardware.name!r} is {hardware.kind}: it has no neurons whose limits could be checked"
        )
    return hardware


def _options(options: dict[str, Any]) -> dict[str, Any]:
    known = [name for name in Quantisation.__dataclass_fields__ if name != "chip"]
    wrong = [f"check has no option {name!r}; known: {', '.join(known)}" for name in options if name not in known]
    raise_faults(InputError, wrong)
    return options


def _outcome(rule: DesignRule, design: Design, said: Sequence[Finding]) -> Outcome:
    """The rule's own findings; and what quantisation says of places in which the rule found nothing wrong."""
    missing = tuple(name for name in rule.limits if name not in design.chip.limits)
    found = [] if missing else list(rule.check(design))
    places = {finding.where for finding in found if finding.broken}
    more = [finding for finding in said if finding.where not in places]
    return _summary(rule, design.chip, missing, [*found, *more])


def _summary(rule: DesignRule, chip: Chip, missing: tuple[str, ...], found: Iterable[Finding]) -> Outcome:
    found = list(found)
    limits = tuple((name, chip.limits[name]) for name in rule.reads if name in chip.limits)
    faults = tuple(_fault(rule, finding, limits) for finding in found if finding.broken)
    kept = [finding for finding in found if not finding.broken]
    status: Status = "not stated" if missing else "not checked"
    if found:
        worst: list[Severity] = [kind for kind in SEVERITIES if any(fault.severity == kind for fault in faults)]
        status = worst[0] if worst else "passed"
    fullest = max(kept, key=lambda finding: -1.0 if finding.share is None else finding.share, default=None)
    return Outcome(rule=rule, status=status, limits=limits, missing=missing, fullest=fullest, faults=faults)


def _fault(rule: DesignRule, finding: Finding, limits: Iterable[tuple[str, Any]]) -> Fault:
    needed = [(name, quantity) for name, quantity in limits if name in rule.limits]
    stated = ", ".join(f"{name} {_range(quantity)}" for name, quantity in needed)
    return Fault(
        rule=rule.name,
        severity=finding.severity or rule.severity,
        where=finding.where,
        found=finding.found,
        limit=finding.limit or stated,
        remedy=finding.remedy or rule.remedy,
        source="; ".join(dict.fromkeys(f"{quantity.status}: {quantity.source}" for _, quantity in needed)),
    )


def _range(quantity: Any) -> str:
    ends = f"{quantity.low:g}" if quantity.low == quantity.high else f"{quantity.low:g} to {quantity.high:g}"
    return ends if quantity.unit == "1" else f"{ends} {quantity.unit}"


def _not_compiled(name: str, chip: Chip, chips: int, sentences: Sequence[str]) -> CheckReport:
    """A network that has no program yet: its times, and no other rule."""
    first, *others = RULES
    found = [finding for _, finding in complaints(tuple(sentences))]
    outcomes = [_summary(first, chip, (), found)]
    for rule in others:
        missing = tuple(item for item in rule.limits if item not in chip.limits)
        outcomes.append(_summary(rule, chip, missing, ()))
    return CheckReport(
        program=name,
        program_fingerprint="",
        chip=chip.name,
        chip_fingerprint=chip.fingerprint,
        chips=chips,
        outcomes=tuple(outcomes),
    )
