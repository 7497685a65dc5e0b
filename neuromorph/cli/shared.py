"""What several commands use: JSON output, lists in options, the terminal, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuromorph.whole_file import whole_file

if TYPE_CHECKING:
    import numpy as np

    from neuromorph.program import Program
    from neuromorph.recording import BoolArray

JSON_OPTION = click.option(
    "--json", "json_path", metavar="PATH|-", help="Write the result as JSON to a file, or to standard output with '-'."
)

CHIP_OPTION = click.option("--chip", metavar="NAME|FILE", help="Quantise for this chip first.")


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a network needs and a program has already: ``--dt``, ``--integration``, and ``--unit`` of a NIR file."""
    for option in (
        click.option("--unit", type=click.Choice(["infer", "s", "ms", "steps"]), help="The unit of time of a NIR file, inferred if not given."),
        click.option("--integration", type=click.Choice(["exponential", "euler"]), help="What decays with tau keeps exp(-dt / tau), the default, or 1 - dt / tau; for a network."),
        click.option("--dt", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Time step of a network, 1 ms if not given; a program has its own, and a NIR file of another tool needs one."),
    ):  # fmt: skip
        command = option(command)
    return command


def random_spikes(program: Program, steps: int, rate: float, rng: np.random.Generator) -> dict[str, BoolArray]:
    """Independent spikes of every input, each neuron in a share ``rate`` of the steps; shape (steps, size)."""
    return {item.name: rng.random((steps, item.size)) < rate for item in program.inputs}


def write_json(value: dict[str, Any], path: str) -> None:
    """To standard output, or to a file by way of a temporary one."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as stream:
        stream.write(text)


def split(text: str | None) -> tuple[str, ...] | None:
    """The parts of a comma-separated list."""
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def seed_list(text: str | None) -> tuple[int, ...] | None:
    """``3`` is three seeds, 0 to 2; ``4,7`` are those two."""
    if text is None:
        return None
    parts = split(text) or ()
    if not parts or not all(part.isdigit() for part in parts):
        raise click.BadParameter(f"give how many seeds (3) or which (0,1,2), got {text!r}", param_hint="--seeds")
    if len(parts) == 1 and "," not in text:
        if int(text) < 1:
            raise click.BadParameter("at least one seed is needed", param_hint="--seeds")
        return tuple(range(int(text)))
    return tuple(int(part) for part in parts)


def console() -> Any:
    """Standard output; as wide as the terminal, and wide enough for the tables where it is a pipe."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=240)


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A progress bar on standard error; yields a function of (what is being done, share done in 0..1)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)
