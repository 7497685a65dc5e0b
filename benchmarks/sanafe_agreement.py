"""Estimates beside those of SANA-FE on the same placed networks: ``python benchmarks/sanafe_agreement.py --python PATH``.

PATH is a Python that has the package sanafe (``pip install sanafe``, GPL-3, in an environment of its own; this one if not
given): it runs in a process of its own, which gets neurons, synapses and cores as JSON. Both sides run the same
integrate-and-fire network, and the script stops where a neuron of the one spikes otherwise than in the other; ours is
charged with the account ``loihi1.sanafe``. Where sanafe is not installed it says so, and compares nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.sparse

import neuromorph as nm
from neuromorph.chip import load_chip
from neuromorph.cost import Cost
from neuromorph.doctor import installed_versions
from neuromorph.placement import Placement
from neuromorph.report.units import si, si_range

RESULTS = Path(__file__).parent / "results"
WORKER = Path(__file__).with_name("sanafe_worker.py")
CHIP = "loihi1.sanafe"
MESH_ROWS = 4  # SANA-FE counts tiles by columns
GRAIN = 64  # its Loihi neurons keep 1 / 64 of a threshold
STEPS = 200
# name: sizes of layers, synapses between two layers as a share, and how many layers on those are that each one reaches
NETWORKS: dict[str, tuple[tuple[int, ...], float, tuple[int, ...]]] = {
    "200 neurons, recurrent, 10 %": ((200,), 0.1, (0,)),
    "600 - 600 - 200, 5 %": ((600, 600, 200), 0.05, (1,)),
    "300 - 300, full": ((300, 300), 1.0, (1,)),
    "2000 - 2000, 2 %": ((2000, 2000), 0.02, (1,)),
    "2500 neurons, recurrent, 2 %": ((2500,), 0.02, (0,)),
    "36 x 1024 over two rows of tiles, 0.2 %": ((1024,) * 36, 0.002, (1, 17)),
}


def described(sizes: tuple[int, ...], share: float, reach: tuple[int, ...], *, seed: int = 0) -> nm.Network:
    """Layers driven by biases, joined by weights that both sides hold exactly."""
    rng = np.random.default_rng(seed)
    names = [f"layer{number}" for number in range(len(sizes))]
    ends = [pair for onward in reach for pair in zip(names, names[onward:], strict=False)]
    by_name = dict(zip(names, sizes, strict=True))

    def weights(post: int, pre: int) -> Any:
        drawn = rng.integers(-2, 3, (post, pre)) / GRAIN
        if share == 1.0:
            return drawn
        post_ids, pre_ids = np.nonzero(rng.random((post, pre)) < share)
        return scipy.sparse.csr_array((drawn[post_ids, pre_ids], (post_ids, pre_ids)), shape=(post, pre))

    return nm.Network(
        populations=[
            nm.Population(name, size, nm.IF(bias=rng.integers(1, 13, size) / GRAIN)) for name, size in by_name.items()
        ],
        projections=[nm.Projection(pre, post, weights(by_name[post], by_name[pre])) for pre, post in ends],
    )


def ours(network: nm.Network) -> tuple[nm.Program, Placement, nm.Recording, Cost]:
    program = nm.compile(network, dt=1e-3).with_all_spikes()
    chip = load_chip(CHIP)
    placement = nm.place(program, chip)
    recording = nm.run(program, STEPS, backend="emulator")
    return program, placement, recording, nm.estimate(recording, chip, placement)


def theirs(python: str, program: nm.Program, placement: Placement, cost: Cost) -> dict[str, Any]:
    places = [
        (column * MESH_ROWS + row, core.core % 4) for core in placement.cores for column, row in [core.tile or (0, 0)]
    ]
    is_dense = all(term.count.high == 0 for term in cost.energy_terms if "sparse" in term.name)
    given = {
        "steps": STEPS,
        "populations": {
            population.name: {
                "bias": np.broadcast_to(population.bias, population.size).tolist(),
                "cores": [places[core] for core in placement.core_of[population.name]],
                "encoding": "dense" if is_dense else "sparse",
            }
            for population in program.populations
        },
        "projections": [
            {
                "pre": item.pre,
                "post": item.post,
                "pre_ids": np.asarray(item.connectivity.pre_index()).tolist(),
                "post_ids": np.asarray(item.connectivity.post_index()).tolist(),
                "weights": np.asarray(item.weight, dtype=float).ravel().tolist(),
            }
            for item in program.projections
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "in.json", Path(folder) / "out.json"
        asked.write_text(json.dumps(given))
        subprocess.run([python, str(WORKER), str(asked), str(answer)], check=True, capture_output=True)
        found: dict[str, Any] = json.loads(answer.read_text())
    return found


def compared(name: str, python: str) -> dict[str, Any]:
    """Figures of both sides; of ours those that SANA-FE has too: no static power, embedded processors or sustained steps."""
    program, placement, recording, cost = ours(described(*NETWORKS[name]))
    other = theirs(python, program, placement, cost)
    for population, counts in other["spikes"].items():
        if recording.spikes[population].counts().tolist() != counts:
            raise SystemExit(
                f"{name}: neurons of {population!r} spike otherwise in SANA-FE, so there is nothing to compare"
            )
    energy = cost.energy_of("events")
    seconds = [term.total for term in cost.latency_terms if term.part == "events"]
    return {
        "network": name,
        "cores": len(placement.cores),
        "spikes": recording.counts.spikes,
        "synaptic_operations": [recording.counts.synaptic_events, other["synaptic_operations"]],
        "joule": [[energy.low, energy.high], other["joule"]["total"]],
        "joule_of_synapses": [_of(cost, "synaptic operations"), other["joule"]["synapse"]],
        "joule_of_neurons": [_of(cost, "neuron", "spikes generated"), other["joule"]["soma"]],
        "joule_of_messages": [_of(cost, "output axons", "input axons", "tile hops"), other["joule"]["network"]],
        "second": [[sum(t.low for t in seconds), sum(t.high for t in seconds)], *other["second"].values()],
    }


def _of(cost: Cost, *names: str) -> list[float]:
    totals = [term.total for term in cost.energy_terms if term.part == "events" and term.name.startswith(names)]
    return [sum(total.low for total in totals), sum(total.high for total in totals)]


@click.command()
@click.option("--python", default=sys.executable, help="A Python that has the package sanafe; this one if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, write nothing.")
def main(python: str, as_json: bool) -> None:
    version, reason = installed(python)
    if reason:
        click.echo(
            f"Nothing is compared, as sanafe is not there: {reason}. Remedy: python -m venv sanafe-environment &&"
            " sanafe-environment/bin/pip install sanafe, then --python sanafe-environment/bin/python",
            err=True,
        )
        return
    versions = {name: installed_versions()[name] for name in ("neuromorph", "numpy", "scipy")}
    plain = {
        "versions": {**versions, "sanafe": version},
        "python": sys.version.split()[0],
        "chip": [CHIP, load_chip(CHIP).fingerprint],
        "steps": STEPS,
        "rows": [compared(name, python) for name in NETWORKS],
    }
    if as_json:
        click.echo(json.dumps(plain, indent=2))
        return
    (RESULTS / "sanafe.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    page = "\n".join(lines(plain))
    (RESULTS / "sanafe.md").write_text(page + "\n", encoding="utf-8")
    click.echo(page)


def installed(python: str) -> tuple[str, str]:
    """SANA-FE's version; or, of the two the other one, why there is none."""
    ask = "import sanafe, importlib.metadata as m; print(m.version('sanafe'))"
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    except OSError as error:
        return "", f"{python!r}: {error.strerror}"
    if done.returncode:
        return "", (done.stderr.strip().splitlines() or [f"{python!r} ended with {done.returncode}"])[-1]
    return done.stdout.strip().splitlines()[-1], ""


