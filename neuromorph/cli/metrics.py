"""``neuromorph metrics``."""

from __future__ import annotations

from typing import Any

import click

from neuromorph.cli.shared import (
    CHIP_OPTION,
    JSON_OPTION,
    console,
    network_options,
    progress_bar,
    random_spikes,
    write_json,
)


@click.command()
@click.argument("net", metavar="NET")
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True, help="Time steps of each sample.")
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Samples, each from rest with inputs of its own.")  # fmt: skip
@click.option("--backend", default="reference", show_default=True)
@click.option("--input-rate", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Spikes per step and input neuron.")  # fmt: skip
@click.option("--absent", type=click.Choice(["zero", "none"]), default="zero", show_default=True, help="A synapse that does not exist is a zero of the weight matrix, or no weight.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@network_options
@CHIP_OPTION
@JSON_OPTION
def metrics(
    net: str,
    steps: int,
    samples: int,
    backend: str,
    input_rate: float,
    absent: Any,
    seed: int,
    dt: float | None,
    integration: Any,
    unit: str | None,
    chip: str | None,
    json_path: str | None,
) -> None:
    """NeuroBench's metrics of a network with random input: footprint, sparsity, operations, membrane updates.

    NET is a program (.npz, or .toml as text), a NIR file (.nir), FILE.py:NAME with a Network or Program, or the name of
    an experiment or learner. Third factors are 0.
    """
    import numpy as np

    from neuromorph.named_programs import load_or_name
    from neuromorph.neurobench import measure
    from neuromorph.report.metrics import metrics_table

    program = load_or_name(net, dt=dt, integration=integration, unit=unit, seed=seed, chip=chip)
    rng = np.random.default_rng(seed)
    inputs = [random_spikes(program, steps, input_rate, rng) for _ in range(samples)]
    with progress_bar() as report:
        found = measure(program, steps, inputs=inputs, backend=backend, seed=seed, absent=absent, progress=report)
    if json_path is not None:
        write_json(found.to_json(), json_path)
    if json_path != "-":
        console().print(metrics_table(found))
