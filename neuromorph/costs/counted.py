"""Work from the counts of a run: exact totals where counts tell, bounds where only a placement would."""

from __future__ import annotations

from neuromorph.chip import Chip
from neuromorph.cost import Range
from neuromorph.costs.layout import cores_for, cores_of_populations
from neuromorph.costs.stated import ChipLike, loaded, stated_work
from neuromorph.costs.work import Count, Work
from neuromorph.recording import Counts


def work_of_counts(
    counts: Counts,
    chip: ChipLike,
    *,
    dt: float | None = None,
    learning: bool = True,
    resets: Count = 0,
    cores: Count | None = None,
    tiles: Count | None = None,
    chips: Count | None = None,
    without_placement: str = "",
) -> Work:
    """What a run makes a chip do, where nothing is known of which neuron lies on which core.

    The two ends of the ranges need not belong to one mapping: cores are packed as densely as all neurons allow, and as
    whole populations fill them. ``cores``, ``tiles`` and ``chips`` may be known anyhow;
    ``without_placement`` says why the rest is not.
    """
    hardware = loaded(chip)
    own = [population for population in counts.populations.values() if not population.is_input]
    neurons = sum(population.neurons for population in own)
    sent = sum(population.spikes for population in own)
    sending = [projection.synaptic_events for projection in counts.projections.values() if projection.synaptic_events]
    projections = max(len(sending), 1)
    if cores is None:
        dense = cores_for(hardware, neurons, counts.synapses)
        apart = float(cores_of_populations(hardware, (population.neurons for population in own)))
        cores = Range(dense.low, max(dense.high, apart))
    # one message brings a projection at most one event a neuron; one that reaches no synapse is not sent
    fewest = min(counts.spikes, max(sending, default=0) / max(neurons, 1))

    def stated(messages: Range | None) -> Work:
        return stated_work(
            hardware,
            steps=counts.steps,
            dt=dt,
            neurons=neurons,
            synapses=counts.synapses,
            synaptic_operations=counts.synaptic_events,
            neuron_updates=sum(population.neuron_updates for population in own),
            active_updates=sum(population.active_updates for population in own),
            spikes=sent,
            input_spikes=counts.spikes - sent,
            messages=messages,
            projections=projections,
            learning_updates=counts.learning_updates if learning else 0,
            cores=cores,
            tiles=tiles,
            chips=chips,
            resets=resets,
            host_spikes_in=counts.spikes - sent,
            missing=_missing(hardware, without_placement),
        )

    used = stated(None).cores.high
    most = min(counts.spikes * used * projections, counts.synaptic_events)
    return stated(Range(min(fewest, most), most))


def _missing(chip: Chip, without_placement: str) -> tuple[str, ...]:
    axons = [
        f"{chip.limits[f'core.{name}'].high:,.0f} {name.replace('_', ' ')}"
        for name in ("input_axons", "output_axons")
        if f"core.{name}" in chip.limits
    ]
    unknown = (
        f"axons: the limits of a core ({' and '.join(axons)}) are not in the core count; a placement may need more"
    )
    return (
        f"placement: {without_placement or 'none was given'}; hops and the slowest core are ranges, queues in no term",
        "compartments: a neuron counts as one, also where its model needs several",
        *((f"{unknown} cores",) if axons and not without_placement else ()),
    )
