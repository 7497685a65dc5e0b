"""``neuromorph place``."""

from __future__ import annotations

from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, network_options, write_json


@click.command()
@click.argument("net", metavar="NET")
@click.option("--chip", default="loihi1", show_default=True, metavar="NAME|FILE", help="The chip, or a hardware file.")
@click.option("--chips", type=click.IntRange(min=1), help="Chips that may be used; as many as it takes if not given.")
@click.option("--method", type=click.Choice(["greedy", "traffic"]), default="greedy", show_default=True, help="In order, or so that few spikes cross cores.")  # fmt: skip
@click.option("--recording", "recorded", metavar="FILE", help="A saved recording, whose spikes weigh the traffic; else all neurons send alike.")  # fmt: skip
@network_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws connectors without a seed, and orders the search.")  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), default=64, show_default=True, help="Cores in the table, the fullest.")  # fmt: skip
@click.option("--figure", metavar="PATH", help="A picture of the chips, coloured by load: .svg, .png or .pdf.")
@JSON_OPTION
def place(
    net: str,
    chip: str,
    chips: int | None,
    method: Any,
    recorded: str | None,
    dt: float | None,
    integration: Any,
    unit: str | None,
    seed: int,
    rows: int,
    figure: str | None,
    json_path: str | None,
) -> None:
    """Where on a chip every population goes, and how full each core is.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with a Network or Program. Ends with
    exit code 1, and every limit that is broken, where the chips cannot hold it.
    """
    import sys

    from neuromorph.chip import load_chip
    from neuromorph.errors import CompileError
    from neuromorph.placement import place as place_program
    from neuromorph.recording import Recording
    from neuromorph.report.placements import placement_summary, placement_table, save_picture
    from neuromorph.source import load_program

    hardware = load_chip(chip)
    program = load_program(net, dt=dt, integration=integration, unit=unit, seed=seed)
    traffic = None if recorded is None else Recording.load(recorded)
    try:
        found = place_program(program, hardware, method=method, seed=seed, traffic=traffic, chips=chips)
    except CompileError as error:
        if json_path is not None:
            write_json({"program": net, "chip": hardware.name, "errors": list(error.faults)}, json_path)
        if json_path != "-":
            for sentence in error.faults:
                click.echo(f"error: {sentence}")
        sys.exit(1)
    if figure is not None:
        save_picture(found, figure)
    if json_path is not None:
        write_json(found.to_json(), json_path)
    if json_path != "-":
        console().print(placement_table(found, rows))
        for sentence in placement_summary(found):
            click.echo(sentence)
