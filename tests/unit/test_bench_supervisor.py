from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neuromorph.bench.measuring import bandwidth, peak_memory_byte, steps_for, watched_children
from neuromorph.bench.supervisor import run_job
from neuromorph.bench.worker import Job

JOB = Job(workload="W2", size="S", seed=0, contender="reference", second=0.01, check_second=1.0, laps=1, steps=10)


def worker(tmp_path: Path, body: str, *, limit_second: float = 20.0) -> dict[str, Any]:
    """Run a stand-in for the worker."""
    script = tmp_path / "worker.py"
    script.write_text("import json, os, subprocess, sys, time\nfrom pathlib import Path\n" + body)
    return run_job(JOB, limit_second=limit_second, command=(sys.executable, str(script)))


def test_a_worker_that_dies_is_a_row_with_the_signal(tmp_path: Path) -> None:
    found = worker(tmp_path, "print('about to break', flush=True)\nos.kill(os.getpid(), 11)")
    assert found["status"] == "failed"
    assert found["reason"] == "it died of SIGSEGV while start: about to break"


def test_a_worker_that_ends_badly_is_a_row_with_its_last_words(tmp_path: Path) -> None:
    found = worker(tmp_path, "sys.exit('no licence')")
    assert (found["status"], found["reason"]) == ("failed", "it ended with code 1 while start: no licence")


def test_a_worker_that_says_nothing_is_a_row(tmp_path: Path) -> None:
    assert worker(tmp_path, "pass")["status"] == "failed"


def test_a_worker_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    body = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"Path({str(tmp_path / 'pids')!r}).write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)\n"
    )
    found = worker(tmp_path, body, limit_second=2.0)
    assert (found["status"], found["reason"]) == ("timeout", "it took more than 2 s and was ended while start")
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert ended(pid)


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and waiting for whoever takes in orphans."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False


def test_laps_of_a_worker_that_ran_out_of_time_are_kept(tmp_path: Path) -> None:
    body = (
        "Path('result.json').write_text(json.dumps({'status': 'ok', 'reason': '', 'stage': 'timing', 'laps': [1]}))\n"
        "time.sleep(600)\n"
    )
    found = worker(tmp_path, body, limit_second=2.0)
    assert (found["status"], found["laps"]) == ("ok", [1])
    assert found["reason"] == "it took more than 2 s and was ended while timing"


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    worker(tmp_path, "Path('left').write_text('x')\nPath(os.environ['TMPDIR'], 'more').write_text('y')")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_worker_ends_when_the_command_is_gone_and_leaves_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "job.json").write_text("{}")
    script = "import sys, time; from pathlib import Path; from neuromorph.bench.worker import end_with_parent; end_with_parent(Path(sys.argv[1])); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == -9
    assert not folder.exists()


def test_one_thread_is_asked_of_every_library(tmp_path: Path) -> None:
    body = (
        "names = [os.environ[name] for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS')]\n"
        "Path('result.json').write_text(json.dumps({'status': 'ok', 'reason': ' '.join(names), 'stage': 'done'}))\n"
    )
    assert worker(tmp_path, body)["reason"] == "1 1"


def test_the_real_worker_tells_what_is_missing() -> None:
    job = Job(**{**JOB.__dict__, "contender": "nengo-loihi", "workload": "W9"})
    found = run_job(job, limit_second=60.0)
    assert found["status"] == "failed"
    assert "there is no workload 'W9'" in found["reason"]


def test_bandwidth_is_measured_in_bytes_a_second() -> None:
    moved = bandwidth(large_byte=2**20, cached_byte=2**16, passes=1)
    assert min(moved.copy_byte, moved.triad_byte, moved.cached_copy_byte) > 1e6


def test_memory_of_started_programs_is_seen() -> None:
    with watched_children() as found:
        subprocess.run([sys.executable, "-c", "import time; x = bytearray(50_000_000); time.sleep(0.3)"], check=True)
    assert found.peak_byte > 50_000_000
    assert peak_memory_byte() > 10**7


@pytest.mark.parametrize("rate", [0.1, 7.0, 123.0, 98_765.0, 1e8])
def test_steps_are_round_and_within_limits(rate: float) -> None:
    steps = steps_for(rate, 1.0)
    assert 10 <= steps <= 50_000
    assert str(steps).rstrip("0") in {str(n) for n in range(1, 100)}
