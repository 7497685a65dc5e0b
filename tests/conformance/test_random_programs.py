"""A thousand random programs on each backend, none of which may differ from the reference.

In fixed point; the emulator on one thread and on two, and in float too.

``NEUROMORPH_WRITE_RESULTS=1 pytest -m slow tests/conformance/test_random_programs.py`` runs them and writes what came of
it to benchmarks/results/random_programs.json.
"""

import json
import os
import time
from collections import Counter
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from neuromorph import registry
from neuromorph.design_rules import accumulator_faults
from neuromorph.errors import BackendUnavailable, SimulatorError
from neuromorph.program import Program
from neuromorph.testing import check, random_case, random_fixed_case, supported_features
from neuromorph.whole_file import whole_file

HYPOTHESIS_SEED, PROGRAMS, STEPS = 20261122, 1000, 200
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "random_programs.json"


# Label, backend, its options, arithmetic.
HELD = (
    ("nengo", "nengo", {}, "fixed"),
    ("nengo-loihi", "nengo-loihi", {}, "fixed"),
    ("lava", "lava", {}, "fixed"),
    ("emulator", "emulator", {"threads": 1}, "fixed"),
    ("emulator, two threads", "emulator", {"threads": 2}, "fixed"),
    ("emulator in float", "emulator", {"threads": 1}, "float"),
    ("emulator in float, two threads", "emulator", {"threads": 2}, "float"),
)
LABELS = [label for label, *_ in HELD]


def hold(label: str, programs: int, steps: int) -> dict[str, object]:
    name, options, arithmetic = next((name, options, kind) for known, name, options, kind in HELD if known == label)
    try:
        backend = registry.get(name, **options)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    features, outcome, used = supported_features(backend), Counter[str](), Counter[str]()
    stopped: list[str] = []
    began = time.perf_counter()

    def accepted(program: Program) -> bool:
        # nengo-loihi's input accumulator has 21 bits: programs that `neuromorph check` says could leave it are left out
        return not backend.faults(program) and not (name == "nengo-loihi" and accumulator_faults(program))

    @hypothesis.seed(HYPOTHESIS_SEED)
    @hypothesis.settings(
        max_examples=programs,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.integers(0, 2**32 - 1))
    def every_program_agrees(seed: int) -> None:
        try:
            if arithmetic == "fixed":
                case = random_fixed_case(seed, features_allowed=features, accepted=accepted, steps=steps)
            else:
                case = random_case(seed, features_allowed=features, steps=steps)
            verdict = check(backend, case, seed=seed % 7, whole_run_only=True)
        except SimulatorError as error:
            if "overflow" in str(error):  # a rule without bounds that ran away, on the reference
                hypothesis.reject()
            raise
        assert verdict.status != "differs", f"random {arithmetic} case {seed}: {verdict}"
        assert arithmetic == "fixed" or verdict.agreement == "exact", f"random {arithmetic} case {seed}: {verdict}"
        outcome[verdict.status] += 1
        used.update(case.features)
        if verdict.status == "skipped":
            stopped.append(verdict.sentence)

    every_program_agrees()
    return {
        "backend": label,
        "arithmetic": arithmetic,
        "versions": dict(backend.availability().versions),
        "hypothesis_seed": HYPOTHESIS_SEED,
        "programs": sum(outcome.values()),
        "steps": steps,
        "equal": outcome["agrees"],
        "stopped_at_a_declared_limit": outcome["skipped"],
        "differ": 0,
        "programs_with": dict(sorted(used.items())),
        "first_stop": stopped[0] if stopped else "",
        "wall_second": round(time.perf_counter() - began),
    }


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_no_random_program_differs(label: str) -> None:
    found = hold(label, PROGRAMS, STEPS)
    assert found["programs"] == PROGRAMS
    assert int(str(found["stopped_at_a_declared_limit"])) < 0.05 * PROGRAMS
    if os.environ.get("NEUROMORPH_WRITE_RESULTS") == "1":
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        rows = [row for row in rows if row["backend"] != label] + [{**found, "numpy": np.__version__}]
        with whole_file(RESULTS) as stream:
            stream.write(json.dumps(rows, indent=2) + "\n")


@pytest.mark.parametrize("label", LABELS)
def test_a_few_random_programs_agree(label: str) -> None:
    assert hold(label, 4, 100)["programs"] == 4


def test_what_was_committed_are_equal_programs_of_each_backend() -> None:
    rows = {row["backend"]: row for row in json.loads(RESULTS.read_text())}
    assert set(rows) == set(LABELS)
    for row in rows.values():
        assert (row["programs"], row["hypothesis_seed"], row["differ"]) == (PROGRAMS, HYPOTHESIS_SEED, 0)
        assert row["equal"] + row["stopped_at_a_declared_limit"] == PROGRAMS
