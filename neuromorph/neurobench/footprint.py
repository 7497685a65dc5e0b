"""Bytes that a model holds: parameters and buffers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neuromorph.program import PopulationProgram, Program, ProjectionProgram

FLOAT_BYTE = 4  # of one number in float: the single precision of torch, in which NeuroBench measures
# In fixed point the least of 1, 2 or 4 bytes that hold it: weights of 8 bits (sign and scale are shared), traces of 7,
# tags of 9, u and v of 24.
FIXED_BYTE = {"weight": 1, "trace": 1, "tag": 2, "state": 4, "parameter": 4}
COUNT_BYTE = 1  # of a delay, and of a refractory period or its count: at most 63 steps on a chip
LONGEST_COUNT = 255


def footprint(program: Program, weights: dict[str, int], *, value_byte: int = FLOAT_BYTE) -> dict[str, int]:
    """Bytes by what they hold; ``weights`` are the numbers of weights of each projection, zeros included.

    Parameters are weights, delays and the constants of neurons, buffers what changes in a run: u, v, adaptations
    and refractory counts, traces and tags. What all neurons of a population, or all synapses of a projection, share counts once.
    """
    width = dict.fromkeys(FIXED_BYTE, value_byte) if program.arithmetic == "float" else FIXED_BYTE
    found = {
        "weights": sum(weights.values()) * width["weight"],
        "delays": sum(
            _delays(projection, weights[projection.name], width["weight"]) for projection in program.projections
        ),
        "neuron parameters": sum(_parameters(population, width["parameter"]) for population in program.populations),
        "neuron state": sum(_state(population, width["state"]) for population in program.populations),
    }
    traces = sum(_traces(projection) for projection in program.projections) * width["trace"]
    tags = sum(_tags(projection) for projection in program.projections) * width["tag"]
    return found | ({"traces": traces, "tags": tags} if traces or tags else {})


def _delays(projection: ProjectionProgram, weights: int, width: int) -> int:
    if projection.rule is not None and projection.rule.dd is not None:  # learned ones are real numbers, one a synapse
        return projection.synapses * width
    if projection.has_one_delay:  # of a layer; one step is none
        return COUNT_BYTE if projection.max_delay > 1 else 0
    return weights * _count_byte(projection.max_delay)


def _parameters(population: PopulationProgram, width: int) -> int:
    adaptation = (population.threshold_increment, population.decay_threshold)
    numbers = [population.decay_u, population.decay_v, population.threshold, population.bias]
    numbers += [values for values in adaptation if values is not None]
    refractory = population.refractory
    counts = _entries(refractory) * _count_byte(int(refractory.max(initial=0))) if refractory.any() else 0
    return sum(_entries(values) for values in numbers) * width + counts


def _state(population: PopulationProgram, width: int) -> int:
    longest = int(population.refractory.max(initial=0))
    states = 2 if population.threshold_increment is None else 3  # u, v, and what spikes have added to the threshold
    return population.size * (states * width + (_count_byte(longest) if longest else 0))


def _traces(projection: ProjectionProgram) -> int:
    if projection.rule is None:
        return 0
    sizes = {"x": projection.pre_size, "y": projection.post_size}
    return sum(sizes[name[0]] for name in projection.rule.traces)


def _tags(projection: ProjectionProgram) -> int:
    return projection.synapses if projection.rule is not None and projection.rule.dt is not None else 0


def _entries(values: npt.NDArray[np.generic]) -> int:
    return 1 if values.size and np.all(values == values[0]) else values.size


def _count_byte(most: int) -> int:
    return COUNT_BYTE if most <= LONGEST_COUNT else 4
