"""The digits scorecard over many seeds, as JSON and Markdown: ``python benchmarks/digits.py [--seeds 10]``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from neuromorph.digits_scorecard import score_digits
from neuromorph.report.findings import findings, headline
from neuromorph.report.tables import markdown

RESULTS = Path(__file__).parent / "results"


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--first-seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--name", default="digits", show_default=True, help="Of the files in benchmarks/results.")
def main(seeds: int, first_seed: int, name: str) -> None:
    chosen = tuple(range(first_seed, first_seed + seeds))
    with click.progressbar(length=1000, label="learners and backends") as bar:
        done = 0

        def report(what: str, share: float) -> None:
            nonlocal done
            del what
            bar.update(round(share * 1000) - done)
            done = round(share * 1000)

        scorecard = score_digits(seeds=chosen, progress=report)
    plain = scorecard.to_json()
    lines = [
        "# Digits: learners and backends",
        "",
        f"Made by `python benchmarks/digits.py --seeds {seeds} --first-seed {first_seed}`. Split and initial weights by seed.",
        "",
        f"- {headline(scorecard)}",
        *(f"- {sentence}" for sentence in findings(scorecard)),
        f"- {scorecard.encoding}",
        f"- {', '.join(f'{key} {value}' for key, value in scorecard.versions.items())}",
        "",
        markdown(scorecard),
        "",
        "The learners' constants were chosen on other splits of the same data, with other seeds. Fingerprints of programs and hardware",
        "files are in the JSON beside this file.",
        "",
    ]
    (RESULTS / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")
    (RESULTS / f"{name}.json").write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
