"""Digits by local learning, in float and in a chip's integers: ``python benchmarks/digits_local.py [--seeds 5]``.

Every result is written as soon as it is there; a second call goes on where the first was stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import click
import numpy as np

from neuromorph import registry
from neuromorph.chip import load_chip
from neuromorph.digits_lesson import teach
from neuromorph.digits_scorecard import LEARNERS
from neuromorph.doctor import installed_versions
from neuromorph.networks.learner import OUTPUT, Learner
from neuromorph.tasks.dataset import digits

RESULTS = Path(__file__).parent / "results"
CHIP = "loihi1"
FIRST, SECOND, ALL = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9), tuple(range(10))
KINDS = ("whole", "one pass", "halves")
LAVA_SAMPLES = 24  # learned again on Lava, spikes and weights compared
CHOSEN = (
    "Constants of the learners with reward, of e-prop and of the thresholds of unsupervised STDP were chosen on seeds from"
    " 100 on."
)
GOALS = {  # least mean accuracy on a chip's integers, by learner: whole lesson, one pass, all ten after both halves
    "unsupervised STDP": (0.945, None, None),
    "unsupervised STDP, 400 neurons": (0.965, 0.93, None),
    "reward-modulated STDP": (0.950, None, None),
    "reward-modulated STDP, hidden layer": (0.970, None, None),
    "e-prop": (0.975, None, None),
    "prototypes": (0.975, 0.975, 0.970),
}


@dataclass(frozen=True)
class Work:
    """One lesson."""

    learner: Learner
    kind: str  # "whole", "one pass" or "halves": 0-4, then 5-9
    arithmetic: str
    seed: int

    @property
    def key(self) -> str:
        return f"{self.learner.name} | {self.kind} | {self.arithmetic} | {self.seed}"

    def result(self) -> dict[str, Any]:
        """Accuracies, and how many samples were taught."""
        data = digits(seed=self.seed)
        one_pass = len(data.training_labels)
        samples = one_pass if self.kind == "one pass" else self.learner.samples
        known = teach(
            self.learner,
            data,
            seed=self.seed,
            samples=samples,
            chip=CHIP if self.arithmetic == "fixed" else None,
            phases=[FIRST, SECOND] if self.kind == "halves" else None,
        )
        found: dict[str, Any] = {"samples": known[-1].samples, "program": known[-1].program.fingerprint}
        found["constants"] = constants(self.learner)
        if self.kind == "halves":
            found["first half before"] = known[0].accuracy([FIRST])[0]
            found["first half"], found["accuracy"] = known[1].accuracy([FIRST, ALL])
        else:
            (found["accuracy"],) = known[-1].accuracy([ALL])
        found["neurons in use"] = int(np.count_nonzero(known[-1].readout.labels >= 0))
        return found


def constants(learner: Learner) -> str:
    """Of a learner, in short: what was found with others is found again."""
    return hashlib.sha256(f"{learner} {dict(learner.quantisation)}".encode()).hexdigest()[:16]


def works(names: tuple[str, ...], kinds: tuple[str, ...], seeds: range) -> Iterator[Work]:
    """All lessons, the most asked for first."""
    for kind in kinds:
        arithmetics = ("fixed", "float") if kind == "whole" else ("fixed",)
        for learner in (LEARNERS[name] for name in names):
            for arithmetic in arithmetics:
                for seed in seeds:
                    yield Work(learner, kind, arithmetic, seed)


def same_on_lava(learner: Learner, seed: int) -> dict[str, Any]:
    """The first samples learned on Lava as on the emulator: whether spikes and learned weights are equal."""
    data = digits(seed=seed)
    program = learner.program(data, seed=seed, chip=CHIP)
    spikes = learner.encode(data.training_images[:LAVA_SAMPLES])
    seen = []
    for backend in ("emulator", "lava"):
        with registry.get(backend).open(program, seed=seed) as session:
            lesson = learner.lesson(session, data, seed=seed, samples=LAVA_SAMPLES)
            runs = [
                run
                for one, label in zip(spikes, data.training_labels[:LAVA_SAMPLES], strict=True)
                for run in lesson.teach(one, int(label))
            ]
            seen.append((runs, [session.read(f"{name}.weight") for name in learner.plastic]))
    (ours, our_weights), (theirs, their_weights) = seen
    return {
        "samples": LAVA_SAMPLES,
        "constants": constants(learner),
        "output spikes": sum(len(run.spikes[OUTPUT]) for run in ours),
        "spikes equal": all(
            np.array_equal(np.asarray(a.spikes[name]), np.asarray(b.spikes[name]))
            for a, b in zip(ours, theirs, strict=True)
            for name in a.spikes
        ),
        "weights equal": all(np.array_equal(a, b) for a, b in zip(our_weights, their_weights, strict=True)),
    }


def table(results: dict[str, dict[str, Any]], lava: dict[str, dict[str, Any]]) -> list[str]:
    """Rows of Markdown."""
    lines = [
        "| Learner | Training samples | Whole lesson, 8-bit, % | In float, % | One pass, 8-bit, % | 0-4 after 5-9, % | All ten after both, % | Lava |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for learner in LEARNERS.values():

        def values(kind: str, arithmetic: str, what: str = "accuracy", name: str = learner.name) -> list[float]:
            prefix = f"{name} | {kind} | {arithmetic} | "
            return [one[what] for key, one in results.items() if key.startswith(prefix)]

        check = lava.get(learner.name)
        equal = "" if check is None else "equal" if check["spikes equal"] and check["weights equal"] else "DIFFERENT"
        cells = [
            learner.name,
            f"{int(values('whole', 'fixed', 'samples')[0]):,}" if values("whole", "fixed", "samples") else "",
            spread(values("whole", "fixed")),
            spread(values("whole", "float")),
            spread(values("one pass", "fixed")),
            spread(values("halves", "fixed", "first half")),
            spread(values("halves", "fixed")),
            equal,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def spread(values: list[float]) -> str:
    """Mean and standard deviation in per cent."""
    if not values:
        return ""
    sd = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * fmean(values):.1f}{sd}"


def goals(results: dict[str, dict[str, Any]]) -> list[str]:
    """Each goal with what was reached, as sentences."""
    found = []
    for name, (whole, once, both) in GOALS.items():
        for kind, goal in (("whole", whole), ("one pass", once), ("halves", both)):
            reached = [one["accuracy"] for key, one in results.items() if key.startswith(f"{name} | {kind} | fixed | ")]
            if goal is not None and reached:
                verdict = "reached" if fmean(reached) >= goal else "MISSED"
                found.append(f"- {name}, {kind}: {fmean(reached):.4f}, goal {goal}: {verdict}")
        pairs = [
            [one["accuracy"] for key, one in results.items() if key.startswith(f"{name} | whole | {arithmetic} | ")]
            for arithmetic in ("fixed", "float")
        ]
        if all(pairs):
            difference = fmean(pairs[0]) - fmean(pairs[1])
            verdict = "reached" if abs(difference) <= 0.01 else "MISSED"
            found.append(f"- {name}, 8-bit less float: {difference:+.4f}, goal within 0.01: {verdict}")
    return found


def write(name: str, results: dict[str, dict[str, Any]], lava: dict[str, dict[str, Any]], seeds: range) -> None:
    """JSON and Markdown."""
    versions = installed_versions()
    plain = {
        "chip": {"name": CHIP, "fingerprint": load_chip(CHIP).fingerprint},
        "versions": versions,
        "results": results,
        "lava": lava,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text = [
        "# Digits by local learning",
        "",
        f"Made by `python benchmarks/digits_local.py --seeds {len(seeds)} --first-seed {seeds.start}`: scikit-learn's digits, 80 % to"
        f" learn and 20 % held out in every class, split and initial weights by seed. 8-bit: learned on the emulator in {CHIP}'s"
        " integers (weights of 8 bits, traces of 7, the chip's random rounding); float: the same description without rounding."
        " Held-out accuracy, mean ± standard deviation over the seeds. 0-4 after 5-9: the classes 0 to 4 are learned first, then"
        " 5 to 9 without replay.",
        "",
        *table(results, lava),
        "",
        f"Lava: the first {LAVA_SAMPLES} samples learned again on Lava's fixed-point models; all spikes and learned weights compared with the emulator's.",
        "",
        *goals(results),
        "",
        CHOSEN,
        "",
        f"{', '.join(f'{key} {value}' for key, value in versions.items())}",
        "",
    ]
    (RESULTS / f"{name}.md").write_text("\n".join(text), encoding="utf-8")


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--first-seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--name", default="digits_local", show_default=True, help="Of the files in benchmarks/results.")
@click.option("--learners", default=",".join(LEARNERS), show_default=True, help="Comma-separated.")
@click.option("--lessons", type=click.Choice(KINDS), multiple=True, default=KINDS, show_default=True)
@click.option("--fresh", is_flag=True, help="Forget the results that are there.")
def main(seeds: int, first_seed: int, name: str, learners: str, lessons: tuple[str, ...], fresh: bool) -> None:
    path, chosen = RESULTS / f"{name}.json", range(first_seed, first_seed + seeds)
    before = {} if fresh or not path.exists() else json.loads(path.read_text(encoding="utf-8"))
    known = {learner.name: constants(learner) for learner in LEARNERS.values()}
    results, lava = (
        {
            key: one
            for key, one in before.get(part, {}).items()
            if known.get(key.split(" | ")[0]) == one.get("constants")
        }
        for part in ("results", "lava")
    )
    names = tuple(learners.split(","))
    if unknown := [one for one in names if one not in LEARNERS]:
        raise click.BadParameter(f"there is no learner {', '.join(unknown)}; known: {', '.join(LEARNERS)}")
    todo = [work for work in works(names, lessons, chosen) if work.key not in results]
    for number, work in enumerate(todo, start=1):
        results[work.key] = work.result()
        click.echo(f"{number}/{len(todo)} {work.key}: {results[work.key]['accuracy']:.4f}")
        write(name, results, lava, chosen)
    if registry.availability("lava").available:
        for learner in (LEARNERS[one] for one in names):
            if learner.name not in lava:
                lava[learner.name] = same_on_lava(learner, chosen.start)
                click.echo(f"lava, {learner.name}: {lava[learner.name]}")
                write(name, results, lava, chosen)
    write(name, results, lava, chosen)


if __name__ == "__main__":
    main()
