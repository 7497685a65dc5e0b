"""Training samples a second of the backprop trainer against scikit-learn's: ``OPENBLAS_NUM_THREADS=1 python benchmarks/backprop_speed.py``.

Both train the same multilayer perceptron on the same random data, in turns; the best pass of each counts.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

from neuromorph.backends.backprop import SGD, Adam, DenseNetwork, Optimiser, Trainer
from neuromorph.doctor import installed_versions

RESULTS = Path(__file__).parent / "results"
CASES = [((784, 512, 10), batch, samples) for batch, samples in ((1, 1500), (16, 6000), (64, 12000), (256, 20000))]
CASES.append(((64, 128, 10), 32, 1437))
TURNS = 4


def ours(sizes: tuple[int, ...], batch: int, optimiser: Optimiser, inputs: np.ndarray, labels: np.ndarray) -> float:
    trainer = Trainer(
        network=DenseNetwork.of_sizes(sizes), optimiser=optimiser, epochs=2, batch_size=batch, early_stopping=None
    )
    training = trainer.train(inputs, labels, generator=np.random.default_rng(0))
    return max(len(inputs) / epoch.train_seconds for epoch in training.curve)


def peer(sizes: tuple[int, ...], batch: int, solver: str, inputs: np.ndarray, labels: np.ndarray) -> float:
    model = MLPClassifier(sizes[1:-1], batch_size=batch, solver=solver, momentum=0.9, nesterovs_momentum=False)
    model.partial_fit(inputs, labels, classes=np.arange(sizes[-1]))
    began = time.perf_counter()
    model.partial_fit(inputs, labels)
    return len(inputs) / (time.perf_counter() - began)


def main() -> None:
    rows = []
    rng = np.random.default_rng(0)
    for sizes, batch, samples in CASES:
        inputs = rng.random((samples, sizes[0])).astype(np.float32)
        labels = rng.integers(0, sizes[-1], samples)
        for name, optimiser, solver in (
            ("SGD with momentum", SGD(learning_rate=0.01), "sgd"),
            ("Adam", Adam(), "adam"),
        ):
            mine, theirs = 0.0, 0.0
            for _ in range(TURNS):  # in turns, so that a busy machine troubles both
                mine = max(mine, ours(sizes, batch, optimiser, inputs, labels))
                theirs = max(theirs, peer(sizes, batch, solver, inputs, labels))
            rows.append({
                "network": "-".join(map(str, sizes)), "batch": batch, "optimiser": name, "samples_per_second": round(mine),
                "scikit_learn_samples_per_second": round(theirs), "ratio": round(mine / theirs, 2),
            })  # fmt: skip
            print(rows[-1], flush=True)
    versions = {name: installed_versions()[name] for name in ("numpy", "scikit-learn")}
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "not set")
    lines = [
        "# Backprop: training samples a second",
        "",
        f"Made by `python benchmarks/backprop_speed.py`, OPENBLAS_NUM_THREADS {threads}, {versions}.",
        "",
        "| network | batch | optimiser | neuromorph | scikit-learn MLPClassifier | ratio |",
        "|---|---:|---|---:|---:|---:|",
        *(
            f"| {row['network']} | {row['batch']} | {row['optimiser']} | {row['samples_per_second']:,} |"
            f" {row['scikit_learn_samples_per_second']:,} | {row['ratio']} |"
            for row in rows
        ),
        "",
    ]
    (RESULTS / "backprop_speed.md").write_text("\n".join(lines), encoding="utf-8")
    (RESULTS / "backprop_speed.json").write_text(json.dumps({"rows": rows, "versions": versions}, indent=1) + "\n")


if __name__ == "__main__":
    main()
