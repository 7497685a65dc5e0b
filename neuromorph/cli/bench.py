"""``neuromorph bench``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, progress_bar, write_json
from neuromorph.whole_file import whole_file


@click.command()
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="NAME",
    help="W1F, W1R, W2, W2R, W3 or W3p; repeatable, all if not given.",
)
@click.option(
    "--size", "sizes", multiple=True, metavar="SIZE", help="S, M, L, chip1 or chip2; repeatable, all if not given."
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="ROW",
    help="A row of the table, such as emulator or 'brian2 C++'; repeatable, all if not given.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Steps of a timed run; about a second's worth if not given.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of networks and input.")
@click.option("--quick", is_flag=True, help="Under five minutes: W1F, W1R, W2 and W3 at size M, short runs.")
@click.option(
    "--limit",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Of a row, building included.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write bench.md and bench.json there.",
)
@JSON_OPTION
def bench(
    workloads: tuple[str, ...],
    sizes: tuple[str, ...],
    backends: tuple[str, ...],
    steps: int | None,
    seed: int,
    quick: bool,
    limit: float,
    out: Path | None,
    json_path: str | None,
) -> None:
    """Speed of our backends and of other tools on the same workloads: steps a second, memory, ratios.

    Each row runs in a process of its own, and in turns with the emulator. What is not installed is a row with the reason.
    """
    from neuromorph.bench.benchmark import plan_of, run_plan
    from neuromorph.bench.table import markdown, tables

    plan = plan_of(
        workloads=workloads, sizes=sizes, backends=backends, seed=seed, steps=steps, quick=quick, limit_second=limit
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    command = _without_paths(sys.argv[1:]) if sys.argv[1:2] == ["bench"] else "neuromorph bench"
    with _progress() as progress:
        report = run_plan(plan, command=command, progress=progress)
    if out is not None:
        with whole_file(out / "bench.md") as stream:
            stream.write(markdown(report))
        write_json(report.to_json(), str(out / "bench.json"))
    if json_path is not None:
        write_json(report.to_json(), json_path)
    if json_path != "-":
        for table in tables(report):
            console().print(table)


def _without_paths(arguments: Sequence[str]) -> str:
    """The command that makes these rows anywhere: where its results went is left out.

    >>> _without_paths(["bench", "--out", "folder", "--quick", "--json=here"])
    'neuromorph bench --quick'
    """
    words, kept = iter(arguments), ["neuromorph"]
    for word in words:
        if word in ("--out", "--json"):
            next(words, None)
        elif not word.startswith(("--out=", "--json=")):
            kept.append(word)
    return shlex.join(kept)


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar where somebody looks, else a line for each row."""
    if sys.stderr.isatty():
        with progress_bar() as report:
            yield report
        return
    yield lambda what, share: click.echo(f"{100 * share:3.0f} % {what}", err=True)
