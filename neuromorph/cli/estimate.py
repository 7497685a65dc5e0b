"""``neuromorph estimate``."""

from __future__ import annotations

from typing import Any

import click

from neuromorph.cli.shared import CHIP_OPTION, JSON_OPTION, console, network_options, random_spikes, split, write_json


@click.command()
@click.argument("net", metavar="NET")
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--backend", default="reference", show_default=True)
@click.option("--chips", "chip_list", default="loihi1,cpu", show_default=True, metavar="NAMES", help="Comma-separated names or files.")  # fmt: skip
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron.")  # fmt: skip
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
    seed: int,
    dt: float | None,
    integration: Any,
    unit: str | None,
    chip: str | None,
    json_path: str | None,
) -> None:
    """Energy and latency of a network with random input, low and high, by term.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), or FILE.py:NAME with a Network or Program.
    Third factors are 0: a rule that waits for a reward counts its updates and changes no weight.
    """
    import numpy as np

    from neuromorph.costs import estimate as estimate_cost
    from neuromorph.execution import run
    from neuromorph.report.listings import cost_table
    from neuromorph.source import load_program

    loaded = load_program(net, dt=dt, integration=integration, unit=unit, seed=seed, chip=chip)
    rng = np.random.default_rng(seed)
    inputs = random_spikes(loaded, steps, input_rate, rng)
    recording = run(loaded, steps, backend=backend, inputs=inputs, seed=seed)
    costs = [estimate_cost(recording, chip=name) for name in split(chip_list) or ()]
    if json_path is not None:
        write_json({"rows": [cost.to_json() for cost in costs], "counts": recording.counts.to_json()}, json_path)
    if json_path != "-":
        for cost in costs:
            console().print(cost_table(cost))
