"""How many bytes a step has to move, by what it touches: a model, so that a speed can be held against the memory's.

Of a presynaptic spike: index and weight of each synapse, and its target's current, read and written; where it learns, the
weight is written too and the target's trace read, with eligibility the tag is read and written. Of a postsynaptic spike,
where it learns: index, weight (read, written), trace, tag (read, written). Of a neuron: u, v read and written, threshold
and bias read. Caches are not modelled, nor methods that settle several spikes at once and so touch less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neuromorph.bench.contenders import Contender
from neuromorph.bench.workloads import Workload


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Bytes of each number where a contender holds it."""

    index: int  # of a target, where not all synapses exist
    weight: int
    current: int
    state: int  # u, v, threshold, bias
    learned: int  # a weight that learns
    tag: int
    trace: int


# In memory as far as is known of each; who is not here has a memory layout that is not modelled.
LAYOUTS: Mapping[str, Layout] = {
    "emulator": Layout(index=2, weight=1, current=4, state=8, learned=8, tag=8, trace=8),
    "emulator fixed": Layout(index=2, weight=1, current=4, state=4, learned=2, tag=2, trace=8),
    "numpy": Layout(index=8, weight=8, current=8, state=8, learned=4, tag=4, trace=4),
    "brian2 C++": Layout(index=12, weight=8, current=8, state=8, learned=8, tag=8, trace=8),
    "brian2 cython": Layout(index=12, weight=8, current=8, state=8, learned=8, tag=8, trace=8),
}
SWEEPS = ("brian2 C++", "brian2 cython")  # these touch every weight and tag at a reward


def bytes_per_step(item: Contender, workload: Workload, spikes: Mapping[str, float]) -> float | None:
    """Bytes of a step with so many spikes of every input and layer; None where the layout is not modelled."""
    layout = LAYOUTS.get(item.name.replace(" 2 threads", ""))
    if layout is None:
        return None
    total = 6.0 * layout.state * workload.neurons
    for wires in workload.wires:
        dense_index = layout.index if item.family.startswith("brian2") else 0  # Brian2 goes by lists of synapses
        index = layout.index if wires.targets is not None else dense_index
        arriving = spikes[wires.pre] * wires.fan_out
        if wires.rule is None:
            total += arriving * (index + layout.weight + 2 * layout.current)
            continue
        tag = 2 * layout.tag if wires.rule == "reward" else 0
        total += arriving * (index + 2 * layout.learned + 2 * layout.current + layout.trace + tag)
        fan_in = wires.weight.size / wires.post_size
        total += spikes[wires.post] * fan_in * (index + 2 * layout.learned + layout.trace + tag)
        if wires.rule == "reward" and item.name in SWEEPS:
            total += 2.0 * (layout.learned + layout.tag) * wires.weight.size / workload.reward_every
    return total
