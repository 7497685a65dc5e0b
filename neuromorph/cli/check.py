"""``neuromorph check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, network_options, write_json
from neuromorph.whole_file import whole_file


@click.command()
@click.argument("net", metavar="NET", required=False)
@click.option("--chip", default="loihi1", show_default=True, metavar="NAME|FILE", help="The chip, or a hardware file.")
@click.option(
    "--chips", type=click.IntRange(min=1), help="Chips that may be used; one, or those of a board, if not given."
)
@click.option("--spike-bits", type=click.IntRange(min=0), default=0, show_default=True, help="Bits that spikes are to carry beside their address.")  # fmt: skip
@network_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws connectors without a seed.")  # fmt: skip
@click.option("--rows", type=click.IntRange(min=0), default=12, show_default=True, help="Rules that are kept in the table, the fullest.")  # fmt: skip
@click.option("--rules", "list_rules", is_flag=True, help="List every design rule instead, with its limits on the chip.")  # fmt: skip
@click.option("--page", metavar="FILE", help="With --rules: write the page of all rules, as Markdown.")
@JSON_OPTION
def check(
    net: str | None,
    chip: str,
    chips: int | None,
    spike_bits: int,
    dt: float | None,
    integration: Any,
    unit: str | None,
    seed: int,
    rows: int,
    list_rules: bool,
    page: str | None,
    json_path: str | None,
) -> None:
    """What keeps a network from a chip, every rounding, and what could go wrong there.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with a Network or Program. Ends with
    exit code 1, and every limit that is broken, where the chip cannot hold it.
    """
    if list_rules:
        _list_rules(chip, page, json_path)
        return
    if net is None:
        raise click.UsageError("give a network to check, or --rules")
    from neuromorph.chip import load_chip
    from neuromorph.design_rules import check as check_program
    from neuromorph.report.design_rules import findings_table, kept_table
    from neuromorph.report.listings import rounding_table
    from neuromorph.source import load_source

    hardware = load_chip(chip)
    found = load_source(net, dt=dt, integration=integration, unit=unit)
    report = check_program(
        found, hardware, chips=chips, spike_bits=spike_bits, dt=dt, integration=integration, seed=seed
    )
    if json_path is not None:
        write_json(report.to_json() | {"source": net}, json_path)
    if json_path != "-":
        out = console()
        if report.roundings is not None and report.roundings.rows:
            out.print(rounding_table(report.roundings))
        elif report.roundings is not None:
            click.echo(f"{report.program!r} is in the integers of {report.chip} already: there is nothing to round")
        if rows:
            out.print(kept_table(report, rows))
        if report.findings:
            out.print(findings_table(report))
        click.echo(_summary(report))
    if not report.ok:
        sys.exit(1)


def _list_rules(chip: str, page: str | None, json_path: str | None) -> None:
    from neuromorph.chip import load_chip
    from neuromorph.design_rules import RULES
    from neuromorph.report.design_rules import rules_page, rules_table

    hardware = load_chip(chip)
    if page is not None:
        Path(page).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(page) as stream:
            stream.write(rules_page(RULES))
    if json_path is not None:
        rows = [
            {
                "rule": rule.name,
                "severity": rule.severity,
                "says": rule.says,
                "limits": list(rule.limits),
                "also": list(rule.also),
                "remedy": rule.remedy,
                "stated": {name: hardware.limits[name].to_json() for name in rule.reads if name in hardware.limits},
            }
            for rule in RULES
        ]
        write_json({"rows": rows}, json_path)
    if json_path != "-" and page is None:
        console().print(rules_table(RULES, hardware))


def _summary(report: Any) -> str:
    kept = f"{len(report.passed)} rules are kept"
    said = f"{len(report.warnings)} warnings and {len(report.notes)} notes"
    if not report.ok:
        count = len(report.faults)
        return f"{report.chip} cannot hold it: {count} error{'' if count == 1 else 's'}, {said}; {kept}"
    worst = None if report.roundings is None else report.roundings.worst
    largest = "" if worst is None else f"; the largest error is {100 * worst.relative_error:.3g} %"
    return f"{report.chip} can hold it: {said}; {kept}{largest}"
