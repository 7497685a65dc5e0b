"""Runs a spiking network of snnTorch under NeuroBench and writes what both gave: ``neurobench_worker.py FOLDER``.

Started by neurobench_agreement.py with an interpreter that has torch, snntorch and neurobench; nothing of neuromorph.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import snntorch
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint
from neurobench.metrics.workload import ActivationSparsity, MembraneUpdates, SynapticOperations
from neurobench.models import SNNTorchModel
from torch.utils.data import DataLoader, TensorDataset

STATIC, WORKLOAD = [Footprint, ConnectionSparsity], [ActivationSparsity, SynapticOperations, MembraneUpdates]


def main() -> None:
    folder = Path(sys.argv[1])
    with np.load(folder / "network.npz") as archive:
        given = {name: archive[name] for name in archive.files}
    data = torch.tensor(given["inputs"], dtype=torch.float32)  # (samples, steps, inputs)
    loader = DataLoader(TensorDataset(data, torch.zeros(len(data))), batch_size=1)
    model = SNNTorchModel(network(given))
    benchmark = Benchmark(model, loader, [], [], [STATIC, WORKLOAD])
    results = {name: plain(value) for name, value in benchmark.run(quiet=True).items()}
    np.savez(folder / "run.npz", **recorded(network(given), data))
    versions = {name: version(name) for name in ("neurobench", "snntorch", "torch")}
    (folder / "results.json").write_text(json.dumps({"results": results, "versions": versions}))


def network(given: dict[str, np.ndarray]) -> torch.nn.Sequential:
    """Layers of weights with a leaky integrate-and-fire layer after each."""
    layers: list[torch.nn.Module] = []
    for name in ("first", "second"):
        weight = torch.tensor(given[name], dtype=torch.float32)
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        linear.weight.data = weight
        is_last = name == "second"
        leaky = snntorch.Leaky(
            beta=0.5, threshold=1.0, reset_mechanism="zero", reset_delay=False, init_hidden=True, output=is_last
        )
        layers += [linear, leaky]
    return torch.nn.Sequential(*layers)


def recorded(net: torch.nn.Sequential, data: torch.Tensor) -> dict[str, np.ndarray]:
    """Spikes and membranes of both layers, (samples, steps, neurons), of the same run once more."""
    found: dict[str, list[Any]] = {name: [] for name in ("hidden.spikes", "hidden.v", "out.spikes", "out.v")}
    for sample in data:
        snntorch.utils.reset(net)
        rows: dict[str, list[Any]] = {name: [] for name in found}
        for step in sample:
            with torch.no_grad():
                hidden = net[1](net[0](step[None]))
                out, _ = net[3](net[2](hidden))
            for name, values in (
                ("hidden.spikes", hidden),
                ("hidden.v", net[1].mem),
                ("out.spikes", out),
                ("out.v", net[3].mem),
            ):
                rows[name].append(values[0].numpy().copy())
        for name, values in rows.items():
            found[name].append(values)
    return {name: np.array(values) for name, values in found.items()}


def plain(value: Any) -> Any:
    return {name: float(number) for name, number in value.items()} if isinstance(value, dict) else float(value)


if __name__ == "__main__":
    main()
