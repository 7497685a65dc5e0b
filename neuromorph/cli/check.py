"""``neuromorph check``."""

from __future__ import annotations

import sys
from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, network_options, write_json
from neuromorph.errors import CompileError


@click.command()
@click.argument("net", metavar="NET")
@click.option("--chip", default="loihi1", show_default=True, metavar="NAME|FILE", help="The chip, or a hardware file.")
@network_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws connectors without a seed.")  # fmt: skip
@JSON_OPTION
def check(
    net: str, chip: str, dt: float | None, integration: Any, unit: str | None, seed: int, json_path: str | None
) -> None:
    """What a chip makes of a network: every rounding, what could overflow, and what cannot be.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with a Network or Program. Ends with
    exit code 1 where the chip cannot hold it.
    """
    from neuromorph.chip import load_chip
    from neuromorph.design_rules import accumulator_faults
    from neuromorph.quantisation import Quantisation
    from neuromorph.report.listings import rounding_table
    from neuromorph.source import load_program

    hardware = load_chip(chip)
    result: dict[str, Any] = {"program": net, "chip": hardware.name, "rows": [], "warnings": [], "errors": []}
    report = None
    try:
        made = Quantisation(chip=hardware)(load_program(net, dt=dt, integration=integration, unit=unit, seed=seed))
    except CompileError as error:
        result["errors"] = list(error.faults)
    else:
        report = made.report
        overflows = accumulator_faults(made.program, hardware)
        result |= report.to_json() | {"warnings": [*map(str, report.warnings), *overflows]}
    if json_path is not None:
        write_json(result, json_path)
    if json_path != "-":
        if report is not None and report.rows:
            console().print(rounding_table(report))
        elif report is not None:
            click.echo(f"{report.program!r} is in the integers of {report.chip} already: there is nothing to round")
        for kind in ("warnings", "errors"):
            for sentence in result[kind]:
                click.echo(f"{kind[:-1]}: {sentence}")
        worst = None if report is None else report.worst
        if not result["errors"]:
            largest = "" if worst is None else f"; the largest error is {100 * worst.relative_error:.3g} %"
            click.echo(f"{hardware.name} can hold it: {len(result['warnings'])} warnings{largest}")
    if result["errors"]:
        sys.exit(1)
