"""A program with its times at a chip's limits, so that the other rules can be looked at all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuromorph.program import PopulationProgram, Program, ProjectionProgram
from neuromorph.quantisation.limits import ChipLimits


def mended(program: Program, limits: ChipLimits) -> Program:
    """Refractory periods, leaks, delays and epochs that are too long become the longest; thresholds and delays do not learn."""
    return replace(
        program,
        populations=tuple(_population(item, limits) for item in program.populations),
        projections=tuple(_projection(item, limits) for item in program.projections),
        probes=(),  # of states that it may have lost
    )


def _population(population: PopulationProgram, limits: ChipLimits) -> PopulationProgram:
    longest = 1 - 1 / limits.decay_unity
    return replace(
        population,
        refractory=np.minimum(population.refractory, limits.refractory),
        decay_u=np.minimum(population.decay_u, longest),
        decay_v=np.where(population.decay_v < 1, np.minimum(population.decay_v, longest), 1.0),
        threshold_increment=None,
        decay_threshold=None,
    )


def _projection(projection: ProjectionProgram, limits: ChipLimits) -> ProjectionProgram:
    most = limits.extra_delay + 1
    if projection.max_delay > most:
        projection = projection.with_changes(delay=np.minimum(projection.delay, most))
    rule = projection.rule
    if rule is None:
        return projection
    if rule.dd is not None and not any("d" in total.variables for total in (rule.dw, rule.dt) if total is not None):
        rule = replace(rule, dd=None, d_max=None)
    return projection.with_changes(rule=replace(rule, epoch=min(rule.epoch, limits.epoch)))
