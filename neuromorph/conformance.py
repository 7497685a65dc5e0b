"""A backend held to the whole conformance kit: verdicts, counts by class of agreement, and the page made of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from neuromorph.backend import FEATURES, Backend
from neuromorph.program import Program
from neuromorph.testing import (
    AGREEMENTS,
    Case,
    Verdict,
    agreement_of,
    check,
    every_case,
    random_case,
    random_fixed_case,
    supported_features,
)

RANDOM_CASES = 20  # of each arithmetic
RANDOM_STEPS = 300
ARITHMETICS = ("float", "fixed")

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class CaseVerdict:
    """A verdict, with the arithmetic of its case and what the case uses."""

    verdict: Verdict
    arithmetic: str
    features: tuple[str, ...]
    random: bool


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """What one backend made of every case."""

    backend: str
    rows: tuple[CaseVerdict, ...]
    seed: int
    random_cases: int
    versions: dict[str, str]
    wall_second: float

    @property
    def passed(self) -> bool:
        """Whether nothing differs, and not everything was skipped."""
        states = {row.verdict.status for row in self.rows}
        return "differs" not in states and "agrees" in states

    def counts(self, arithmetic: str) -> dict[str, int]:
        """Cases by outcome: a class of agreement that was met, "skipped", or "differs"."""
        outcome: Counter[str] = Counter(
            row.verdict.agreement if row.verdict.status == "agrees" else row.verdict.status
            for row in self.rows
            if row.arithmetic == arithmetic
        )
        return {name: outcome[name] for name in (*AGREEMENTS, "skipped", "differs")}

    def support(self, feature: str, arithmetic: str) -> str:
        """How the hand-made cases that use a feature came out: "yes", "no" (declared) or "differs"; "" without a case."""
        states = [
            row.verdict.status
            for row in self.rows
            if not row.random and row.arithmetic == arithmetic and (feature in row.features)
        ]
        if "differs" in states:
            return "differs"
        return "yes" if "agrees" in states else "no" if states else ""

    def to_json(self) -> dict[str, Any]:
        """Counts, and a row for each case."""
        return {
            "backend": self.backend,
            "passed": self.passed,
            "seed": self.seed,
            "random_cases": self.random_cases,
            "versions": self.versions,
            "wall_second": round(self.wall_second, 2),
            "counts": {arithmetic: self.counts(arithmetic) for arithmetic in ARITHMETICS},
            "rows": [
                {
                    "case": row.verdict.case,
                    "arithmetic": row.arithmetic,
                    "random": row.random,
                    "status": row.verdict.status,
                    "agreement": row.verdict.agreement,
                    "sentence": row.verdict.sentence,
                    "steps_followed": row.verdict.steps_followed,
                }
                for row in self.rows
            ],
        }


def conform(
    backend: Backend,
    *,
    random_cases: int = RANDOM_CASES,
    seed: int = 0,
    progress: Progress = lambda what, share: None,
) -> Conformance:
    """Hold a backend to every hand-made case and to ``random_cases`` random programs of each arithmetic it runs.

    ``seed`` chooses the random programs: seed, seed + 1, ...
    """
    began = time.perf_counter()
    cases = every_case()
    total = len(cases) + 2 * random_cases
    rows = []
    for index, (case, random) in enumerate(_cases(backend, cases, random_cases, seed)):
        progress(f"{backend.name}: {case.name}", index / total)
        verdict = _verdict(backend, case)
        rows.append(
            CaseVerdict(
                verdict=verdict,
                arithmetic=case.program.arithmetic,
                features=tuple(sorted(case.features)),
                random=random,
            )
        )
    return Conformance(
        backend=backend.name,
        rows=tuple(rows),
        seed=seed,
        random_cases=random_cases,
        versions=dict(backend.availability().versions),
        wall_second=time.perf_counter() - began,
    )


def _verdict(backend: Backend, case: Case) -> Verdict:
    """What the check says; a backend that breaks differs, and is held to the other cases all the same."""
    try:
        return check(backend, case)
    except Exception as error:  # whatever a stranger's simulator raises
        cause = error.__cause__ or error
        sentence = f"it broke with {type(cause).__name__}: {str(cause).strip() or 'no message'}".partition("\n")[0]
        agreement = agreement_of(backend, case.program)
        return Verdict(backend=backend.name, case=case.name, status="differs", sentence=sentence, agreement=agreement)


def _cases(backend: Backend, cases: Sequence[Case], random_cases: int, seed: int) -> Iterator[tuple[Case, bool]]:
    yield from ((case, False) for case in cases)
    features = supported_features(backend)

    def accepted(program: Program) -> bool:
        return not backend.faults(program)

    for draw in (random_case, random_fixed_case):
        if draw is random_fixed_case and "fixed_point" not in features:
            continue
        for number in range(seed, seed + random_cases):
            yield draw(number, features_allowed=features, accepted=accepted, steps=RANDOM_STEPS), True


def page(results: Sequence[Conformance], backends: Sequence[Backend]) -> str:
    """Markdown: counts by class of agreement, what each backend supports, what it declares, and what differs."""
    lines = [
        "# Conformance",
        "",
        "Every backend held to the reference by the conformance kit. This page is made by",
        "`neuromorph conformance --backend all --page docs/conformance.md`; numbers count cases.",
        "",
        "| class | held to |",
        "|---|---|",
        *(f"| {name} | {sentence} |" for name, sentence in AGREEMENTS.items()),
        "| skipped | the backend declares that it lacks a feature, or stops at a number that it cannot hold, with a sentence |",
        "| differs | it declares the feature and does otherwise, or breaks |",
        "",
        "| backend | arithmetic | " + " | ".join([*AGREEMENTS, "skipped", "differs"]) + " |",
        "|---|---|" + "---|" * (len(AGREEMENTS) + 2),
    ]
    for result in results:
        for arithmetic in ARITHMETICS:
            counts = result.counts(arithmetic)
            lines.append(f"| {result.backend} | {arithmetic} | " + " | ".join(map(str, counts.values())) + " |")
    seeds = sorted({(result.seed, result.random_cases) for result in results})
    told = ", ".join(f"{count} random programs of each arithmetic from seed {seed} on" for seed, count in seeds)
    lines += ["", f"Hand-made cases: {len(every_case())}; beside them {told}.", ""]
    lines += ["## What each backend runs", "", "By the hand-made cases that use a feature: float / fixed point.", ""]
    lines += ["| feature | " + " | ".join(result.backend for result in results) + " |"]
    lines += ["|---|" + "---|" * len(results)]
    for feature, meaning in FEATURES.items():
        cells = [" / ".join(result.support(feature, a) or "–" for a in ARITHMETICS) for result in results]
        lines.append(f"| `{feature}`: {meaning} | " + " | ".join(cells) + " |")
    lines += ["", "## What each backend declares", ""]
    for backend, result in zip(backends, results, strict=True):
        versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        lines += [f"**{backend.name}** ({versions}). {backend.capabilities.note}.".replace("..", "."), ""]
        declared = [f"- `{feature}`: {gap.reason}" for feature, gap in backend.capabilities.gaps.items()]
        skipped = {
            (row.verdict.case, row.verdict.sentence)
            for row in result.rows
            if row.verdict.status == "skipped" and not row.random
        }
        declared += [f"- case {case!r}: {sentence}" for case, sentence in sorted(skipped)]
        lines += [*declared, ""] if declared else []
    return "\n".join(lines).rstrip() + "\n"


__all__ = ["CaseVerdict", "Conformance", "agreement_of", "conform", "page"]
