"""Peers that are installed do the workloads' work; each in a process of its own, as the benchmark runs them."""

from __future__ import annotations

from typing import Any

import pytest

from neuromorph.bench.benchmark import compared
from neuromorph.bench.contenders import contender
from neuromorph.bench.supervisor import run_job
from neuromorph.bench.worker import Job


def ran(name: str, workload: str) -> dict[str, Any]:
    if lacking := contender(name).lacking():
        pytest.skip(lacking)
    job = Job(workload=workload, size="S", seed=0, contender=name, second=0.1, check_second=30.0, laps=1, steps=50)
    found = run_job(job, limit_second=400.0)
    assert found["status"] == "ok", found["reason"]
    return found


@pytest.mark.parametrize("workload", ["W1F", "W1R", "W2", "W3"])
def test_nest_does_the_work_of_the_reference(workload: str) -> None:
    found = compared(ran("nest", workload)["marks"], ran("reference", workload)["marks"], to_the_bit=False)
    assert found.startswith("within")


@pytest.mark.slow  # it compiles for tens of seconds
@pytest.mark.parametrize("name", ["brian2 C++", "brian2 cython"])
@pytest.mark.parametrize("workload", ["W1F", "W1R", "W2", "W3"])
def test_brian2_does_the_work_of_the_reference(name: str, workload: str) -> None:
    found = ran(name, workload)
    assert compared(found["marks"], ran("reference", workload)["marks"], to_the_bit=False).startswith("within")
    assert found["compile_second"] > 0


def test_a_contender_is_run_in_turns_with_its_pair() -> None:
    job = Job(workload="W2", size="S", seed=0, contender="numpy", second=0.1, check_second=5.0, laps=2, steps=30, pair="reference")  # fmt: skip
    found = run_job(job, limit_second=100.0)
    assert (found["status"], len(found["laps"]), len(found["pair_laps"])) == ("ok", 3, 2)
    assert found["peak_memory_byte"] > found["memory_before_byte"] > 10**6
