"""Backends of the class "statistical": distributions over seeds, held to those of the reference."""

from __future__ import annotations

from collections import Counter

import numpy as np

from neuromorph import registry
from neuromorph.backend import Backend
from neuromorph.testing.case import Case
from neuromorph.testing.pair import values_of
from neuromorph.testing.verdict import STATISTICAL_LEVEL, STATISTICAL_SEEDS, Difference, Differs

_ROUNDING_SEEDS = 2**32  # the first of the reference's seeds for rounding weights; no other stream has such

Samples = dict[str, list[float]]


def hold_distributions(backend: Backend, case: Case, seed: int) -> None:
    """Spike counts and mean weights over many seeds, held to the reference's by Kolmogorov-Smirnov tests.

    The reference rounds the weights of every session with the same random numbers; here each session has its own, as
    those of a backend with streams of its own have. A backend whose sessions are all alike, where those of the
    reference are not, ignores the seed.
    """
    from scipy.stats import ks_2samp

    mine: Samples = {}
    theirs: Samples = {}
    for offset in range(STATISTICAL_SEEDS):
        _sample(backend, case, seed + offset, mine)
        _sample(registry.get("reference", rounding_seed=_ROUNDING_SEEDS + offset), case, seed + offset, theirs)
    level = STATISTICAL_LEVEL / max(2 * len(mine), 1)
    for name, values in mine.items():
        p_value = float(ks_2samp(values, theirs[name]).pvalue)
        test = f"{STATISTICAL_SEEDS} seeds, Kolmogorov-Smirnov p = {p_value:.2g} below {level:.2g}"
        if p_value >= level and len(set(values)) == 1:
            commonest = max(Counter(theirs[name]).values()) / STATISTICAL_SEEDS
            p_value = commonest**STATISTICAL_SEEDS if commonest < 1 else 1.0
            test = f"{STATISTICAL_SEEDS} seeds give one and the same, which chance does with p = {p_value:.2g}"
        if p_value < level:
            raise Differs(
                Difference(
                    phase=test,
                    what=f"mean of {name}",
                    found=float(np.mean(values)),
                    expected=float(np.mean(theirs[name])),
                )
            )


def _sample(backend: Backend, case: Case, seed: int, found: Samples) -> None:
    """Add a session's values by statistic: the spikes of a population, the mean weight of a projection."""
    with backend.open(case.program.with_all_spikes(), seed=seed) as session:
        spikes = session.run(case.steps, inputs=case.inputs, modulators=case.modulators).spikes
        for population in case.program.populations:
            found.setdefault(f"spikes of {population.name}", []).append(float(len(spikes[population.name])))
        for projection in case.program.projections:
            if projection.rule is not None and projection.synapses:
                weight = values_of(session.read(f"{projection.name}.weight"))
                found.setdefault(f"mean weight of {projection.name}", []).append(float(weight.mean()))
