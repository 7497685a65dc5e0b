"""What a design rule finds in one place: how much there is, how much may be, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One place that a rule looked at; ``broken`` says whether the limit is kept there."""

    where: str  # population 'a', neuron 4; projection 'p'; core 3 (neurons 0 to 99 of 'a')
    found: str  # 4,097 input axons
    limit: str  # at most 4,096 a core
    broken: bool
    remedy: str = ""  # empty: the rule's own
    share: float | None = None  # of the limit that is in use, 1 being all of it
    severity: Severity | None = None  # None: the rule's own


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A limit that is broken: by which rule, where, what was found, what is allowed, and how to mend it.

    >>> print(Fault(rule="core.input-axons", severity="error", where="population 'a', neuron 0",
    ...             found="4,097 input axons", limit="at most 4,096 a core", remedy="give it fewer presynaptic neurons"))
    core.input-axons: population 'a', neuron 0: 4,097 input axons (allowed: at most 4,096 a core): give it fewer presynaptic neurons
    """

    rule: str
    severity: Severity
    where: str
    found: str
    limit: str
    remedy: str
    source: str = ""  # of the limit, with its status

    def __str__(self) -> str:
        limit = f" (allowed: {self.limit})" if self.limit else ""
        return f"{self.rule}: {self.where}: {self.found}{limit}: {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {**vars(self), "sentence": str(self)}


def at_most(
    where: str,
    value: float,
    most: float,
    what: str,
    *,
    per: str = "",
    note: str = "",
    remedy: str = "",
    severity: Severity | None = None,
    consumes: bool = True,
) -> Finding:
    """``value`` of something of which there may be ``most``; a width that is asked for ``consumes`` nothing.

    >>> at_most("population 'a'", 1025, 1024, "neurons", per=" a core").found
    '1,025 neurons, 1 too many'
    """
    broken = value > most
    excess = f", {_number(value - most)} too many" if broken and most > 0 else ""
    return Finding(
        where=where,
        found=f"{_number(value)} {what}{excess}{note}",
        limit=f"at most {_number(most)}{per}",
        broken=broken,
        remedy=remedy,
        share=value / most if most > 0 and consumes else None,
        severity=severity,
    )


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.6g}"


def and_more(breaking: int) -> str:
    """What else breaks a limit beside the neuron that is named.

    >>> and_more(1), and_more(3)
    ('', ', as do 2 more of its neurons')
    """
    if breaking < 2:
        return ""
    return f", as do {breaking - 1:,} more of its neurons" if breaking > 2 else ", as does one more of its neurons"
