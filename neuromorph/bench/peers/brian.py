"""Brian2: the workload as a user of Brian2 would write it who cares for speed, run by Cython or as a C++ program.

Traces belong to neurons, not to synapses; synapses have no delay queue, since what is added after a step's update acts in
the next; constants are folded. A reward in every step sweeps all synapses, a rare one only when it comes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from neuromorph.bench.measuring import steps_for, watched_children
from neuromorph.bench.peers.numpy_events import RARE_REWARD
from neuromorph.bench.runner import Lap, Runner
from neuromorph.bench.workloads import (
    DEPRESSION,
    KEEP_U,
    KEEP_V,
    PERIOD,
    POTENTIATION,
    REWARD_RATE,
    TAG_DEPRESSION,
    TAG_POTENTIATION,
    TAG_TAU,
    TRACE_TAU,
    Layer,
    Wires,
    Workload,
)

KEEP_TRACE, KEEP_TAG = math.exp(-1 / TRACE_TAU), math.exp(-1 / TAG_TAU)
SCHEDULE = ["start", "groups", "thresholds", "resets", "synapses", "end"]  # an impulse is seen by spikes of its step


class _Network:
    """Brian2's objects of a workload; ``brian2`` is the imported module."""

    def __init__(self, workload: Workload, brian2: Any) -> None:
        self.workload, self.brian2 = workload, brian2
        groups = {name: self._input(name) for name in workload.inputs}
        groups |= {layer.name: self._layer(layer) for layer in workload.layers}
        synapses = [self._synapses(wires, groups) for wires in workload.wires]
        self.monitors = {layer.name: brian2.SpikeMonitor(groups[layer.name]) for layer in workload.layers}
        self.network = brian2.Network(*groups.values(), *synapses, *self.monitors.values())
        self.network.schedule = SCHEDULE

    def _group(self, size: int, model: str, **more: Any) -> Any:
        return self.brian2.NeuronGroup(size, model, dt=1 * self.brian2.ms, **more)

    def _sees(self, name: str, side: str) -> bool:
        """Whether a population is the pre or post side of synapses that learn."""
        return any(w.rule is not None and getattr(w, side) == name for w in self.workload.wires)

    def _input(self, name: str) -> Any:
        brian2, train = self.brian2, self.workload.inputs[name]
        if not self._sees(name, "pre"):
            step, neuron = np.nonzero(train)
            return brian2.SpikeGeneratorGroup(
                train.shape[1], neuron, step * brian2.ms, period=PERIOD * brian2.ms, dt=1 * brian2.ms, sorted=True
            )
        spikes = brian2.TimedArray(train.astype(np.float64), dt=1 * brian2.ms)
        threshold = f"spikes((timestep(t, dt) % {PERIOD})*ms, i) > 0.5"
        group = self._group(
            train.shape[1], "x : 1", threshold=threshold, reset="x += 1", namespace={"spikes": spikes, "ms": brian2.ms}
        )
        group.run_regularly(f"x *= {KEEP_TRACE!r}", dt=1 * brian2.ms, when="groups")
        return group

    def _layer(self, layer: Layer) -> Any:
        model, update, reset = ["u : 1", "v : 1", "theta : 1 (constant)"], [], ["v = 0"]
        has_bias = bool(np.any(layer.bias))
        if has_bias:
            model.append("bias : 1 (constant)")
        update = [f"u *= {KEEP_U!r}", f"v = {KEEP_V!r}*v + u" + (" + bias" if has_bias else "")]
        for trace, side in (("x", "pre"), ("y", "post")):
            if self._sees(layer.name, side):
                model.append(f"{trace} : 1")
                update.append(f"{trace} *= {KEEP_TRACE!r}")
                reset.append(f"{trace} += 1")
        group = self._group(layer.size, "\n".join(model), threshold="v > theta", reset="\n".join(reset))
        group.run_regularly("\n".join(update), dt=1 * self.brian2.ms, when="groups")
        group.theta = layer.threshold.astype(np.float64)
        group.u, group.v = layer.u.astype(np.float64), layer.v.astype(np.float64)
        if has_bias:
            group.bias = layer.bias.astype(np.float64)
        return group

    def _synapses(self, wires: Wires, groups: dict[str, Any]) -> Any:
        brian2 = self.brian2
        gain, (low, high) = wires.gain / KEEP_U, wires.bounds  # u decays before it is used
        model, before, after = "w : 1", [f"u_post += {gain!r}*w"], []
        if wires.rule == "stdp":
            before.append(f"w = clip(w - {DEPRESSION!r}*y_post, {low}, {high})")
            after.append(f"w = clip(w + {POTENTIATION!r}*x_pre, {low}, {high})")
        rare = self.workload.reward_every >= RARE_REWARD
        if wires.rule == "reward":
            # where sweeps are rare a tag is held undecayed between them, for an exponential that all synapses share
            factor = f"*exp((timestep(t, dt) % {self.workload.reward_every})/{float(TAG_TAU)})" if rare else ""
            model += "\ntag : 1"
            before.append(f"tag -= {TAG_DEPRESSION!r}{factor}*y_post")
            after.append(f"tag += {TAG_POTENTIATION!r}{factor}*x_pre")
        synapses = brian2.Synapses(
            groups[wires.pre], groups[wires.post], model, on_pre="\n".join(before), on_post="\n".join(after) or None,
            dt=1 * brian2.ms, namespace={"ms": brian2.ms},
        )  # fmt: skip
        if wires.targets is None:
            synapses.connect()
        else:
            pre = np.repeat(np.arange(wires.pre_size, dtype=np.int32), wires.fan_out)
            synapses.connect(i=pre, j=wires.targets.ravel())
        synapses.w = wires.weight.ravel().astype(np.float64)
        if wires.rule == "reward":
            self._reward(synapses, low, high)
        return synapses

    def _reward(self, synapses: Any, low: int, high: int) -> None:
        brian2, every = self.brian2, self.workload.reward_every
        reward = self.workload.reward
        assert reward is not None
        rare = every >= RARE_REWARD
        values = np.roll(reward, 1)[::every] if rare else reward  # rare: at the start of the step after
        synapses.namespace["R"] = brian2.TimedArray(REWARD_RATE * values, dt=every * brian2.ms)
        kept = KEEP_TAG**every
        change = f"{kept!r}*tag" if rare else "tag"
        synapses.run_regularly(
            f"w = clip(w + R((timestep(t, dt) % {len(values)})*{every}*ms)*{change}, {low}, {high})\ntag *= {kept!r}",
            dt=every * brian2.ms,
            when="start" if rare else "end",
        )

    def spikes(self, first: int, stop: int) -> dict[str, int]:
        """Spikes of every layer in the steps from ``first`` to before ``stop``, of what the monitors hold."""
        found = {}
        for name, monitor in self.monitors.items():
            step = np.rint(np.asarray(monitor.t_[:]) * 1000).astype(np.int64)
            found[name] = int(np.count_nonzero((step >= first) & (step < stop)))
        return found


