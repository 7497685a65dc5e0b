"""``neuromorph run`` and ``neuromorph networks``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neuromorph.cli.shared import CHIP_OPTION, JSON_OPTION, console, progress_bar, seed_list, write_json
from neuromorph.errors import InputError

if TYPE_CHECKING:
    from neuromorph.networks.experiment import Experiment, Result

FORMATS = (".svg", ".png", ".pdf")


@click.command()
@click.argument("name")
@click.option("--backend", default="reference", show_default=True, help="Where it runs.")
@click.option("--seeds", metavar="N|LIST", help="How many seeds or which (0,1,2); default: one, 0.")
@click.option("--quick", is_flag=True, help="Less of everything: for a first look.")
@click.option("--set", "settings", metavar="PARAMETER=NUMBER", multiple=True, help="Another value of a parameter; may be repeated.")  # fmt: skip
@click.option("--figure", "figure_path", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Draw the figure to a file: .svg, .png or .pdf.")  # fmt: skip
@CHIP_OPTION
@JSON_OPTION
def run(
    name: str,
    backend: str,
    seeds: str | None,
    quick: bool,
    settings: tuple[str, ...],
    figure_path: Path | None,
    chip: str | None,
    json_path: str | None,
) -> None:
    """Run an experiment and hold its numbers against the ranges that are expected of them.

    `neuromorph networks` lists the experiments. Exit code 1 where a number is out of its range.
    """
    from neuromorph.networks.catalogue import experiment
    from neuromorph.networks.experiment import require_matplotlib
    from neuromorph.report.measures import measures_table

    if figure_path is not None:
        if figure_path.suffix not in FORMATS:
            raise InputError(f"a figure's file ends in {', '.join(FORMATS)}, got {str(figure_path)!r}")
        require_matplotlib()
    if strange := [text for text in settings if "=" not in text]:
        raise InputError(f"--set takes PARAMETER=NUMBER, got {strange[0]!r}")
    chosen = experiment(name)()
    chosen = chosen.quick() if quick else chosen
    chosen = chosen.changed({key.strip(): value for key, _, value in (text.partition("=") for text in settings)})
    numbers = seed_list(seeds) or (0,)
    results: list[Result] = []
    with progress_bar() as report:
        for done, seed in enumerate(numbers):

            def tell(what: str, share: float, done: int = done, seed: int = seed) -> None:
                report(f"{name}, seed {seed}: {what}", (done + share) / len(numbers))

            results.append(chosen.run(backend, seed=seed, chip=chip, progress=tell))
    rows = [result.to_json() for result in results]
    if json_path is not None:
        write_json({"title": chosen.title, "source": chosen.source, "rows": rows}, json_path)
    if figure_path is not None:
        _save_figure(chosen, results, figure_path)
    if json_path != "-":
        where = backend if chip is None else f"{backend}, {chip}"
        console().print(measures_table(f"{chosen.title} on {where}", rows))
        click.echo(f"{chosen.sentence} {chosen.source}.")
    if not all(result.is_inside for result in results):
        sys.exit(1)


def _save_figure(chosen: Experiment, results: list[Result], path: Path) -> None:
    from neuromorph.whole_file import whole_file

    figure = chosen.figure(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, binary=True) as stream:
        if path.suffix == ".svg":
            from neuromorph.report.canvas import svg_bytes

            stream.write(svg_bytes(figure))
        else:
            figure.savefig(stream, format=path.suffix[1:], dpi=144, facecolor="white")


@click.command()
@JSON_OPTION
def networks(json_path: str | None) -> None:
    """The experiments that `neuromorph run` knows, each with its paper."""
    from neuromorph.networks.catalogue import EXPERIMENTS, experiment
    from neuromorph.report.measures import experiments_table

    kinds = [experiment(name) for name in EXPERIMENTS]
    rows = [{key: getattr(kind, key) for key in ("name", "title", "sentence", "source")} for kind in kinds]
    if json_path is not None:
        write_json({"rows": rows}, json_path)
    if json_path != "-":
        console().print(experiments_table(rows))
