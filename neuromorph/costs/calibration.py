"""What operations take on one core of the machine at hand, and its hardware file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from neuromorph.costs.meters import EnergyMeter
from neuromorph.errors import SimulatorError

SECONDS = 0.35  # of every workload, and at least
RUNS = 7
POWER_SECONDS = 1.0
MOST_SECONDS = 120  # after which a machine is too busy to measure
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
ASSUMED_WATT = (10.0, 20.0)  # of a busy core of a desktop processor, where nothing measures it

Progress = Callable[[str, float], None]
Workload = tuple[Callable[[], object], float]  # what is run, and how many operations that is


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Seconds of one operation, fastest and third quartile of several runs, and watts where there is a meter."""

    processor: str
    day: str
    numpy: str
    seconds: Mapping[str, tuple[float, float]]  # by operation of a hardware file
    runs: Mapping[str, int]
    busy_watt: float | None  # W, all that the meter sees while one core is busy, beyond rest
    idle_watt: float | None  # W, all that the meter sees at rest
    meter: str  # what measured the power, or why nothing did

    @property
    def source(self) -> str:
        """Where the numbers come from, as a hardware file says it."""
        return f"measured on {self.processor} on {self.day} by neuromorph calibrate, NumPy {self.numpy}, one thread"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **vars(self),
            "seconds": {name: list(ends) for name, ends in self.seconds.items()},
            "source": self.source,
        }

    def to_toml(self, name: str) -> str:
        """The hardware file of a conventional processor."""
        operations = {**self.seconds, "multiply_accumulate": self.seconds["multiply_accumulate_float32"]}
        rates = {
            "float32_operations_per_second": 2 / self.seconds["multiply_accumulate_float32"][0],
            "int8_operations_per_second": 2 / self.seconds["multiply_accumulate_int8"][0],
            "memory_bandwidth_byte_per_second": 1 / self.seconds["memory_byte"][0],
        }
        lines = [
            f"name = {_text(name)}",
            'kind = "conventional"',
            f"description = {_text(f'One core of {self.processor}, as NumPy {self.numpy} uses it')}",
            "",
            "[limits.processor]",
            *(f"{key} = {self._number(rate, rate, 'the fastest run')}" for key, rate in rates.items()),
            "",
            "[costs.operations]",
            'role = "alternative"',
            'description = "Times of single operations in NumPy; energy is time x power of a busy core"',
            'missing = ["other libraries: compiled loops and graphics cards are faster than NumPy", '
            '"products of 8-bit integers: NumPy has no fast ones"]',
            *(
                f"{operation}.time_second = {self._number(ends[0], ends[1], WHAT[operation])}"
                for operation, ends in operations.items()
            ),
            "",
            "[costs.core]",
            'role = "shared"',
            'description = "Power of one busy core"',
            'missing = ["power of further cores that a run used, of memory modules and of the rest of the machine"]',
            f"busy_core.power_watt = {self._power(self.busy_watt, 'all that the meter sees while one core multiplies, less rest')}",
        ]
        if self.idle_watt is not None:
            lines.append(f"chip_static.power_watt = {self._power(self.idle_watt, 'all that the meter sees at rest')}")
        return "\n".join(lines) + "\n"

    def _number(self, low: float, high: float, what: str) -> str:
        ends = f"low = {low:.4g}, high = {high:.4g}" if f"{low:.4g}" != f"{high:.4g}" else f"value = {low:.4g}"
        return f'{{ {ends}, source = {_text(f"{self.source}: {what}")}, status = "measured" }}'

    def _power(self, watt: float | None, what: str) -> str:
        if watt is not None:
            return self._number(watt, watt, f"{self.meter}: {what}")
        reason = f"one busy core of a desktop processor; general knowledge, no publication checked. {self.meter}"
        return f'{{ low = {ASSUMED_WATT[0]}, high = {ASSUMED_WATT[1]}, source = {_text(reason)}, status = "assumed" }}'


WHAT: Mapping[str, str] = {  # operation -> what was run
    "multiply_accumulate_float32": "product of two matrices of 512 x 512",
    "multiply_accumulate_float64": "product of two matrices of 512 x 512",
    "multiply_accumulate_int8": "product of two matrices of 128 x 128 into 32-bit integers",
    "multiply_accumulate": "taken equal to that in 32-bit floating point",
    "memory_byte": "copy of 64 MiB, bytes read and bytes written",
    "framework_call": "sum of two single numbers",
    "framework_layer": "product, bias and ReLU of a layer of 8 units",
    "synaptic_operation": "a million events added up on 10000 neurons (bincount)",
    "neuron_update": "decay, input, threshold and reset of 100000 neurons",
    "learning_update": "product of two traces and a rate added to a million weights",
}


