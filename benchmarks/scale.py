"""Time and memory from a description to a program, for networks of a whole chip and more: ``python benchmarks/scale.py``.

Every row is measured in a process of its own; ``--rows`` chooses some, since the largest needs 13 GiB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

import neuromorph as nm
from neuromorph.doctor import installed_versions

RESULTS = Path(__file__).parent / "results"
DEGREE = 128
LOIHI1, LOIHI2 = 131_072, 1_048_576  # neurons of one chip
FILES = 2**25  # synapses: larger programs are not saved here, compressing them takes minutes


def drawn(neurons: int) -> Any:
    return nm.FixedOutDegree(DEGREE, nm.Uniform(0.0, 0.1))


def equal(neurons: int) -> Any:
    return nm.FixedOutDegree(DEGREE, 0.05)


def matrix(neurons: int) -> Any:
    """A SciPy CSR matrix of float32 with int32 indices."""
    from scipy.sparse import csr_array

    structure = nm.FixedInDegree(DEGREE).synapses(neurons, neurons, np.random.default_rng(0)).connectivity
    data = np.random.default_rng(1).random(structure.synapses, dtype=np.float32)
    pointer = structure.pointer.astype(np.int32)
    return csr_array((data, structure.pre_index(), pointer), shape=(neurons, neurons))


ROWS: dict[str, tuple[int, str, str, Callable[[int], Any]]] = {
    "Loihi 1": (LOIHI1, "loihi1", "fixed out-degree, uniform weights", drawn),
    "Loihi 1, equal weights": (LOIHI1, "loihi1", "fixed out-degree, one weight", equal),
    "Loihi 1, matrix": (LOIHI1, "loihi1", "SciPy CSR matrix, float32", matrix),
    "Loihi 2": (LOIHI2, "loihi2", "fixed out-degree, uniform weights", drawn),
    "six Loihi 2": (6 * LOIHI2, "loihi2", "fixed out-degree, uniform weights", drawn),
}


def peak_bytes() -> int:
    """The most memory that this process has had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM: peak memory is read on Linux only")


def network(neurons: int, weights: Any) -> nm.Network:
    return nm.Network(
        populations=[nm.Population("n", neurons, nm.LIF())], projections=[nm.Projection("n", "n", weights)]
    )


@contextmanager
def timed(row: dict[str, Any], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    row[f"{what}_second"] = round(time.perf_counter() - began, 3)


def measure(name: str) -> dict[str, Any]:
    neurons, chip, source, weights = ROWS[name]
    row: dict[str, Any] = {"row": name, "source": source, "chip": chip, "neurons": neurons}
    given = weights(neurons)
    nm.compile(network(2, nm.FixedOutDegree(1)), chip=chip)  # so that imports count for nothing
    row["peak_bytes_before"] = peak_bytes()
    with timed(row, "describe"):
        described = network(neurons, given)
    with timed(row, "compile"):
        program = nm.compile(described)
    row["synapses"] = program.projections[0].synapses
    row["float_bytes_per_synapse"] = round(program.nbytes / row["synapses"], 3)
    row["peak_bytes_float"] = peak_bytes()
    with timed(row, "quantise"):
        program = nm.quantise(program, chip)
    row["fixed_bytes_per_synapse"] = round(program.nbytes / row["synapses"], 3)
    row["stored_weight"] = str(program.projections[0].stored_weight.dtype)
    row["peak_bytes"] = peak_bytes()
    with timed(row, "fingerprint"):
        row["fingerprint"] = program.fingerprint
    row["peak_bytes_fingerprint"] = peak_bytes()
    if row["synapses"] <= FILES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "program.npz"
            with timed(row, "save"):
                program.save(path)
            row["file_bytes"] = path.stat().st_size
            with timed(row, "load"):
                nm.Program.load(path)
    return row


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| Network | Synapses from | Neurons | Synapses | Compile, s | Quantise, s | Fingerprint, s | Bytes a synapse, float | fixed | Peak, GiB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        seconds = " | ".join(f"{row[f'{what}_second']:.1f}" for what in ("compile", "quantise", "fingerprint"))
        lines.append(
            f"| {row['row']} | {row['source']} | {row['neurons']:,} | {row['synapses']:,} | {seconds}"
            f" | {row['float_bytes_per_synapse']:.1f} | {row['fixed_bytes_per_synapse']:.1f} | {row['peak_bytes'] / 2**30:.2f} |"
        )
    return lines


@click.command()
@click.option("--rows", multiple=True, type=click.Choice(list(ROWS)), help="Which rows; all, where none is named.")
@click.option("--row", hidden=True, help="Measure one row here, and print it as JSON.")
def main(rows: tuple[str, ...], row: str | None) -> None:
    if row is not None:
        print(json.dumps(measure(row)))
        return
    path = RESULTS / "scale.json"
    old = {found["row"]: found for found in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for name in rows or ROWS:
        done = subprocess.run([sys.executable, __file__, "--row", name], check=True, capture_output=True, text=True)
        old[name] = json.loads(done.stdout)
        print(old[name], flush=True)
    kept = [old[name] for name in ROWS if name in old]
    versions = {name: installed_versions()[name] for name in ("neuromorph", "numpy", "scipy")}
    plain = {"versions": versions, "python": sys.version.split()[0], "processors": os.cpu_count(), "rows": kept}
    path.write_text(json.dumps(plain, indent=2) + "\n")
    lines = [
        "# From a description to a program", "",
        f"Made by `python benchmarks/scale.py` on {os.cpu_count()} processors; {DEGREE} synapses a neuron; delays of one step.", "",
        *table(kept), "",
        "Compile: `nm.compile(network)`, drawing the synapses. Quantise: `nm.quantise(program, chip)`, with the report of what was"
        " rounded. Bytes a synapse: all arrays of the program, neurons too. Peak: of the whole process until it was quantised,"
        " Python, NumPy and the program in float among it.", "",
        f"- python {plain['python']}, " + ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]  # fmt: skip
    (RESULTS / "scale.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
