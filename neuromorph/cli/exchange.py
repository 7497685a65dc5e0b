"""``neuromorph import`` and ``neuromorph export``: NIR files in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, network_options, write_json

_SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws connectors without a seed of their own.")  # fmt: skip


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@network_options
@_SEED
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The program, a .npz file.")
@JSON_OPTION
def import_file(
    file: Path, dt: float | None, integration: Any, unit: Any, seed: int, out: Path, json_path: str | None
) -> None:
    """Read a NIR file, compile it, save the program, and print everything that was assumed."""
    from neuromorph.execution import compile as compile_network
    from neuromorph.nir import from_nir

    network = from_nir(file, dt=dt, unit="infer" if unit is None else unit, integration=integration)
    program = compile_network(network, dt=dt, integration=integration, seed=seed)
    program.save(out)
    sizes = {population.name: population.size for population in network.populations}
    synapses = {projection.name: projection.synapses for projection in program.projections}
    if json_path is not None:
        origin = network.metadata["nir"]
        result = {
            "program": str(out),
            "fingerprint": program.fingerprint,
            "populations": sizes,
            "projections": synapses,
        }
        write_json({**result, "nir": origin}, json_path)
    if json_path != "-":
        click.echo(f"{network.name}: {_counted(sizes, 'neurons')}; {_counted(synapses, 'synapses')}")
        click.echo("Assumed:")
        for sentence in network.metadata["nir"]["assumptions"]:
            click.echo(f"- {sentence}")
        click.echo(f"Program: {out}")


@click.command("export")
@click.argument("network", metavar="FILE.py[:NAME]|FILE.nir")
@network_options
@_SEED
@click.option("--chip", metavar="NAME", help="Also tell the bits and conventions that this chip gives to it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The NIR file.")
def export_network(
    network: str, dt: float | None, integration: Any, unit: Any, seed: int, chip: str | None, out: Path
) -> None:
    """Write the network NAME of a Python file, which is run for it, or of another NIR file, as a NIR file."""
    from neuromorph.nir import to_nir
    from neuromorph.nir.record import KEY
    from neuromorph.source import load_source

    found: Any = load_source(network, dt=dt, integration=integration, unit=unit)  # to_nir refuses a program
    graph = to_nir(found, out, dt=dt, integration=integration, seed=seed, chip=chip)
    record = json.loads(graph.metadata[KEY])
    click.echo(
        f"{out}: {len(graph.nodes)} nodes, {len(graph.edges)} edges, for time steps of {record['dt']!r} s"
        f" ({record['integration']})"
    )


def _counted(sizes: dict[str, int], what: str) -> str:
    return f"{sum(sizes.values())} {what} ({', '.join(f'{name} {size}' for name, size in sizes.items())})"
