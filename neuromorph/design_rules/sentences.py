"""What quantisation says, by the design rule that it is about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from neuromorph.design_rules.finding import Finding
from neuromorph.errors import LimitFault
from neuromorph.quantisation import Rounding, RoundingReport

WHOLE = "program.quantisation"  # the rule of sentences that name none
PART_OF_RULE = re.compile(r"(dw|dt|[xy][123]): ")  # what a sentence about a rule may begin with
# How the quantity of a rounding begins -> its rule; the first that fits.
QUANTITIES = (
    ("tau_", "neuron.decay"),
    ("v_threshold", "neuron.threshold"),
    ("bias", "neuron.bias"),
    ("largest u", "neuron.current-bits"),
    ("lowest v", "neuron.membrane-bits"),
    ("weight", "synapse.weight-resolution"),
    ("w_m", "learning.weight-bounds"),
    ("tau of", "learning.trace-decay"),
    ("impulse of", "learning.trace-impulse"),
    ("scale of the third", "learning.reward-bits"),
    ("scale of the tag", "learning.tag-bits"),
    ("dw: constant", "learning.constants"),
    ("dt: constant", "learning.constants"),
    ("dw", "learning.coefficients"),
    ("dt", "learning.coefficients"),
)


def complaints(sentences: tuple[str, ...]) -> Iterator[tuple[str, Finding]]:
    """Rule and finding of every sentence of a :class:`CompileError`.

    >>> said = LimitFault("projection 'p': rule 'STDP': epoch must be at most 63 steps, got 64: shorten it", rule="learning.epoch")
    >>> [(rule, finding.where, finding.found, finding.remedy) for rule, finding in complaints((said,))]
    [('learning.epoch', "projection 'p', rule 'STDP'", 'epoch must be at most 63 steps, got 64', 'shorten it')]
    """
    for sentence in sentences:
        where, colon, rest = sentence.partition(": ")
        if not colon or not where.endswith("'"):
            where, rest = "the program", sentence
        if rest.startswith("rule "):
            rule_name, _, rest = rest.partition(": ")
            where = f"{where}, {rule_name}"
        part = PART_OF_RULE.match(rest)
        head = "" if part is None else part.group()
        found, _, remedy = rest[len(head) :].partition(": ")
        rule = sentence.rule if isinstance(sentence, LimitFault) else ""
        yield (
            rule or WHOLE,
            Finding(where=where, found=head + found, limit="", broken=True, remedy=remedy, severity="error"),
        )


def warnings(report: RoundingReport) -> Iterator[tuple[str, Finding]]:
    """Rule and finding of every rounding that changes what the network can do."""
    for row in report.warnings:
        rule = next((rule for start, rule in QUANTITIES if row.quantity.startswith(start)), WHOLE)
        yield (
            rule,
            Finding(where=row.where, found=_found(row), limit="", broken=True, severity="warning"),
        )


def _found(row: Rounding) -> str:
    note = f" ({row.note})" if row.note not in ("", "s") else ""
    unit = " s" if row.note.partition(";")[0] == "s" else ""
    off = f", {100 * row.relative_error:.3g} % off" if math.isfinite(row.asked) else ""
    return f"{row.quantity}: asked {row.asked:.6g}{unit}, held {row.held:.6g}{unit}{off}{note}"