def _configured(folder: Path) -> Any:
    import brian2

    brian2.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O3", "-march=native", "-ffast-math", "-std=c++17"]
    brian2.prefs.codegen.runtime.cython.cache_dir = str(folder / "cython")
    brian2.prefs.codegen.runtime.cython.multiprocess_safe = False
    brian2.BrianLogger.log_level_error()
    brian2.defaultclock.dt = 1 * brian2.ms
    return brian2


@dataclass
class _Compiling:
    second: float = 0.0


@contextmanager
def _timed_compiler() -> Iterator[_Compiling]:
    """Time what Brian2 spends in its Cython compiler."""
    from brian2.codegen.runtime.cython_rt import cython_rt

    manager, spent = cython_rt.cython_extension_manager, _Compiling()
    compiled = manager.create_extension

    def create_extension(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return compiled(*arguments, **named)
        finally:
            spent.second += time.perf_counter() - began

    manager.create_extension = create_extension
    try:
        yield spent
    finally:
        manager.create_extension = compiled


@final
class BrianCythonRunner(Runner):
    """Brian2's runtime mode with Cython; timed is the loop over steps, without the preparation of each run."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        super().__init__(workload)
        self.folder = folder

    def build(self) -> None:
        """Make the objects, and run no step, which compiles them."""
        brian2 = _configured(self.folder)
        brian2.prefs.codegen.target = "cython"
        self._versions = {"brian2": brian2.__version__}
        began = time.perf_counter()
        with _timed_compiler() as compiling:
            self._made = _Network(self.workload, brian2)
            self._made.network.run(0 * brian2.ms, namespace={})
        self.compile_second = compiling.second
        self.build_second = time.perf_counter() - began - compiling.second
        self._counted = self._counts()

    def versions(self) -> dict[str, str]:
        """Brian2's."""
        return self._versions

    def _counts(self) -> dict[str, int]:
        return {name: int(monitor.num_spikes) for name, monitor in self._made.monitors.items()}

    def _run(self, first: int, steps: int) -> Lap:
        del first
        took = 0.0

        def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
            nonlocal took
            del completed, start, duration
            took = float(elapsed)

        brian2 = self._made.brian2
        self._made.network.run(steps * brian2.ms, namespace={}, report=report, report_period=1000 * brian2.second)
        before, self._counted = self._counted, self._counts()
        spikes = {name: count - before[name] for name, count in self._counted.items()}
        return Lap(steps=steps, second=took, spikes=spikes)


def _guessed_second(workload: Workload) -> float:
    """About how long a step will take: the number of steps must be chosen before the program is compiled."""
    rate = 0.02
    sweeps = 1 if workload.reward is not None and workload.reward_every < RARE_REWARD else 0
    synapse = 1.5e-9 * sweeps + rate * (25e-9 if workload.plastic else 3e-9)
    return 2e-6 + 10e-9 * workload.neurons + synapse * workload.synapses


# Brian2's own figure is processor time, which a busy machine does not lengthen as it lengthens everybody else's.
WALL_FILE = "wall_second.txt"
_WALL_CLOCK = f"""{{
    struct timespec _ended;
    clock_gettime(CLOCK_MONOTONIC, &_ended);
    std::ofstream _wall(brian::results_dir + "{WALL_FILE}");
    _wall << (_ended.tv_sec - _began.tv_sec) + 1e-9 * (_ended.tv_nsec - _began.tv_nsec);
}}"""


@final
class BrianStandaloneRunner(Runner):
    """Brian2's C++ program: every lap runs it anew, and its second part, after the steps of the check, is timed by it."""

    def __init__(
        self, workload: Workload, folder: Path, *, check_steps: int, second: float, steps: int | None = None
    ) -> None:
        super().__init__(workload)
        self.folder, self.check_steps = folder, check_steps
        self.fixed_steps = steps_for(1 / _guessed_second(workload), second) if steps is None else steps

    def build(self) -> None:
        """Describe the network, then generate and compile the program."""
        brian2 = _configured(self.folder)
        brian2.prefs.devices.cpp_standalone.openmp_threads = 0
        brian2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
        project = self.folder / "standalone"
        brian2.set_device("cpp_standalone", directory=str(project), build_on_run=False)
        self._versions = {"brian2": brian2.__version__}
        began = time.perf_counter()
        self._made = _Network(self.workload, brian2)
        self._made.network.run(self.check_steps * brian2.ms, namespace={})
        assert self.fixed_steps is not None
        brian2.device.insert_code("main", "struct timespec _began; clock_gettime(CLOCK_MONOTONIC, &_began);")
        self._made.network.run(self.fixed_steps * brian2.ms, namespace={})
        brian2.device.insert_code("main", _WALL_CLOCK)
        self.build_second = time.perf_counter() - began
        began = time.perf_counter()
        brian2.device.build(directory=str(project), compile=True, run=False, with_output=False)
        self.compile_second = time.perf_counter() - began
        self._memory = 0

    def versions(self) -> dict[str, str]:
        """Brian2's."""
        return self._versions

    def child_memory_byte(self) -> int:
        """Of the compiled program."""
        return self._memory

    def lap(self, steps: int) -> Lap:
        """Steps of the check are looked up, all others are timed in a new run of the program."""
        if self.done < self.check_steps:
            if self.done == 0:
                self._execute()
            spikes = self._made.spikes(self.done, self.done + steps)
            self.done += steps
            return Lap(steps=steps, second=0.0, spikes=spikes)
        assert self.fixed_steps is not None
        return super().lap(self.fixed_steps)

    def _run(self, first: int, steps: int) -> Lap:
        del first, steps
        assert self.fixed_steps is not None
        steps = self.fixed_steps
        second = self._execute()
        spikes = self._made.spikes(self.check_steps, self.check_steps + steps)
        return Lap(steps=steps, second=second, spikes=spikes)

    def _execute(self) -> float:
        device = self._made.brian2.device
        with watched_children() as found:
            device.run(with_output=False)
        self._memory = max(self._memory, found.peak_byte)
        return float(Path(device.results_dir, WALL_FILE).read_text(encoding="ascii"))
