"""What all rules say of one program on one chip, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from neuromorph.chip import Quantity
from neuromorph.design_rules.finding import Fault, Finding, Severity
from neuromorph.design_rules.rule import DesignRule
from neuromorph.errors import CompileError, raise_faults
from neuromorph.quantisation import RoundingReport

Status = Literal["error", "warning", "note", "passed", "not stated", "not checked"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rule says.

    "not stated": the hardware file lacks a limit that it reads, and nothing binds; "not checked": the program has
    nothing that it could look at.
    """

    rule: DesignRule
    status: Status  # the worst of its faults, or why there is none
    limits: tuple[tuple[str, Quantity], ...]  # that are stated of those it reads
    missing: tuple[str, ...]  # that are not stated and needed
    fullest: Finding | None  # of what keeps the limit, that of the largest share
    faults: tuple[Fault, ...]

    @property
    def share(self) -> float | None:
        """Of the limit in use, where the rule is kept; 1 is all of it."""
        return None if self.fullest is None else self.fullest.share

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        fullest = self.fullest
        return {
            "rule": self.rule.name,
            "says": self.rule.says,
            "status": self.status,
            "share": self.share,
            "fullest": None
            if fullest is None
            else {name: getattr(fullest, name) for name in ("where", "found", "limit")},
            "limits": {name: quantity.to_json() for name, quantity in self.limits},
            "not_stated": list(self.missing),
        }


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Every rule's outcome, in the order of the catalogue; equal for equal programs and chips."""

    program: str
    program_fingerprint: str  # empty where the network could not be compiled
    chip: str
    chip_fingerprint: str
    chips: int
    outcomes: tuple[Outcome, ...]
    roundings: RoundingReport | None = None  # of a program in float that has a form in the chip's integers

    @property
    def findings(self) -> tuple[Fault, ...]:
        """All errors, warnings and notes."""
        return tuple(fault for outcome in self.outcomes for fault in outcome.faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Limits that the program breaks: the chip cannot hold it."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What may go wrong when it runs, or is far from what was asked."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Fault, ...]:
        """What is good to know."""
        return self._of("note")

    @property
    def passed(self) -> tuple[Outcome, ...]:
        """Rules that looked at something and found neither errors nor warnings, the fullest first."""
        kept = [outcome for outcome in self.outcomes if outcome.status in ("passed", "note")]
        return tuple(sorted(kept, key=lambda outcome: -(outcome.share or 0.0)))

    @property
    def ok(self) -> bool:
        """Whether the chip can hold the program."""
        return not self.faults

    def of(self, rule: str) -> Outcome:
        """The outcome of a rule by name."""
        for outcome in self.outcomes:
            if outcome.rule.name == rule:
                return outcome
        raise KeyError(
            f"there is no design rule {rule!r}; known: {', '.join(item.rule.name for item in self.outcomes)}"
        )

    def raise_faults(self) -> None:
        """Raise :class:`CompileError` with every limit that is broken; nothing where there is none."""
        raise_faults(CompileError, [f"{self.chip}: {fault}" for fault in self.faults])

    def _of(self, severity: Severity) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.findings if fault.severity == severity)

    def __str__(self) -> str:
        counts = ", ".join(
            f"{len(self._of(kind))} {kind}{'' if len(self._of(kind)) == 1 else 's'}" for kind in SEVERITIES
        )
        title = f"{self.program!r} on {self.chips:,} {self.chip}: {counts}, {len(self.passed)} rules kept"
        return "\n".join([title, *(f"  {fault.severity}: {fault}" for fault in self.findings)])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        sentences = {f"{kind}s": [str(fault) for fault in self._of(kind)] for kind in SEVERITIES}
        return {
            "program": self.program,
            "program_fingerprint": self.program_fingerprint,
            "chip": self.chip,
            "chip_fingerprint": self.chip_fingerprint,
            "chips": self.chips,
            "ok": self.ok,
            "faults": [fault.to_json() for fault in self.faults],
            "findings": [fault.to_json() for fault in self.findings],
            **sentences,
            "rules": [outcome.to_json() for outcome in self.outcomes],
            "rows": [] if self.roundings is None else [row.to_json() for row in self.roundings],
        }
