"""Work done in a run, counted from its spikes: the same numbers whatever backend produced them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neuromorph.active_updates import active_updates
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import Counts, IntArray, PopulationCounts, ProjectionCounts, SpikeTrain


class Earlier(NamedTuple):
    """Spikes of the steps before a run, as the pieces in which they were recorded, the last one first.

    Runs share their pieces, and nothing is joined before counts are asked for.
    """

    spikes: Mapping[str, SpikeTrain]
    steps: int  # of this piece
    total: int  # steps of this piece and of those before it
    before: Earlier | None

    def joined(self, steps: int) -> dict[str, SpikeTrain]:
        """The last ``steps`` steps, or all of them where there are fewer."""
        pieces = self._last(steps)
        return {name: SpikeTrain.joined([piece.spikes[name] for piece in pieces]).last(steps) for name in self.spikes}

    def _last(self, steps: int) -> list[Earlier]:
        """The pieces in which the last ``steps`` steps lie, in order of time."""
        pieces: list[Earlier] = []
        piece: Earlier | None = self
        while piece is not None and steps > 0:
            pieces.append(piece)
            steps -= piece.steps
            piece = piece.before
        return pieces[::-1] or [self]


def followed_by(earlier: Earlier | None, spikes: Mapping[str, SpikeTrain], steps: int, memory: int) -> Earlier | None:
    """``earlier`` with a run of ``steps`` steps after it; of what is older than ``memory`` steps little is kept."""
    if steps >= memory:
        return Earlier({name: train.last(memory) for name, train in spikes.items()}, memory, memory, None)
    if steps == 0:
        return earlier
    if earlier is None:
        return Earlier(spikes, steps, steps, None)
    if earlier.total > 4 * memory:  # a chain of its own for the runs to come, so that the old pieces can go
        pieces, earlier = earlier._last(memory), None
        for piece in pieces:
            total = piece.steps + (0 if earlier is None else earlier.total)
            earlier = Earlier(piece.spikes, piece.steps, total, earlier)
        assert earlier is not None
    return Earlier(spikes, steps, earlier.total + steps, earlier)


def count_after(
    earlier: Earlier | None,
    memory: int,
    program: Program,
    spikes: Mapping[str, SpikeTrain],
    *,
    first_step: int,
    steps: int,
) -> Counts:
    """:func:`count` of a run that followed ``earlier``, of which the last ``memory`` steps matter."""
    known = None if earlier is None else earlier.joined(memory)
    return count(program, spikes, first_step=first_step, steps=steps, earlier=known)


def count(
    program: Program,
    spikes: Mapping[str, SpikeTrain],
    *,
    first_step: int,
    steps: int,
    earlier: Mapping[str, SpikeTrain] | None = None,
) -> Counts:
    """Counts of ``steps`` steps that followed ``first_step`` earlier ones, from the spikes of every population.

    ``earlier`` are the spikes of the last steps before: what is still under way, or in an epoch that has not ended, is
    counted where it arrives, so that the counts of chunks add up to those of one run.
    """
    known = (
        spikes
        if earlier is None
        else {name: SpikeTrain.joined([earlier[name], train]) for name, train in spikes.items()}
    )
    before = 0 if earlier is None else max((train.shape[0] for train in earlier.values()), default=0)
    active = active_updates(program, known, before, before + steps)
    populations = {
        item.name: PopulationCounts(
            neurons=item.size, is_input=True, spikes=len(spikes[item.name]), neuron_updates=0, active_updates=0
        )
        for item in program.inputs
    }
    for population in program.populations:
        populations[population.name] = PopulationCounts(
            neurons=population.size,
            is_input=False,
            spikes=len(spikes[population.name]),
            neuron_updates=population.size * steps,
            active_updates=active[population.name],
        )
    projections = {
        projection.name: ProjectionCounts(
            synapses=projection.synapses,
            plastic=projection.rule is not None,
            synaptic_events=int(projection.fan_out[spikes[projection.pre].ids].sum()),
            learning_updates=_learning_updates(projection, known, first_step - before, first_step, steps),
        )
        for projection in program.projections
    }
    return Counts(steps=steps, populations=populations, projections=projections)


def _learning_updates(
    projection: ProjectionProgram, spikes: Mapping[str, SpikeTrain], first_row: int, first_step: int, steps: int
) -> int:
    """Synapses touched by each product of the rule, summed over epochs that end within the run.

    ``first_row`` is the step before the first one of ``spikes``, ``first_step`` the one before the run.
    """
    rule = projection.rule
    if rule is None:
        return 0
    epochs = range(first_step // rule.epoch, (first_step + steps) // rule.epoch)
    pre, post = (
        _neurons_by_epoch(spikes[name], first_row, rule.epoch, epochs) for name in (projection.pre, projection.post)
    )
    touched = {"x0": int(projection.fan_out[pre].sum()), "y0": int(np.diff(projection.by_post)[post].sum())}
    total = 0
    for target in rule.targets.values():
        for product in target.products:
            if product.dependency in touched:
                total += touched[product.dependency]
            else:
                every = 2 ** int(product.dependency[1:])
                total += projection.synapses * (epochs.stop // every - epochs.start // every)
    return total


def _neurons_by_epoch(train: SpikeTrain, first_row: int, epoch: int, epochs: range) -> IntArray:
    """One entry for each neuron and epoch in which it spiked."""
    number = (train.steps + first_row) // epoch
    inside = (number >= epochs.start) & (number < epochs.stop)
    if epoch == 1:
        return train.ids[inside]
    return np.unique(number[inside] * train.shape[1] + train.ids[inside]) % train.shape[1]