def calibrate(progress: Progress = lambda what, share: None) -> Calibration:
    """Measure one core of this machine, in a process of its own in which NumPy has one thread; takes about 7 s.

    Raises :class:`SimulatorError` where that process fails or the machine is too busy to answer.
    """
    quiet = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
    with subprocess.Popen(
        [sys.executable, "-m", __name__], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        began, last = time.monotonic(), ""
        for line in child.stdout:
            last = line
            told = json.loads(line)
            if "what" in told:
                progress(told["what"], told["share"])
            if time.monotonic() - began > MOST_SECONDS:
                child.kill()
                raise SimulatorError(f"the machine is too busy: {told} was all after {MOST_SECONDS} s; try again later")
        errors = child.stderr.read()
    if child.returncode != 0:
        raise SimulatorError(f"measuring this machine failed:\n{errors}")
    found = json.loads(last)
    return Calibration(**{**found, "seconds": {name: tuple(ends) for name, ends in found["seconds"].items()}})


def workloads() -> Iterator[tuple[str, Workload]]:
    """Every operation, and what stands for it."""
    rng = np.random.default_rng(0)
    single, double = (rng.random((3, 512, 512)).astype(dtype) for dtype in (np.float32, np.float64))
    yield "multiply_accumulate_float32", (lambda: np.matmul(single[0], single[1], out=single[2]), 512**3)
    yield "multiply_accumulate_float64", (lambda: np.matmul(double[0], double[1], out=double[2]), 512**3)
    small = rng.integers(-127, 127, (2, 128, 128), dtype=np.int8)
    yield "multiply_accumulate_int8", (lambda: np.matmul(small[0], small[1], dtype=np.int32), 128**3)
    here, there = np.ones(1 << 23), np.zeros(1 << 23)
    yield "memory_byte", (lambda: np.copyto(there, here), 2.0 * here.nbytes)
    one, other, third = np.ones(1), np.ones(1), np.empty(1)
    yield "framework_call", (lambda: np.add(one, other, out=third), 1)
    units, weights, bias = np.ones(8, np.float32), np.ones((8, 8), np.float32), np.ones(8, np.float32)
    yield "framework_layer", (lambda: np.maximum(weights @ units + bias, 0), 1)
    targets, amounts = rng.integers(0, 10_000, 1_000_000), rng.random(1_000_000)
    yield "synaptic_operation", (lambda: np.bincount(targets, amounts, minlength=10_000), targets.size)
    v, u = rng.random(100_000), rng.random(100_000)
    yield "neuron_update", (lambda: _neurons(v, u), v.size)
    w, x, y, dw = (rng.random(1_000_000) for _ in range(4))
    yield "learning_update", (lambda: _learn(w, x, y, dw), w.size)


def _neurons(v: np.ndarray[Any, Any], u: np.ndarray[Any, Any]) -> None:
    np.multiply(u, 0.9, out=u)
    np.multiply(v, 0.95, out=v)
    np.add(v, u, out=v)
    v[v > 1.0] = 0.0
    np.add(u, 0.05, out=u)


def _learn(w: np.ndarray[Any, Any], x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], dw: np.ndarray[Any, Any]) -> None:
    np.multiply(x, y, out=dw)
    np.multiply(dw, 1e-6, out=dw)
    np.add(w, dw, out=w)


def _timed(run: Callable[[], object], count: float) -> tuple[float, float, int]:
    """Fastest and third quartile of the seconds of one operation, and how many runs these are of."""
    run()
    before = time.perf_counter()
    run()
    once = max(time.perf_counter() - before, 1e-8)
    repeats = max(1, round(SECONDS / RUNS / once))
    taken = []
    for _ in range(RUNS):
        before = time.perf_counter()
        for _ in range(repeats):
            run()
        taken.append((time.perf_counter() - before) / repeats / count)
    return min(taken), float(np.quantile(taken, 0.75)), RUNS * repeats


def _watts() -> tuple[float | None, float | None, str]:
    """Power at rest, what one busy core adds, and the meter or why there is none."""
    with EnergyMeter() as meter:
        pass
    if meter.joule is None:
        return None, None, f"Power was not measured: {meter.reason}"
    with EnergyMeter() as resting:
        time.sleep(POWER_SECONDS)
    left = np.ones((512, 512), np.float32)
    with EnergyMeter() as busy:
        until = time.perf_counter() + POWER_SECONDS
        while time.perf_counter() < until:
            left @ left
    assert resting.joule is not None and busy.joule is not None
    idle = resting.joule / resting.second
    return idle, max(busy.joule / busy.second - idle, 0.0), meter.source


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _text(value: str) -> str:
    """A string of TOML, whose escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Tell progress and then the whole, a line of JSON each."""
    seconds, runs = {}, {}
    for number, (operation, (run, count)) in enumerate(workloads()):
        _tell(what=operation.replace("_", " "), share=number / (len(WHAT) + 1))
        *seconds[operation], runs[operation] = _timed(run, count)
    _tell(what="power", share=len(WHAT) / (len(WHAT) + 1))
    idle, busy, meter = _watts()
    _tell(
        processor=_processor(),
        day=date.today().isoformat(),
        numpy=np.__version__,
        seconds=seconds,
        runs=runs,
        busy_watt=busy,
        idle_watt=idle,
        meter=meter,
    )


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
