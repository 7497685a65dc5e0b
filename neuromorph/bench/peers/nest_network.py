"""NEST: exact integration, one thread, synapses from arrays, plastic ones from parrot neurons since generators cannot learn.

A spike acts on v one step later than in the other contenders, for NEST's v sees the current of the step before; the
response is the same. Reward-modulated STDP is NEST's dopamine synapse: a spike of the dopamine neuron in about every
second step of the reward's, at random, and its mean as baseline, so that the third factor has both signs.
"""

from __future__ import annotations

import math
import time
from typing import Any, final

import numpy as np
import numpy.typing as npt

from neuromorph.bench.runner import Lap, Runner
from neuromorph.bench.workloads import (
    DEPRESSION,
    KEEP_U,
    KEEP_V,
    POTENTIATION,
    REWARD_RATE,
    TAG_POTENTIATION,
    TAG_TAU,
    TRACE_TAU,
    Layer,
    Wires,
    Workload,
)

DOPAMINE_TAU = 1.0  # ms


@final
class NestRunner(Runner):
    """``nest.Simulate`` is timed, and no input is prepared within."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)

    def build(self) -> None:
        """Nodes and connections."""
        import nest

        self._nest = nest
        nest.verbosity = nest.VerbosityLevel.ERROR
        nest.ResetKernel()
        nest.SetKernelStatus({
            "resolution": 1.0, "local_num_threads": 1, "print_time": False, "rng_seed": self.workload.seed + 1,
        })  # fmt: skip
        began = time.perf_counter()
        tau_u, tau_v = -1 / math.log(KEEP_U), -1 / math.log(KEEP_V)
        self._neuron = {"tau_syn_ex": tau_u, "tau_syn_in": tau_u, "tau_m": tau_v, "C_m": 1.0}
        self._to_v = tau_u * tau_v / (tau_v - tau_u) * (KEEP_V - KEEP_U)  # v one step after a unit of current
        self._from_bias = tau_v * (1 - KEEP_V)
        self._inputs: dict[str, Any] = {}
        nodes: dict[str, Any] = {name: self._input(name) for name in self.workload.inputs}
        nodes |= {layer.name: self._layer(layer) for layer in self.workload.layers}
        for wires in self.workload.wires:
            self._connect(wires, nodes)
        self._recorders = {}
        for layer in self.workload.layers:
            recorder = nest.Create("spike_recorder")
            nest.Connect(nodes[layer.name], recorder)
            self._recorders[layer.name] = recorder
        self._counted = self._counts()
        self.build_second = time.perf_counter() - began
        nest.Prepare()

    def versions(self) -> dict[str, str]:
        """NEST's."""
        return {"nest-simulator": str(self._nest.__version__)}

    def close(self) -> None:
        """Free the kernel."""
        self._nest.Cleanup()
        self._nest.ResetKernel()

    def _input(self, name: str) -> Any:
        size = self.workload.inputs[name].shape[1]
        generators = self._nest.Create("spike_generator", size)
        self._inputs[name] = generators
        if not any(wires.rule is not None and wires.pre == name for wires in self.workload.wires):
            return generators
        parrots = self._nest.Create("parrot_neuron", size)
        self._nest.Connect(generators, parrots, "one_to_one", {"delay": 1.0})
        return parrots

    def _layer(self, layer: Layer) -> Any:
        plastic = any(wires.rule is not None and wires.post == layer.name for wires in self.workload.wires)
        nodes = self._nest.Create("iaf_psc_exp", layer.size, {
            **self._neuron, "E_L": 0.0, "V_reset": 0.0, "t_ref": 0.0,
            "V_th": layer.threshold.astype(np.float64), "V_m": layer.v.astype(np.float64),
            "I_e": layer.bias / self._from_bias,
            **({"tau_minus": float(TRACE_TAU)} if plastic else {}),
        })  # fmt: skip
        if np.any(layer.u):  # the first current cannot be set: one spike brings it
            first = self._nest.Create("spike_generator", 1, {"spike_times": [1.0]})
            weight = layer.u.astype(np.float64)[:, np.newaxis] / self._to_v
            self._nest.Connect(first, nodes, "all_to_all", {"weight": weight, "delay": 1.0})
        return nodes

    def _connect(self, wires: Wires, nodes: dict[str, Any]) -> None:
        unit = wires.gain / self._to_v  # of a weight in NEST for one mantissa
        weight = wires.weight.astype(np.float64) * unit
        if wires.rule is None:
            self._wire(wires, nodes, weight, {"synapse_model": "static_synapse", "delay": 1.0}, None)
            return
        low, high = (bound * unit for bound in wires.bounds)
        if wires.rule == "reward":
            self._rewarded(wires, nodes, weight, unit, low, high)
            return
        rule = {"lambda": POTENTIATION * unit / high, "alpha": DEPRESSION / POTENTIATION, "mu_plus": 0.0,
                "mu_minus": 0.0, "tau_plus": float(TRACE_TAU), "delay": 1.0}  # fmt: skip
        if wires.is_excitatory:
            self._wire(wires, nodes, weight, {"synapse_model": "stdp_synapse", "Wmax": high, **rule}, None)
            return
        # A plastic weight keeps its sign in NEST: as many synapses learn as elsewhere, each within its own half.
        for sign in (1, -1):
            spec = {"synapse_model": "stdp_synapse", "Wmax": sign * high, **rule}
            self._wire(wires, nodes, weight, spec, weight >= 0 if sign > 0 else weight < 0)

    def _wire(
        self,
        wires: Wires,
        nodes: dict[str, Any],
        weight: npt.NDArray[np.float64],
        spec: dict[str, Any],
        chosen: npt.NDArray[np.bool_] | None,
    ) -> None:
        if wires.targets is None:
            self._nest.Connect(nodes[wires.pre], nodes[wires.post], "all_to_all", {**spec, "weight": weight.T})
            return
        pre_ids, post_ids = (np.asarray(nodes[name].tolist(), dtype=np.int64) for name in (wires.pre, wires.post))
        for start in range(0, wires.pre_size, step := max(1, 20_000_000 // wires.fan_out)):
            rows = slice(start, start + step)
            pre, post = np.repeat(pre_ids[rows], wires.fan_out), post_ids[wires.targets[rows]].ravel()
            values = weight[rows].ravel()
            if chosen is not None:
                keep = chosen[rows].ravel()
                pre, post, values = pre[keep], post[keep], values[keep]
            more = {name: np.full(values.size, value) for name, value in spec.items() if name != "synapse_model"}
            arrays = {"synapse_model": spec["synapse_model"], "weight": values, **more}
            self._nest.Connect(pre, post, "one_to_one", arrays)

    def _rewarded(
        self, wires: Wires, nodes: dict[str, Any], weight: npt.NDArray[np.float64], unit: float, low: float, high: float
    ) -> None:
        nest, every = self._nest, self.workload.reward_every
        self._dopamine = nest.Create("spike_generator")
        parrot = nest.Create("parrot_neuron")
        nest.Connect(self._dopamine, parrot)
        transmitter = nest.Create("volume_transmitter", 1, {"deliver_interval": every})
        nest.Connect(parrot, transmitter)
        model = "dopamine_of_the_workload"
        nest.CopyModel("stdp_dopamine_synapse", model, {
            "volume_transmitter": transmitter, "Wmin": low, "Wmax": high, "tau_plus": float(TRACE_TAU),
            "tau_c": float(TAG_TAU), "tau_n": DOPAMINE_TAU, "b": 0.5 / every,
            "A_plus": TAG_POTENTIATION * REWARD_RATE * unit, "A_minus": TAG_POTENTIATION * REWARD_RATE * unit,
        })  # fmt: skip
        nest.Connect(
            nodes[wires.pre], nodes[wires.post], "all_to_all",
            {"synapse_model": model, "delay": 1.0, "weight": weight.T},
        )  # fmt: skip

    def _counts(self) -> dict[str, int]:
        return {name: int(recorder.n_events) for name, recorder in self._recorders.items()}

    def _feed(self, first: int, steps: int) -> None:
        """Give the generators the spikes of these steps; the input of step t is sent at its end."""
        for name, generators in self._inputs.items():
            step, neuron = self.workload.input_events(first, steps)[name]
            order = np.argsort(neuron, kind="stable")
            times = (step[order] + first + 1).astype(np.float64)
            sizes = np.arange(1, self.workload.inputs[name].shape[1])
            parts = np.split(times, np.searchsorted(neuron[order], sizes))
            generators.set([{"spike_times": part} for part in parts])
        if self.workload.reward is not None:
            reward = self.workload.rewards(first, steps)
            self._dopamine.set({"spike_times": np.flatnonzero(reward > 0) + first + 1.0})

    def _run(self, first: int, steps: int) -> Lap:
        self._nest.Cleanup()
        self._feed(first, steps)
        self._nest.Prepare()
        began = time.perf_counter()
        self._nest.Run(float(steps))
        second = time.perf_counter() - began
        before, self._counted = self._counted, self._counts()
        return Lap(
            steps=steps, second=second, spikes={name: count - before[name] for name, count in self._counted.items()}
        )
