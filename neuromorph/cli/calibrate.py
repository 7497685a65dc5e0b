"""``neuromorph calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from neuromorph.cli.shared import JSON_OPTION, console, progress_bar, write_json


@click.command()
@click.option(
    "--out", metavar="PATH", default="this_machine.toml", show_default=True, help="The hardware file to write."
)
@click.option("--name", help="Name of the processor in tables; that of the file if not given.")
@JSON_OPTION
def calibrate(out: str, name: str | None, json_path: str | None) -> None:
    """Measure one core of this machine and write its hardware file, which works by path as any chip.

    Multiply-accumulates in three number types, memory bandwidth, calls of NumPy, spiking work, and power where the
    machine has a RAPL meter that may be read. Takes about 7 s.
    """
    from neuromorph.chip import load_chip
    from neuromorph.costs.calibration import calibrate as measure
    from neuromorph.report.listings import chip_table
    from neuromorph.whole_file import whole_file

    with (
        whole_file(out),
        progress_bar() as progress,
    ):  # a path that cannot be written is said before anything is measured
        found = measure(progress)
    with whole_file(out) as stream:
        stream.write(found.to_toml(name or Path(out).stem))
    chip = load_chip(Path(out))
    if json_path is not None:
        write_json({"path": out, **found.to_json()}, json_path)
    if json_path != "-":
        console().print(chip_table(chip))
        if found.busy_watt is None:
            click.echo(f"{found.meter}. The power of a busy core is assumed.")
        click.echo(f"Wrote {out}: neuromorph estimate NET --chips loihi1,{out}")
