"""Rows as a table in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neuromorph.bench.benchmark import TOLERANCE, Report, Row
from neuromorph.bench.workloads import FIRING_RATES, kinds

COLUMNS = (
    "backend",
    "steps/s",
    "median",
    "events/s",
    "to best peer",
    "to lava",
    "ours in turns",
    "firing",
    "same work",
    "GB/s",
    "of memory",
    "peak MB",
    "of it added",
    "build s",
    "compile s",
)


def cells(row: Row) -> list[str]:
    """A row's columns as text; of one without a measurement, the reason stands where the work would be compared."""
    if row["steps_per_second"] is None:
        reason = f"{row['status']}: {row['reason']}"
        return [row["backend"], *[""] * 7, reason, *[""] * 6]
    return [
        row["backend"],
        significant(row["steps_per_second"]),
        significant(row["median_steps_per_second"]),
        exponential(row["synaptic_events_per_second"]),
        ratio(row["ratio_to_best_peer"]),
        ratio(row["ratio_to_lava"]),
        ratio(row["ratio_of_pair"]),
        f"{100 * row['firing_rate']:.2f} %" + ("" if row["firing_rate_fits"] else " !"),
        (row["same_work"] or "not compared") + (f"; {row['reason']}" if row["reason"] else ""),
        "" if row["byte_per_second"] is None else f"{row['byte_per_second'] / 1e9:.2f}",
        "" if row["bandwidth_share"] is None else f"{100 * row['bandwidth_share']:.0f} %",
        "" if row["peak_memory_byte"] is None else f"{row['peak_memory_byte'] / 1e6:,.0f}",
        "" if row["added_memory_byte"] is None else f"{row['added_memory_byte'] / 1e6:,.0f}",
        seconds(row["build_second"]),
        seconds(row["compile_second"]) if row["compile_second"] else "",
    ]


def significant(value: float) -> str:
    """Three digits, with thousands set apart.

    >>> significant(412605.0), significant(58.37), significant(0.0)
    ('413,000', '58.4', '0')
    """
    if value <= 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.3g}"


def exponential(value: float) -> str:
    """Two digits and a power of ten.

    >>> exponential(4.8e9)
    '4.8e9'
    """
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def ratio(value: float | None) -> str:
    """Times as fast; empty where unknown."""
    return "" if value is None else f"{significant(value)} x"


def seconds(value: float | None) -> str:
    """Seconds in two digits; empty where unknown."""
    return "" if value is None else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def groups(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by workload and size, in their order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["workload"], row["size"]), []).append(row)
    return found


def title(workload: str, size: str, rows: Sequence[Row]) -> str:
    """What a group of rows is about."""
    known = next((row for row in rows if row["neurons"] is not None), None)
    text = f"{workload} {size}: {kinds()[workload].what}"
    return text if known is None else f"{text}, {known['neurons']:,} neurons, {known['synapses']:,} synapses"


def tables(report: Report) -> list[Any]:
    """One table of rich for each workload and size."""
    from rich.table import Table

    found = []
    for (workload, size), rows in groups(report.rows).items():
        table = Table(title=title(workload, size, rows), title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="left" if column in ("backend", "same work") else "right")
        for row in rows:
            table.add_row(*cells(row), style="" if row["steps_per_second"] is not None else "dim")
        found.append(table)
    return found


def markdown(report: Report) -> str:
    """The whole report as a page."""
    moved, machine = report.bandwidth, report.machine
    lines = [
        "# Speed: our backends and other tools on the same workloads",
        "",
        f"Made by `{report.command}` in {report.second / 60:.0f} minutes, seed {report.seed}, on {machine['cpu']},"
        f" {machine['cores']} cores, {_listed(machine['caches'])}, {machine['platform']}, Python {machine['python']}.",
        "",
        f"Memory of one core, by NumPy: copy {moved.copy_byte / 1e9:.1f} GB/s, triad {moved.triad_byte / 1e9:.1f} GB/s, copy"
        f" within the caches {moved.cached_copy_byte / 1e9:.1f} GB/s (bytes read and written).",
        "",
        f"Versions: {_listed(versions(report.rows))}.",
        "",
        *(f"- {line}" for line in explanation()),
        "",
    ]
    for (workload, size), rows in groups(report.rows).items():
        lines += [
            f"## {title(workload, size, rows)}",
            "",
            "| " + " | ".join(COLUMNS) + " |",
            "|" + "|".join("---" if column in ("backend", "same work") else "---:" for column in COLUMNS) + "|",
            *("| " + " | ".join(cell.replace("|", "/") for cell in cells(row)) + " |" for row in rows),
            "",
        ]
    return "\n".join(lines)


def explanation() -> list[str]:
    """What the columns mean and how they were measured."""
    low, high = FIRING_RATES
    return [
        "Time step 1 ms, current-based LIF with decays of 742/4096 and 200/4096, 8-bit weights, a spike arrives one step"
        " later; input spikes at 2 % a step. Float contenders get the same numbers and real arithmetic. v starts anywhere"
        " between 0 and the threshold, and u at its mean where all weights are positive.",
        "STDP: traces of 20 steps, +16/64 and -17/64 mantissas for a pair, weights 0..254 (W2R: -254..254). In fixed point"
        " impulses of 16 and 17 and coefficients of 2^-6, weights 0..255 (W2R: -256..255).",
        "Reward: the same pairs, 16 times as large, go into a tag of 200 steps, in every step w += R tag / 64, R of both"
        " signs. In fixed point the tag has 128 steps, the longest that an engine holds, and r is rounded to 1/64.",
        "Each row is a process of its own, on one thread unless it says more. Timed is the run alone: of ours the whole call"
        " of Session.run, of others the simulation inside. steps/s: best of several; median: of the same.",
        "ours in turns: the emulator's speed over this row's, both in one process, in turns (emulator, peer, emulator, peer);"
        " float rows against the emulator in float, fixed ones against it in fixed point. The emulator's ratios to the best"
        " peer and to lava are these; other ratios are quotients of steps/s. A peer is a tool of others; numpy is ours.",
        f"firing: spikes of a neuron in a step; a row outside of {100 * low:.1f} to {100 * high:.1f} % is marked. same work: spikes of the"
        " first steps against the reference's, to the bit among backends of this suite with the same arithmetic, else counts"
        f" within {100 * TOLERANCE:.0f} % and three standard deviations.",
        "events/s: spikes times synapses of the neuron that sent them. GB/s: what the model in neuromorph/bench/traffic.py says"
        " must be moved, as a share of the copy bandwidth of memory; more than 100 % means that caches served it.",
        "peak MB: resident high-water of the row's process from building to the first timed run, before the emulator joins it,"
        " Python, NumPy and the workload's arrays included; of it added: what building and running took beside these, the"
        " simulator's own libraries included; of Brian2's C++ the larger of Python and the program. build s: from arrays to a"
        " network that runs.",
        "NEST's v sees a current one step later; its STDP keeps the sign of a weight (W2R), its reward is a dopamine spike"
        " in about every second step where others have a number of both signs.",
        "Lava's stock processes run in one operating system process here, which is faster than one for each of them.",
    ]


def versions(rows: Sequence[Row]) -> dict[str, str]:
    """Of everything that ran."""
    found: dict[str, str] = {}
    for row in rows:
        found |= row["versions"]
    return found


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
