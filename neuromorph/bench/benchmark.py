"""The whole benchmark: which rows, one worker after the other, and what the rows say together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from neuromorph.bench.contenders import Contender, contender, contenders
from neuromorph.bench.measuring import Bandwidth, bandwidth, machine
from neuromorph.bench.supervisor import run_job
from neuromorph.bench.worker import MARKS, Job
from neuromorph.bench.workloads import FIRING_RATES, kinds
from neuromorph.errors import InputError

TOLERANCE = (
    0.05  # of spike counts between contenders that are not equal to the bit, beside three deviations of counting
)
FEWEST_SPIKES = 100  # whose number says something
SIZES = ("S", "M", "L", "chip1", "chip2")
QUICK_SECOND = 270.0  # of the whole command
QUICK_WORKLOADS, QUICK_SIZE = ("W1F", "W1R", "W2", "W3"), "M"
QUICK_LEAVES_OUT = ("reference fixed", "brian2 cython")
COMPILING = ("brian2 C++", "brian2 cython")  # tried last in a quick run
LEAST_SECOND = {"brian2 C++": 25.0, "brian2 cython": 25.0}  # below which starting it is in vain

Row = dict[str, Any]
Progress = Callable[[str, float], None]
RunJob = Callable[..., dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run and for how long; validated by :func:`plan_of`."""

    rows: tuple[tuple[str, str, Contender], ...]  # workload, size, contender
    asked_for: frozenset[str]  # contenders that were named, and run whatever the size
    seed: int = 0
    steps: int | None = None
    second: float = 1.0  # of a timed lap
    check_second: float = 20.0
    laps: int = 3
    limit_second: float = 300.0  # of a row
    total_second: float = math.inf


