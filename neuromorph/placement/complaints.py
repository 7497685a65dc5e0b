"""What a placement breaks, by how much and where, and the way out: sentences for errors and notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuromorph.placement.demand import Demand
from neuromorph.placement.greedy import Cut, alone
from neuromorph.placement.limits import WORDS

WAYS_OUT = {
    "input_axons": "give each fewer presynaptic neurons, by a smaller fan-in or a population between that sums them up",
    "synapse_memory": "give each fewer synapses, or narrower weights (weight_bits)",
    "output_axons": "merge projections from one population to another",
    "synapse_configurations": "projections of equal weight exponent, sign, width, delay bits and rule share one",
    "presynaptic_trace_configurations": "rules with equal presynaptic traces share one",
}


def faults_alone(demand: Demand) -> list[str]:
    """Neurons that break a limit even on a core of their own, so that no cut helps."""
    faults = []
    for population in demand.program.populations:
        for resource, needed in alone(demand, population).items():
            limit = demand.limits.core[resource]
            breaking = int(np.count_nonzero(needed > limit))
            if not breaking:
                continue
            worst = int(np.argmax(needed))
            others = f", and {breaking - 1:,} more of its neurons break the limit" if breaking > 1 else ""
            faults.append(
                f"population {population.name!r}: neuron {worst} alone needs {_excess(needed[worst], limit, resource, demand)}"
                f"{others}: {WAYS_OUT.get(resource, 'simplify it')}"
            )
    return faults + _all_to_all(demand)


def _all_to_all(demand: Demand) -> list[str]:
    """Populations onto themselves: n neurons of N on a core reach at least N / n cores each, so it needs at least N axons."""
    limit = demand.limits.core.get("output_axons")
    return [
        f"projection {item.name!r}: all-to-all of {item.pre!r} onto itself needs"
        f" {_excess(item.pre_size, limit, 'output_axons', demand)}, however it is cut:"
        f" connect at most {limit:,} neurons with one another, or by way of a population between"
        for item in demand.projections
        if limit is not None and item.pre == item.post and item.is_full and item.pre_size > limit
    ]


def faults_of_cut(demand: Demand, first: Cut, last: Cut) -> list[str]:
    """Why the chips that can be had do not hold it: cores, and every limit that made them so many."""
    limits, there = demand.limits, demand.limits.all_cores
    excess = last.excess(limits.core)
    if not excess and last.cores <= there:
        return []
    faults = _broken(demand, first)
    plural = "" if limits.chips == 1 else "s"
    had = f"the {there:,} of {limits.chips:,} chip{plural} of {limits.chip}"
    if excess:
        faults.append(
            f"cores: no cut of up to {last.cores:,} cores keeps this: {' and '.join(WORDS[name] for name in excess)};"
            f" there are {had}: let each neuron reach fewer populations and neurons, or divide the network"
        )
        return faults
    chips = -(-last.cores // limits.cores)
    faults.append(
        f"cores: {last.cores:,} are needed to keep every limit, {last.cores - there:,} more than {had}{_filled(last)}:"
        f" place it on {chips:,} chips (chips={chips}), or {_remedy(last)}"
    )
    return faults


def notes_of_cut(demand: Demand, first: Cut, last: Cut) -> Sequence[str]:
    """Of what was placed: which limit took more cores than compartments alone, and what would help."""
    notes = [
        f"{fault}; the parts were made smaller until they keep it: {last.cores:,} cores in place of {first.cores:,}"
        for fault in _broken(demand, first)
    ]
    compartments = sum(population.size for population in demand.program.populations)
    least = -(-compartments // demand.limits.core["compartments"])
    if last.cores > least and any(name != "compartments" for name in last.filled_by):
        notes.append(f"{last.cores:,} cores, where compartments alone take {least:,}{_filled(last)}: {_remedy(last)}")
    return notes


def _broken(demand: Demand, first: Cut) -> list[str]:
    faults = []
    for resource, over in first.excess(demand.limits.core).items():
        worst, breaking = int(np.argmax(over)), int(np.count_nonzero(over))
        limit, used = demand.limits.core[resource], int(first.use[resource][worst])
        neurons = [
            f"neurons {int(on[0])} to {int(on[-1])} of {name!r}"
            for name, core in first.assignment.items()
            if (on := np.flatnonzero(core == worst)).size
        ]
        shown = " and ".join([*neurons[:2], *([f"{len(neurons) - 2} more populations"] if len(neurons) > 2 else [])])
        others = f", and {breaking - 1:,} more cores of {first.cores:,} break the limit" if breaking > 1 else ""
        mean = used / max(int(first.use["compartments"][worst]), 1)
        faults.append(
            f"{WORDS[resource]}: cut by the other limits, core {worst} ({shown}) needs"
            f" {_excess(used, limit, resource, demand, named=False)}{others}: each neuron takes one for every core on which"
            f" it has synapses, {mean:.3g} on average there"
        )
    return faults


def _excess(needed: int, limit: int, resource: str, demand: Demand, *, named: bool = True) -> str:
    words = f" {WORDS[resource]}" if named else ""
    return (
        f"{int(needed):,}{words}, {int(needed) - limit:,} ({(int(needed) - limit) / max(limit, 1):.1%}) more than the"
        f" {limit:,} of a core of {demand.limits.chip}"
    )


def _filled(cut: Cut) -> str:
    if not cut.filled_by:
        return ""
    ordered = sorted(cut.filled_by.items(), key=lambda item: -item[1])
    return f" ({', '.join(f'{count:,} were full of {WORDS[name]}' for name, count in ordered)})"


def _remedy(cut: Cut) -> str:
    binding = max(cut.filled_by, key=lambda name: cut.filled_by[name], default="compartments")
    return {
        "compartments": "use fewer neurons",
        "output_axons": "let neurons reach fewer cores: connect neighbours, which lie on few cores, instead of random ones",
        "input_axons": "let neurons of a core share presynaptic neurons: connect neighbours, instead of random ones",
        "synapse_memory": "take narrower weights (weight_bits), fewer synapses, or all-to-all blocks, which need no index",
    }.get(binding, f"let neighbours in a population share {WORDS[binding]}")
