"""``neuromorph import`` and ``neuromorph export``: NIR files in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, write_json

_DT = click.option("--dt", type=float, required=True, metavar="SECONDS", help="The time step, such as 1e-4.")
_INTEGRATION = click.option("--integration", type=click.Choice(["exponential", "euler"]), default="exponential", show_default=True, help="What decays with tau keeps exp(-dt / tau), or 1 - dt / tau.")  # fmt: skip
_SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws connectors without a seed of their own.")  # fmt: skip


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_DT
@click.option("--unit", type=click.Choice(["infer", "s", "ms", "steps"]), default="infer", show_default=True, help="The unit of time of the file.")  # fmt: skip
@_INTEGRATION
@_SEED
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The program, a .npz file.")
@JSON_OPTION
def import_file(
    file: Path, dt: float, unit: Any, integration: Any, seed: int, out: Path, json_path: str | None
) -> None:
    """Read a NIR file, compile it, save the program, and print everything that was assumed."""
    from neuromorph.execution import compile as compile_network
    from neuromorph.nir import from_nir

    network = from_nir(file, dt=dt, unit=unit, integration=integration)
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
@click.argument("network", metavar="FILE.py[:NAME]")
@_DT
@_INTEGRATION
@_SEED
@click.option("--chip", metavar="NAME", help="Also tell the bits and conventions that this chip gives to it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The NIR file.")
def export_network(network: str, dt: float, integration: Any, seed: int, chip: str | None, out: Path) -> None:
    """Write the network NAME of a Python file, which is run for it, as a NIR file."""
    from neuromorph.nir import to_nir
    from neuromorph.source import load_source

    found: Any = load_source(network, dt=dt, integration=integration)  # to_nir refuses a program
    graph = to_nir(found, out, dt=dt, integration=integration, seed=seed, chip=chip)
    click.echo(f"{out}: {len(graph.nodes)} nodes, {len(graph.edges)} edges")


def _counted(sizes: dict[str, int], what: str) -> str:
    return f"{sum(sizes.values())} {what} ({', '.join(f'{name} {size}' for name, size in sizes.items())})"