def plan_of(
    *,
    workloads: Sequence[str] = (),
    sizes: Sequence[str] = (),
    backends: Sequence[str] = (),
    seed: int = 0,
    steps: int | None = None,
    quick: bool = False,
    limit_second: float = 300.0,
) -> Plan:
    """Rows for what was asked; empty lists mean all, and with ``quick`` a choice. Raises :class:`InputError`."""
    known = kinds()
    for what, names, allowed in (
        ("workload", workloads, tuple(known)),
        ("size", sizes, SIZES),
        ("backend", backends, tuple(item.name for item in contenders())),
    ):
        if unknown := [name for name in names if name not in allowed]:
            raise InputError(f"there is no {what} {', '.join(map(repr, unknown))}; known: {', '.join(allowed)}")
    wanted = workloads or (QUICK_WORKLOADS if quick else tuple(known))
    wanted_sizes = sizes or ((QUICK_SIZE,) if quick else SIZES)
    items = [contender(name) for name in backends] if backends else list(contenders())
    if quick and not backends:
        items = [item for item in items if item.name not in QUICK_LEAVES_OUT]
    rows = [(name, size, item) for name in wanted for size in SIZES if size in wanted_sizes and size in known[name].sizes for item in items]  # fmt: skip
    if not rows:
        raise InputError(f"no workload of {', '.join(wanted)} has a size {' or '.join(wanted_sizes)}")
    if quick:
        # one contender after the other through all workloads, so that time which runs out is missing everywhere alike
        order = [item.name for item in contenders()]
        rows.sort(key=lambda row: (row[2].name in COMPILING, order.index(row[2].name)))
    shared: dict[str, Any] = {"rows": tuple(rows), "asked_for": frozenset(backends), "seed": seed, "steps": steps}
    if quick:
        return Plan(
            **shared, second=0.2, check_second=3.0, laps=2,
            limit_second=min(limit_second, 100.0), total_second=QUICK_SECOND,
        )  # fmt: skip
    return Plan(**shared, limit_second=limit_second)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Rows in the order of the table, and the machine they were measured on."""

    rows: tuple[Row, ...]
    machine: Mapping[str, Any]
    bandwidth: Bandwidth
    seed: int
    command: str
    second: float  # that everything took

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "rows": list(self.rows),
            "machine": dict(self.machine),
            "bandwidth_byte_per_second": asdict(self.bandwidth),
            "seed": self.seed,
            "command": self.command,
            "second": round(self.second, 1),
        }


def run_plan(
    plan: Plan,
    *,
    command: str,
    progress: Progress = lambda what, share: None,
    run: RunJob = run_job,
    measured: Bandwidth | None = None,
) -> Report:
    """Run every row, and compare them."""
    began = time.monotonic()
    progress("memory bandwidth", 0.0)
    moved = bandwidth() if measured is None else measured
    found: list[Row] = []
    cannot_pair: set[tuple[str, str, str]] = set()
    for index, (workload, size, item) in enumerate(plan.rows):
        progress(f"{workload} {size} {item.name}", index / len(plan.rows))
        left = plan.total_second - (time.monotonic() - began)
        row: Row = {"workload": workload, "size": size, "backend": item.name}
        if lacking := item.lacking():
            found.append({**row, "status": "missing", "reason": lacking})
            continue
        if reason := _left_out(item, workload, size, left, plan):
            found.append({**row, "status": "left out", "reason": reason})
            continue
        pair = "" if (workload, size, item.pair) in cannot_pair else item.pair
        job = Job(
            workload=workload, size=size, seed=plan.seed, contender=item.name, second=plan.second,
            check_second=plan.check_second, laps=plan.laps, steps=plan.steps, pair=pair,
        )  # fmt: skip
        result = run(job, limit_second=min(plan.limit_second, left), threads=item.threads)
        if result.get("status") != "ok":
            cannot_pair.add((workload, size, item.name))
        found.append({**row, **result})
    place = {(workload, size, item.name): index for index, (workload, size, item) in enumerate(_in_order(plan.rows))}
    found.sort(key=lambda row: place[row["workload"], row["size"], row["backend"]])
    return Report(
        rows=tuple(finished(found, moved)),
        machine=machine(),
        bandwidth=moved,
        seed=plan.seed,
        command=command,
        second=time.monotonic() - began,
    )


def _in_order(rows: Sequence[tuple[str, str, Contender]]) -> list[tuple[str, str, Contender]]:
    names = [item.name for item in contenders()]
    workloads = list(kinds())
    return sorted(rows, key=lambda row: (workloads.index(row[0]), SIZES.index(row[1]), names.index(row[2].name)))


def _left_out(item: Contender, workload: str, size: str, left: float, plan: Plan) -> str:
    """Why a row is not even tried; empty where it is."""
    synapses = synapses_of(workload, size)
    if synapses > item.most_synapses and item.name not in plan.asked_for:
        return f"{synapses / 1e6:.0f} million synapses are too many for it in reasonable time: --backend '{item.name}' tries"
    if left < LEAST_SECOND.get(item.name, 3.0):
        return "the time of a quick run was spent"
    return ""


def synapses_of(workload: str, size: str) -> int:
    """Synapses of a workload, without drawing it.

    >>> synapses_of("W1F", "M"), synapses_of("W1R", "chip1")
    (668672, 16777216)
    """
    sizes = kinds()[workload].sizes[size]
    if workload in ("W1R", "W2R"):
        return sizes[0] * sizes[1]
    return sum(pre * post for pre, post in pairwise(sizes))


def finished(results: Sequence[Row], moved: Bandwidth) -> list[Row]:
    """Rows of the table from what the workers found."""
    rows = [_row(result, moved) for result in results]
    for workload, size in dict.fromkeys((row["workload"], row["size"]) for row in rows):
        group = [i for i, row in enumerate(rows) if (row["workload"], row["size"]) == (workload, size)]
        _compare([rows[i] for i in group], [results[i] for i in group])
    return rows


def _row(result: Row, moved: Bandwidth) -> Row:
    item = contender(result["backend"])
    laps = result.get("laps", [])
    rates = [lap["steps"] / lap["second"] for lap in laps if lap["second"] > 0]
    best = max(laps, key=lambda lap: lap["steps"] / lap["second"]) if rates else None
    neurons = result.get("neurons")
    firing = (
        sum(lap["spikes"] for lap in laps) / sum(lap["steps"] for lap in laps) / neurons if laps and neurons else None
    )
    per_second = best["byte"] / best["second"] if best is not None and best["byte"] is not None else None
    low, high = FIRING_RATES
    return {
        "workload": result["workload"],
        "size": result["size"],
        "backend": result["backend"],
        "kind": item.kind,
        "arithmetic": item.arithmetic,
        "threads": item.threads,
        "status": result.get("status", "failed"),
        "reason": result.get("reason", ""),
        "neurons": neurons,
        "synapses": result.get("synapses"),
        "steps": laps[0]["steps"] if laps else None,
        "laps": len(laps),
        "steps_per_second": max(rates) if rates else None,
        "median_steps_per_second": median(rates) if rates else None,
        "synaptic_events_per_second": best["events"] / best["second"] if best is not None else None,
        "firing_rate": firing,
        "firing_rate_fits": None if firing is None else low <= firing <= high,
        "same_work": None,
        "same_work_as": None,
        "ratio_to_best_peer": None,
        "best_peer": None,
        "ratio_to_lava": None,
        "ratio_to_numpy": None,
        "ratio_of_pair": pair_ratio(result),
        "pair": item.pair or None,
        "byte_per_event": best["byte"] / best["events"] if per_second is not None and best is not None and best["events"] else None,
        "byte_per_second": per_second,
        "bandwidth_share": None if per_second is None else per_second / moved.copy_byte,
        "peak_memory_byte": result.get("peak_memory_byte"),
        "memory_before_byte": result.get("memory_before_byte"),
        "added_memory_byte": _difference(result.get("peak_memory_byte"), result.get("memory_before_byte")),
        "draw_second": result.get("draw_second"),
        "build_second": result.get("build_second"),
        "compile_second": result.get("compile_second"),
        "versions": result.get("versions", {}),
        "note": item.note,
    }  # fmt: skip


def _difference(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def pair_ratio(result: Row) -> float | None:
    """Speed of ours over that of this contender, run in turns in one process: the median of the turns."""
    ours, laps = result.get("pair_laps", []), result.get("laps", [])
    theirs = laps[1 : 1 + len(ours)]  # the first lap was run alone
    found = [
        (one["steps"] / one["second"]) / (other["steps"] / other["second"])
        for one, other in zip(ours, theirs, strict=False)
        if one["second"] > 0 and other["second"] > 0
    ]
    return median(found) if found else None


def _compare(rows: list[Row], results: list[Row]) -> None:
    """Ratios and sameness of the rows of one workload and size."""
    by_name = {row["backend"]: row for row in rows}
    timed = [row for row in rows if row["steps_per_second"] is not None]
    tools = [row for row in timed if row["kind"] == "tool"]
    best = max(tools, key=lambda row: row["steps_per_second"], default=None)
    for row in timed:
        if best is not None:
            row["best_peer"] = best["backend"]
            row["ratio_to_best_peer"] = _ratio(row, best)
        for key, name in (("ratio_to_lava", "lava"), ("ratio_to_numpy", "numpy")):
            if name in by_name and by_name[name]["steps_per_second"] is not None:
                row[key] = _ratio(row, by_name[name])
    marks = {result["backend"]: result.get("marks", {}) for result in results}
    for row in rows:
        row["same_work_as"], row["same_work"] = _sameness(row, rows, marks)


def _ratio(row: Row, other: Row) -> float:
    """From turns in one process where there were any, else from rates in processes of their own."""
    if other["pair"] == row["backend"] and other["ratio_of_pair"] is not None:
        return float(other["ratio_of_pair"])
    return float(row["steps_per_second"] / other["steps_per_second"])


def _sameness(row: Row, rows: Sequence[Row], marks: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The row it is compared with, and what came of it."""
    if not marks.get(row["backend"]):
        return None, None
    mine = contender(row["backend"])
    others = [
        contender(other["backend"]) for other in rows if other["backend"] != mine.name and marks.get(other["backend"])
    ]
    # first who must be equal to the bit, the reference before others; then the float reference and what stands in for it
    preferred = ("reference fixed", "reference", "emulator fixed", "emulator", "numpy")

    def rank(other: Contender) -> tuple[bool, int]:
        place = preferred.index(other.name) if other.name in preferred else len(preferred)
        return not _must_be_equal(mine, other), place

    if not others:
        return None, None
    chosen = min(others, key=rank)
    return chosen.name, compared(marks[mine.name], marks[chosen.name], to_the_bit=_must_be_equal(mine, chosen))


