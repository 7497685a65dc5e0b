"""Our metrics beside NeuroBench's own, on the same run: ``python benchmarks/neurobench_agreement.py --python PATH``.

PATH is a Python that has torch, snntorch and neurobench (Yik et al., Nature Communications 16, 2025): NeuroBench measures a
small network of snnTorch in a process of its own. The spikes and membranes of that run become a recording of the same
network here, and :func:`neuromorph.metrics` is taken of it; footprints are left out of the verdict, since a layer of
snnTorch holds other buffers than a population here. Where the packages are missing it says so, and compares nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

import neuromorph as nm
from neuromorph.doctor import installed_versions
from neuromorph.neurobench import Metrics
from neuromorph.recording import Counts, FloatArray, Recording, SpikeTrain

RESULTS = Path(__file__).parent / "results"
WORKER = Path(__file__).with_name("neurobench_worker.py")
SIZES, SAMPLES, STEPS = (40, 30, 10), 6, 25
ROUNDING = 5e-5  # NeuroBench rounds the sparsity of connections to four digits
CASES = {"spikes": False, "graded inputs": True}


def drawn(seed: int, is_graded: bool) -> dict[str, FloatArray]:
    """Weights that are multiples of 1/64 with zeros among them, and inputs of every sample."""
    rng = np.random.default_rng(seed)
    inputs, hidden, out = SIZES
    masked = {
        name: rng.integers(-8, 24, shape) / 64 * (rng.random(shape) < 0.7)
        for name, shape in (("first", (hidden, inputs)), ("second", (out, hidden)))
    }
    spikes = (rng.random((SAMPLES, STEPS, inputs)) < 0.15).astype(np.float64)
    return {**masked, "inputs": spikes * rng.integers(1, 5, spikes.shape) / 4 if is_graded else spikes}


def measured(given: dict[str, FloatArray], python: str) -> tuple[dict[str, Any], dict[str, str], Metrics]:
    """NeuroBench's figures, versions, and ours of the same run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "network.npz", **given)  # type: ignore[arg-type]  # names are ours
        done = subprocess.run([python, str(WORKER), name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"NeuroBench failed:\n{done.stderr[-2000:]}")
        found = json.loads((folder / "results.json").read_text())
        with np.load(folder / "run.npz") as archive:
            run = {key: archive[key] for key in archive.files}
    program = nm.compile(
        nm.Network(
            populations=[nm.Input("in", SIZES[0]), nm.Population("hidden", SIZES[1], nm.LIF()), nm.Population("out", SIZES[2], nm.LIF())],
            projections=[nm.Projection("in", "hidden", given["first"]), nm.Projection("hidden", "out", given["second"])],
        )
    )  # fmt: skip
    recordings = [recorded(given["inputs"][sample], run, sample) for sample in range(SAMPLES)]
    graded = {"in": given["inputs"].reshape(-1, SIZES[0])} if np.any(given["inputs"] % 1) else None
    return found["results"], found["versions"], nm.metrics(program, recordings, graded=graded)


def recorded(inputs: FloatArray, run: dict[str, FloatArray], sample: int) -> Recording:
    """One sample of the run as a recording."""
    names = ("hidden", "out")
    return Recording(
        program_fingerprint="",
        backend="snntorch",
        seed=0,
        dt=1e-3,
        first_step=0,
        steps=STEPS,
        spikes={"in": SpikeTrain.from_dense(inputs)} | {name: SpikeTrain.from_dense(run[f"{name}.spikes"][sample]) for name in names},
        states={(name, "v"): run[f"{name}.v"][sample] for name in names},
        state_steps={(name, "v"): np.arange(STEPS) for name in names},
        counts=Counts(steps=STEPS, populations={}, projections={}),
        wall_second=0.0,
    )  # fmt: skip


def figures(results: dict[str, Any]) -> dict[str, float]:
    """The figures that are compared, by name."""
    operations = results["SynapticOperations"]
    return {
        "connection sparsity": results["ConnectionSparsity"],
        "activation sparsity": results["ActivationSparsity"],
        "effective ACs": operations["Effective_ACs"],
        "effective MACs": operations["Effective_MACs"],
        "dense operations": operations["Dense"],
        "membrane updates": results["MembraneUpdates"],
    }


def missing(python: str) -> str:
    """Why NeuroBench cannot be asked; empty where it can."""
    try:
        done = subprocess.run(
            [python, "-c", "import torch, snntorch, neurobench"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"{python!r}: {error.strerror}"
    return (done.stderr.strip().splitlines() or ["it cannot be imported"])[-1] if done.returncode else ""


@click.command()
@click.option(
    "--python", default=sys.executable, help="A Python that has torch, snntorch and neurobench; this one if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, write nothing.")
def main(python: str, as_json: bool) -> None:
    if reason := missing(python):
        remedy = (
            "pip install torch snntorch neurobench in an environment of its own, then --python PATH of its interpreter"
        )
        click.echo(f"Nothing is compared, as NeuroBench is not there: {reason}. Remedy: {remedy}", err=True)
        return
    rows, versions = [], {}
    for seed, (name, is_graded) in enumerate(CASES.items()):
        theirs, versions, ours = measured(drawn(seed, is_graded), python)
        theirs_here, ours_here = figures(theirs), figures(ours.neurobench())
        agrees = {
            key: abs(theirs_here[key] - ours_here[key]) <= (ROUNDING if key == "connection sparsity" else 1e-12)
            for key in ours_here
        }
        rows.append({"case": name, "neurobench": theirs_here, "ours": ours_here, "agrees": agrees})
    plain = {
        "versions": {**{name: installed_versions()[name] for name in ("neuromorph", "numpy")}, **versions},
        "sizes": SIZES,
        "samples": SAMPLES,
        "steps": STEPS,
        "rows": rows,
    }
    page = "\n".join(lines(plain))
    click.echo(json.dumps(plain, indent=2) if as_json else page)
    if not as_json:
        (RESULTS / "neurobench.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
        (RESULTS / "neurobench.md").write_text(page + "\n", encoding="utf-8")
    if not all(all(row["agrees"].values()) for row in rows):
        sys.exit(1)


def lines(plain: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in plain["versions"].items())
    table = [
        f"| {row['case']} | {name} | {row['neurobench'][name]:.10g} | {row['ours'][name]:.10g} | {'yes' if agrees else 'NO'} |"
        for row in plain["rows"]
        for name, agrees in row["agrees"].items()
    ]
    return [
        "# Metrics beside NeuroBench's",
        "",
        f"Made by `python benchmarks/neurobench_agreement.py --python PATH` ({versions}): a network of"
        f" {' - '.join(map(str, plain['sizes']))} leaky integrate-and-fire neurons in snnTorch, 30 % of its weights zero,"
        f" {plain['samples']} samples of {plain['steps']} steps; means over samples. NeuroBench rounds the connection sparsity to four digits.",
        "",
        "| Inputs | Metric | NeuroBench | neuromorph | Equal |",
        "| --- | --- | ---: | ---: | --- |",
        *table,
    ]


if __name__ == "__main__":
    main()
