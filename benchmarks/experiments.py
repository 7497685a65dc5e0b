"""Every experiment on several backends and seeds, as JSON and Markdown: ``python benchmarks/experiments.py [NAME ...]``.

Runs of other experiments, backends or chips that are in the files already stay there. Every run is written when it is
done: with ``--resume`` those that are there, of the same parameters and the same file of the experiment, are not repeated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import platform
from pathlib import Path
from typing import Any

import click

from neuromorph.doctor import installed_versions
from neuromorph.errors import BackendUnavailable, UnsupportedError
from neuromorph.networks.catalogue import EXPERIMENTS, experiment
from neuromorph.networks.experiment import Experiment
from neuromorph.report.measures import expected_range
from neuromorph.report.units import duration

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("experiment", "backend", "chip", "number", "values", "expected", "inside", "wall time of a run")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--backends", default="emulator,reference,nengo", show_default=True)
@click.option("--chip", help="In this chip's integers.")
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--quick", is_flag=True, help="Less of everything: for slow simulators.")
@click.option("--resume", is_flag=True, help="Leave out what is in the files already.")
def main(names: tuple[str, ...], backends: str, chip: str | None, seeds: int, quick: bool, resume: bool) -> None:
    path = RESULTS / "experiments.json"
    for name in names or tuple(EXPERIMENTS):
        kind = experiment(name)
        trial = kind().quick() if quick else kind()
        for backend in backends.split(","):
            row = {"experiment": name, "backend": backend, "chip": chip, **made_with(trial), "quick": quick}
            for seed in range(seeds):
                if resume and any(is_same(run, row) and run["seed"] == seed for run in held(path)):
                    continue
                try:
                    result = trial.run(backend, seed=seed, chip=chip)
                except (BackendUnavailable, UnsupportedError) as error:
                    click.echo(f"{name} does not run on {backend}: {error}")
                    break
                write(path, merged(path, {**result.to_json(), **row}))
                outside = [measure for measure in result.measures if not measure.is_inside]
                said = "; ".join(f"{m.name} {m.value:.4g}, not in {m.low:.4g}..{m.high:.4g}" for m in outside)
                click.echo(
                    f"{name} {backend} {chip or 'float'} seed {seed} {result.wall_second:.1f} s {said or 'inside'}"
                )


def made_with(trial: Experiment) -> dict[str, Any]:
    """Parameters, and which text of the experiment's file they are of."""
    text = Path(inspect.getfile(type(trial))).read_bytes()
    return {"parameters": dataclasses.asdict(trial), "file_sha256": hashlib.sha256(text).hexdigest()}


def is_same(run: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a run that the file holds was made as ``row`` says."""
    return all(run.get(name) == value for name, value in row.items())


def held(path: Path) -> list[dict[str, Any]]:
    """The runs in the file."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    return found


def merged(path: Path, new: dict[str, Any]) -> list[dict[str, Any]]:
    """What the file holds, with this run in it; those of its experiment, backend and chip that were made otherwise go."""
    place = {name: new[name] for name in ("experiment", "backend", "chip")}
    row = {**place, **{name: new[name] for name in ("parameters", "file_sha256", "quick")}}
    others = [
        run for run in held(path) if not is_same(run, place) or (is_same(run, row) and run["seed"] != new["seed"])
    ]
    order = list(EXPERIMENTS)
    return sorted(
        [run for run in others if run["experiment"] in order] + [new],
        key=lambda run: (order.index(run["experiment"]), run["backend"], run["chip"] or "", run["seed"]),
    )


def write(path: Path, runs: list[dict[str, Any]]) -> None:
    """Both files."""
    packages = dict(installed_versions())
    plain = {"python": platform.python_version(), "platform": platform.platform(), "packages": packages, "runs": runs}
    path.write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    inside = sum(run["inside"] for run in runs)
    lines = [
        "# Experiments",
        "",
        f"Made by `python benchmarks/experiments.py`: {inside} of {len(runs)} runs have every number in its range. Values are",
        "those of the seeds in order. Where an expectation comes from is in the JSON beside this file, with parameters",
        "and the fingerprints of the programs.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(row)} |" for row in rows(runs)),
        "",
    ]
    path.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


def rows(runs: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """One row for each number of an experiment on a backend, all seeds in it."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for run in runs:
        name = f"{run['experiment']}{', quick' * run.get('quick', False)}"
        groups.setdefault((name, run["backend"], run["chip"] or "-"), []).append(run)
    found = []
    for key, group in groups.items():
        for index, first in enumerate(group[0]["measures"]):
            measures = [run["measures"][index] for run in group]
            values = ", ".join("none" if m["value"] is None else f"{m['value']:.4g}" for m in measures)
            expected = expected_range(first["low"], first["high"], first["unit"])
            held = f"{sum(m['inside'] for m in measures)} of {len(measures)}"
            wall = duration(sum(run["wall_second"] for run in group) / len(group))
            found.append((*key, first["measure"], values, expected, held, wall))
    return found


if __name__ == "__main__":
    main()
