"""``neuromorph conformance``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, progress_bar, split, write_json
from neuromorph.errors import BackendUnavailable, InputError
from neuromorph.whole_file import whole_file

if TYPE_CHECKING:
    from neuromorph.conformance import Conformance


@click.command()
@click.option("--backend", "names", default="all", show_default=True, metavar="NAMES", help="Comma-separated, or all.")
@click.option("--random", "random_cases", type=click.IntRange(min=0), default=20, show_default=True, help="Random programs of each arithmetic.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the first random program."
)
@click.option("--page", "page_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the page of the run as Markdown.")  # fmt: skip
@JSON_OPTION
def conformance(names: str, random_cases: int, seed: int, page_path: Path | None, json_path: str | None) -> None:
    """Hold backends to the reference: every feature, float and fixed point, chunks, reads and writes, random programs.

    Exit code 1 where a backend declares a feature and does otherwise.
    """
    from neuromorph import registry
    from neuromorph.conformance import conform, page

    wanted = registry.backend_names() if names == "all" else (split(names) or ())
    registry.require_declared(wanted)
    backends = []
    for name in wanted:
        try:
            backend = registry.get(name)
        except BackendUnavailable as error:
            if names != "all":
                raise
            click.echo(f"{name}: left out, {error}", err=True)
            continue
        if backend.capabilities.runs_programs:
            backends.append(backend)
        elif names != "all":
            raise InputError(
                f"backend {name!r} trains descriptions and runs no programs: nothing can be held to the reference"
            )
    results = []
    with progress_bar() as report:
        for index, backend in enumerate(backends):

            def share(what: str, done: float, index: int = index) -> None:
                report(what, (index + done) / len(backends))

            results.append(conform(backend, random_cases=random_cases, seed=seed, progress=share))
    if page_path is not None:
        with whole_file(page_path) as stream:
            stream.write(page(results, backends))
    if json_path is not None:
        write_json({"rows": [result.to_json() for result in results]}, json_path)
    if json_path != "-":
        console().print(_table(results))
        for result in results:
            for row in result.rows:
                if row.verdict.status == "differs":
                    click.echo(str(row.verdict))
    if not all(result.passed for result in results):
        sys.exit(1)


def _table(results: Sequence[Conformance]) -> Any:
    """One line a backend and arithmetic: cases by outcome."""
    from rich.table import Table

    from neuromorph.conformance import ARITHMETICS
    from neuromorph.testing import AGREEMENTS

    table = Table(title="Conformance: cases by outcome", title_justify="left")
    for column in ("backend", "arithmetic", *AGREEMENTS, "skipped", "differs", "seconds"):
        table.add_column(column, justify="left" if column in ("backend", "arithmetic") else "right")
    for result in results:
        for arithmetic in ARITHMETICS:
            seconds = f"{result.wall_second:.0f}" if arithmetic == ARITHMETICS[0] else ""
            table.add_row(result.backend, arithmetic, *map(str, result.counts(arithmetic).values()), seconds)
    return table
