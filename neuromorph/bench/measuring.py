"""What a machine and a process do: memory, bandwidth, and how many steps to time."""

from __future__ import annotations

import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
FEWEST_STEPS, MOST_STEPS = 10, 50_000


def forget_peak() -> None:
    """Let the high-water of memory begin anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def resident_byte(process: str = "self") -> int:
    """Memory that a process holds now; 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def peak_memory_byte() -> int:
    """The most memory this process held so far, or since :func:`forget_peak` (resident, high-water)."""
    return _high_water("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _high_water(process: str) -> int:
    """``VmHWM`` of a process; 0 where the system does not tell. (``ru_maxrss`` would begin with the parent's.)"""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass
class Watched:
    """The most memory that any process started in a block held."""

    peak_byte: int = 0


@contextmanager
def watched_children(interval_second: float = 0.01) -> Iterator[Watched]:
    """Watch the memory of the processes that this one starts within the block."""
    found, stop = Watched(), threading.Event()

    def watch() -> None:
        while not stop.wait(interval_second):
            for child in _children():
                found.peak_byte = max(found.peak_byte, _high_water(child))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _children() -> list[str]:
    found: list[str] = []
    for task in Path("/proc/self/task").glob("*"):
        try:
            found += (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class Bandwidth:
    """Bytes a second that one core moves with NumPy: the best of several passes."""

    copy_byte: float  # of an array far larger than the caches: bytes read and bytes written
    triad_byte: float  # a = b + s c over the same
    cached_copy_byte: float  # of an array that fits into the last cache


def bandwidth(large_byte: int = 256 * 2**20, cached_byte: int = 4 * 2**20, passes: int = 5) -> Bandwidth:
    """Measure it; takes a second or two, and twice to three times ``large_byte`` of memory."""

    def best(byte: int, kernel: str, repeats: int) -> float:
        values = np.ones(byte // 8)
        target, third = np.zeros_like(values), np.ones_like(values)
        least = float("inf")
        for _ in range(passes):
            began = time.perf_counter()
            for _ in range(repeats):
                if kernel == "copy":
                    np.copyto(target, values)
                else:  # two passes, as NumPy has no fused one: c is read, a written, then a and b read and a written
                    np.multiply(third, 3.0, out=target)
                    np.add(target, values, out=target)
            least = min(least, time.perf_counter() - began)
        return (2 if kernel == "copy" else 5) * values.nbytes * repeats / least

    return Bandwidth(
        copy_byte=best(large_byte, "copy", 1),
        triad_byte=best(large_byte, "triad", 1),
        cached_copy_byte=best(cached_byte, "copy", 50),
    )


def steps_for(rate: float, second: float) -> int:
    """Steps that take about so many seconds at ``rate`` steps a second, in round numbers from 10 to 50,000.

    >>> steps_for(37.0, 1.0), steps_for(2400.0, 1.0), steps_for(0.5, 1.0), steps_for(1e9, 1.0)
    (35, 2400, 10, 50000)
    """
    wanted = min(max(rate * second, FEWEST_STEPS), MOST_STEPS)
    unit = 10.0 ** (np.floor(np.log10(wanted)) - 1) * 5 if wanted < 100 else 10.0 ** (np.floor(np.log10(wanted)) - 1)
    return max(FEWEST_STEPS, int(wanted // unit * unit))


def machine() -> dict[str, Any]:
    """The processor and the system, as far as they tell."""
    model, caches = platform.processor() or platform.machine(), {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
        for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
            kind = (index / "type").read_text().strip()
            if kind != "Instruction":
                caches[f"L{(index / 'level').read_text().strip()}"] = (index / "size").read_text().strip()
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "caches": caches,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
    }