def lines(plain: dict[str, Any]) -> list[str]:
    return [
        "# Estimates beside SANA-FE", "",
        f"Made by `python benchmarks/sanafe_agreement.py --python PATH`, SANA-FE {plain['versions']['sanafe']} (Boyle et al., IEEE TCAD 44(8),"
        f" 2025) in a process of its own, with its own description of Loihi; ours is the account `{CHIP}` on the"
        f" same cores. {plain['steps']} steps; integrate-and-fire neurons driven by biases, weights of at most 2 / {GRAIN}. Ours is a range as a"
        " neuron that holds a potential without input may or may not be charged as changing its state; SANA-FE charges it.", "",
        "| Network | Cores | Spikes of both | Energy, ours | theirs | of synapses | of neurons | of messages | Time, ours | theirs, simple | theirs, detailed |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(line(row) for row in plain["rows"]), "",
        "Ratios in the columns *of* are ours, high end, to theirs. Time, ours: with the same assumption as theirs, that a core takes in messages"
        " while it updates its neurons; estimates also have what it takes one after the other, as a term of its own that is left out here."
        " SANA-FE's simple timing adds up each core's work, its detailed one also queues messages on the mesh.",
        "",
        f"Python {plain['python']}, " + ", ".join(f"{name} {version}" for name, version in plain["versions"].items())
        + f"; hardware file {plain['chip'][1][:12]}.",
    ]  # fmt: skip


def line(row: dict[str, Any]) -> str:
    def pair(name: str, unit: str) -> str:
        own, *others = row[name]
        return " | ".join([si_range(tuple(own), unit, digits=3, dash=" - "), *(si(other, unit) for other in others)])

    def ratio(name: str) -> str:
        own, other = row[name]
        return f"{own[1] / other:.3f}" if other else "none"

    spikes = f"{row['spikes']:,}"
    parts = " | ".join(ratio(f"joule_of_{name}") for name in ("synapses", "neurons", "messages"))
    return f"| {row['network']} | {row['cores']} | {spikes} | {pair('joule', 'J')} | {parts} | {pair('second', 's')} |"


if __name__ == "__main__":
    main()
