"""``neuromorph estimate``."""

from __future__ import annotations

from pathlib import Path

import click

from neuromorph.cli.shared import JSON_OPTION, console, split, write_json


@click.command()
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
    costs = [estimate_cost(recording, chip=name) for name in split(chip_list) or ()]
    if json_path is not None:
        write_json({"rows": [cost.to_json() for cost in costs], "counts": recording.counts.to_json()}, json_path)
    if json_path != "-":
        for cost in costs:
            console().print(cost_table(cost))
