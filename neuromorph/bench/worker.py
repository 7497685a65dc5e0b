"""One contender and one workload in a process of its own: ``python -m neuromorph.bench.worker FOLDER``.

The folder holds ``job.json``; after every stage ``result.json`` is written anew, so that what was measured before a crash
or the end of the time is kept. Standard input is a lifeline: when it closes, the process group ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuromorph.bench.contenders import Contender, contender, make
from neuromorph.bench.measuring import forget_peak, peak_memory_byte, resident_byte, steps_for
from neuromorph.bench.runner import Lap, Runner
from neuromorph.bench.traffic import bytes_per_step
from neuromorph.bench.workloads import Workload, draw
from neuromorph.errors import BackendUnavailable, NeuromorphError, UnsupportedError

MARKS = (10, 20, 50, 100)  # steps after which spikes are compared


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker is asked for."""

    workload: str
    size: str
    seed: int
    contender: str
    second: float  # that a timed lap is to take
    check_second: float  # that the compared steps may take; a slow contender stops at an earlier mark
    laps: int
    steps: int | None = None  # of a timed lap; None: as many as fit
    pair: str = ""  # run in turns with this contender


def check(runner: Runner, second: float, marks: Sequence[int] = MARKS) -> tuple[dict[str, dict[str, Any]], float]:
    """Spikes up to each mark, as far as the time allows, and steps a second in the last part."""
    found: dict[str, dict[str, Any]] = {}
    total: dict[str, int] = {}
    digest: str | None = ""
    began, rate, done = time.perf_counter(), 0.0, 0
    for mark in marks:
        if rate and time.perf_counter() - began + (mark - done) / rate > second:
            break
        lap = runner.lap(mark - done)
        if lap.second > 0:
            rate = lap.steps / lap.second
        done = mark
        total = {name: total.get(name, 0) + count for name, count in lap.spikes.items()}
        if digest is not None and lap.digest is not None:
            digest = hashlib.sha256((digest + lap.digest).encode()).hexdigest()[:16]
        else:
            digest = None
        found[str(mark)] = {"spikes": total, "digest": digest}
    return found, rate


def lap_record(lap: Lap, workload: Workload, first: int, item: Contender) -> dict[str, Any]:
    """A timed lap in plain numbers."""
    sent = workload.sent(lap.spikes, first, lap.steps)
    moved = bytes_per_step(item, workload, {name: count / lap.steps for name, count in sent.items()})
    return {
        "steps": lap.steps,
        "second": lap.second,
        "spikes": sum(lap.spikes.values()),
        "events": workload.synaptic_events(sent),
        "byte": None if moved is None else moved * lap.steps,
    }


def lap_steps(runner: Runner, rate: float, second: float, asked: int | None) -> int:
    """Steps of a timed lap: what was asked for, else about ``second`` seconds by a first lap that does not count."""
    if runner.fixed_steps is not None:
        return runner.fixed_steps
    if asked is not None:
        return asked
    most = runner.workload.most_steps
    steps = min(steps_for(rate, second / 4), most)
    for _ in range(3):
        lap = runner.lap(steps)
        wanted = min(steps_for(lap.steps / max(lap.second, 1e-9), second), most)
        if wanted < 3 * steps:
            return wanted
        steps = wanted
    return steps


def measure(job: Job, folder: Path, keep: Any) -> None:
    """All stages; ``keep`` takes what is known after each."""
    result: dict[str, Any] = {"stage": "start"}

    def reached(stage: str, **found: Any) -> None:
        result.update(found)
        result["stage"] = stage
        keep(result)

    item = contender(job.contender)
    reached("drawing the workload")
    began = time.perf_counter()
    workload = draw(job.workload, job.size, job.seed)
    draw_second = time.perf_counter() - began
    forget_peak()
    reached(
        "building",
        draw_second=draw_second,
        neurons=workload.neurons,
        synapses=workload.synapses,
        memory_before_byte=resident_byte(),
    )
    runner = make(item, workload, folder, check_steps=MARKS[-1], second=job.second, steps=job.steps)
    runner.build()
    reached(
        "checking the work",
        build_second=runner.build_second,
        compile_second=runner.compile_second,
        versions=runner.versions(),
    )
    marks, rate = check(runner, job.check_second)
    reached("choosing the number of steps", marks=marks)
    steps = lap_steps(runner, rate, job.second, job.steps)
    reached("timing")
    before = peak_memory_byte()
    runner.restart()
    forget_peak()  # copies of the first weights are none of the contender's memory
    laps = [_timed(runner, steps, workload, item)]
    reached("timing", laps=laps, peak_memory_byte=max(before, peak_memory_byte(), runner.child_memory_byte()))
    other: Runner | None = None
    if job.pair:
        try:
            other = make(
                contender(job.pair), workload, folder, check_steps=MARKS[-1], second=job.second, steps=job.steps
            )
            other.build()
            _, other_rate = check(other, job.check_second)
            other_steps = lap_steps(other, other_rate, job.second, job.steps)
        except (NeuromorphError, MemoryError) as error:
            other = None
            reached("timing", pair_reason=_first_line(error))
    pairs: list[dict[str, Any]] = []
    for _ in range(job.laps):
        runner.restart()
        if other is not None:
            other.restart()
            pairs.append(_timed(other, other_steps, workload, contender(job.pair)))
        laps.append(_timed(runner, steps, workload, item))
        reached("timing", laps=laps, pair_laps=pairs)
    runner.close()
    if other is not None:
        other.close()
    reached("done")


def _timed(runner: Runner, steps: int, workload: Workload, item: Contender) -> dict[str, Any]:
    first = runner.done if runner.fixed_steps is None else MARKS[-1]
    return lap_record(runner.lap(steps), workload, first, item)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return text or type(error).__name__


def status_of(error: BaseException) -> tuple[str, str]:
    """A word for what went wrong, and the reason in a line."""
    if isinstance(error, BackendUnavailable):
        return "missing", _first_line(error)
    if isinstance(error, UnsupportedError):
        return "cannot", " ".join(error.faults) if len(error.faults) < 3 else _first_line(error)
    if isinstance(error, MemoryError):
        return "failed", "it ran out of memory"
    if isinstance(error, ModuleNotFoundError):
        return "missing", f"{error.name or error} is not installed"
    return "failed", f"{type(error).__name__}: {_first_line(error)}"


def end_with_parent(folder: Path) -> None:
    """End the process group, and leave no folder, once standard input closes: the command ended, however it did."""

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def main(folder: Path) -> None:
    """Do the job in the folder."""
    end_with_parent(folder)
    job = Job(**json.loads((folder / "job.json").read_text(encoding="utf-8")))
    kept: dict[str, Any] = {}

    def keep(result: dict[str, Any]) -> None:
        kept.update(result)
        part = folder / "result.part"
        part.write_text(json.dumps({"status": "ok", "reason": "", **kept}), encoding="utf-8")
        part.replace(folder / "result.json")

    try:
        measure(job, folder, keep)
    except Exception as error:  # whatever a tool raises is a row with the reason
        status, reason = status_of(error)
        keep({"status": status, "reason": reason})
    sys.stdout.flush()
    os._exit(0)  # simulators that hang when Python ends would hold the command up


def job_text(job: Job) -> str:
    """The job as JSON."""
    return json.dumps(asdict(job))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
