"""Workers from outside: started, limited in time and memory, ended with all that they started, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from neuromorph.bench.measuring import THREAD_VARIABLES, resident_byte
from neuromorph.bench.worker import Job, job_text

POLL_SECOND = 0.1
MEMORY_SHARE = 0.8  # of what is free when a worker starts


def run_job(
    job: Job,
    *,
    limit_second: float,
    threads: int = 1,
    command: Sequence[str] = (sys.executable, "-m", "neuromorph.bench.worker"),
) -> dict[str, Any]:
    """What the worker found: at least ``status`` ("ok", "missing", "cannot", "failed", "timeout") and ``reason``."""
    folder = Path(tempfile.mkdtemp(prefix="neuromorph-bench-"))
    try:
        (folder / "job.json").write_text(job_text(job), encoding="utf-8")
        ended, told = _supervise([*command, str(folder)], folder, limit_second, threads)
        result = _result(folder)
        if ended and result.get("stage") != "done" and result.get("status", "ok") == "ok":
            stage = result.get("stage", "start")
            status = "timeout" if ended.startswith("it took") else "failed"
            reason = f"{ended} while {stage}" + (f": {told}" if told and status == "failed" else "")
            # laps that were finished are worth keeping
            result |= {"status": "ok" if result.get("laps") else status, "reason": reason}
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _supervise(command: Sequence[str], folder: Path, limit_second: float, threads: int) -> tuple[str, str]:
    """Run to the end; how it ended where it did not end by itself and well, and the last line that it said."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "TMPDIR": str(folder), "PYNEST_QUIET": "1"}
    most = int(_available_byte() * MEMORY_SHARE)
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        deadline, ended = time.monotonic() + limit_second, ""
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    ended = f"it took more than {limit_second:.0f} s and was ended"
                    break
                if most and (held := resident_byte(str(process.pid))) > most:
                    ended = f"it held {held / 2**30:.1f} GiB, nearly all that was free, and was ended"
                    break
                time.sleep(POLL_SECOND)
        finally:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
    if not ended and process.returncode:
        code = process.returncode
        ended = f"it died of {signal.Signals(-code).name}" if code < 0 else f"it ended with code {code}"
    if not ended and _result(folder).get("stage") != "done" and _result(folder).get("status", "ok") == "ok":
        ended = "it ended without a result"
    return ended, _last_line(folder / "output.txt")


def _result(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _available_byte() -> int:
    """Memory that is free or can be freed; 0 where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