def _must_be_equal(one: Contender, other: Contender) -> bool:
    """Whether both are backends of this suite with the same arithmetic."""
    return one.family == other.family == "suite" and one.arithmetic == other.arithmetic


def compared(mine: Mapping[str, Any], other: Mapping[str, Any], *, to_the_bit: bool) -> str:
    """Whether two contenders did the same work, by their spikes up to the last mark that both have.

    >>> one = {"100": {"spikes": {"a": 1000}, "digest": None}}
    >>> compared(one, {"100": {"spikes": {"a": 1010}, "digest": None}}, to_the_bit=False)
    'within 1.0 % over 100 steps'
    >>> compared(one, {"100": {"spikes": {"a": 2000}, "digest": None}}, to_the_bit=False)
    'differs: 1,000 spikes against 2,000 over 100 steps'
    """
    both = [str(mark) for mark in MARKS if str(mark) in mine and str(mark) in other]
    if not both:
        return "not compared: no step in common"
    at = both[-1]
    spikes, others = (sum(side[at]["spikes"].values()) for side in (mine, other))
    if to_the_bit and mine[at]["digest"] is not None and mine[at]["digest"] == other[at]["digest"]:
        return f"equal over {at} steps"
    if to_the_bit:
        return f"differs: not the same spikes, {spikes:,} against {others:,} over {at} steps"
    if others < FEWEST_SPIKES:
        return f"not compared: only {others} spikes in {at} steps"
    if abs(spikes - others) <= TOLERANCE * others + 3 * math.sqrt(others):
        return f"within {100 * abs(spikes - others) / max(others, 1):.1f} % over {at} steps"
    return f"differs: {spikes:,} spikes against {others:,} over {at} steps"
