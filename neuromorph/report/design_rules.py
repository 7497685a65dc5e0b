"""Tables and the page of design rules."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from neuromorph.chip import Chip, Quantity, load_chip
from neuromorph.design_rules import UNCHECKED, CheckReport, DesignRule
from neuromorph.report.units import ABSENT, printable

SHOWN = ("loihi1", "loihi2")  # chips whose limits stand on the page
COLUMNS = ("severity", "rule", "where", "found", "limit", "way out", "source of the limit")


def findings_table(report: CheckReport) -> Table:
    """One line a limit that is broken."""
    table = _table(f"{report.program!r} on {report.chips:,} {report.chip}", *COLUMNS)
    for fault in report.findings:
        _add(table, fault.severity, fault.rule, fault.where, fault.found, fault.limit, fault.remedy, fault.source)
    return table


def kept_table(report: CheckReport, rows: int) -> Table:
    """Rules that are kept, those nearest to their limits first."""
    table = _table("Kept, the fullest first", "rule", "use", "found", "limit", "where", "source")
    kept = report.passed
    for outcome in kept[:rows]:
        fullest = outcome.fullest
        source = "; ".join(f"{quantity.status}: {quantity.source}" for _, quantity in outcome.limits[:1])
        use = ABSENT if outcome.share is None else f"{outcome.share:.1%}"
        found = ("", "", "") if fullest is None else (fullest.found, fullest.limit, fullest.where)
        _add(table, outcome.rule.name, use, *found, source)
    if len(kept) > rows:
        table.caption = Text(f"and {len(kept) - rows} more rules")
    return table


def rules_table(rules: Sequence[DesignRule], chip: Chip) -> Table:
    """One line a rule, with its limits on a chip."""
    table = _table("Design rules", "rule", "severity", "looks at", "reads", f"on {chip.name}", "way out")
    for rule in rules:
        reads = ", ".join(rule.reads) or ABSENT
        _add(table, rule.name, rule.severity, rule.says, reads, _limits(rule, chip), rule.remedy)
    return table


def rules_page(rules: Sequence[DesignRule]) -> str:
    """The page of all rules, with their limits on Loihi's chips, as Markdown."""
    chips = [load_chip(name) for name in SHOWN]
    columns = ("rule", "severity", "looks at", "reads of the hardware file", *SHOWN, "way out")
    lines = [PAGE, f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for rule in rules:
        needed = ", ".join(f"`{name}`" for name in rule.limits)
        also = ", ".join(f"`{name}`" for name in rule.also)
        reads = "; ".join(filter(None, [needed, f"where stated {also}" if also else ""])) or ABSENT
        limits = [_limits(rule, chip) for chip in chips]
        lines.append(
            f"| `{rule.name}` | {rule.severity} | {rule.says} | {reads} | {' | '.join(limits)} | {rule.remedy} |"
        )
    lines += ["", UNREAD, "", "| limit | why no rule reads it |", "|---|---|"]
    lines += [f"| `{name}` | {reason} |" for name, reason in UNCHECKED.items()]
    return "\n".join(lines) + "\n"


def _limits(rule: DesignRule, chip: Chip) -> str:
    """What a chip's file states of what a rule needs."""
    if not rule.limits:
        return ABSENT
    if any(name not in chip.limits for name in rule.limits):
        return "not stated"
    return ", ".join(f"{_range(chip.limits[name])} ({chip.limits[name].status})" for name in rule.limits)


def _range(quantity: Quantity) -> str:
    if quantity.values:
        return ", ".join(f"{value:g}" for value in quantity.values)
    low, high = f"{quantity.low:,.0f}", f"{quantity.high:,.0f}"
    return low if low == high else f"{low} to {high}"


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=Text(printable(title)), title_justify="left")


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))


PAGE = """# Design rules

Whether a network fits a chip, and everything that keeps it from there, before anything runs:

```
neuromorph check NET --chip loihi1
```

```python
>>> import neuromorph as nm
>>> net = nm.Network(populations=[nm.Population("cells", 1000, nm.LIF(refractory=63e-3))])
>>> for fault in nm.check(net, "loihi1").faults:
...     print(fault.rule, fault.where, fault.found, fault.limit, sep="; ")
neuron.refractory; population 'cells'; 63 steps of refractory period, 1 too many; at most 62

```

A network, a program in float and a program in a chip's integers are all taken. What is in float is quantised on the way; where
that fails, its reasons stand under the rules that they belong to, and all other rules are looked at all the same. `report.ok`
says whether the chip can hold it, `report.faults` is what it cannot, `report.warnings` what may go wrong or is far from what
was asked, `report.notes` what is good to know, and `report.passed` the rules that are kept with the share of their limits in
use. `report.raise_faults()` raises them together, `report.to_json()` and `--json` give them as data, and `neuromorph check` ends
with exit code 1 where there is an error.

- One chip is meant by the name of a chip, and all of its chips by that of a board; `chips=3` or `--chips 3` takes as many.
- Rules of a core are those of a [placement](placement.md): the program is cut onto cores by its greedy method. Where parts were
  made smaller to keep a limit, that is a note; where there are too few cores, the rule of what filled them says so.
- Of a limit that sources give as a range the lower end is kept, and a limit that the [hardware file](chips.md) does not state
  binds nothing: its rule says *not stated*.
- A rule that finds nothing to look at (a rule of learning where nothing learns) says *not checked*.

A random recurrent network of more neurons than a core has output axons is the usual surprise: 5,000 neurons with 500 random
targets each reach every core with every neuron. `core.output-axons` says so, with the number of chips on which smaller parts
would keep the limit, and the other way out: connections between neighbours.

This page is made by `neuromorph check --rules --page docs/design_rules.md`.

## Rules
"""
UNREAD = """## Limits without a rule

What a hardware file may state beside these says nothing that a program could break:"""
