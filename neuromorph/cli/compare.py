"""``neuromorph compare``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuromorph.cli.shared import (
    CHIP_OPTION,
    JSON_OPTION,
    console,
    network_options,
    progress_bar,
    random_spikes,
    seed_list,
    split,
    write_json,
)
from neuromorph.errors import InputError

if TYPE_CHECKING:
    from neuromorph.program import Program
    from neuromorph.scorecard import Scorecard


@click.command()
@click.argument("what", metavar="digits|NET")
@click.option("--quick", is_flag=True, help="One seed and fewer samples: under half a minute.")
@click.option("--backends", metavar="NAMES", help="Comma-separated; default: all that are declared.")
@click.option("--learners", metavar="NAMES|all", help="For digits, comma-separated; default: reward,unsupervised.")
@click.option("--seeds", metavar="N|LIST", help="How many seeds (3) or which (0,1,2). For a network: its one seed.")
@click.option("--chips", "chip_list", default="loihi1,cpu", show_default=True, metavar="NAMES", help="For digits: chips to estimate for, comma-separated names or files.")  # fmt: skip
@click.option("--samples", type=click.IntRange(min=20), help="Training samples seen by each spiking learner.")
@click.option("--steps", type=click.IntRange(min=1), default=500, show_default=True, help="Time steps, for a network.")
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron, for a network.")  # fmt: skip
@click.option("--states", is_flag=True, help="For a network: hold u, v, traces and weights of every step together too.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("results"), show_default=True, help="Folder for the page.")  # fmt: skip
@network_options
@CHIP_OPTION
@JSON_OPTION
def compare(
    what: str,
    quick: bool,
    backends: str | None,
    learners: str | None,
    seeds: str | None,
    chip_list: str,
    samples: int | None,
    steps: int,
    input_rate: float,
    states: bool,
    out: Path,
    dt: float | None,
    integration: Any,
    unit: str | None,
    chip: str | None,
    json_path: str | None,
) -> None:
    """Compare learners and backends on real handwritten digits, or backends on one network.

    `digits`: local plasticity and backprop learn scikit-learn's digits, the learned networks run on every backend; prints
    a table and writes OUT/digits.html. NET: a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with
    a Network or Program, run with random input on each backend; where backends differ it prints the first value that
    does, the steps around it, and the likely cause.
    """
    if what == "digits":
        _compare_digits(
            quick, split(backends), learners, seed_list(seeds), split(chip_list) or (), samples, out, json_path
        )
    else:
        from neuromorph.source import load_program

        chosen = seed_list(seeds)
        seed = chosen[0] if chosen else 0
        program = load_program(what, dt=dt, integration=integration, unit=unit, seed=seed, chip=chip)
        _compare_program(program, split(backends), seed, steps, input_rate, states, json_path)


def _compare_digits(
    quick: bool,
    backends: tuple[str, ...] | None,
    learners: str | None,
    seeds: tuple[int, ...] | None,
    chips: tuple[str, ...],
    samples: int | None,
    out: Path,
    json_path: str | None,
) -> None:
    from importlib.util import find_spec

    from neuromorph.digits_scorecard import LEARNERS, score_digits
    from neuromorph.report.document import NEEDED
    from neuromorph.report.findings import findings, headline
    from neuromorph.report.page import write_page
    from neuromorph.report.tables import further_tables, terminal_tables
    from neuromorph.report.whole_table import WHOLE_WIDTH, whole_table

    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        click.echo(f"No page will be written, {', '.join(lacking)} missing: pip install 'neuromorph[plot]'", err=True)
    folders = [Path(json_path).parent] if json_path not in (None, "-") else []
    for folder in [*folders, *([] if lacking else [out])]:  # said now, and not when all the work is done
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise InputError(f"{str(folder)!r} may not be written: choose another folder")
    with progress_bar() as report:
        scorecard = score_digits(
            backends=backends,
            learners=tuple(LEARNERS) if learners == "all" else split(learners),
            seeds=seeds,
            samples=samples,
            quick=quick,
            chips=chips,
            progress=report,
        )
    if json_path is not None:
        write_json(scorecard.to_json(), json_path)
    page = None if lacking else write_page(scorecard, out / "digits.html")
    plot = None if lacking else _save_pareto(scorecard, out / "digits_pareto.png")
    if json_path != "-":
        terminal = console()
        if terminal.width >= WHOLE_WIDTH:
            terminal.print(whole_table(scorecard), further_tables(scorecard), sep="\n\n")
        else:
            terminal.print(terminal_tables(scorecard))
        for sentence in (headline(scorecard), *findings(scorecard)):
            click.echo(f"- {sentence}")
        if page is not None:
            click.echo(f"Page: {page}")
        if plot is not None:
            click.echo(f"Pareto plot: {plot}, and the same as .svg")
    if any(row.spikes_equal is False for row in scorecard.rows):
        sys.exit(1)


def _save_pareto(scorecard: Scorecard, path: Path) -> Path | None:
    """Accuracy against energy and latency as PNG and SVG, where there is anything to draw."""
    from neuromorph.report.pareto_plot import pareto_figure, pareto_plot
    from neuromorph.whole_file import whole_file

    figure, drawn = pareto_figure(scorecard), pareto_plot(scorecard)
    if figure is None or drawn is None:
        return None
    with whole_file(path.with_suffix(".svg"), binary=True) as stream:
        stream.write(drawn)
    with whole_file(path, binary=True) as stream:
        figure.savefig(stream, format="png", dpi=144, facecolor="white")
    return path


def _compare_program(
    program: Program,
    backends: tuple[str, ...] | None,
    seed: int,
    steps: int,
    input_rate: float,
    states: bool,
    json_path: str | None,
) -> None:
    import numpy as np

    from neuromorph import registry
    from neuromorph.comparison import compare as compare_backends
    from neuromorph.report.listings import comparison_table, window_table

    rng = np.random.default_rng(seed)
    inputs = random_spikes(program, steps, input_rate, rng)
    modulators = {item.name: _largest(program) * rng.uniform(-1, 1, (steps, item.size)) for item in program.modulators}
    names = backends or tuple(name for name in registry.backend_names() if name != "backprop")
    registry.require_declared(names)
    with progress_bar() as report:
        result = compare_backends(
            program,
            steps,
            backends=names,
            inputs=inputs,
            modulators=modulators,
            seed=seed,
            states=states,
            progress=report,
        )
    if json_path is not None:
        write_json(result.to_json(), json_path)
    if json_path != "-":
        terminal = console()
        terminal.print(comparison_table(result))
        for run in result.runs:
            if run.first_divergence is not None:
                click.echo(f"\n{run.backend}: {run.first_divergence}")
                terminal.print(window_table(run.first_divergence))
    if result.diverges:
        sys.exit(1)


def _largest(program: Program) -> float:
    """How large a value of a modulator may be: 1, or what fixed point holds of the third factors that it is mixed into."""
    from neuromorph.arithmetic import LARGEST_TRACE

    rules = [projection.rule for projection in program.projections if projection.rule is not None]
    mixes = [(sum(map(abs, rule.modulators.values())), rule.third_factor_scale) for rule in rules]
    if program.arithmetic != "fixed":
        return 1.0
    return min([1.0, *(LARGEST_TRACE / scale / mix for mix, scale in mixes if mix > 0)])
