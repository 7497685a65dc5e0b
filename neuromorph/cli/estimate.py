"""``neuromorph estimate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    split,
    write_json,
)
from neuromorph.errors import InputError

if TYPE_CHECKING:
    from neuromorph.program import Program
    from neuromorph.recording import BoolArray, Recording

CHUNKS = 50  # pieces of a run, so that a bar can move
RUN_SHARE = 0.7  # of the work that the bar shows; the rest is placing and adding up


@click.command()
@click.argument("net", metavar="NET")
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--backend", default="emulator", show_default=True, help="Where it runs; its wall time is that of the chip `cpu`.")  # fmt: skip
@click.option("--chips", "chip_list", default="loihi1,loihi2,spinnaker2,cpu", show_default=True, metavar="NAMES", help="Comma-separated names or files; loihi1.sanafe is one set of coefficients of loihi1.")  # fmt: skip
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron.")  # fmt: skip
@click.option("--place/--no-place", "placed", default=True, help="Place it on the cores of every chip whose file states them, which it does unless told not to; else there are bounds.")  # fmt: skip
@click.option("--terms", is_flag=True, help="Every term of every chip, with its source.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Write FOLDER/estimate.html, with bars by term.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@network_options
@CHIP_OPTION
@JSON_OPTION
def estimate(
    net: str,
    steps: int,
    backend: str,
    chip_list: str,
    input_rate: float,
    placed: bool,
    terms: bool,
    out: Path | None,
    seed: int,
    dt: float | None,
    integration: Any,
    unit: str | None,
    chip: str | None,
    json_path: str | None,
) -> None:
    """Energy and latency of a network with random input on several chips, low and high: one line a chip.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), FILE.py:NAME with a Network or Program, or a name:
    of an experiment (`neuromorph networks`), or digits-LEARNER. Third factors are 0: a rule that waits for a reward
    counts its updates and changes no weight.
    """
    from neuromorph.chip import load_chip
    from neuromorph.chip_estimates import estimate_on_chips
    from neuromorph.doctor import installed_versions
    from neuromorph.named_programs import load_or_name
    from neuromorph.neurobench import metrics_of_chunks
    from neuromorph.report.cost_sheets import chips_sheet, metrics_line, terms_sheet
    from neuromorph.report.estimate_page import EstimateReport, write_estimate_page
    from neuromorph.report.sheet import rich_table, sheet_group

    names = split(chip_list) or ()
    if not names:
        raise InputError("--chips must name at least one chip: see neuromorph chips")
    hardware = [load_chip(name) for name in names]  # before any work
    if out is not None:
        _check_folder(out)
    program = load_or_name(net, dt=dt, integration=integration, unit=unit, seed=seed, chip=chip)
    with progress_bar() as report:
        recordings = list(_run(program, steps, backend, input_rate, seed, report))
        estimates = estimate_on_chips(
            program,
            recordings,
            hardware,
            placed=placed,
            seed=seed,
            progress=lambda what, share: report(what, RUN_SHARE + (1 - RUN_SHARE) * share),
        )
    found = EstimateReport(
        program=program.name,
        program_fingerprint=program.fingerprint,
        steps=steps,
        dt=program.dt,
        inputs=f"independent spikes of every input neuron in {input_rate:g} of the steps, seed {seed}",
        backend=backend,
        versions=installed_versions(),
        estimates=estimates,
        metrics=metrics_of_chunks(program, recordings),
    )
    page = None if out is None else write_estimate_page(found, out / "estimate.html")
    if json_path is not None:
        counts = recordings[0].counts
        for more in recordings[1:]:
            counts = counts + more.counts
        write_json({**found.to_json(), "counts": counts.to_json()}, json_path)
    if json_path != "-":
        terminal = console()
        sheet = chips_sheet(estimates)
        terminal.print(sheet_group([sheet]))
        if found.metrics is not None:
            click.echo(f" {metrics_line(found.metrics)}")
        if terms:
            for one in estimates:
                if one.cost is not None:
                    terminal.print("", rich_table(terms_sheet(one.cost)), terms_sheet(one.cost).note, sep="\n")
        if page is not None:
            click.echo(f"Page: {page}")


def _run(
    program: Program, steps: int, backend: str, rate: float, seed: int, report: Callable[[str, float], None]
) -> Iterator[Recording]:
    """The run in chunks, all spikes recorded."""
    import numpy as np

    from neuromorph.execution import open as open_session

    inputs: dict[str, BoolArray] = random_spikes(program, steps, rate, np.random.default_rng(seed))
    length = max(1, -(-steps // CHUNKS))
    with open_session(program.with_all_spikes(), backend=backend, seed=seed) as session:
        for start in range(0, steps, length):
            stop = min(start + length, steps)
            report(f"running {program.name}", RUN_SHARE * start / steps)
            yield session.run(stop - start, inputs={name: values[start:stop] for name, values in inputs.items()})


def _check_folder(folder: Path) -> None:
    """Say now, and not when all is done, that no page can be written."""
    import os
    from importlib.util import find_spec

    from neuromorph.report.document import NEEDED

    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise InputError(f"--out writes a page, which needs {', '.join(lacking)}: pip install 'neuromorph[plot]'")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise InputError(f"{str(folder)!r} may not be written: choose another folder")
