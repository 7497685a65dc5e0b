"""Every experiment on several backends and seeds, as JSON and Markdown: ``python benchmarks/experiments.py [NAME ...]``.

Runs of other experiments, backends or chips that are in the files already stay there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from neuromorph.doctor import diagnose
from neuromorph.errors import BackendUnavailable, UnsupportedError
from neuromorph.networks.catalogue import EXPERIMENTS, experiment
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
def main(names: tuple[str, ...], backends: str, chip: str | None, seeds: int, quick: bool) -> None:
    path = RESULTS / "experiments.json"
    for name in names or tuple(EXPERIMENTS):
        kind = experiment(name)
        for backend in backends.split(","):
            runs = []
            for seed in range(seeds):
                trial = kind().quick() if quick else kind()
                try:
                    result = trial.run(backend, seed=seed, chip=chip)
                except (BackendUnavailable, UnsupportedError) as error:
                    click.echo(f"{name} does not run on {backend}: {error}")
                    break
                runs.append({**result.to_json(), "quick": quick})
                outside = [measure for measure in result.measures if not measure.is_inside]
                said = "; ".join(f"{m.name} {m.value:.4g}, not in {m.low:.4g}..{m.high:.4g}" for m in outside)
                click.echo(
                    f"{name} {backend} {chip or 'float'} seed {seed} {result.wall_second:.1f} s {said or 'inside'}"
                )
            if runs:
                write(path, merged(path, name, backend, chip, runs))


def merged(path: Path, name: str, backend: str, chip: str | None, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the file holds, with these runs in the place of those of the same experiment, backend and chip."""
    held: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    others = [run for run in held if (run["experiment"], run["backend"], run["chip"]) != (name, backend, chip)]
    order = list(EXPERIMENTS)
    return sorted(
        [run for run in others if run["experiment"] in order] + runs,
        key=lambda run: (order.index(run["experiment"]), run["backend"], run["chip"] or "", run["seed"]),
    )


def write(path: Path, runs: list[dict[str, Any]]) -> None:
    """Both files."""
    found = diagnose()
    plain = {"python": found.python, "platform": found.platform, "packages": dict(found.packages), "runs": runs}
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
