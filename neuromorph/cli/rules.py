"""``neuromorph rules``."""

from __future__ import annotations

from pathlib import Path

import click

from neuromorph.cli.shared import JSON_OPTION, console, split, write_json
from neuromorph.whole_file import whole_file


@click.group(invoke_without_command=True)
@click.option("--page", metavar="FILE", help="Write the page of all named rules, with every target's verdict, as Markdown.")  # fmt: skip
@JSON_OPTION
@click.pass_context
def rules(context: click.Context, page: str | None, json_path: str | None) -> None:
    """The named learning rules: what each does, and its equation."""
    if context.invoked_subcommand is not None:
        return
    from neuromorph.report.rules import rules_page, rules_table
    from neuromorph.rule_sheet import rule_sheet
    from neuromorph.rule_source import named_rules

    found = named_rules()
    if page is not None:
        text = rules_page(found, [rule_sheet(item.rule) for item in found])
        Path(page).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(page) as stream:
            stream.write(text)
    if json_path is not None:
        rows = [
            {
                "rule": item.name,
                "summary": item.summary,
                "equation": item.equation,
                "dw": None if item.rule.dw_sum is None else str(item.rule.dw_sum),
                "tag": None if item.rule.dt_sum is None else str(item.rule.dt_sum),
                "delay": None if item.rule.dd_sum is None else str(item.rule.dd_sum),
                "papers": item.source,
            }
            for item in found
        ]
        write_json({"rows": rows}, json_path)
    if json_path != "-" and page is None:
        console().print(rules_table(found))


@rules.command("show")
@click.argument("rule")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the rule; may be repeated.")  # fmt: skip
@click.option("--dt", type=click.FloatRange(min=0, min_open=True), default=1e-3, show_default=True, metavar="SECONDS", help="Time step.")  # fmt: skip
@click.option("--chip", "chip_list", metavar="NAMES", help="Comma-separated chips or hardware files; every one that learns if not given.")  # fmt: skip
@click.option("--backend", "backend_list", metavar="NAMES", help="Comma-separated; every one if not given.")
@JSON_OPTION
def show(
    rule: str,
    settings: tuple[str, ...],
    dt: float,
    chip_list: str | None,
    backend_list: str | None,
    json_path: str | None,
) -> None:
    """Equation, variables and papers of a rule, and what every target makes of it.

    RULE is a name as `neuromorph rules` lists them, or FILE.py:NAME with a LearningRule or a function that makes one.
    A verdict is exact, rounded to within an error, with every number asked and held, or refused because.
    """
    from neuromorph.report.rules import roundings_table, rule_lines, variables_table, verdicts_table
    from neuromorph.rule_sheet import rule_sheet
    from neuromorph.rule_source import find_rule

    found = find_rule(rule, settings)
    sheet = rule_sheet(found.rule, dt=dt, chips=split(chip_list), backends=split(backend_list))
    if json_path is not None:
        documented = {"summary": found.summary, "equation": found.equation, "papers": found.source}
        write_json(documented | sheet.to_json(), json_path)
    if json_path == "-":
        return
    for line in rule_lines(found, sheet):
        click.echo(line)
    out = console()
    out.print(variables_table(found.rule))
    out.print(verdicts_table(sheet))
    for chip in sheet.roundings:
        out.print(roundings_table(sheet, chip))
