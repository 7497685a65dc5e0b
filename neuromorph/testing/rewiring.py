"""Does a session that is rewired go on as the reference does? A part of :func:`neuromorph.testing.check`."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuromorph.backend import Backend
from neuromorph.program import Program, ProjectionProgram
from neuromorph.recording import FloatArray
from neuromorph.testing.case import Case
from neuromorph.testing.pair import Pair, values_of

PHASE = "run after rewiring"


def check_rewiring(backend: Backend, program: Program, case: Case, seed: int) -> None:
    """In mid-run, within an epoch where it can be, a third of every projection's synapses move, on both sides.

    Where every synapse exists a third of them go instead.
    """
    cut = case.steps // 2 | 1
    rng = np.random.default_rng(seed)
    with Pair(backend, program, case, seed) as pair:
        pair.run("run before rewiring", 0, cut)
        for projection in program.projections:
            weights = moved_synapses(projection, values_of(pair.reference.read(f"{projection.name}.weight")), rng)
            for session in pair.both:
                session.rewire(projection.name, weights)
        pair.compare_variables("rewiring")
        pair.run(PHASE, cut, case.steps - cut)
        pair.compare_variables(PHASE)


def moved_synapses(projection: ProjectionProgram, weights: FloatArray, rng: np.random.Generator) -> Any:
    """A CSR array in which a third of the synapses, none of the longest delay, stand elsewhere; or nowhere."""
    from scipy.sparse import csr_array

    shape = projection.post_size, projection.pre_size
    movable = np.flatnonzero(projection.delay < projection.max_delay)
    movable = np.arange(projection.synapses) if projection.has_one_delay else movable
    moved = rng.permutation(movable)[: projection.synapses // 3]
    keys = projection.post_index * projection.pre_size + projection.pre_index
    free = np.setdiff1d(np.arange(shape[0] * shape[1]), keys)
    going, staying = moved[free.size :], moved[: free.size]
    keys[staying] = rng.choice(free, staying.size, replace=False)
    left = np.delete(np.arange(keys.size), going)
    return csr_array((weights[left], np.divmod(keys[left], shape[1])), shape=shape)
