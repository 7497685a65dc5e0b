"""A design rule: a named function of a design, the limits that it reads, and the usual way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from neuromorph.design_rules.design import Design
from neuromorph.design_rules.finding import Finding, Severity

Check = Callable[[Design], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class DesignRule:
    """One limit of a chip, or of what its integers can say; :func:`design_rule` makes one of a function."""

    name: str  # part.what, as in core.input-axons; it stays
    says: str  # what it looks at
    check: Check  # every place it looks at, broken or not
    remedy: str  # where a finding has none of its own
    limits: tuple[str, ...] = ()  # of the hardware file; where one of them is not stated, nothing binds
    also: tuple[str, ...] = ()  # read where they are stated
    severity: Severity = "error"

    @property
    def reads(self) -> tuple[str, ...]:
        """Every limit that it reads."""
        return (*self.limits, *self.also)


def design_rule(
    *,
    name: str,
    remedy: str,
    limits: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    severity: Severity = "error",
) -> Callable[[Check], DesignRule]:
    """A function as the rule that the first line of its docstring describes; the catalogue is where it becomes one of those that are run."""

    def made(check: Check) -> DesignRule:
        says = (check.__doc__ or "").partition("\n")[0].strip().rstrip(".").replace("``", "`")
        return DesignRule(name=name, says=says, check=check, remedy=remedy, limits=limits, also=also, severity=severity)

    return made
