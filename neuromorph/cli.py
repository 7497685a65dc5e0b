"""The command line: parse, call, print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from neuromorph import __version__
from neuromorph.errors import InputError, NeuromorphError
from neuromorph.whole_file import whole_file


class _Commands(click.Group):
    """A group whose deliberate errors are one message and exit code 2, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NeuromorphError as error:
            click.echo(f"neuromorph: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads on
        except OSError as error:
            click.echo(f"neuromorph: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="neuromorph")
def main() -> None:
    """One description of a spiking network: the same spikes on every backend, and what learning costs there."""


JSON_OPTION = click.option(
    "--json", "json_path", metavar="PATH|-", help="Write the result as JSON to a file, or to standard output with '-'."
)


def _write_json(value: dict[str, Any], path: str) -> None:
    """To standard output, or to a file by way of a temporary one."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as stream:
        stream.write(text)


def _split(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def _seeds(text: str | None) -> tuple[int, ...] | None:
    """``3`` is three seeds, 0 to 2; ``4,7`` are those two."""
    if text is None:
        return None
    parts = _split(text) or ()
    if not parts or not all(part.isdigit() for part in parts):
        raise click.BadParameter(f"give how many seeds (3) or which (0,1,2), got {text!r}", param_hint="--seeds")
    if len(parts) == 1 and "," not in text:
        if int(text) < 1:
            raise click.BadParameter("at least one seed is needed", param_hint="--seeds")
        return tuple(range(int(text)))
    return tuple(int(part) for part in parts)


@main.command()
@click.argument("what", metavar="digits|PROGRAM")
@click.option("--quick", is_flag=True, help="One seed and fewer samples: under half a minute.")
@click.option("--backends", metavar="NAMES", help="Comma-separated; default: all that are declared.")
@click.option("--seeds", metavar="N|LIST", help="How many seeds (3) or which (0,1,2). For a program: its one seed.")
@click.option("--samples", type=click.IntRange(min=20), help="Training samples seen by each spiking learner.")
@click.option("--steps", type=click.IntRange(min=1), default=500, show_default=True, help="Time steps, for a program.")
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron, for a program.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("results"), show_default=True, help="Folder for the page.")  # fmt: skip
@JSON_OPTION
def compare(
    what: str,
    quick: bool,
    backends: str | None,
    seeds: str | None,
    samples: int | None,
    steps: int,
    input_rate: float,
    out: Path,
    json_path: str | None,
) -> None:
    """Compare learners and backends on real handwritten digits, or backends on a saved program.

    `digits`: local plasticity and backprop learn scikit-learn's digits, the learned networks run on every backend; prints
    a table and writes OUT/digits.html. PROGRAM: a file written by Program.save, run with random input on each backend.
    """
    if what == "digits":
        _compare_digits(quick, _split(backends), _seeds(seeds), samples, out, json_path)
    else:
        chosen = _seeds(seeds)
        _compare_program(Path(what), _split(backends), chosen[0] if chosen else 0, steps, input_rate, json_path)


def _compare_digits(
    quick: bool,
    backends: tuple[str, ...] | None,
    seeds: tuple[int, ...] | None,
    samples: int | None,
    out: Path,
    json_path: str | None,
) -> None:
    from importlib.util import find_spec

    from neuromorph.digits_scorecard import score_digits
    from neuromorph.report.findings import findings, headline
    from neuromorph.report.page import NEEDED, write_page
    from neuromorph.report.tables import terminal_tables
    from neuromorph.report.whole_table import WHOLE_WIDTH, whole_table

    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        click.echo(f"No page will be written, {', '.join(lacking)} missing: pip install 'neuromorph[plot]'", err=True)
    folders = [Path(json_path).parent] if json_path not in (None, "-") else []
    for folder in [*folders, *([] if lacking else [out])]:  # said now, and not when all the work is done
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise InputError(f"{str(folder)!r} may not be written: choose another folder")
    with _progress() as report:
        scorecard = score_digits(backends=backends, seeds=seeds, samples=samples, quick=quick, progress=report)
    if json_path is not None:
        _write_json(scorecard.to_json(), json_path)
    page = None if lacking else write_page(scorecard, out / "digits.html")
    if json_path != "-":
        console = _console()
        console.print(whole_table(scorecard) if console.width >= WHOLE_WIDTH else terminal_tables(scorecard))
        for sentence in (headline(scorecard), *findings(scorecard)):
            click.echo(f"- {sentence}")
        if page is not None:
            click.echo(f"Page: {page}")
    if any(row.spikes_equal is False for row in scorecard.rows):
        sys.exit(1)


def _compare_program(
    path: Path, backends: tuple[str, ...] | None, seed: int, steps: int, input_rate: float, json_path: str | None
) -> None:
    import numpy as np

    from neuromorph import registry
    from neuromorph.comparison import compare as compare_backends
    from neuromorph.program import Program
    from neuromorph.report.listings import comparison_table

    program = Program.load(path)
    rng = np.random.default_rng(seed)
    inputs = {item.name: rng.random((steps, item.size)) < input_rate for item in program.inputs}
    modulators = {item.name: rng.normal(size=(steps, item.size)) for item in program.modulators}
    names = backends or tuple(name for name in registry.backend_names() if name != "backprop")
    registry.require_declared(names)
    result = compare_backends(program, steps, backends=names, inputs=inputs, modulators=modulators, seed=seed)
    if json_path is not None:
        _write_json(result.to_json(), json_path)
    if json_path != "-":
        _console().print(comparison_table(result))
    if result.diverges:
        sys.exit(1)


def _console() -> Any:
    """Standard output; as wide as the terminal, and wide enough for the tables where it is a pipe."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=240)


@contextmanager
def _progress() -> Iterator[Any]:
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


@main.command()
@JSON_OPTION
def backends(json_path: str | None) -> None:
    """Which backends there are, whether they can run here, and what each lacks."""
    from neuromorph import registry
    from neuromorph.report.listings import backends_table

    rows = []
    for name in registry.backend_names():
        found = registry.availability(name)
        gaps: dict[str, Any] = {}
        note = ""
        if found.available:
            capabilities = registry.load(name).capabilities
            gaps = {feature: {"reason": gap.reason, "owner": gap.owner} for feature, gap in capabilities.gaps.items()}
            note = capabilities.note
        rows.append(
            {
                "backend": name,
                "available": found.available,
                "reason": found.reason,
                "remedy": found.remedy,
                "versions": dict(found.versions),
                "note": note,
                "gaps": gaps,
            }
        )
    if json_path is not None:
        _write_json({"rows": rows}, json_path)
    if json_path != "-":
        _console().print(backends_table(rows))


@main.command()
@JSON_OPTION
def doctor(json_path: str | None) -> None:
    """Python, packages and backends of this machine, and what to do about what is missing."""
    from neuromorph.doctor import diagnose

    diagnosis = diagnose()
    if json_path is not None:
        _write_json(diagnosis.to_json(), json_path)
    if json_path == "-":
        return
    click.echo(f"Python {diagnosis.python} on {diagnosis.platform}")
    for name, version in diagnosis.packages.items():
        click.echo(f"  {name:<14}{version}")
    click.echo("Backends")
    for name, found in diagnosis.backends.items():
        click.echo(f"  {name:<14}{'ready' if found.available else 'not available: ' + found.reason}")
    if diagnosis.advice:
        click.echo("Remedies")
    for line in diagnosis.advice:
        click.echo(f"  {line}")


@main.command()
@click.argument("chip", required=False)
@JSON_OPTION
def chips(chip: str | None, json_path: str | None) -> None:
    """Known chips; with a name or a file's path, every number of it with its source and status."""
    from neuromorph.chip import chip_names, load_chip
    from neuromorph.report.listings import chip_table, chips_table

    loaded = [load_chip(name) for name in (chip_names() if chip is None else [chip])]
    if json_path is not None:
        _write_json({"rows": [item.to_json() for item in loaded]}, json_path)
    if json_path == "-":
        return
    _console().print(chips_table(loaded) if chip is None else chip_table(loaded[0]))


@main.command()
@click.argument("program", type=click.Path(path_type=Path))
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--backend", default="reference", show_default=True)
@click.option("--chips", "chip_list", default="loihi1,cpu", show_default=True, metavar="NAMES", help="Comma-separated names or files.")  # fmt: skip
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@JSON_OPTION
def estimate(
    program: Path, steps: int, backend: str, chip_list: str, input_rate: float, seed: int, json_path: str | None
) -> None:
    """Energy and latency of a saved program with random input, low and high, by term.

    Third factors are 0: a rule that waits for a reward counts its updates and changes no weight.
    """
    import numpy as np

    from neuromorph.costs import estimate as estimate_cost
    from neuromorph.execution import run
    from neuromorph.program import Program
    from neuromorph.report.listings import cost_table

    loaded = Program.load(program)
    rng = np.random.default_rng(seed)
    inputs = {item.name: rng.random((steps, item.size)) < input_rate for item in loaded.inputs}
    recording = run(loaded, steps, backend=backend, inputs=inputs, seed=seed)
    costs = [estimate_cost(recording, chip=name) for name in _split(chip_list) or ()]
    if json_path is not None:
        _write_json({"rows": [cost.to_json() for cost in costs], "counts": recording.counts.to_json()}, json_path)
    if json_path != "-":
        for cost in costs:
            _console().print(cost_table(cost))
