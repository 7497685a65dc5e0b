"""Learning rules as terminal tables, and as the page of all named ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from neuromorph.plasticity import LearningRule
from neuromorph.report.units import duration, printable
from neuromorph.rule_sheet import RuleSheet
from neuromorph.rule_source import FoundRule

VARIABLES = {
    "x1": "trace of the presynaptic neuron's spikes",
    "x2": "second trace of the presynaptic neuron's spikes",
    "y1": "trace of the postsynaptic neuron's spikes",
    "y2": "second trace of the postsynaptic neuron's spikes",
    "y3": "third trace of the postsynaptic neuron's spikes",
    "w": "weight",
    "d": "delay, in time steps",
    "t": "eligibility tag",
    "r": "third factor",
    "x0": "1 when the presynaptic neuron spikes",
    "y0": "1 when the postsynaptic neuron spikes",
}


def rules_table(rules: Sequence[FoundRule]) -> Table:
    """One line a rule: name, what it does, equation."""
    table = _table("Learning rules", "rule", "what it does", "equation")
    for found in rules:
        _add(table, found.name, found.summary, found.equation or _expanded(found.rule))
    return table


def rule_lines(found: FoundRule, sheet: RuleSheet) -> list[str]:
    """The rule itself: equation, parameters, expanded sums, variables, papers."""
    rule = found.rule
    lines = [f"{found.name}: {found.summary}" if found.summary else found.name]
    if found.equation:
        lines.append(f"  equation    {found.equation}")
    if found.parameters:
        lines.append("  parameters  " + ", ".join(f"{name} = {value!r}" for name, value in found.parameters.items()))
    if rule.dw_sum is not None:
        lines.append(f"  dw          {rule.dw_sum}")
    if rule.dt_sum is not None:
        decay = "" if rule.tau_tag is None else f", and decays with tau_tag = {_seconds(rule.tau_tag)}"
        lines.append(f"  dt          {rule.dt_sum}{decay}")
    if rule.dd_sum is not None and rule.d_max is not None:
        lines.append(f"  dd          {rule.dd_sum}, in time steps, within one step and d_max = {_seconds(rule.d_max)}")
    lines.append(f"  bounds      w within {rule.w_min:g} to {rule.w_max:g}")
    if rule.epoch is not None:
        lines.append(f"  epoch       {_seconds(rule.epoch)}")
    if found.source:
        lines.append(f"  papers      {found.source}")
    lines.append(f"  asked       with dt = {_seconds(sheet.dt)}, weights that begin with {sheet.weight:g}, |r| up to 1")
    return lines


def variables_table(rule: LearningRule) -> Table:
    """One line a variable: what it is, and of traces time constant and impulse."""
    table = _table("Variables", "variable", "what it is", "time constant", "impulse")
    sums = [total for total in (rule.dw_sum, rule.dt_sum, rule.dd_sum) if total is not None]
    for name in sorted(frozenset().union(*(total.dependencies for total in sums))):
        every = (
            ""
            if name in ("x0", "y0")
            else f"1 in every {2 ** int(name[1:])} epochs"
            if name != "u0"
            else "1 in every epoch"
        )
        _add(table, name, VARIABLES.get(name, every), "", "")
    for name in sorted(rule.variables):
        trace = rule.traces.get(name)
        if trace is None:
            mixed = " + ".join(f"{weight:g} {modulator}" for modulator, weight in rule.modulators.items())
            _add(table, name, VARIABLES[name] + (f": {mixed}" if name == "r" else ""), "", "")
            continue
        what = VARIABLES[name]
        if trace.source == "v":
            what = "trace of the postsynaptic membrane"
        if trace.pairing == "nearest":
            what += ", of the last one alone"
        _add(table, name, what, _seconds(trace.tau), f"{trace.impulse:g}")
    return table


def verdicts_table(sheet: RuleSheet) -> Table:
    """Float and every chip: what is said, and by which backends."""
    table = _table("Targets", "arithmetic", "backends", "verdict")
    for chip in ("", *sheet.chips):
        for verdict, backends in sheet.by_verdict(chip).items():
            _add(table, f"integers of {chip}" if chip else "float", ", ".join(backends), verdict)
    return table


def roundings_table(sheet: RuleSheet, chip: str) -> Table:
    """What a chip holds of every number of the rule, and the rule in its integers."""
    held = "; ".join(f"{name} = {text}" for name, text in sheet.held[chip].items())
    table = _table(f"Numbers on {chip}: {held}", "quantity", "asked", "held", "chip value", "error", "status", "note")
    for row in sheet.roundings[chip]:
        stored = "" if row.mantissa is None else str(row.mantissa)
        stored += "" if row.exponent is None else f" x 2^{row.exponent}"
        numbers = (f"{row.asked:.6g}", f"{row.held:.6g}", stored, f"{100 * row.relative_error:.3g} %")
        _add(table, row.quantity, *numbers, row.status, row.note)
    return table


def rules_page(rules: Sequence[FoundRule], sheets: Sequence[RuleSheet]) -> str:
    """Markdown: every named rule, its equation, what each target makes of it, and its papers."""
    chips = sheets[0].chips
    lines = [
        "# Learning rules",
        "",
        "Every named rule with its default parameters. This page is made by `neuromorph rules --page docs/rules.md`;",
        "`neuromorph rules show STDP --set A_plus=0.02` says more of one, with other parameters, and",
        "`neuromorph rules show FILE.py:NAME` the same of your own.",
        "",
        "In float a backend that runs a rule runs it as written. In the integers of a chip its coefficients are `m 2^e` and",
        "its time constants whole steps: *rounded to within* is the largest relative error of any number of the rule, on a",
        "projection whose weights begin with 0.5 and steps of 1 ms. What is refused with these parameters may fit with",
        "others: the sentence says which.",
        "",
        "| rule | equation | in float | " + " | ".join(f"{chip}" for chip in chips) + " |",
        "|---|---|---|" + "---|" * len(chips),
    ]
    for found, sheet in zip(rules, sheets, strict=True):
        cells = [_cell(sheet, chip) for chip in ("", *chips)]
        first = dict(zip(reversed(cells[1:]), reversed(chips), strict=True))  # of equal cells the first chip stays
        cells[1:] = [
            cell if first[cell] == chip else f"as {first[cell]}" for cell, chip in zip(cells[1:], chips, strict=True)
        ]
        lines.append(f"| [{found.name}](#{found.name.lower()}) | `{_equation(found)}` | " + " | ".join(cells) + " |")
    for found in rules:
        sums = {"dw": found.rule.dw_sum, "dt": found.rule.dt_sum, "dd": found.rule.dd_sum}
        expanded = [f"`{name} = {total}`" for name, total in sums.items() if total is not None]
        lines += ["", f"## {found.name}", "", found.summary, "", f"With default parameters {' and '.join(expanded)}."]
        lines += ["", found.source] if found.source else []
    return "\n".join(lines) + "\n"


def _cell(sheet: RuleSheet, chip: str) -> str:
    """All verdicts in a cell of the page; backends are named where they differ."""
    found = sheet.by_verdict(chip)
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{', '.join(backends)}: {verdict}" for verdict, backends in found.items())


def _equation(found: FoundRule) -> str:
    return (found.equation or _expanded(found.rule)).replace("|", "\\|")


def _expanded(rule: LearningRule) -> str:
    sums = {"dt": rule.dt_sum, "dd": rule.dd_sum, "dw": rule.dw_sum}
    return "; ".join(f"{name} = {total}" for name, total in sums.items() if total is not None)


def _seconds(value: float) -> str:
    return "infinite" if math.isinf(value) else duration(value) if value else "0 s"


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=Text(printable(title)), title_justify="left")


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))
