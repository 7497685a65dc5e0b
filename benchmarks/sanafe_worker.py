"""Runs a placed network in SANA-FE (GPL-3), in a process and an interpreter of its own: ``sanafe_worker.py IN.json OUT.json``.

Started by sanafe_agreement.py; needs the package sanafe and nothing of neuromorph.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import sanafe


def main() -> None:
    given, answer = (Path(name) for name in sys.argv[1:3])
    answer.write_text(json.dumps(run(json.loads(given.read_text()))))


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Energy, counts and spikes of every neuron, and the time under both of its models of timing."""
    simple, detailed = (simulated(given, timing) for timing in ("simple", "detailed"))
    spikes = Counter((address.group_name, address.neuron_offset) for step in simple["spike_trace"] for address in step)
    return {
        "joule": simple["energy"],
        "second": {"simple": simple["sim_time"], "detailed": detailed["sim_time"]},
        "spikes": {
            name: [spikes[name, number] for number in range(len(population["bias"]))]
            for name, population in given["populations"].items()
        },
        "synaptic_operations": simple["spikes"],
        "packets": simple["packets_sent"],
    }


def simulated(given: dict[str, Any], timing: str) -> dict[str, Any]:
    chip_description = sanafe.load_loihi()
    cores = {(tile.id, offset): core for tile in chip_description.tiles for offset, core in enumerate(tile.cores)}
    network = sanafe.Network()
    groups = {}
    for name, population in given["populations"].items():
        groups[name] = network.create_neuron_group(
            name,
            len(population["bias"]),
            model_attributes={
                "threshold": 1.0,
                "reset": 0.0,
                "leak_decay": 1.0,
                "input_decay": 0.0,
                "reset_mode": "hard",
            },
            soma_hw_name="loihi_lif",
            default_dendrite_hw_name="loihi_dendrites",
            default_synapse_hw_name=f"loihi_{population['encoding']}_synapse",
            log_spikes=True,
        )
        for neuron, bias in zip(groups[name].neurons, population["bias"], strict=True):
            neuron.set_attributes(model_attributes={"bias": bias, "force_update": True})
    for projection in given["projections"]:
        pairs = list(zip(projection["pre_ids"], projection["post_ids"], strict=True))
        groups[projection["pre"]].connect_neurons_sparse(
            groups[projection["post"]], {"weight": projection["weights"]}, pairs
        )
    for name, population in given["populations"].items():
        for neuron, (tile, offset) in zip(groups[name].neurons, population["cores"], strict=True):
            neuron.map_to_core(cores[tile, offset])
    chip = sanafe.SpikingChip(chip_description)
    chip.load(network)
    result: dict[str, Any] = chip.sim(given["steps"], timing_model=timing, spike_trace=True)
    return result


if __name__ == "__main__":
    main()
